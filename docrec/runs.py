"""Rows of ink: how the pieces that a page's ink falls into are gathered into words and lines, and what among them is no text."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np

from docrec.ink import Parts, Run, groups_to_runs, linked, parts_to_glyphs, sizes, within_any

# Sizes of parts, in em.
SPECK = 0.07  # smaller both ways is dust
DOT = 0.2  # a smaller mark far from text may be a stain
SLIVER = 0.15  # a part standing by itself is wider if it is a letter
LOW = 0.3  # lower parts (dots, dashes, raised marks) join a line rather than found one
SMALL = 0.55  # a lower run may be a mark or a piece of broken characters
BROKEN = 0.2  # a piece of a broken character is no farther from the next
FLAT = 1.3  # times as wide as high
# Letters over a line: em that they are high in the median, how many there are, and em between; how many times as high the highest are; the
# share of them that stand on one foot; the shares of their row that has characters right below, and that touches these.
RUBY, RUBY_LETTERS, RUBY_GAP = 0.18, 6, 4.0
TALL_RUBY = 2.5
RUBY_LEVEL = 0.6
RUBY_HOST, RUBY_TOUCHING = 0.25, 0.1
STROKE = 0.5, 1.5, 3.0  # em that a level stroke of a character is wide, and times its height at least
STACKED = 0.8  # of the wider of them, upper and lower pieces of characters stand over one another
TALL = 1.5  # taller parts are large type, touching lines or no text
CAP = 5.0  # a character as high as some lines is no higher
SQUARE = 0.6  # times as high as wide, at least, is a drop cap, and no brace
LOOSE = 0.15  # of its height, by which pieces of a tall character are apart at most
TALL_SHARE = 0.6  # of the height of large type; lower parts are its marks and small letters
LARGE_SHARE = 0.7  # of that height half of a line is higher, or it is one of small type with a large character
LARGER = 1.3  # times as high as its line is a large character
NEXT_LINE = 1.25, 0.5, 1.2  # times as high, parts of that height to the side of where the line above begins, and below it: a last character
THIN = 0.12  # a shorter piece of a rule is no thicker
FIGURE = 5.0  # higher parts are no type


STOP = 0.42  # commas and stops are smaller
BELOW = 0.12  # the stop of ! and ? is no farther from the middle of the stroke above

# Gaps between neighbours on a line, in em.
LETTER_GAP = 0.5
WORD_GAP = 0.8
FAR = 0.25  # times the gap to a line counts as much as its distance above or below, when a mark looks for its line
DOT_GAP, COLON_GAP = 1.1, 1.3  # of a dot, and of one above another, as of a colon in the middle of its em behind a bracket
LINE_GAP = 3.0
GUTTER_GAP = 1.2  # across which a mark belongs to what is before it, but not where many rows part
STOP_GAP = 0.45  # more, behind a comma or stop at the left of its square, but not where so many rows part, that are no farther:
GUTTER_ROWS, GUTTER_REACH = 3, 6.0

MARKS_AT_ONCE = 1000  # for which all gaps to all runs, or to one another, are held in memory


def parts_to_runs(parts: Parts, uprights: Parts, em: float) -> list[Run]:
    """Gather the text among the parts into runs.

    Large type first, so that pieces of its characters do not pass for small lines; then ordinary type; last dots, dashes and raised or
    lowered marks, which join the run they stand beside or, if there is none, make one of their own.
    """
    widths, heights = sizes(parts)
    speck = (widths < SPECK * em) & (heights < SPECK * em)
    figure = is_drawn(parts, em)
    rule = (widths > 2.5 * em) & (heights < THIN * em) | (heights > 1.2 * em) & (widths < THIN * em)
    drawn = (heights > TALL * em) & within_any(parts, parts[(heights > FIGURE * em) & (widths > FIGURE * em)])
    large, parts = parts_to_large_runs(parts[~(speck | rule | figure | drawn)], em)
    ruby, parts = parts_to_ruby(parts, uprights, em)
    heights = sizes(parts)[1]
    low, tall = heights < LOW * em, heights > TALL * em
    runs = join_runs(link_parts(parts[~low & ~tall], uprights, em, core=0.5) + ruby, uprights, WORD_GAP, em)
    marks = link_parts(parts[low], uprights, em, core=1.0) + [run for run in runs if is_mark(run, em)]
    runs = [run for run in runs if not is_mark(run, em)]
    runs, caps, touching = attach_large(parts[tall & (heights < CAP * em)], runs, em)
    for reach in (LETTER_GAP, LINE_GAP):  # those that are near first, as a comma before a broken character at the end of a column
        runs, marks = attach_marks(marks, runs, uprights, reach, em)
    runs += join_strokes(marks, em)
    return large + caps + stretch_over(touching, join_runs(runs, uprights, WORD_GAP, em), em)


def parts_to_ruby(parts: Parts, uprights: Parts, em: float) -> tuple[list[Run], Parts]:
    """Rows of small letters set tight over ordinary type, as Pinyin over Hanzi, which are no marks of it; and the parts left over."""
    heights = sizes(parts)[1]
    little = (heights < SMALL * em) & (heights > SPECK * em)
    hosts = parts[(heights >= SMALL * em) & (heights < TALL * em)]
    apart = parts[little][_stand_apart(parts[little], hosts, em)]
    words = [word for word in link_parts(apart, uprights, em, core=0.5) if len(word.parts) > 1]
    rows, taken = [], np.zeros(len(parts), bool)
    for row in join_runs(words, uprights, RUBY_GAP, em):
        size, foot = np.median(sizes(row.parts)[1]), np.median(row.parts[:, 3])
        if len(row.parts) < RUBY_LETTERS or size < RUBY * em or (abs(row.parts[:, 3] - foot) < size / 4).mean() < RUBY_LEVEL:
            continue
        near = hosts[(hosts[:, 0] < row.right) & (hosts[:, 2] > row.left)]
        under = near[(near[:, 1] > foot - size / 4) & (near[:, 1] < foot + LETTER_GAP * em)]
        beside = near[(near[:, 1] < foot - size / 4) & (near[:, 3] > foot + size)]
        if sizes(beside)[0].sum() < RUBY_TOUCHING * row.width and sizes(under)[0].sum() > RUBY_HOST * row.width:
            level = (parts[:, 1] < foot) & (parts[:, 3] > foot - 2 * size) & (parts[:, 3] < foot + size) & (heights < TALL_RUBY * size)
            letters = level & ~taken & (parts[:, 0] > row.left - RUBY_GAP * em) & (parts[:, 2] < row.right + RUBY_GAP * em)
            if letters.any():  # else they are part of another row
                rows += groups_to_runs([parts[letters]])
                taken |= letters
    return rows, parts[~taken]


def _stand_apart(parts: Parts, hosts: Parts, em: float) -> np.ndarray:
    """Which parts have none of the others to their left or right within an em, bool (N,); found on a grid of em / 4, for speed."""
    cells = np.maximum((hosts + np.array([-1, 0.25, 1, -0.25]) * em) * 4 / em, 0).astype(int)
    middles = ((parts[:, :2] + parts[:, 2:]) * 2 / em).astype(int)
    rows, columns = np.concatenate([cells[:, [3, 2]], middles[:, ::-1]]).max(axis=0, initial=0) + 1
    return paint(cells, np.zeros((rows, columns), np.uint8))[middles[:, 1], middles[:, 0]] == 0


def is_drawn(parts: Parts, em: float) -> np.ndarray:
    """Which parts are too large for type, bool (N,)."""
    widths, heights = sizes(parts)
    return (heights > FIGURE * em) | (widths > FIGURE * em) & (heights > 2.5 * em)


def is_mark(run: Run, em: float) -> bool:
    """Whether a run may be a mark, or a piece of a broken character, rather than a word."""
    return run.height < SMALL * em and run.width < 1.3 * em


def parts_to_large_runs(parts: Parts, em: float) -> tuple[list[Run], Parts]:
    """Lines of large type, found by their tall parts, unless these are where two lines of small type touch; and the parts left over."""
    widths, heights = sizes(parts)
    middles = (parts[:, 1] + parts[:, 3]) / 2
    free = np.ones(len(parts), bool)
    runs: list[Run] = []
    rows = link_parts(parts[(heights > TALL * em) & (widths < 3 * heights)], parts[:0], em, core=0.5, reach=0.5)
    for row in sorted(rows, key=lambda row: -row.width):
        size, left, right, count, tall = row.height, row.left, row.right, 0, 0.0
        fitting = np.flatnonzero(free & (heights < 1.5 * size) & (middles > row.top) & (middles < row.bottom))
        if not len(fitting):
            continue
        glyphs = parts_to_glyphs(parts[fitting])
        of_glyphs = sizes(glyphs)[1][np.searchsorted(glyphs[:, 0], parts[fitting, 0], side="right") - 1]
        reach = np.where(of_glyphs > TALL_SHARE * size, 2, 1) * size  # farther off, small type is another line's
        while (near := (parts[fitting, 2] > left - reach) & (parts[fitting, 0] < right + reach)).sum() > count:
            members = fitting[near]
            left, right, count = parts[members, 0].min(), parts[members, 2].max(), len(members)
            tall = np.average(of_glyphs[near] > LARGE_SHARE * size, weights=widths[members])
        if (count > 1 or any(_ends(row, run) for run in runs)) and tall > 0.5 and is_unbroken(parts[members], row.top, row.bottom):
            runs += groups_to_runs([parts[members]])
            free[members] = False
    return runs, parts[free]


def _ends(last: Run, line: Run) -> bool:
    """Whether a large character is all that the last line of a title has, of which another line stands above."""
    alike, aside, below = NEXT_LINE
    like = max(last.height, line.height) < alike * min(last.height, line.height)
    return like and abs(last.left - line.left) < aside * line.height and 0 < last.top - line.bottom < below * line.height


def is_unbroken(parts: Parts, top: float, bottom: float) -> bool:
    """Whether at no height well within a band fewer than a third of the characters have ink, as they have between two lines."""
    heights = np.linspace(top, bottom, 13)[3:-3, None]
    widths = np.where((parts[:, 1] <= heights) & (parts[:, 3] > heights), parts[:, 2] - parts[:, 0], 0).sum(axis=1)
    return bool(widths.min() > sizes(parts_to_glyphs(parts))[0].sum() / 3)


def link_parts(parts: Parts, uprights: Parts, em: float, core: float, reach: float = 0.0) -> list[Run]:
    """Link parts that stand side by side into runs.

    Only the core of each part is painted, on a grid of em / 10, so that lines set tight or touching stay apart; the cores are smeared
    sideways (the run-length smoothing of Wong, Casey and Wahl, 1982) and what is then connected is a run.

    Args:
        parts: what to link.
        uprights: upright rules, which no run crosses.
        em: page em in pixels.
        core: share of a part's height that is painted, about its middle.
        reach: how far a part is smeared to either side, in its own heights; 0 smears by LETTER_GAP in all.
    """
    if not len(parts):
        return []
    cell = em / 10
    heights = sizes(parts)[1]
    middles = (parts[:, 1] + parts[:, 3]) / 2
    sideways, updown = reach * heights, core / 2 * heights
    cores = np.stack([parts[:, 0] - sideways, middles - updown, parts[:, 2] + sideways, middles + updown], axis=1)
    cells = np.maximum(cores / cell, 0).astype(int)
    painted = paint(cells, np.zeros((cells[:, 3].max() + 2, cells[:, 2].max() + 2), np.uint8))
    smeared = painted if reach else cv2.morphologyEx(painted, cv2.MORPH_CLOSE, np.ones((1, 2 * int(LETTER_GAP * 5) + 1), np.uint8))
    walls = paint((uprights / cell).astype(int), np.zeros_like(painted))
    labels = cv2.connectedComponents(smeared & (painted | ~walls & 1), connectivity=8)[1]
    owners = labels[(middles / cell).astype(int), ((parts[:, 0] + parts[:, 2]) / 2 / cell).astype(int)]
    order = np.argsort(owners, kind="stable")
    return groups_to_runs(np.split(parts[order], np.flatnonzero(np.diff(owners[order])) + 1))


def paint(boxes: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Set the cells of a uint8 grid that lie in any of the (N, 4) boxes, both ends included, and return the grid."""
    for left, top, right, bottom in np.maximum(boxes, 0).tolist():
        grid[top : bottom + 1, left : right + 1] = 1
    return grid


def join_runs(runs: Sequence[Run], uprights: Parts, reach: float, em: float) -> list[Run]:
    """Join runs that share a line and are less than `reach` em apart, nearest first, across no upright rule."""
    groups = {index: [index] for index in range(len(runs))}
    joined = dict(enumerate(runs))
    owner = list(range(len(runs)))
    grown: dict[int, Parts] = {}  # not yet measured: many at once are measured the fastest
    for _, i, j in sorted(neighbours(runs, reach, em)):
        a, b = owner[i], owner[j]
        if a == b:
            continue
        if a in grown or b in grown:
            joined.update(zip(grown, groups_to_runs([*grown.values()]), strict=True))
            grown.clear()
        if not aligned(joined[a], joined[b], em) or divided(runs[i], runs[j], uprights):
            continue
        grown[a] = np.concatenate([joined[a].parts, joined.pop(b).parts])
        for index in groups[b]:
            owner[index] = a
        groups[a] += groups.pop(b)
    joined.update(zip(grown, groups_to_runs([*grown.values()]), strict=True))
    return list(joined.values())


def neighbours(runs: Sequence[Run], reach: float, em: float) -> Iterator[tuple[float, int, int]]:
    """Pairs of runs on one line as (gap in pixels, index, index), for gaps below `reach` em or, of larger type, heights.

    Behind a comma or stop a gap may be wider by what is empty of its square, unless rows above and below leave the same strip white, as a
    gutter does.
    """
    order = np.argsort([run.top for run in runs], kind="stable")
    lefts, tops, rights, bottoms = _extents(runs)[order].T
    heights, middles = bottoms - tops, (tops + bottoms) / 2
    counts = np.maximum(np.searchsorted(tops, bottoms + em) - np.arange(1, len(order) + 1), 0)
    upper = np.arange(len(order)).repeat(counts)
    lower = upper + 1 + np.arange(len(upper)) - (counts.cumsum() - counts).repeat(counts)
    gaps = np.maximum(lefts[upper], lefts[lower]) - np.minimum(rights[upper], rights[lower])
    blanks = np.array([STOP_GAP * em * _ends_with_stop(runs[index], em) for index in order])  # of the mark's own square
    squares = np.where(lefts[upper] < lefts[lower], blanks[upper], blanks[lower])
    shared = np.minimum(bottoms[upper], bottoms[lower]) - tops[lower]
    reaches = reach * np.maximum(em, np.maximum(heights[upper], heights[lower]))
    near = (gaps - squares < reaches) & (shared > -BROKEN * em)
    extents = np.stack([lefts, middles, rights], axis=1)[heights > SMALL * em] / em
    pairs = (values[near].tolist() for values in (gaps, squares, reaches, upper, lower))
    for gap, square, reached, above, below in zip(*pairs, strict=True):
        first, second = runs[order[above]], runs[order[below]]
        if not aligned(first, second, em) or first.drop_cap or second.drop_cap:
            continue
        ends = min(first.right, second.right) / em, max(first.left, second.left) / em
        if gap < reached or not _is_in_gutter(*ends, first.middle / em, extents):
            yield int(gap - square), int(order[above]), int(order[below])


def _is_in_gutter(begin: float, end: float, middle: float, extents: np.ndarray) -> bool:
    """Whether rows above and below leave white what a gap does, so many of them that it is part of a gutter.

    Args:
        begin, end, middle: of the gap, from left to right, and of its row, in em.
        extents: left, middle and right of the runs that hold letters, in em, float64 (N, 3).
    """
    lefts, middles, rights = extents.T
    far = middles - middle
    begin, end = begin + 1 / 8, end - 1 / 8  # letters of other rows may reach so far into it
    crossing = far[(lefts < end) & (rights > begin)]
    above, below = crossing[crossing < -0.5].max(initial=-GUTTER_REACH), crossing[crossing > 0.5].min(initial=GUTTER_REACH)
    others = (far > above) & (far < below) & (abs(far) > 0.5)
    sides = (np.sort(far[others & side]) for side in (rights <= begin, lefts >= end))
    return bool(min((np.diff(rows, prepend=-np.inf) > 0.5).sum() for rows in sides) >= GUTTER_ROWS)


def _ends_with_stop(run: Run, em: float) -> bool:
    """Whether a run ends with a comma or stop, small and low, of full width or not, or with one below a narrow stroke, as ! and ? are."""
    last = run.parts[run.parts[:, 0] > run.right - STOP * em]
    if not 0 < len(last) < 3:
        return False
    low = last[last[:, 3].argmax()]
    stroke = last[last[:, 3].argmin()]
    below = abs(low[[0, 2]].sum() - stroke[[0, 2]].sum()) < 2 * BELOW * em and stroke[1] < run.middle
    return bool(low[3] - low[1] < STOP * em and low[1] > run.middle and (len(last) == 1 or below))


def gap_between(a: Run, b: Run) -> int:
    """Pixels between two runs sideways; negative where they overlap."""
    return max(a.left, b.left) - min(a.right, b.right)


def aligned(a: Run, b: Run, em: float) -> bool:
    """Whether two runs overlap in height by most of the lower one, or are the upper and lower pieces of characters.

    Such characters are broken, or whole and larger than ordinary type, as 命令 in a title: then the upper pieces reach into the lower ones
    or are flat, as no characters of a line are.
    """
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    whole = max(a.bottom, b.bottom) - min(a.top, b.top)
    broken = shared > -BROKEN * em and whole < 1.15 * em and gap_between(a, b) < BROKEN * em
    over = -gap_between(a, b) > STACKED * max(a.width, b.width)
    stacked = shared > -BROKEN * em and whole < TALL * 1.15 * em and over and (shared > 0 or _is_flat(min(a, b, key=lambda run: run.top)))
    return shared >= 0.6 * min(a.height, b.height) or broken or stacked


def _is_flat(run: Run) -> bool:
    """Whether the characters of a run are flat."""
    widths, heights = sizes(run.parts)
    return bool((widths > FLAT * heights).mean() > 0.5)


def divided(a: Run, b: Run, uprights: Parts) -> bool:
    """Whether an upright rule stands between two runs."""
    if not len(uprights):
        return False
    first, second = (a, b) if a.left < b.left else (b, a)
    between = (uprights[:, 0] >= first.right - 1) & (uprights[:, 2] <= second.left + 1)
    return bool((between & (uprights[:, 1] < min(a.middle, b.middle)) & (uprights[:, 3] > max(a.middle, b.middle))).any())


def attach_marks(marks: Sequence[Run], runs: Sequence[Run], uprights: Parts, reach: float, em: float) -> tuple[list[Run], list[Run]]:
    """Give each mark to the run that it stands in or within `reach` em of, or is a broken piece of; return the runs and the marks left."""
    members = [[run.parts] for run in runs]
    hosts: dict[int, int] = {}
    lefts, tops, rights, bottoms = np.array([(run.left, *_reach(run), run.right) for run in runs]).reshape(-1, 4)[:, [0, 1, 3, 2]].T
    extents = np.array([(run.left, run.middle, run.right) for run in runs]).reshape(-1, 3) / em
    for start in range(0, len(marks), MARKS_AT_ONCE):
        places = [(mark.left, mark.middle, mark.right, max(mark.width, mark.height)) for mark in marks[start : start + MARKS_AT_ONCE]]
        left, middle, right, size = np.array(places).T[:, :, None]  # each against all runs
        gaps = np.maximum(lefts, left) - np.minimum(rights, right)
        beyond = np.maximum(np.maximum(tops - middle, middle - bottoms), 0)
        colons = (abs(left - left.T) < em / 10) & (abs(middle - middle.T) < em) & (middle != middle.T)
        reaches = np.where(size > DOT * em, reach, np.minimum(reach, np.where(colons.any(axis=1, keepdims=True), COLON_GAP, DOT_GAP)))
        of, near = np.nonzero((gaps < reaches * em) & (beyond < em))
        order = np.lexsort((gaps[of, near], (beyond + FAR * np.maximum(gaps, 0))[of, near], of))
        for index, host, far in zip((start + of[order]).tolist(), near[order].tolist(), beyond[of, near][order].tolist(), strict=True):
            mark, run = marks[index], runs[host]
            if index in hosts or far >= 0.3 * run.height and not aligned(mark, run, em) or divided(mark, run, uprights):
                continue
            ends = min(mark.right, run.right) / em, max(mark.left, run.left) / em
            if ends[1] - ends[0] < GUTTER_GAP or not _is_in_gutter(*ends, mark.middle / em, extents):
                hosts[index] = host
                members[host].append(mark.parts)
    alone = [mark for index, mark in enumerate(marks) if index not in hosts]
    return groups_to_runs([np.concatenate(parts) for parts in members]), alone


def join_strokes(marks: Sequence[Run], em: float) -> list[Run]:
    """Join level strokes that stand over one another in one square to a character, as those of 二 and 三 in a cell of their own."""
    if len(marks) > MARKS_AT_ONCE:
        return [*marks]
    least, most, flat = STROKE
    widths, heights = sizes(extents := _extents(marks))
    strokes = np.flatnonzero((widths > least * em) & (widths < most * em) & (widths > flat * heights))
    lefts, tops, rights, bottoms = extents[strokes].T
    shared = np.minimum(rights[:, None], rights) - np.maximum(lefts[:, None], lefts)
    over = (shared > STACKED * np.minimum(rights - lefts, (rights - lefts)[:, None])) & (bottoms - tops[:, None] < most * em)
    groups = [strokes[group] for group in linked(over & over.T)]
    one = [group for group in groups if len(group) > 1 and extents[group, 3].max() - extents[group, 1].min() < most * em]
    stacked = set(np.concatenate(one).tolist()) if one else set()
    whole = groups_to_runs([np.concatenate([marks[index].parts for index in group]) for group in one])
    return [mark for index, mark in enumerate(marks) if index not in stacked] + whole


def _reach(run: Run) -> tuple[float, float]:
    """Where a run begins and ends; one with a large character, with it."""
    tall = run.parts[sizes(run.parts)[1] > LARGER * run.height]
    return (tall[:, 1].min(), tall[:, 3].max()) if len(tall) else (run.top, run.bottom)


def attach_large(parts: Parts, runs: list[Run], em: float) -> tuple[list[Run], list[Run], Parts]:
    """Give each tall character beside one line to it, as a large one among ordinary type.

    Returns:
        The runs; characters to the left of several lines, which are drop caps; and tall parts above or below which lines go on.
    """
    members: dict[int, list[Parts]] = {}
    caps, touching, extents = [], [parts[:0]], _extents(runs)
    inside: list[int] = []  # indices of the runs that are pieces of drop caps
    for pieces in _pieces(parts):
        box = np.r_[pieces[:, :2].min(axis=0), pieces[:, 2:].max(axis=0)]
        hosts = sorted(beside(box, extents, WORD_GAP * em), key=lambda index: -runs[index].width)
        if (own := _cap_pieces(box, extents, em)) is not None:
            caps.append(np.concatenate([pieces, *(runs[index].parts for index in own)]))
            inside += own
        elif hosts and box[3] - box[1] < 2 * TALL * em and all(aligned(runs[hosts[0]], runs[other], em) for other in hosts[1:]):
            members.setdefault(hosts[0], []).append(pieces)
        else:
            touching.append(pieces[sizes(pieces)[1] < 2 * TALL * em])
    grown = groups_to_runs([np.concatenate([runs[index].parts, *some]) for index, some in members.items()])
    for index, run in zip(members, grown, strict=True):
        runs[index] = run
    runs = [run for index, run in enumerate(runs) if index not in inside]
    return runs, [replace(run, drop_cap=True) for run in groups_to_runs(caps)], np.concatenate(touching)


def _cap_pieces(box: np.ndarray, extents: np.ndarray, em: float) -> list[int] | None:
    """The runs within a box, if it may be a character to whose right several lines stand one above another; None if it is not.

    Args:
        box: left, top, right, bottom.
        extents: the same of all runs.
        em: of the page, in pixels.
    """
    width, height = box[2:] - box[:2]
    middles = (extents[:, :2] + extents[:, 2:]) / 2
    own = ((middles > box[:2]) & (middles < box[2:])).all(axis=1)
    others = extents[~own]
    lines = others[beside(box, others, height)]
    if width < SQUARE * height or len(lines) < 2 or (lines[:, 0] < box[2]).any() or lines[:, 1].max() <= lines[:, 3].min():
        return None
    near = lines[:, 0].min() - box[2] < WORD_GAP * em  # or it is an icon
    return None if own.any() and not near else np.flatnonzero(own).tolist()


def _pieces(parts: Parts) -> list[Parts]:
    """Parts in groups that stand close together, each of which may be one character."""
    if len(parts) > MARKS_AT_ONCE:
        return [*parts[:, None]]
    reach = LOOSE * sizes(parts)[1]
    gaps = np.maximum(parts[:, None, :2], parts[:, :2]) - np.minimum(parts[:, None, 2:], parts[:, 2:])
    near = (gaps < np.maximum(reach[:, None], reach)[..., None]).all(axis=2)
    return [parts[indices] for indices in linked(near)]


def stretch_over(parts: Parts, runs: list[Run], em: float) -> list[Run]:
    """Stretch runs over the parts in which two lines touch, which belong to both."""
    extents = _extents(runs)
    for part in parts:
        for index in beside(part, extents, WORD_GAP * em):
            runs[index] = replace(runs[index], left=min(int(part[0]), runs[index].left), right=max(int(part[2]), runs[index].right))
    return runs


def beside(part: np.ndarray, extents: np.ndarray, reach: float) -> list[int]:
    """Indices of the runs, of which these are left, top, right and bottom, that a part is level with and less than `reach` pixels from."""
    left, top, right, bottom = part.tolist()
    shared = np.minimum(bottom, extents[:, 3]) - np.maximum(top, extents[:, 1])
    gaps = np.maximum(left, extents[:, 0]) - np.minimum(right, extents[:, 2])
    return np.flatnonzero((shared > 0.6 * (extents[:, 3] - extents[:, 1])) & (gaps < reach)).tolist()


def _extents(runs: Sequence[Run]) -> np.ndarray:
    """Left, top, right and bottom of runs, float64 (N, 4)."""
    return np.array([(run.left, run.top, run.right, run.bottom) for run in runs], np.float64).reshape(-1, 4)
