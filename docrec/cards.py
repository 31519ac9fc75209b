"""Boxes side by side on a page, tinted or framed, each read by itself before the next: cards of a slide, a panel at its side."""

from collections.abc import Sequence

import cv2
import numpy as np

from docrec.ink import Parts, linked, sizes, within_any
from docrec.runs import link_parts
from docrec.tables import MAX_RULES, Grid

WIDTH, HEIGHT = 5.0, 2.5  # em; the least sides of a card
FILLED = 0.85  # share of its rectangle that a tint takes; its corners may be round
TINT = 3  # grey levels by which it differs from the paper around
EDGE = 0.2  # em within which a frame is drawn
CORNER = 0.12  # share of a side that is no part of it, as corners may be round
DRAWN = 0.95  # share of the rest that is ink
GAP = 0.4  # em between two cards at least; cells of a table are nearer
LEVEL = 1.0  # em by which they are level, at least
ALIKE = 0.25  # em by which the rules of tables side by side differ, at most
PANEL = 3.0, 0.4  # em that a panel is wide at least, and share of the page's width at most
PANEL_HEIGHT = 0.4  # share of the page's height at least
PANEL_SIDE = 0.12  # share of the page's width from its side at most; a page that was turned has white corners
STRIP, STRIP_HEIGHT = 4.0, 0.6  # em that what stands behind a long rule is wide at most, and share of the text's height of the rule
STRIP_LEVEL = 0.7  # share of its lines that are level with lines beside; more are their numbers


def find_frames(ink: np.ndarray, parts: Parts, em: float) -> Parts:
    """The parts of ink, uint8 (H, W), that are rectangles of rules."""
    widths, heights = sizes(parts)
    large = parts[(widths > WIDTH * em) & (heights > HEIGHT * em)]
    return large[[_is_frame(ink[top:bottom, left:right], max(2, int(EDGE * em))) for left, top, right, bottom in large.tolist()]]


def without_corners(parts: Parts, frames: Parts, em: float) -> Parts:
    """Parts without the round corners of frames, which stay when their sides are wiped out."""
    reach = EDGE * em * np.array([1, 1, -1, -1])
    is_corner = np.zeros(len(parts), bool)
    for frame in frames:
        near = ((parts - frame - reach) * np.array([1, 1, -1, -1])) <= 0
        is_corner |= within_any(parts, frame[None]) & (near[:, 0] | near[:, 2]) & (near[:, 1] | near[:, 3])
    return parts[~is_corner]


def find_cards(tints: Parts, frames: Parts, tables: Sequence[Grid], em: float) -> list[Parts]:
    """Find the rows of cards.

    Args:
        tints, frames: see `find_tints` and `find_frames`.
        tables: ruled ones, whose cells are none.
        em: page em in pixels.

    Returns:
        For each row the boxes of its cards in reading order, int32 (N, 4): left, top, right, bottom in pixels.
    """
    boxes = np.concatenate([tints, frames])
    boxes = boxes[sizes(boxes)[0] > WIDTH * em]
    ruled = [(table.xs[0] - em, table.ys[0] - em, table.xs[-1] + em, table.ys[-1] + em) for table in tables]
    boxes = boxes[~within_any(boxes, np.array(ruled).reshape(-1, 4))]
    lefts, tops, rights, bottoms = boxes.T
    apart = np.maximum(lefts[:, None], lefts) - np.minimum(rights[:, None], rights) > GAP * em
    level = np.minimum(bottoms[:, None], bottoms) - np.maximum(tops[:, None], tops) > LEVEL * em
    beside = apart & level
    holds = ((boxes[:, None] - boxes) * np.array([1, 1, -1, -1]) < em / 2).all(axis=2)
    inner = (np.triu(holds, 1) | holds & ~holds.T) & beside.any(axis=1)[:, None]
    cards = np.flatnonzero(beside.any(axis=1) & ~inner.any(axis=0))
    return [_in_order(boxes[cards[row]]) for row in linked(beside[np.ix_(cards, cards)]) if len(row) > 1]


def _in_order(boxes: Parts) -> Parts:
    """Cards from left to right, those that stand above one another from top to bottom."""
    boxes = boxes[np.argsort(boxes[:, 0], kind="stable")]
    starts = np.flatnonzero(boxes[1:, 0] > np.maximum.accumulate(boxes[:, 2])[:-1]) + 1
    return np.concatenate([column[np.argsort(column[:, 1], kind="stable")] for column in np.split(boxes, starts)])


def find_spans(levels: Parts, uprights: Parts, em: float) -> Parts:
    """Boxes of level rules that begin and end alike, level with others, as those of tables side by side: int32 (N, 4).

    Rules that an upright one meets at an end are of frames.
    """
    if max(len(levels), len(uprights)) > MAX_RULES:
        return levels[:0]
    ends = np.concatenate([levels[:, [0, 1, 0, 3]], levels[:, [2, 1, 2, 3]]])
    met = ((ends[:, None] - uprights) * np.array([1, 1, -1, -1]) > -ALIKE * em).all(axis=2).any(axis=1)
    levels = levels[~met.reshape(2, -1).any(axis=0)]
    alike = abs(levels[:, None, [0, 2]] - levels[:, [0, 2]]).max(axis=2) < ALIKE * em
    groups = [levels[group] for group in linked(alike) if len(group) > 1]
    spans = np.array([[*group[:, :2].min(axis=0), *group[:, 2:].max(axis=0)] for group in groups], np.int32).reshape(-1, 4)
    level = abs(spans[:, None, [1, 3]] - spans[:, [1, 3]]).max(axis=2) < ALIKE * em
    apart = np.maximum(spans[:, None, 0], spans[:, 0]) - np.minimum(spans[:, None, 2], spans[:, 2]) > GAP * em
    return spans[(level & apart).any(axis=1)]


def find_panels(tints: Parts, shape: tuple[int, ...], em: float) -> tuple[list[Parts], Parts]:
    """Find tints along a side of a page, as a slide has for its contents or a curriculum vitae for addresses.

    Args:
        tints: see `find_tints`.
        shape: height and width of the page in pixels.
        em: page em in pixels.

    Returns:
        For each panel its box and that of what is beside it, from left to right, int32 (2, 4): left, top, right, bottom in pixels.
        The tints that are none.
    """
    height, width = shape
    lefts, tops, rights, bottoms = tints.T
    at_left, at_right = lefts < PANEL_SIDE * width, rights > (1 - PANEL_SIDE) * width
    narrow = (rights - lefts > PANEL[0] * em) & (rights - lefts < PANEL[1] * width)
    is_panel = narrow & (bottoms - tops > PANEL_HEIGHT * height) & (at_left | at_right)
    edges = np.where(at_left, rights, lefts)
    pairs = [
        np.array([(0, top, edge, bottom), (edge, top, width, bottom)], np.int32)
        for edge, top, bottom in np.stack([edges, tops, bottoms], axis=1)[is_panel].tolist()
    ]
    return pairs, tints[~is_panel]


def find_strips(parts: Parts, levels: Parts, uprights: Parts, em: float) -> list[Parts]:
    """Find what stands behind a long upright rule along the text, as the names of candidates do behind the sealing line of an exam paper.

    Args:
        parts: of the page's text.
        levels, uprights: its rules.
        em: page em in pixels.

    Returns:
        For each rule the box to its left and that to its right, as `find_panels` does.
    """
    pairs = []
    if len(parts):
        (start, above), (end, below) = parts[:, :2].min(axis=0).tolist(), parts[:, 2:].max(axis=0).tolist()
        for left, top, right, bottom in uprights[sizes(uprights)[1] > STRIP_HEIGHT * (below - above)].tolist():
            beside = (parts[:, 3] > top) & (parts[:, 1] < bottom)
            before, after = beside & (parts[:, 2] <= left), beside & (parts[:, 0] >= right)
            at_left = left - start < end - right
            narrow, wide, ruled = (before, after, levels[:, 0] < left) if at_left else (after, before, levels[:, 2] > right)
            crossed = (beside & ~before & ~after).any() or ruled.any()
            if crossed or not narrow.any() or not wide.any() or min(left - start, end - right) > STRIP * em:
                continue
            rows = [np.array([row.middle for row in link_parts(parts[side], levels[:0], em, core=0.5)]) for side in (narrow, wide)]
            if (abs(rows[0][:, None] - rows[1]).min(axis=1) < em / 4).mean() < STRIP_LEVEL:
                pairs.append(np.array([(start, top, left, bottom), (right, top, end, bottom)], np.int32))
    return pairs


def find_tints(gray: np.ndarray, em: float) -> Parts:
    """Rectangles of one tint on white paper, or white ones on a tint that shows between them; gray is uint8 (H, W), 255 = paper."""
    step = max(1, int(em / 4))
    lightest = cv2.dilate(gray, np.ones((step, step), np.uint8))[step // 2 :: step, step // 2 :: step]
    paper = cv2.morphologyEx(lightest, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    even = (cv2.morphologyEx(paper, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) <= TINT).view(np.uint8)
    found = cv2.connectedComponentsWithStats(even, connectivity=4)[2][1:]
    left, top, width, height, area = found.T
    large = (width * step > PANEL[0] * em) & (height * step > HEIGHT * em) & (area > FILLED * width * height)
    return np.stack([left - 1, top - 1, left + width + 1, top + height + 1], axis=1)[large].astype(np.int32) * step


def _is_frame(crop: np.ndarray, edge: int) -> bool:
    for side in (crop[:edge], crop[-edge:], crop[:, :edge].T, crop[:, -edge:].T):
        drawn = np.max(side, axis=0)
        corner = int(CORNER * len(drawn))
        if drawn[corner : len(drawn) - corner].mean() < DRAWN:
            return False
    return True
