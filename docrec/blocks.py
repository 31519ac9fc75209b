"""What the lines of a page are and in which order they are read."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from statistics import median_low

import numpy as np

from docrec.ink import Parts, Run, linked, sizes, weighted_quantile
from docrec.runs import LINE_GAP, gap_between, join_runs
from docrec.tables import MAX_RULES, Cell, Grid, rows_to_tables, with_whole_rows

# Columns, in em.
GUTTER = 0.9  # the least gap between two columns of text
COLUMN = 8.0  # the least width of one
PIECE = 5.0  # the median width of what stands in it without a wide gap
COLUMN_ROWS = 3
WIDE_GUTTER = 2.5  # beside a narrower one twice as many rows are asked for: commas in a few lines stand below one another by chance
ROW = 1.2  # lines of columns side by side are taken for one row if they stand in the same strip so high
FILLED = 0.5  # share of a column's width that its lines take, at the median
FULL, MANY = 0.6, 10  # or, of so many rows or of lists, that those take in which half of the text stands, as in an exam paper
JUSTIFIED, EVEN_ENDS = 10.0, 0.25  # em; lines of running text are so wide at the median, and end so level, even where few are
A_MARK = 0.1  # of it that a row takes, or less, is but a mark, as a bracket that a blank parts from its line
FEW_FILLED = 0.75  # of few lines; else they are rows, as those that two parties sign
LISTED = 0.5  # part of what is asked of these widths where columns are lists, such as an index: a wide gutter between
LIST_ROWS = 10  # as many rows at least
FEW_ROWS, CLOSE = 4, 2.5  # or half as many, so many em from one to the next at the median, and half as many level
BULLET, HANG = 0.62, 0.25  # em; the largest bullet, and the least gap between the mark of an item and its text
LINE_APART = 1.2, 2.0  # em between columns and a line that is of neither, above and below them
HEAD = 1.2  # em that the title of several columns is high at least;
HEAD_GAPS = 10.0, 2.5  # em from it to those above and below, at most
RULE_GAP = 1.5  # em between two rules that may be one
NO_COLUMN = 0.3  # narrower is no column of characters, as the edge of a shadow,
MARKS = 1.5  # nor are the marks of lists
STRAY = 0.05  # of the lines may stand beside them, as a running head does
LEVEL = 0.7  # of which fewer than this share are level with one of the other column, as the rows of a table are

LABEL = 0.6  # of the width of a figure that what is written in it is wide at most
CROWDED = 0.3  # of its area that this takes

STROKE = 0.3  # times as high as what stands beside, a run is but a stroke
LARGER = 1.4  # times as high as the lines to its right, a title is read before them all

# Headers and footers.
MARGIN = 0.1  # share of the page's height in which they stand
APART = 1.2  # em between them and the text
RULED = 0.5  # share of the width of the text that a rule between takes; such a header may stand nearer
FULL_ROW = 0.75  # share of that width that its pieces take at most, if no rule is there
SMALL = 1.2  # em that it is high at most, as titles are higher,
SPREAD = (0.5, 1.6)  # unless so much of the width of the text lies between its pieces, as they stand at the ends of a row: then so many em


@dataclass(frozen=True, slots=True, eq=False)
class Draft:
    """A block to be.

    Attributes:
        kind: of document.KINDS; a "text" may hold all else that running text is made of.
        lines: in reading order.
        cells: of the lines that stand in a table.
        foot: whether it ends its column.
    """

    kind: str
    lines: list[Run]
    cells: dict[Run, Cell] = field(default_factory=dict)
    foot: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What stands on a page beside its text.

    Attributes:
        levels, uprights: rules.
        grids: tables that they make.
        figures: boxes of drawings and photographs.
        cards: rows of boxes that are read one after another.
        em: of the page, in pixels.
        ends: where the page begins and ends, in pixels from the top.
        layout: what is known of the page, one of options.LAYOUTS.
    """

    levels: Parts
    uprights: Parts
    grids: Sequence[Grid]
    figures: Parts
    cards: Sequence[Parts]
    em: float
    ends: tuple[float, float]
    layout: str


def runs_to_drafts(runs: list[Run], sheet: Sheet) -> list[Draft]:
    """Gather the runs of a page, but for notes in its margins, into blocks in reading order; all running text of a column is one."""
    whole: dict[Run, list[Draft]] = {}
    for grid in sheet.grids:
        if table := _grid_to_draft(grid, [run for run in runs if grid.holds(run)], sheet):
            runs = [run for run in runs if not grid.holds(run)]
            whole[_extent(table.lines)] = [table]
    for figure in sheet.figures.tolist():
        inside = [run for run in runs if within(run, figure)]
        if inside and _are_labels(inside, figure):
            runs = [run for run in runs if not within(run, figure)]
            whole[_extent(inside)] = [Draft("figure", runs_to_lines(inside, sheet))]
    for cards in sheet.cards:
        in_cards = [[run for run in (*runs, *whole) if within(run, card)] for card in cards.tolist()]
        taken = set(chain(*in_cards))
        if _are_cards(cards, in_cards, sheet) and not any(_is_among(run, cards) for run in (*runs, *whole) if run not in taken):
            columns = [column for inside in in_cards for column in runs_to_columns(inside, sheet)]
            drafts = [replace(draft, foot=False) for column in columns for draft in _column_to_drafts(column, whole, sheet)]
            runs, whole = [run for run in runs if run not in taken], {run: some for run, some in whole.items() if run not in taken}
            whole[_extent(taken)] = drafts
    header, runs = _split_margin(runs, [*whole], sheet, -1)
    footer, runs = _split_margin(runs, [*whole], sheet, 1)
    drafts = [Draft("header", header)] if header else []
    for column in runs_to_columns([*runs, *whole], sheet):
        drafts += _column_to_drafts(column, whole, sheet)
    return drafts + ([Draft("footer", footer)] if footer else [])


def _are_labels(runs: Sequence[Run], figure: Sequence[int]) -> bool:
    """Whether runs label a figure, rather than fill a box of rules as the text of an article does."""
    left, top, right, bottom = figure
    covered = sum(run.width * run.height for run in runs)
    return max(run.width for run in runs) < LABEL * (right - left) and covered < CROWDED * (right - left) * (bottom - top)


def _extent(runs: Iterable[Run]) -> Run:
    """A run of the extent of some, to stand for them among others."""
    left, top, right, bottom = np.array([(run.left, run.top, run.right, run.bottom) for run in runs]).T
    box = int(left.min()), float(top.min()), int(right.max()), float(bottom.max())
    return Run(np.array([box], np.int32), *box)


def _are_cards(cards: Parts, in_cards: Sequence[Sequence[Run]], sheet: Sheet) -> bool:
    """Whether what stands in boxes is text within each, in some of several lines."""
    boxes = zip(cards.tolist(), in_cards, strict=True)
    inside = all(box[0] <= run.left and run.right <= box[2] for box, runs in boxes for run in runs)
    return inside and sum(map(bool, in_cards)) > 1 and any(len(runs_to_lines([*runs], sheet)) > 1 for runs in in_cards)


def _is_among(run: Run, cards: Parts) -> bool:
    """Whether a run that is in none of them stands above or below one of the boxes and beside others, as the text of columns does."""
    is_level = cards[:, 1].min() < run.middle < cards[:, 3].max()
    return bool(is_level and ((cards[:, 0] < run.right) & (run.left < cards[:, 2])).any())


def within(run: Run, box: Sequence[float]) -> bool:
    """Whether the middle of a run is inside a box: left, top, right, bottom."""
    return bool(box[0] < (run.left + run.right) / 2 < box[2] and box[1] < run.middle < box[3])


def _grid_to_draft(grid: Grid, runs: list[Run], sheet: Sheet) -> Draft | None:
    """The table in a grid; None if its text is all in one column, as in a frame."""
    cells = {run: grid.cell(run) for run in runs}
    return _cells_to_draft(cells, sheet) if len({column for _, column in cells.values()}) > 1 else None


def runs_to_columns(runs: list[Run], sheet: Sheet) -> list[list[Run]]:
    """Cut a page into regions, each of one column, in reading order.

    A gutter is a white strip with text on both sides; whatever crosses it, text or rule, bounds the zone in which the left column is read
    before the right one (an XY cut, Nagy and Seth, 1984, with the crossing lines let through).
    """
    gutter = _find_gutter(runs, sheet) if sheet.layout in ("auto", "columns") else None
    if gutter is None:
        return [runs] if runs else []
    edge, top, bottom = gutter
    above, below = [run for run in runs if run.middle < top], [run for run in runs if run.middle > bottom]
    zone = [run for run in runs if top <= run.middle <= bottom]
    sides = [run for run in zone if run.left < edge], [run for run in zone if run.left >= edge]
    if first := _line_apart(sides[1], sides[0], sheet, 0):
        above, sides = [*above, *first], (sides[0], [run for run in sides[1] if run not in first])
    if last := _line_apart(sides[0], sides[1], sheet, -1):
        sides, below = ([run for run in sides[0] if run not in last], sides[1]), [*last, *below]
    return [column for part in (above, *sides, below) for column in runs_to_columns(part, sheet)]


def _find_gutter(runs: list[Run], sheet: Sheet) -> tuple[float, float, float] | None:
    """Where the gutter with the most text about it ends on the right, and from where to where on the page it reaches; None without one."""
    em, levels, demand = sheet.em, sheet.levels, _demand(sheet)
    if len(runs) < 4:
        return None
    runs = sorted(runs, key=lambda run: run.middle)
    lefts, rights, tops, bottoms, middles = (
        np.array([getattr(run, name) for run in runs]) for name in ("left", "right", "top", "bottom", "middle")
    )
    across = _in_line(levels, em)
    heads = _find_heads(lefts, tops, rights, bottoms, em)
    best, gutter = 0.0, None
    ends = np.concatenate([rights, levels[:, 2]])
    for edge in np.unique(np.ceil(ends / (em / 4)) * (em / 4)).tolist():
        end = edge + (GUTTER - 0.25) * em
        crossing = (lefts < end) & (rights > edge)
        rules = (across[:, 0] < edge - em) & (across[:, 2] > end + em)
        cuts = np.sort(np.r_[middles[crossing], heads, across[rules][:, 1], -np.inf, np.inf])
        counts = np.diff(np.searchsorted(middles, cuts, side="right"))
        for place in np.flatnonzero(counts >= 2 * COLUMN_ROWS * demand):
            inside = ~crossing & (middles > cuts[place]) & (middles < cuts[place + 1])
            before, after = inside & (rights <= edge), inside & (lefts >= end)
            text = (rights - lefts)[inside].sum()
            if text <= best or not before.any() or not after.any():
                continue
            sides = [(lefts[side], rights[side], middles[side]) for side in (before, after)]
            shared = min(bottoms[before].max(), bottoms[after].max()) - max(tops[before].min(), tops[after].min())
            if shared <= 2 * em or not all(_is_column(*side, demand * COLUMN_ROWS, LISTED, sheet) for side in sides):
                continue
            wide = lefts[after].min() - rights[before].max() > WIDE_GUTTER * em
            few = min(before.sum(), after.sum()) < MANY
            bulleted = few and _are_bulleted([[runs[index] for index in np.flatnonzero(side)] for side in (before, after)], em)
            justified = few and all(_are_justified(*side, em) for side in sides)
            rows = demand * (COLUMN_ROWS if wide or bulleted or justified else 2 * COLUMN_ROWS)
            full = LISTED if bulleted or wide and _are_lists(middles[before], middles[after], em) else 1.0
            if all(_is_column(*side, rows, full, sheet) for side in sides) and not _are_ends_of_rows(middles[before], middles[after], em):
                best, gutter = text, (end, float(tops[inside].min()), float(bottoms[inside].max()))
    return gutter


def _find_heads(lefts: np.ndarray, tops: np.ndarray, rights: np.ndarray, bottoms: np.ndarray, em: float) -> list[float]:
    """Where new columns begin although none of the runs is across all: the middle of a title, the top of a row of titles.

    A title of several columns, however short, is alone in its row; columns end above and begin anew below, all level. Titles in a row, as
    of articles side by side, have columns of different lengths above them.
    """
    heads = []
    for index in np.flatnonzero(bottoms - tops > HEAD * em).tolist():
        top, bottom = tops[index], bottoms[index]
        below = np.flatnonzero(tops > bottom)
        titles = np.flatnonzero((tops < bottom) & (bottoms > top))
        if not len(below) or (first := tops[below].min()) > bottom + HEAD_GAPS[1] * em:
            continue
        row = below[tops[below] < first + em / 4]
        row = row[np.argsort(lefts[row])]
        columns = row[(rights - lefts)[row] > PIECE * em]
        apart = lefts[columns[1:]] - rights[columns[:-1]] > (GUTTER - 0.25) * em
        ended = (bottoms < top) & (bottoms > top - HEAD_GAPS[0] * em)
        over = (lefts[ended] < rights[columns, None]) & (rights[ended] > lefts[columns, None])
        if len(columns) < 2 or not apart.all() or not over.any():
            continue
        if len(titles) == 1:
            heads += [float(top + bottom) / 2] if len(columns) == len(row) and over.any(axis=1).all() else []
        elif max(abs(tops[titles] - top).max(), abs(bottoms[titles] - bottom).max()) < em / 4:
            ends = np.where(over, bottoms[ended], 0).max(axis=1)
            heads += [float(top) - em / 4] if top - ends.max() > HEAD * em and np.ptp(ends) > em else []
    return heads


def _line_apart(column: list[Run], other: list[Run], sheet: Sheet, end: int) -> list[Run]:
    """The line at one end of a column, the first (0) or last (-1), if it is that of the page: well above or below all of both columns.

    A line beside which an upright rule goes on below or above, as the side of a frame, is no such.
    """
    line, rest = (rows := _runs_to_rows(column)).pop(end), [*other, *chain(*rows)]
    if end:
        top, bottom = max(run.bottom for run in rest), min(run.top for run in line)
    else:
        top, bottom = max(run.bottom for run in line), min(run.top for run in rest)
    left, right = min(run.left for run in column) - 2 * sheet.em, max(run.right for run in column) + 2 * sheet.em
    lefts, tops, rights, bottoms = sheet.uprights.T
    framed = ((lefts > left) & (rights < right) & (tops < top) & (bottoms > bottom)).any()
    return line if bottom - top > LINE_APART[end] * sheet.em and not framed else []


def _in_line(levels: Parts, em: float) -> Parts:
    """Level rules, those that go on in one line after a gap, as below articles side by side, as one."""
    if len(levels) > MAX_RULES:
        return levels
    gaps = np.maximum(levels[:, None, 0], levels[:, 0]) - np.minimum(levels[:, None, 2], levels[:, 2])
    near = (abs(levels[:, None, [1, 3]] - levels[:, [1, 3]]).max(axis=2) <= 2) & (gaps < RULE_GAP * em)
    groups = [levels[indices] for indices in linked(near)]
    return np.array([[*group[:, :2].min(axis=0), *group[:, 2:].max(axis=0)] for group in groups], np.int32).reshape(-1, 4)


def _are_lists(before: np.ndarray, after: np.ndarray, em: float) -> bool:
    """Whether two columns, of which these are the middles of the lines, may be lists of short lines rather than those of a table.

    Few lines, such as the entries beside the text of a web page, must stand close.
    """
    few, many = sorted((before, after), key=len)
    apart = np.abs(few[:, None] - many).min(axis=1)
    level, nearly = (apart < em / 8).mean(), (apart < em / 4).mean()  # as the middles of letters and of Hanzi are
    if len(few) >= LIST_ROWS and level < LEVEL:
        return True
    return bool(len(few) >= FEW_ROWS and level < LEVEL / 2 and nearly < LEVEL and np.median(np.diff(few)) < CLOSE * em)


def _are_justified(lefts: np.ndarray, rights: np.ndarray, middles: np.ndarray, em: float) -> bool:
    """Whether lines are as wide as running text has them and all but the last end level, as the cells of a table do not."""
    order = np.argsort(middles)
    rows = np.split(order, np.flatnonzero(np.diff(middles[order]) > em / 2) + 1)
    ends = [rights[row].max() for row in rows[:-1]]
    widths = [rights[row].max() - lefts[row].min() for row in rows]
    return len(ends) > 1 and np.median(widths) > JUSTIFIED * em and max(ends) - min(ends) < EVEN_ENDS * em


def _are_bulleted(columns: Sequence[Sequence[Run]], em: float) -> bool:
    """Whether columns are lists of items, each behind a mark, and further lines below its text; the marks of one, at least, are bullets."""
    bulleted = False
    for column in columns:
        rows = _largest_part([np.concatenate([run.glyphs for run in row]) for row in _runs_to_rows(column)], em)
        edge = min(row[0, 0] for row in rows) + em / 4
        marked = [row[0, 0] < edge and len(row) > 1 and row[1, 0] - row[0, 2] > HANG * em for row in rows]
        rows = rows[marked.index(True) :] if any(marked) else []  # below a heading
        items = [row for row in rows if row[0, 0] < edge]
        if len(items) < 2 or sum(marked) < len(items):
            return False
        indent = median_low([int(row[1, 0]) for row in items])
        if any(abs(row[0, 0] - indent) > em / 2 for row in rows if row[0, 0] >= edge):
            return False
        bulleted |= all(max(row[0, 2] - row[0, 0], row[0, 3] - row[0, 1]) < BULLET * em for row in items)
    return bulleted


def _largest_part(rows: Sequence[Parts], em: float) -> Sequence[Parts]:
    """The most rows of glyphs of a column, from top to bottom, that stand close."""
    feet = [int(row[:, 3].max()) for row in rows]
    starts = [0, *(index for index, (above, foot) in enumerate(pairwise(feet), 1) if foot - above > CLOSE * em), len(rows)]
    return max((rows[start:stop] for start, stop in pairwise(starts)), key=len)


def _are_ends_of_rows(before: np.ndarray, after: np.ndarray, em: float) -> bool:
    """Whether one of two columns, of which these are the middles of the lines, holds but the ends of rows of the other, as fourth options.

    They stand far from one another, level with lines of the other, which has more of them between.
    """
    before, after = (np.sort(middles) for middles in (before, after))
    few, many = sorted((middles[np.diff(middles, prepend=-np.inf) > em / 2] for middles in (before, after)), key=len)
    level = (np.abs(few[:, None] - many).min(axis=1) < em / 8).mean()
    more = np.diff(np.searchsorted(many, np.stack([few[:-1] + em / 2, few[1:] - em / 2])), axis=0) > 0
    return bool(level > LEVEL and len(few) > 1 and np.median(np.diff(few)) > CLOSE * em and more.mean() > 0.5)


def _is_column(lefts: np.ndarray, rights: np.ndarray, middles: np.ndarray, least: float, full: float, sheet: Sheet) -> bool:
    """Whether runs make columns of text, of so many rows at least that fill most of their width, not of many short pieces.

    For less than full lines, `full` is the part of the usual widths that is asked for.
    """
    demand, em = _demand(sheet), sheet.em
    order = np.argsort(lefts, kind="stable")
    starts = np.flatnonzero(lefts[order][1:] - np.maximum.accumulate(rights[order])[:-1] > (GUTTER - 0.25) * em) + 1
    found = False
    for column in np.split(order, starts):
        extent, widths = rights[column].max() - lefts[column].min(), (rights - lefts)[column]
        if len(column) < STRAY * len(order) or extent < (MARKS if full < 1 else NO_COLUMN) * em:
            continue
        _, rows = np.unique(middles[column] // (ROW * em), return_inverse=True)
        filled = np.bincount(rows, widths) / extent
        usual = weighted_quantile(widths, widths, 0.5)  # by width, as a table among the text has many pieces and little text
        wide = extent >= demand * full * COLUMN * em and usual > demand * full * PIECE * em
        least_filled = full * FILLED if len(filled) >= 2 * COLUMN_ROWS else FEW_FILLED
        if not wide or (filled > A_MARK).sum() < least:
            return False
        uneven = len(filled) >= MANY or full < 1
        if np.median(filled) < demand * least_filled and not (uneven and weighted_quantile(filled, filled, 0.5) >= FULL):
            return False
        found = True
    return found


def _demand(sheet: Sheet) -> float:
    """How much is asked of columns: half as much if they are known to be there."""
    return 0.5 if sheet.layout == "columns" else 1.0


def runs_to_lines(runs: list[Run], sheet: Sheet) -> list[Run]:
    """Join the runs of a column into lines: rows from top to bottom, the parts of a row from left to right."""
    return [line for row in _runs_to_rows(join_runs(runs, sheet.uprights, LINE_GAP, sheet.em)) for line in row]


def _runs_to_rows(runs: Iterable[Run]) -> list[list[Run]]:
    """The rows of some runs from top to bottom; what is much larger comes before smaller ones to its right, though some stand higher."""
    runs = [*runs]
    large = LARGER * median_low([run.height for run in runs]) if runs else math.inf

    def is_first(run: Run) -> bool:
        smaller = (other for other in runs if LARGER * other.height < run.height and other.left >= run.right)
        return run.drop_cap or run.height > large and any(run.top < other.middle < run.bottom for other in smaller)

    rows: list[list[Run]] = []
    for run in sorted(runs, key=lambda run: run.top if is_first(run) else run.middle):
        if rows and all(_is_level(run, other) and gap_between(run, other) > 0 for other in rows[-1]):
            rows[-1].append(run)
        else:
            rows.append([run])
    return [sorted(row, key=lambda run: run.left) for row in rows]


def _is_level(run: Run, other: Run) -> bool:
    """Whether a run is level with another, whose middle is higher, such as a single stroke."""
    return run.middle < other.bottom or other.height < STROKE * run.height and run.top < other.middle


def _split_margin(runs: list[Run], others: Iterable[Run], sheet: Sheet, side: int) -> tuple[list[Run], list[Run]]:
    """Part the lines of a header (side -1) or footer (1) from the runs of the page: a row or two that stand apart or behind a rule."""
    em, levels, (begin, end) = sheet.em, sheet.levels, sheet.ends
    rows = _runs_to_rows(runs)
    leading = [min(run.top for run in below) - max(run.bottom for run in above) for above, below in pairwise(rows)]
    apart = max(APART * em, 1.5 * float(np.median(leading))) if leading else math.inf
    rows = rows[::-side]
    for count in range(1, min(3, len(rows))):
        outer, inner = [run for row in rows[:count] for run in row], [*(run for row in rows[count:] for run in row), *others]
        top, bottom = min(run.top for run in outer), max(run.bottom for run in outer)
        low, high = (bottom, min(run.top for run in inner)) if side < 0 else (max(run.bottom for run in inner), top)
        width = max(run.right for run in [*outer, *inner]) - min(run.left for run in [*outer, *inner])
        between = (levels[:, 1] > low - em / 2) & (levels[:, 3] < high + em / 2)
        ruled = (between & (sizes(levels)[0] > RULED * width)).any()
        outside = (bottom - begin if side < 0 else end - top) < MARGIN * (end - begin)
        gap = max((right.left - left.right for row in rows[:count] for left, right in pairwise(row)), default=0)
        full = any(sum(run.width for run in row) > FULL_ROW * width for row in rows[:count])
        small = max(run.height for run in outer) < (SPREAD[1] if gap > SPREAD[0] * width else SMALL) * em
        if outside and small and (ruled or not full) and high - low > (em / 2 if ruled else apart):
            return runs_to_lines(outer, sheet), [run for row in rows[count:] for run in row]
    return [], runs


def _column_to_drafts(runs: list[Run], whole: Mapping[Run, list[Draft]], sheet: Sheet) -> Iterator[Draft]:
    """Part the tables, figures and cards of a column from its running text."""
    rest = sorted((run for run in runs if run not in whole), key=lambda run: run.middle)
    for stop in [*sorted((run for run in runs if run in whole), key=lambda run: run.middle), None]:
        above = [run for run in rest if stop is None or run.middle < stop.middle]
        rest = rest[len(above) :]
        rows = with_whole_rows(_runs_to_rows(above))
        done = 0
        paragraphs = sheet.layout != "single"
        for span, cells in rows_to_tables(rows, sheet.levels, sheet.em, paragraphs) if sheet.layout != "vertical" else ():
            yield from _rows_to_draft(rows[done : span.start], sheet, foot=False)
            yield _cells_to_draft(cells, sheet)
            done = span.stop
        yield from _rows_to_draft(rows[done:], sheet, foot=stop is None)
        if stop is not None:
            yield from whole[stop]


def _rows_to_draft(rows: Sequence[Sequence[Run]], sheet: Sheet, foot: bool) -> Iterator[Draft]:
    if rows:
        yield Draft("text", runs_to_lines([run for row in rows for run in row], sheet), foot=foot)


def _cells_to_draft(places: Mapping[Run, Cell], sheet: Sheet) -> Draft:
    """A table of runs whose cells are known."""
    cells: dict[Cell, list[Run]] = {}
    for run, cell in places.items():
        cells.setdefault(cell, []).append(run)
    lines = {line: cell for cell in sorted(cells) for line in runs_to_lines(cells[cell], sheet)}
    return Draft("table", list(lines), lines)
