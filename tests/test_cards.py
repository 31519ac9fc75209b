from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pymupdf
import pytest
from test_layout import drawn, write

from docrec.layout import find_blocks
from docrec.polarity import bands_to_dark_on_light

Rect = tuple[float, float, float, float]
ROW: tuple[Rect, ...] = ((30, 100, 140, 200), (155, 100, 265, 200), (280, 100, 390, 200))


def fill(page: pymupdf.Page, boxes: Sequence[Rect], texts: int = 4) -> None:
    """Write some lines into each box."""
    for left, top, right, _ in boxes:
        for line in range(texts):
            write(page, left + 8, top + 22 + 20 * line, "国家图书馆编目中心"[: int((right - left - 16) / 12)])


def tint(page: pymupdf.Page, boxes: Sequence[Rect], color: tuple[float, float, float] = (0.93, 0.95, 1)) -> None:
    for box in boxes:
        page.draw_rect(pymupdf.Rect(box), color=None, fill=color)


def frame(page: pymupdf.Page, boxes: Sequence[Rect], radius: float | None = None) -> None:
    for box in boxes:
        page.draw_rect(pymupdf.Rect(box), width=0.8, radius=radius)


def order(page: pymupdf.Page, boxes: Sequence[Rect], layout: str = "auto") -> list[int | None]:
    """In which of the boxes the lines of a page stand, one after another; None outside of all."""

    def box_at(x: float, y: float) -> int | None:
        return next((number for number, (left, top, right, bottom) in enumerate(boxes) if left < x < right and top < y < bottom), None)

    image = drawn(lambda new: new.show_pdf_page(new.rect, page.parent, 0))
    found = find_blocks(replace(image, gray=bands_to_dark_on_light(image.gray)), layout)
    middles = [((line.box.left + line.box.right) / 2, (line.box.top + line.box.bottom) / 2) for block in found for line in block.lines]
    return [box_at(x * 72 / 200, y * 72 / 200) for x, y in middles]


@pytest.fixture
def page():
    with pymupdf.open() as document:
        yield document.new_page(width=420, height=595)


def expected(boxes: Sequence[Rect], lines: int = 4) -> list[int]:
    return [number for number in range(len(boxes)) for _ in range(lines)]


@pytest.mark.parametrize("draw", [tint, frame, lambda page, boxes: frame(page, boxes, 0.1)], ids=["tinted", "framed", "round"])
def test_each_card_is_read_before_the_next(page, draw) -> None:
    draw(page, ROW)
    fill(page, ROW)
    assert order(page, ROW) == expected(ROW)


def test_without_boxes_they_are_rows(page) -> None:
    fill(page, ROW)
    assert order(page, ROW)[:3] == [0, 1, 2]


def test_white_cards_on_a_tinted_page(page) -> None:
    tint(page, [(0, 0, 420, 595)], (0.93, 0.93, 0.94))
    tint(page, ROW, (1, 1, 1))
    fill(page, ROW)
    assert order(page, ROW) == expected(ROW)


def test_rows_of_cards_within_a_frame_are_read_one_after_another(page) -> None:
    grid = [(30 + 190 * column, 90 + 120 * row, 200 + 190 * column, 190 + 120 * row) for row in range(2) for column in range(2)]
    frame(page, [(20, 40, 400, 500)])
    tint(page, grid)
    fill(page, grid)
    write(page, 120, 70, "标题在上面的一行")
    write(page, 40, 400, "下面一行是在卡片以后才读的文字")
    assert order(page, grid) == [None, *expected(grid), None]


def test_cards_of_uneven_height_are_read_column_by_column(page) -> None:
    boxes = [(30, 60, 200, 160), (30, 180, 200, 360), (220, 60, 390, 230), (220, 250, 390, 360)]
    tint(page, boxes)
    fill(page, boxes)
    assert order(page, boxes) == expected(boxes)


def test_cells_of_a_table_are_no_cards(page) -> None:
    cells = [(30 + 120 * column, 90 + 60 * row, 150 + 120 * column, 150 + 60 * row) for row in range(3) for column in range(3)]
    frame(page, cells)
    fill(page, cells, 2)
    (table,) = find_blocks(drawn(lambda new: new.show_pdf_page(new.rect, page.parent, 0)))
    assert table.kind == "table"


def test_boxes_whose_text_goes_on_beyond_them_are_no_cards(page) -> None:
    tint(page, ROW)
    for line in range(4):
        write(page, 40, 122 + 20 * line, "国家图书馆编目中心的文字越过盒子的边界")
    assert order(page, ROW, "auto") == order(page, ROW, "single")


def test_tinted_boxes_among_the_text_of_columns_are_no_cards(page) -> None:
    boxes = [(220, 80, 390, 180), (30, 140, 200, 240)]
    tint(page, boxes)
    fill(page, boxes)
    for left, lines in ((30, (40, 60, 80, 100, 120, 260, 280, 300)), (220, (40, 60, 200, 220, 240, 260, 280, 300))):
        for baseline in lines:
            write(page, left, baseline, "国家图书馆编目中心的文字"[: 11 + (baseline < 300)])
    columns = [(20, 20, 210, 320), (210, 20, 400, 320)]
    assert order(page, columns) == expected(columns, 12)


@pytest.mark.parametrize("color", [(0.88, 0.92, 0.97), (0.1, 0.2, 0.4)], ids=["tinted", "dark"])
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("margin", [0, 30])
def test_a_panel_at_the_side_of_a_page_is_read_by_itself(page, color, side, margin) -> None:
    """Although its few short lines stand as near those beside it as words, and are level with some of them."""
    edges = [margin, margin + 70, 420 - margin] if side == 0 else [margin, 350 - margin, 420 - margin]
    boxes = [(left, 60, right, 595) for left, right in pairwise(edges)]
    tint(page, [boxes[side]], color)
    write(page, 140, 40, "标题在上面的一行", 18)
    lines = [5, 12] if side == 0 else [12, 5]
    for number, (left, _, right, _) in enumerate(boxes):
        for line in range(lines[number]):
            text = "国家图书馆编目中心的文字从头读到尾，一行也不少，然后再读下一栏"[: int((right - left - 10) / 12)]
            write(page, left + 5, 90 + 20 * line, text, color=(1, 1, 1) if number == side and color[0] < 0.5 else (0, 0, 0))
    assert order(page, boxes) == [None, *[0] * lines[0], *[1] * lines[1]]


@pytest.mark.parametrize("draw", [tint, frame])
def test_of_a_single_column_rows_are_read(page, draw) -> None:
    draw(page, ROW)
    fill(page, ROW)
    assert order(page, ROW, "single")[:3] == [0, 1, 2]


def test_frames_in_rows_are_read_row_by_row(page: pymupdf.Page) -> None:
    rows = tuple((left, top, left + 165, top + 105) for top in (60, 190, 320) for left in (30, 220))
    frame(page, rows)
    fill(page, rows)
    found = order(page, rows)
    assert [number for number, before in zip(found, [None, *found], strict=False) if number != before] == [*range(6)]
