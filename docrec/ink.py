"""The ink of a page: which pixels it is, the rules, the pieces it falls into, and rows of these.

A *part* is a connected component of ink, an int row (left, top, right, bottom). A *run* is a row of parts that stand close together: a
word, a cell, a whole line. The *em* is here the ink height of the page's ordinary Hanzi, the unit of nearly every threshold.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from docrec.colour import reduce_by

# Ink is darker than the paper around it by a share of the strongest contrast nearby.
PAPER_WINDOW = 1 / 80  # of the page's longer side: strokes are thinner than this, tinted boxes are wider
MIN_PAPER_WINDOW = 25  # px
INK_CONTRAST = 0.4  # of the strongest contrast nearby
MIN_NEARBY = 0.35  # of the page's strongest contrast counts as that nearby, at least
NOISE_CONTRAST = 24  # gray levels

MARK = 0.15, 0.45  # em; a mark such as a comma or stop is no smaller, nor larger,
LITTLE = 0.3  # and it is made whole if no more of it is ink

EM_QUANTILE = 0.65  # of the heights of letter-shaped parts by area: above Latin letters and pieces of Hanzi, below titles
HUGE = 2.5  # times the height of letter-shaped parts at the median: not counted
DOTS = 0.3  # times as high as the letters of a line, or less: what leads from a title to its page
BUSY = 0.15  # edges from one pixel to the next; no page of text has so many
LEADER, DOT, LEVEL = 6, 0.2, 0.1  # so many dots, in em no larger, nor more out of line
STACK, STACKED = 3.0, 0.3  # times as high as half of a line is a sign with what stands above and below it, as a sum, if no more is so wide
ALIKE = 0.4  # share of the parts that are of one size if they are dots, of leaders
RULE = 5.0  # em; a straight run of ink this long is a rule or the side of a frame
RULE_INK = 0.85  # share of its length that is inked
RULE_EDGE = 2  # pixels by which the same rule may begin elsewhere if it is looked for in paler ink
FAINT_INK = 0.2  # of the strongest contrast nearby has the pale part of a mark,
FAINT_RULE = 0.12  # and a faint rule,
FAINT_HEIGHT = 0.25  # em that it is thick, at most,
FAINT_BESIDE, FAINT_AROUND = 3, 0.4  # and so many pixels beside it no more than this share is ink

Parts = np.ndarray  # int32 (N, 4): left, top, right, bottom; pixels, half-open


@dataclass(frozen=True, eq=False)
class Run:
    """Parts that stand in a row; `top` and `bottom` are where most of its tall parts begin and end.

    A `drop_cap` is a large character before the first of the lines beside it, and joins none.
    """

    parts: Parts
    left: int
    top: float
    right: int
    bottom: float
    drop_cap: bool = False

    @property
    def width(self) -> int:
        """Horizontal extent in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Robust ink height in pixels."""
        return self.bottom - self.top

    @property
    def middle(self) -> float:
        """Centre line, pixels from the top of the page."""
        return (self.top + self.bottom) / 2

    @cached_property
    def glyphs(self) -> Parts:
        """See `parts_to_glyphs`."""
        return parts_to_glyphs(self.parts)


def gray_to_ink(gray: np.ndarray) -> np.ndarray:
    """Mark the pixels darker than the paper around them: see `gray_to_inks`."""
    return gray_to_inks(gray, INK_CONTRAST)[0]


def gray_to_inks(gray: np.ndarray, *shares: float) -> list[np.ndarray]:
    """Mark the pixels darker than the paper around them, by how much darker they must be.

    The paper is a morphological closing of the page, so that a tint under the text counts as paper; the threshold follows the strongest
    contrast nearby, so that pale type is kept and the blur around black type is not.

    Args:
        gray: uint8 (H, W), 255 = paper.
        shares: of the strongest contrast nearby that ink has.

    Returns:
        uint8 (H, W) for each of the shares, 1 = ink.
    """
    height, width = gray.shape
    step = max(MIN_PAPER_WINDOW, int(max(height, width) * PAPER_WINDOW)) // 7
    window = np.ones((7, 7), np.uint8)
    paper = cv2.morphologyEx(reduce_by(gray, step), cv2.MORPH_CLOSE, window)
    contrast = cv2.subtract(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), gray)
    peaks = cv2.dilate(contrast, np.ones((step, step), np.uint8))[step // 2 :: step, step // 2 :: step]
    if not peaks.size or (strongest := int(peaks.max())) < NOISE_CONTRAST:
        return [np.zeros_like(gray) for _ in shares]
    nearby = np.maximum(cv2.dilate(peaks, window), MIN_NEARBY * strongest)
    thresholds = (np.maximum(nearby * share, NOISE_CONTRAST).astype(np.uint8) for share in shares)
    return [
        (contrast > cv2.resize(threshold, (width, height), interpolation=cv2.INTER_NEAREST)).view(np.uint8) for threshold in thresholds
    ]


def with_whole_marks(ink: np.ndarray, pale: np.ndarray, em: float) -> np.ndarray:
    """Ink, and of marks so small and thin that but their darkest pixels are ink, such as stops on a scan, what is paler too.

    Args:
        ink, pale: uint8 (H, W) of `gray_to_inks`, for a larger and a smaller share.
        em: page em in pixels.

    Returns:
        uint8 (H, W), 1 = ink; the same array, not a copy, where there are no such marks.
    """
    boxes = mask_to_parts(pale)
    sides, (smallest, largest) = np.stack(sizes(boxes)), MARK
    whole = ink
    for left, top, right, bottom in boxes[(sides.min(axis=0) > smallest * em) & (sides.max(axis=0) < largest * em)].tolist():
        place = slice(top, bottom), slice(left, right)
        if 0 < np.count_nonzero(ink[place]) < LITTLE * np.count_nonzero(pale[place]):
            whole = ink.copy() if whole is ink else whole
            whole[place] |= pale[place]
    return whole


def mask_to_parts(mask: np.ndarray) -> Parts:
    """Boxes of the 8-connected components of a uint8 (H, W) mask, from their outer contours: several times faster than labels."""
    if np.count_nonzero(mask[:, 1:] != mask[:, :-1]) > BUSY * mask.size:  # contours that meet everywhere take minutes
        boxes: np.ndarray = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:, :4]
    else:
        contours, links = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        outer = [cv2.boundingRect(contour) for contour, link in zip(contours, links[0], strict=True) if link[3] < 0] if contours else []
        boxes = np.array(outer, np.int32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def parts_to_em(parts: Parts) -> float:
    """Ink height of the page's ordinary Hanzi in pixels, a quantile by area of the letter-shaped parts; 0 if there are none."""
    widths, heights = sizes(parts)
    shaped = (heights >= 5) & (widths < 3 * heights) & (heights < 6 * widths)
    if not shaped.any():
        return 0.0
    usual = np.median(np.stack([widths[shaped], heights[shaped]]), axis=1, keepdims=True)
    dots = shaped & (abs(np.stack([widths, heights]) - usual) <= 1).all(axis=0)
    if dots.sum() > ALIKE * shaped.sum() and (heights[shaped & ~dots] > 2 * usual[1]).any():
        shaped &= ~dots
    shaped &= heights < HUGE * weighted_quantile(heights[shaped], heights[shaped], 0.5)  # a frame or a title would outweigh the text
    return weighted_quantile(heights[shaped], (widths * heights)[shaped], EM_QUANTILE)


def ink_to_rules(ink: np.ndarray, em: float) -> tuple[Parts, Parts]:
    """Boxes of the level and of the upright straight runs of ink that are longer than any stroke; faint ones may have holes."""
    length = max(3, int(RULE * em))
    inset = int(length * (RULE_INK - 0.5))  # from the end of a rule to the first window with enough ink
    shades = ink * 255
    levels, uprights = (
        mask_to_parts(cv2.threshold(cv2.boxFilter(shades, -1, window), 255 * RULE_INK, 1, cv2.THRESH_BINARY)[1])
        for window in ((length, 1), (1, length))
    )
    return levels + np.array([-inset, 0, inset, 0]), uprights + np.array([0, -inset, 0, inset])


def faint_rules(ink: np.ndarray, em: float) -> tuple[Parts, Parts]:
    """Rules of ink as pale as FAINT_RULE, as `ink_to_rules` gives them: thin, and with next to none beside them."""
    levels, uprights = ink_to_rules(ink, em)
    return _thin(levels, ink, em), turned(_thin(turned(uprights), ink.T, em))


def with_faint(rules: Parts, faint: Parts) -> Parts:
    """Rules of one direction and faint ones; of a rule that is also found as a faint one, with its paler pieces, only as that."""
    return np.concatenate([rules[~within_any(rules, faint + RULE_EDGE * np.array([-1, -1, 1, 1]))], faint])


def _thin(levels: Parts, ink: np.ndarray, em: float) -> Parts:
    """The level rules that are long and low, and have little ink above and below."""
    kept = []
    for left, top, right, bottom in levels.tolist():
        across = slice(max(0, left), right)
        beside = [ink[row, across].mean() for row in (top - FAINT_BESIDE, bottom + FAINT_BESIDE - 1) if 0 <= row < len(ink)]
        kept.append(right - left >= RULE * em and bottom - top <= FAINT_HEIGHT * em and max(beside, default=0) < FAINT_AROUND)
    return levels[np.array(kept, bool)]


def ink_without_rules(ink: np.ndarray, levels: Parts, uprights: Parts) -> np.ndarray:
    """A copy of the ink with the rules wiped out, and the blur along their edges with them."""
    text = ink.copy()
    for left, top, right, bottom in np.concatenate([levels, uprights]).tolist():
        text[max(0, top - 1) : max(0, bottom + 1), max(0, left - 1) : max(0, right + 1)] = 0
    return text


def groups_to_runs(groups: Sequence[Parts]) -> list[Run]:
    """A run of each group of parts, its top and bottom judged from the tall ones among its characters, by width, so that a bracket counts
    little.
    """
    if not groups:
        return []
    counts = np.array([len(group) for group in groups])
    parts, owners, starts = np.concatenate(groups), np.arange(len(groups)).repeat(counts), counts.cumsum() - counts
    lefts, rights = np.minimum.reduceat(parts[:, 0], starts), np.maximum.reduceat(parts[:, 2], starts)
    tops, bottoms = _glyphs_to_extents(*_parts_to_glyphs(parts, owners))
    return [Run(*run) for run in zip(groups, lefts.tolist(), tops.tolist(), rights.tolist(), bottoms.tolist(), strict=True)]


def parts_to_glyphs(parts: Parts) -> Parts:
    """Unite the parts of a run that stand above one another (the strokes of 三, an i and its dot), left to right, less underlines."""
    return _parts_to_glyphs(parts, np.zeros(len(parts), int))[0]


def _parts_to_glyphs(parts: Parts, owners: np.ndarray) -> tuple[Parts, np.ndarray]:
    """The glyphs of many runs at once: `owners` are the numbers of the runs, from 0 in ascending order, also of the glyphs."""
    widths, heights = sizes(parts)
    starts = owners.searchsorted(np.arange(owners[-1] + 1))
    underlines = (widths > 6 * heights) & (widths > 1.3 * np.maximum.reduceat(heights, starts)[owners])
    kept = ~(underlines & ~np.logical_and.reduceat(underlines, starts)[owners])
    order = np.lexsort((parts[kept, 0], owners[kept]))
    parts, owners = parts[kept][order], owners[kept][order]
    apart = owners * parts[:, 2].max()  # as if each run stood beside the one before
    begins = np.ones(len(parts), bool)
    begins[1:] = (parts[:, 0] + apart)[1:] >= np.maximum.accumulate(parts[:, 2] + apart)[:-1]
    (starts,) = begins.nonzero()
    return np.concatenate([np.minimum.reduceat(parts[:, :2], starts), np.maximum.reduceat(parts[:, 2:], starts)], axis=1), owners[starts]


def glyphs_to_extent(glyphs: Parts) -> tuple[float, float]:
    """Where most of the tall glyphs begin and end, in pixels from the top of the page; the dots of a leader are left out."""
    (top,), (bottom,) = _glyphs_to_extents(glyphs, np.zeros(len(glyphs), int))
    return float(top), float(bottom)


def _glyphs_to_extents(glyphs: Parts, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The extents of many runs at once, for `owners` see `_parts_to_glyphs`: tops and bottoms, float64 (runs)."""
    widths, heights = sizes(glyphs)
    dots = heights < DOTS * _weighted_quantiles(heights, widths * heights, 0.5, owners)[owners]
    leaders = dots & (np.bincount(owners, widths * dots) > 0.5 * np.bincount(owners, widths))[owners]
    if leaders.any():
        return _glyphs_to_extents(glyphs[~leaders], owners[~leaders])
    stacks = heights > STACK * _weighted_quantiles(heights, widths, 0.5, owners)[owners]
    stacks &= (np.bincount(owners, widths * stacks) < STACKED * np.bincount(owners, widths))[owners]
    if stacks.any():
        return _glyphs_to_extents(glyphs[~stacks], owners[~stacks])
    tall = heights >= 0.75 * _weighted_quantiles(heights, widths, 0.85, owners)[owners]
    glyphs, widths, owners = glyphs[tall], widths[tall], owners[tall]
    return _weighted_quantiles(glyphs[:, 1], widths, 0.2, owners), _weighted_quantiles(glyphs[:, 3], widths, 0.8, owners)


def ends_in_leader(run: Run, em: float) -> bool:
    """Whether a run ends in a row of dots, as leads from a title to its page."""
    last = run.parts[np.argsort(run.parts[:, 0])[-LEADER:]]
    small = (last[:, 2:] - last[:, :2]).max() < DOT * em
    return bool(len(last) == LEADER and small and np.ptp(last[:, 1] + last[:, 3]) < 2 * LEVEL * em)


def within_any(parts: Parts, others: Parts) -> np.ndarray:
    """Which parts lie within the box of any of the others."""
    within = np.zeros(len(parts), bool)
    for left, top, right, bottom in others.tolist():
        within |= (parts[:, 0] >= left) & (parts[:, 1] >= top) & (parts[:, 2] <= right) & (parts[:, 3] <= bottom)
    return within


def linked(near: np.ndarray) -> list[np.ndarray]:
    """The indices of those that hang together, in groups: `near`, bool (N, N), says which do."""
    owners, before = np.arange(len(near)), None
    while before is None or (owners != before).any():
        before, owners = owners, np.minimum(owners, np.where(near, owners, len(near)).min(axis=1, initial=len(near)))
    return [np.flatnonzero(owners == owner) for owner in np.unique(owners)]


def turned(parts: Parts) -> Parts:
    """Parts with the axes of the page exchanged: what is level becomes upright."""
    return parts[:, [1, 0, 3, 2]]


def sizes(parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """Widths and heights of parts, in pixels."""
    return parts[:, 2] - parts[:, 0], parts[:, 3] - parts[:, 1]


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The least value at or below which `share` of the weight lies."""
    return float(_weighted_quantiles(values, weights, share, np.zeros(len(values), int))[0])


def _weighted_quantiles(values: np.ndarray, weights: np.ndarray, share: float, owners: np.ndarray) -> np.ndarray:
    """The weighted quantile of the values of each owner, float64 (owners), for `owners` see `_parts_to_glyphs`."""
    order = np.lexsort((values, owners))
    total = weights[order].cumsum()
    weight = np.bincount(owners, weights)
    places = total.searchsorted(weight.cumsum() - (1 - share) * weight)
    return values[order[places]].astype(float)
