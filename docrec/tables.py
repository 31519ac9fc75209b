"""The cells of a table: between rules that cross, or of short runs that stand in columns."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from docrec.document import Box
from docrec.ink import RULE, Parts, Run, ends_in_leader, linked, mask_to_parts, sizes, turned, within_any
from docrec.runs import paint

Cell = tuple[int, int]
"""Row and column, from 0."""

# Rules, in em.
TOUCH = 0.4  # rules that end so near one another meet
SAME_RULE = 0.5  # rules so near one another are one, as of a double line
AT = 0.6  # sideways, what is left of a frame with an arrow at it begins or ends so near those of a rule;
CORNER = 0.15, 0.3  # up and down so near, if narrow or not
NARROW = 0.3, 0.15  # no wider in em, or times its height,
SPARSE = 0.3  # or no more ink in its box than this share
SIDE = 0.8  # the least side of a cell
TICK = 1.2  # the longest tick mark
DASH, DASH_GAP = (0.3, 0.6), 0.35  # width and height of the dashes of an upright rule, and the gap between them, at most
COVER = 0.6  # share of a cell's side along which a rule runs if it bounds the cell
MAX_RULES = 600  # more of them are a hatch
DRAWING = 6.0  # a lower one is a table of which not all rules were found
OPEN = 0.25  # share of a grid that may lie open upwards or downwards; a drawing of boxes and arrows does

# Tables without rules.
COLUMN_GAP = 0.8  # em; what is white in all rows
APART = 1.5  # em between paragraphs side by side
PAIR_GAP = 3.0  # em; if there are but two columns, and no rules above and below
MIN_ROWS = 3
ROW_GAP = 2.0  # em between rows at most
SHORT = 5.0  # em; a line of a cell that may be full; others are of one length by chance, or as numbers are
LONG = 9.0  # the same where all others of the row are full, too,
REACHING = 6.0  # if it ends so near the next column
NUMBER = 2.5  # em; a second column no wider is of page numbers
LEADERS = 0.4  # share of the rows of a table of contents in which dots lead to a page number


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """A ruled table.

    Attributes:
        xs, ys: where its columns and rows begin and end, in pixels; one more than there are columns and rows.
        cells: int (rows, columns); a cell that spans several rows or columns has its number in all of them.
    """

    xs: np.ndarray
    ys: np.ndarray
    cells: np.ndarray

    @property
    def box(self) -> Box:
        """What the outer rules bound."""
        return Box(float(self.xs[0]), float(self.ys[0]), float(self.xs[-1]), float(self.ys[-1]))

    def holds(self, run: Run) -> bool:
        """Whether the middle of a run is inside."""
        return bool(self.xs[0] < (run.left + run.right) / 2 < self.xs[-1] and self.ys[0] < run.middle < self.ys[-1])

    def cell(self, run: Run) -> Cell:
        """The first row and the first column of the cell in which the middle of a run lies."""
        row = np.searchsorted(self.ys, run.middle) - 1
        column = np.searchsorted(self.xs, (run.left + run.right) / 2) - 1
        rows, columns = np.nonzero(self.cells == self.cells[row, column])
        return int(rows.min()), int(columns.min())


def short_rules(parts: Parts, levels: Parts, uprights: Parts, em: float) -> tuple[Parts, Parts]:
    """Thin level and thin upright parts, left when the rules are wiped out, that lead from one rule to another: sides of small cells."""
    widths, heights = sizes(parts)
    lying = parts[(widths > SIDE * em) & (heights < 0.2 * em)]
    standing = parts[(heights > SIDE * em) & (widths < 0.2 * em)]
    return lying[_lead_across(turned(lying), turned(uprights), em)], standing[_lead_across(standing, levels, em)]


def dashed_rules(parts: Parts, shape: tuple[int, ...], em: float) -> tuple[Parts, Parts, Parts]:
    """Rules of short dashes or dots on a page of this shape: level ones, if they meet upright ones, as leaders do not, and upright ones.

    The third are the parts that are of none of them.
    """
    uprights = _dashed_uprights(parts, shape, em)
    if not len(uprights):
        return uprights, uprights, parts
    levels = turned(_dashed_uprights(turned(parts), shape[::-1], em))
    levels = levels[(_between(uprights, levels, em) & _between(turned(levels), turned(uprights), em).T).any(axis=0)]
    middles = (parts[:, :2] + parts[:, 2:]) / 2
    of_rules = within_any(np.hstack([middles + 2, middles - 2]), np.concatenate([levels, uprights]))
    dashes = (np.maximum(*sizes(parts)) < em) & of_rules
    return levels, uprights, parts[~dashes]


def _dashed_uprights(parts: Parts, shape: tuple[int, ...], em: float) -> Parts:
    """Upright rules of dashes, each as long as to meet those level with its ends."""
    widths, heights = sizes(parts)
    dashes = parts[(widths < DASH[0] * em) & (heights < DASH[1] * em)]
    inked = np.bincount((dashes[:, 0] / (em / 4)).astype(int), dashes[:, 3] - dashes[:, 1])
    if (inked + np.r_[inked[1:], 0]).max(initial=0) < RULE / 3 * em:  # no strip of half an em has ink enough for a rule
        return parts[:0]
    gap = np.ones((max(2, round(DASH_GAP * em)), 1), np.uint8)
    joined = mask_to_parts(cv2.morphologyEx(paint(dashes - (0, 0, 1, 1), np.zeros(shape, np.uint8)), cv2.MORPH_CLOSE, gap))
    rules = joined[(sizes(joined)[0] < DASH[1] * em) & (sizes(joined)[1] > RULE * em)]
    return rules + (np.array([0, -DASH_GAP, 0, DASH_GAP]) * em).astype(int)


def low_frames(parts: Parts, levels: Parts, ink: np.ndarray, em: float) -> tuple[Parts, Parts]:
    """What is left of low frames when their level sides are wiped out, and the arrows that link them: edges, and the parts that are none.

    A corner of such a part above and one below are where a level rule ends. It is narrow, or has little ink, as it has wide round corners.

    Returns:
        The left and right edges of what is left, upright rules; the other parts.
    """
    widths, heights = sizes(parts)
    ends, middles = np.concatenate([levels[:, 0], levels[:, 2]]), np.tile((levels[:, 1] + levels[:, 3]) / 2, 2)
    rows = np.unique(middles)
    at_rules = heights > SIDE * em
    for side in (1, 3):
        at_rules &= rows.searchsorted(parts[:, side] - CORNER[1] * em) < rows.searchsorted(parts[:, side] + CORNER[1] * em)
    tall = np.flatnonzero(at_rules)
    lefts, tops, rights, bottoms = (np.abs(parts[tall, side, None] - (middles if side % 2 else ends)) for side in range(4))
    narrow = widths[tall] < np.maximum(NARROW[0] * em, NARROW[1] * heights[tall])
    beside, reach = np.minimum(lefts, rights) < AT * em, np.where(narrow, *CORNER)[:, None] * em
    meets = (beside & (tops < reach)).any(axis=1) & (beside & (bottoms < reach)).any(axis=1)
    sides = [
        index for index, is_side in zip(tall[meets].tolist(), narrow[meets], strict=True) if is_side or _ink_of(ink, parts[index]) < SPARSE
    ]
    edges = np.concatenate([parts[sides][:, [side, 1, side, 3]] for side in (0, 2)])
    half = int(TOUCH * em)  # of a side is the other where an arrow meets it, at most so far off
    return edges + np.array([0, -half, 0, half]), np.delete(parts, sides, axis=0)


def _ink_of(ink: np.ndarray, part: np.ndarray) -> float:
    left, top, right, bottom = part.tolist()
    return float(ink[top:bottom, left:right].mean())


def _lead_across(standing: Parts, levels: Parts, em: float) -> np.ndarray:
    """Which of the upright parts have a level rule at both ends."""
    if not len(levels):
        return np.zeros(len(standing), bool)
    across = _between(standing, levels, em)
    height = (levels[:, 1] + levels[:, 3]) / 2
    above, below = (abs(standing[:, end, None] - height) < TOUCH * em for end in (1, 3))
    return (across & above).any(axis=1) & (across & below).any(axis=1)


def _between(standing: Parts, levels: Parts, em: float) -> np.ndarray:
    """Of which level rules the extent holds each upright one, bool (uprights, levels)."""
    middle = (standing[:, 0, None] + standing[:, 2, None]) / 2
    return (levels[:, 0] - TOUCH * em < middle) & (middle < levels[:, 2] + TOUCH * em)


def without_ticks(parts: Parts, uprights: Parts, em: float) -> Parts:
    """The parts that are no tick marks: short dashes with an end at an upright rule."""
    widths, heights = sizes(parts)
    dashes = np.flatnonzero((heights < 0.2 * em) & (widths < TICK * em))
    middles = (parts[dashes, 1, None] + parts[dashes, 3, None]) / 2
    level = (middles > uprights[:, 1]) & (middles < uprights[:, 3])
    gaps = np.maximum(parts[dashes, 0, None], uprights[:, 0]) - np.minimum(parts[dashes, 2, None], uprights[:, 2])
    return np.delete(parts, dashes[(level & (gaps < 0.15 * em)).any(axis=1)], axis=0)


def rules_to_grids(levels: Parts, uprights: Parts, em: float) -> tuple[list[Grid], Parts]:
    """The tables that level and upright rules make where they meet, and the boxes of what else they make but frames: charts, diagrams."""
    drawings = [levels[:0]]
    if not len(levels) or not len(uprights) or max(len(levels), len(uprights)) > MAX_RULES:
        return [], drawings[0]
    meet = _between(uprights, levels, em) & _between(turned(levels), turned(uprights), em).T
    grids = []
    share_levels = (meet.astype(np.float32) @ meet.T) > 0
    for standing in linked(share_levels):
        lying = meet[standing].any(axis=0)
        if not lying.any():
            continue
        if grid := _rules_to_grid(levels[lying], uprights[standing], em):
            grids.append(grid)
        elif len(standing) != 2:  # two are the sides of a frame
            rules = np.concatenate([levels[lying], uprights[standing]])
            box = np.r_[rules[:, :2].min(axis=0), rules[:, 2:].max(axis=0)]
            drawings += [box[None]] if box[3] - box[1] > DRAWING * em else []
    return grids, np.concatenate(drawings)


def _rules_to_grid(levels: Parts, uprights: Parts, em: float) -> Grid | None:
    """The grid of rules that hang together; None if it is but a frame, or a drawing."""
    ys, xs = _places(turned(levels), em), _places(uprights, em)
    left, right = levels[:, 0].min(), levels[:, 2].max()
    xs = np.r_[[left] if left < xs[0] - SIDE * em else [], xs, [right] if right > xs[-1] + SIDE * em else []]
    tops, bottoms = uprights[:, 1], uprights[:, 3]
    above, below = (len(xs) > 2 and _end_level(ends, out, em) for ends, out in ((tops, ys[0] - tops), (bottoms, bottoms - ys[-1])))
    ys = np.r_[[tops.min()] if above else [], ys, [bottoms.max()] if below else []]
    rows, columns = len(ys) - 1, len(xs) - 1
    if rows < 1 or columns < 2:
        return None
    walls = np.zeros((2 * rows + 1, 2 * columns + 1), np.uint8)
    walls[:, 1::2] |= _walls(turned(levels), ys, xs)
    walls[1::2] |= _walls(uprights, xs, ys).T
    walls[:, [0, -1]] |= 1  # a table may be open to the sides
    walls[0] |= above
    walls[-1] |= below
    walls[::2, ::2] = 1
    labels = cv2.connectedComponents(1 - np.pad(walls, ((1, 1), (0, 0))), connectivity=4)[1]
    cells = labels[2:-1:2, 1::2]
    outside = np.isin(cells, (labels[0, 0], labels[-1, 0]))
    return None if outside.mean() > OPEN or len(np.unique(cells)) < 2 else Grid(xs, ys, cells)


def _end_level(ends: np.ndarray, out: np.ndarray, em: float) -> bool:
    """Whether upright rules end level, beyond the outermost level rule, as where a row lies below a tinted one without a rule between."""
    return bool(np.ptp(ends) < SAME_RULE * em and out.min() > em)


def _places(rules: Parts, em: float) -> np.ndarray:
    """Where upright rules stand, those close together as one."""
    middles = np.sort((rules[:, 0] + rules[:, 2]) / 2)
    starts = np.flatnonzero(np.r_[True, np.diff(middles) > SAME_RULE * em])
    return np.array([group.mean() for group in np.split(middles, starts[1:])])


def _walls(rules: Parts, places: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Which sides of the elementary cells upright rules run along, uint8 (2 * places - 1, steps - 1), those between places left 0."""
    walls = np.zeros((2 * len(places) - 1, len(steps) - 1), np.uint8)
    nearest = abs((rules[:, 0] + rules[:, 2]) / 2 - places[:, None]).argmin(axis=0)
    for place, (_, top, _, bottom) in zip(nearest.tolist(), rules.tolist(), strict=True):
        covered = np.minimum(steps[1:], bottom) - np.maximum(steps[:-1], top)
        walls[2 * place] |= (covered > COVER * np.diff(steps)).astype(np.uint8)
    return walls


def rows_to_tables(rows: Sequence[Sequence[Run]], levels: Parts, em: float, paragraphs: bool = True) -> list[tuple[range, dict[Run, Cell]]]:
    """Tables without upright rules: rows of runs that leave the same strips white.

    Args:
        rows: runs that stand side by side, each row from left to right, row after row.
        levels: level rules; two columns near one another must have some.
        em: page em in pixels.
        paragraphs: whether a row of paragraphs side by side is a table.

    Returns:
        For each table which rows it takes, and the cells of the runs in them.
    """
    tables = []
    start = 0
    while start < len(rows):
        stop, columns = start, np.empty(0)
        while stop < len(rows) and (stop == start or _alike(rows[stop - 1], rows[stop], em)):
            wider = _columns(rows[start : stop + 1], em)
            if len(wider) < max(1, min(2, len(columns))):
                break
            stop, columns = stop + 1, wider
        ruled_off = _ruled_off(rows[start:stop], len(columns), levels, em)
        while stop > start and len(rows[stop - 1]) == 1 and _column(rows[stop - 1][0], columns) == 0 and ruled_off[stop - 1 - start]:
            stop -= 1
        stop = start + _rows_above_last_rule(rows[start:stop], levels, em)
        columns = _columns(rows[start:stop], em)
        cells = _rows_to_cells(rows[start:stop], columns, _ruled_off(rows[start:stop], len(columns), levels, em), em, paragraphs)
        if stop - start > 1 and len(rows[start]) > 1 and _is_table(rows[start:stop], cells, levels, em):
            tables.append((range(start, stop), cells))
            start = stop
        else:
            start += 1
    return tables


def with_whole_rows(rows: Sequence[list[Run]]) -> list[list[Run]]:
    """Rows in which cells of two lines, set in the middle of a row whose other cells have one, are not three rows."""
    whole: list[list[Run]] = []
    for row in rows:
        if len(whole) > 1 and len(whole[-1]) > 1 and _are_halves(whole[-2], whole[-1], row):
            first, middle = whole.pop(-2), whole.pop()
            row = sorted([*first, *middle, *row], key=lambda run: run.left)
        whole.append(row)
    return whole


def _are_halves(first: Sequence[Run], middle: Sequence[Run], last: Sequence[Run]) -> bool:
    """Whether the runs of two rows are the upper and lower lines of cells beside those of the row between, level with parts of these."""
    beside = all(run.right < other.left or other.right < run.left for run in (*first, *last) for other in middle)
    level = max(run.bottom for run in first) > min(run.top for run in middle)
    level &= min(run.top for run in last) < max(run.bottom for run in middle)
    above = all(run.left < other.right and other.left < run.right for run, other in zip(first, last, strict=False))
    return len(first) == len(last) and beside and level and above


def _alike(above: Sequence[Run], below: Sequence[Run], em: float) -> bool:
    """Whether a row may be the next one of a table: near and of the same type size."""
    sizes_of = [max(run.height for run in row) for row in (above, below)]
    gap = min(run.top for run in below) - max(run.bottom for run in above)
    return gap < ROW_GAP * em and max(sizes_of) < 1.8 * min(sizes_of)


def _columns(rows: Sequence[Sequence[Run]], em: float) -> np.ndarray:
    """Where columns begin to the right of a strip that is white in all rows, but the first one, in pixels."""
    runs = sorted((run for row in rows for run in row), key=lambda run: run.left)
    lefts = np.array([run.left for run in runs])
    reached = np.maximum.accumulate([run.right for run in runs])
    return lefts[1:][lefts[1:] - reached[:-1] > COLUMN_GAP * em]


def _column(run: Run, columns: np.ndarray) -> int:
    return int(np.searchsorted(columns, run.left, side="right"))


def _is_table(rows: Sequence[Sequence[Run]], cells: Mapping[Run, Cell], levels: Parts, em: float) -> bool:
    """Whether rows with common white strips are a table rather than a list, an index or chance."""
    number, columns = (1 + max(places) for places in zip(*cells.values(), strict=True))
    gaps = [b.left - a.right for row in rows for a, b in pairwise(row) if cells[a] != cells[b]]
    if number == 1 and len(rows) > 1:  # paragraphs side by side, not commas below one another
        return len({cells[run] for run in rows[1]}) == columns and min(gaps) > APART * em
    filled = Counter(column for _, column in set(cells.values()))
    full = sum(count > 1 for count in Counter(row for row, _ in set(cells.values())).values())
    if np.mean([any(ends_in_leader(run, em) for run in row) for row in rows]) > LEADERS:
        return False
    places = _rules_across(rows, levels, em)
    ruled = len(places) > 1 and places[0] < rows[0][0].top + em / 2 and places[-1] > rows[-1][0].bottom - em / 2
    labelled = columns > 2 and filled[0] > 1  # by cells that stand before several rows each
    least = min(filled[column] for column in range(labelled, columns))
    if full < (2 if ruled else MIN_ROWS) or full < 0.8 * number or least < number / 2:
        return False
    if ruled or columns > 2:
        return True
    last = [row[-1].width for row in rows if len(row) > 1]
    return min(gaps) > PAIR_GAP * em and max(last) > NUMBER * em


def _rules_across(rows: Sequence[Sequence[Run]], levels: Parts, em: float) -> np.ndarray:
    """Where on the page level rules run across rows, above, between or below them, in pixels."""
    left, right = min(row[0].left for row in rows), max(row[-1].right for row in rows)
    top, bottom = rows[0][0].top - 3 * em, rows[-1][0].bottom + 3 * em
    across = (levels[:, 0] < left + em) & (levels[:, 2] > right - em) & (levels[:, 1] > top) & (levels[:, 3] < bottom)
    return _places(turned(levels[across]), em) if across.any() else np.empty(0)


def _rows_above_last_rule(rows: Sequence[Sequence[Run]], levels: Parts, em: float) -> int:
    """How many rows stand above the last of several rules across them, if that are most: it ends the table; or else all."""
    places = _rules_across(rows, levels, em) if rows else np.empty(0)
    above = sum(row[0].middle < places[-1] for row in rows) if len(places) > 2 else 0
    return above if above > len(rows) / 2 else len(rows)


def _ruled_off(rows: Sequence[Sequence[Run]], gaps: int, levels: Parts, em: float) -> np.ndarray:
    """Which rows have a rule above them, bool, if rules part all rows of a table, as none but the first below a rule is full; else all."""
    places = _rules_across(rows, levels, em) if rows else np.empty(0)
    above = np.diff(np.searchsorted(places, [row[0].middle for row in rows]), prepend=-1) > 0
    partial = all(is_first or len(row) <= gaps for row, is_first in zip(rows, above, strict=True))
    return above if above.sum() >= MIN_ROWS and partial else np.ones(len(rows), bool)


def _rows_to_cells(
    rows: Sequence[Sequence[Run]], columns: np.ndarray, ruled_off: np.ndarray, em: float, paragraphs: bool
) -> dict[Run, Cell]:
    """Number the cells; a row goes on with the one before if it holds but the rest of cells whose lines before are full.

    The first cell goes on only below a long line, as of captions side by side, for short ones may be equally long by chance; or if the row
    is not `ruled_off` from that before, see `_ruled_off`.
    """
    ends = [
        max((run.right for row in rows for run in row if _column(run, columns) == column), default=0) for column in range(len(columns) + 1)
    ]
    cells: dict[Run, Cell] = {}
    above: dict[int, Run] = {}
    number = -1
    for row, is_ruled_off in zip(rows, ruled_off, strict=True):
        places = [_column(run, columns) for run in row]
        shortest = (SHORT if 0 not in places else 0.0 if not is_ruled_off else LONG if paragraphs else math.inf) * em
        near = (columns[place] - ends[place] < REACHING * em for place in places if place < len(columns))
        reaching = 0 not in places or not is_ruled_off or all(near)
        full = (place in above and above[place].right > ends[place] - 2 * em and above[place].width > shortest for place in places)
        goes_on = reaching and all(full)
        number += not goes_on
        cells |= {run: (number, place) for run, place in zip(row, places, strict=True)}
        above = dict(zip(places, row, strict=True))
    return cells
