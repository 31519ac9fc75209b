"""Dark ink on light paper: of pages and lines that are the other way round, and of the bands and boxes of a page that are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from docrec.colour import EM, parts_of, reduce_to_map


def to_dark_on_light(gray: np.ndarray) -> np.ndarray:
    """Invert a page of light text on dark paper.

    Paper is what most of the page shows. Ink is what differs most from it, so the farther end of the histogram tells
    on which side the ink is; the ends leave out a thousandth of the pixels, and a blank page's noise is no ink.

    Args:
        gray: uint8 (height, width).

    Returns:
        uint8 (height, width): `gray` itself where its ink is dark.
    """
    darkest, paper, lightest = levels_below(level_counts(gray), 0.001, 0.5, 0.999)
    return 255 - gray if (lightest - paper) - (paper - darkest) > _INK_CONTRAST else gray


def line_to_dark_on_light(gray: np.ndarray) -> np.ndarray:
    """Invert a picture of one line, uint8 (H, W), if it is light text on dark paper.

    Ink lies away from the edge, and alone covers the larger part of a picture only in lines of heavy type.
    """
    edge = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return to_dark_on_light(gray) if edge.mean() < gray.mean() else gray


_INK_CONTRAST = 64
"""Grey levels by which light ink must stand out more than dark ink for a page to be inverted."""


def bands_to_dark_on_light(gray: np.ndarray, color: np.ndarray | None = None) -> np.ndarray:
    """Invert what is light text on a darker ground within a page: bands, heads of tables, buttons.

    Such a ground is flat, about rectangular, and mostly bare; a photograph is not flat. If color is given, the text may be told from
    its ground by one channel alone. The text is made as dark as that of the rest of the page, so that a faint page stays faint all over.

    Args:
        gray: uint8 (height, width), dark on light.
        color: uint8 (height, width, 3), of the same page.

    Returns:
        uint8 (height, width): `gray` itself where there are none.
    """
    small = reduce_to_map(gray)
    paper = float(np.percentile(small[::2, ::2], 90))
    ground = cv2.morphologyEx((small < _DARK_GROUND * paper).view(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))  # without strokes
    large = [outline for outline in _outlines(ground) if cv2.contourArea(outline) >= _LEAST_AREA]
    if not large:
        return gray
    channels = (gray,) if color is None else (gray, *cv2.split(color))
    maps = [reduce_to_map(channel) for channel in channels]
    boxes: list[_Box] = []
    for outline in large:
        box = _outline_to_box(outline, maps)
        boxes += [box] if box else filter(None, (_outline_to_box(piece, maps) for piece in _pieces(outline, ground, small)))
    if not boxes:
        return gray
    broad = _broad(ground)
    beside = gray[::4, ::4][cv2.resize(broad, gray[::4, ::4].shape[::-1], interpolation=cv2.INTER_NEAREST) == 0]
    ink = float(np.percentile(beside, _INK_SHARE)) if beside.size else paper
    inverted = gray.copy()
    for box in boxes:
        edge = cv2.morphologyEx(box.mask, cv2.MORPH_GRADIENT, np.ones((_EDGE, _EDGE), np.uint8))
        contrast = max(abs(box.text - box.level), paper - ink)
        white = paper - _SHADE if box.even else paper
        levels = np.clip(white - (np.arange(256) - box.level) * (contrast / (box.text - box.level)), 0, white)
        shade = cv2.resize(box.shade[:, None], (1, len(gray)))[:, 0]
        for where, covered in parts_of(box.mask, gray.shape):
            flat = _unshaded(channels[box.channel][where], shade[where[0]])
            np.copyto(inverted[where], cv2.LUT(flat, levels.astype(np.uint8)), where=covered.view(bool))
        for where, covered in parts_of(edge, gray.shape):
            inverted[where][covered.view(bool)] = np.uint8(paper)
    return inverted


_DARK_GROUND = 0.8
"""Part of the level of paper below which a ground is no paper."""
_BOX_EM = (1.1, 1.3)
"""Least shorter and longer side of such a box, in em of body text."""
_BOX_FILL = 0.75
"""Part of the smallest rectangle around it that it fills: an ellipse fills 0.79."""
_LEAST_AREA = _BOX_FILL * _BOX_EM[0] * _BOX_EM[1] * EM**2
_CONVEX = 0.95
"""Part of its convex hull that a small one fills: large letters have notches."""
_FLATNESS = 0.5
"""Part of a box that has the level of its ground, give or take _SAME_LEVEL: text covers less than half of it."""
_SAME_LEVEL = 12
_ENDS = (0.2, 99.8)
"""Of a hundred pixels so many are darker and lighter than what is taken for ground and text: of two letters in a band as wide as a page."""
_EVEN = 0.7, 5
"""The same of a box that is filled from light to dark, as a program does it: parts of photographs, too, are nearly so."""
_BEND = 3
"""Degree of the polynomial that fits the levels of a ground that is filled from light to dark."""
_TEXT_CONTRAST = 40
"""Grey levels between ground and text, at least."""
_INK_SHARE = 0.1
"""Of a hundred pixels beside such boxes so many are ink on any page of text; so dark as they are, text in a box becomes, at least."""
_LEVELS, _TEXT_EM = 6, 1.25
"""Bands of different levels in one piece, and the size of dense text in one in em, at most; larger text has its ground within."""
_LETTER_EM, _GOES_ON = 4.0, 0.9
"""Gap between two pieces of a band that letters may fill, in em at most, and the share of its third row from either side that is ground."""
_NOTCHED = 0.8
"""Part of its convex hull that a band fills in which large text has left notches."""
_EDGE = 5
"""Pixels of the map across the edge of a box that are painted over, as its blur would become an outline."""
_SHADE = 4.0
"""Grey levels by which the ground of such a box stays darker than paper, if it is even, so that layout can tell the box."""
_OTHER_SIDE = 0.5
"""Part of that by which something may differ from the ground to the other side: outlines of a figure do."""


@dataclass(frozen=True)
class _Box:
    """A box with text on the map, 1 in `mask`: the channel that tells text from ground, and their levels in it.

    By `shade`, float64 (height of the map), its rows are lighter than the level where it is filled from light to dark. If the ground is
    `even`, most of it has its level without any grain.
    """

    mask: np.ndarray
    channel: int
    level: int
    text: int
    shade: np.ndarray
    even: bool


def _outlines(mask: np.ndarray) -> list[np.ndarray]:
    """The outlines of the components of a mask, those within others too."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    return [contour for contour, links in zip(contours, hierarchy[0] if contours else (), strict=True) if links[3] < 0]


def _outline_to_box(outline: np.ndarray, maps: Sequence[np.ndarray]) -> _Box | None:
    """What an outline bounds on the maps of a page's channels, the first of which is grey, if it is a box with text."""
    if not _is_box(outline):
        return None
    left, top, width, height = cv2.boundingRect(outline)
    mask = cv2.drawContours(np.zeros_like(maps[0]), [outline], -1, 1, cv2.FILLED)
    part = np.s_[top : top + height, left : left + width]
    inside = cv2.erode(mask[part], np.ones((3, 3), np.uint8), borderValue=0) > 0
    for shaded, flatness in ((False, (_FLATNESS, _SAME_LEVEL)), (True, _EVEN)):
        shades = [_shade(channel[part], inside) if shaded else np.zeros(height) for channel in maps]
        crops = [_unshaded(channel[part], shade) for channel, shade in zip(maps, shades, strict=True)]
        found = [_text_on_ground(crop[inside], *flatness) for crop in crops]
        best = max(range(len(found)), key=lambda index: abs(found[index][1] - found[index][0]) * (1 if index else 1.5))
        level, text = found[best]
        if (best or text > level) and abs(text - level) >= _TEXT_CONTRAST:
            rows = np.pad(shades[best], (top, len(mask) - top - height))
            even = bool(np.mean(np.abs(crops[best][inside].astype(np.int16) - level) <= 1) > _FLATNESS)
            return None if _is_glyph(crops[best], inside, level, text) else _Box(mask, best, level, text, rows, even)
    return None


def _pieces(outline: np.ndarray, ground: np.ndarray, small: np.ndarray) -> Iterator[np.ndarray]:
    """Outlines of what of one grey level there is within an outline: bands that touch, or hang together with a frame or a shadow."""
    left, top, width, height = cv2.boundingRect(outline)
    if max(width, height) < _GLYPH_EM * EM or min(width, height) < _BOX_EM[0] * EM:
        return
    part = np.s_[top : top + height, left : left + width]
    levels = small[part].astype(np.int16)
    column, row = outline[0, 0] - (left, top)
    labels = cv2.connectedComponents(ground[part])[1]
    rest = (labels == labels[row, column]).view(np.uint8)
    for _ in range(_LEVELS):
        left_over = levels[rest > 0]
        if len(left_over) < _LEAST_AREA:
            return
        level = _commonest(left_over)
        same = ((abs(levels - level) <= _SAME_LEVEL) & (rest > 0)).view(np.uint8)
        rest &= ~same
        filled = cv2.morphologyEx(same, cv2.MORPH_CLOSE, np.ones((int(_TEXT_EM * EM),) * 2, np.uint8))
        for band in map(_without_notches, _outlines(_bridged(_broad(filled), same))):
            piece = cv2.drawContours(np.zeros_like(rest), [band], -1, 1, cv2.FILLED)
            if same[piece > 0].mean() > _FLATNESS:
                rest &= ~cv2.dilate(piece, np.ones((3, 3), np.uint8)).view(np.uint8)
                yield band + np.array([left, top])


def _bridged(bands: np.ndarray, same: np.ndarray) -> np.ndarray:
    """Bands without the gaps that large letters tear into them: their ground, `same`, goes on above and below, where it is not broad."""
    gaps = cv2.morphologyEx(bands, cv2.MORPH_CLOSE, np.ones((1, int(_LETTER_EM * EM)), np.uint8)) & ~bands
    for left, top, width, height in map(cv2.boundingRect, _outlines(gaps)):
        if height > 4 and same[[top + 2, top + height - 3], left : left + width].mean() > _GOES_ON:
            bands[top : top + height, left : left + width] = 1
    return bands


def _without_notches(outline: np.ndarray) -> np.ndarray:
    """An outline, or its convex hull if it fills most of that: large text near the edge of a band leaves notches."""
    hull: np.ndarray = cv2.convexHull(outline)
    return hull if cv2.contourArea(outline) > _NOTCHED * cv2.contourArea(hull) else outline


def _broad(mask: np.ndarray) -> np.ndarray:
    """What of a mask is as wide and high as a box with text."""
    return cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((int(_BOX_EM[0] * EM),) * 2, np.uint8))


def _commonest(levels: np.ndarray) -> int:
    """The level about which most pixels are."""
    return int(np.convolve(np.bincount(levels, minlength=256), np.bartlett(2 * _SAME_LEVEL + 1), "same").argmax())


def _is_box(contour: np.ndarray) -> bool:
    """Whether a contour on the map is large enough and rectangular enough for a box with text."""
    area = cv2.contourArea(contour)
    _, sides, _ = cv2.minAreaRect(contour)
    large = min(sides) >= _BOX_EM[0] * EM and max(sides) >= _BOX_EM[1] * EM
    if max(sides) < _GLYPH_EM * EM and area < _CONVEX * cv2.contourArea(cv2.convexHull(contour)):
        return False  # a large letter
    return large and area >= _BOX_FILL * sides[0] * sides[1]


def _text_on_ground(levels: np.ndarray, share: float, near: int) -> tuple[int, int]:
    """The level of the ground of a box, uint8 (pixels), and of its text; the same where it is not flat or holds both light and dark.

    Flat is what has the level of the ground, or one so near, in such a share.
    """
    ground = _commonest(levels)
    if np.mean(np.abs(levels.astype(np.int16) - ground) <= near) < share:
        return ground, ground
    low, high = np.percentile(levels, _ENDS)
    lesser, greater = sorted((ground - low, high - ground))
    if lesser > _OTHER_SIDE * greater:
        return ground, ground
    return ground, int(high if high - ground == greater else low)


def _shade(levels: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """By how much the ground of each row of a box, uint8 (H, W), is lighter than at its median, float64 (H); 0 if it changes unsteadily."""
    rows = np.flatnonzero(inside.any(axis=1))
    if len(rows) <= _BEND:
        return np.zeros(len(levels))
    medians = np.array([np.median(levels[row][inside[row]]) for row in rows])
    steady = np.polynomial.Polynomial.fit(rows, medians, _BEND)
    if np.percentile(np.abs(medians - steady(rows)), 90) > _SAME_LEVEL:  # but for the blur at its edges
        return np.zeros(len(levels))
    return np.asarray(steady(np.arange(len(levels))) - np.median(medians))


def _unshaded(levels: np.ndarray, shade: np.ndarray) -> np.ndarray:
    """Levels of a box, uint8 (H, W), without the shade of its rows."""
    return levels if not shade.any() else np.clip(levels - shade[:, None], 0, 255).astype(np.uint8)


def _is_glyph(levels: np.ndarray, inside: np.ndarray, ground: int, text: int) -> bool:
    """Whether what seems a small box with text is a large letter around white, as 8, 日 and 国 are.

    In a box the strokes of text are thin, and none goes all around near its sides, as the white within the outline of 国 does.
    """
    if max(levels.shape) >= _GLYPH_EM * EM:
        return False
    side = min(levels.shape)
    white = ((abs(levels.astype(np.int16) - text) < abs(text - ground) / 2) & inside).view(np.uint8)
    thick = max(3, round(_THICK * side))
    if cv2.erode(white, np.ones((thick, thick), np.uint8), borderValue=0).any():
        return True
    depth = np.ceil(cv2.distanceTransform(np.pad(inside.view(np.uint8), 1), cv2.DIST_C, 3)[1:-1, 1:-1]).astype(int)
    rings = np.bincount(depth.ravel(), white.ravel()) / np.bincount(depth.ravel())
    return bool(max(levels.shape) < _SQUARE * side and rings[1 : 1 + round(_OUTLINE * side)].max() > _AROUND)


_GLYPH_EM = 12.0
"""The longer side of a large letter in em of body text, at most."""
_THICK = 0.17
"""Of the shorter side of a box no stroke of its text is so thick."""
_SQUARE, _OUTLINE, _AROUND = 1.4, 0.2, 0.5
"""Of a letter nearly so square, so deep at most, in parts of its shorter side, the white within its outline goes so far around."""


def level_counts(gray: np.ndarray, mask: np.ndarray | None = None) -> np.ndarray:
    """How many pixels of a thousand rows have each grey level, of all or where `mask`, uint8 (height, width), is not 0: float64 (256)."""
    step = max(1, len(gray) // 1000)
    return cv2.calcHist([gray[::step]], [0], None if mask is None else mask[::step], [256], [0, 256]).ravel().astype(np.float64)


def levels_below(counts: np.ndarray, *parts: float) -> list[int]:
    """The grey levels up to which the given parts of the pixels lie, by how many have each level."""
    below = np.cumsum(counts)
    return [int(np.searchsorted(below, part * below[-1])) for part in parts]
