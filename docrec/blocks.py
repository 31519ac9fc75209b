"""What the lines of a page are and in which order they are read."""

import math

import numpy as np

from docrec.ink import Parts, Run
from docrec.runs import LINE_GAP, gap_between, join_runs

GUTTER = 1.3  # em; the least gap between two columns of text


def runs_to_columns(runs: list[Run], levels: Parts, em: float) -> list[list[Run]]:
    """Cut a page into regions, each of one column, in reading order.

    A gutter is a white strip with text on both sides; whatever crosses it, text or rule, cuts the page into zones, within which the left
    column is read before the right one (an XY cut, Nagy and Seth, 1984, with the crossing lines let through).
    """
    gutter = runs_to_gutter(runs, em)
    if gutter is None:
        return [runs]
    left, right = gutter
    crossing = [run for run in runs if run.left < right and run.right > left]
    rules = [((top + bottom) / 2, (top + bottom) / 2) for start, top, end, bottom in levels.tolist() if start < left and end > right]
    cuts = sorted([(run.top, run.bottom) for run in crossing] + rules)
    regions: list[list[Run]] = []
    rest = sorted(runs, key=lambda run: run.middle)
    for top, bottom in [*cuts, (math.inf, math.inf)]:
        above = [run for run in rest if run.middle < top]
        band = [run for run in rest if top <= run.middle <= bottom]
        rest = [run for run in rest if run.middle > bottom]
        for side in ([run for run in above if run.right <= left], [run for run in above if run.left >= right]):
            regions += runs_to_columns(side, levels, em) if side else []
        if band:
            regions.append(band)
    return regions


def runs_to_gutter(runs: list[Run], em: float) -> tuple[float, float] | None:
    """The strip (left, right) in pixels between two columns of running text, or None.

    Both sides must hold at least four runs, be at least eight em wide and be well filled; tables and lists with labels are not.
    """
    if len(runs) < 8:
        return None
    lefts, rights = np.array([run.left for run in runs]), np.array([run.right for run in runs])
    widths = rights - lefts
    best, gutter = 0.5 * widths.sum(), None
    for edge in np.unique(rights):
        before, after = rights <= edge, lefts >= edge + GUTTER * em
        text = widths[before | after].sum() - widths[~(before | after)].sum()
        if text > best and all(side.sum() >= 4 and filled(lefts[side], rights[side], em) for side in (before, after)):
            best, gutter = text, (float(edge), float(lefts[after].min()))
    return gutter


def filled(lefts: np.ndarray, rights: np.ndarray, em: float) -> bool:
    """Whether runs make a column of text: eight em wide, and half of the runs at least half as wide as the column."""
    extent = rights.max() - lefts.min()
    return bool(extent >= 8 * em and np.median(rights - lefts) >= 0.5 * extent)


def column_to_lines(runs: list[Run], uprights: Parts, em: float) -> list[Run]:
    """Join the runs of a column into lines: rows from top to bottom, the parts of a row from left to right."""
    rows: list[list[Run]] = []
    for line in sorted(join_runs(runs, uprights, LINE_GAP, em), key=lambda line: line.middle):
        if rows and all(line.middle < other.bottom and gap_between(line, other) > 0 for other in rows[-1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line.left)]
