"""Which way up a page is, told by the recogniser: a page that reads surely stays, another is read in samples at all four turns."""

from collections.abc import Sequence

from docrec.charset import Charset
from docrec.chunk import ChunkReader, is_wide, line_to_chunks
from docrec.ctc import Reading
from docrec.document import Line
from docrec.layout import find_blocks
from docrec.source import PageImage
from docrec.upright import turn

SURE = 0.85
"""Mean confidence of a page's characters from which on it is surely the right way up: pages and scans reach 0.93 to 1, upside down 0.6
to 0.8, on their side 0.5 to 0.65."""
SURER = 0.1
"""By how much a page must be read more surely at another turn to be turned; as horizontal text it may be read less surely by as much."""
SAMPLE_LINES = 8
SAMPLE_CHUNKS = 12
FEW = 4
"""So many characters read with no confidence at all are added to each sample, so that one lucky stroke decides nothing."""


def reads_surely(lines: Sequence[Line], readings: Sequence[Reading], charset: Charset) -> bool:
    """Whether what was read in the lines of a page shows that it is the right way up.

    Letters lie on their side in vertical text: a page of nothing else, turned by a quarter, is read as well.
    """
    wide = [is_wide(charset.characters[mark.label]) for reading in readings for mark in reading.marks]
    return _sureness(readings, charset, 0) >= SURE and (not _is_vertical(lines) or 2 * sum(wide) > len(wide))


def to_right_side_up(page: PageImage, lines: Sequence[Line], layout: str, recognizer: ChunkReader) -> PageImage:
    """Turn a page by the quarters at which a sample of its lines is read most surely.

    Args:
        page: the page, cleaned and straight.
        lines: what was found on it.
        layout: see `layout.find_blocks`.
        recognizer: see `recognizer.load`.

    Returns:
        The page; the same pixels, not a copy, where no other turn is clearly better.
    """

    def sureness(page: PageImage, lines: Sequence[Line]) -> float:
        return _sureness(_sample(page, lines, recognizer), recognizer.charset, FEW)

    found = [sureness(page, lines)]
    for quarters in range(1, 4):
        nothing = quarters > 1 and not found[quarters - 2]  # upside down there is nothing to read, either
        turned = turn(page, quarters)
        found.append(0.0 if nothing else sureness(turned, [line for block in find_blocks(turned, layout) for line in block.lines]))
    now, *others = found
    needed = now - SURER if _is_vertical(lines) else now + SURER
    return turn(page, others.index(max(others)) + 1) if max(others) > needed else page


def _is_vertical(lines: Sequence[Line]) -> bool:
    return 2 * sum(line.vertical for line in lines) > len(lines)


def _sample(page: PageImage, lines: Sequence[Line], recognizer: ChunkReader) -> list[Reading]:
    """Readings of those lines of a page that have the most characters."""
    lines = sorted((line for line in lines if not line.script), key=_slenderness, reverse=True)
    chunks = [chunk for line in lines[:SAMPLE_LINES] for chunk in line_to_chunks(page.gray, line, 0)]
    return list(recognizer.read(chunks[:SAMPLE_CHUNKS], SAMPLE_CHUNKS))


def _slenderness(line: Line) -> float:
    return max(line.box.width / line.box.height, line.box.height / line.box.width)


def _sureness(readings: Sequence[Reading], charset: Charset, few: int) -> float:
    """Mean confidence of the letters of some readings, not of dots as in leaders, and of a few more without any."""
    marks = [mark.confidence for reading in readings for mark in reading.marks if charset.characters[mark.label].isalnum()]
    return sum(marks) / max(len(marks) + few, 1)
