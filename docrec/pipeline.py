"""The whole flow: a document's pages, or pictures of single lines, one after another, from pixels to text."""

import itertools
import logging
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import numpy as np

from docrec.band import to_ink_extent
from docrec.charset import is_wide
from docrec.chunk import Chunk, ChunkReader, line_to_chunks, picture_to_line, readings_to_line
from docrec.clean import clean, to_readable_size
from docrec.ctc import Reading
from docrec.document import Block, Line, Page
from docrec.layout import find_blocks
from docrec.options import ReadOptions
from docrec.polarity import line_to_dark_on_light
from docrec.scripts import holding, with_level_scripts
from docrec.source import PageImage, open_source
from docrec.textlayer import blocks_with_layer, is_typeset, with_layer_upright
from docrec.turn import reads_surely, to_right_side_up
from docrec.upright import find_surroundings, paint_surroundings, straighten

logger = logging.getLogger(__name__)

DOUBTFUL = 0.9  # mean confidence of a line below which it is read again at another size
NO_TEXT = 0.8  # mean confidence of the characters of a page below which it is a picture: pages and poor scans reach 0.89
SURE = 0.9  # mean confidence of a line that counts even there
SURE_WORD = 4  # and its letters, at least
SIGNS = 10  # so many lines without a letter are a picture, too; so many signs on a line
ROWS = " .·…-—_="  # do not count, nor the spaces
NO_SIGNS = 0.75  # mean confidence below which these are drawings, if letters are fewer
FRAME_SIDE = "│"  # of a frame drawn with characters; alone, the network takes bars and the rules of boxes for it
DIGITS = {"l": "1", "I": "1", "|": "1", "o": "0", "O": "0"}  # as super- and subscripts, and in columns of numbers, these are digits


def recognize(document: str | os.PathLike[str] | BinaryIO, recognizer: ChunkReader, options: ReadOptions | None = None) -> Iterator[Page]:
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
    with open_source(document, options) as source:
        yield from recognize_images(source, recognizer, options)


def recognize_images(images: Iterable[PageImage], recognizer: ChunkReader, options: ReadOptions) -> Iterator[Page]:
    """Read pages as they were read from their file, as `recognize` does."""
    started = (_start(prepare(image, options.mode), recognizer, options) for image in images)
    for page in _read(started, recognizer, options.batch_size):
        page = _right_side_up(page, recognizer, options)
        image = page.image
        logger.info("page %d: %s", image.index + 1, ", ".join(image.steps) or "read as it is")
        height, width = image.gray.shape
        blocks = tuple(_blocks(page, _lines(page, recognizer), options.min_confidence, recognizer.limited))
        yield Page(image.index, width, height, image.dpi, blocks, image.steps, image.scan)


def prepare(image: PageImage, mode: str = ReadOptions.mode) -> PageImage:
    """A page of readable size, clean, flat, straight, without what surrounds it, and as upright as its own text, unless mode is "force"."""
    typeset = mode != "force" and is_typeset(image)
    image = to_readable_size(image)
    if typeset:
        return with_layer_upright(clean(image))
    around = find_surroundings(image)
    image = straighten(clean(paint_surroundings(image, around)), around)
    return image if mode == "force" else with_layer_upright(image)


def recognize_lines(
    pictures: Iterable[np.ndarray], recognizer: ChunkReader, batch_size: int = ReadOptions.batch_size, ranks: int = 0
) -> Iterator[Line]:
    """Read pictures of single lines, each whole as one line: its height becomes the network's, or that of its ink if this reads surer.

    Args:
        pictures: uint8 (H, W) of any size, 255 = paper, or light on dark.
        recognizer: see `recognizer.load`.
        batch_size: chunks recognised in one call of the network, whatever line they are of.
        ranks: likeliest characters to give for each position, see Glyph.ranking.

    Returns:
        A Line for each picture, in order; without glyphs where there is no text.
    """

    def start(index: int, picture: np.ndarray) -> _StartedPage:
        gray = line_to_dark_on_light(picture)
        line = picture_to_line(gray)
        return _StartedPage(PageImage(index, gray, 0.0), (Block("text", (line,)),), line_to_chunks(gray, line, 0))

    for page in _read(map(start, itertools.count(), pictures), recognizer, batch_size, ranks):
        yield from _lines(page, recognizer, ranks)


@dataclass
class _StartedPage:
    """A page that is cut into chunks and waits for their readings."""

    image: PageImage
    blocks: tuple[Block, ...]
    chunks: list[Chunk]
    readings: list[Reading] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        return len(self.readings) == len(self.chunks)


def _start(image: PageImage, recognizer: ChunkReader, options: ReadOptions) -> _StartedPage:
    image, blocks = blocks_with_layer(image, find_blocks(image, options.layout), options.mode, recognizer)
    if not options.header_footer:
        blocks = tuple(block for block in blocks if block.kind not in ("header", "footer"))
    lines = enumerate(line for block in blocks for line in block.lines if not line.script)
    chunks = [chunk for number, line in lines if not line.layer for chunk in line_to_chunks(image.gray, line, number)]
    return _StartedPage(image, blocks, chunks)


def _read(pages: Iterable[_StartedPage], recognizer: ChunkReader, batch_size: int, ranks: int = 0) -> Iterator[_StartedPage]:
    """Read pages in batches that go across them; each is yielded when the last of its chunks is read, one without any at once."""
    for is_read, some in itertools.groupby(pages, key=lambda page: page.is_read):
        if is_read:
            yield from some
        else:
            yield from _read_chunks(some, recognizer, batch_size, ranks)


def _read_chunks(pages: Iterable[_StartedPage], recognizer: ChunkReader, batch_size: int, ranks: int) -> Iterator[_StartedPage]:
    started: deque[_StartedPage] = deque()

    def chunks() -> Iterator[Chunk]:
        for page in pages:
            started.append(page)
            yield from page.chunks

    for reading in recognizer.read(chunks(), batch_size, ranks):
        next(page for page in started if not page.is_read).readings.append(reading)
        while started and started[0].is_read:
            yield started.popleft()


def _right_side_up(page: _StartedPage, recognizer: ChunkReader, options: ReadOptions) -> _StartedPage:
    """A page that is read, read again if it turns out to lie on its side or upside down."""
    lines = [line for block in page.blocks for line in block.lines]
    kept = 2 * sum(line.layer for line in lines) > len(lines)
    if kept or options.layout == "line" or reads_surely(lines, page.readings, recognizer.charset):
        return page
    image = to_right_side_up(page.image, lines, options.layout, recognizer)
    return page if image is page.image else next(_read([_start(image, recognizer, options)], recognizer, options.batch_size))


def _lines(page: _StartedPage, recognizer: ChunkReader, ranks: int = 0) -> Iterator[Line]:
    """The lines of a page that is read, doubtful ones, and those with super- and subscripts, read again."""
    lines = [line for block in page.blocks for line in block.lines]
    hosts = [index for index, line in enumerate(lines) if not line.script]
    scripts = [lines[index + 1 : stop] for index, stop in itertools.pairwise([*hosts, len(lines)])]
    gray = page.image.gray
    parts = itertools.groupby(zip(page.chunks, page.readings, strict=True), key=lambda pair: pair[0].line)
    for number, host in enumerate(hosts):
        if lines[host].layer:
            yield lines[host]
            continue
        chunks, readings = zip(*next(parts)[1], strict=True)
        line = readings_to_line(chunks, readings, lines[host], recognizer.charset)
        if scripts[number]:
            line = _with_scripts(line, scripts[number], gray, recognizer)
        yield line if line.confidence >= DOUBTFUL or line.vertical or lines[host].bands else _read_again(line, gray, recognizer, ranks)


def _blocks(page: _StartedPage, lines: Iterator[Line], min_confidence: float, limited: bool) -> Iterator[Block]:
    """The blocks of a page with the lines that say something, and surely enough: of a page without text none but whole, sure words.

    What an alphabet that is `limited` cannot tell is read unsurely, also on a page of text.
    """
    read = list(lines)
    letters = [[glyph.confidence for glyph in line.glyphs if glyph.char.isalnum()] for line in read]  # not the dots of leaders
    judged = min_confidence > 0 and not limited
    least, count = (max(SURE, min_confidence), SURE_WORD) if judged and _is_picture(letters) else (min_confidence, 0)
    told_lines = zip(read, letters, strict=True)
    for block in page.blocks:
        of_block = itertools.islice(told_lines, sum(not line.script for line in block.lines))
        sure = (line for line, some in of_block if line.glyphs and len(some) >= count and line.confidence >= least)
        if told := [line for line in sure if not (judged and _is_drawn(line))]:
            told = told if _draws_frames(told) else [*map(_without_frame, told)]
            yield Block(block.kind, tuple(_with_numbers(told) if block.kind == "table" else told))


def _draws_frames(lines: Sequence[Line]) -> bool:
    """Whether frames are drawn with characters in these lines: of their pieces the upright bar is not the only one."""
    return any("─" <= glyph.char <= "╿" and glyph.char != FRAME_SIDE for line in lines for glyph in line.glyphs)


def _without_frame(line: Line) -> Line:
    """A line whose pieces of frames are none: before the text the side of a ruled box is dropped, further on it is a bar like any other."""
    if line.layer:
        return line
    first, *others = line.glyphs
    if first.char == FRAME_SIDE and others and others[0].char != " ":
        line = replace(line, glyphs=tuple(others))
    return replace(line, glyphs=tuple(replace(glyph, char="|") if glyph.char == FRAME_SIDE else glyph for glyph in line.glyphs))


def _with_numbers(lines: Sequence[Line]) -> Iterator[Line]:
    """The lines of a table: what may be a number, in a column half of which are numbers, is one."""
    columns: dict[int, list[str]] = {}
    for line in lines:
        if line.cell:
            columns.setdefault(line.cell[1], []).append(line.text)
    of_numbers = {column for column, texts in columns.items() if 2 * sum(map(_is_number, texts)) >= len(texts)}
    for line in lines:
        like_number = all(glyph.char in DIGITS or glyph.char.isdecimal() for glyph in line.glyphs)
        if like_number and not line.layer and line.cell and line.cell[1] in of_numbers:
            line = replace(line, glyphs=tuple(replace(glyph, char=DIGITS.get(glyph.char, glyph.char)) for glyph in line.glyphs))
        yield line


def _is_number(text: str) -> bool:
    return text.replace(",", "").replace(".", "").isdecimal()


def _is_picture(letters: Sequence[Sequence[float]]) -> bool:
    """Whether a page whose lines hold letters of these confidences is a picture: it is read unsurely, or many lines hold none."""
    return sum(map(sum, letters)) < NO_TEXT * sum(map(len, letters)) or not any(letters) and len(letters) >= SIGNS


def _is_drawn(line: Line) -> bool:
    """Whether a line is a row of small drawings, such as the buttons of a slide: read unsurely, as signs for the most part."""
    signs = [glyph for glyph in line.glyphs if glyph.char not in ROWS]
    letters = sum(glyph.char.isalnum() for glyph in signs)
    return not line.layer and len(signs) >= SIGNS and 2 * letters < len(signs) and line.confidence < NO_SIGNS


def _with_scripts(line: Line, scripts: Sequence[Line], gray: np.ndarray, recognizer: ChunkReader) -> Line:
    """Read a line again with its super- and subscripts on its baseline and mark them, unless they turn out to be parts of Hanzi."""
    scripts = [script for script in scripts if not any(_is_no_script(line.glyphs[index].char) for index in holding(line.glyphs, script))]
    if not scripts:
        return line
    level = with_level_scripts(gray, line, scripts)
    chunks = line_to_chunks(level, line, 0)
    again = readings_to_line(chunks, list(recognizer.read(chunks, len(chunks))), replace(line, glyphs=()), recognizer.charset)
    line = max(line, again, key=lambda reading: reading.confidence)
    glyphs = list(line.glyphs)
    for script in scripts:
        for index in holding(line.glyphs, script):
            char = glyphs[index].char
            glyphs[index] = replace(glyphs[index], char=DIGITS.get(char, char), script=script.script)
    return replace(line, glyphs=tuple(glyphs))


def _is_no_script(char: str) -> bool:
    """Whether a character, found small and raised or lowered, is a Hanzi in parts, or a quotation mark or prime."""
    return is_wide(char) and char.isalpha() or char in "'\"‘’“”′"


def _read_again(line: Line, gray: np.ndarray, recognizer: ChunkReader, ranks: int) -> Line:
    """Read a doubtful line at the size that it has if all its ink is one row of Hanzi; the surer reading counts."""
    box = to_ink_extent(gray, line.box)
    if box.height > 0.9 * line.box.height or box.width < 0.8 * box.height:  # a digit alone is no Hanzi
        return line
    whole = replace(line, box=box)
    chunks = line_to_chunks(gray, whole, 0)
    again = readings_to_line(chunks, list(recognizer.read(chunks, len(chunks), ranks)), whole, recognizer.charset)
    return max(line, again, key=lambda reading: reading.confidence)
