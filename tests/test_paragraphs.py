"""Which lines make a paragraph, and how they are joined: a table of cases with reasons."""

import pytest

from docrec.document import Block, Box, Glyph, Line, Page
from docrec.writers.paragraphs import block_to_paragraphs, page_to_text

EM = 20
FULL = "字" * 20  # a line that reaches the right margin
LEFT = 100


def width(char: str) -> float:
    return EM if char > "\u2e7f" else EM / 2


def line_of(text: str, row: float, em: float = 0, left: float = 0, vertical: bool = False, size: float = 1) -> Line:
    """A line in a row of 1.5 em, set in by `em`."""
    start = LEFT + left + EM * em
    glyphs = []
    for char in text:
        glyphs.append(Glyph(char, start, start + width(char) * size, 0.9))
        start = glyphs[-1].right
    top = 100 + 1.5 * EM * row
    first = glyphs[0].left
    box = Box(first, top, start, top + EM * size)
    return Line(Box(1000 - box.bottom, box.left, 1000 - box.top, box.right) if vertical else box, tuple(glyphs), vertical)


def paragraphs(*lines: Line, kind: str = "text", others: tuple[Block, ...] = ()) -> list[str]:
    block = Block(kind, lines)
    page = Page(0, 1000, 1400, 200.0, (block, *others))
    return [paragraph.line.text for paragraph in block_to_paragraphs(block, page)]


def set_in(*texts: tuple[float, str], kind: str = "text") -> list[str]:
    """The paragraphs of lines below one another, each with what it is set in by."""
    return paragraphs(*(line_of(text, row, em) for row, (em, text) in enumerate(texts)), kind=kind)


@pytest.mark.parametrize(
    ("lines", "expected", "reason"),
    [
        ([(2, "一" * 18), (0, FULL), (0, "终。")], ["一" * 18 + FULL + "终。"], "lines of Hanzi are joined with nothing between"),
        (
            [(2, "一" * 18), (0, FULL), (2, "二" * 18)],
            ["一" * 18 + FULL, "二" * 18],
            "a line that is set in begins a paragraph, though all are full",
        ),
        ([(0, FULL), (0, "短。"), (0, FULL)], [FULL + "短。", FULL], "after a short line another begins, though none is set in"),
        ([(2, "一" * 18), (2, "二" * 18), (2, "三" * 18)], ["一" * 18 + "二" * 18 + "三" * 18], "all set in alike is a block quote"),
        ([(2, "一" * 18), (2, "二。"), (2, "三" * 18)], ["一" * 18 + "二。", "三" * 18], "where one is short"),
        ([(0, "字" * 19), (0, FULL)], ["字" * 19 + FULL], "an em may be free, as a full stop may not begin a line"),
        (
            [(0, "字" * 18), (0, "他" + "，" * 2 + "字" * 17)],
            ["字" * 18 + "他，，" + "字" * 17],
            "what may not be parted from its marks needs more room",
        ),
        (
            [(0, "one two three four five six seven ex-"), (0, "ample of words " + "a" * 10)],
            ["one two three four five six seven example of words " + "a" * 10],
            "a divided word is made whole",
        ),
        (
            [(0, "one two three four five six seven UTF-"), (0, "8 is a code " + "a" * 20)],
            ["one two three four five six seven UTF-8 is a code " + "a" * 20],
            "a hyphen before a digit is one",
        ),
        (
            [(0, "one two three four five six seven and"), (0, "some words " + "a" * 20)],
            ["one two three four five six seven and some words " + "a" * 20],
            "a space between words",
        ),
        ([(0, "字" * 16 + " program"), (0, FULL)], ["字" * 16 + " program" + FULL], "none between a word and Hanzi"),
        (
            [(0, "字" * 17 + "Linux"), (0, "program 是" + "字" * 10)],
            ["字" * 17 + "Linux program 是" + "字" * 10],
            "one between words among Hanzi",
        ),
        ([(0, "a" * 36), (0, "bbbbbbbb " * 4)], ["a" * 36 + " " + "bbbbbbbb " * 4], "a ragged line is full if the next word had no room"),
        (
            [(0, "1. " + "字" * 18), (1.5, "字" * 18), (0, "2. " + "字" * 18), (1.5, "字" * 4)],
            ["1. " + "字" * 36, "2. " + "字" * 22],
            "items that hang",
        ),
        (
            [(0, "• 一"), (0, "• 二"), (0, "（3）三"), (0, "④四"), (0, "五、五"), (0, "6）六")],
            ["• 一", "• 二", "（3）三", "④四", "五、五", "6）六"],
            "items of every mark, all short",
        ),
        ([(0, "字" * 19 + "约"), (0, "1.5米高的" + "墙" * 10)], ["字" * 19 + "约1.5米高的" + "墙" * 10], "a number is no item"),
        (
            [(0, "绪论......" + "·" * 29 + "1"), (0, "参考文献" + "." * 30 + "12")],
            ["绪论......" + "·" * 29 + "1", "参考文献" + "." * 30 + "12"],
            "lines of a table of contents",
        ),
        ([(0, "山" * 20), (0, "水")], ["山" * 20 + "水"], "the last line may be one character"),
    ],
)
def test_lines_of_a_paragraph(lines: list[tuple[float, str]], expected: list[str], reason: str) -> None:
    assert set_in(*lines) == expected, reason


def test_vertical_lines_are_joined_alike() -> None:
    lines = [line_of("一" * 18, 0, 2, vertical=True), line_of(FULL, 1, vertical=True), line_of("二" * 18, 2, 2, vertical=True)]
    assert paragraphs(*lines) == ["一" * 18 + FULL, "二" * 18]


def test_lines_of_another_size_are_another_paragraph() -> None:
    assert paragraphs(line_of("字" * 10, 0, size=2), line_of(FULL, 1.5)) == ["字" * 10, FULL]


def test_the_column_tells_where_lines_end_not_the_block_alone() -> None:
    couplet = line_of("床前明月光，", 0), line_of("疑是地上霜。", 1)
    below = Block("text", (line_of(FULL, 5),))
    assert paragraphs(*couplet) == ["床前明月光，疑是地上霜。"]
    assert paragraphs(*couplet, others=(below,)) == ["床前明月光，", "疑是地上霜。"]


def test_a_block_across_columns_does_not_lengthen_them() -> None:
    column = [line_of("字" * 8, row) for row in range(2)]
    beside = Block("text", (line_of("右" * 8, 0, 12), line_of("右" * 8, 1, 12)))
    across = Block("text", (line_of(FULL, 5),))
    assert paragraphs(*column, others=(beside, across)) == ["字" * 16]


def test_text_beside_a_picture_does_not_end_early() -> None:
    narrow = [line_of("字" * 8, row) for row in range(4)]
    assert paragraphs(*narrow, others=(Block("text", (line_of(FULL, 6),)),)) == ["字" * 32]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("title", ["一个很长的标题而且还有下半句"]),
        ("caption", ["一个很长的标题而且还有下半句"]),
        ("header", ["一个很长的标题", "而且还有下半句"]),
        ("formula", ["一个很长的标题", "而且还有下半句"]),
        ("figure", ["一个很长的标题", "而且还有下半句"]),
    ],
)
def test_what_goes_on_by_kind(kind: str, expected: list[str]) -> None:
    assert set_in((6, "一个很长的标题"), (6, "而且还有下半句"), kind=kind) == expected


def test_numbered_titles_are_two() -> None:
    assert set_in((0, "第一章 绪论"), (0, "1.1 背景"), kind="title") == ["第一章 绪论", "1.1 背景"]


def test_a_page_keeps_indents_and_white_lines() -> None:
    title = Block("title", (line_of("标题", 0, 8),))
    text = Block("text", (line_of("一" * 18, 3, 2), line_of(FULL, 4), line_of("二" * 18, 5, 2), line_of("三" * 20, 9)))
    table = [(line_of("甲", 12), (0, 0)), (line_of("乙", 13), (1, 1)), (line_of("丙", 14), (1, 1))]
    cells = tuple(Line(line.box, line.glyphs, cell=cell) for line, cell in table)
    page = Page(0, 1000, 1400, 200.0, (title, text, Block("table", cells)))
    assert page_to_text(page) == "标题\n\n    " + "一" * 18 + FULL + "\n    " + "二" * 18 + "\n\n" + "三" * 20 + "\n\n甲\t\n\t乙丙"


def test_a_page_without_lines_has_no_text() -> None:
    assert page_to_text(Page(0, 1000, 1400, 200.0, ())) == ""
