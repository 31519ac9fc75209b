"""A page comes out flat and straight, without what surrounds it, and its boxes lead back to the page as given."""

import random

import cv2
import numpy as np
import pymupdf
import pytest
from conftest import PROSE

from docrec.document import Box, Scan
from docrec.source import PageImage
from docrec.upright import MIN_SKEW, Surroundings, estimate_skew, find_surroundings, paint_surroundings, straighten, turn

POINTS = (595, 842)
WORDS = ["quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "while", "early", "results", "are", "shown"]


class Sheet:
    """A page of A4 to set lines of random text on."""

    def __init__(self, seed: int = 1) -> None:
        self.random = random.Random(seed)
        self.page = pymupdf.open().new_page(width=POINTS[0], height=POINTS[1])

    def line(self, x: float, y: float, count: int, size: float = 11) -> None:
        text = "".join(self.random.choices(PROSE.replace("\n", ""), k=count))
        self.page.insert_text((x, y), text, fontname="china-s", fontsize=size)

    def column(self, x: float, count: int, top: float, bottom: float, size: float = 11, leading: float = 18) -> None:
        for row in range(int((bottom - top) / leading)):
            self.line(x, top + row * leading, count if self.random.random() < 0.75 else self.random.randint(3, count), size)

    def pixels(self, dpi: int) -> np.ndarray:
        pixmap = self.page.get_pixmap(dpi=dpi, colorspace="gray")
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def prose(sheet: Sheet) -> None:
    sheet.column(72, 40, 80, 770)


def two_columns(sheet: Sheet) -> None:
    sheet.column(60, 22, 80, 770, 10, 15.5)
    sheet.column(310, 22, 85, 770, 10, 15.5)


def three_columns(sheet: Sheet) -> None:
    for x, top in ((50, 80), (220, 86), (390, 83)):
        sheet.column(x, 17, top, 770, 9, 14)


def three_lines(sheet: Sheet) -> None:
    sheet.column(72, 37, 200, 255, 12, 18)


def large_type(sheet: Sheet) -> None:
    sheet.column(60, 12, 120, 720, 36, 60)


def latin(sheet: Sheet) -> None:
    for y in range(80, 770, 14):
        sheet.page.insert_text((72, y), " ".join(sheet.random.choices(WORDS, k=13)), fontname="helv", fontsize=11)


def table(sheet: Sheet) -> None:
    for row in range(14):
        for column in range(4):
            sheet.line(70 + 120 * column, 120 + 40 * row, sheet.random.randint(2, 8), 10)


def ruled_table(sheet: Sheet) -> None:
    table(sheet)
    for row in range(15):
        sheet.page.draw_line((60, 100 + 40 * row), (540, 100 + 40 * row))


def vertical(sheet: Sheet) -> None:
    for x in range(80, 530, 22):
        for row in range(50 if sheet.random.random() < 0.8 else 20):
            sheet.line(x, 90 + 13.2 * row, 1, 12)


def drawing(sheet: Sheet) -> None:
    for _ in range(30):
        ends = [(sheet.random.uniform(80, 500), sheet.random.uniform(80, 450)) for _ in range(2)]
        sheet.page.draw_line(*ends)
    sheet.column(72, 40, 500, 770)


def contents(sheet: Sheet) -> None:
    sheet.line(70, 150, 2, 20)
    for row in range(9):
        y, x = 205 + 17.6 * row, (88, 110)[row % 2]
        sheet.line(x, y, sheet.random.randint(4, 9), 10)
        for dot in range(int(x + 120), 490, 8):
            sheet.page.insert_text((dot, y), ".", fontname="tiro", fontsize=10)
        sheet.page.insert_text((505, y), str(row), fontname="tiro", fontsize=10)


PAGES = (prose, two_columns, three_columns, three_lines, large_type, latin, table, ruled_table, vertical, drawing)


def draw(setting, dpi: int = 100) -> np.ndarray:
    sheet = Sheet()
    setting(sheet)
    return sheet.pixels(dpi)


def scan_of(page: PageImage) -> Scan:
    assert page.scan is not None
    return page.scan


def rotated(gray: np.ndarray, degrees: float, fill: int = 255) -> np.ndarray:
    """A page turned clockwise about its centre on a larger canvas."""
    height, width = gray.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    size = round(width * abs(matrix[0, 0]) + height * abs(matrix[0, 1])), round(width * abs(matrix[0, 1]) + height * abs(matrix[0, 0]))
    matrix[:, 2] += (size[0] - width) / 2, (size[1] - height) / 2
    return cv2.warpAffine(gray, matrix, size, flags=cv2.INTER_CUBIC, borderValue=fill)


def upright(gray: np.ndarray) -> PageImage:
    """A page as it is prepared for reading, but for cleaning."""
    page = PageImage(0, gray, 100.0)
    around = find_surroundings(page)
    return straighten(paint_surroundings(page, around), around)


# Skew


@pytest.mark.parametrize("setting", [*PAGES, contents])
@pytest.mark.parametrize("skew", [-14.83, -4.21, 0.37, 9.6])
def test_skew_is_found_within_a_tenth_of_a_degree(setting, skew: float) -> None:
    assert estimate_skew(rotated(draw(setting), skew)) == pytest.approx(skew, abs=0.1)


def test_dark_wedges_along_the_edges_do_not_tell_the_skew() -> None:
    """As of a dark page that was turned on a white ground, and then inverted: few lines stand against them."""
    page = np.full((554, 968), 255, np.uint8)
    for line in range(4):
        cv2.putText(
            page, "a few lines of text on a slide that is dark", (60, 160 + 40 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 60, 2, cv2.LINE_AA
        )
    matrix = cv2.getRotationMatrix2D((484, 277), -1.2, 1)
    assert estimate_skew(cv2.warpAffine(page, matrix, (968, 554), borderValue=100)) == pytest.approx(1.2, abs=0.1)


@pytest.mark.parametrize("setting", [*PAGES, contents])
def test_a_page_that_is_straight_is_left_alone(setting) -> None:
    page = PageImage(0, draw(setting), 100.0)
    assert straighten(page, Surroundings()) is page


@pytest.mark.slow
@pytest.mark.parametrize("dpi", [150, 200, 300])
@pytest.mark.parametrize("setting", PAGES)
def test_skew_is_found_at_any_resolution(setting, dpi: int) -> None:
    page = draw(setting, dpi)
    for skew in (-15, -11.37, -7.7, -1.13, -0.2, 0.13, 2.45, 6.1, 13.9):
        assert estimate_skew(rotated(page, skew)) == pytest.approx(skew, abs=0.1)


@pytest.mark.parametrize("skew", [-7.3, 3.1])
def test_skew_is_found_on_a_page_turned_by_a_quarter(skew: float) -> None:
    assert estimate_skew(np.rot90(rotated(draw(latin), skew)).copy()) == pytest.approx(skew, abs=0.1)


def test_no_skew_is_found_where_there_are_no_lines() -> None:
    random_numbers = np.random.default_rng(1)
    grain = random_numbers.integers(0, 256, (600, 500), np.uint8)
    dots = np.where(random_numbers.random((1169, 827)) < 0.02, 0, 255).astype(np.uint8)
    for picture in (grain, cv2.GaussianBlur(grain, (0, 0), 9), dots, np.full((600, 500), 255, np.uint8)):
        assert abs(estimate_skew(picture)) < MIN_SKEW


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (7, 5), (40, 3000), (3000, 40)])
@pytest.mark.parametrize("gray", [0, 128, 255])
def test_pages_of_any_size_are_no_error(shape: tuple[int, int], gray: int) -> None:
    assert upright(np.full(shape, gray, np.uint8)).gray.shape == shape


# Boxes lead back


def marked(gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A page with four black squares of 9 pixels in its margins, and their corners, float64 (4, 2), top left first."""
    page, places = gray.copy(), np.array([(30, 30), (760, 25), (770, 1120), (25, 1130)])
    for x, y in places:
        page[y : y + 9, x : x + 9] = 0
    return page, places.astype(float)


def find_marks(gray: np.ndarray, near: np.ndarray) -> list[Box]:
    """Boxes of the ink within 20 pixels of places, by the centre of its darkness and the size of a mark."""
    boxes = []
    for x, y in near.round().astype(int):
        left, top = max(x - 20, 0), max(y - 20, 0)
        dark = 255.0 - gray[top : y + 20, left : x + 20]
        rows, columns = dark.sum(axis=1), dark.sum(axis=0)
        middle_x = left + (columns @ np.arange(len(columns))) / columns.sum() + 0.5
        middle_y = top + (rows @ np.arange(len(rows))) / rows.sum() + 0.5
        boxes.append(Box(middle_x - 4.5, middle_y - 4.5, middle_x + 4.5, middle_y + 4.5))
    return boxes


def through(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(points[None], matrix)[0]


@pytest.mark.parametrize("skew", [-6.0, 2.3])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_boxes_of_a_straightened_and_turned_page_lead_back_to_the_page_as_given(skew: float, quarters: int) -> None:
    page, places = marked(draw(prose))
    given = rotated(page, skew)
    seen = turn(upright(given), quarters)
    height, width = seen.gray.shape
    # where the marks are on the page as read: straight, on a canvas grown by the two rotations about its centre
    middles = places + 4.5 - np.array([page.shape[1], page.shape[0]]) / 2
    for _ in range(quarters):
        middles = np.c_[-middles[:, 1], middles[:, 0]]
    boxes = find_marks(seen.gray, middles + np.array([width, height]) / 2)
    angle = np.radians(skew)
    spin = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    expected = (places + 4.5 - np.array([page.shape[1], page.shape[0]]) / 2) @ spin.T + np.array([given.shape[1], given.shape[0]]) / 2
    assert seen.scan
    assert (seen.scan.width, seen.scan.height) == (given.shape[1], given.shape[0])
    for box, middle in zip(boxes, expected, strict=True):
        assert np.mean(seen.scan.corners(box), axis=0) == pytest.approx(middle, abs=1)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_page_has_the_same_pixels_and_exact_boxes(quarters: int) -> None:
    gray = np.full((30, 50), 255, np.uint8)
    gray[4:7, 10:20] = 0
    page = turn(PageImage(0, gray, 100.0), quarters)
    rows, columns = np.nonzero(page.gray == 0)
    corners = scan_of(page).corners(Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1))
    assert sorted(corners) == sorted([(10, 4), (20, 4), (20, 7), (10, 7)])
    assert list(corners[0]) == [[10, 7], [20, 7], [20, 4]][quarters - 1]  # what is now at the top left
    assert page.steps == (f"turned by {90 * quarters}°",)
    assert np.array_equal(turn(page, 4 - quarters).gray, gray)


def test_a_page_turned_by_nothing_is_the_same() -> None:
    page = PageImage(0, draw(prose), 100.0)
    assert turn(page, 0) is page


# Perspective

PHOTO = (1100, 1400)  # width and height


def photographed(
    page: np.ndarray, table: int = 80, distance: float = 2.6, tilt: float = 25, roll: float = 5
) -> tuple[np.ndarray, np.ndarray]:
    """A page on a table under a camera, and the homography from the page to the picture."""
    height, width = page.shape
    a, b = np.radians(tilt), np.radians(roll)
    rotation = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    rotation = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]]) @ rotation
    focal = 1.6 * max(PHOTO)
    camera = np.array([[focal, 0, (PHOTO[0] - 1) / 2], [0, focal, (PHOTO[1] - 1) / 2], [0, 0, 1]])
    to_table = np.array([[1 / height, 0, -width / height / 2], [0, 1 / height, -0.5], [0, 0, 1]])
    matrix = camera @ np.c_[rotation[:, :2], (0, 0, distance * 0.9)] @ to_table
    shot = cv2.warpPerspective(page, matrix, PHOTO, flags=cv2.INTER_AREA)
    covered = cv2.warpPerspective(np.full_like(page, 255), matrix, PHOTO)
    grain = np.random.default_rng(1).normal(0, 3, shot.shape)
    picture = np.where(covered > 127, shot * 0.85, table) * np.linspace(1, 0.8, PHOTO[0]) + grain
    return picture.clip(0, 255).astype(np.uint8), matrix


@pytest.mark.parametrize("tilt", [-30, 0, 20])
@pytest.mark.parametrize("table", [30, 120])
def test_the_perspective_of_a_photographed_page_is_undone(tilt: float, table: int) -> None:
    page = draw(prose)
    given, matrix = photographed(page, table, tilt=tilt)
    seen = upright(given)
    assert "perspective undone" in seen.steps
    height, width = seen.gray.shape
    assert width / height == pytest.approx(page.shape[1] / page.shape[0], rel=0.05)
    assert abs(estimate_skew(cv2.normalize(seen.gray, np.zeros(0), 0, 255, cv2.NORM_MINMAX))) < MIN_SKEW
    assert seen.scan
    read = [
        np.mean(seen.scan.corners(Box(x - 1, y - 1, x + 1, y + 1)), axis=0) for x, y in ((0, 0), (width, 0), (width, height), (0, height))
    ]
    corners = through(matrix, np.array([(-0.5, -0.5), (826.5, -0.5), (826.5, 1168.5), (-0.5, 1168.5)])) + 0.5
    assert np.array(read) == pytest.approx(corners, abs=6)  # the paper's edge is blurred


def test_marks_on_a_photographed_page_are_found_where_they_are() -> None:
    page, places = marked(draw(prose))
    given, matrix = photographed(page)
    seen = upright(given)
    expected = through(matrix, places + 4)  # centres, as indices of pixels
    assert seen.scan
    back = np.linalg.inv(np.array(seen.scan.matrix).reshape(3, 3))
    for middle, near in zip(expected, through(back, expected + 0.5), strict=True):
        (box,) = find_marks(np.where(seen.gray < 110, seen.gray, 255), near[None])
        assert np.mean(seen.scan.corners(box), axis=0) == pytest.approx(middle + 0.5, abs=1)


def test_a_panel_of_a_slide_is_no_page() -> None:
    slide = np.full((900, 1200), 40, np.uint8)
    slide[200:850, 60:1140] = 245
    cv2.putText(slide, "TITLE OF SLIDE", (100, 120), cv2.FONT_HERSHEY_COMPLEX, 2.5, 250, 5, cv2.LINE_AA)
    page = PageImage(0, slide, 100.0)
    assert paint_surroundings(page, find_surroundings(page)) is page


# Borders and holes


def test_a_copiers_border_is_painted_over_and_the_page_kept() -> None:
    page = draw(prose)
    framed = page.copy()
    framed[:25] = 15
    framed[:, :30] = 25
    seen = upright(framed)
    assert seen.steps == ("dark border painted over",)
    assert seen.gray[:25].min() > 250
    assert np.array_equal(seen.gray[60:, 60:], page[60:, 60:])
    assert seen.scan is None


def test_a_bar_along_the_edge_with_two_letters_is_no_border() -> None:
    page = draw(prose)
    page[:60] = 15
    assert upright(page).steps == ("dark border painted over",)
    for left in (60, 110):
        cv2.putText(page, "I", (left, 45), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 250, 4, cv2.LINE_AA)
    assert upright(page).steps == ()


def test_the_wedges_around_a_skewed_page_are_painted_over() -> None:
    seen = upright(rotated(draw(prose), 3, fill=10))
    assert seen.steps == ("dark border painted over", "straightened by 3.0°")
    assert np.mean(seen.gray < 128) == pytest.approx(np.mean(rotated(draw(prose), 0.01) < 128), rel=0.25)


def test_colour_is_painted_over_too() -> None:
    gray = draw(prose)
    gray[:, :30] = 20
    page = PageImage(0, gray, 100.0, np.repeat(gray[:, :, None], 3, axis=2))
    painted = paint_surroundings(page, find_surroundings(page))
    assert painted.color is not None
    assert painted.color[:, :30].min() > 250


def test_punch_holes_are_painted_over() -> None:
    page = draw(prose)
    punched = page.copy()
    for y in (425, 740):
        cv2.circle(punched, (40, y), 12, 30, -1, cv2.LINE_AA)
    seen = upright(punched)
    assert seen.steps == ("punch holes painted over",)
    assert np.array_equal(seen.gray < 128, page < 128)


def bar_at_the_edge(page: np.ndarray) -> np.ndarray:
    page[:75] = 20
    cv2.putText(page, "Light heading", (80, 55), cv2.FONT_HERSHEY_COMPLEX, 1.6, 255, 3, cv2.LINE_AA)
    return page


def figure_inside(page: np.ndarray) -> np.ndarray:
    page[200:500, 150:600] = 20
    return page


UNHARMED = {
    "a bar with a heading": bar_at_the_edge,
    "a dark figure": figure_inside,
    "light on dark": lambda page: 255 - page,
    "text at the edges": lambda page: page[105:-150, 110:-130].copy(),
    "one bullet": lambda page: cv2.circle(page, (40, 425), 12, 30, -1),
    "a thin frame": lambda page: cv2.rectangle(page, (40, 40), (780, 1120), 0, 2),
}


@pytest.mark.parametrize("change", UNHARMED.values(), ids=UNHARMED)
def test_what_belongs_to_the_page_is_kept(change) -> None:
    page = PageImage(0, change(draw(prose)), 100.0)
    assert paint_surroundings(page, find_surroundings(page)) is page
