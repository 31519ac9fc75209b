"""A page's text as the invisible layer of a PDF page: every character at its place on the page as it was given."""

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from docrec.document import Line, Page
from docrec.writers.glyphless import DESCENT, Glyphless

TOLERANCE = 0.1
"""Part of the type size by which a character may begin beside its place, which lets characters of about one width share an operator."""
MIN_ADVANCE = 0.05
"""Of a character, in type sizes: no reader takes characters for drawn over one another."""


def page_to_content(page: Page, to_points: np.ndarray, font: Glyphless, name: str) -> bytes:
    """Write a page's lines, but for those of its own text layer, in text rendering mode 3, invisible: ISO 32000-1, section 9.3.6.

    Each line is stretched so that every character reaches as far as the next begins. There are thus no gaps, for which readers would
    put spaces, and the only spaces are those that were read. Vertical lines are written as horizontal ones on their side, which all
    readers put together; as the glyphs are empty, it makes no difference.

    Args:
        page: as read.
        to_points: float (3, 3), a homography from the pixels of the page as given to the points of PDF user space.
        font: to encode the characters with.
        name: of the font in the page's resources.

    Returns:
        A content stream that leaves the graphics state as it was; empty if the page has no text.
    """
    matrix = to_points @ np.reshape(page.scan.matrix, (3, 3)) if page.scan else to_points
    lines = "".join(_line_to_operators(line, matrix, font, name) for line in page.lines if line.glyphs and not line.layer)
    return f"q\nBT\n3 Tr\n{lines}ET\nQ\n".encode() if lines else b""


def _line_to_operators(line: Line, matrix: np.ndarray, font: Glyphless, name: str) -> str:
    """A line: its place, direction and size, then pieces of text of one width of character each."""
    box = line.box
    along = [*(glyph.left for glyph in line.glyphs), max(line.glyphs[-1].right, line.glyphs[0].left + 1)]
    if line.vertical:
        left, middle = box.left - DESCENT / 1000 * box.width, (box.top + box.bottom) / 2
        feet = _carry(matrix, [(left, y) for y in along])
        sides = _carry(matrix, [(box.left, middle), (box.right, middle)])
    else:
        baseline, middle = box.bottom + DESCENT / 1000 * box.height, (box.left + box.right) / 2
        feet = _carry(matrix, [(x, baseline) for x in along])
        sides = _carry(matrix, [(middle, box.top), (middle, box.bottom)])
    size = max(round(float(np.hypot(*(sides[1] - sides[0]))), 2), 0.1)
    x, y = (feet[-1] - feet[0]) / np.hypot(*(feet[-1] - feet[0]))
    places = ((feet - feet[0]) @ (x, y)).tolist()
    text = line.text
    pieces = "".join(
        f"{_number(100 * advance / size, 1)} Tz<{font.encode(text[start:stop])}>Tj " for start, stop, advance in _pieces(places, size)
    )
    turn = " ".join(_number(value, 4) for value in (x, y, -y, x))
    return f"/{name} {_number(size, 2)} Tf {turn} {_number(feet[0, 0], 2)} {_number(feet[0, 1], 2)} Tm {pieces}\n"


def _pieces(places: Sequence[float], size: float) -> Iterator[tuple[int, int, float]]:
    """Cut a line where characters of one width no longer keep to their places: the swing filter of piecewise linear approximation.

    Args:
        places: of the characters along the line, and of its end, in points.
        size: of the type, in points.

    Yields:
        First character, character after the last, and width of each in points; the pieces follow one another without a gap.
    """
    reached = 0.0
    start = 0
    while start < len(places) - 1:
        low, high = MIN_ADVANCE * size, float("inf")
        stop = start
        for end in range(start + 1, len(places)):
            ahead, count = places[end] - reached, end - start
            least, most = max(low, (ahead - TOLERANCE * size) / count), min(high, (ahead + TOLERANCE * size) / count)
            if least > most and stop > start:
                break
            low, high, stop = least, max(least, most), end
        advance = min(max((places[stop] - reached) / (stop - start), low), high)
        advance = round(1000 * advance / size) / 1000 * size  # as it will be written
        reached += advance * (stop - start)
        yield start, stop, advance
        start = stop


def _carry(matrix: np.ndarray, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Points, float64 (N, 2), under a homography."""
    return cv2.perspectiveTransform(np.array([points], np.float64), matrix)[0]


def _number(value: float, digits: int) -> str:
    return f"{round(value, digits) + 0.0:.{digits}f}".rstrip("0").rstrip(".")  # the sum turns -0.0 into 0.0
