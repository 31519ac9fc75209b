"""Paragraphs: which lines of a block belong to one, and the lines of one joined."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, takewhile

from docrec.charset import is_full_width_mark, is_wide
from docrec.document import Block, Glyph, Line, Page, follows, indents, rows, runs, turned

JOINED = ("text", "title", "footnote", "note", "caption")
"""Kinds of blocks in which lines go on; in the others each stands for itself."""
INDENT = 0.8  # em by which the first line of a paragraph is set in at least
SPARE = 1.0  # em that are left free at least, beyond the next word, behind the last line of a paragraph
ENDS = 3  # lines that end where none of their block goes on farther: it fills its column
SAME_SIZE = 1.25  # times as high at most are the lines of one paragraph
BULLET = r"[•●○■□◆◇▪‣►]|[-–·*](?=\s)"
NUMBER = r"(\d{1,3})[.)．、）](?![\d.])"
LABEL = r"[(（\[［【〔](?:\d{1,3}|[一二三四五六七八九十]{1,3}|[a-zA-Z])[)）\]］】〕]|[①-⑳]|[一二三四五六七八九十]{1,3}、"
ITEM = re.compile("|".join((BULLET, NUMBER, LABEL)))
"""What begins an item of a list."""
NUMBERED_TITLE = re.compile(r"\d{1,2}(?:\.\d{1,2})+[.．、]?\s|第[一二三四五六七八九十百\d]{1,4}[章节条]")
"""What begins a title; in text, such a number may be any."""
LEADER = re.compile(r"(?:[.．·…⋯]\s?){3,}\s*[\divxlIVXL]+$")
"""What ends a line of a table of contents."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines that are read as one.

    Attributes:
        kind: of its block, one of document.KINDS.
        lines: in reading order.
        indent: spaces before the first one, two for an em.
    """

    kind: str
    lines: tuple[Line, ...]
    indent: int = 0

    @property
    def line(self) -> Line:
        """All its lines joined into one."""
        return join(self.lines)


def page_to_text(page: Page) -> str:
    """The page as plain text, a paragraph a line, indented, with an empty line where paragraphs stand apart; no newline at the end."""
    parts: list[str] = []
    last: Line | None = None
    for block in page.blocks:
        for paragraph in block_to_paragraphs(block, page):
            if last and not follows(last, paragraph.lines[0]):
                parts.append("")
            if block.kind == "table":
                parts.extend("\t".join(cell.text if cell else "" for cell in row) for row in table_to_cells(block))
            else:
                parts.append(" " * paragraph.indent + paragraph.line.text)
            last = paragraph.lines[-1]
    return "\n".join(parts)


def table_to_cells(table: Block) -> list[list[Line | None]]:
    """The rows of a table, the lines of a cell joined; None for cells without text, and those that others reach over."""
    cells = {cell: join(tuple(lines)) for cell, lines in groupby(table.lines, key=lambda line: line.cell or (0, 0))}
    height, width = (1 + max(places) for places in zip(*cells, strict=True))
    return [[cells.get((row, column)) for column in range(width)] for row in range(height)]


def block_to_paragraphs(block: Block, page: Page) -> list[Paragraph]:
    """Part a block where a line is set in, or the one before ends early, or an item begins; a table is one paragraph.

    Args:
        block: of the page.
        page: tells how far the lines of its column reach.
    """
    if block.kind == "table":
        return [Paragraph(block.kind, block.lines)]
    paragraphs: list[Paragraph] = []
    end = _column_end(block, page)
    for run in runs(rows(block.lines)):
        spaces = indents(run)
        start = 0
        for stop in range(1, len(run) + 1):
            if stop == len(run) or block.kind not in JOINED or _begins(run[start:stop], run[stop], end, block.kind):
                paragraphs.append(Paragraph(block.kind, tuple(run[start:stop]), spaces[start]))
                start = stop
    return paragraphs


def _column_end(block: Block, page: Page) -> float:
    """How far to the right the lines of a column reach, at most up to what stands beside; downwards, if they are vertical."""
    left, top, right, bottom = _extent(block.lines)
    em = turned(block.lines[0]).height
    if sum(turned(line).right > right - em for line in block.lines) >= ENDS:
        return right
    others = [_extent(other.lines) for other in page.blocks if other.lines[0].vertical == block.lines[0].vertical]
    beside = min((start for start, high, _, low in others if start > right and high < bottom and top < low), default=math.inf)
    return max(stop for start, _, stop, _ in others if stop < beside and min(right, stop) - max(left, start) > 0.8 * (right - left))


def _extent(lines: Sequence[Line]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of lines, as they lie when vertical ones are turned to the left."""
    lefts, tops, rights, bottoms = zip(*((box.left, box.top, box.right, box.bottom) for box in map(turned, lines)), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _begins(before: Sequence[Line], line: Line, end: float, kind: str) -> bool:
    """Whether a line begins a paragraph, and does not go on with the lines before."""
    last, box = turned(before[-1]), turned(line)
    if ITEM.match(line.text) or LEADER.search(before[-1].text) or max(last.height, box.height) > SAME_SIZE * min(last.height, box.height):
        return True
    if kind in ("title", "caption"):
        return bool(NUMBERED_TITLE.match(line.text))
    set_in = box.left - last.left > INDENT * box.height
    hangs = len(before) == 1 and bool(ITEM.match(before[0].text))
    return set_in and not hangs or end - last.right > _first_word(line) + SPARE * box.height


def _first_word(line: Line) -> float:
    """The width of what would have to stand on the line before if any of this one did."""
    first, *rest = line.glyphs
    if is_wide(first.char):
        word = takewhile(lambda glyph: is_full_width_mark(glyph.char), rest)
    else:
        word = takewhile(lambda glyph: not glyph.char.isspace() and not is_wide(glyph.char), rest)
    return max((glyph.right for glyph in word), default=first.right) - first.left


def join(lines: Sequence[Line]) -> Line:
    """Lines as one, with the box of the first: a space where words meet, none beside Hanzi, and divided words made whole."""
    glyphs = list(lines[0].glyphs)
    for before, line in pairwise(lines):
        if _is_divided(before.text, line.text):
            glyphs.pop()
        elif not (is_wide(glyphs[-1].char) or is_wide(line.glyphs[0].char) or before.text.endswith("-")):
            glyphs.append(Glyph(" ", glyphs[-1].right, glyphs[-1].right, 1.0))
        glyphs.extend(line.glyphs)
    return replace(lines[0], glyphs=tuple(glyphs))


def _is_divided(before: str, text: str) -> bool:
    """Whether a hyphen at the end of a line divides a word: letters stand before, and it goes on with a small one."""
    return bool(re.search(r"[A-Za-z][-\u00ad\u2010]$", before)) and text[:1].islower()
