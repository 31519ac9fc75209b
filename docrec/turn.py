"""Which way up a page is, told by the recogniser: a page that reads surely stays, another is read in samples at all four turns."""

from collections.abc import Sequence

from docrec.chunk import line_to_chunks
from docrec.ctc import Reading
from docrec.layout import find_blocks
from docrec.recognizer import Recognizer
from docrec.source import PageImage
from docrec.upright import turn

SURE = 0.85
"""Mean confidence of a page's characters from which on it is surely the right way up: pages and scans reach 0.93 to 1, upside down 0.6
to 0.8, on their side 0.5 to 0.65."""
SURER = 0.1
"""By how much a page must be read more surely at another turn to be turned."""
SAMPLE_LINES = 8
SAMPLE_CHUNKS = 12
FEW = 4
"""So many characters read with no confidence at all are added to each sample, so that one lucky stroke decides nothing."""


def reads_surely(readings: Sequence[Reading]) -> bool:
    """Whether what was read on a page shows that it is the right way up."""
    return _sureness(readings, 0) >= SURE


def to_right_side_up(page: PageImage, layout: str, recognizer: Recognizer) -> PageImage:
    """Turn a page by the quarters at which a sample of its lines is read most surely.

    Args:
        page: the page, cleaned and straight.
        layout: see `layout.find_blocks`.
        recognizer: see `recognizer.load`.

    Returns:
        The page; the same pixels, not a copy, where no other turn is clearly better.
    """
    sureness = [_sureness(_sample(turn(page, quarters), layout, recognizer), FEW) for quarters in range(4)]
    best = sureness.index(max(sureness))
    return turn(page, best) if sureness[best] > sureness[0] + SURER else page


def _sample(page: PageImage, layout: str, recognizer: Recognizer) -> list[Reading]:
    """Readings of the longest lines of a page, counted in their own height."""
    lines = sorted((line for block in find_blocks(page, layout) for line in block.lines), key=lambda line: -line.box.width / line.box.height)
    chunks = [chunk for line in lines[:SAMPLE_LINES] for chunk in line_to_chunks(page.gray, line.box, 0)]
    return list(recognizer.read(chunks[:SAMPLE_CHUNKS], SAMPLE_CHUNKS))


def _sureness(readings: Sequence[Reading], few: int) -> float:
    """Mean confidence of the marks of some readings and of a few more without any."""
    marks = [mark.confidence for reading in readings for mark in reading.marks]
    return sum(marks) / max(len(marks) + few, 1)
