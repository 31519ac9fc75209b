"""Words of a line, and where things are on the page as it was given, in whole pixels."""

from collections.abc import Sequence
from itertools import groupby

from docrec.document import Box, Glyph, Line, Page

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in whole pixels, the last two exclusive; never empty."""


def line_to_words(line: Line) -> list[tuple[Glyph, ...]]:
    """What stands between spaces; a run of Hanzi is one word, with the letters and marks that touch it."""
    return [tuple(word) for is_space, word in groupby(line.glyphs, key=lambda glyph: glyph.char.isspace()) if not is_space]


def glyphs_to_box(line: Line, glyphs: Sequence[Glyph]) -> Box:
    """Where neighbouring glyphs of a line are on the page as read: as high as the line, or as wide if it is vertical."""
    start, end = glyphs[0].left, max(glyphs[0].left, glyphs[-1].right)
    return Box(line.box.left, start, line.box.right, end) if line.vertical else Box(start, line.box.top, end, line.box.bottom)


def given_size(page: Page) -> tuple[int, int]:
    """Width and height of the page as it was given, in pixels."""
    return (page.scan.width, page.scan.height) if page.scan else (page.width, page.height)


def given_corners(page: Page, box: Box) -> tuple[tuple[float, float], ...]:
    """Where the top left, top right, bottom right and bottom left of a box are on the page as it was given, as (x, y)."""
    if page.scan:
        return page.scan.corners(box)
    return ((box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom))


def to_given(page: Page, box: Box) -> Rectangle:
    """The smallest upright rectangle around a box on the page as it was given, at least a pixel of it and all inside the page."""
    xs, ys = zip(*given_corners(page, box), strict=True)
    width, height = given_size(page)
    left, right = _edges(min(xs), max(xs), width)
    top, bottom = _edges(min(ys), max(ys), height)
    return left, top, right, bottom


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    """Whole pixels from `low` to `high` within a side."""
    start = min(max(round(low), 0), size - 1)
    return start, min(max(round(high), start + 1), size)
