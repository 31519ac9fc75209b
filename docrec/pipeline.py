"""The whole flow: a document's pages, one after another, from pixels to text."""

import os
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import BinaryIO

import numpy as np

from docrec.chunk import Chunk, line_to_chunks, readings_to_line
from docrec.clean import clean
from docrec.ctc import Reading
from docrec.document import Box, Line, Page
from docrec.layout import find_lines, to_ink_extent
from docrec.options import ReadOptions
from docrec.recognizer import Recognizer
from docrec.source import PageImage, open_source

DOUBTFUL = 0.7  # mean confidence of a line below which it is read again at another size


def recognize(document: str | os.PathLike[str] | BinaryIO, recognizer: Recognizer, options: ReadOptions | None = None) -> Iterator[Page]:
    """Read a document.

    Args:
        document: path or binary stream of a PDF or an image.
        recognizer: see `recognizer.load`.
        options: see ReadOptions.

    Returns:
        Its pages in order, each as soon as it is read; pages wait for the batch their last line is in.

    Raises:
        DocrecError: see errors; before the first page where the document itself is at fault.
    """
    options = options or ReadOptions()
    started: deque[_StartedPage] = deque()

    def chunks() -> Iterator[Chunk]:
        for image in source:
            page = _start(clean(image))
            started.append(page)
            yield from page.chunks

    with open_source(document, options) as source:
        for reading in recognizer.read(chunks(), options.batch_size):
            next(page for page in started if not page.is_read).readings.append(reading)
            while started and started[0].is_read:
                yield _finish(started.popleft(), recognizer)
        while started:
            yield _finish(started.popleft(), recognizer)


@dataclass
class _StartedPage:
    """A page that is cut into chunks and waits for their readings."""

    index: int
    gray: np.ndarray
    dpi: float
    boxes: tuple[Box, ...]
    chunks: list[Chunk]
    readings: list[Reading] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        return len(self.readings) == len(self.chunks)


def _start(image: PageImage) -> _StartedPage:
    boxes = find_lines(image)
    chunks = [chunk for number, box in enumerate(boxes) for chunk in line_to_chunks(image.gray, box, number)]
    return _StartedPage(image.index, image.gray, image.dpi, boxes, chunks)


def _finish(page: _StartedPage, recognizer: Recognizer) -> Page:
    lines = []
    for number, pairs in groupby(zip(page.chunks, page.readings, strict=True), key=lambda pair: pair[0].line):
        chunks, readings = zip(*pairs, strict=True)
        line = readings_to_line(chunks, readings, page.boxes[number], recognizer.charset)
        lines.append(line if line.confidence >= DOUBTFUL else _read_again(line, page.gray, recognizer))
    height, width = page.gray.shape
    return Page(page.index, width, height, page.dpi, tuple(line for line in lines if line.glyphs))


def _read_again(line: Line, gray: np.ndarray, recognizer: Recognizer) -> Line:
    """Read a doubtful line at the size that it has if all its ink is one row of Hanzi; the surer reading counts."""
    box = to_ink_extent(gray, line.box)
    if box.height > 0.9 * line.box.height:
        return line
    chunks = line_to_chunks(gray, box, 0)
    again = readings_to_line(chunks, list(recognizer.read(chunks, len(chunks))), box, recognizer.charset)
    return max(line, again, key=lambda reading: reading.confidence)
