"""Light text on a dark ground becomes dark on light: pages, bands and boxes of a page, lines; figures and photographs stay."""

import cv2
import numpy as np
import pymupdf
import pytest
from conftest import make_page

from docrec.polarity import bands_to_dark_on_light, line_to_dark_on_light, to_dark_on_light

# Pages


def test_light_text_on_a_dark_page_is_inverted() -> None:
    assert np.array_equal(to_dark_on_light(255 - make_page()), make_page())


@pytest.mark.parametrize(("ink", "paper"), [(250, 60), (255, 140)])
def test_light_text_on_coloured_paper_is_inverted(ink: int, paper: int) -> None:
    cleaned = to_dark_on_light(make_page(ink, paper))
    assert np.array_equal(cleaned, 255 - make_page(ink, paper))


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (10, 90), (200, 255), (20, 140)])
def test_dark_text_is_not_inverted(ink: int, paper: int) -> None:
    page = make_page(ink, paper)
    assert to_dark_on_light(page) is page


def test_a_page_with_a_large_dark_figure_is_not_inverted() -> None:
    page = make_page()
    page[100:600] = 30
    assert to_dark_on_light(page) is page


# Bands and boxes

BANDS = [(145, 170, 90, 800), (265, 330, 60, 850), (705, 770, 90, 600)]


def with_bands(ink: int, ground: int, paper: int = 255) -> np.ndarray:
    """The page with three bands, in which text of the given grey stands on the given ground."""
    page = make_page(paper=paper)
    for top, bottom, left, right in BANDS:
        page[top - 10 : bottom + 10, left:right] = paper
        page[top:bottom, left:right] = ground
        cv2.putText(page, "a band of light", (left + 20, bottom - 8), cv2.FONT_HERSHEY_COMPLEX, 0.6, ink, 2, cv2.LINE_AA)
    return page


@pytest.mark.parametrize(("ink", "ground"), [(255, 0), (230, 60), (255, 130)])
@pytest.mark.parametrize("paper", [255, 220])
def test_bands_are_inverted_without_an_outline(ink: int, ground: int, paper: int) -> None:
    page = with_bands(ink, ground, paper)
    result = bands_to_dark_on_light(page)
    for top, bottom, left, right in BANDS:
        band = result[top - 5 : bottom + 5, left - 5 : right + 5]
        assert np.median(band) == pytest.approx(paper - 4, abs=2)  # a shade, by which layout tells the box
        assert band[:, :15].min() > paper - 40
        assert band[5:-5, 25:200].min() < 60
    untouched = np.ones_like(page, bool)
    for top, bottom, left, right in BANDS:
        untouched[top - 5 : bottom + 5, left - 5 : right + 5] = False
    assert np.array_equal(result[untouched], page[untouched])


@pytest.mark.parametrize(("ink", "ground"), [(0, 130), (20, 220)])
def test_dark_text_on_a_tint_stays(ink: int, ground: int) -> None:
    page = with_bands(ink, ground)
    assert bands_to_dark_on_light(page) is page


def test_text_told_from_its_ground_by_colour_alone_shows() -> None:
    page = with_bands(106, 106)
    color = np.dstack([page] * 3)
    red, green = (220, 60, 50), (60, 130, 70)  # of one grey
    for top, bottom, left, right in BANDS:
        color[top:bottom, left:right] = green
        cv2.putText(color, "a band of light", (left + 20, bottom - 8), cv2.FONT_HERSHEY_COMPLEX, 0.6, red, 2, cv2.LINE_AA)
    result = bands_to_dark_on_light(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), color)
    for top, bottom, left, _ in BANDS:
        assert result[top:bottom, left + 20 : left + 200].min() < 60


@pytest.mark.parametrize("ends", [(195, 120), (40, 130)])
def test_a_box_that_is_filled_from_light_to_dark_is_flat(ends: tuple[int, int]) -> None:
    """Rows of its ground are as those of the buttons of a slide: none has the level of most."""
    page = make_page()
    page[180:440] = 255
    page[200:330, 60:440] = np.linspace(*ends, 130)[:, None]
    cv2.putText(page, "a band of light", (80, 275), cv2.FONT_HERSHEY_COMPLEX, 1, 255, 2, cv2.LINE_AA)
    box = bands_to_dark_on_light(page)[195:335, 55:445]
    assert box[:, -60:].min() > 240
    assert box[40:90, 30:200].min() < 60


def test_bands_that_touch_one_another_or_hang_on_a_frame_are_inverted_each() -> None:
    page = make_page()
    page[180:440] = page[880:950] = 255
    page[200:420, 60:840] = 60  # the frame of a box, its title in a band at the top
    page[245:416, 64:836] = 255
    page[900:930, 60:840] = np.repeat([20, 50, 80], 260)  # a foot of three bands
    for left, top in ((80, 235), (80, 922), (340, 922), (600, 922)):
        cv2.putText(page, "a band of light", (left, top), cv2.FONT_HERSHEY_COMPLEX, 0.6, 255, 2, cv2.LINE_AA)
    result = bands_to_dark_on_light(page)
    for top, bottom, left in ((205, 240, 75), (905, 925, 75), (905, 925, 335), (905, 925, 595)):
        band = result[top:bottom, left : left + 220]
        assert np.median(band) > 250
        assert band.min() < 60
    assert np.array_equal(result[260:400, 80:820], page[260:400, 80:820])


def test_large_text_near_the_edge_of_a_band_leaves_no_notches_in_it() -> None:
    """The title of a block of a slide, which hangs on the shadow of the block."""
    with pymupdf.open() as document:
        page = document.new_page(width=640, height=360)
        for line in range(4):
            page.insert_text((60, 60 + 30 * line), "鸟鸣流水能缓解疲劳主观评分提高", fontname="china-s", fontsize=18)
        for box, gray in [((30, 212, 610, 236), 0.2), ((30, 236, 610, 266), 0.91), ((36, 266, 616, 270), 0.5), ((610, 220, 616, 270), 0.5)]:
            page.draw_rect(box, fill=(gray,) * 3, color=None)
        page.insert_text((40, 229), "定理（回归）", fontname="china-s", fontsize=18, color=(1, 1, 1))
        pixels = page.get_pixmap(dpi=144, colorspace=pymupdf.csGRAY, alpha=False)
    slide = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
    title = np.s_[428:468, 80:290]
    strokes = (slide[title] > 150).mean()
    assert (bands_to_dark_on_light(slide)[title] < 150).mean() == pytest.approx(strokes, rel=0.1)


def test_photographs_titles_and_drawings_stay() -> None:
    page = make_page()
    rough = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 256, (300, 400), np.uint8), (0, 0), 9)
    page[620:920, 200:600] = cv2.normalize(rough, np.zeros(0), 0, 255, cv2.NORM_MINMAX)
    page[1000:1100, 100:700] = 40  # bare
    cv2.rectangle(page, (100, 200), (170, 270), 0, 12)  # as large as the 口 of a title
    cv2.putText(page, "8", (200, 280), cv2.FONT_HERSHEY_SIMPLEX, 2, 0, 9)  # its holes are as light as text
    cv2.rectangle(page, (300, 300), (700, 500), 0, 3)  # a ruled table
    assert bands_to_dark_on_light(page) is page


@pytest.mark.parametrize("size", [24, 30, 42, 60])
def test_large_bold_hanzi_are_no_boxes_with_text_and_a_character_in_a_box_is(size: int) -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        for row, (chars, stroke) in enumerate([("国图园圆", 0.03), ("固因目回", 0.03), ("科嘴署键", 0.06)]):
            place = (60, 120 + 1.3 * size * row)
            page.insert_text(place, chars, fontname="china-s", fontsize=size, render_mode=2, border_width=stroke)
        page.draw_rect(pymupdf.Rect(60, 400, 60 + 1.5 * size, 400 + 1.5 * size), color=None, fill=(0.1, 0.1, 0.1))
        page.insert_text((60 + 0.25 * size, 400 + 1.1 * size), "例", fontname="china-s", fontsize=size, color=(1, 1, 1))
        pixels = page.get_pixmap(dpi=200, colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
    changed = bands_to_dark_on_light(gray) != gray
    assert not changed[: round(380 / 0.36)].any()
    assert changed[round(390 / 0.36) :].any()


@pytest.mark.parametrize("radius", [None, 0.2, 0.5])
def test_a_badge_with_one_character_is_inverted(radius: float | None) -> None:
    with pymupdf.open() as document:
        page = document.new_page()
        for row, char in enumerate("问答甲7"):
            page.draw_rect(pymupdf.Rect(60, 98 + 30 * row, 76.5, 114.5 + 30 * row), color=None, fill=(0.75, 0.2, 0.2), radius=radius)
            left = 63 if char > "7" else 65.6
            page.insert_text((left, 110 + 30 * row), char, fontname="china-s", fontsize=10.5, color=(1, 1, 1))
            page.insert_text((86, 110 + 30 * row), "后面是一行普通的文字", fontname="china-s", fontsize=10.5)
        pixels = page.get_pixmap(dpi=200, colorspace=pymupdf.csGRAY)
    gray = np.frombuffer(pixels.samples, np.uint8).reshape(pixels.height, pixels.width)
    badges = bands_to_dark_on_light(gray)[round(96 / 0.36) : round(206 / 0.36), round(58 / 0.36) : round(79 / 0.36)]
    assert (badges > 240).mean() > 0.8
    assert (badges < 60).mean() > 0.01


# Lines


def test_a_line_of_light_text_is_inverted_and_one_of_heavy_dark_text_is_not() -> None:
    line = np.full((32, 280), 255, np.uint8)
    line[4:28, 4:276] = 0  # ink covers most of it
    line[10:22:4, 8:270] = 255
    assert line_to_dark_on_light(line) is line
    light = 255 - np.where(np.arange(280) % 8 < 2, line, 255).astype(np.uint8)
    np.testing.assert_array_equal(line_to_dark_on_light(light), 255 - light)
