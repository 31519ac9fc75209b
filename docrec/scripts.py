"""Super- and subscripts: small letters and digits that stand raised or lowered beside a line's own."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from docrec.band import ASCENDER
from docrec.document import BASELINE, Box, Glyph, Line
from docrec.ink import Parts

# Heights above the baseline, of the height of a full Hanzi's ink.
SIZE = (0.37, 0.62)  # of a script's letters: quotation marks and degree signs are smaller
RAISED = (0.25, 0.72)  # the lowest bottom and the lowest top of a superscript: above capitals, unlike the raised A of TeX's logos
LOWERED = (-0.1, 0.18, 0.42)  # the highest bottom, and the lowest and highest top of a subscript: commas are lower
STANDING = (-0.3, 0.12)  # the bottom of a character that stands
LOWER = 0.18  # by which a subscript's top is lower than that of the letter it stands beside, and a third of it its bottom
WIDTH = 0.6  # no letter is wider
GAP = 0.25  # between the letters of a script
SIGN = (0.12, 0.42, 0.15)  # a lower sign, as minus, whose middle is at least so high, or at most, belongs to the script it stands before


def find_scripts(glyphs: Parts, line: Line) -> list[Line]:
    """Find what may be super- and subscripts of a level line.

    Args:
        glyphs: the line's, see `ink.parts_to_glyphs`.
        line: its box is its em band.

    Returns:
        A Line with its own box for each script, from left to right.
    """
    height = line.box.height
    baseline = line.box.bottom - BASELINE * height
    scripts: list[tuple[int, list[list[int]]]] = []
    signs: list[tuple[int, list[int]]] = []
    if not _stands(glyphs, baseline, height):
        return []
    for before_it, (left, top, right, bottom) in zip([[], *glyphs.tolist()], glyphs.tolist(), strict=False):
        letter = [left, top, right, bottom]
        place = _place((baseline - bottom) / height, (baseline - top) / height) if right - left < WIDTH * height else 0
        if not place:
            raised = (baseline - (top + bottom) / 2) / height
            sign = (raised > SIGN[1]) - (raised < SIGN[2]) if bottom - top < SIGN[0] * height else 0
            signs = [*signs, (sign, letter)] if sign else []
            continue
        before = [sign for at, sign in signs if at == place]
        follows = scripts and scripts[-1][0] == place
        if follows and left - scripts[-1][1][-1][2] < GAP * height + sum(sign[2] - sign[0] + GAP * height for sign in before):
            scripts[-1][1].extend([*before, letter])
        elif place > 0 or before_it and _is_lower(letter, before_it, height):
            scripts.append((place, [sign for sign in before if left - sign[2] < GAP * height] + [letter]))
        signs = []
    return [Line(_around(letters), cell=line.cell, script=place) for place, letters in scripts]


def with_level_scripts(gray: np.ndarray, line: Line, scripts: Sequence[Line]) -> np.ndarray:
    """A page with the scripts of a line set on its baseline, as high as capitals; their widths stay.

    Args:
        gray: the page, uint8 (H, W), 255 = paper.
        line: the line.
        scripts: what stands raised or lowered in it.
    """
    level = gray.copy()
    height = line.box.height
    baseline = line.box.bottom - BASELINE * height
    for script in scripts:
        top, bottom = round(script.box.top), round(script.box.bottom)
        across = slice(max(round(script.box.left) - 1, 0), round(script.box.right) + 1)
        level[max(top - 1, 0) : bottom + 1, across] = 255
        target = level[max(round(baseline - ASCENDER * height), 0) : max(round(baseline), 1), across]
        target[:] = np.minimum(target, cv2.resize(gray[top:bottom, across], target.shape[::-1], interpolation=cv2.INTER_AREA))
    return level


def holding(glyphs: Sequence[Glyph], script: Line) -> Iterator[int]:
    """The indices of the glyphs whose middles are within a script."""
    return (index for index, glyph in enumerate(glyphs) if script.box.left <= (glyph.left + glyph.right) / 2 <= script.box.right)


def _stands(glyphs: Parts, baseline: float, height: float) -> bool:
    """Whether most tall characters stand where the band has them, the letters on the baseline, the Hanzi a little below."""
    bottoms = (baseline - glyphs[glyphs[:, 3] - glyphs[:, 1] > SIZE[1] * height, 3]) / height
    return bool(((bottoms < STANDING[1]) & (bottoms > STANDING[0])).mean() > 0.5) if bottoms.size else False


def _place(bottom: float, top: float) -> int:
    """1 for a superscript's letter, -1 for a subscript's, 0 for any other."""
    if not SIZE[0] <= top - bottom <= SIZE[1]:
        return 0
    return int(bottom >= RAISED[0] and top >= RAISED[1]) - int(bottom <= LOWERED[0] and LOWERED[1] <= top <= LOWERED[2])


def _is_lower(letter: Sequence[int], before: Sequence[int], height: float) -> bool:
    """Whether a letter is lower than the one before it, at its top and at its bottom."""
    return letter[1] - before[1] > LOWER * height and letter[3] - before[3] > LOWER / 3 * height


def _around(letters: Sequence[Sequence[int]]) -> Box:
    lefts, tops, rights, bottoms = zip(*letters, strict=True)
    return Box(min(lefts), min(tops), max(rights), max(bottoms))
