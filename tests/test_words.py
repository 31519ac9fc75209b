"""Words of lines, and places on the page as it was given."""

import pytest

from docrec.document import Block, Box, Glyph, Line, Page, Scan
from docrec.writers.words import given_dpi, given_size, glyphs_to_box, line_to_words, to_given


def line_of(text: str, vertical: bool = False) -> Line:
    """A line at (100, 200), or a vertical one there, of characters every 20 pixels."""
    start = 200 if vertical else 100
    glyphs = tuple(Glyph(char, start + 20 * i, start + 20 * i + 20, 0.9) for i, char in enumerate(text))
    end = 20 * len(text)
    return Line(Box(100, 200, 120, 200 + end) if vertical else Box(100, 200, 100 + end, 220), glyphs, vertical)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("清风徐来，水波不兴。", ["清风徐来，水波不兴。"]),
        ("two words", ["two", "words"]),
        ("用 Python 3写的", ["用", "Python", "3写的"]),
        ("全\u3000角", ["全", "角"]),
        ("a  b ", ["a", "b"]),
        ("", []),
        (" ", []),
    ],
)
def test_words_stand_between_spaces(text: str, words: list[str]) -> None:
    assert ["".join(glyph.char for glyph in word) for word in line_to_words(line_of(text))] == words


def test_a_word_is_as_high_as_its_line() -> None:
    line = line_of("ab 中文")
    assert glyphs_to_box(line, line_to_words(line)[1]) == Box(160, 200, 200, 220)


def test_in_a_vertical_line_glyphs_follow_downwards() -> None:
    line = line_of("竖 排字", vertical=True)
    assert glyphs_to_box(line, line_to_words(line)[1]) == Box(100, 240, 120, 280)


def page_of(scan: Scan | None) -> Page:
    return Page(0, 1000, 1400, 200.0, (Block("text", (line_of("一"),)),), scan=scan)


@pytest.mark.parametrize(
    ("scan", "size", "place"),
    [
        (None, (1000, 1400), (100, 200, 120, 240)),
        # The page was turned to the right to be read: its top was the left side of the page as given.
        (Scan(1400, 1000, (0, 1, 0, -1, 0, 1000, 0, 0, 1)), (1400, 1000), (200, 880, 240, 900)),
        # 100 pixels were cut off at the left and 50 at the top.
        (Scan(1100, 1450, (1, 0, 100, 0, 1, 50, 0, 0, 1)), (1100, 1450), (200, 250, 220, 290)),
        # A skewed page: the rectangle is around the sloping box.
        (Scan(1000, 1400, (1, 0, 0, 0.1, 1, 0, 0, 0, 1)), (1000, 1400), (100, 210, 120, 252)),
        # Perspective: twice as far away.
        (Scan(1000, 1400, (1, 0, 0, 0, 1, 0, 0, 0, 2)), (1000, 1400), (50, 100, 60, 120)),
    ],
)
def test_places_on_the_page_as_given(scan: Scan | None, size: tuple[int, int], place: tuple[int, ...]) -> None:
    assert given_size(page_of(scan)) == size
    assert to_given(page_of(scan), Box(100, 200, 120, 240)) == place


def test_resolution_of_the_page_as_given() -> None:
    assert given_dpi(page_of(None)) == 200
    reduced_and_turned = Scan(2800, 2000, (0, 2, 0, -2, 0, 2000, 0, 0, 1))
    assert given_dpi(page_of(reduced_and_turned)) == 400


@pytest.mark.parametrize(
    ("box", "place"),
    [
        (Box(-5.2, -3, 20, 1500), (0, 0, 20, 1400)),
        (Box(10.4, 10.6, 10.45, 12), (10, 11, 11, 12)),
        (Box(1200, 5, 1300, 9), (999, 5, 1000, 9)),
    ],
)
def test_a_place_is_inside_the_page_and_not_empty(box: Box, place: tuple[int, ...]) -> None:
    assert to_given(page_of(None), box) == place
