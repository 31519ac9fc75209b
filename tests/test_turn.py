"""A page that lies on its side or upside down is turned by what the bundled model reads; one that reads surely costs nothing."""

import io
from difflib import SequenceMatcher
from itertools import permutations

import numpy as np
import pymupdf
import pytest
from PIL import Image

import docrec
import docrec.pipeline
from docrec.charset import Charset
from docrec.ctc import Mark, Reading
from docrec.document import Box, Line
from docrec.options import ReadOptions
from docrec.turn import reads_surely

PROSE = ["春天来了，山坡上的杏花开得正好。", "村里的人家把种子搬到院子里晾晒，", "孩子们在溪边放风筝，一直玩到天黑。"]
LATIN = ["The quick brown fox jumps over the lazy dog while early results are shown in", "several figures and tables that follow."] * 2


@pytest.fixture(scope="module")
def recognizer():
    return docrec.load(device="cpu")


def lines(page: pymupdf.Page, texts: list[str], font: str) -> None:
    for row, text in enumerate(texts):
        page.insert_text((72, 90 + 20 * row), text, fontname=font, fontsize=12)


def prose(page: pymupdf.Page) -> None:
    lines(page, [first + second for first, second in permutations(PROSE, 2)], "china-s")


def latin(page: pymupdf.Page) -> None:
    lines(page, LATIN, "helv")


def table(page: pymupdf.Page) -> None:
    for row in range(5):
        page.draw_line((60, 92 + 30 * row), (460, 92 + 30 * row))
        for column, text in enumerate(("项目", "数量合计", "备注说明", "年度")):
            if row < 4:
                page.insert_text((70 + 100 * column, 112 + 30 * row), text, fontname="china-s", fontsize=11)


def two_columns(page: pymupdf.Page) -> None:
    for x, y in ((50, 90), (310, 97)):
        for row in range(12):
            page.insert_text((x, y + 17 * row), PROSE[row % 3], fontname="china-s", fontsize=11)


def vertical(page: pymupdf.Page) -> None:
    for column in range(8):
        for row, char in enumerate((PROSE[column % 3] + PROSE[(column + 1) % 3]).replace("，", "").replace("。", "")):
            page.insert_text((500 - 24 * column, 90 + 15 * row), char, fontname="china-s", fontsize=13)


def draw(setting) -> np.ndarray:
    page = pymupdf.open().new_page()
    setting(page)
    pixmap = page.get_pixmap(dpi=150, colorspace="gray")
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)


def read(recognizer, gray: np.ndarray, **options):
    buffer = io.BytesIO()
    Image.fromarray(gray).save(buffer, "PNG", dpi=(150, 150))
    (page,) = docrec.recognize(io.BytesIO(buffer.getvalue()), recognizer, ReadOptions(**options))
    return page


@pytest.mark.slow
@pytest.mark.parametrize("setting", [prose, latin, table, two_columns, vertical])
def test_a_page_is_turned_the_right_way_up(recognizer, setting) -> None:
    gray = draw(setting)
    upright = read(recognizer, gray)
    assert upright.steps == ()
    for quarters in (1, 2, 3):
        page = read(recognizer, np.rot90(gray, quarters))
        assert page.steps[-1] == f"turned by {90 * quarters}°"
        assert SequenceMatcher(None, page.text, upright.text, autojunk=False).ratio() > 0.98
        assert (page.scan.height, page.scan.width) == np.rot90(gray, quarters).shape


def test_a_page_upside_down_is_turned_and_its_boxes_lead_back(recognizer) -> None:
    gray = draw(prose)
    page = read(recognizer, np.rot90(gray, 2))
    assert page.text.startswith(PROSE[0][:6])
    box = page.lines[0].box
    assert page.scan.corners(box)[0] == pytest.approx((gray.shape[1] - box.left, gray.shape[0] - box.top), abs=4)


def test_a_picture_known_to_be_one_line_is_not_turned(recognizer) -> None:
    assert read(recognizer, np.rot90(draw(prose), 2), layout="line").steps == ()


def test_a_page_that_reads_surely_costs_nothing_more(recognizer, monkeypatch) -> None:
    monkeypatch.setattr(docrec.pipeline, "to_right_side_up", None)
    assert len(read(recognizer, draw(prose)).lines) == 6


def test_pages_without_text_stay_as_they_are(recognizer) -> None:
    assert read(recognizer, np.full((600, 400), 255, np.uint8)).scan is None
    noise = np.random.default_rng(1).integers(0, 256, (600, 400), np.uint8)
    assert read(recognizer, noise).scan is None


def of(char: str, confidence: float) -> Reading:
    return Reading((Mark("一ab".index(char), 0, 2, confidence),))


@pytest.mark.parametrize(
    ("vertical", "readings", "sure"),
    [
        (False, [of("一", 0.99)] * 3 + [of("a", 0.5)], True),
        (False, [of("a", 0.99), of("b", 0.5)], False),
        (False, [of("a", 0.99)], True),
        (True, [of("一", 0.99)], True),
        (True, [of("a", 0.99)], False),  # letters on their side
        (False, [], False),
    ],
)
def test_a_page_reads_surely_by_the_mean_of_its_characters(vertical: bool, readings: list[Reading], sure: bool) -> None:
    line = Line(Box(0, 0, 30, 300) if vertical else Box(0, 0, 300, 30), vertical=vertical)
    assert reads_surely([line], readings, Charset(tuple("一ab"))) == sure


def test_the_dots_of_leaders_do_not_count():
    charset = Charset(("山", "·"))
    marks = [Mark(0, 0, 2, 0.95), *(Mark(1, 4 * place, 4 * place + 1, 0.5) for place in range(1, 12))]
    assert reads_surely([Line(Box(0, 0, 100, 10))], [Reading(tuple(marks))], charset)
