"""How high a line's type is: the em band, the vertical ink extent that full Hanzi of the line's type size have or would have."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from docrec.document import BASELINE, Box
from docrec.ink import INK_CONTRAST, Run, glyphs_to_extent, groups_to_runs, sizes, weighted_quantile

# The em band, in ink heights of a full Hanzi of the same nominal size.
ASCENDER = 0.75  # capitals, digits and ascenders above the baseline
X_HEIGHT = 0.52
LETTER_SIZE = 0.18  # by how much, as a share, these differ from typeface to typeface
MARK, DOT_MARK, STOP = 0.3, 0.18, 0.4  # lower ink has no baseline: dashes and quotes, dots, a stop by itself
SAME_SIZE = 0.15  # heights this close, as a share, are one type size
NEAR = 6  # lines around a line that may tell its size

# Hanzi are denser than Latin letters. Strokes met on the way down are counted, on average over a square as high as the line or over one
# square glyph. A low line may be of capitals or small letters only, of which the densest (E, a, e, s) would pass: there more are asked for.
SQUARE_STROKES = 2.5
GLYPH_STROKES = 2.2
FULL_LINE = 0.85  # em; a lower line needs
LOW_STROKES = 2.5  # more strokes for each em that is missing,
SMALL_TYPE = 2.0, 2.8  # unless half of it has more than the first and its densest place more than the second: it is of smaller type


# Underscores, in em: their height at most and width, room for them below the band, and how much lower it may be.
FLAT, UNDERSCORE, ROOM, LOWERED = 0.15, (0.35, 3.0), 0.05, 0.12

# A stop or comma behind a line that is too pale to be ink, in em.
PALE_STOP, STOP_GAP, STOP_AFTER = (0.13, 0.45), 0.6, 0.3  # its least and largest side; white before and behind it, at most and at least

# Type of several sizes on one line.
SIZES, MOST = 0.18, 0.6  # logarithm of the ratio of two of them, at least and at most; dense letters may be half as high as Hanzi
SIZED = 2  # Hanzi of the smaller one that stand side by side, at least
TALLER = 1.25  # times their height, at most, is anything among them


@dataclass(frozen=True, slots=True)
class Band:
    """A height on the page: `top` and `bottom` in pixels."""

    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Extent in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Letters:
    """The letters of a line without Hanzi.

    Attributes:
        baseline: where they stand, pixels from the top of the page.
        rise: how far the highest rises above the baseline, in pixels.
        mixed: whether low letters (x) stand among high ones (h, X), so that the highest must be an ascender or a capital.
        flat: whether they are wider than high, as dashes are.
        alone: whether it is but one.
    """

    baseline: float
    rise: float
    mixed: bool
    flat: bool
    alone: bool = False


def lines_to_boxes(lines: Sequence[Run], ink: np.ndarray, em: float) -> list[Box]:
    """Give each line its em band: from its Hanzi if it has any, else from its letters and the lines around it."""
    found = {index: band for index, line in enumerate(lines) if (band := hanzi_to_band(line, ink, em))}
    bands = {index: even_band(band, nearest(band, list(found.values()))) for index, band in found.items()}
    letters = {index: line_to_letters(line) for index, line in enumerate(lines) if index not in bands}
    for index in sorted(letters, key=lambda index: (letters[index].mixed, len(lines[index].parts)), reverse=True):  # the clearest first
        extent = Band(lines[index].top, lines[index].bottom)
        bands[index] = with_underscores(letters_to_band(letters[index], extent, nearest(extent, list(bands.values()))), lines[index])
    return [Box(line.left, max(0.0, bands[index].top), line.right, bands[index].bottom) for index, line in enumerate(lines)]


def hanzi_to_band(line: Run, ink: np.ndarray, em: float) -> Band | None:
    """The vertical extent of the Hanzi in a line; None if it seems to have none."""
    top, bottom = max(0, int(line.top)), int(line.bottom)
    total = _strokes(ink[top:bottom, line.left : line.right])
    glyphs = line.glyphs
    widths, heights = sizes(glyphs)
    side = bottom - top
    outside = (glyphs[:, 1] < line.top - 0.2 * side) | (glyphs[:, 3] > line.bottom + 0.2 * side)
    if outside.mean() > 0.1:  # ascenders and descenders about low letters
        return None
    last = len(total) - 1
    centres = np.clip((glyphs[:, 0] + glyphs[:, 2]) // 2 - line.left - side // 2, 0, max(0, last - side))
    around = (total[np.minimum(centres + side, last)] - total[centres]) / side
    within = (total[glyphs[:, 2] - line.left] - total[glyphs[:, 0] - line.left]) / widths
    is_small = np.median(around) > SMALL_TYPE[0] and around.max() > SMALL_TYPE[1]
    low = 0.0 if is_small else max(0.0, FULL_LINE - side / em)
    needed = SQUARE_STROKES + LOW_STROKES * low
    square = (widths > 0.75 * side) & (widths < 1.25 * side) & (heights > 0.8 * side)
    dense = (around > needed) | square & (within > GLYPH_STROKES) & (low == 0)
    if not dense.any():
        return None
    if not square[dense].any():
        feet, heads = glyphs[dense, 3].max() - glyphs[~dense, 3], abs(glyphs[~dense, 1] - glyphs[dense, 1].min())
        if np.count_nonzero((heads < 0.1 * side) & (feet > 0.15 * side)) > len(glyphs) / 2:  # g is dense, and low among low letters
            return None
    return Band(*glyphs_to_extent(glyphs[dense]))


def line_to_sizes(line: Run, ink: np.ndarray) -> list[Run]:
    """Part a line where its Hanzi become larger or smaller, into runs from left to right; most lines stay whole.

    Hanzi are here square glyphs of many strokes. Where a character is of several glyphs, one of them (the right half of 细) may look like
    a smaller Hanzi, but the rest of it is taller.
    """
    glyphs = line.glyphs
    widths, heights = sizes(glyphs)
    square = (widths > 0.75 * heights) & (widths < 1.3 * heights) & (heights > MARK * heights.max())
    total = _strokes(ink[glyphs[:, 1].min() : glyphs[:, 3].max(), line.left : line.right])
    within = (total[glyphs[:, 2] - line.left] - total[glyphs[:, 0] - line.left]) / widths
    hanzi = np.flatnonzero(square & (within > GLYPH_STROKES)).tolist()
    sides = np.log(np.maximum(widths, heights)[hanzi])
    steps = np.sort(sides)
    for gap in np.argsort(-np.diff(steps), kind="stable"):
        if not SIZES < steps[gap + 1] - steps[gap] < MOST:
            continue
        large = sides > (steps[gap] + steps[gap + 1]) / 2
        low = TALLER * np.exp(np.median(sides[~large]))
        starts = np.flatnonzero(large[1:] != large[:-1])
        cuts = [_cut(heights > low, hanzi[start], hanzi[start + 1], bool(large[start])) for start in starts]
        pieces = np.split(np.arange(len(glyphs)), cuts)
        groups = np.split(np.array(hanzi), starts + 1)
        is_large = large[np.r_[0, starts + 1]]
        of_pieces = zip(pieces, groups, is_large, strict=True)
        if all(is_it or len(group) >= SIZED and heights[piece].max() < low for piece, group, is_it in of_pieces):
            edges = [int(glyphs[cut, 0]) for cut in cuts]
            owners = np.searchsorted(edges, line.parts[:, 0], side="right")
            runs = groups_to_runs([line.parts[owners == piece] for piece in range(len(pieces))])
            tall = np.array([run.height for run in runs])
            if tall[is_large].min() < (1 + SIZES / 2) * tall[~is_large].max():
                continue
            return [part for run in runs for part in line_to_sizes(run, ink)]
    return [line]


def _strokes(rows: np.ndarray) -> np.ndarray:
    """How many strokes are met on the way down in all columns of the ink, uint8 (H, W), before each: int (W + 1,)."""
    return np.r_[0, np.cumsum(rows[0] + np.count_nonzero(rows[1:] > rows[:-1], axis=0))]


def _cut(tall: np.ndarray, first: int, last: int, large_first: bool) -> int:
    """Before which of the glyphs behind `first`, up to `last`, the larger type ends or begins: it has all that are tall."""
    between = first + 1 + np.flatnonzero(tall[first + 1 : last])
    if large_first:
        return int(between[-1]) + 1 if between.size else first + 1
    return int(between[0]) if between.size else last


def nearest(band: Band, others: Sequence[Band]) -> list[Band]:
    """The bands of a few lines closest to a band in height on the page, closest first."""
    return sorted(others, key=lambda other: abs(other.top + other.bottom - band.top - band.bottom))[:NEAR]


def even_band(band: Band, around: Sequence[Band]) -> Band:
    """Give a band the height that is usual among those around it of its type size; its own if it is the only one of that."""
    height = float(np.median([other.height for other in around if same_size(other.height, band.height)] or [band.height]))
    return Band((band.top + band.bottom - height) / 2, (band.top + band.bottom + height) / 2)


def same_size(a: float, b: float) -> bool:
    """Whether two heights are of one type size."""
    return abs(math.log(a / b)) < SAME_SIZE


def line_to_letters(line: Run) -> Letters:
    """Measure the letters of a line: where most of them stand, how high the highest rises, and whether there are low ones too."""
    glyphs = line.glyphs[sizes(line.glyphs)[1] < 1.5 * line.height]
    widths, heights = sizes(glyphs)
    tall = heights >= 0.4 * heights.max()
    baseline = weighted_quantile(glyphs[tall, 3], widths[tall], 0.5)
    standing = tall & (abs(glyphs[:, 3] - baseline) <= 0.12 * heights.max())
    rises = baseline - glyphs[standing, 1]
    rise = float(np.median(rises[rises >= 0.82 * rises.max()]))  # not that of a slash, which rises above all letters
    mixed = bool((rises < 0.82 * rise).mean() > 0.15)
    return Letters(baseline, rise, mixed, flat=bool(np.median(widths) > 1.5 * np.median(heights)), alone=len(widths) == 1)


def letters_to_band(letters: Letters, extent: Band, around: Sequence[Band]) -> Band:
    """Place the em band about letters, which fix it but for the size of their type if they are all alike: the lines around tell it.

    Args:
        letters: shape of the line's letters.
        extent: where the line's ink begins and ends.
        around: bands already known, the nearest first.
    """
    mark = MARK if letters.flat else STOP if letters.alone else DOT_MARK  # letters beside much larger type may be hardly higher
    for band in around:  # of the same row, as in a table or a page header
        level = letters.rise < mark * band.height or abs(band.bottom - BASELINE * band.height - letters.baseline) < 0.1 * band.height
        if level and extent.top > band.top - 0.1 * band.height and extent.bottom < band.bottom + 0.2 * band.height:
            return band
    if around and letters.rise < mark * around[0].height:
        height = around[0].height
        bottom = (extent.top + extent.bottom + height) / 2 if letters.flat else letters.baseline + BASELINE * height
        return Band(bottom - height, bottom)
    guesses = [letters.rise / ASCENDER] + ([] if letters.mixed else [letters.rise / X_HEIGHT, extent.height])
    sizes_near = [(guess, band.height, rank) for guess in guesses for rank, band in enumerate(around)]
    fits = [(abs(math.log(guess / height)) + 0.02 * rank, guess, height) for guess, height, rank in sizes_near]
    error, guess, height = min(fits, default=(math.inf, guesses[0], 0.0))
    if error > LETTER_SIZE:
        height = guess = guesses[0]
    bottom = (extent.top + extent.bottom + height) / 2 if guess == extent.height else letters.baseline + BASELINE * height
    return Band(bottom - height, bottom)


def with_underscores(band: Band, line: Run) -> Band:
    """The band of a line of letters lowered as far as its underscores need, which in some typefaces are below those of others."""
    em, (shortest, longest) = band.height, UNDERSCORE
    widths, heights = sizes(line.parts)
    flat = (heights < FLAT * em) & (widths > shortest * em) & (widths < longest * em) & (line.parts[:, 1] > band.bottom - BASELINE * em)
    if not flat.any():
        return band
    down = min(max(float(line.parts[flat, 3].max()) - band.bottom - ROOM * em, 0.0), LOWERED * em)
    return Band(band.top + down, band.bottom + down)


def with_pale_stop(box: Box, pale: np.ndarray) -> Box:
    """The box of a line with a stop or comma behind it that is too pale to be ink: alone in the lower half of the line.

    Args:
        box: of the line's ink.
        pale: uint8 (H, W), 1 = ink or as pale as a thin mark may be.
    """
    em, middle = box.height, (box.top + box.bottom) / 2
    left, right = math.ceil(box.right), round(box.right + (STOP_GAP + PALE_STOP[1] + STOP_AFTER) * em)
    top = max(0, round(box.top - em / 8))
    beside = pale[top : round(box.bottom + em / 8), left:right]
    inked = np.flatnonzero(beside.any(axis=0))
    inked = inked[np.cumsum(np.diff(inked, prepend=-1) > 1) > 0]  # without the blur of the last letter
    if not inked.size or inked[0] > STOP_GAP * em or right > pale.shape[1]:
        return box
    start, end = int(inked[0]), int(inked[-1]) + 1
    rows = np.flatnonzero(beside[:, start:end].any(axis=1))
    sides = end - start, int(rows[-1] - rows[0]) + 1
    is_stop = top + rows[0] > middle and PALE_STOP[0] * em < min(sides) and max(sides) < PALE_STOP[1] * em
    return replace(box, right=float(left + end)) if is_stop and right - left - end > STOP_AFTER * em - 1 else box


def to_ink_extent(gray: np.ndarray, box: Box) -> Box:
    """The box of a line with its top and bottom where the ink in it begins and ends: its em band, if it holds full Hanzi after all.

    Args:
        gray: the page, uint8 (H, W), 255 = paper.
        box: a line's box as found.
    """
    rows = gray[int(box.top) : math.ceil(box.bottom), int(box.left) : math.ceil(box.right)].min(axis=1, initial=255)
    inked = np.flatnonzero(rows < 255 - INK_CONTRAST * (255 - rows.min(initial=255)))
    return replace(box, top=float(int(box.top) + inked[0]), bottom=float(int(box.top) + inked[-1] + 1)) if inked.size else box
