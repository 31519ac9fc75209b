"""Pages drawn here with known text in known places; layout must find just that, in order and at the right height."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pymupdf
import pytest

from docrec.band import Band, even_band, with_pale_stop, with_underscores
from docrec.document import Box
from docrec.ink import Run, groups_to_runs
from docrec.layout import find_lines
from docrec.pictures import is_text
from docrec.source import PageImage

PROSE = "中文文档里的文字识别先要找到每一行的位置再逐行送入网络"
SIZE = 12  # points
PITCH = 18  # points


def drawn(draw: Callable[[pymupdf.Page], None], dpi: int = 200) -> PageImage:
    """An A5 page, as `draw` fills it."""
    with pymupdf.open() as document:
        page = document.new_page(width=420, height=595)
        draw(page)
        pixels = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, alpha=False)
        return PageImage(0, np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width), dpi)


def write(page: pymupdf.Page, left: float, baseline: float, text: str, size: float = SIZE, font: str = "china-s", **style: object) -> None:
    page.insert_text((left, baseline), text, fontname=font, fontsize=size, **style)


def write_prose(page: pymupdf.Page, left: float, top: float, lines: int, length: int = len(PROSE)) -> None:
    for line in range(lines):
        write(page, left, top + PITCH * line, PROSE[line % 5 :][:length].ljust(length, "字"))


def middles(boxes: tuple[Box, ...], dpi: float = 200) -> list[tuple[float, float]]:
    """Left edge and centre line of each box, in points."""
    return [(box.left * 72 / dpi, (box.top + box.bottom) / 2 * 72 / dpi) for box in boxes]


def hanzi_height(size: float = SIZE, dpi: int = 200) -> float:
    """Ink height of full Hanzi of a size, in pixels, measured on the drawing itself."""
    page = drawn(lambda page: write(page, 40, 100, "国圈围", size), dpi)
    rows = np.flatnonzero((page.gray < 190).any(axis=1))
    return float(rows[-1] - rows[0] + 1)


def test_every_line_is_found_once_from_top_to_bottom() -> None:
    boxes = find_lines(drawn(lambda page: write_prose(page, 40, 60, lines=12)))
    assert len(boxes) == 12
    for line, (left, middle) in enumerate(middles(boxes)):
        assert left == pytest.approx(40, abs=1.5)
        assert middle == pytest.approx(60 + PITCH * line - 0.37 * SIZE, abs=1)


def test_box_holds_the_ink() -> None:
    page = drawn(lambda page: write(page, 40, 60, "国家图书馆"))
    rows, columns = (np.flatnonzero((page.gray < 190).any(axis=axis)) for axis in (1, 0))
    (box,) = find_lines(page)
    assert (box.left, box.right) == (pytest.approx(columns[0], abs=1), pytest.approx(columns[-1] + 1, abs=1))
    assert (box.top, box.bottom) == (pytest.approx(rows[0], abs=2), pytest.approx(rows[-1] + 1, abs=2))


@pytest.mark.parametrize("dpi", [100, 150, 300, 600])
def test_lines_are_found_at_any_resolution(dpi: int) -> None:
    boxes = find_lines(drawn(lambda page: write_prose(page, 40, 60, lines=6), dpi))
    assert len(boxes) == 6
    assert np.mean([box.height for box in boxes]) == pytest.approx(hanzi_height(dpi=dpi), rel=0.1)


def test_a_resolution_that_is_not_to_be_believed_changes_nothing() -> None:
    page = drawn(lambda page: write_prose(page, 40, 60, lines=6), 100)
    assert find_lines(replace(page, dpi=600)) == find_lines(page)


@pytest.mark.parametrize("degrees", [-0.15, 0.15])
def test_residual_skew_does_no_harm(degrees: float) -> None:
    page = drawn(lambda page: write_prose(page, 40, 60, lines=12))
    height, width = page.gray.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(page.gray, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=(255.0,))
    assert len(find_lines(PageImage(0, turned, 200))) == 12


def test_tight_leading_and_broken_characters_stay_one_line_each() -> None:
    def draw(page: pymupdf.Page) -> None:
        for line, text in enumerate(["二三昌言旦二三昌言旦", "pgjy二三(gpy)昌言旦", "国二三言昌语网gjpqy", "二二三三言言昌昌旦旦"]):
            write(page, 40, 60 + 1.08 * SIZE * line, text)

    assert len(find_lines(drawn(draw))) == 4


def test_columns_are_read_one_after_the_other() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 100, 50, "横跨两栏的标题在最前", size=20)
        write_prose(page, 30, 100, lines=14, length=14)
        write_prose(page, 222, 100, lines=14, length=14)
        write(page, 200, 560, "12")

    lefts = [left for left, _ in middles(find_lines(drawn(draw)))]
    assert lefts == pytest.approx([100, *[30] * 14, *[222] * 14, 200], abs=3)


def test_header_parts_and_table_cells_are_read_from_left_to_right() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 30, 40, "第一章")
        write(page, 350, 40, "引言")
        for row in range(3):
            for column in range(3):
                write(page, 40 + 110 * column, 100 + 30 * row, "单元格")
        for place in range(4):
            page.draw_line((35, 80 + 30 * place), (365, 80 + 30 * place))
            page.draw_line((35 + 110 * place, 80), (35 + 110 * place, 170))
        write_prose(page, 30, 220, lines=3)

    places = middles(find_lines(drawn(draw)))
    assert [left for left, _ in places] == pytest.approx([30, 350, *[40, 150, 260] * 3, 30, 30, 30], abs=3)


def test_frames_rules_pictures_and_specks_are_no_text() -> None:
    across, down = np.meshgrid(np.arange(400), np.arange(300))
    photo = (110 + 60 * np.sin(across / 60) * np.cos(down / 45)).astype(np.uint8)
    rng = np.random.default_rng(1)

    def draw(page: pymupdf.Page) -> None:
        page.draw_rect((25, 25, 395, 300))
        page.draw_rect((30, 120, 390, 200), fill=(0.85, 0.85, 0.85), color=None)
        write_prose(page, 40, 60, lines=10)
        page.draw_line((40, 310), (200, 310), width=0.5)
        page.insert_image((60, 340, 260, 490), stream=cv2.imencode(".png", photo)[1].tobytes())
        page.draw_circle((330, 420), 50)
        write(page, 100, 530, "图一这是图片的说明")

    page = drawn(draw)
    gray = page.gray.copy()
    gray[rng.integers(0, gray.shape[0], 60), rng.integers(0, gray.shape[1], 60)] = 0
    boxes = find_lines(PageImage(0, gray, 200))
    assert [middle for _, middle in middles(boxes)] == pytest.approx([*(55.6 + PITCH * line for line in range(10)), 525.6], abs=1.5)


def test_title_and_footnote_have_their_own_heights() -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 100, 70, "二级标题国家", size=30)
        write_prose(page, 40, 110, lines=8)
        write_prose(page, 40, 300, lines=1)
        for line in range(3):
            write(page, 40, 500 + 12 * line, PROSE, size=8)

    boxes = find_lines(drawn(draw))
    assert len(boxes) == 13
    for boxes_of_size, size in ((boxes[:1], 30), (boxes[1:10], SIZE), (boxes[10:], 8)):
        assert [box.height for box in boxes_of_size] == pytest.approx([hanzi_height(size)] * len(boxes_of_size), rel=0.1)


@pytest.mark.parametrize("text", ["access on run", "Reading pages", "HTTP 2048", "- 3 -", "12", "...", "- - -", "……", "一"])
def test_low_lines_get_the_em_band_of_their_block(text: str) -> None:
    font = "helv" if text.isascii() else "china-s"

    def draw(page: pymupdf.Page) -> None:
        for line in range(7):
            write(page, 40, 60 + 2 * PITCH * line, *((text, SIZE, font) if line == 3 else (PROSE[line:],)))

    boxes = find_lines(drawn(draw))
    assert len(boxes) == 7
    pitch = 2 * PITCH * 200 / 72
    assert boxes[3].height == pytest.approx(boxes[2].height, rel=0.12)
    assert (boxes[3].top + boxes[3].bottom) / 2 == pytest.approx((boxes[2].top + boxes[2].bottom) / 2 + pitch, abs=0.15 * boxes[2].height)


@pytest.mark.parametrize("text", ["def recognise(page):", "import tensorflow", "HTTP STATUS 200"])
def test_latin_alone_is_scaled_by_its_type_size(text: str) -> None:
    def draw(page: pymupdf.Page) -> None:
        for line in range(5):
            write(page, 40, 60 + PITCH * line, text, font="helv")

    boxes = find_lines(drawn(draw))
    assert len(boxes) == 5
    assert [box.height for box in boxes] == pytest.approx([hanzi_height()] * 5, rel=0.16)


def test_marks_belong_to_their_line() -> None:
    def draw(page: pymupdf.Page) -> None:
        write_prose(page, 40, 60, lines=2)
        write(page, 40, 96, "这里有一个脚注标记")
        write(page, 40 + 9 * SIZE, 91, "12", size=6)
        write(page, 40 + 10 * SIZE + 2, 96, "，后面还有")
        page.draw_line((64, 99), (112, 99), width=0.6)
        write_prose(page, 40, 114, lines=2)

    boxes = find_lines(drawn(draw))
    assert len(boxes) == 5
    assert boxes[2].right * 72 / 200 == pytest.approx(40 + 15 * SIZE, abs=SIZE)
    assert boxes[2].height == pytest.approx(boxes[1].height, rel=0.08)


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (5, 5), (32, 280), (1200, 900)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_pages_without_text_have_no_lines(shape: tuple[int, int], level: int) -> None:
    assert find_lines(PageImage(0, np.full(shape, level, np.uint8), 200)) == ()


def test_noise_has_no_lines() -> None:
    noise = np.random.default_rng(0).normal(235, 6, (1200, 900)).clip(0, 255).astype(np.uint8)
    assert find_lines(PageImage(0, noise, 200)) == ()


def test_the_band_of_letters_is_lowered_for_underscores_below_it_but_not_for_underlines() -> None:
    band, letters = Band(100, 120), [(left, 104, left + 9, 117) for left in range(50, 110, 11)]

    def lowered(*low: tuple[int, int, int, int]) -> float:
        (run,) = groups_to_runs([np.array([*letters, *low], np.int32)])
        return with_underscores(band, run).top - band.top

    assert lowered() == 0
    assert lowered((110, 117, 120, 119)) == 0, "there is room for it"
    assert lowered((110, 120, 130, 122)) == pytest.approx(1)
    assert lowered((110, 126, 130, 128)) == pytest.approx(0.12 * 20), "but for no more"
    assert lowered((50, 121, 115, 123)) == 0, "an underline"


def test_a_stroke_apart_above_a_character_is_no_sign_of_a_texture() -> None:
    """The upper stroke of 而 is no part of the height that most of its ink has."""
    parts = [(100, 100, 126, 104), (101, 105, 124, 126), (101, 110, 105, 126), (120, 110, 124, 126)]
    ink = np.zeros((200, 200), np.uint8)
    for left, top, right, bottom in [parts[0], (101, 105, 124, 108), *parts[2:]]:
        ink[top:bottom, left:right] = 1
    run = Run(np.array(parts, np.int32), 100, 105, 126, 126)
    assert is_text(run, ink, 26)
    ink[60:100, 100:126] = 1
    assert not is_text(run, ink, 26)


@pytest.mark.parametrize(("height", "told"), [(24, True), (50, False)])
def test_a_high_narrow_part_alone_is_no_letter(height: int, told: bool) -> None:
    ink = np.zeros((200, 200), np.uint8)
    ink[100 : 100 + height, 100:106] = 1
    assert is_text(Run(np.array([(100, 100, 106, 100 + height)], np.int32), 100, 100, 106, 100 + height), ink, 26) == told


@pytest.mark.parametrize("title", ["命令", "会命", "2  命令"])
@pytest.mark.parametrize("size", [14, 16, 18])
def test_a_title_of_characters_in_an_upper_and_a_lower_piece_is_one_line(title: str, size: int) -> None:
    def draw(page: pymupdf.Page) -> None:
        write(page, 200, 60, title, size)
        write_prose(page, 30, 100, lines=8)

    boxes = find_lines(drawn(draw))
    assert len(boxes) == 9
    assert boxes[0].height == pytest.approx(hanzi_height(size), rel=0.12)


def test_a_band_that_no_other_is_like_keeps_its_height() -> None:
    large = [Band(0.0, 60.0)] * 9
    assert even_band(Band(20.0, 40.0), large) == Band(20.0, 40.0)
    assert even_band(Band(20.0, 40.0), [*large, Band(5.0, 27.0), Band(5.0, 27.0)]) == Band(19.0, 41.0)


def test_numbers_in_columns_that_are_not_level_are_text() -> None:
    def draw(page: pymupdf.Page) -> None:
        for column in range(4):
            for row in range(24):
                number, low = str(6_100_107 + 9173 * row * (column + 1)), (3.5, 0, -2.3, 1.7)[column]
                write(page, 60 + 112 * column, 90 + 21.3 * row + low, number, font="cour")

    assert len(find_lines(drawn(draw))) == 96


@pytest.mark.parametrize(
    ("left", "top", "side", "taken"),
    [(106, 113, 5, True), (102, 113, 5, True), (106, 103, 5, False), (106, 113, 2, False), (106, 108, 12, False), (125, 113, 5, False)],
    ids=["stop", "near", "above", "speck", "letter", "far"],
)
def test_a_stop_too_pale_to_be_ink_is_of_its_line(left: int, top: int, side: int, taken: bool) -> None:
    pale = np.zeros((200, 300), np.uint8)
    pale[100:120, 20:101] = 1  # with the blur of its last letter
    pale[top : top + side, left : left + side] = 1
    box = Box(20, 100, 100, 120)
    assert with_pale_stop(box, pale).right == (left + side if taken else 100)
    pale[100:120, 114:] = 1  # the next column
    assert with_pale_stop(box, pale) == box


def test_a_dense_letter_among_low_ones_is_no_hanzi() -> None:
    def draw(page: pymupdf.Page) -> None:
        for row, word in enumerate(("gateway", "server")):
            write(page, 60, 100 + 30 * row, word, 10.5, "tiro")
            write(page, 160, 100 + 30 * row, PROSE[:14], 10.5)

    heights = [box.height for box in find_lines(drawn(draw, 300)) if box.left < 160 * 300 / 72]
    assert heights == pytest.approx([0.91 * 10.5 * 300 / 72] * 2, rel=0.06)
