"""What reading a document yields: Page, Block, Line, Glyph and Box, plain frozen values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

POINTS_PER_INCH = 72
MAX_INDENT = 40  # spaces
LEVEL = 0.6  # of the height of the higher of two lines that stand side by side; so much they share
BASELINE = 0.13  # of the height of a line, from its bottom up
KINDS = ("text", "title", "header", "footer", "footnote", "note", "caption", "table", "formula", "figure")
"""What a block can be; page numbers are headers or footers, a note stands in the margin, a figure's block is the text inside it."""
_SUPERSCRIPTS = str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ")
_SUBSCRIPTS = str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in page pixels, origin top left; `right` and `bottom` are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        if self.right < self.left or self.bottom < self.top:
            raise ValueError(f"a box needs left <= right and top <= bottom, got {self}")

    @property
    def width(self) -> float:
        """Horizontal extent in pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Vertical extent in pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character as read: where it stands (`left`, `right` in page pixels) and how sure the reader is (0 to 1).

    In a line of vertical text, `left` and `right` are its top and bottom. `script` is 1 for a superscript, -1 for a subscript, else 0.
    `ranking` holds, if asked for, the likeliest characters here and how sure the reader is of each, likeliest first; what stands
    around it, by which a comma may be taken for a full-width one, is not looked at.
    """

    char: str
    left: float
    right: float
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()
    script: int = 0

    @property
    def text(self) -> str:
        """The character; of a super- or subscript in the form that Unicode has for it, if it has one."""
        return self.char.translate(_SUPERSCRIPTS if self.script > 0 else _SUBSCRIPTS) if self.script else self.char


@dataclass(frozen=True, slots=True)
class Line:
    """One text line.

    Attributes:
        box: the line on the page. Its height, or its width if the line is vertical, is that of a full Hanzi's ink.
        glyphs: from left to right, or from top to bottom; none before the line is read.
        vertical: whether the line runs from top to bottom.
        cell: row and column of the table cell the line stands in, from 0; None outside tables.
        script: 1 or -1 for a super- or subscript found apart from the line before it in its block; reading puts its glyphs into that line.
        layer: whether its glyphs are those of the document's own text layer, not read.
        bands: of a line not yet read whose type is of several sizes, the boxes of its pieces, as `box` would be for each; else none.
    """

    box: Box
    glyphs: tuple[Glyph, ...] = ()
    vertical: bool = False
    cell: tuple[int, int] | None = None
    script: int = 0
    layer: bool = False
    bands: tuple[Box, ...] = ()

    @property
    def text(self) -> str:
        """The line's characters; super- and subscripts in the forms that Unicode has for them, else plain."""
        return "".join(glyph.text for glyph in self.glyphs)

    @property
    def confidence(self) -> float:
        """Mean confidence of the glyphs, 0 to 1; 0 for a line without any."""
        return sum(glyph.confidence for glyph in self.glyphs) / len(self.glyphs) if self.glyphs else 0.0


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that belong together, in reading order, and what they are: one of KINDS."""

    kind: str
    lines: tuple[Line, ...]

    @property
    def box(self) -> Box:
        """The smallest Box around the lines."""
        boxes = [line.box for line in self.lines]
        return Box(min(b.left for b in boxes), min(b.top for b in boxes), max(b.right for b in boxes), max(b.bottom for b in boxes))

    @property
    def text(self) -> str:
        """A row a line, two spaces between lines that stand side by side; of a table, a row a row, its cells separated by tabs.

        A line that begins to the right of the others of its paragraph is indented by two spaces for each em.
        """
        if self.kind == "table":
            return "\n".join(_table_rows(self.lines))
        return "\n".join(" " * spaces + row.text for run in runs(rows(self.lines)) for row, spaces in zip(run, indents(run), strict=True))


@dataclass(frozen=True, slots=True)
class Scan:
    """How the page as it was given lies under the page as it was read.

    Attributes:
        width, height: of the page as given, in pixels at the same resolution.
        matrix: a homography from the pixels of the page as read to those of the page as given, row by row.
    """

    width: int
    height: int
    matrix: tuple[float, float, float, float, float, float, float, float, float]

    def corners(self, box: Box) -> tuple[tuple[float, float], ...]:
        """Where the top left, top right, bottom right and bottom left of a box are on the page as given, as (x, y)."""
        a, b, c, d, e, f, g, h, i = self.matrix
        points = ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))
        depths = [g * x + h * y + i for x, y in points]
        return tuple(((a * x + b * y + c) / w, (d * x + e * y + f) / w) for (x, y), w in zip(points, depths, strict=True))


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read.

    Attributes:
        index: from 0.
        width, height: in pixels at `dpi` pixels per inch.
        dpi: see above.
        blocks: in reading order.
        steps: what was done to the page before it was read, in words.
        scan: the page as given, if it was turned, straightened or cut before it was read.
    """

    index: int
    width: int
    height: int
    dpi: float
    blocks: tuple[Block, ...]
    steps: tuple[str, ...] = ()
    scan: Scan | None = None

    @property
    def lines(self) -> tuple[Line, ...]:
        """The lines of all blocks, in reading order."""
        return tuple(line for block in self.blocks for line in block.lines)

    @property
    def layer(self) -> bool:
        """Whether text of the page is that of the document's own text layer."""
        return any(line.layer for line in self.lines)

    @property
    def text(self) -> str:
        """The page as plain text, block after block, without a newline at the end."""
        return "\n".join(block.text for block in self.blocks)

    def to_points(self, box: Box) -> Box:
        """Convert a Box of this page from pixels to PDF points (1/72 inch, origin still top left)."""
        scale = POINTS_PER_INCH / self.dpi
        return Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)


def _table_rows(lines: Sequence[Line]) -> Iterator[str]:
    """The rows of a table, its lines being in the order of their cells; what has several lines in a cell is written with spaces between."""
    for _, row in groupby(lines, key=lambda line: line.cell and line.cell[0]):
        yield "\t".join(" ".join(line.text for line in cell) for _, cell in groupby(row, key=lambda line: line.cell))


def rows(lines: Sequence[Line]) -> list[Line]:
    """Lines, of which those that stand side by side and follow one another are one, with two spaces between."""
    result: list[Line] = []
    for line in lines:
        if result and _beside(result[-1], line):
            before = result[-1]
            box = Block("text", (before, line)).box
            gap = Glyph(" ", before.glyphs[-1].right, line.glyphs[0].left, 1.0)
            result[-1] = replace(before, box=box, glyphs=(*before.glyphs, gap, gap, *line.glyphs))
        else:
            result.append(line)
    return result


def _beside(before: Line, line: Line) -> bool:
    """Whether a line stands to the right of another, level with it; below it, if they are vertical."""
    last, box = turned(before), turned(line)
    shared = min(last.bottom, box.bottom) - max(last.top, box.top)
    level = line.vertical == before.vertical and shared > LEVEL * max(last.height, box.height)
    return level and box.left >= last.right and bool(before.glyphs and line.glyphs)


def runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Lines that follow one another closely, each below the last, or to its left."""
    run: list[Line] = []
    for line in lines:
        if run and not follows(run[-1], line):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def follows(before: Line, line: Line) -> bool:
    """Whether a line stands right below another, or to its left if they are vertical, with no white line between."""
    last, box = turned(before), turned(line)
    if line.vertical != before.vertical or box.left >= last.right or box.right <= last.left:
        return False
    return -0.5 * last.height < box.top - last.bottom < 1.2 * max(last.height, box.height)


def indents(run: Sequence[Line]) -> list[int]:
    """Spaces before each line of a run, two for an em; a line's height stands for its em."""
    boxes = [turned(line) for line in run]
    margin = min(box.left for box in boxes)
    return [min(2 * round((box.left - margin) / max(box.height, 1)), MAX_INDENT) for box in boxes]


def turned(line: Line) -> Box:
    """The box of a line; of a vertical one, as it lies when the page is turned to the left."""
    box = line.box
    return Box(box.top, -box.right, box.bottom, -box.left) if line.vertical else box
