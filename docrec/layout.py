"""Text lines of a page, in reading order: connected components and morphology, no learned model.

A page becomes lines by a chain of values, each a function of the one before:

    gray ─▶ ink ─▶ em ─▶ rules, parts ─▶ runs ─▶ columns ─▶ lines ─▶ boxes

A *part* is a connected component of ink, an int row (left, top, right, bottom). A *run* is a row of parts that stand close together: a
word, a cell, a whole line. The *em* is here the ink height of the page's ordinary Hanzi, the unit of nearly every threshold.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from docrec.document import Block, Box, Line
from docrec.options import LAYOUTS
from docrec.source import PageImage

MAX_PIXELS = 9_000_000  # a larger page is searched at a fraction of its resolution

# Ink is darker than the paper around it by a share of the strongest contrast nearby.
PAPER_WINDOW = 1 / 80  # of the page's longer side: strokes are thinner than this, tinted boxes are wider
MIN_PAPER_WINDOW = 25  # px
INK_CONTRAST = 0.4  # of the strongest contrast nearby
MIN_INK_CONTRAST = 0.14  # of the page's strongest
NOISE_CONTRAST = 24  # gray levels

# Sizes of parts, in em.
EM_QUANTILE = 0.65  # of the heights of letter-shaped parts by area: above Latin letters and pieces of Hanzi, below titles
SPECK = 0.07  # smaller both ways is dust
DOT = 0.2  # a smaller mark far from text may be a stain
SLIVER = 0.15  # a part standing by itself is wider if it is a letter
LOW = 0.3  # lower parts (dots, dashes, raised marks) join a line rather than found one
SMALL = 0.55  # a lower run may be a mark or a piece of broken characters
TALL = 1.5  # taller parts are large type, touching lines or no text
RULE = 5.0  # a straight run of ink this long is a rule or the side of a frame
RULE_INK = 0.85  # share of its length that is inked
THIN = 0.12  # a shorter piece of a rule is no thicker
FIGURE = 5.0  # higher parts are no type

BLOT = 0.4  # a patch of ink this large both ways is no letter
BLOT_INK = 0.8  # if this share of it is ink

# Gaps between neighbours on a line, in em.
LETTER_GAP = 0.5
WORD_GAP = 0.8
LINE_GAP = 3.0
GUTTER = 1.3  # the least gap between two columns of text

# The em band, in ink heights of a full Hanzi of the same nominal size.
ASCENDER = 0.75  # capitals, digits and ascenders above the baseline
X_HEIGHT = 0.52
LETTER_SIZE = 0.18  # by how much, as a share, these differ from typeface to typeface
BASELINE = 0.13  # above the bottom of the Hanzi
MARK = 0.3  # lower ink has no baseline: dashes, dots, quotes
SAME_SIZE = 0.15  # heights this close, as a share, are one type size
NEAR = 6  # lines around a line that may tell its size

# Hanzi are denser than Latin letters. Strokes met on the way down are counted, on average over a square as high as the line or over one
# square glyph. A low line may be of capitals or small letters only, of which the densest (E, a, e, s) would pass: there more are asked for.
SQUARE_STROKES = 2.5
GLYPH_STROKES = 2.2
FULL_LINE = 0.85  # em; a lower line needs
LOW_STROKES = 2.5  # more strokes for each em that is missing

Parts = np.ndarray  # int32 (N, 4): left, top, right, bottom; pixels, half-open


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Parts that stand in a row; `top` and `bottom` are where most of its tall parts begin and end."""

    parts: Parts
    left: int
    top: float
    right: int
    bottom: float

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
    """

    baseline: float
    rise: float
    mixed: bool
    flat: bool


def find_blocks(page: PageImage, layout: str = LAYOUTS[0]) -> tuple[Block, ...]:
    """Find the text of an upright dark-on-light page.

    Args:
        page: the page, cleaned.
        layout: what is known of the page, one of LAYOUTS.

    Returns:
        Blocks in reading order, their lines not yet read. In a line's box, left and right are the extents of its ink; top and bottom
        are its em band, the vertical ink extent that full Hanzi of the line's type size have or would have. Of a vertical line these are
        top and bottom, and left and right. Empty for a page without text.
    """
    lines = tuple(Line(box) for box in find_lines(page))
    return (Block("text", lines),) if lines else ()


def find_lines(page: PageImage) -> tuple[Box, ...]:
    """The boxes of a page's lines, see `find_blocks`."""
    height, width = page.gray.shape
    reduction = max(1.0, math.sqrt(height * width / MAX_PIXELS))
    gray = page.gray
    if reduction > 1:
        gray = cv2.resize(gray, (math.ceil(width / reduction), math.ceil(height / reduction)), interpolation=cv2.INTER_AREA)
    ink = gray_to_ink(gray)
    em = parts_to_em(mask_to_parts(ink))
    if not em:
        return ()
    levels, uprights = ink_to_rules(ink, em)
    text = ink_without_rules(ink, levels, uprights)
    runs = [run for run in parts_to_runs(mask_to_parts(text), uprights, em) if is_text(run, text, em)]
    columns = runs_to_columns(runs, levels, em)
    lines = [line for column in columns for line in column_to_lines(column, uprights, em)]
    boxes = lines_to_boxes(lines, text, em)
    return tuple(Box(box.left * reduction, box.top * reduction, box.right * reduction, box.bottom * reduction) for box in boxes)


def gray_to_ink(gray: np.ndarray) -> np.ndarray:
    """Mark the pixels darker than the paper around them.

    The paper is a morphological closing of the page, so that a tint under the text counts as paper; the threshold follows the strongest
    contrast nearby, so that pale type is kept and the blur around black type is not.

    Args:
        gray: uint8 (H, W), 255 = paper.

    Returns:
        uint8 (H, W), 1 = ink.
    """
    height, width = gray.shape
    step = max(MIN_PAPER_WINDOW, int(max(height, width) * PAPER_WINDOW)) // 7
    window = np.ones((7, 7), np.uint8)
    small = cv2.resize(gray, (math.ceil(width / step), math.ceil(height / step)), interpolation=cv2.INTER_AREA)
    paper = cv2.resize(cv2.morphologyEx(small, cv2.MORPH_CLOSE, window), (width, height), interpolation=cv2.INTER_LINEAR)
    contrast = cv2.subtract(paper, gray)
    peaks = cv2.dilate(contrast, np.ones((step, step), np.uint8))[step // 2 :: step, step // 2 :: step]
    if not peaks.size or (strongest := int(peaks.max())) < NOISE_CONTRAST:
        return np.zeros_like(gray)
    nearby = cv2.dilate(peaks, window) * INK_CONTRAST
    threshold = np.maximum(nearby, max(NOISE_CONTRAST, strongest * MIN_INK_CONTRAST)).astype(np.uint8)
    return (contrast > cv2.resize(threshold, (width, height), interpolation=cv2.INTER_NEAREST)).view(np.uint8)


def mask_to_parts(mask: np.ndarray) -> Parts:
    """Boxes of the 8-connected components of a uint8 (H, W) mask, from their outer contours: several times faster than labels."""
    contours, hierarchy = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
    outer = [cv2.boundingRect(contour) for contour, links in zip(contours, hierarchy[0], strict=True) if links[3] < 0] if contours else []
    boxes = np.array(outer, np.int32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    return boxes


def parts_to_em(parts: Parts) -> float:
    """Ink height of the page's ordinary Hanzi in pixels, a quantile by area of the letter-shaped parts; 0 if there are none."""
    widths, heights = sizes(parts)
    shaped = (heights >= 5) & (widths < 3 * heights) & (heights < 6 * widths)
    if not shaped.any():
        return 0.0
    shaped &= heights < 4 * weighted_quantile(heights[shaped], heights[shaped], 0.5)  # a frame would outweigh the text
    return weighted_quantile(heights[shaped], (widths * heights)[shaped], EM_QUANTILE)


def ink_to_rules(ink: np.ndarray, em: float) -> tuple[Parts, Parts]:
    """Boxes of the level and of the upright straight runs of ink that are longer than any stroke; faint ones may have holes."""
    length = max(3, int(RULE * em))
    inset = int(length * (RULE_INK - 0.5))  # from the end of a rule to the first window with enough ink
    level = cv2.boxFilter(ink * 255, -1, (length, 1)) > 255 * RULE_INK
    upright = cv2.boxFilter(ink * 255, -1, (1, length)) > 255 * RULE_INK
    levels, uprights = mask_to_parts(level.view(np.uint8)), mask_to_parts(upright.view(np.uint8))
    return levels + np.array([-inset, 0, inset, 0]), uprights + np.array([0, -inset, 0, inset])


def ink_without_rules(ink: np.ndarray, levels: Parts, uprights: Parts) -> np.ndarray:
    """A copy of the ink with the rules wiped out, and the blur along their edges with them."""
    text = ink.copy()
    for left, top, right, bottom in np.concatenate([levels, uprights]).tolist():
        text[max(0, top - 1) : max(0, bottom + 1), max(0, left - 1) : max(0, right + 1)] = 0
    return text


def parts_to_runs(parts: Parts, uprights: Parts, em: float) -> list[Run]:
    """Gather the text among the parts into runs.

    Large type first, so that pieces of its characters do not pass for small lines; then ordinary type; last dots, dashes and raised or
    lowered marks, which join the run they stand beside or, if there is none, make one of their own.
    """
    widths, heights = sizes(parts)
    speck = (widths < SPECK * em) & (heights < SPECK * em)
    figure = (heights > FIGURE * em) | (widths > FIGURE * em) & (heights > 2.5 * em)
    rule = (widths > 2.5 * em) & (heights < THIN * em) | (heights > 1.2 * em) & (widths < THIN * em)
    drawn = (heights > TALL * em) & within_any(parts, parts[(heights > FIGURE * em) & (widths > FIGURE * em)])
    large, parts = parts_to_large_runs(parts[~(speck | rule | figure | drawn)], em)
    heights = sizes(parts)[1]
    low, tall = heights < LOW * em, heights > TALL * em
    runs = join_runs(link_parts(parts[~low & ~tall], uprights, em, core=0.5), uprights, WORD_GAP, em)
    marks = link_parts(parts[low], uprights, em, core=1.0) + [run for run in runs if is_mark(run, em)]
    runs = attach_marks(marks, [run for run in runs if not is_mark(run, em)], uprights, em)
    return large + attach_touching(parts[tall], join_runs(runs, uprights, WORD_GAP, em), em)


def is_mark(run: Run, em: float) -> bool:
    """Whether a run may be a mark, or a piece of a broken character, rather than a word."""
    return run.height < SMALL * em and run.width < 1.3 * em


def is_text(run: Run, ink: np.ndarray, em: float) -> bool:
    """Whether a run holds a letter or is a row of dots or dashes, rather than a speck, a blot or a rule, whole or in pieces."""
    widths, heights = sizes(run.parts)
    if ((heights >= LOW * em) & (widths >= SLIVER * em)).any():
        covered = ink[int(run.top) : int(run.bottom), run.left : run.right].mean()
        return min(run.width, run.height) < BLOT * em or covered < BLOT_INK
    even = widths.std() < 0.25 * widths.mean() or run.width < LINE_GAP * em
    return bool(even and widths.max() < 1.3 * em and run.width > (0.8 if len(widths) < 3 else 0.4) * em)


def parts_to_large_runs(parts: Parts, em: float) -> tuple[list[Run], Parts]:
    """Lines of large type, found by their tall parts, unless these are where two lines of small type touch; and the parts left over."""
    widths, heights = sizes(parts)
    middles = (parts[:, 1] + parts[:, 3]) / 2
    free = np.ones(len(parts), bool)
    runs = []
    rows = link_parts(parts[(heights > TALL * em) & (widths < 3 * heights)], parts[:0], em, core=0.5, reach=0.5)
    for row in sorted(rows, key=lambda row: -row.width):
        size, left, right, count = row.height, row.left, row.right, 0
        fitting = np.flatnonzero(free & (heights < 1.5 * size) & (middles > row.top) & (middles < row.bottom))
        while len(members := fitting[(parts[fitting, 2] > left - 2 * size) & (parts[fitting, 0] < right + 2 * size)]) > count:
            left, right, count = parts[members, 0].min(), parts[members, 2].max(), len(members)
        if count > 1 and is_unbroken(parts[members], row.top, row.bottom):
            runs.append(parts_to_run(parts[members]))
            free[members] = False
    return runs, parts[free]


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
    return [parts_to_run(parts[members]) for members in np.split(order, np.flatnonzero(np.diff(owners[order])) + 1)]


def paint(boxes: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Set the cells of a uint8 grid that lie in any of the (N, 4) boxes, both ends included, and return the grid."""
    for left, top, right, bottom in np.maximum(boxes, 0).tolist():
        grid[top : bottom + 1, left : right + 1] = 1
    return grid


def parts_to_run(parts: Parts) -> Run:
    """A run of parts, its top and bottom judged from the tall ones among its characters, by width, so that a bracket counts little."""
    top, bottom = glyphs_to_extent(parts_to_glyphs(parts)) if len(parts) > 1 else (float(parts[0, 1]), float(parts[0, 3]))
    return Run(parts, int(parts[:, 0].min()), top, int(parts[:, 2].max()), bottom)


def glyphs_to_extent(glyphs: Parts) -> tuple[float, float]:
    """Where most of the tall glyphs begin and end, in pixels from the top of the page."""
    widths, heights = sizes(glyphs)
    tall = heights >= 0.75 * weighted_quantile(heights, widths, 0.85)
    return weighted_quantile(glyphs[tall, 1], widths[tall], 0.2), weighted_quantile(glyphs[tall, 3], widths[tall], 0.8)


def parts_to_glyphs(parts: Parts) -> Parts:
    """Unite the parts of a run that stand above one another (the strokes of 三, an i and its dot), left to right, less underlines."""
    widths, heights = sizes(parts)
    underlines = (widths > 6 * heights) & (widths > 1.3 * heights.max())
    parts = parts if underlines.all() else parts[~underlines]
    parts = parts[np.argsort(parts[:, 0], kind="stable")]
    starts = np.flatnonzero(np.r_[True, parts[1:, 0] >= np.maximum.accumulate(parts[:, 2])[:-1]])
    least, most = np.minimum.reduceat(parts, starts), np.maximum.reduceat(parts, starts)
    return np.stack([least[:, 0], least[:, 1], most[:, 2], most[:, 3]], axis=1)


def join_runs(runs: Sequence[Run], uprights: Parts, reach: float, em: float) -> list[Run]:
    """Join runs that share a line and are less than `reach` em apart, nearest first, across no upright rule."""
    groups = {index: [index] for index in range(len(runs))}
    joined = dict(enumerate(runs))
    owner = list(range(len(runs)))
    for _, i, j in sorted(neighbours(runs, reach, em)):
        a, b = owner[i], owner[j]
        if a == b or not aligned(joined[a], joined[b], em) or divided(runs[i], runs[j], uprights):
            continue
        joined[a] = parts_to_run(np.concatenate([joined[a].parts, joined.pop(b).parts]))
        for index in groups[b]:
            owner[index] = a
        groups[a] += groups.pop(b)
    return list(joined.values())


def neighbours(runs: Sequence[Run], reach: float, em: float) -> Iterator[tuple[float, int, int]]:
    """Pairs of runs on one line as (gap in pixels, index, index), for gaps below `reach` em or, of larger type, heights."""
    order = sorted(range(len(runs)), key=lambda index: runs[index].top)
    for place, i in enumerate(order):
        for j in order[place + 1 :]:
            if runs[j].top >= runs[i].bottom + em:
                break
            gap = gap_between(runs[i], runs[j])
            if aligned(runs[i], runs[j], em) and gap < reach * max(em, runs[i].height, runs[j].height):
                yield gap, i, j


def gap_between(a: Run, b: Run) -> int:
    """Pixels between two runs sideways; negative where they overlap."""
    return max(a.left, b.left) - min(a.right, b.right)


def aligned(a: Run, b: Run, em: float) -> bool:
    """Whether two runs overlap in height by most of the lower one, or are the upper and lower pieces of broken characters."""
    shared = min(a.bottom, b.bottom) - max(a.top, b.top)
    whole = max(a.bottom, b.bottom) - min(a.top, b.top)
    return shared >= 0.6 * min(a.height, b.height) or (shared > -0.2 * em and whole < 1.15 * em and gap_between(a, b) < 0.2 * em)


def divided(a: Run, b: Run, uprights: Parts) -> bool:
    """Whether an upright rule stands between two runs."""
    first, second = (a, b) if a.left < b.left else (b, a)
    between = (uprights[:, 0] >= first.right - 1) & (uprights[:, 2] <= second.left + 1)
    return bool((between & (uprights[:, 1] < min(a.middle, b.middle)) & (uprights[:, 3] > max(a.middle, b.middle))).any())


def attach_marks(marks: Sequence[Run], runs: Sequence[Run], uprights: Parts, em: float) -> list[Run]:
    """Give each mark to the run it stands in or beside, or of which it is a broken piece; return the runs and the marks left alone."""
    members = [[run.parts] for run in runs]
    tops, bottoms = np.array([run.top for run in runs]), np.array([run.bottom for run in runs])
    lefts, rights = np.array([run.left for run in runs]), np.array([run.right for run in runs])
    alone = []
    for mark in marks:
        reach = (LINE_GAP if max(mark.width, mark.height) > DOT * em else WORD_GAP) * em
        gaps = np.maximum(lefts, mark.left) - np.minimum(rights, mark.right)
        beyond = np.maximum(np.maximum(tops - mark.middle, mark.middle - bottoms), 0)
        near = np.flatnonzero((gaps < reach) & (beyond < em))
        hosts = [
            (beyond[index], gaps[index], index)
            for index in near.tolist()
            if (beyond[index] < 0.3 * runs[index].height or aligned(mark, runs[index], em)) and not divided(mark, runs[index], uprights)
        ]
        if hosts:
            members[min(hosts)[2]].append(mark.parts)
        else:
            alone.append(mark)
    return [run if len(parts) == 1 else parts_to_run(np.concatenate(parts)) for run, parts in zip(runs, members, strict=True)] + alone


def attach_touching(parts: Parts, runs: list[Run], em: float) -> list[Run]:
    """Stretch runs over the parts in which two lines touch, which belong to both, and over tall signs set among ordinary type."""
    for left, top, right, bottom in parts[sizes(parts)[1] < 2 * TALL * em].tolist():
        for index, run in enumerate(runs):
            shared = min(bottom, run.bottom) - max(top, run.top)
            if shared > 0.6 * run.height and max(left, run.left) - min(right, run.right) < em / 2:
                runs[index] = replace(run, left=min(left, run.left), right=max(right, run.right))
    return runs


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


def lines_to_boxes(lines: Sequence[Run], ink: np.ndarray, em: float) -> list[Box]:
    """Give each line its em band: from its Hanzi if it has any, else from its letters and the lines around it."""
    found = {index: band for index, line in enumerate(lines) if (band := hanzi_to_band(line, ink, em))}
    bands = {index: even_band(band, nearest(band, list(found.values()))) for index, band in found.items()}
    letters = {index: line_to_letters(line) for index, line in enumerate(lines) if index not in bands}
    for index in sorted(letters, key=lambda index: (letters[index].mixed, len(lines[index].parts)), reverse=True):  # the clearest first
        extent = Band(lines[index].top, lines[index].bottom)
        bands[index] = letters_to_band(letters[index], extent, nearest(extent, list(bands.values())))
    return [Box(line.left, max(0.0, bands[index].top), line.right, bands[index].bottom) for index, line in enumerate(lines)]


def hanzi_to_band(line: Run, ink: np.ndarray, em: float) -> Band | None:
    """The vertical extent of the Hanzi in a line; None if it seems to have none."""
    rows = ink[max(0, int(line.top)) : int(line.bottom), line.left : line.right]
    strokes = rows[0].astype(int) + (rows[1:] > rows[:-1]).sum(axis=0)
    glyphs = parts_to_glyphs(line.parts)
    widths, heights = sizes(glyphs)
    side = len(rows)
    outside = (glyphs[:, 1] < line.top - 0.2 * side) | (glyphs[:, 3] > line.bottom + 0.2 * side)
    if outside.mean() > 0.1:  # ascenders and descenders about low letters
        return None
    low = max(0.0, FULL_LINE - side / em)
    needed = SQUARE_STROKES + LOW_STROKES * low
    total = np.r_[0, np.cumsum(strokes)]
    centres = np.clip((glyphs[:, 0] + glyphs[:, 2]) // 2 - line.left - side // 2, 0, max(0, len(strokes) - side))
    around = (total[np.minimum(centres + side, len(strokes))] - total[centres]) / side
    within = (total[glyphs[:, 2] - line.left] - total[glyphs[:, 0] - line.left]) / widths
    square = (widths > 0.75 * side) & (widths < 1.25 * side) & (heights > 0.8 * side)
    dense = (around > needed) | square & (within > GLYPH_STROKES) & (low == 0)
    return Band(*glyphs_to_extent(glyphs[dense])) if dense.any() else None


def nearest(band: Band, others: Sequence[Band]) -> list[Band]:
    """The bands of a few lines closest to a band in height on the page, closest first."""
    return sorted(others, key=lambda other: abs(other.top + other.bottom - band.top - band.bottom))[:NEAR]


def even_band(band: Band, around: Sequence[Band]) -> Band:
    """Give a band the height that is usual among those around it of its type size, itself included."""
    height = float(np.median([other.height for other in around if same_size(other.height, band.height)]))
    return Band((band.top + band.bottom - height) / 2, (band.top + band.bottom + height) / 2)


def same_size(a: float, b: float) -> bool:
    """Whether two heights are of one type size."""
    return abs(math.log(a / b)) < SAME_SIZE


def line_to_letters(line: Run) -> Letters:
    """Measure the letters of a line: where most of them stand, how high the highest rises, and whether there are low ones too."""
    glyphs = parts_to_glyphs(line.parts)
    glyphs = glyphs[sizes(glyphs)[1] < 1.5 * line.height]
    widths, heights = sizes(glyphs)
    tall = heights >= 0.4 * heights.max()
    baseline = weighted_quantile(glyphs[tall, 3], widths[tall], 0.5)
    standing = tall & (abs(glyphs[:, 3] - baseline) <= 0.12 * heights.max())
    rises = baseline - glyphs[standing, 1]
    rise = float(np.median(rises[rises >= 0.82 * rises.max()]))  # not that of a slash, which rises above all letters
    mixed = bool((rises < 0.82 * rise).mean() > 0.15)
    return Letters(baseline, rise, mixed, flat=bool(np.median(widths) > 1.5 * np.median(heights)))


def letters_to_band(letters: Letters, extent: Band, around: Sequence[Band]) -> Band:
    """Place the em band about letters, which fix it but for the size of their type if they are all alike: the lines around tell it.

    Args:
        letters: shape of the line's letters.
        extent: where the line's ink begins and ends.
        around: bands already known, the nearest first.
    """
    for band in around:  # of the same row, as in a table or a page header
        level = letters.rise < MARK * band.height or abs(band.bottom - BASELINE * band.height - letters.baseline) < 0.1 * band.height
        if level and extent.top > band.top - 0.1 * band.height and extent.bottom < band.bottom + 0.2 * band.height:
            return band
    if around and letters.rise < MARK * around[0].height:
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


def to_ink_extent(gray: np.ndarray, box: Box) -> Box:
    """The box of a line with its top and bottom where the ink in it begins and ends: its em band, if it holds full Hanzi after all.

    Args:
        gray: the page, uint8 (H, W), 255 = paper.
        box: a line's box as found.
    """
    rows = gray[int(box.top) : math.ceil(box.bottom), int(box.left) : math.ceil(box.right)].min(axis=1, initial=255)
    inked = np.flatnonzero(rows < 255 - INK_CONTRAST * (255 - rows.min(initial=255)))
    return replace(box, top=int(box.top) + inked[0], bottom=int(box.top) + inked[-1] + 1.0) if inked.size else box


def within_any(parts: Parts, others: Parts) -> np.ndarray:
    """Which parts lie within the box of any of the others."""
    within = np.zeros(len(parts), bool)
    for left, top, right, bottom in others.tolist():
        within |= (parts[:, 0] >= left) & (parts[:, 1] >= top) & (parts[:, 2] <= right) & (parts[:, 3] <= bottom)
    return within


def sizes(parts: Parts) -> tuple[np.ndarray, np.ndarray]:
    """Widths and heights of parts, in pixels."""
    return parts[:, 2] - parts[:, 0], parts[:, 3] - parts[:, 1]


def weighted_quantile(values: np.ndarray, weights: np.ndarray, share: float) -> float:
    """The least value at or below which `share` of the weight lies."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])
