"""Markdown (CommonMark, with GitHub's tables): titles, paragraphs, lists and tables as they are on the page."""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from statistics import median

from docrec.document import POINTS_PER_INCH, Block, Line, Page, turned
from docrec.options import WriteOptions
from docrec.writers.paragraphs import BULLET, LABEL, NUMBER, Paragraph, block_to_paragraphs, table_to_cells
from docrec.writers.words import numbered

LEVELS = (1.55, 1.3, 1.1)
"""Times as high as running text are titles of the first, second and third level at least; others are of the fourth. LaTeX's classes and
the usual 二号, 三号 and 四号 over 小四 are told apart so on each page for itself, as pages are written one by one."""
USUAL_SIZE = 9.7
"""Height of a Hanzi's ink in points where no page yet had running text: 五号, the commonest."""
SPECIAL = re.compile(r"[`*_\[\]>|~$]|\\(?=[!-/:-@\[-`{-~]|$)|<(?=[A-Za-z/!?])|&(?=#?\w+;)")
"""What Markdown takes for its own anywhere; a backslash, `<` and `&` only before what makes them so."""
OPENING = re.compile(r"^(\d*)([-+=#.)])(?=[\s=#-]|$)")
"""What it takes for the sign of a list, a title or a rule at the beginning."""


def md(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """Headers, footers and the beginnings of pages are comments; notes of the margin and text of figures are quoted."""
    size = USUAL_SIZE
    separator = ""
    for number, page in numbered(pages):
        size = _text_size(page) or size
        parts = [f"<!-- page {number} -->"]
        before = None
        for block in page.blocks:
            for text in _block(block, page, size):
                found = re.match(r"(-|\d+\.) ", text)
                sign = found and found[1].lstrip("0123456789")  # items of one list have the same
                parts.append(("\n" if sign and sign == before else "\n\n") + text)
                before = sign
        yield f"{separator}{''.join(parts)}\n".encode()
        separator = "\n"


def _text_size(page: Page) -> float | None:
    """The height of most of a page's running text in points; None if it has none."""
    heights = [turned(line).height for block in page.blocks if block.kind == "text" for line in block.lines for _ in line.glyphs]
    return median(heights) * POINTS_PER_INCH / page.dpi if heights else None


def _block(block: Block, page: Page, size: float) -> Iterator[str]:
    """The pieces of a block, each to stand apart from the next unless both are items of a list."""
    paragraphs = block_to_paragraphs(block, page)
    match block.kind:
        case "table":
            yield _table(block)
        case "header" | "footer":
            text = " ".join(paragraph.line.text for paragraph in paragraphs)
            yield f"<!-- {block.kind}: {re.sub('-(?=-)', '- ', text)} -->"  # two hyphens would end the comment
        case "note" | "figure":
            yield "\n".join("> " + _inline(paragraph.line) + "\\" for paragraph in paragraphs).removesuffix("\\")
        case "title":
            for paragraph in paragraphs:
                yield f"{'#' * _level(paragraph, page, size)} {_inline(paragraph.line)}"
        case _:
            for paragraph in paragraphs:
                yield _paragraph(paragraph.line) if block.kind == "text" else _inline(paragraph.line)


def _level(paragraph: Paragraph, page: Page, size: float) -> int:
    height = max(turned(line).height for line in paragraph.lines) * POINTS_PER_INCH / page.dpi
    return 1 + sum(height < least * size for least in LEVELS)


def _paragraph(line: Line) -> str:
    """A paragraph, or an item of a list; Markdown has but one way to number, so that other numbers stay in the text."""
    text = line.text
    if found := re.match(NUMBER, text):
        return f"{found[1]}. {_inline(line, found.end())}"
    if found := re.match(BULLET, text):
        return f"- {_inline(line, found.end())}"
    return f"- {_inline(line)}" if re.match(LABEL, text) else _inline(line)


def _inline(line: Line, start: int = 0) -> str:
    """The text of a line from a glyph on, with what Markdown would take for its own signs made plain."""
    parts = []
    for script, glyphs in groupby(line.glyphs[start:], key=lambda glyph: glyph.script):
        text = SPECIAL.sub(r"\\\g<0>", "".join(glyph.char for glyph in glyphs))
        tag = {1: "sup", -1: "sub", 0: ""}[script]
        parts.append(f"<{tag}>{text}</{tag}>" if tag else text)
    return OPENING.sub(r"\g<1>\\\g<2>", "".join(parts).strip())


def _table(block: Block) -> str:
    """A pipe table, whose first row is the head, as Markdown needs one."""
    table = [[_inline(cell) if cell else "" for cell in row] for row in table_to_cells(block)]
    table.insert(1, ["---"] * len(table[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in table)
