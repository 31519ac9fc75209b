"""Pages drawn here of several blocks: layout must tell what they are and read them in order."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pymupdf
import pytest

from docrec.document import Block, Box, Line
from docrec.ink import with_faint
from docrec.kinds import insert_notes
from docrec.layout import find_blocks
from docrec.options import LAYOUTS
from docrec.pipeline import prepare
from docrec.runs import parts_to_runs
from docrec.source import PageImage
from docrec.tables import low_frames

PROSE = "中文文档里的文字识别先要找到每一行的位置再逐行送入网络读出每个字来最后拼成段落"
DPI = 150
SIZE = 10.5  # points
PITCH = 16.0  # points


def drawn(draw: Callable[[pymupdf.Page], None]) -> PageImage:
    """An A4 page, 595 by 842 points, as `draw` fills it."""
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        draw(page)
        pixels = page.get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY, alpha=False)
        return PageImage(0, np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width), DPI)


def write(page: pymupdf.Page, left: float, baseline: float, text: str, size: float = SIZE, font: str = "china-s") -> None:
    page.insert_text((left, baseline), text, fontname=font, fontsize=size)


def prose(page: pymupdf.Page, left: float, top: float, lines: int, length: int = 46, size: float = SIZE, pitch: float = PITCH) -> None:
    """Lines that are full but for the last."""
    for line in range(lines):
        text = (PROSE[line % 7 :] + PROSE)[:length]
        write(page, left, top + pitch * line, text if line < lines - 1 else text[: length // 2], size)


def places(blocks: tuple[Block, ...]) -> list[tuple[int, int]]:
    """Left edge and middle of each line in reading order, in points."""
    boxes = [line.box for block in blocks for line in block.lines]
    return [(round(box.left * 72 / DPI), round((box.top + box.bottom) / 2 * 72 / DPI)) for box in boxes]


def kinds(blocks: tuple[Block, ...]) -> list[str]:
    return [block.kind for block in blocks]


def lefts(blocks: tuple[Block, ...]) -> list[int]:
    """Left edges of the lines in reading order, each once for those that follow one another."""
    found = [left for left, _ in places(blocks)]
    return [left for index, left in enumerate(found) if not index or abs(left - found[index - 1]) > 4]


@pytest.mark.parametrize(("columns", "length", "gutter"), [(2, 22, 14.0), (2, 22, 40.0), (3, 14, 18.0)])
def test_columns_are_read_one_after_the_other_between_titles_across(columns: int, length: int, gutter: float) -> None:
    starts = [55 + number * (length * SIZE + gutter) for number in range(columns)]

    def draw(page: pymupdf.Page) -> None:
        write(page, 180, 80, "横跨各栏的大标题", 22)
        for number, start in enumerate(starts):
            prose(page, start, 120 + 5 * (number % 2), 14, length)
        write(page, 180, 390, "又一个横跨各栏的标题", 22)
        for start in starts:
            prose(page, start, 430, 9, length)

    blocks = find_blocks(drawn(draw))
    assert lefts(blocks) == pytest.approx([181, *starts, 181, *starts], abs=3)
    assert kinds(blocks).count("title") == 2


def test_columns_that_are_short_or_ragged_are_found_if_asked_for() -> None:
    def draw(page: pymupdf.Page) -> None:
        for start in (60, 320):
            for line, text in enumerate(["苹果", "香蕉和葡萄", "西瓜", "樱桃和桃子"]):
                write(page, start, 100 + PITCH * line, text)

    page = drawn(draw)
    assert lefts(find_blocks(page)) == pytest.approx([60, 320] * 4, abs=3)
    assert lefts(find_blocks(page, "columns")) == pytest.approx([60, 320], abs=3)


def test_a_single_column_is_read_in_rows_if_asked_for() -> None:
    def draw(page: pymupdf.Page) -> None:
        for start in (60, 320):
            prose(page, start, 100, 8, 20)

    page = drawn(draw)
    assert lefts(find_blocks(page)) == pytest.approx([60, 320], abs=3)
    assert lefts(find_blocks(page, "single")) == pytest.approx([60, 320] * 8, abs=3)


@pytest.mark.parametrize("layout", ["auto", "line"])
def test_a_page_of_one_line(layout: str) -> None:
    page = drawn(lambda page: write(page, 60, 100, "一行文字国家图书馆", 20))
    (block,) = find_blocks(page, layout)
    (line,) = block.lines
    rows = np.flatnonzero((page.gray < 190).any(axis=1))
    assert (line.box.top, line.box.bottom) == (pytest.approx(rows[0], abs=3), pytest.approx(rows[-1] + 1, abs=3))


def test_rows_with_wide_gaps_are_no_columns() -> None:
    def draw(page: pymupdf.Page) -> None:
        for line, title in enumerate(["绪论", "研究背景与意义", "国内外研究现状", "方法", "实验结果与分析", "结论与展望"]):
            write(page, 60, 100 + 20 * line, title)
            dots = int((480 - 70 - SIZE * len(title)) / 5)
            for dot in range(dots):
                page.draw_circle((70 + SIZE * len(title) + 5 * dot, 98 + 20 * line), 0.5, fill=0)
            write(page, 490, 100 + 20 * line, str(3 * line + 1), font="helv")
        for line, (name, value) in enumerate(
            [("甲方：", "某某科技有限公司"), ("乙方：", "张三"), ("地点：", "某市某区某路"), ("日期：", "今天")]
        ):
            write(page, 60, 300 + 20 * line, name)
            write(page, 160, 300 + 20 * line, value)
        for line in range(6):
            write(page, 60, 450 + 15 * line, f"x{line} = f({line})", font="cour")
            write(page, 300, 450 + 15 * line, "# what it is for" if line % 2 else "# why", font="cour")

    rows = [middle for _, middle in places(find_blocks(drawn(draw)))]
    assert all(below > above - 4 for above, below in pairwise(rows))


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_note_in_the_margin_is_a_block_of_its_own_by_its_paragraph(side: str) -> None:
    text = 146 if side == "left" else 60

    def draw(page: pymupdf.Page) -> None:
        prose(page, text, 100, 8, 37)
        prose(page, text, 260, 8, 37)
        for line, words in enumerate(["边上的小字注", "说明这一段的", "意思"]):
            start = 453 if side == "right" else 142 - 7.5 * len(words)  # as near to the text as a word of the same line
            write(page, start, 105 + 11 * line, words, 7.5)
            write(page, start, 267 + 11 * line, words, 7.5)

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks) == (["note", "text"] if side == "left" else ["text", "note"]) * 2
    assert sorted(len(block.lines) for block in blocks) == [3, 3, 8, 8]
    notes = [block.box for block in blocks if block.kind == "note"]
    assert all(box.right * 72 / DPI < 143 if side == "left" else box.left * 72 / DPI > 450 for box in notes)


def test_bullets_below_a_page_number_are_no_notes() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 55, 45, "p. 108", 8, "hebo")
        for row in range(16):
            page.draw_circle((77, 96 + 40 * row), 2.1, fill=(0, 0, 0))
            write(page, 85, 100 + 40 * row, f"! Missing {'$#&'[row % 3]} inserted.", font="cour")
            write(page, 85, 117 + 40 * row, PROSE[row : row + 30])

    blocks = find_blocks(drawn(draw))
    assert "note" not in kinds(blocks)
    assert sum(left < 77 for left, _ in places(blocks)[1:]) == 16


def test_what_stands_around_text_is_told_from_it() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 45, "某某大学学位论文")
        write(page, 470, 45, "第三章")
        page.draw_line((60, 52), (535, 52), width=0.6)
        write(page, 60, 95, "第三章  实验结果", 18)
        prose(page, 60, 130, 12, 45)
        page.draw_line((60, 640), (200, 640), width=0.5)
        for line in range(3):
            write(page, 60, 655 + 12 * line, PROSE[line:35], 8)
        write(page, 290, 800, "- 12 -", font="helv")

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks) == ["header", "title", "text", "footnote", "footer"]
    assert [len(block.lines) for block in blocks] == [2, 1, 12, 3, 1]


def test_figures_and_what_is_written_below_them() -> None:
    across, down = np.meshgrid(np.arange(500), np.arange(300))
    photo = (120 + 60 * np.sin(across / 40) * np.cos(down / 33) + 40 * np.sin(down / 7)).astype(np.uint8)

    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 80, 8, 45)
        page.insert_image((150, 240, 450, 420), stream=cv2.imencode(".png", photo)[1].tobytes())
        page.draw_rect((200, 300, 320, 330), fill=(1, 1, 1), color=None)
        write(page, 210, 320, "图中的标签文字")
        write(page, 258, 440, "图一  图片的说明", 9)
        prose(page, 60, 480, 8, 45)

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks) == ["text", "figure", "caption", "text"]
    assert [len(block.lines) for block in blocks] == [8, 1, 1, 8]


def test_a_formula_set_apart() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 80, 6, 45)
        write(page, 258, 205, "y = a x + b z - c", font="tiit")
        prose(page, 60, 240, 6, 45)

    assert kinds(find_blocks(drawn(draw))) == ["text", "formula", "text"]


def ruled(page: pymupdf.Page, xs: list[float], ys: list[float]) -> None:
    for y in ys:
        page.draw_line((xs[0], y), (xs[-1], y), width=0.7)
    for x in xs:
        page.draw_line((x, ys[0]), (x, ys[-1]), width=0.7)


@pytest.mark.parametrize("rules", [False, True])
def test_a_table_of_short_numbers(rules: bool) -> None:
    """A mark sheet, which is mostly of two digits a cell, and so of nothing that looks like a word."""

    def draw(page: pymupdf.Page) -> None:
        for row in range(30):
            for column in range(8):
                write(page, 70 + 60 * column, 100 + 21 * row, str(10 + (37 * row + 11 * column) % 90) if column else "张小伟")
        if rules:
            ruled(page, [60 + 60 * line for line in range(9)], [85 + 21 * line for line in range(31)])

    assert sum(len(block.lines) for block in find_blocks(drawn(draw))) == 240


def test_columns_with_a_table_of_short_numbers_in_one_and_a_heading_below_it() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 24, 20)
        prose(page, 320, 100, 6, 20)
        for y in (204, 224, 285):
            page.draw_line((320, y), (530, y), width=0.8)
        rows = ["方法 准确 召回 用时", "一号 81 79 12", "二号 88 86 35", "三号 95 94 41"]
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells.split()):
                write(page, 330 + 55 * column, 218 + 20 * row, cell)
        write(page, 320, 304, "2")
        write(page, 342, 304, "结束语")
        prose(page, 320, 324, 10, 20)

    blocks = find_blocks(drawn(draw))
    found = places(blocks)
    assert max(index for index, (left, _) in enumerate(found) if left < 300) == 23  # the left column, whole, then the right one
    (table,) = [block for block in blocks if block.kind == "table"]
    assert len(table.lines) == 16


def test_a_narrow_list_beside_text_is_read_by_itself_unless_it_is_level_with_it() -> None:
    def draw(page: pymupdf.Page, pitch: float) -> None:
        for row in range(6):
            write(page, 50, 100 + pitch * row, PROSE[row : row + 2 + row % 3])
        prose(page, 180, 100, 14, 30)

    assert lefts(find_blocks(drawn(lambda page: draw(page, 21)))) == pytest.approx([50, 180], abs=3)
    assert len(lefts(find_blocks(drawn(lambda page: draw(page, 2 * PITCH))))) > 6


def test_a_heading_of_small_type_beside_centred_lines_is_no_note() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(6):
            write(page, 250, 100 + 26 * row, PROSE[3 * row : 3 * row + 6], 15)
        write(page, 120, 260, "注释", 9)
        write(page, 120, 276, PROSE[:30], 9)

    assert [round(left, -1) for left, _ in places(find_blocks(drawn(draw)))] == [250] * 6 + [120, 120]


@pytest.mark.parametrize("radius", [None, 0.15, 0.5], ids=["square", "round corners", "round ends"])
def test_boxes_that_arrows_link_are_no_text_but_what_they_hold_is(radius: float | None) -> None:
    words = ["读取页面", "去除噪声", "切分文本行"]

    def draw(page: pymupdf.Page) -> None:
        prose(page, 70, 100, lines=5)
        for number, word in enumerate(words):
            left = 70 + 150 * number
            page.draw_rect((left, 220, left + 100, 245), radius=radius, width=0.8)
            write(page, left + 50 - 5.25 * len(word), 236.5, word)
            if number:
                page.draw_line((left - 50, 232.5), (left, 232.5), width=0.8)
                page.draw_polyline([(left - 4, 230), (left, 232.5), (left - 4, 235)], width=0.8)

    boxes = [line.box for block in find_blocks(drawn(draw)) for line in block.lines][5:]
    inside = [box for box in boxes if box.width > 20 * DPI / 72]
    assert [round(box.left * 72 / DPI) for box in inside] == pytest.approx([99, 249, 394], abs=2)
    assert [round(box.width * 72 / DPI) for box in inside] == pytest.approx([42, 42, 52], abs=4)
    assert len(boxes) <= len(inside) + 2, "but for the heads of the arrows"


def test_a_frame_whose_sides_are_found_twice_is_no_drawing() -> None:
    ink = np.array([(0, 100, 300, 102), (0, 200, 300, 202)]), np.array([(0, 100, 2, 200)])
    faint = np.array([(1, 100, 299, 102)]), np.array([(0, 99, 2, 201), (298, 99, 300, 201)])
    assert with_faint(ink[0], faint[0]).tolist() == [[0, 200, 300, 202], [1, 100, 299, 102]]
    assert with_faint(ink[1], faint[1]).tolist() == faint[1].tolist()


def test_type_between_rules_in_pieces_is_no_side_of_a_frame() -> None:
    em, parts = 20.0, np.array([(100, 52, 120, 72), (100, 50, 103, 75)])
    levels = np.array([(20, 48, 101, 50), (20, 75, 101, 77)])
    ink = np.zeros((100, 200), np.uint8)
    ink[52:72, 100:120] = 1
    edges, kept = low_frames(parts, levels, ink, em)
    assert kept.tolist() == parts[:1].tolist()
    assert edges[:, [0, 2]].tolist() == [[100, 100], [103, 103]]


@pytest.mark.parametrize("mark", ["", "1. "])
def test_a_list_beside_lines_that_are_not_level_with_it(mark: str) -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(4):
            write(page, 70, 98 + 21 * row, f"{mark}同时发放调查问卷")
        for row, text in enumerate(("仪器", "双通道录音机一台，声级计两台，三", "脚架若干。", "注意", "雨天和大风天气不做测量。")):
            write(page, 300, 90 + 18 * row, text)

    assert lefts(find_blocks(drawn(draw))) == pytest.approx([70, 300], abs=5)


@pytest.mark.parametrize("marks", ["●●", "●1", "14"])
def test_two_lists_that_are_level_are_read_one_after_the_other_if_bullets_tell_them(marks: str) -> None:
    """Of options without bullets nothing tells that they do not go on in the row."""

    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 60, "标题在左上角", 16)
        for left, mark in zip((60, 260), marks, strict=True):
            for item, (top, lines) in enumerate(((200, 1), (220, 2), (256, 1))):
                if mark == "●":
                    page.draw_circle((left + 4, top - 4), 2.5, fill=(0, 0, 0), color=None)
                else:
                    write(page, left, top, str(int(mark) + item))
                for line in range(lines):
                    write(page, left + 14, top + 16 * line, PROSE[5 * item : 5 * item + (7 if line else 15)])

    at_right = [left > 200 for left, _ in places(find_blocks(drawn(draw)))]
    assert (at_right == sorted(at_right)) == ("●" in marks)


def test_the_bars_of_a_chart_are_no_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 10)
        for number, height in enumerate([30, 60, 45, 55, 25]):
            page.draw_rect((100 + 30 * number, 400 - height, 118 + 30 * number, 400), fill=(0.4, 0.5, 0.7), color=None)

    assert len(places(find_blocks(drawn(draw)))) == 10


def test_type_of_several_sizes_on_a_line_has_a_band_each() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 6)
        write(page, 60, 230, "醒目", 17)
        write(page, 96, 230, PROSE[:20])
        prose(page, 60, 260, 6)

    lines = [line for block in find_blocks(drawn(draw)) for line in block.lines]
    (mixed,) = [line for line in lines if line.bands]
    assert [round(band.left * 72 / DPI) for band in mixed.bands] == pytest.approx([60, 96], abs=3)
    large, small = (band.height for band in mixed.bands)
    assert large / small == pytest.approx(17 / SIZE, rel=0.1)
    assert mixed.box.height == small


def test_a_few_huge_characters_do_not_hide_small_print() -> None:
    def draw(page: pymupdf.Page) -> None:
        lines = [(80, "春季展览"), (24, "免费入场欢迎参观"), (24, "地点市图书馆大厅"), (11, "主办单位市文化局")]
        for row, (size, text) in enumerate(lines):
            write(page, 120, 160 + 150 * row, text, size)

    assert len(places(find_blocks(drawn(draw)))) == 4


def test_a_running_head_of_larger_type_goes_across_columns() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 60, "396", 15)
        write(page, 505, 60, "索引", 15)
        prose(page, 60, 100, 30, 20)
        prose(page, 325, 100, 30, 20)

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks).count("header") == 1
    assert blocks[0].kind == "header"
    assert len(blocks[0].lines) == 2


def test_columns_of_questions_with_options_side_by_side() -> None:
    def draw(page: pymupdf.Page) -> None:
        for left in (50, 296):
            for question in range(8):
                top = 100 + 4.2 * PITCH * question
                write(page, left, top, PROSE[:21])
                write(page, left, top + PITCH, PROSE[3:16])
                for option in range(4):
                    text = "甲乙丙丁"[option] + PROSE[option : option + 3]
                    write(page, left + 110 * (option % 2), top + (2 + option // 2) * PITCH, text)

    found = places(find_blocks(drawn(draw)))
    assert len(found) == 96
    assert [left < 290 for left, _ in found] == [True] * 48 + [False] * 48


def test_four_options_on_a_line_below_each_question() -> None:
    def draw(page: pymupdf.Page) -> None:
        for question in range(5):
            top = 100 + 36 * question
            write(page, 60, top, PROSE[question : question + 25])
            for option in range(4):
                write(page, 60 + 120 * option, top + 17, "甲乙丙丁"[option] + PROSE[:5] + PROSE[: (option == 3) * (4 - question // 2)])

    found = places(find_blocks(drawn(draw)))
    assert [round(left, -1) for left, _ in found] == [60, 60, 180, 300, 420] * 5


@pytest.mark.parametrize("blank", [5, 10])
def test_what_follows_a_blank_is_of_its_row(blank: int) -> None:
    """A stop by itself has the band of the row, and what stands in the middle of the column is no formula."""

    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 60, 3)
        write(page, 60, 120, PROSE[:14])
        write(page, 60 + (14 + blank) * SIZE, 120, "，" + PROSE[:5])
        write(page, 60 + (20 + 2 * blank) * SIZE, 120, "。")

    *_, last = find_blocks(drawn(draw))
    first, middle, stop = (line.box for line in last.lines[-3:])
    assert (first.top, first.bottom) == pytest.approx((middle.top, middle.bottom), abs=2)
    assert (stop.top, stop.bottom) == pytest.approx((middle.top, middle.bottom), abs=2)
    assert stop.width < SIZE


def test_rows_of_dots_between_the_lines_of_a_list_are_no_leaders() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 300, 110, 8, 22)
        for row in range(6):
            write(page, 60, 100 + 20 * row, PROSE[row : row + 4])
            write(page, 200, 100 + 20 * row, f"{row}0克")
            for dot in range(60):
                page.draw_circle((60 + 2.8 * dot, 106 + 20 * row), 0.6, color=None, fill=(0, 0, 0))
        write(page, 60, 300, PROSE[:6])
        for dot in range(40):
            page.draw_circle((130 + 4 * dot, 298), 0.6, color=None, fill=(0, 0, 0))
        write(page, 300, 300, "12")

    boxes = [line.box for block in find_blocks(drawn(draw)) for line in block.lines]
    assert len(boxes) == 8 + 12 + 1
    assert max(box.right for box in boxes if box.left < 130) > 290 * DPI / 72


def test_a_table_of_contents_whose_chapters_have_no_leaders_is_read_in_its_rows() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(17):
            y, x = 200 + 17.6 * row, (70, 86)[row % 8 > 0]
            write(page, x, y, str(row), font="tiro")
            write(page, x + 25, y, PROSE[row : row + 6 + row % 4])
            for dot in range(int(x + 35 + 10.5 * (6 + row % 4)), 485, 8) if row % 8 else ():
                write(page, dot, y, ".", font="tiro")
            write(page, 506, y, str(3 + row // 3), font="tiro")

    blocks = find_blocks(drawn(draw))
    middles = [middle for _, middle in places(blocks)]
    assert "table" not in kinds(blocks)
    assert len(set(middles)) == 17
    assert middles == sorted(middles)


def test_lines_that_end_with_commas_do_not_bridge_a_gutter_of_one_em() -> None:
    ends = ["，", "。", "、高", "，", "、高", "。"]

    def draw(page: pymupdf.Page) -> None:
        for row in range(30):
            end = ends[row % 6]
            write(page, 60, 100 + PITCH * row, (PROSE[row % 7 :] + PROSE)[: 22 - len(end)] + end)
            write(page, 60 + 22 * SIZE + 10, 103 + PITCH * row, "一" * (row % 5 == 0) + PROSE[: 22 - (row % 5 == 0)])

    blocks = find_blocks(drawn(draw))
    assert lefts(blocks) == pytest.approx([60, 301], abs=2)
    assert len(places(blocks)) == 60


def test_a_bracket_that_a_blank_parts_from_its_line_is_no_row_of_a_column() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 100, PROSE[:35])
        write(page, 60, 116, PROSE[7:15] + "(")
        write(page, 242, 116, ")")
        for row in range(2):
            for side in range(2):
                write(page, 60 + 180 * side, 132 + 16 * row, PROSE[3 * row + side :][:8])

    assert [round(left, -1) for left, _ in places(find_blocks(drawn(draw)))] == [60, 60, 240, 60, 240, 60, 240]


def test_articles_between_rules_are_read_one_after_another() -> None:
    """Two side by side, parted by a rule that meets the one below the left one, over a third."""

    def draw(page: pymupdf.Page) -> None:
        page.draw_line((40, 90), (555, 90), width=0.7)
        page.draw_line((297, 96), (297, 400), width=0.7)
        for left in (45, 304):
            write(page, left, 115, PROSE[:8], 22)
            page.draw_line((left - 5 * (left < 50), 400), (left + 252, 400), width=0.7)
            for column in range(2):
                prose(page, left + 128 * column, 140, 16, 11)
        write(page, 45, 430, PROSE[8:16], 22)
        for column in range(3):
            prose(page, 45 + 172 * column, 460, 12, 15)

    blocks = find_blocks(drawn(draw))
    assert "figure" not in kinds(blocks)
    titles = [line.box for block in blocks for line in block.lines if line.box.height > 1.5 * SIZE * DPI / 72]
    assert [round(box.left * 72 / DPI) for box in titles] == pytest.approx([47, 305, 47], abs=3)
    assert titles[2].top > 410 * DPI / 72
    assert lefts(blocks) == pytest.approx([45, 173, 304, 432, 45, 217, 389], abs=3)


@pytest.mark.parametrize("cap", "知不")
def test_a_drop_cap_stands_before_its_lines(cap: str) -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 122, cap, 3 * SIZE)
        for line in range(2):
            write(page, 95, 106 + PITCH * line, PROSE[line : line + 17])
        prose(page, 60, 106 + 2 * PITCH, 10, 20)
        prose(page, 320, 106, 12, 20)

    found = places(find_blocks(drawn(draw)))
    assert len(found) == 25
    assert [left for left, _ in found[:4]] == pytest.approx([60, 95, 95, 60], abs=3)


def test_a_brace_before_two_lines_is_no_drop_cap() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 122, "{", 3 * SIZE, "helv")
        for line in range(2):
            write(page, 80, 106 + PITCH * line, PROSE[line : line + 17])
        prose(page, 60, 140, 10, 20)

    assert len(places(find_blocks(drawn(draw)))) == 12


def test_a_ruled_table_with_cells_of_several_lines() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 80, 5, 45)
        ruled(page, [60, 160, 300, 530], [180, 205, 250, 275])
        for row, middle in enumerate([192, 227, 262]):
            write(page, 70, middle + 4, f"第{'一二三'[row]}行")
            write(page, 170, middle + 4, "单元格")
            if row == 1:
                write(page, 310, middle - 6, "这个单元格里的文字")
                write(page, 310, middle + 10, "有两行")
            else:
                write(page, 310, middle + 4, "末列")
        prose(page, 60, 310, 5, 45)

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks) == ["text", "table", "text"]
    assert [line.cell for line in blocks[1].lines] == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (1, 2), (2, 0), (2, 1), (2, 2)]


def test_faint_rules_in_pieces_bound_the_cells_of_a_table() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 70, 100, lines=6)
        for row in range(4):
            for column in range(4):
                write(page, 100 + 90 * column, 240 + 15 * row, PROSE[row + 2 * column :][:4])
        for row in range(5):
            page.draw_line((90, 228.5 + 15 * row), (450, 228.5 + 15 * row), width=0.4)
        for column in range(5):
            page.draw_line((90 + 90 * column, 228.5), (90 + 90 * column, 288.5), width=0.4)

    page = drawn(draw)
    noise = np.random.default_rng(3).normal(0, 22, page.gray.shape)
    scan = cv2.GaussianBlur(page.gray, (0, 0), 0.8) + cv2.GaussianBlur(noise, (0, 0), 0.7)
    gray = np.clip(scan * 1.05, 0, 255).astype(np.uint8)
    (table,) = [block for block in find_blocks(PageImage(0, gray, DPI)) if block.kind == "table"]
    assert len(table.lines) == 16
    assert {line.cell for line in table.lines} == {(row, column) for row in range(4) for column in range(4)}


def test_cells_that_span_rows_and_columns_have_the_place_of_their_first() -> None:
    def draw(page: pymupdf.Page) -> None:
        ruled(page, [60, 200, 340, 480], [100, 130, 160, 190])
        page.draw_rect((201, 101, 479, 129), color=(1, 1, 1), fill=(1, 1, 1))  # the head of columns 1 and 2
        page.draw_rect((61, 131, 199, 189), color=(1, 1, 1), fill=(1, 1, 1))  # the head of rows 1 and 2
        for left, top, text in [(70, 120, "甲乙"), (290, 120, "合并的表头"), (70, 165, "合并的行"), (210, 150, "左上"), (350, 150, "右上")]:
            write(page, left, top, text)
        write(page, 210, 180, "左下")
        write(page, 350, 180, "右下")
        prose(page, 60, 240, 8, 45)

    table = find_blocks(drawn(draw))[0]
    assert table.kind == "table"
    assert [line.cell for line in table.lines] == [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 1), (2, 2)]


@pytest.mark.parametrize("rules", [True, False])
def test_a_table_without_upright_rules(rules: bool) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 80, 5, 45)
        if rules:
            for y in (185, 207, 275):
                page.draw_line((60, y), (530, y), width=0.8)
        for row, cells in enumerate([("名称", "数量", "说明"), ("螺丝", "120", "用来固定"), ("钉子", "35", "备用"), ("垫圈", "7", "大号")]):
            for column, cell in enumerate(cells):
                write(page, 70 + 170 * column, 200 + 22 * row, cell, font="helv" if cell.isascii() else "china-s")
        prose(page, 60, 320, 5, 45)

    blocks = find_blocks(drawn(draw))
    assert kinds(blocks) == ["text", "table", "text"]
    assert [line.cell for line in blocks[1].lines] == [(row, column) for row in range(4) for column in range(3)]


def test_cells_of_two_lines_in_the_middle_of_their_row_are_one_each() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(6):
            baseline = 100 + 26 * row
            write(page, 60, baseline, ("名称", "档案", "图书", "报纸", "期刊", "地图")[row])
            write(page, 160, baseline, ("数量", "12", "7", "31", "4", "15")[row])
            if row % 2:
                write(page, 260, baseline - 6.5, PROSE[row : row + 20])
                write(page, 260, baseline + 6.5, PROSE[row + 20 : row + 25])
            else:
                write(page, 260, baseline, PROSE[row : row + 12])

    (table,) = find_blocks(drawn(draw))
    assert table.kind == "table"
    columns = [(0, 1, 2), (0, 1, 2, 2)]
    assert [line.cell for line in table.lines] == [(row, column) for row in range(6) for column in columns[row % 2]]


def test_text_in_a_frame_is_no_table() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.draw_rect((50, 60, 545, 200), width=0.7)
        prose(page, 60, 80, 6, 44)
        prose(page, 60, 240, 6, 44)

    assert set(kinds(find_blocks(drawn(draw)))) == {"text"}


def scene(rng: np.random.Generator) -> np.ndarray:
    """A page of random shapes, of any size from a pixel to many megapixels, blurred or noisy."""
    height, width = (int(10 ** rng.uniform(0, 3.4)) for _ in range(2))
    gray = np.full((height, width), 255, np.uint8)
    for _ in range(int(10 ** rng.uniform(0, 2.7))):
        reach = 10 ** rng.uniform(0, np.log10(max(height, width) + 2))
        x, y = int(rng.uniform(-0.1, 1.1) * width), int(rng.uniform(-0.1, 1.1) * height)
        wide, high, level = int(rng.uniform(0, reach)), int(rng.uniform(0, reach)), int(rng.integers(0, 256))
        thick = int(rng.choice([1, 2, 5, 20]))
        match int(rng.integers(6)):
            case 0:
                cv2.rectangle(gray, (x, y), (x + wide, y + high), level, int(rng.choice([-1, thick])))
            case 1:
                cv2.line(gray, (x, y), (x + wide, y), level, thick)
            case 2:
                cv2.line(gray, (x, y), (x, y + high), level, thick)
            case 3:
                cv2.ellipse(gray, (x, y), (wide, high), rng.uniform(0, 180), 0, 360, level, int(rng.choice([-1, thick])))
            case 4:
                cv2.line(gray, (x, y), (x + wide, y + high), level, thick)
            case _:
                text = "abcXYZ120-=|"[int(rng.integers(12))] * int(rng.integers(1, 20))
                cv2.putText(gray, text, (x, y), 0, max(0.2, reach / 60), level, thick)
    if rng.random() < 0.2:
        return np.clip(gray + rng.normal(0, rng.uniform(1, 90), gray.shape), 0, 255).astype(np.uint8)
    if rng.random() < 0.1:
        gray[rng.random(gray.shape) < rng.uniform(0, 0.3)] = 0
    return gray


@pytest.mark.parametrize("seed", range(25))
def test_no_geometry_breaks_layout(seed: int) -> None:
    gray = scene(np.random.default_rng(seed))
    for layout in LAYOUTS:
        for block in find_blocks(PageImage(0, gray, DPI), layout):
            for line in block.lines:
                assert -1 <= line.box.left < line.box.right <= gray.shape[1] + 1
                assert 0 <= line.box.top < line.box.bottom


@pytest.mark.parametrize("shape", [(1, 1), (1, 4000), (4000, 1), (3000, 4000)])
def test_extreme_sizes(shape: tuple[int, int]) -> None:
    gray = np.full(shape, 255, np.uint8)
    gray[shape[0] // 3 :, shape[1] // 2 :] = 0
    assert sum(len(block.lines) for block in find_blocks(PageImage(0, gray, DPI))) <= 1


def clouds(size: float, seed: int = 0) -> np.ndarray:
    """Soft random shapes about so many pixels large, of mean 0 and variance 1."""
    field = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (1100, 800)), (0, 0), size)
    return field / field.std()


ACROSS, DOWN = np.meshgrid(np.arange(800), np.arange(1100))


def grainy(size: int, share: float) -> np.ndarray:
    """Squares so many pixels large, a share of them black."""
    return np.kron(np.random.default_rng(4).random((1100 // size, 800 // size)) > share, np.full((size, size), 255))


TEXTLESS = {
    "black": np.zeros((1100, 800)),
    "photograph": 140 + 40 * clouds(4) + 30 * clouds(30, 1),
    "noise": np.random.default_rng(2).normal(128, 60, (1100, 800)),
    "salt and pepper": 255 * (np.random.default_rng(3).random((1100, 800)) > 0.1),
    "fine grain": grainy(1, 0.5),
    "grain": grainy(3, 0.1),
    "spots": 255 * (clouds(4) > 0),
    "map": 255 * (abs(3 * clouds(16) % 1 - 0.5) > 0.06),
    "hatch": 255 * ((ACROSS + DOWN) % 24 > 3),
    "lines": 255 * (DOWN % 30 > 3),
    "squared paper": 255 * ((DOWN % 40 > 2) & (ACROSS % 40 > 2)),
    "halftone": 255 * ((np.sin(0.7 * ACROSS) * np.sin(0.7 * DOWN) + 1) * 127 < 140 + 40 * clouds(40)),
}


@pytest.mark.parametrize("name", TEXTLESS)
def test_pages_without_text_have_hardly_any_lines(name: str) -> None:
    page = PageImage(0, np.clip(TEXTLESS[name], 0, 255).astype(np.uint8), DPI)
    assert sum(len(block.lines) for block in find_blocks(page)) <= 3


def test_pieces_of_rules_are_no_text_but_dashes_beside_letters_and_alone_are() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(5):
            write(page, 60, 100 + 40 * row, PROSE[row : row + 12])
            for start, end in ((60, 74), (110, 121), (130, 150), (300, 311)):
                page.draw_line((start, 118 + 40 * row), (end, 118 + 40 * row), width=0.6)
        write(page, 300, 100, "—")
        write(page, 200, 400, "—")

    found = places(find_blocks(drawn(draw)))
    assert len(found) == 7
    assert found[-1][0] == pytest.approx(200, abs=3)


def test_a_dashed_rule_is_no_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 4)
        page.draw_line((60, 165), (500, 165), width=0.4, dashes="[4 4] 0")
        prose(page, 60, 180, 4)

    assert len(places(find_blocks(drawn(draw)))) == 8


def test_a_table_of_options_and_what_they_do_is_read_in_its_rows() -> None:
    """The middles of letters that descend are not those of Hanzi."""

    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 4)
        for row, option in enumerate(("-h, help", "-v, verse", "-o, output", "-q, quiet", "-r, recursive")):
            write(page, 70, 190 + PITCH * row, option, font="tiro")
            write(page, 170, 190 + PITCH * row, PROSE[row : row + 14 + 2 * row])
        prose(page, 60, 290, 4)

    assert lefts(find_blocks(drawn(draw)))[1:-1] == pytest.approx([70, 170] * 5, abs=3)


def test_a_line_well_below_columns_comes_after_them() -> None:
    def draw(page: pymupdf.Page) -> None:
        for left in (60, 220, 380):
            prose(page, left, 100, 8, 13)
        write(page, 60, 280, PROSE[:12])

    assert lefts(find_blocks(drawn(draw), "columns")) == pytest.approx([60, 220, 380, 60], abs=3)


def test_notes_stand_by_the_entries_beside_which_they_begin_however_short_these_are() -> None:
    def block(kind: str, left: float, top: float, right: float) -> Block:
        return Block(kind, (Line(Box(left, top, right, top + 20)),))

    entries = [block(kind, 60, 100 + 40 * row, 180 + 60 * (row % 3)) for row, kind in enumerate(["title", "text"] * 5)]
    notes = [block("note", 420, 110 + 80 * row, 470) for row in range(5)]
    found = insert_notes([block("header", 60, 20, 900), *entries], notes)
    assert kinds(tuple(found)) == ["header", *["title", "note", "text"] * 5]


@pytest.mark.parametrize("ends", [3, 5], ids=["level", "with a short last column"])
def test_a_short_title_of_three_columns_ends_those_above(ends: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        for zone in range(3):
            top = 80 + 160 * zone
            write(page, 50, top, PROSE[zone : zone + 8], 15)
            for column in range(3):
                prose(page, 50 + 162 * column, top + 28, 7 - ends * (column == 2) // 3, 14)

    found = places(find_blocks(drawn(draw)))
    assert [left for left, _ in found][:5] == pytest.approx([50] * 5, abs=3)
    zones = [(middle - 70) // 160 for _, middle in found]
    assert zones == sorted(zones)
    for zone in range(3):
        columns = [(left - 45) // 162 for (left, _), of in zip(found, zones, strict=True) if of == zone]
        assert columns == sorted(columns)


def test_a_title_in_a_column_whose_neighbour_has_ended_ends_none() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 50, 100, 12, 22)
        write(page, 50, 320, PROSE[:8], 15)
        prose(page, 50, 345, 12, 22)
        prose(page, 305, 100, 9, 22)

    assert lefts(find_blocks(drawn(draw))) == pytest.approx([50, 305], abs=3)


def test_small_lines_below_large_ones_are_as_high_as_their_type() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row, size in enumerate((28, 24, 24, 24, 24)):
            write(page, 100, 150 + 80 * row, PROSE[row : row + 6], size)
        write(page, 200, 680, "船到码头时天已经", 12)
        write(page, 200, 710, "本办法适用于全市各级行", 12)

    *_, first, last = (line.box for block in find_blocks(drawn(draw)) for line in block.lines)
    assert first.height == pytest.approx(12 * DPI / 72, rel=0.15)
    assert last.height == pytest.approx(12 * DPI / 72, rel=0.15)


def test_labels_in_the_margin_stand_before_what_they_label() -> None:
    sizes = [2, 1, 1, 3, 2, 1, 2, 2]

    def draw(page: pymupdf.Page) -> None:
        top = 100.0
        for number, lines in enumerate(sizes):
            write(page, 60, top, f"Ctrl+{number}", 9, "tiro")
            prose(page, 110, top, lines, 32)
            top += PITCH * lines

    blocks = find_blocks(drawn(draw))
    assert lefts(blocks) == pytest.approx([60, 110] * 8, abs=3)
    middles = [middle for _, middle in places(blocks)]
    assert all(below - above > -3 for above, below in pairwise(middles))


def test_a_title_above_and_between_columns_comes_before_them() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 270, 80, "诗选", 16)
        for left in (60, 340):
            for poem in range(4):
                for line in range(5):
                    write(page, left, 120 + 100 * poem + PITCH * line, PROSE[line : line + 14])

    found = places(find_blocks(drawn(draw)))
    assert [left for left, _ in found] == pytest.approx([270] + [60] * 20 + [340] * 20, abs=3)


@pytest.mark.parametrize("mark", [[(190, 115, 195, 121)], [(191, 100, 195, 113), (191, 116, 195, 120)]], ids=["comma", "exclamation"])
def test_the_blank_behind_a_mark_parts_no_words(mark: list[tuple[int, int, int, int]]) -> None:
    squares = [(left, 100, left + 20, 120) for left in (*range(100, 188, 22), *range(216, 304, 22))]
    walls = np.empty((0, 4), np.int32)
    assert len(parts_to_runs(np.array(squares, np.int32), walls, 20)) == 2
    assert len(parts_to_runs(np.array([*squares, *mark], np.int32), walls, 20)) == 1
    assert len(parts_to_runs(np.array([*squares, (191, 100, 195, 120)], np.int32), walls, 20)) == 2


def test_captions_side_by_side_are_read_one_after_another() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 5)
        for left in (60, 230, 400):
            page.draw_rect((left, 200, left + 140, 280), width=0.6)
            prose(page, left, 300, 3, 13)
        prose(page, 60, 380, 5)

    found = [left for left, _ in places(find_blocks(drawn(draw)))]
    assert found[5:14] == pytest.approx([60] * 3 + [230] * 3 + [400] * 3, abs=3)


def test_the_head_of_a_page_is_found_when_it_was_straightened() -> None:
    """Its canvas has then grown above it."""

    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 60, "第三章")
        write(page, 480, 60, "128")
        prose(page, 60, 100, 40, 20)
        prose(page, 325, 100, 40, 20)

    straight = drawn(draw)
    matrix = cv2.getRotationMatrix2D((620, 877), 13, 1)
    matrix[:, 2] += 150
    turned = cv2.warpAffine(straight.gray, matrix, (1540, 2054), borderValue=255)
    blocks = find_blocks(prepare(PageImage(0, turned, DPI)))
    assert blocks[0].kind == "header"
    assert len(blocks[0].lines) == 2


def test_a_large_title_comes_before_the_small_lines_to_its_right() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 100, "校园通讯", 28)
        for row in range(2):
            write(page, 460, 85 + 17 * row, f"第{row + 3}期")
        prose(page, 60, 140, 6)

    assert [left for left, _ in places(find_blocks(drawn(draw)))][:4] == pytest.approx([61, 460, 460, 60], abs=3)


@pytest.mark.parametrize("seed", range(3))
def test_faint_rules_between_columns_that_noise_breaks(seed: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        for left in (60, 225, 390):
            prose(page, left, 100, 26, 14)

    gray = drawn(draw).gray.astype(np.float32)
    rng = np.random.default_rng(seed)
    for x in (217, 382):
        column = int(x * DPI / 72)
        gray[180:1050, column : column + 2] = 216 + rng.normal(0, 9, (870, 2)) * np.array([1, 0.6])
    found = places(find_blocks(PageImage(0, gray.clip(0, 255).astype(np.uint8), DPI)))
    assert [left for left, _ in found] == pytest.approx([60] * 26 + [225] * 26 + [390] * 26, abs=3)


def test_few_justified_lines_in_two_columns_are_columns() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 4, 21)
        prose(page, 60 + 21 * SIZE + 17, 100, 3, 21)

    assert lefts(find_blocks(drawn(draw))) == pytest.approx([60, 60 + 21 * SIZE + 17], abs=3)


def test_dots_at_the_left_of_a_column_are_not_those_of_the_one_before() -> None:
    def draw(page: pymupdf.Page) -> None:
        for start in (60, 60 + 21 * SIZE + 22):
            prose(page, start, 100, 5, 21)
            prose(page, start, 100 + 6 * PITCH, 5, 21)
        write(page, 60, 100 + 5 * PITCH, PROSE[:21])
        for dot in range(5):
            page.draw_circle((60 + 21 * SIZE + 24 + 11 * dot, 97 + 5 * PITCH), 1, fill=(0, 0, 0))
        write(page, 60 + 21 * SIZE + 110, 100 + 5 * PITCH, PROSE[:10])

    boxes = [line.box for block in find_blocks(drawn(draw)) for line in block.lines]
    assert max(box.right for box in boxes if box.left < 70 * DPI / 72) < (60 + 21 * SIZE + 2) * DPI / 72
    assert lefts(find_blocks(drawn(draw)))[:2] == pytest.approx([60, 60 + 21 * SIZE + 22], abs=3)


def test_a_title_may_end_with_one_character_in_a_line_of_its_own() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 60, 80, "新出的巧克力味道", 24)
        write(page, 60, 116, "更", 24)
        prose(page, 60, 160, 12)

    found = places(find_blocks(drawn(draw)))
    assert len(found) == 14
    assert found[1] == pytest.approx((62, 107), abs=4)


@pytest.mark.parametrize(("ruled", "even"), [(True, False), (False, True), (False, False)])
def test_small_type_behind_a_rule_or_evenly_spaced_is_a_column(ruled: bool, even: bool) -> None:
    """And else notes in the margin, which are read where they stand."""

    def draw(page: pymupdf.Page) -> None:
        for start in (100, 300):
            prose(page, 60, start, 10, 31, pitch=17)
        for line in range(9):
            write(page, 425, 105 + 29 * line + (0 if even else (0, 14, 4)[line % 3]), PROSE[line : line + 9 + line % 3], 8.5)
        if ruled:
            page.draw_line((405, 90), (405, 480))

    blocks = find_blocks(drawn(draw))
    assert ("note" in kinds(blocks)) != (ruled or even)
    assert (lefts(blocks) == pytest.approx([60, 425], abs=3)) == (ruled or even)


def test_a_table_may_have_no_rule_below_a_tinted_row() -> None:
    def draw(page: pymupdf.Page) -> None:
        xs, ys = range(60, 461, 80), range(120, 281, 40)
        page.draw_rect((60, 90, 460, 120), color=None, fill=(0.2, 0.4, 0.8))
        for x in xs[:-1]:
            page.insert_text((x + 20, 110), PROSE[x // 40 :][:2], fontname="china-s", fontsize=SIZE, color=(1, 1, 1))
        for x in xs:
            page.draw_line((x, 122), (x, 280))
        for y in ys[1:]:
            page.draw_line((60, y), (460, y))
        for row, y in enumerate(ys[:-1]):
            for column, x in enumerate(xs[:-1]):
                write(page, x + 10, y + 17, PROSE[row + column :][:2])
                write(page, x + 10, y + 33, PROSE[row + 2 * column :][:3])
        prose(page, 60, 320, 8)

    table = next(block for block in find_blocks(prepare(drawn(draw))) if block.kind == "table")
    assert [line.cell for line in table.lines] == [(row, column) for row in range(4) for column in range(5) for _ in range(2)]


@pytest.mark.parametrize("size", [SIZE, 12])
def test_level_strokes_alone_are_one_character(size: float) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 160, 8)
        for column, char in enumerate("日一二三四"):
            write(page, 80 + 90 * column, 100, char, size)

    found = places(find_blocks(drawn(draw)))[:5]
    assert [left for left, _ in found] == pytest.approx([80 + 90 * column for column in range(5)], abs=3)


@pytest.mark.parametrize("size", [7, 8])
def test_letters_over_a_line_are_a_line_of_their_own(size: float) -> None:
    def draw(page: pymupdf.Page) -> None:
        for line in range(5):
            for place in range(14):
                write(page, 60 + 22.5 * place, 100 + 44 * line, PROSE[line + place], 18)
                write(page, 62 + 22.5 * place, 83 + 44 * line, "hándìlúbàk"[2 * (place % 4) :][:3], size, "helv")

    boxes = [line.box for block in find_blocks(drawn(draw)) for line in block.lines]
    heights = [box.height * 72 / DPI for box in boxes]
    assert len(boxes) == 10
    assert heights[::2] == pytest.approx([8] * 5, abs=2.5)
    assert heights[1::2] == pytest.approx([17] * 5, abs=2)


def test_lines_far_from_the_next_column_do_not_go_on_in_the_next_row() -> None:
    def draw(page: pymupdf.Page) -> None:
        for line, length in enumerate((6, 9, 12, 7)):
            write(page, 60, 100 + 24 * line, PROSE[:length])
            write(page, 330, 100 + 24 * line, PROSE[3 : 3 + length])

    assert lefts(find_blocks(drawn(draw))) == pytest.approx([60, 330] * 4, abs=3)


def test_a_colon_far_behind_a_bracket_is_of_its_line() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 160, 8)
        write(page, 60, 100, PROSE[:8])
        for y in (92, 98):
            page.draw_circle((60 + 9.2 * SIZE, y), 0.45, fill=(0, 0, 0))
        write(page, 60, 130, PROSE[:8])
        page.draw_circle((60 + 9.2 * SIZE, 127), 0.45, fill=(0, 0, 0))  # a speck

    first, second, *_ = (line.box for block in find_blocks(drawn(draw)) for line in block.lines)
    assert (first.right - second.right) * 72 / DPI == pytest.approx(1.3 * SIZE, abs=SIZE / 3)


@pytest.mark.parametrize("columns", [2, 4])
def test_options_in_columns_below_short_questions(columns: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        for question in range(4):
            top = 80 + question * 37
            write(page, 60, top, PROSE[question : question + 15 + question % 3])
            for option in range(columns):
                write(page, 60 + 480 // columns * option, top + 18, "甲乙丙丁"[option] + PROSE[option : option + 7])
        prose(page, 60, 260, 6)

    expected = [60, *(60 + 480 // columns * option for option in range(columns))] * 4
    assert [left for left, _ in places(find_blocks(drawn(draw)))][: len(expected)] == pytest.approx(expected, abs=3)


def test_dashed_rules_bound_the_cells_of_a_table() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(4):
            page.draw_line((60, 100 + 90 * row), (540, 100 + 90 * row), dashes="[3 2] 0", color=(0.6, 0.6, 0.6), width=0.6)
        for column in range(3):
            page.draw_line((60 + 240 * column, 100), (60 + 240 * column, 370), dashes="[3 2] 0", color=(0.6, 0.6, 0.6), width=0.6)
        for row in range(3):
            for column in range(2):
                for line in range(3):
                    write(page, 80 + 240 * column, 130 + 90 * row + 18 * line, PROSE[line + row + column :][: 6 + 4 * column])

    (table,) = find_blocks(drawn(draw))
    assert table.kind == "table"
    assert [line.cell for line in table.lines] == [(row, column) for row in range(3) for column in range(2) for _ in range(3)]


@pytest.mark.parametrize("fewer", [4, 0])
def test_titles_in_a_row_begin_articles_side_by_side(fewer: int) -> None:
    """Below columns that end at different heights, not where headings happen to be level."""

    def draw(page: pymupdf.Page) -> None:
        for column in range(2):
            prose(page, 60 + 250 * column, 100, 9 - fewer * column, 21)
            write(page, 60 + 250 * column, 262, PROSE[column : column + 8], 15)
            prose(page, 60 + 250 * column, 290, 8 + column, 21)

    expected = [60, 310, 60, 310] if fewer else [60, 310]
    assert lefts(find_blocks(drawn(draw))) == pytest.approx(expected, abs=3)


@pytest.mark.parametrize("gap", [1, 2])
def test_commas_below_one_another_do_not_part_running_text(gap: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        for line in range(6):
            if line in (2, 3):
                write(page, 60, 100 + PITCH * line, PROSE[line:][:11])
                write(page, 60 + (11 + gap) * SIZE, 100 + PITCH * line, PROSE[line:][11 : 22 - gap])
            else:
                write(page, 60, 100 + PITCH * line, PROSE[line:][:22])

    assert ("table" in kinds(find_blocks(drawn(draw)))) == (gap > 1)


@pytest.mark.parametrize("framed", [True, False])
def test_a_title_in_a_frame_is_of_its_column_however_high_it_stands(framed: bool) -> None:
    def draw(page: pymupdf.Page) -> None:
        for column in range(3):
            prose(page, 40 + 175 * column, 130, 14, 15)
        write(page, 390, 98, PROSE[:9], 12)
        if framed:
            page.draw_rect((382, 80, 560, 360), width=0.7)

    found = [left > 380 and middle < 110 for left, middle in places(find_blocks(drawn(draw)))]
    assert found.index(True) == (28 if framed else 0)


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("dashes", [None, "[3 3] 0"])
def test_what_stands_behind_a_long_rule_is_read_by_itself(numbers: bool, dashes: str | None) -> None:
    """But for the numbers of lines."""

    def draw(page: pymupdf.Page) -> None:
        page.draw_line((80, 60), (80, 780), dashes=dashes, width=0.7)
        for line in range(40):
            write(page, 100, 80 + 17 * line, PROSE[line % 9 :][: 32 - line % 5])
            if numbers:
                write(page, 60, 80 + 17 * line, str(10 + line))
        for place, char in enumerate("" if numbers else "学校班级姓名"):
            write(page, 58, 150 + 60 * (place // 2) + 13 * (place % 2), char)

    found = [line.box.left * 72 / DPI < 80 for block in find_blocks(drawn(draw)) for line in block.lines]
    assert sum(found) == (40 if numbers else 6)
    assert sum(found[:6]) == (3 if numbers else 6)


@pytest.mark.parametrize("ruled", [False, True])
def test_a_label_before_several_rows_of_a_table(ruled: bool) -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(9):
            baseline = 100 + 20 * row
            if row % 3 == 0:
                write(page, 60, baseline, PROSE[row : row + 2])
                if ruled:
                    page.draw_line((60, baseline - 14), (420, baseline - 14), width=0.5)
            for column, text in enumerate((str(2019 + row % 3), f"{3431 + 17 * row}.20", f"{15 + row}.6%")):
                write(page, 150 + 90 * column, baseline, text, font="helv")
        page.draw_line((60, 270), (420, 270), width=0.5)
        prose(page, 60, 320, 6)

    table = next(block for block in find_blocks(drawn(draw)) if block.kind == "table")
    assert [line.cell for line in table.lines] == [(row, column) for row in range(9) for column in range(row % 3 > 0, 4)]


def test_rules_between_rows_tell_to_which_the_second_line_of_a_narrow_cell_belongs() -> None:
    names = [(2, 0), (2, 1), (2, 0), (2, 0), (2, 1)]

    def draw(page: pymupdf.Page) -> None:
        baseline = 100
        for row, lengths in enumerate(names):
            page.draw_line((60, baseline - 17), (500, baseline - 17), width=0.5)
            for line, length in enumerate(lengths):
                write(page, 60, baseline + 16 * line, PROSE[row : row + length])
            write(page, 110, baseline, PROSE[row : row + 4])
            write(page, 190, baseline, PROSE[row : row + 25])
            baseline += 44 if lengths[1] else 28
        page.draw_line((60, baseline - 17), (500, baseline - 17), width=0.5)

    table = next(block for block in find_blocks(drawn(draw)) if block.kind == "table")
    expected = [(row, column) for row, (_, more) in enumerate(names) for column in (0, *[0] * more, 1, 2)]
    assert [line.cell for line in table.lines] == expected


def test_tables_side_by_side_between_rules_of_their_own() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 80, 4)
        for left in (60, 330):
            for y in (160, 182, 310):
                page.draw_line((left, y), (left + 220, y), width=0.7)
            for row in range(7):
                for column in range(3):
                    write(page, left + 10 + 75 * column, 175 + (20 if row else 0) + 18 * max(row - 1, 0), PROSE[row + column :][:4])
        prose(page, 60, 345, 4)

    tables = [block for block in find_blocks(drawn(draw)) if block.kind == "table"]
    assert [(len(table.lines), table.box.right * 72 / DPI < 300) for table in tables] == [(21, True), (21, False)]
