"""Colour becomes grey such that text shows: seals and highlighter fade, red text stays, pale and equally dark colours stand out."""

import cv2
import numpy as np
import pytest

from docrec.clean import clean
from docrec.colour import to_gray
from docrec.source import PageImage

HEIGHT, WIDTH = 2339, 1654  # A4 at 200 dpi
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (220, 40, 45)
LINES = range(300, 2000, 60)


def make_page(ink: tuple[int, int, int] = BLACK, paper: tuple[int, int, int] = WHITE) -> np.ndarray:
    """A page of text, uint8 (height, width, 3)."""
    page = np.full((HEIGHT, WIDTH, 3), paper, np.uint8)
    for baseline in LINES:
        put(page, "All that moves before the open gate will go, and these", baseline, ink)
    return page


def put(page: np.ndarray, text: str, baseline: int, ink: tuple[int, int, int], left: int = 200) -> None:
    cv2.putText(page, text, (left, baseline), cv2.FONT_HERSHEY_COMPLEX, 1.1, ink, 2, cv2.LINE_AA)


def press(page: np.ndarray, shape: str, centre: tuple[int, int] = (700, 900)) -> np.ndarray:
    """Press a red seal of 330 or 200 pixels over the page, as ink that lets it show; bool, where."""
    stamp = np.full_like(page, 255)
    x, y = centre
    if shape == "round":
        cv2.circle(stamp, centre, 165, RED, 9, cv2.LINE_AA)
        cv2.fillPoly(stamp, [np.array([(x, y - 60), (x + 40, y + 55), (x - 55, y - 18), (x + 55, y - 18), (x - 40, y + 55)])], RED)
    else:
        cv2.rectangle(stamp, (x - 100, y - 100), (x + 100, y + 100), RED, 9)
    cv2.putText(stamp, "SEAL", (x - 80, y + 90), cv2.FONT_HERSHEY_COMPLEX, 1.6, RED, 5, cv2.LINE_AA)
    page[:] = cv2.multiply(page, stamp, scale=1 / 255)
    return stamp.min(axis=2) < 255


def gray_of(color: np.ndarray) -> PageImage:
    return to_gray(PageImage(0, cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), 200.0, color))


def test_a_page_without_colour_is_left_alone() -> None:
    page = PageImage(0, make_page()[..., 0], 200.0)
    assert to_gray(page) is page


@pytest.mark.parametrize("shape", ["round", "square"])
@pytest.mark.parametrize("paper", [WHITE, (225, 225, 225)])
def test_a_seal_fades_and_the_text_under_it_stays(shape: str, paper: tuple[int, int, int]) -> None:
    color = make_page(paper=paper)
    bare = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)
    sealed = press(color, shape)
    page = gray_of(color)
    assert page.steps == ("seal taken off",)
    assert page.color is None
    assert page.gray[sealed & (bare == paper[0])].min() > paper[0] - 30
    assert page.gray[sealed & (bare < 10)].max() < 60
    assert np.array_equal(page.gray[1200:], bare[1200:])


@pytest.mark.parametrize("size", [1.1, 4.0])
def test_red_text_is_no_seal(size: float) -> None:
    color = make_page(RED)
    color[:1000] = 255
    cv2.putText(color, "DOCUMENT", (200, 600), cv2.FONT_HERSHEY_COMPLEX, size, RED, round(4 * size), cv2.LINE_AA)
    page = gray_of(color)
    assert page.steps == ()
    assert np.array_equal(page.gray, cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize("marker", [(255, 242, 60), (140, 240, 120), (255, 160, 200), (120, 200, 255)])
def test_highlighter_fades(marker: tuple[int, int, int]) -> None:
    color = make_page()
    bare = cv2.cvtColor(color, cv2.COLOR_RGB2GRAY)
    for baseline in LINES[3:9]:
        color[baseline - 38 : baseline + 12, 300:900] = cv2.multiply(
            color[baseline - 38 : baseline + 12, 300:900], np.full((50, 600, 3), marker, np.uint8), scale=1 / 255
        )
    page = gray_of(color)
    assert page.steps == ("highlighter faded",)
    assert page.gray[bare == 255].min() > 240
    assert page.gray[bare == 0].max() < 30


def test_a_coloured_box_on_a_dark_page_is_no_highlighter() -> None:
    color = make_page(WHITE, BLACK)
    color[LINES[3] - 40 : LINES[6], 150:1400] = (240, 205, 140)
    put(color, "All that moves before the open gate", LINES[4], BLACK)
    assert "highlighter faded" not in gray_of(color).steps


def test_light_colours_in_a_photograph_are_no_highlighter() -> None:
    color = make_page()
    clouds = np.random.default_rng(1).normal(0, 1, (8, 14)).astype(np.float32)
    smooth = np.asarray(cv2.resize(clouds, (900, 500), interpolation=cv2.INTER_CUBIC))
    color[600:1100, 300:1200] = (np.array([235, 175, 130]) + smooth[..., None] * (14, 18, 18)).clip(0, 255).astype(np.uint8)
    for left in range(350, 1150, 30):
        for top in (700, 820, 960):
            cv2.circle(color, (left, top), 6, (60, 40, 30), cv2.FILLED)
    assert "highlighter faded" not in gray_of(color).steps


@pytest.mark.parametrize("ink", [(250, 210, 0), (0, 220, 240), (255, 150, 0)])
def test_a_line_in_a_pale_colour_becomes_dark(ink: tuple[int, int, int]) -> None:
    color = make_page()
    put(color, "pale colours", 200, ink)
    page = gray_of(color)
    assert page.steps == ("pale colours darkened",)
    assert np.percentile(page.gray[170:200, 200:500], 5) < 60


def test_dark_text_in_colour_is_left_as_it_is() -> None:
    color = make_page((40, 60, 200))  # blue ink
    assert np.array_equal(gray_of(color).gray, cv2.cvtColor(color, cv2.COLOR_RGB2GRAY))


@pytest.mark.parametrize(
    ("ink", "paper"),
    [((220, 60, 50), (60, 130, 70)), ((255, 230, 60), (20, 60, 160)), ((255, 255, 255), (200, 30, 40)), ((40, 60, 255), (90, 90, 90))],
)
def test_text_on_coloured_paper_is_dark_on_white_in_the_end(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> None:
    color = make_page(ink, paper)
    truth = make_page()[..., 0]
    page = clean(PageImage(0, cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), 200.0, color))
    assert np.median(page.gray[truth == 255]) > 245
    assert np.median(page.gray[truth == 0]) < 100
