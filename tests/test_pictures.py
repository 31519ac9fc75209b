"""Photographs hold no text but in white boxes on them, and are no part of the columns they stand in."""

import cv2
import numpy as np
import pymupdf
import pytest
from test_layout import PROSE, drawn, middles, write, write_prose

from docrec.clean import clean
from docrec.layout import find_lines
from docrec.pictures import gray_to_pictures


def cloudy(height: int, width: int, seed: int) -> bytes:
    """A PNG of clouds, grey and nearly white, above dark ground."""
    rng = np.random.default_rng(seed)
    levels = np.zeros((height, width), np.float32)
    for cells in (4, 9, 25):
        levels += cv2.resize(rng.normal(0, 25, (cells, cells)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    levels += np.where(np.arange(height) < 0.6 * height, 190, 90)[:, None] + rng.normal(0, 4, levels.shape)
    return cv2.imencode(".png", levels.clip(0, 255).astype(np.uint8))[1].tobytes()


@pytest.mark.parametrize("seed", range(4))
def test_of_photographs_only_their_labels_are_read(seed: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        write_prose(page, 30, 40, lines=6)
        page.insert_image((60, 160, 360, 310), stream=cloudy(300, 600, seed))
        page.draw_rect((120, 200, 120 + 12 * 8, 222), fill=(1, 1, 1), color=None)
        write(page, 126, 215, PROSE[:7])
        write_prose(page, 30, 340, lines=6)

    places = middles(find_lines(clean(drawn(draw))))
    assert len(places) == 13
    assert places[6][0] == pytest.approx(126, abs=3)


def test_photographs_break_no_lines_of_the_column_beside_them() -> None:
    def draw(page: pymupdf.Page) -> None:
        page.insert_image((30, 40, 196, 180), stream=cloudy(280, 340, 1))
        write_prose(page, 30, 200, lines=12, length=13)
        write_prose(page, 206, 50, lines=20, length=13)

    places = middles(find_lines(clean(drawn(draw))))
    assert [left for left, _ in places] == pytest.approx([30] * 12 + [206] * 20, abs=3)


def test_heavy_type_is_no_photograph() -> None:
    """Thick strokes with little white between, grey from afar."""
    page = np.full((1200, 900), 255, np.uint8)
    page[100:220, 100:500] = 0
    for column in range(4):
        for row in range(108, 214, 12):
            page[row : row + 2 + column, 104 + 100 * column : 196 + 100 * column] = 255
    assert not gray_to_pictures(page, 26).any()
    page[400:700, 100:500] = np.asarray(cv2.imdecode(np.frombuffer(cloudy(300, 400, 1), np.uint8), cv2.IMREAD_GRAYSCALE))
    assert gray_to_pictures(page, 26)[100:114, 20:80].all()
