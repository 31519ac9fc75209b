"""A cleaned page is dark on white and evenly lit, and a page that already is stays as it was."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from conftest import HEIGHT, INK, LINES, WIDTH, make_page

from docrec.clean import (
    clean,
    even_lighting,
    fade_show_through,
    remove_salt_and_pepper,
    remove_specks,
    smooth_grain,
    stretch_contrast,
    to_readable_size,
)
from docrec.document import Box, Scan
from docrec.source import PageImage


def under_lamp(page: np.ndarray, dimmest: float = 0.6, noise: float = 3) -> np.ndarray:
    """As scanned: light that falls off to the right, and a sensor's noise."""
    light = np.linspace(1, dimmest, page.shape[1])
    grain = np.random.default_rng(1).normal(0, noise, page.shape)
    return (page * light + grain).clip(0, 255).astype(np.uint8)


def clean_gray(gray: np.ndarray) -> np.ndarray:
    return clean(PageImage(3, gray, 200.0)).gray


# A clean page


def test_a_clean_page_is_returned_as_it_is() -> None:
    page = PageImage(3, make_page(), 200.0)
    assert clean(page) is page


def test_pale_text_and_tinted_boxes_of_a_clean_page_are_untouched() -> None:
    page = make_page()
    page[590:1090, 80:820] = np.minimum(page[590:1090, 80:820], 225)
    cv2.putText(page, "pale grey", (120, 1150), cv2.FONT_HERSHEY_COMPLEX, 0.8, 215, 2, cv2.LINE_AA)
    assert np.array_equal(clean_gray(page), page)


def test_the_pages_number_and_resolution_stay() -> None:
    page = clean(PageImage(3, 255 - make_page(), 123.0))
    assert (page.index, page.dpi) == (3, 123.0)


@pytest.mark.parametrize("gray", [0, 1, 40, 128, 255])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5), (500, 400)])
def test_pages_without_text_of_any_size_are_no_error(gray: int, shape: tuple[int, int]) -> None:
    cleaned = clean_gray(np.full(shape, gray, np.uint8))
    assert cleaned.shape == shape
    assert cleaned.dtype == np.uint8
    assert len(np.unique(cleaned)) == 1


def test_a_blank_noisy_page_becomes_white() -> None:
    blank = under_lamp(np.full((HEIGHT, WIDTH), 245, np.uint8), noise=6)
    cleaned = clean_gray(blank)
    assert cleaned.shape == blank.shape
    assert np.mean(cleaned < 240) < 0.001


# Light and contrast


def test_uneven_light_is_evened_and_text_kept() -> None:
    page = make_page()
    cleaned = stretch_contrast(even_lighting(under_lamp(page)))
    assert np.mean(cleaned[page == 255] >= 250) > 0.98
    assert np.percentile(cleaned[page == INK], 90) < 60
    for side in (slice(0, WIDTH // 3), slice(2 * WIDTH // 3, WIDTH)):
        assert cleaned[:, side][page[:, side] == 255].mean() > 252


def test_grey_levels_are_kept_between_ink_and_paper() -> None:
    cleaned = clean_gray(under_lamp(make_page()))
    assert len(np.unique(cleaned)) > 100


def test_pale_text_survives_where_light_is_evened() -> None:
    page = make_page()
    cv2.putText(page, "pale grey", (120, 1150), cv2.FONT_HERSHEY_COMPLEX, 0.8, 200, 2, cv2.LINE_AA)
    cleaned = clean_gray(under_lamp(page))
    assert cleaned[1130:1150, 120:300].min() < 215


def test_a_photograph_stays_dark_where_light_is_evened() -> None:
    page = make_page()
    page[620:1150, 150:750] = 40
    cleaned = even_lighting(under_lamp(page))
    assert cleaned[700:1050, 250:650].max() < 90
    assert np.median(cleaned[:590]) >= 245


def test_light_text_on_a_dark_ground_becomes_dark_where_a_shadow_falls() -> None:
    page = make_page()
    for top in (620, 1120):
        page[top : top + 40, 60:850] = 40
        cv2.putText(page, "a band of light", (120, top + 28), cv2.FONT_HERSHEY_COMPLEX, 0.8, 250, 2, cv2.LINE_AA)
        cv2.putText(page, "and its far end", (600, top + 28), cv2.FONT_HERSHEY_COMPLEX, 0.8, 250, 2, cv2.LINE_AA)
    shadow = cv2.GaussianBlur((np.indices(page.shape).sum(axis=0) > 1100).astype(np.float32), (0, 0), 60)
    cleaned = clean_gray((page * (1 - 0.4 * shadow)).astype(np.uint8))
    for top in (620, 1120):
        band = cleaned[top + 4 : top + 36, 70:840]
        assert np.median(band) > 230
        assert min(band[:, 50:250].min(), band[:, 540:740].min()) < 80


def test_tinted_paper_becomes_white() -> None:
    cleaned = clean_gray(make_page(20, 215))
    assert np.median(cleaned) == 255
    assert cleaned.min() < 40


def test_faint_text_spans_the_range() -> None:
    cleaned = stretch_contrast(make_page(190, 255))
    assert np.median(cleaned) == 255
    assert cleaned.min() == 0
    assert len(np.unique(cleaned)) > 10


def test_a_scanners_border_does_not_decide_about_ink() -> None:
    page = np.full((HEIGHT, WIDTH + 120), 5, np.uint8)
    page[:, 120:] = make_page(150, 255)
    cleaned = stretch_contrast(page)
    assert np.percentile(cleaned[:, 200:][page[:, 200:] == 150], 50) < 30


# Noise and the reverse side


def test_salt_and_pepper_go_and_text_stays() -> None:
    page = make_page()
    chance = np.random.default_rng(1).random(page.shape)
    noisy = np.where(chance < 0.01, 0, np.where(chance > 0.99, 255, page)).astype(np.uint8)
    cleaned = remove_salt_and_pepper(noisy)
    assert np.mean((cleaned < 128) & (page == 255)) < 0.0005
    assert np.mean(cleaned[page == INK] < 128) > 0.97


@pytest.mark.parametrize("step", [remove_salt_and_pepper, smooth_grain, fade_show_through])
def test_a_page_without_noise_is_left_alone(step: Callable[[np.ndarray], np.ndarray]) -> None:
    page = make_page()
    for left in range(300, 700, 10):  # a dotted line
        page[1150:1152, left : left + 2] = 0
    cv2.putText(page, "pale grey", (120, 1190), cv2.FONT_HERSHEY_COMPLEX, 0.8, 190, 2, cv2.LINE_AA)
    assert step(page) is page


def test_strong_grain_is_smoothed() -> None:
    noisy = under_lamp(np.full((HEIGHT, WIDTH), 180, np.uint8), dimmest=1, noise=20)
    assert smooth_grain(noisy).std() < 0.6 * noisy.std()


def test_the_reverse_side_is_painted_over_and_this_side_stays() -> None:
    page = make_page()
    behind = cv2.GaussianBlur(np.roll(page[:, ::-1], 17, axis=0), (0, 0), 1.5)
    shown = cv2.multiply(page, 255 - (255 - behind) // 4, scale=1 / 255)
    assert (np.mean(shown < 235), np.mean(page < 235)) == pytest.approx((0.17, 0.1), abs=0.05)
    cleaned = fade_show_through(shown)
    far = cv2.erode(page, np.ones((9, 9), np.uint8)) == 255
    assert np.mean(cleaned[far] < 235) < 0.01
    assert np.array_equal(cleaned[page == INK], shown[page == INK])


def test_faint_stops_between_letters_and_faint_lines_elsewhere_do_not_show_through() -> None:
    page = make_page()
    for baseline in LINES:
        for left in range(100, 320, 20):
            cv2.circle(page, (left, baseline + 8), 3, 158, 2)
    for top in (630, 650):
        page[top : top + 2, 100:500] = 170
    assert fade_show_through(page) is page


def test_what_was_done_is_named() -> None:
    assert clean(PageImage(0, make_page(), 200.0)).steps == ()
    assert clean(PageImage(0, 255 - under_lamp(make_page()), 200.0)).steps == (
        "light on dark inverted",
        "light evened",
        "contrast stretched",
    )


# Resolution


@pytest.mark.parametrize(("dpi", "scale", "becomes"), [(600, 3, 300), (1200, 5, 300), (100, 0.5, 200), (400, 2, 400)])
def test_pages_of_extreme_resolutions_are_resampled(dpi: int, scale: float, becomes: int) -> None:
    page = cv2.resize(make_page(), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    cleaned = to_readable_size(PageImage(0, page, dpi))
    assert cleaned.dpi == becomes
    given = cleaned.scan or Scan(page.shape[1], page.shape[0], (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0))
    assert (given.width, given.height) == (page.shape[1], page.shape[0])
    assert given.corners(Box(0, 0, 9, 9))[2] == pytest.approx((9 * dpi / becomes, 9 * dpi / becomes))
    assert cleaned.gray.shape == pytest.approx(np.array(page.shape) * becomes / dpi, abs=1)
    assert np.median(cleaned.gray) == 255


def test_a_vast_coarse_page_is_not_enlarged() -> None:
    page = PageImage(0, np.full((2500, 2500), 255, np.uint8), 50.0)
    assert to_readable_size(page) is page


# Pages without text


@pytest.mark.parametrize("kind", ["noise", "salt", "photograph", "map"])
def test_pages_without_text_are_no_error(kind: str) -> None:
    rng = np.random.default_rng(1)
    page = rng.integers(0, 256, (1100, 800), np.uint8)
    if kind == "salt":
        page = np.where(page > 127, 255, 0).astype(np.uint8)
    elif kind == "photograph":
        page = cv2.normalize(cv2.GaussianBlur(page, (0, 0), 25), np.zeros(0), 0, 255, cv2.NORM_MINMAX)
    elif kind == "map":
        page = (cv2.normalize(cv2.GaussianBlur(page, (0, 0), 25), np.zeros(0), 0, 255, cv2.NORM_MINMAX) // 40 * 40).astype(np.uint8)
    for color in (None, np.dstack([page, page[::-1], page[:, ::-1]])):
        cleaned = clean(PageImage(0, page, 200.0, color))
        assert cleaned.color is None
        assert cleaned.gray.dtype == np.uint8


# Specks


def make_specks(page: np.ndarray) -> np.ndarray:
    for top in range(30, HEIGHT, 90):
        page[top : top + 2, 30:32] = 0
    return page


def test_specks_in_the_margin_go_and_text_stays() -> None:
    assert np.array_equal(remove_specks(make_specks(make_page())), make_page())


def test_dots_of_text_are_no_specks() -> None:
    page = make_page()
    for left in range(300, 700, 20):  # a dotted line
        page[1150:1153, left : left + 3] = 0
    assert np.array_equal(remove_specks(make_specks(page.copy())), page)


def test_a_page_with_hardly_any_specks_is_left_alone() -> None:
    page = make_page()
    page[30:32, 30:32] = 0
    assert remove_specks(page) is page
