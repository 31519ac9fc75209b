"""A cleaned page is dark on white and evenly lit, and a page that already is stays as it was."""

import cv2
import numpy as np
import pytest

from docrec.clean import (
    clean,
    even_lighting,
    line_to_dark_on_light,
    remove_specks,
    stretch_contrast,
    to_dark_on_light,
)
from docrec.source import PageImage

HEIGHT, WIDTH = 1200, 900
LINES = [*range(160, 600, 40), *range(700, 1080, 40)]
INK = 20


def make_page(ink: int = INK, paper: int = 255) -> np.ndarray:
    """A page of two ragged paragraphs; grey edges on all its letters."""
    page = np.full((HEIGHT, WIDTH), paper, np.uint8)
    for number, baseline in enumerate(LINES):
        line = "All that moves before the open gate will go, and these lines stay"
        cv2.putText(page, line[number % 5 : 30 + number * 7 % 13], (100, baseline), cv2.FONT_HERSHEY_COMPLEX, 0.8, ink, 2, cv2.LINE_AA)
    return page


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


# Polarity


def test_light_text_on_a_dark_page_is_inverted() -> None:
    assert np.array_equal(to_dark_on_light(255 - make_page()), make_page())


@pytest.mark.parametrize(("ink", "paper"), [(250, 60), (255, 140)])
def test_light_text_on_coloured_paper_is_inverted(ink: int, paper: int) -> None:
    cleaned = clean_gray(make_page(ink, paper))
    assert np.median(cleaned) == 255
    assert cleaned[LINES[0] - 20 : LINES[0]].min() < 80


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (10, 90), (200, 255), (20, 140)])
def test_dark_text_is_not_inverted(ink: int, paper: int) -> None:
    page = make_page(ink, paper)
    assert to_dark_on_light(page) is page


def test_a_page_with_a_large_dark_figure_is_not_inverted() -> None:
    page = make_page()
    page[100:600] = 30
    assert to_dark_on_light(page) is page


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


def test_a_line_of_light_text_is_inverted_and_one_of_heavy_dark_text_is_not():
    line = np.full((32, 280), 255, np.uint8)
    line[4:28, 4:276] = 0  # ink covers most of it
    line[10:22:4, 8:270] = 255
    assert line_to_dark_on_light(line) is line
    light = 255 - np.where(np.arange(280) % 8 < 2, line, 255).astype(np.uint8)
    np.testing.assert_array_equal(line_to_dark_on_light(light), 255 - light)
