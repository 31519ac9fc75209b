"""How colour becomes grey: seals and highlighter fade, text in pale colours shows, and what colour alone tells from its ground too."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import cv2
import numpy as np

from docrec.source import PageImage, balance

MAP_SIDE = 1180
"""Longer side of the reduced page on which is decided what to do, in pixels: half of A4 at 200 dpi."""
EM = 14
"""Pixels of that map that an em of body text has on A4."""
_COLOURED = 48
"""Difference of the strongest and the weakest channel from which a pixel has a colour."""


def to_gray(page: PageImage) -> PageImage:
    """Turn the colour of a page into grey such that its text can be read.

    Args:
        page: a page as read.

    Returns:
        The page without `color`; `page` itself if it has none.
    """
    if page.color is None:
        return page
    small = balance(reduce_to_map(page.color))
    channel = best_channel(page.gray, page.color)
    if channel is not page.gray:
        return replace(page, gray=channel, color=None, steps=(*page.steps, "read in one colour"))
    gray, steps = page.gray, page.steps
    seals = find_seals(small)
    marked = find_highlighter(small, seals)
    pale = find_pale_text(small, seals | marked)
    for mask, to_level, step in (
        (seals, _faded, "seal taken off"),
        (marked, _faded, "highlighter faded"),
        (pale, _darkened, "pale colours darkened"),
    ):
        if mask.any():
            gray, steps = _recolour(gray, page.color, mask, to_level), (*steps, step)
    return replace(page, gray=gray, color=None, steps=steps)


def reduce_to_map(pixels: np.ndarray) -> np.ndarray:
    """Reduce a page, uint8 (height, width) or (height, width, 3), by a whole number to about MAP_SIDE pixels on its longer side."""
    return reduce_by(pixels, max(1, round(max(pixels.shape[:2]) / MAP_SIDE)))


def reduce_by(pixels: np.ndarray, factor: int) -> np.ndarray:
    """Reduce a page by a whole number, for which rows and columns that are left over go: several times as fast as any other reduction."""
    if factor > 2 and factor % 2 == 0:  # halving is as many times faster again
        return reduce_by(reduce_by(pixels, 2), factor // 2)
    height, width = (max(1, side // factor) for side in pixels.shape[:2])
    return cv2.resize(pixels[: height * factor, : width * factor], (width, height), interpolation=cv2.INTER_AREA)


def best_channel(gray: np.ndarray, color: np.ndarray) -> np.ndarray:
    """The grey of a page, or that one of its channels in which far more stands out from the ground.

    Args:
        gray: uint8 (height, width).
        color: uint8 (height, width, 3), of the same page.

    Returns:
        uint8 (height, width): `gray` itself unless most is gained by colour.
    """
    contrast = _contrast(reduce_to_map(gray))
    if contrast >= _GOOD_CONTRAST:
        return gray
    contrasts = [_contrast(channel) for channel in cv2.split(reduce_to_map(color))]
    best = int(np.argmax(contrasts))
    return np.ascontiguousarray(color[..., best]) if contrasts[best] > _GAIN * contrast else gray


_GOOD_CONTRAST = 110
"""Grey levels from the ground to what differs most from it."""
_GAIN = 1.5


def _contrast(channel: np.ndarray) -> float:
    """Grey levels by which the two hundredth of a picture that differs most from its ground does so."""
    low, ground, high = np.percentile(channel[::2, ::2], (0.5, 50, 99.5))
    return float(max(high - ground, ground - low))


def find_seals(small: np.ndarray) -> np.ndarray:
    """Where seals in red are: what a ring or a frame of red holds that is too large to be a character.

    Print over a seal breaks its ring in pieces, so pieces that nearly touch are taken for one. A block of red text would make such a
    piece too, but the hull around it is not drawn along.

    Args:
        small: a page in colour, uint8 (height, width, 3), as `reduce_to_map` gives it.

    Returns:
        uint8 (height, width), 1 = seal.
    """
    red, green, blue = cv2.split(small)
    reddish = (cv2.subtract(red, cv2.max(green, blue)) > _RED).view(np.uint8)
    seals = np.zeros_like(reddish)
    if cv2.countNonZero(reddish) < EM * EM:
        return seals
    joined = cv2.morphologyEx(reddish, cv2.MORPH_CLOSE, np.ones((_RING_GAP, _RING_GAP), np.uint8))
    near = cv2.dilate(reddish, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [cv2.boundingRect(contour) for contour in contours]
    for contour, (_, top, width, height) in zip(contours, boxes, strict=True):
        if not (_SEAL_EM[0] * EM <= min(width, height) and max(width, height) <= min(_SEAL_EM[1] * EM, 1.8 * min(width, height))):
            continue
        row = [h for _, y, _, h in boxes if 0.75 * height < h < 1.33 * height and abs(y + h / 2 - top - height / 2) < 0.2 * height]
        if len(row) > 2:  # characters of a large red title
            continue
        hull = cv2.convexHull(contour)
        outline = np.zeros_like(reddish)
        cv2.polylines(outline, [hull], True, 1)
        if cv2.countNonZero(cv2.bitwise_and(outline, near)) >= _RING_INK * cv2.countNonZero(outline):
            cv2.fillPoly(seals, [hull], 1)
    return cv2.dilate(seals, np.ones((EM // 2, EM // 2), np.uint8)) if seals.any() else seals


_RED = 40
"""Levels by which red must exceed green and blue: a faint seal."""
_SEAL_EM = (3.0, 20.0)
"""Width and height of a seal, in em of body text: 11 to 74 mm."""
_RING_GAP = 7
"""Pixels of the map up to which print may interrupt a ring, half an em."""
_RING_INK = 0.6
"""Share of the outline of a seal that is red; of that of a block of text less than half is."""


def find_highlighter(small: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Where light colour lies in patches, broader than strokes, under something darker.

    Args:
        small: a page in colour, uint8 (height, width, 3), as `reduce_to_map` gives it.
        done: uint8 (height, width), 1 = not to be looked at.

    Returns:
        uint8 (height, width), 1 = patch.
    """
    strongest, chroma = _strongest_and_chroma(small)
    coloured = ((strongest > _LIGHT) & (chroma > _COLOURED) & (done == 0)).view(np.uint8)
    patches = np.zeros_like(coloured)
    if cv2.countNonZero(coloured) < EM * EM or np.median(strongest) < _INKED:  # on a dark page colour is no marker's
        return patches
    filled = cv2.morphologyEx(coloured, cv2.MORPH_CLOSE, np.ones((EM // 2, EM // 2), np.uint8))  # over the text in it
    broad = cv2.morphologyEx(filled, cv2.MORPH_OPEN, np.ones((EM, EM), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(broad)
    for number, (left, top, width, height, area) in enumerate(stats[1:].tolist(), 1):
        part = np.s_[top : top + height, left : left + width]
        inside = labels[part] == number
        dark = ((strongest[part] < _INKED) & inside).sum() / area
        light = strongest[part][coloured[part].astype(bool) & inside]
        if dark > 0.01 and len(light) > 0.4 * area and (dark > _MARKED or np.ptp(np.percentile(light, (10, 90))) < _EVEN):
            patches[part] |= inside.view(np.uint8)
    return cv2.dilate(patches, np.ones((EM // 2, EM // 2), np.uint8)) if patches.any() else patches


_LIGHT = 190
"""The strongest channel of highlighter and of light paper, at least."""
_INKED = _LIGHT - 60
"""The strongest channel of ink under it, and of most of a dark page, at most."""

_MARKED, _EVEN = 0.05, 16
"""A patch less of which is ink may be light colour in a photograph, whose strongest channel varies by more levels."""


def find_pale_text(small: np.ndarray, done: np.ndarray) -> np.ndarray:
    """Where strokes are of a colour nearly as light as paper.

    Args:
        small: a page in colour, uint8 (height, width, 3), as `reduce_to_map` gives it.
        done: uint8 (height, width), 1 = not to be looked at.

    Returns:
        uint8 (height, width), 1 = near such strokes.
    """
    _, chroma = _strongest_and_chroma(small)
    gray = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    on_paper = cv2.blur(gray, (2 * EM, 2 * EM)) > _PAPER_AROUND
    pale = ((chroma > _COLOURED) & (chroma > _PALE * (255 - gray).astype(np.float32)) & on_paper & (done == 0)).view(np.uint8)
    broad = cv2.morphologyEx(pale, cv2.MORPH_OPEN, np.ones((EM // 2, EM // 2), np.uint8))
    strokes = pale & (1 - cv2.dilate(broad, np.ones((5, 5), np.uint8)))
    if cv2.countNonZero(strokes) < EM * EM:
        return np.zeros_like(pale)
    return cv2.dilate(strokes, np.ones((5, 5), np.uint8))


_PALE = 1.7
"""How many times more colour than darkness a pale colour has: red has 1.4, orange 2.8, yellow 8, at any share of paper in a pixel."""


_PAPER_AROUND = 160
"""The mean grey around strokes of a pale colour; less where they stand on a dark ground."""


def _faded(gray: np.ndarray, color: np.ndarray) -> np.ndarray:
    """The grey of part of a page; at and around what is coloured the strongest channel, made so light that the colour becomes paper."""
    strongest, chroma = _strongest_and_chroma(color)
    coloured = strongest[chroma > _COLOURED]
    if not coloured.any():
        return gray
    around = cv2.dilate((chroma > _COLOURED // 2).view(np.uint8), np.ones((5, 5), np.uint8)) > 0  # JPEG has colour at half the resolution
    paper = 255.0 if around.all() else float(np.median(gray[~around]))
    faded = strongest * (paper / float(np.median(coloured)))
    faded[faded > _OUTLINE * paper] = paper
    return np.where(around, faded.astype(np.uint8), gray)


_OUTLINE = 0.75
"""Part of the level of paper down to which an outline may stay where colour was: that of a seal stored as JPEG."""


def _darkened(gray: np.ndarray, color: np.ndarray) -> np.ndarray:
    """The grey of part of a page, but the darker the more colour there is."""
    _, chroma = _strongest_and_chroma(color)
    return cv2.min(gray, 255 - np.maximum(chroma, _COLOURED // 2) + _COLOURED // 2)


def _strongest_and_chroma(color: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The strongest of a pixel's channels, and by how much it exceeds the weakest: each uint8 (height, width)."""
    red, green, blue = cv2.split(color)
    strongest = cv2.max(cv2.max(red, green), blue)
    return strongest, cv2.subtract(strongest, cv2.min(cv2.min(red, green), blue))


_ToLevel = Callable[[np.ndarray, np.ndarray], np.ndarray]


def _recolour(gray: np.ndarray, color: np.ndarray, mask: np.ndarray, to_level: _ToLevel) -> np.ndarray:
    """A copy of a page's grey that is made of its colour anew where the mask, on the scale of the map, is not 0."""
    gray = gray.copy()
    for part, inside in parts_of(mask, gray.shape):
        np.copyto(gray[part], to_level(gray[part], color[part]), where=inside.view(bool))
    return gray


def parts_of(mask: np.ndarray, shape: tuple[int, ...]) -> Iterator[tuple[tuple[slice, slice], np.ndarray]]:
    """The places of a mask on the page it is a map of: for each its rows and columns, and where in these it lies, 1, else 0."""
    down, across = shape[0] / mask.shape[0], shape[1] / mask.shape[1]
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for left, top, width, height in map(cv2.boundingRect, contours):
        part = np.s_[round(top * down) : round((top + height) * down), round(left * across) : round((left + width) * across)]
        size = (part[1].stop - part[1].start, part[0].stop - part[0].start)
        yield part, cv2.resize(mask[top : top + height, left : left + width], size, interpolation=cv2.INTER_NEAREST)
