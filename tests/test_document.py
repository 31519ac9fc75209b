import pytest

from docrec.document import Block, Box, Glyph, Line, Page


def line(text, left, top, height=30):
    glyphs = tuple(Glyph(char, left + 30 * i, left + 30 * (i + 1), 0.5 + 0.1 * i) for i, char in enumerate(text))
    return Line(Box(left, top, left + 30 * max(len(text), 1), top + height), glyphs)


def page(*lines):
    return Page(0, 1000, 1000, 144.0, (Block("text", lines),) if lines else ())


def test_a_box_is_not_inverted():
    with pytest.raises(ValueError, match="left <= right"):
        Box(2, 0, 1, 1)


def test_a_line_knows_its_text_and_confidence():
    assert line("一二三", 0, 0).text == "一二三"
    assert line("一二三", 0, 0).confidence == pytest.approx(0.6)
    assert line("", 0, 0).confidence == 0


def test_paragraphs_are_indented_by_two_spaces_an_em():
    lines = [line("首行缩进", 160, 0), line("顶格之行", 100, 45), line("又一段落", 160, 90)]
    assert page(*lines).text == "    首行缩进\n顶格之行\n    又一段落"


def test_a_line_on_its_own_is_not_indented():
    title, body = line("标题", 400, 0), line("正文", 100, 200)
    assert page(title, body).text == "标题\n正文"


def test_lines_side_by_side_are_a_row():
    left, right, below = line("选项甲", 100, 100), line("选项乙", 600, 100), line("又一行", 100, 145)
    assert page(left, right, below).text == "选项甲  选项乙\n又一行"
    assert page(right, left).text == "选项乙\n选项甲"


def test_a_page_without_lines_has_no_text():
    assert page().text == ""


def test_pixels_become_points():
    assert page().to_points(Box(144, 72, 288, 144)) == Box(72, 36, 144, 72)
