"""What reading a document yields: Box, Glyph, Line and Page, plain frozen values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

POINTS_PER_INCH = 72
MAX_INDENT = 40  # spaces


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

    `ranking` holds, if asked for, the likeliest characters here and how sure the reader is of each, likeliest first; what stands
    around it, by which a comma may be taken for a full-width one, is not looked at.
    """

    char: str
    left: float
    right: float
    confidence: float
    ranking: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One text line: its Box on the page and its glyphs from left to right."""

    box: Box
    glyphs: tuple[Glyph, ...]

    @property
    def text(self) -> str:
        """The line's characters."""
        return "".join(glyph.char for glyph in self.glyphs)

    @property
    def confidence(self) -> float:
        """Mean confidence of the glyphs, 0 to 1; 0 for a line without any."""
        return sum(glyph.confidence for glyph in self.glyphs) / len(self.glyphs) if self.glyphs else 0.0


@dataclass(frozen=True, slots=True)
class Page:
    """One page as read: `index` from 0, size in pixels at `dpi` pixels per inch, lines in reading order."""

    index: int
    width: int
    height: int
    dpi: float
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The page as plain text, a row a line, without a newline at the end.

        A line that begins to the right of the others of its block is indented by two spaces for each em.
        """
        rows = (" " * spaces + line.text for block in _blocks(self.lines) for line, spaces in zip(block, _indents(block), strict=True))
        return "\n".join(rows)

    def to_points(self, box: Box) -> Box:
        """Convert a Box of this page from pixels to PDF points (1/72 inch, origin still top left)."""
        scale = POINTS_PER_INCH / self.dpi
        return Box(box.left * scale, box.top * scale, box.right * scale, box.bottom * scale)


def _blocks(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Runs of lines that follow one another closely, each below the last."""
    block: list[Line] = []
    for line in lines:
        if block:
            last = block[-1].box
            gap = line.box.top - last.bottom
            apart = line.box.left >= last.right or line.box.right <= last.left
            if apart or not -0.5 * last.height < gap < 1.2 * max(last.height, line.box.height):
                yield block
                block = []
        block.append(line)
    if block:
        yield block


def _indents(block: Sequence[Line]) -> list[int]:
    """Spaces before each line of a block, two for an em; a line's height stands for its em."""
    margin = min(line.box.left for line in block)
    return [min(2 * round((line.box.left - margin) / max(line.box.height, 1)), MAX_INDENT) for line in block]
