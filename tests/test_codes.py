"""Printed codes are no text, what stands beside them is."""

import cv2
import numpy as np
import pymupdf
import pytest
from test_blocks import drawn, places, prose, write

from docrec.layout import find_blocks


def modules(size: int, seed: int) -> np.ndarray:
    """The dark modules of a QR code, bool (size, size): its three corners, and noise for what it says."""
    code = np.random.default_rng(seed).random((size, size)) < 0.5
    corner = np.ones((7, 7), bool)
    corner[1:6, 1:6] = False
    corner[2:5, 2:5] = True
    for row, column in ((0, 0), (0, size - 7), (size - 7, 0)):
        code[max(0, row - 1) : row + 8, max(0, column - 1) : column + 8] = False
        code[row : row + 7, column : column + 7] = corner
    return code


@pytest.mark.parametrize("width", [45, 70, 120])
@pytest.mark.parametrize("quarters", range(4))
def test_qr_codes_are_no_text(width: float, quarters: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 6)
        code = np.rot90(modules(25, quarters), quarters)
        pixels = np.where(code, 0, 255).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
        page.insert_image((80, 220, 80 + width, 220 + width), stream=cv2.imencode(".png", pixels)[1].tobytes())
        write(page, 80, 240 + width, "扫一扫")

    assert len(places(find_blocks(drawn(draw)))) == 7


def test_bars_of_a_barcode_are_no_text_but_the_number_below_is() -> None:
    def draw(page: pymupdf.Page) -> None:
        prose(page, 60, 100, 8)
        for left, width in zip(range(80, 240, 4), np.random.default_rng(1).integers(2, 6, 40) / 2, strict=True):
            page.draw_rect((left, 300, left + width, 340), fill=(0, 0, 0), color=None)
        write(page, 100, 354, "6901234567892")

    found = places(find_blocks(drawn(draw)))
    assert len(found) == 9
    assert found[-1][0] == pytest.approx(100, abs=3)


def test_a_hanzi_that_looks_like_a_corner_of_a_code_is_read() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row in range(4):
            write(page, 60, 100 + 30 * row, "回回回回")

    assert len(places(find_blocks(drawn(draw)))) == 4
