"""Lines drawn here with raised and lowered letters; these must be found, read and marked, and nothing else must be."""

import numpy as np
import pymupdf
import pytest
from test_layout import SIZE, drawn, write, write_prose

import docrec
from docrec.document import Box, Line
from docrec.layout import find_blocks
from docrec.scripts import with_level_scripts


def write_scripted(page: pymupdf.Page, left: float, baseline: float, text: str) -> list[tuple[int, float, float]]:
    """Write text in which ^ raises and _ lowers the next character; where these are, as (1 or -1, left, right)."""
    places = []
    script = 0
    for char in text:
        if char in "^_":
            script = 1 if char == "^" else -1
            continue
        size = 0.62 * SIZE if script else SIZE
        font = "helv" if char.isascii() else "china-s"
        write(page, left, baseline - {1: 0.38, 0: 0, -1: -0.16}[script] * SIZE, char, size, font)
        width = pymupdf.get_text_length(char, font, size)
        if script:
            places.append((script, left, left + width))
        left += width
        script = 0
    return places


def scripts_on(text: str) -> tuple[list[Line], list[tuple[int, float, float]]]:
    places = []

    def draw(page: pymupdf.Page) -> None:
        write_prose(page, 40, 60, lines=3)
        places.extend(write_scripted(page, 40, 120, text))
        write_prose(page, 40, 150, lines=3)

    blocks = find_blocks(drawn(draw))
    return [line for block in blocks for line in block.lines if line.script], places


@pytest.mark.parametrize("text", ["水是H_2O，酸是H_2SO_4", "已有论述^2，面积为25m^2的", "则x_1+x_2=4"])
def test_scripts_are_found_where_they_are(text: str) -> None:
    scripts, places = scripts_on(text)
    assert [line.script for line in scripts] == [script for script, _, _ in places]
    for line, (_, left, right) in zip(scripts, places, strict=True):
        assert (line.box.left * 0.36, line.box.right * 0.36) == (pytest.approx(left, abs=2), pytest.approx(right, abs=2))


def test_letters_of_a_script_are_one_with_their_sign() -> None:
    scripts, places = scripts_on("质量是9.1×10^-^3^1克")
    assert len(scripts) == 1
    assert scripts[0].box.left * 0.36 == pytest.approx(places[0][1], abs=1.5)
    assert scripts[0].box.right * 0.36 == pytest.approx(places[-1][2], abs=1.5)


@pytest.mark.parametrize(
    "text", ["他说“你好吗”，她叫小吴。", "加热到80℃以上，约5'6\"", "a,b;c.d,e_f-g", "吃吧，呢喃吗？叹味哈", "if (i == j) go, boy"]
)
def test_nothing_else_is_a_script(text: str) -> None:
    assert scripts_on(text.replace("_", ""))[0] == []


def test_scripts_are_set_on_the_baseline() -> None:
    page = np.full((100, 200), 255, np.uint8)
    page[20:32, 100:106] = 0
    page[30:60, 60:90] = 0
    level = with_level_scripts(page, Line(Box(60, 30, 106, 60)), [Line(Box(100, 20, 106, 32), script=1)])
    rows, columns = np.nonzero(level[:, 95:] < 128)
    assert (columns.min() + 95, columns.max() + 95) == (pytest.approx(100, abs=1), pytest.approx(105, abs=1))
    assert rows.max() == pytest.approx(60 - 0.13 * 30, abs=2)
    assert rows.max() - rows.min() == pytest.approx(0.75 * 30, abs=3)
    np.testing.assert_array_equal(level[:, :95], page[:, :95])


@pytest.mark.parametrize("mode", ["auto", "force"])
def test_scripts_are_read_and_marked(tmp_path, mode: str) -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=420, height=595)
        write_prose(page, 40, 60, lines=2)
        write_scripted(page, 40, 100, "面积是25m^2，水是H_2O，酸是H_2SO_4，论述^3^2")
        write_prose(page, 40, 130, lines=2)
        document.save(tmp_path / "scripts.pdf")
    (read,) = docrec.recognize(str(tmp_path / "scripts.pdf"), docrec.load(), docrec.ReadOptions(mode=mode))
    assert len(read.lines) == 5, "scripts are no lines of their own"
    assert read.lines[2].text.replace(" ", "") == "面积是25m²，水是H₂O，酸是H₂SO₄，论述³²"
    assert [glyph.script for glyph in read.lines[2].glyphs if glyph.script] == [1, -1, -1, -1, 1, 1]
    assert not any(glyph.script for line in (*read.lines[:2], *read.lines[3:]) for glyph in line.glyphs)
