"""Words of a line, and where things are on the page as it was given, in whole pixels."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from docrec.document import BASELINE, Box, Glyph, Line, Page

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in whole pixels, the last two exclusive; never empty."""


def numbered(pages: Iterable[Page]) -> Iterator[tuple[int, Page]]:
    """Pages with their numbers, which go on where another document begins, so that no two are the same."""
    number = 0
    for page in pages:
        number = page.index + 1 if page.index >= number else number + 1
        yield number, page


def name_to_xml(name: str) -> str:
    """The name of a file as it may stand in XML: what that cannot hold is a question mark."""
    return escape(re.sub(r"[\x00-\x1f\ud800-\udfff\ufffe\uffff]", "?", name))


def line_to_words(line: Line) -> list[tuple[Glyph, ...]]:
    """What stands between spaces; a run of Hanzi is one word, with the letters and marks that touch it."""
    return [tuple(word) for is_space, word in groupby(line.glyphs, key=lambda glyph: glyph.char.isspace()) if not is_space]


def glyphs_to_box(line: Line, glyphs: Sequence[Glyph]) -> Box:
    """Where neighbouring glyphs of a line are on the page as read: as high as the line, or as wide if it is vertical, and within it."""
    box = line.box
    least, most = (box.top, box.bottom) if line.vertical else (box.left, box.right)
    start = min(max(glyphs[0].left, least), most)
    end = min(max(glyphs[-1].right, start), most)
    return Box(box.left, start, box.right, end) if line.vertical else Box(start, box.top, end, box.bottom)


def given_size(page: Page) -> tuple[int, int]:
    """Width and height of the page as it was given, in pixels."""
    return (page.scan.width, page.scan.height) if page.scan else (page.width, page.height)


def given_dpi(page: Page) -> float:
    """Pixels per inch of the page as it was given; the mean of its top and bottom, where it was photographed."""
    left, right, low_right, low_left = given_corners(page, Box(0, 0, page.width, page.height))
    return page.dpi * (math.dist(left, right) + math.dist(low_left, low_right)) / (2 * page.width)


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


def given_turn(page: Page, line: Line) -> int:
    """By how many degrees a line is turned on the page as it was given, counterclockwise: 0, 90, 180 or 270."""
    (left, top), (right, bottom) = given_corners(page, line.box)[:2]
    return round(math.degrees(math.atan2(top - bottom, right - left)) / 90) % 4 * 90


def given_baseline(page: Page, line: Line) -> tuple[tuple[float, float], ...]:
    """Where the baseline of a level line begins and ends on the page as it was given, as (x, y)."""
    box = line.box
    height = box.bottom - BASELINE * box.height
    return given_corners(page, Box(box.left, height, box.right, height))[:2]


def _edges(low: float, high: float, size: int) -> tuple[int, int]:
    """Whole pixels from `low` to `high` within a side."""
    start = min(max(round(low), 0), size - 1)
    return start, min(max(round(high), start + 1), size)
