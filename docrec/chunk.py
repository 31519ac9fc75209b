"""A line's crop to Chunks of the network's input size, and their Readings back to a Line: two inverses.

A line is scaled so that the band layout gave it, the height of a full Hanzi's ink, becomes INK_HEIGHT rows, then cut into
pieces of at most WIDTH columns. A gap may lie within a Hanzi (川, 儿), and one between words is a space that only its
neighbours show, so neighbouring chunks overlap by more than a character: whatever stands near the cut is whole in one of them,
and joining picks the seam that lies farthest from the characters of both.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import cv2
import numpy as np

from docrec.charset import Charset, is_full_width_mark, is_wide
from docrec.column import column_to_row
from docrec.ctc import Mark, Reading
from docrec.document import Box, Glyph, Line, turned

HEIGHT = 32  # rows of the network's input
WIDTH = 280  # columns of it
FRAMES = 70  # frames the network tells of, each WIDTH / FRAMES columns
INK_HEIGHT = 28  # rows that the band of a line becomes
MARGIN = 3  # columns of paper kept at either end of a line
RULE = 215  # grey level than which all of an upright rule is darker
OVERLAP = (34, 68)  # columns by which chunks overlap, at least and at most
SEARCH = 24  # columns before the last possible one in which the end of a chunk is looked for
WORD_GAP = 2.0  # heights from the middle of a Hanzi to that of the next, if a space between them parts words
NUMBERS = dict(zip("⒈⒉⒊⒋⒌⒍⒎⒏⒐", "123456789", strict=True))
BOXES = "□口"
QUOTES = '"“”'  # straight, opening, closing
WIDE_MARKS = {",": "，", ";": "；", ":": "：", "!": "！", "?": "？"}


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a text line as the network takes it.

    Attributes:
        pixels: float32 (32, 280, 1), 0 = paper, 1 = ink.
        line: index of its line.
        left: page x of its column 0, in pixels.
        scale: page pixels per column.
        width: columns in use, from 0; the rest is padding.
    """

    pixels: np.ndarray
    line: int
    left: float
    scale: float
    width: int

    @property
    def right(self) -> float:
        """Page x where the columns in use end, in pixels."""
        return self.left + self.width * self.scale


class ChunkReader(Protocol):
    """Reads Chunks: docrec's `recognizer.Recognizer`, or what stands in for it.

    Attributes:
        charset: the alphabet by which Readings are to be understood.
        limited: whether only some characters of the alphabet may appear.
    """

    charset: Charset
    limited: bool

    def read(self, chunks: Iterable[Chunk], batch_size: int, ranks: int = 0) -> Iterator[Reading]:
        """Read chunks in batches of the given size, in order; chunks are taken only as batches need them.

        With `ranks`, each mark comes with that many likeliest classes.
        """


def line_to_chunks(gray: np.ndarray, line: Line, number: int) -> list[Chunk]:
    """Scale a line, or each of its bands if its type is of several sizes, and cut it into Chunks along the line.

    Args:
        gray: the page, uint8 (H, W), 255 = paper.
        line: the line; if it is vertical, what of a Chunk is called left is above.
        number: index of the line, for Chunk.line.
    """
    return [chunk for box in line.bands or (line.box,) for chunk in _band_to_chunks(gray, box, number, line.vertical)]


def _band_to_chunks(gray: np.ndarray, box: Box, number: int, vertical: bool) -> list[Chunk]:
    if vertical:
        scale = max(box.width, 1.0) / INK_HEIGHT
        column, left = _scaled_band(gray.T, Box(box.top, box.left, box.bottom, box.right), scale)
        ink = column_to_row(column.T, INK_HEIGHT)
    else:
        scale = max(box.height, 1.0) / INK_HEIGHT
        ink, left = _scaled_band(gray, box, scale)
    return [_chunk(ink[:, start:end], number, left + start * scale, scale) for start, end in _cuts(ink)]


def picture_to_line(gray: np.ndarray) -> Line:
    """The Line as which `line_to_chunks` takes a picture, uint8 (H, W), whole: its H rows become the network's 32."""
    height, width = gray.shape
    scale = height / HEIGHT
    margin = min(MARGIN * scale, width / 2)  # a picture narrower than the margins is in the middle of them
    rows = (HEIGHT - INK_HEIGHT) / 2 * scale
    return Line(Box(margin, rows, width - margin, height - rows))


def readings_to_line(chunks: Sequence[Chunk], readings: Sequence[Reading], line: Line, charset: Charset) -> Line:
    """Join the readings of a line's chunks into that Line, without the spaces that only wide characters' margins make."""
    pieces = [_glyphs(chunk, reading, charset) for chunk, reading in zip(chunks, readings, strict=True)]
    seams = [_seam(first, second, *pieces[index : index + 2]) for index, (first, second) in enumerate(pairwise(chunks))]
    bounds = list(pairwise([-np.inf, *seams, np.inf]))
    glyphs = [glyph for piece, (low, high) in zip(pieces, bounds, strict=True) for glyph in _between(piece, low, high)]
    em = turned(line).height
    return replace(line, glyphs=without_idle_spaces([*_with_wide_spaces(_consistent(glyphs), em)], em), bands=())


def _scaled_band(gray: np.ndarray, box: Box, scale: float) -> tuple[np.ndarray, float]:
    """The line at the network's scale, float32 (32, W), 1 = ink, and the page x of its first column."""
    margin = (HEIGHT - INK_HEIGHT) / 2 * scale
    top, bottom = round(box.top - margin), round(box.bottom + margin)
    left, right = round(box.left - MARGIN * scale), round(box.right + MARGIN * scale)
    height, width = gray.shape
    crop = gray[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    padding = (max(-top, 0), max(bottom - height, 0), max(-left, 0), max(right - width, 0))
    if any(padding):
        crop = cv2.copyMakeBorder(crop, *padding, cv2.BORDER_CONSTANT, value=255)
    crop = _without_rules(crop, round(box.left) - left, right - round(box.right))
    columns = max(1, round((right - left) / scale))
    resampling = cv2.INTER_AREA if scale > 1 else cv2.INTER_CUBIC
    return 1 - cv2.resize(crop, (columns, HEIGHT), interpolation=resampling).astype(np.float32) / 255, float(left)


def _without_rules(crop: np.ndarray, before: int, after: int) -> np.ndarray:
    """A line, uint8 (H, W), without what stands from an upright rule outwards in so many columns before and after it: a cell's sides."""
    start, end = max(before, 0), crop.shape[1] - max(after, 0)
    if start >= end:
        return crop
    first, last = (np.flatnonzero(side.max(axis=0) < RULE) for side in (crop[:, : start + 1], crop[:, end - 1 :]))
    if not (first.size or last.size) or start in first or 0 in last:
        return crop
    crop = crop.copy()
    if first.size:
        crop[:, : first[-1] + 2] = 255  # with its blur
    if last.size:
        crop[:, end + last[0] - 2 :] = 255
    return crop


def _cuts(ink: np.ndarray) -> list[tuple[int, int]]:
    """Columns (start, end) of the chunks of a line."""
    total = ink.shape[1]
    profile = ink.sum(axis=0)
    least, most = OVERLAP
    cuts, start = [], 0
    while total - start > WIDTH:
        first = start + WIDTH - SEARCH
        end = first + _last_minimum(profile[first : first + SEARCH])
        cuts.append((start, end))
        start = end - most + _last_minimum(profile[end - most : end - least])
    cuts.append((start, total))
    return cuts


def _last_minimum(values: np.ndarray) -> int:
    """Index of the last of the smallest values."""
    return len(values) - 1 - int(np.argmin(values[::-1]))


def _chunk(ink: np.ndarray, line: int, left: float, scale: float) -> Chunk:
    pixels = np.zeros((HEIGHT, WIDTH, 1), np.float32)
    pixels[:, : ink.shape[1], 0] = ink
    return Chunk(pixels, line, left, scale, ink.shape[1])


def _glyphs(chunk: Chunk, reading: Reading, charset: Charset) -> list[Glyph]:
    """The characters of one chunk on the page; where two meet is half way between their middles, at most half an em away."""
    frame = WIDTH / FRAMES * chunk.scale
    middles = [chunk.left + (mark.start + mark.end) / 2 * frame for mark in reading.marks]
    borders = [chunk.left, *((a + b) / 2 for a, b in pairwise(middles)), max(chunk.right, chunk.left)]
    half = HEIGHT / 2 * chunk.scale
    extents = [
        (max(middle - half, min(left, middle)), min(middle + half, max(right, middle)))
        for middle, left, right in zip(middles, borders, borders[1:], strict=False)
    ]
    return [_glyph(mark, *extent, charset) for mark, extent in zip(reading.marks, extents, strict=True)]


def _glyph(mark: Mark, left: float, right: float, charset: Charset) -> Glyph:
    ranking = tuple((charset.characters[label], confidence) for label, confidence in mark.ranking)
    return Glyph(charset.characters[mark.label], left, right, mark.confidence, ranking)


def _middle(glyph: Glyph) -> float:
    return (glyph.left + glyph.right) / 2


def _between(glyphs: Sequence[Glyph], low: float, high: float) -> Sequence[Glyph]:
    """Glyphs whose middles lie in [low, high), with the spaces next to them, which near its beginning a chunk may not see."""
    inside = [index for index, glyph in enumerate(glyphs) if low <= _middle(glyph) < high and glyph.char != " "]
    if not inside:
        return ()
    start, end = inside[0], inside[-1] + 1
    while start and glyphs[start - 1].char == " ":
        start -= 1
    while end < len(glyphs) and glyphs[end].char == " ":
        end += 1
    return glyphs[start:end]


def _seam(first: Chunk, second: Chunk, before: Sequence[Glyph], after: Sequence[Glyph]) -> float:
    """Page x at which reading goes over from one chunk to the next: in their overlap, farthest from all characters."""
    width = first.right - second.left
    places = np.linspace(second.left + width / 4, first.right - width / 4, 33)
    middles = np.array([_middle(glyph) for glyph in (*before, *after) if glyph.char != " "] or [-np.inf])
    clearance = np.abs(places[:, None] - middles).min(axis=1)
    centre = np.abs(places - places.mean()) * 1e-3
    return float(places[np.argmax(np.minimum(clearance, HEIGHT / 2 * first.scale) - centre)])


def _consistent(glyphs: Sequence[Glyph]) -> list[Glyph]:
    """Characters that agree with their neighbours.

    A mark that stands apart from what is before it, beside Hanzi, is a full-width one: some typefaces centre these in the em. A number with
    a point before another point is a digit. Straight quotation marks among at least as many curved ones are curved, by turns. Several of 口
    and □ that begin words are boxes to be ticked.
    """
    result = list(glyphs)
    boxes = [index for index, glyph in enumerate(glyphs) if glyph.char in BOXES and (not index or glyphs[index - 1].char == " ")]
    if len(boxes) > 1:
        for index in boxes:
            result[index] = replace(glyphs[index], char=BOXES[0])
    for index, (number, point) in enumerate(pairwise(glyphs)):
        if number.char in NUMBERS and point.char in ".．":
            result[index] = replace(number, char=NUMBERS[number.char])
    for index in range(2, len(glyphs)):
        before, gap, mark = glyphs[index - 2 : index + 1]
        after = "".join(glyph.char for glyph in glyphs[index + 1 : index + 3]).strip()
        if gap.char == " " and mark.char in WIDE_MARKS and (before.char > "\u2e7f" or after[:1] > "\u2e7f"):
            result[index] = replace(mark, char=WIDE_MARKS[mark.char])
    quotes = [index for index, glyph in enumerate(glyphs) if glyph.char in QUOTES]
    if 2 * sum(glyphs[index].char == QUOTES[0] for index in quotes) <= len(quotes):
        is_open = False
        for index in quotes:
            if glyphs[index].char == QUOTES[0]:
                result[index] = replace(glyphs[index], char=QUOTES[1 + is_open])
            is_open = result[index].char == QUOTES[1]
    return result


def _with_wide_spaces(glyphs: Sequence[Glyph], em: float) -> Iterator[Glyph]:
    """Glyphs with a space in each wide gap between wide characters, in which the network, trained on running text, may see none."""
    yield from glyphs[:1]
    for before, glyph in pairwise(glyphs):
        if is_wide(before.char) and is_wide(glyph.char) and _middle(glyph) - _middle(before) > WORD_GAP * em:
            yield Glyph(" ", before.right, max(glyph.left, before.right), 1.0)
        yield glyph


def without_idle_spaces(glyphs: Sequence[Glyph], em: float) -> tuple[Glyph, ...]:
    """Keep a space only inside the line, one of several, not beside full-width marks, and between wide characters only if it parts words.

    Args:
        glyphs: of a line.
        em: height of a full Hanzi's ink, in pixels.
    """
    kept: list[Glyph] = []
    for index, glyph in enumerate(glyphs):
        if kept and kept[-1].char == " ":
            before, after = kept[-2].char, glyph.char
            idle = is_wide(before) and is_wide(after) and not _parts_words(kept[-3:], glyphs[index : index + 2], em)
            if after == " " or idle or is_full_width_mark(before) or is_full_width_mark(after):
                kept.pop()
        if kept or glyph.char != " ":
            kept.append(glyph)
    if kept and kept[-1].char == " ":
        kept.pop()
    return tuple(kept)


def _parts_words(before: Sequence[Glyph], after: Sequence[Glyph], em: float) -> bool:
    """Whether a space is wide, and has words of wide characters on both sides, rather than characters set apart, as in a title."""
    wide = _middle(after[0]) - _middle(before[-2]) > WORD_GAP * em
    return wide and len(before) == 3 and len(after) == 2 and all(is_wide(glyph.char) for glyph in (before[0], after[1]))
