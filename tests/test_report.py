import base64
import io
import re
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from docrec.errors import SampleError

pytest.importorskip("edlib", reason="judging needs docrec[train]")
from docrec.evaluate import Bin, LineFigures, PageFigures, ReadLine
from docrec.report import CELL, Table, draw_matrix, html_report, line_tables, page_tables

PAIRS = Counter({("日", "日"): 10, ("日", "曰"): 3, ("一", ""): 1, ("", "|"): 1, (" ", " "): 5, ("人", "人"): 7})
FIGURES = LineFigures(4, 25, 2.0, 0.9, 0.5, 5, 4, 20, {"龘": 2}, PAIRS, (Bin(0.9, 0.95, 15, 17),))


def cells(tables):
    return {table.title: {row[0]: row[1:] for row in table.rows} for table in tables}


def test_tables_of_lines():
    shown = cells(line_tables(FIGURES, [SampleError("a.png", "it is damaged"), SampleError("b.png", "it is damaged")]))
    assert shown["Figures"]["character accuracy"] == ("90.00%",)
    assert shown["Figures"]["CER"] == ("20.00%",)
    assert shown["Figures"]["lines a second"] == ("2.0",)
    assert shown["Figures"]["characters outside the alphabet: 龘"] == ("2",)
    assert shown["By class of character"]["space"] == ("5", "100.00%")
    assert next(iter(shown["Most frequent confusions"].items())) == ("日 → 曰", ("3",))
    assert {"一 → ∅", "∅ → |"} < shown["Most frequent confusions"].keys()
    assert shown["Calibration"]["0.9 – 1.0"] == ("17", "95.0%", "88.2%")
    assert shown["Skipped"] == {"it is damaged": ("2",)}


def test_tables_of_pages():
    documents = {"a": PageFigures(1, 10, 1, 2, 3, 4, 10), "b": PageFigures(3, 30, 1, 2, 3, 4, 30)}
    table = page_tables(documents, PAIRS, [], 8.0)[0]
    assert table.rows[0] == ("a", "1", "10.00%", "20.00%", "30.00%", "40.00%")
    assert table.rows[-1] == ("all", "4", "5.00%", "10.00%", "15.00%", "20.00%")
    assert table.note.endswith("2.00 s a page.")


def test_the_matrix_shows_the_confused_characters_alone():
    image = Image.open(io.BytesIO(draw_matrix(PAIRS)))
    confused = ["日", "曰", "", "|", "一"]  # the space and 人 are never misread
    assert image.width == image.height == CELL * (len(confused) + 2)

    def colour(row, column):
        """Of a cell, in its corner."""
        return np.array(image.getpixel((CELL * (column + 1) + 3, CELL * (row + 1) + 3)), int)

    right, wrong, never = colour(0, 0), colour(0, 1), colour(1, 1)
    assert right[1] > right[0], "green"
    assert wrong[0] > wrong[1], "red"
    assert never.tolist() == [255, 255, 255]


def test_the_matrix_of_a_perfect_reading_is_empty():
    assert Image.open(io.BytesIO(draw_matrix({("日", "日"): 3}))).width == 2 * CELL


def test_the_page_holds_everything_and_escapes_it():
    gray = np.random.default_rng(0).integers(0, 256, (32, 90)).astype(np.uint8)
    lines = [(ReadLine("<b>.png", "a<i>日", "a<i>曰"), gray), (ReadLine("page-1", "一", ""), None)]
    html = html_report("a & b", [Table("T<", ("x", "y"), (("<script>", "1"),), "n<")], draw_matrix(PAIRS), lines)
    assert not re.search(r"<script|<b>|<i>|T<<|n<<", html)
    assert "a &amp; b" in html
    assert "&lt;script&gt;" in html
    assert 'title=true>a&lt;i&gt;<mark>日</mark>' in html
    assert 'title=read>a&lt;i&gt;<mark>曰</mark>' in html
    assert "<mark>∅</mark>" in html
    assert not re.search(r'(src|href)="(?!data:)', html), "no file beside it"
    pictures = [base64.b64decode(data) for data in re.findall(r'src="data:image/png;base64,([^"]+)"', html)]
    assert len(pictures) == 2
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(pictures[1]))), gray)
