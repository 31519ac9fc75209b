"""Pages of vertical text drawn here; it must be found where it is, in order, and be read as level text is."""

from collections.abc import Callable

import numpy as np
import pymupdf
import pytest
from rapidfuzz.distance import Levenshtein
from test_layout import PROSE, drawn, write, write_prose

import docrec
from docrec.chunk import line_to_chunks
from docrec.document import Block, Box, Line
from docrec.layout import find_blocks
from docrec.source import PageImage

FORMS = str.maketrans("，、。：；！？…—（）《》「」『』", "︐︑︒︓︔︕︖︙︱︵︶︽︾﹁﹂﹃﹄")
SIZE = 12  # points
PITCH = 20  # points between columns
TEXT = "山高月小，水落石出。《赤壁赋》里说：「曾日月之几何，而江山不可复识矣！」今年是二一年（春）"


def write_column(page: pymupdf.Page, right: float, top: float, text: str, size: float = SIZE) -> None:
    """One character below the other; words of Latin letters lie on their side."""
    for char in text.translate(FORMS):
        width = pymupdf.get_text_length(char, "china-s", size)
        write(page, right - size / 2 - width / 2, top + 0.88 * size, char, size)
        top += size


def write_columns(page: pymupdf.Page, right: float, top: float, columns: int, length: int = len(PROSE)) -> None:
    for column in range(columns):
        write_column(page, right - PITCH * column, top, (PROSE[column % 5 :] + PROSE)[:length])


def lines_of(page: PageImage, layout: str = "auto") -> list[Line]:
    return [line for block in find_blocks(page, layout) for line in block.lines]


def places(lines: list[Line]) -> list[tuple[float, float]]:
    """Middle and top of each line, in points."""
    return [((line.box.left + line.box.right) / 2 * 0.36, line.box.top * 0.36) for line in lines]


def test_columns_are_found_from_right_to_left() -> None:
    lines = lines_of(drawn(lambda page: write_columns(page, 380, 60, 9)))
    assert all(line.vertical for line in lines)
    assert [middle for middle, _ in places(lines)] == pytest.approx([374 - PITCH * column for column in range(9)], abs=1.5)
    assert [line.box.width * 0.36 for line in lines] == pytest.approx([0.93 * SIZE] * 9, rel=0.12)
    assert all(line.box.height * 0.36 == pytest.approx(SIZE * len(PROSE), rel=0.03) for line in lines)


def test_upper_tier_is_read_before_the_lower() -> None:
    def draw(page: pymupdf.Page) -> None:
        write_columns(page, 380, 60, 7, 16)
        write_columns(page, 380, 60 + 18 * SIZE, 7, 16)

    tops = [top for _, top in places(lines_of(drawn(draw)))]
    assert len(tops) == 14
    assert max(tops[:7]) < min(tops[7:])


def test_header_and_page_number_remain_level() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 150, 30, "第一章山高月小", 10)
        write_column(page, 380, 90, "赤壁赋集", 20)
        write_columns(page, 340, 60, 8)
        write(page, 200, 570, "12", 10)

    blocks = find_blocks(drawn(draw))
    assert [line.vertical for block in blocks for line in block.lines] == [False, *[True] * 9, False]
    assert (blocks[0].kind, blocks[-1].kind) == ("header", "footer")


def test_vertical_text_beside_level_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        write_prose(page, 30, 60, lines=6)
        write_columns(page, 380, 200, 5, 20)
        write_prose(page, 30, 490, lines=4)

    assert [line.vertical for line in lines_of(drawn(draw))] == [*[False] * 6, *[True] * 5, *[False] * 4]


def wide_letters(page: pymupdf.Page) -> None:
    for row in range(10):
        for place in range(12):
            write(page, 40 + 26 * place, 60 + 34 * row, PROSE[(row + place) % len(PROSE)])


def table(page: pymupdf.Page) -> None:
    for row in range(12):
        for column in range(5):
            write(page, 50 + 70 * column, 60 + 20 * row, "是否有无二"[(row + column) % 5])


def list_of_names(page: pymupdf.Page) -> None:
    for row in range(14):
        write(page, 50, 60 + 18 * row, f"{row + 1}.")
        write(page, 80, 60 + 18 * row, PROSE[row:][:3])


@pytest.mark.parametrize(
    "draw",
    [
        lambda page: write_prose(page, 40, 60, lines=12),
        lambda page: write_prose(page, 40, 60, lines=2, length=3),
        wide_letters,
        table,
        list_of_names,
    ],
)
def test_level_text_is_not_mistaken(draw: Callable[[pymupdf.Page], None]) -> None:
    assert not any(line.vertical for line in lines_of(drawn(draw)))


def test_vertical_may_be_asked_for_and_refused() -> None:
    short = drawn(lambda page: write_columns(page, 380, 60, 1, 3))
    assert [line.vertical for line in lines_of(short, "vertical")] == [True]
    columns = drawn(lambda page: write_columns(page, 380, 60, 9))
    assert not any(line.vertical for line in lines_of(columns, "columns"))


@pytest.mark.parametrize("layout", ["auto", "vertical"])
def test_an_empty_page_has_no_zones(layout: str) -> None:
    assert find_blocks(PageImage(0, np.full((300, 200), 255, np.uint8), 200), layout) == ()


def test_places_in_a_column_are_places_on_the_page() -> None:
    page = drawn(lambda page: write_column(page, 100, 60, PROSE))
    (line,) = lines_of(page, "vertical")
    chunks = line_to_chunks(page.gray, line, 0)
    for chunk in chunks:
        columns = np.flatnonzero((chunk.pixels[:, :, 0] > 0.5).any(axis=0))
        assert chunk.left + chunk.scale * columns[0] > line.box.top - 4
        assert chunk.left + chunk.scale * columns[-1] < line.box.bottom + 4
    assert chunks[0].left < line.box.top
    assert chunks[-1].right > line.box.bottom


def test_text_of_columns_is_indented_by_their_tops() -> None:
    lines = tuple(Line(Box(100 - 30 * i, top, 120 - 30 * i, 300), vertical=True) for i, top in enumerate((40, 0, 0)))
    assert Block("text", lines).text == "    \n\n"


@pytest.mark.parametrize("mode", ["auto", "force"])
def test_vertical_text_is_read(tmp_path, mode: str) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=420, height=700)
        for column in range(6):
            write_column(page, 380 - PITCH * column, 60, TEXT)
        document.save(tmp_path / "vertical.pdf")
    (read,) = docrec.recognize(str(tmp_path / "vertical.pdf"), docrec.load(), docrec.ReadOptions(mode=mode))
    rows = read.text.split("\n")
    assert len(rows) == 6
    assert sum(Levenshtein.distance(row, TEXT) for row in rows) <= 0.04 * 6 * len(TEXT)
    for line in read.lines:
        middles = [(glyph.left + glyph.right) / 2 * 72 / read.dpi for glyph in line.glyphs]
        same = Levenshtein.editops(line.text, TEXT).as_matching_blocks()  # one character too many puts none of the others elsewhere
        places = [(block.a + index, block.b + index) for block in same for index in range(block.size)]
        expected = [60 + SIZE * (place + 0.5) for _, place in places]
        assert [middles[index] for index, _ in places] == pytest.approx(expected, abs=0.6 * SIZE)
