"""What the blocks of a page are, told by type size, weight and place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, pairwise
from statistics import median

import numpy as np

from docrec.document import Block, Box, Line
from docrec.ink import Parts, Run, sizes

LARGE = 1.15  # times the type size of the page, or more: a title
VERY_LARGE = 1.5  # the same of a line as wide as its column, in which but a few words may be larger, or with others beside it
BOLD = 1.3  # times the stroke width of the page, or more
SMALL = 0.93  # times the type size of the page, or less: a footnote
SHORT = 0.7  # share of its column that a bold title is wide at most
FULL = 0.9  # share of its column that a title is wide at most
PARAGRAPH_GAP = 1.2  # heights of a line; see document.Block.text
NEAR = 4.0  # em from a table or a figure to its caption
CENTRED = 2.0  # em by which what is left free on both sides of something centred differs at most
NUMBER = 3.0  # em; what stands at the beginning of a formula's row is no wider
FEW_HANZI = 0.3  # share of a formula's width that square characters take at most
RULE_ABOVE = 2.0  # em from a rule to the footnotes under it
NEAR_NOTE = 6.0  # em; by so much text may be farther from a note than other text beside it
LEVEL = 0.2  # of a line's height by which it and the label to its left are off
MAX_LINES = 3  # of a title or a caption


@dataclass(frozen=True, slots=True)
class Look:
    """How a line looks: `stroke` is the mean width of its strokes in pixels, `hanzi` the share of its width in square characters; whether
    it is a drop cap.
    """

    stroke: float
    hanzi: float
    drop_cap: bool


@dataclass(frozen=True, slots=True)
class Usual:
    """What is usual on a page: `em`, the height of its lines, and `stroke`, the width of their strokes, in pixels."""

    em: float
    stroke: float


def line_to_look(line: Run, ink: np.ndarray) -> Look:
    """Measure a line in the ink, uint8 (H, W), 1 = ink."""
    rows = ink[max(0, int(line.top)) : int(line.bottom), line.left : line.right]
    starts = np.count_nonzero(rows[:, 1:] > rows[:, :-1]) + np.count_nonzero(rows[:, 0])
    widths, heights = sizes(line.glyphs)
    square = (widths > 0.75 * line.height) & (widths < 1.3 * line.height) & (heights > 0.75 * line.height)
    return Look(np.count_nonzero(rows) / max(starts, 1), widths[square].sum() / max(widths.sum(), 1), line.drop_cap)


def usual(lines: Sequence[Line], looks: Sequence[Look]) -> Usual:
    """What most text looks like: medians over lines, as many times as they are wide."""
    widths = np.array([max(1, round(line.box.width)) for line in lines])
    heights, strokes = np.array([line.box.height for line in lines]), np.array([look.stroke for look in looks])
    return Usual(float(np.median(np.repeat(heights, widths))), float(np.median(np.repeat(strokes, widths))))


def column_to_blocks(lines: Sequence[Line], looks: Sequence[Look], page: Usual, levels: Parts, foot: bool) -> Iterator[Block]:
    """Part the running text of a column into paragraphs, titles, formulas and footnotes.

    Args:
        lines: in reading order.
        looks: how each looks.
        page: what is usual.
        levels: level rules of the page, in pixels.
        foot: whether the column ends with this text, so that there may be footnotes.
    """
    column = Block("text", tuple(lines)).box
    places = [_line_place(index, lines, column, page.em) for index in range(len(lines))]
    kinds = [_line_kind(line, look, place, column, page) for line, look, place in zip(lines, looks, places, strict=True)]
    notes = _footnotes(lines, column, page, levels) if foot else 0
    kinds[len(lines) - notes :] = ["footnote"] * notes
    same = [kind if kind == "footnote" else (kind, place in ("centre", "alone")) for kind, place in zip(kinds, places, strict=True)]
    start = 0
    for stop in range(1, len(lines) + 1):
        if stop == len(lines) or same[stop] != same[stop - 1] or kinds[stop] != "footnote" and _apart(lines[stop - 1], lines[stop]):
            yield Block(kinds[start], tuple(lines[start:stop]))
            start = stop


def _line_place(index: int, lines: Sequence[Line], column: Box, em: float) -> str:
    """Whether a line stands beside others in a "row", at the "side" of its column, in its "centre", or there "alone", level with none."""
    box = lines[index].box
    near = [line.box for line in (*lines[max(0, index - 3) : index], *lines[index + 1 : index + 4])]
    level = [other for other in near if min(box.bottom, other.bottom) - max(box.top, other.top) > box.height / 2]
    margins = box.left - column.left, column.right - box.right
    if any(other.left < column.left + 2 * em and NUMBER * em < other.width < box.left - other.left for other in level):
        return "row"  # the rest of a line behind a blank
    if min(margins) < 2 * em or abs(margins[0] - margins[1]) > CENTRED * em:
        return "row" if level else "side"
    return "centre" if any(min(abs(box.left - other.left), abs(box.right - other.right)) < em / 2 for other in near) else "alone"


def paragraphs(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """Part lines that follow one another where a white line stands between."""
    starts = [0, *(index for index in range(1, len(lines)) if _apart(lines[index - 1], lines[index]))]
    return (tuple(lines[start:stop]) for start, stop in pairwise([*starts, len(lines)]))


def _apart(above: Line, below: Line) -> bool:
    """Whether a line begins a paragraph, a white line after the one before."""
    return below.box.top - above.box.bottom > PARAGRAPH_GAP * max(above.box.height, below.box.height)


def _labels(note: Block, blocks: Sequence[Block]) -> Iterator[Block]:
    """The lines of a note, each by itself if all but the first stand level with a line below a short one: they label these."""
    texts = [block for block in blocks if block.box.left > note.box.right]
    steps = [(*step, block.box.right) for block in texts for step in pairwise(block.lines)]
    are_labels = all(any(_is_labelled(line, *step) for step in steps) for line in note.lines[1:])
    yield from (replace(note, lines=(line,)) for line in note.lines) if are_labels else (note,)


def _is_labelled(label: Line, above: Line, line: Line, end: float) -> bool:
    """Whether a line stands at the height of a label, and the one above ends before the end of the others, as the last of a paragraph."""
    off = abs(label.box.top + label.box.bottom - line.box.top - line.box.bottom) / 2
    return off < LEVEL * line.box.height and above.box.right < end - above.box.height


def _line_kind(line: Line, look: Look, place: str, column: Box, page: Usual) -> str:
    alone = place != "row" and line.box.width < FULL * column.width
    large = line.box.height > (LARGE if alone else VERY_LARGE) * page.em
    bold = look.stroke > BOLD * page.stroke and place != "row" and line.box.width < SHORT * column.width
    if (large or bold) and not look.drop_cap:
        return "title"
    return "formula" if place == "alone" and look.hanzi < FEW_HANZI else "text"


def _footnotes(lines: Sequence[Line], column: Box, page: Usual, levels: Parts) -> int:
    """How many lines at the end of a column are small, and stand under a short rule or a gap."""
    count = 0
    while count < len(lines) and lines[-1 - count].box.height < SMALL * page.em:
        count += 1
    beside = (levels[:, 0] < column.left + 2 * page.em) & (levels[:, 2] < column.right) & (levels[:, 2] > column.left)
    for number in range(count, 0, -1):
        below = lines[-number].box.top
        above = lines[-number - 1].box.bottom if number < len(lines) else below - RULE_ABOVE * page.em
        between = (levels[:, 1] > above - page.em / 4) & (levels[:, 3] < below + page.em / 4)
        if (beside & between).any() or count == number < len(lines) and below - above > PARAGRAPH_GAP * page.em:
            return number
    return 0


def with_captions(blocks: Sequence[Block], shown: Sequence[Box], page: Usual) -> Iterator[Block]:
    """Call short text centred above or below a table or a figure its caption.

    Args:
        blocks: of the page.
        shown: boxes of ruled tables, drawings and photographs, in pixels.
        page: what is usual.
    """
    shown = [block.box for block in blocks if block.kind in ("table", "figure")] + [*shown]
    for block in blocks:
        box = block.box
        caption = block.kind in ("text", "formula", "title") and len(block.lines) <= MAX_LINES and box.height < 2 * MAX_LINES * page.em
        small = max(line.box.height for line in block.lines) < LARGE * page.em
        yield replace(block, kind="caption") if caption and small and any(_captions(box, other, page) for other in shown) else block


def _captions(box: Box, shown: Box, page: Usual) -> bool:
    """Whether a box stands centred right above or below a table or figure, and is not wider."""
    gap = max(box.top - shown.bottom, shown.top - box.bottom)
    off = box.left + box.right - shown.left - shown.right
    return -page.em < gap < NEAR * page.em and abs(off) < CENTRED * page.em and box.width < max(shown.width, 12 * page.em)


def insert_notes(blocks: Sequence[Block], notes: Sequence[Block]) -> list[Block]:
    """Put each note of the margin by the paragraph beside which it begins, before it if it stands to the left, as labels do, else after.

    A block of several paragraphs is parted there, and before a line that is level with a note to its left if the one above is short.
    """
    blocks = list(blocks)
    for note in sorted(chain.from_iterable(_labels(note, blocks) for note in notes), key=lambda note: note.box.top):
        top, size = note.box.top, note.lines[0].box.height
        boxes = [block.box for block in blocks]
        ends = [median(other.right for other in boxes if abs(other.left - box.left) < 2 * size) for box in boxes]
        beside = [
            (max(block.box.left - note.box.right, note.box.left - end) // (NEAR_NOTE * size), -block.box.top, index)
            for index, (block, end) in enumerate(zip(blocks, ends, strict=True))
            if block.kind not in ("header", "footer", "note") and block.box.top <= top + size
        ]
        place = min(beside)[2] if beside else -1
        if beside:
            lines, left = blocks[place].lines, blocks[place].box.left
            indented = [line.box.left > left + line.box.height for line in lines]
            starts = [stop for stop in range(1, len(lines)) if indented[stop] > indented[stop - 1] or _apart(lines[stop - 1], lines[stop])]
            if note.box.right <= left + size:
                steps = enumerate(pairwise(lines), 1)
                starts += [stop for stop, step in steps if _is_labelled(note.lines[0], *step, ends[place])]
                stop = max((stop for stop in starts if lines[stop].box.top <= top + size), default=0)
            else:
                stop = min((stop for stop in starts if lines[stop].box.top > top), default=0)
            if stop:
                blocks[place : place + 1] = [replace(blocks[place], lines=part) for part in (lines[:stop], lines[stop:])]
            if note.box.right <= left + size:
                blocks.insert(place + bool(stop), note)
                continue
        while place + 1 < len(blocks) and blocks[place + 1].kind == "note":
            place += 1
        blocks.insert(place + 1, note)
    return blocks
