"""Columns drawn here must, set as rows, look as the same text does in level setting."""

import cv2
import numpy as np
import pymupdf
import pytest
from test_vertical import FORMS

from docrec.column import column_to_cells, column_to_row

EM = 28


def column_of(text: str, word: str = "") -> np.ndarray:
    """Ink of a column, its Hanzi EM pixels high, and of a word on its side below it: float32 (H, 32)."""
    size = EM / 0.93
    with pymupdf.open() as document:
        page = document.new_page(width=32, height=size * len(text) + 4 + (size * len(word) if word else 0))
        for place, char in enumerate(text.translate(FORMS)):
            width = pymupdf.get_text_length(char, "china-s", size)
            page.insert_text((16 - width / 2, 2 + (place + 0.88) * size), char, fontname="china-s", fontsize=size)
        if word:
            page.insert_text((16 - 0.35 * size, 2 + (len(text) + 0.25) * size), word, fontname="helv", fontsize=size, rotate=270)
        pixels = page.get_pixmap(colorspace=pymupdf.csGRAY, alpha=False)
    ink = 1 - np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)[:, :32].astype(np.float32) / 255
    return ink[: np.flatnonzero(ink.max(axis=1) > 0.3)[-1] + 1]


def place_of(row: np.ndarray, index: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of the ink of a row's character, in em from the top left of its cell."""
    size = EM / 0.93
    left = round(2 + index * size)
    ys, xs = np.nonzero(row[:, max(left, 0) : round(left + size)] > 0.5)
    return float(xs.min() / EM), float((ys.min() - 2) / EM), float((xs.max() + 1) / EM), float((ys.max() - 1) / EM)


@pytest.mark.parametrize("text", ["山高月小水落石出", "一二三十一二", "中，国。圈；围", "（国）《围》言"])
def test_cells_are_characters(text: str) -> None:
    middles = [(cell.start + cell.end) / 2 for cell in column_to_cells(column_of(text), EM)]
    assert middles == pytest.approx([2 + (place + 0.5) * EM / 0.93 for place in range(len(text))], abs=0.2 * EM)


def test_hanzi_stand_as_they_stood() -> None:
    column = column_of("山三山")
    row = column_to_row(column, EM)
    assert row.shape == column.T.shape
    likeness = [
        cv2.matchTemplate(row, np.ascontiguousarray(turned), cv2.TM_CCOEFF_NORMED).max()
        for turned in (column[4:30, 4:28], column[4:30, 4:28].T)
    ]
    assert likeness[0] > 0.9 > likeness[1]


@pytest.mark.parametrize("mark", "，。、")
def test_stops_stand_at_the_lower_left(mark: str) -> None:
    left, top, right, bottom = place_of(column_to_row(column_of(f"国{mark}国"), EM), 1)
    assert right < 0.7
    assert top > 0.5
    assert left >= 0
    assert bottom <= 1.1


@pytest.mark.parametrize("mark", "（）《》「」")
def test_brackets_are_turned(mark: str) -> None:
    left, top, right, bottom = place_of(column_to_row(column_of(f"国{mark}国"), EM), 1)
    assert bottom - top > 1.2 * (right - left)


def test_the_hanzi_for_one_is_no_bracket() -> None:
    left, top, right, bottom = place_of(column_to_row(column_of("国一国"), EM), 1)
    assert right - left > 3 * (bottom - top)


def test_words_are_turned_upright() -> None:
    column = column_of("国国", "Tikhon")
    word = next(cell for cell in column_to_cells(column, EM) if cell.is_word)
    row = column_to_row(column, EM)[:, word.start + 4 : word.end]
    rows = np.flatnonzero(row.max(axis=1) > 0.5)
    assert rows[-1] == pytest.approx(30 - 0.13 * EM, abs=2), "on the baseline"
    assert rows[-1] - rows[0] == pytest.approx(0.72 * 30, abs=3)
    assert not any(cell.is_word for cell in column_to_cells(column_of("二三言主旦三二立"), EM))


def test_an_empty_column_has_no_cells() -> None:
    assert column_to_cells(np.zeros((100, 32), np.float32), EM) == []
    assert column_to_row(np.zeros((1, 32), np.float32), EM).shape == (32, 1)
