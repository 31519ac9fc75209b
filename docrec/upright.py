"""Where a page's pixels lie: what surrounds the page is painted over, and the page is made flat and straight by one homography."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np

from docrec.colour import reduce_by
from docrec.document import Scan
from docrec.source import PageImage

MAX_SKEW = 15.0
"""Largest skew that is looked for, in degrees."""
MIN_SKEW = 0.1
"""Smallest skew that is worth a rotation, in degrees: 3 pixels over the width of an A4 page at 200 dpi."""


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """What a picture shows around its page.

    Attributes:
        beyond: uint8 (h, w), the picture reduced, 1 where it does not show the page; None where it shows the page alone.
        corners: float64 (4, 2), x and y of the page's top left, top right, bottom right and bottom left corner as pixels of the picture,
            origin at the centre of the first, of a page that is seen whole on something darker; else None.
        step: what is to be said of painting over it.
    """

    beyond: np.ndarray | None = None
    corners: np.ndarray | None = None
    step: str = ""


def find_surroundings(page: PageImage) -> Surroundings:
    """Find the dark borders and punch holes of a copier, or the table that a photographed page lies on.

    Args:
        page: a page as read, not yet cleaned.
    """
    shrink = math.ceil(max(page.gray.shape) / _OUTLINE_PIXELS)
    small = reduce_by(page.gray, shrink)
    if min(small.shape) < _MIN_OUTLINE_PIXELS:
        return Surroundings()
    corners, holes = _find_corners(small), _find_holes(small)
    if corners is not None:
        beyond, names = cv2.fillConvexPoly(np.ones_like(small), np.round(corners).astype(np.int32), 0), ["surroundings"]
        # The edges of a page that lies level are ragged rather than seen in perspective.
        corners = None if _is_level(corners) else (corners + 0.5) * shrink - 0.5
    else:
        beyond = _find_border(small)
        names = ["dark border"] * bool(beyond.any())
    names += ["punch holes"] * bool(holes.any())
    if not names:
        return Surroundings()
    return Surroundings(cv2.dilate(beyond | holes, np.ones((7, 7), np.uint8)), corners, " and ".join(names) + " painted over")


_OUTLINE_PIXELS = 700
"""Larger pictures are shrunk to look for the outline of the page; edges of the page are then found to a tenth of a degree."""
_MIN_OUTLINE_PIXELS = 60
"""On a smaller picture nothing is looked for."""


def paint_surroundings(page: PageImage, around: Surroundings) -> PageImage:
    """Paint over what is beyond the page, in the colour of the paper next to it; a page without such is returned as it is."""
    if around.beyond is None:
        return page
    height, width = page.gray.shape
    beyond = cv2.resize(around.beyond, (width, height), interpolation=cv2.INTER_NEAREST)
    pictures = [page.gray] if page.color is None else [page.gray, page.color]
    gray, *color = (_paint(picture, beyond, around.beyond) for picture in pictures)
    return replace(page, gray=gray, color=color[0] if color else None, steps=(*page.steps, around.step))


def _paint(picture: np.ndarray, beyond: np.ndarray, small_beyond: np.ndarray) -> np.ndarray:
    """Give the pixels beyond the page the paper's grey or colour at the nearest place of the page: uint8 (H, W) or (H, W, 3)."""
    small = cv2.resize(picture, small_beyond.shape[::-1], interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_INK_REACH, _INK_REACH), np.uint8))
    known = cv2.erode(1 - small_beyond, np.ones((_INK_REACH, _INK_REACH), np.uint8), borderValue=1)  # where the closing saw the page alone
    if not known.any():
        return picture
    labels = cv2.distanceTransformWithLabels(1 - known, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)[1]
    greys = np.zeros((labels.max() + 1, *paper.shape[2:]), np.uint8)
    greys[labels[known > 0]] = paper[known > 0]
    grain = np.random.default_rng(1).normal(0, np.median((paper - small)[known > 0]), paper.shape)  # or it would pass for a tint
    fill = cv2.resize((greys[labels] + grain).clip(0, 255).astype(np.uint8), picture.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    painted = picture.copy()
    painted[beyond > 0] = fill[beyond > 0]
    return painted


_INK_REACH = 9
"""Pixels of the reduced picture over which paper is looked for: wider than the strokes of a title."""


def straighten(page: PageImage, around: Surroundings) -> PageImage:
    """Undo the perspective of a page on a table, and turn a skewed page so that its lines run level.

    Args:
        page: the page, cleaned.
        around: what surrounds it, in the same pixels.

    Returns:
        The page, its pixels resampled once, and large enough for its corners; the same pixels, not a copy, where nothing needed doing.
    """
    height, width = page.gray.shape
    steps = []
    size = (width, height)
    flat: np.ndarray = np.eye(3)
    if around.corners is not None:
        size = _flat_size(around.corners, (width, height))
        flat = cv2.getPerspectiveTransform(around.corners.astype(np.float32), _rectangle(*size))
        steps.append("perspective undone")
    shrink = math.ceil(max(size) / _SKEW_PIXELS)
    if around.corners is None:
        small = reduce_by(page.gray, shrink)
    else:
        reduced = np.diag([1 / shrink, 1 / shrink, 1]) @ flat
        small = cv2.warpPerspective(page.gray, reduced, (size[0] // shrink, size[1] // shrink), flags=cv2.INTER_AREA, borderValue=255)
    skew = estimate_skew(small)
    if abs(skew) >= MIN_SKEW:
        rotation, size = _rotation(size, -skew)
        flat = rotation @ flat
        steps.append(f"straightened by {abs(skew):.1f}°")
    if not steps:
        return page
    resampling = cv2.INTER_LINEAR if page.dpi >= _BROAD_STROKES_DPI else cv2.INTER_CUBIC
    if around.corners is None:
        gray = cv2.warpAffine(page.gray, flat[:2], size, flags=resampling, borderValue=255)
    else:
        gray = cv2.warpPerspective(page.gray, flat, size, flags=resampling, borderValue=255)
    return replace(_moved(page, gray, flat), steps=(*page.steps, *steps))


_BROAD_STROKES_DPI = 250
"""Pixels per inch from which the strokes of letters are so broad that the fastest resampling does not blur them."""


def turn(page: PageImage, quarters: int) -> PageImage:
    """Turn a page clockwise by a number of quarters, 0 to 3; a page turned by 0 is returned as it is."""
    if not quarters:
        return page
    height, width = page.gray.shape
    right, bottom = width - 1, height - 1
    quarter, half, three_quarters = ((0, -1, bottom), (1, 0, 0)), ((-1, 0, right), (0, -1, bottom)), ((0, 1, 0), (-1, 0, right))
    matrix = np.array([*(quarter, half, three_quarters)[quarters - 1], (0, 0, 1)], float)
    gray = np.ascontiguousarray(np.rot90(page.gray, -quarters))
    return replace(_moved(page, gray, matrix), steps=(*page.steps, f"turned by {90 * quarters}°"))


def _moved(page: PageImage, gray: np.ndarray, matrix: np.ndarray) -> PageImage:
    """The page with its pixels moved by a homography, float64 (3, 3), which takes centres of pixels to centres of pixels."""
    centre = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # of the first pixel, in the page's coordinates
    back = centre @ np.linalg.inv(matrix) @ np.linalg.inv(centre)
    height, width = page.gray.shape
    if page.scan:
        back = np.array(page.scan.matrix).reshape(3, 3) @ back
        width, height = page.scan.width, page.scan.height
    a, b, c, d, e, f, g, h = (back / back[2, 2]).ravel().tolist()[:8]
    return replace(page, gray=gray, scan=Scan(width, height, (a, b, c, d, e, f, g, h, 1.0)))


# The outline of the page


def _find_corners(small: np.ndarray) -> np.ndarray | None:
    """The corners of a page that lies whole in the picture on something darker, see Surroundings; None where that is not clear.

    Args:
        small: uint8 (h, w), the picture reduced.
    """
    paper = cv2.medianBlur(cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_INK_REACH, _INK_REACH), np.uint8)), 5)
    dark, bright = np.percentile(paper, (2, 98))
    if bright - dark < _OUTLINE_CONTRAST:
        return None
    found = [_threshold_to_corners(paper, dark + share * (bright - dark)) for share in _OUTLINE_LEVELS]
    return max((corners for corners in found if corners is not None), key=cv2.contourArea, default=None)


_OUTLINE_CONTRAST = 40
"""Grey levels by which a page is brighter than what it lies on."""
_OUTLINE_LEVELS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Levels between the darkest and the brightest at which a page is looked for."""


def _threshold_to_corners(paper: np.ndarray, level: float) -> np.ndarray | None:
    """The corners of the largest area brighter than a level, if it is a quadrilateral with straight sides on something darker."""
    mask = (paper > level).view(np.uint8)
    contours = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
    contour = max(contours, key=cv2.contourArea)
    if cv2.contourArea(contour) < _MIN_PAGE * paper.size:
        return None
    hull = cv2.convexHull(contour)
    rough = next((quad for share in _ROUGHNESS if len(quad := cv2.approxPolyDP(hull, share * cv2.arcLength(hull, True), True)) <= 4), hull)
    if len(rough) != 4 or cv2.contourArea(contour) < _SOLID * cv2.contourArea(hull):
        return None
    corners = _refined(rough[:, 0].astype(np.float64), contour[:, 0].astype(np.float64))
    if corners is None:
        return None
    height, width = paper.shape
    if (corners < 1).any() or (corners[:, 0] > width - 2).any() or (corners[:, 1] > height - 2).any():
        return None
    inside = cv2.fillConvexPoly(np.zeros_like(mask), np.round(corners).astype(np.int32), 1)
    bright_beyond = cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0
    # What is bright and touches no edge, beyond the page, may be text: the page is then a panel of a slide.
    stats = cv2.connectedComponentsWithStats((mask & bright_beyond).astype(np.uint8))[2]
    left, top, wide, high, area = stats[1:].T
    islands = (left > 0) & (top > 0) & (left + wide < width) & (top + high < height)
    return None if area[islands].sum() > _MAX_ISLANDS * paper.size else corners


_MIN_PAGE = 0.25
"""Part of the picture that a page covers at least."""
_ROUGHNESS = (0.01, 0.015, 0.02, 0.03, 0.04)
"""Parts of its length by which the outline of a page is simplified to four sides, the least that does counting."""
_SOLID = 0.95
"""Part of its convex hull that a page fills at least."""
_MAX_ISLANDS = 0.002
"""Part of the picture that bright islands beyond the page cover at most."""


def _refined(rough: np.ndarray, contour: np.ndarray) -> np.ndarray | None:
    """The corners where lines fitted to the four sides of an outline meet, from the top left clockwise; None if a side is not straight.

    Args:
        rough: float64 (4, 2), its corners to a few pixels.
        contour: float64 (N, 2), its points.
    """
    centre = rough.mean(axis=0)
    rough = rough[np.argsort(np.arctan2(*(rough - centre).T[::-1]))]  # clockwise on the screen, beginning between left and top
    lines = []
    for start, end in zip(rough, np.roll(rough, -1, axis=0), strict=True):
        along = (end - start) / (length := max(float(np.linalg.norm(end - start)), 1.0))
        offset = contour - start
        place, distance = offset @ along, abs(offset @ np.array([-along[1], along[0]]))
        side = contour[(place > 0.08 * length) & (place < 0.92 * length) & (distance < 0.03 * length)]
        if len(side) < 0.7 * length:
            return None
        x_way, y_way, x, y = cv2.fitLine(side.astype(np.float32), cv2.DIST_HUBER, 0, 0.01, 0.01).ravel()
        if np.median(abs((side[:, 0] - x) * y_way - (side[:, 1] - y) * x_way)) > _STRAIGHT:
            return None
        lines.append((y_way, -x_way, x * y_way - y * x_way))
    corners = []
    for before, line in zip([lines[-1], *lines[:-1]], lines, strict=True):
        x, y, w = np.cross(before, line)
        if abs(w) < math.sin(math.radians(_LEAST_ANGLE)):
            return None
        corners.append((-x / w, -y / w))
    return np.array(corners)


_STRAIGHT = 1.0
"""Pixels of the reduced picture by which half of a side's points may miss its line."""
_LEAST_ANGLE = 55
"""Degrees between neighbouring sides of a page."""


def _is_level(corners: np.ndarray) -> bool:
    """Whether all sides of a page lie along those of the picture but for a small angle."""
    sides = abs(np.roll(corners, -1, axis=0) - corners)
    return bool((np.degrees(np.arctan2(sides.min(axis=1), sides.max(axis=1))) < _LEVEL).all())


_LEVEL = 0.7
"""Degrees by which a side may seem to lean that a scanner has made."""


def _flat_size(corners: np.ndarray, picture: tuple[int, int]) -> tuple[int, int]:
    """Width and height in pixels that a page has without its perspective.

    The aspect follows from the corners and the picture's centre (Zhang and He, Whiteboard scanning and image enhancement, 2007, equations
    11 to 20) where these tell the camera's focal length, else from the mean lengths of the sides.
    """
    sides = np.linalg.norm(np.roll(corners, -1, axis=0) - corners, axis=1)
    width, height = (sides[0] + sides[2]) / 2, (sides[1] + sides[3]) / 2
    scale = max(picture)
    centred = np.c_[(corners - (np.array(picture) - 1) / 2) / scale, np.ones(4)]
    m1, m2, m4, m3 = centred  # their order: top left, top right, bottom left, bottom right
    n2 = (np.cross(m1, m4) @ m3) / (np.cross(m2, m4) @ m3) * m2 - m1
    n3 = (np.cross(m1, m4) @ m2) / (np.cross(m3, m4) @ m2) * m3 - m1
    aspect = width / height
    if abs(n2[2] * n3[2]) > _FORESHORTENED:
        focal = -(n2[0] * n3[0] + n2[1] * n3[1]) / (n2[2] * n3[2])  # squared, in units of the picture's longer side
        if _FOCAL[0] ** 2 < focal < _FOCAL[1] ** 2:
            told = math.sqrt((n2[:2] @ n2[:2] / focal + n2[2] ** 2) / (n3[:2] @ n3[:2] / focal + n3[2] ** 2))
            aspect = min(max(told, aspect / _MAX_STRETCH), aspect * _MAX_STRETCH)
    area = width * height
    return round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))


_FORESHORTENED = 1e-3
"""What the focal length is divided by; where it is smaller, the length is uncertain."""
_FOCAL = (0.5, 5.0)
"""Range of a camera's focal length, in units of the picture's longer side."""
_MAX_STRETCH = 1.4
"""Factor between the aspect so found and that of the sides."""


def _rectangle(width: int, height: int) -> np.ndarray:
    """The corners of a page of that size as float32 (4, 2), from the top left clockwise."""
    right, bottom = width - 1, height - 1
    return np.array([(0, 0), (right, 0), (right, bottom), (0, bottom)], np.float32)


# Borders and holes


def _find_border(small: np.ndarray) -> np.ndarray:
    """The dark areas along the edges of a reduced picture, uint8 (h, w): 1 there, else 0."""
    white = float(np.percentile(small, 90))
    dark = (cv2.medianBlur(small, 3) < _BORDER_DARKNESS * white).view(np.uint8)
    reach = 2 * max(1, round(_BORDER_STROKE * max(small.shape) / 2)) + 1
    solid = _solid(dark, reach)
    labels, wholes = cv2.connectedComponents(solid)[1], cv2.connectedComponents(dark)[1]
    border = np.zeros_like(small)
    for label in range(1, labels.max() + 1):
        area = (labels == label).view(np.uint8)
        if _is_border(area, small) and not _holds_letters(np.isin(wholes, wholes[area > 0])):
            border |= area
    return border


def _solid(dark: np.ndarray, reach: int) -> np.ndarray:
    """What is dark over `reach` pixels both ways, uint8 (h, w); all beyond the picture counts as dark, or thin borders would be lost."""
    framed = cv2.copyMakeBorder(dark, reach, reach, reach, reach, cv2.BORDER_CONSTANT, value=1)
    return cv2.morphologyEx(framed, cv2.MORPH_OPEN, np.ones((reach, reach), np.uint8))[reach:-reach, reach:-reach]


_BORDER_DARKNESS = 0.4
"""What is darker than this part of the picture's white may be a border."""
_BORDER_STROKE = 0.01
"""Part of the picture's longer side that no stroke of a letter is as wide as."""


def _is_border(area: np.ndarray, small: np.ndarray) -> bool:
    """Whether a dark area, 1 in uint8 (h, w), runs along the picture's edges, narrow and even."""
    edges = area[0], area[-1], area[:, 0], area[:, -1]
    narrow = area.sum() <= _BORDER_DEPTH * min(area.shape) * sum(int(edge.sum()) for edge in edges)
    return bool(max(edge.mean() for edge in edges) >= _BORDER_LENGTH and narrow and small[area > 0].std() <= _BORDER_ROUGHNESS)


_BORDER_LENGTH = 0.1
"""Part of an edge of the picture that a border runs along."""
_BORDER_DEPTH = 0.15
"""Part of the picture's shorter side that a border is deep, on average."""
_BORDER_ROUGHNESS = 30
"""Standard deviation of a border's grey levels."""


def _holds_letters(dark: np.ndarray) -> bool:
    """Whether a dark area, bool (h, w), has holes of the size of letters, several or two side by side, which are then light on dark."""
    spots = cv2.connectedComponentsWithStats((~dark).view(np.uint8), connectivity=4)[2][1:]
    areas = spots[:, cv2.CC_STAT_AREA]
    spots = spots[(areas >= _LETTER_AREA[0]) & (areas <= _LETTER_AREA[1] * dark.size)]
    tops, heights = spots[:, cv2.CC_STAT_TOP], spots[:, cv2.CC_STAT_HEIGHT]
    level = len(spots) == 2 and heights.min() > max(2 * np.ptp(tops), _LETTER_HEIGHT)
    return bool(level or len(spots) >= _LETTERS)


_LETTER_AREA = (4, 0.002)
"""Least area of a light letter in a dark bar, in pixels of the reduced picture, and the greatest, as part of it."""
_LETTERS, _LETTER_HEIGHT = 3, 8
"""So many light spots in a dark bar pass for letters, or two side by side that are so many pixels of the reduced picture high."""


def _find_holes(small: np.ndarray) -> np.ndarray:
    """The dark discs of punch holes near the left and right or the upper and lower edge of a reduced picture, uint8 (h, w): 1 there."""
    height, width = small.shape
    dark = (small < _BORDER_DARKNESS * float(np.percentile(small, 90))).view(np.uint8)
    _, labels, stats, centres = cv2.connectedComponentsWithStats(dark)
    holes = np.zeros_like(small)
    longest = max(height, width)
    wide, high, area = stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT], stats[:, cv2.CC_STAT_AREA]
    low, high_limit = (part * longest for part in _HOLE_DIAMETER)
    disc = (np.minimum(wide, high) >= low) & (np.maximum(wide, high) <= high_limit) & (abs(wide - high) <= 0.2 * wide + 1)
    disc &= abs(area / np.maximum(wide * high, 1) - math.pi / 4) < _DISC
    for place, extent in ((centres[:, 0], width), (centres[:, 1], height)):
        for distance in (place, extent - 1 - place):
            near = np.flatnonzero(disc & (distance < _HOLE_MARGIN * longest))
            alike = near[abs(distance[near] - np.median(distance[near])) < 0.01 * longest] if len(near) else near
            if len(alike) >= 2:
                holes |= np.isin(labels, alike).view(np.uint8)
    return holes


_HOLE_DIAMETER = (0.012, 0.035)
"""Least and greatest diameter of a punch hole, 5 to 8 mm, as part of a page's height."""
_DISC = 0.1
"""By how much the part of its box that a disc fills differs from a circle's."""
_HOLE_MARGIN = 0.07
"""Part of the page's height within which the centres of punch holes lie from its edge."""


# Skew


def estimate_skew(gray: np.ndarray) -> float:
    """The angle by which text lines fall to the right, in degrees within ±MAX_SKEW; 0 where no lines stand out.

    The profile of ink over rows has its sharpest steps when rows run along the lines: the angle maximises the sum of squared differences of
    neighbouring rows, searched from coarse to fine (Bloomberg, Kopec and Dasari, Measuring document image skew and orientation, SPIE 2422,
    1995). The profile over columns does the same for vertical text and for pages turned by a quarter: the sharper one of them counts. Ink
    in masses, such as figures, is left out.

    Args:
        gray: uint8 (height, width), dark on white.
    """
    ink = _thin_ink(reduce_by(gray, math.ceil(max(gray.shape) / _SKEW_PIXELS)))
    scale = min(1.0, _COARSE_PIXELS / max(ink.shape))
    coarse = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if min(coarse.shape) < _MIN_SKEW_PIXELS:
        return 0.0
    angles = np.arange(-MAX_SKEW - 0.75, MAX_SKEW + 1, _COARSE_STEP)  # without 0°, at which resampling does not blur
    (across, across_parts), (down, down_parts) = (
        _sharpness(picture, angles, _sixths(picture)) for picture in (coarse, _on_its_side(coarse))
    )
    clear = [scores.max() / max(float(np.median(scores)), 1.0) for scores in (across, down)]
    if max(clear) < _MIN_SHARPNESS:
        return 0.0
    level = clear[0] >= clear[1]
    whole, parts, lines = (across, across_parts, ink) if level else (down, down_parts, _on_its_side(ink))
    # Lines of two columns may meet at a wrong angle, and make the whole page sharper there than at the right one.
    skew = float(angles[np.where(whole >= whole.max() / _COLUMNS, parts, 0).argmax()])
    left = _skew_left(lines, skew)
    if abs(left) > _COARSE_STEP / 2 + 0.05:  # the coarse angle was not the nearest
        skew += left
        left = _skew_left(lines, skew)
    return skew + left if abs(skew + left) <= MAX_SKEW + MIN_SKEW else 0.0


def _skew_left(ink: np.ndarray, skew: float) -> float:
    """The angle by which lines still fall to the right, in degrees within ±0.65, once a page is turned back by a skew."""
    rotation, size = _rotation(ink.shape[::-1], -skew)
    lines = cv2.warpAffine(ink, rotation[:2], size, flags=cv2.INTER_LINEAR)  # what is left is small, and gutters are upright
    gutters = _find_gutters(lines)
    lines = lines[:, : lines.shape[1] // _SQUEEZE * _SQUEEZE or None]  # a whole number is reduced by several times as fast
    angles = np.linspace(-0.6, 0.6, 13)
    best = float(angles[_sharpness(lines, angles, gutters)[1].argmax()])
    before, top, after = _sharpness(lines, best + np.array([-0.05, 0, 0.05]), gutters)[1].tolist()
    bend = 2 * top - before - after
    return best + 0.05 * min(max((after - before) / (2 * bend), -1), 1) if bend > 0 else best  # the top of the parabola through the three


_COARSE_STEP = 0.5
"""Degrees between the angles of the coarse part."""
_SKEW_PIXELS = 1600
"""Longer pages are shrunk for the estimate."""
_COARSE_PIXELS = 500
"""Length to which they are shrunk for its coarse part, at which lines of small type still stand apart."""
_MIN_SKEW_PIXELS = 16
_MIN_SHARPNESS = 4.0
"""How many times sharper the best coarse angle must be than the median one: pages of text reach 7 to 200, photographs 1 to 2 where the
best angle is not that of their own upright edges."""
_SQUEEZE = 8
"""Columns that are taken together before a page is sheared: at 15° its rows move by two pixels over as many."""
_COLUMNS = 3
"""The most columns whose lines may meet at a wrong angle."""


def _thin_ink(gray: np.ndarray) -> np.ndarray:
    """How dark a page is where it is dark over no more than a stroke's width: uint8 (h, w), 0 = paper, a little blurred."""
    reach = max(3, round(_STROKE * max(gray.shape)))
    masses = _solid((gray < _MASS_DARKNESS).view(np.uint8), reach)
    masses = cv2.dilate(masses, np.ones((5, 5), np.uint8))  # with their soft edges
    ink = cv2.threshold(cv2.bitwise_not(gray), 255 - _PALEST_INK, 0, cv2.THRESH_TOZERO)[1] * (1 - masses)
    return cv2.GaussianBlur(ink, (0, 0), 1.0)  # or the blur of resampling would count, which is none at 0°


_STROKE = 0.02
"""Part of the page's longer side that no stroke is as wide as."""
_MASS_DARKNESS = 160
_PALEST_INK = 215


def _on_its_side(ink: np.ndarray) -> np.ndarray:
    """A page turned by a quarter to the left."""
    return np.ascontiguousarray(ink.T[::-1])


def _find_gutters(ink: np.ndarray) -> list[int]:
    """The x of the middles of the white strips between the columns of text of a page without skew; none in a table."""
    filled = cv2.reduce((ink > 255 - _PALEST_INK).view(np.uint8), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[0]
    inked = np.flatnonzero(filled >= _GUTTER_INK * np.percentile(filled, 90))
    after = np.flatnonzero(np.diff(inked) > _GUTTER * len(filled))
    starts, ends = inked[np.r_[0, after + 1]], inked[np.r_[after, -1]]
    return ((ends[:-1] + starts[1:]) // 2).tolist() if (ends - starts).min() >= _COLUMN * len(filled) else []


_GUTTER_INK = 0.08
"""The ink that a gutter may hold, as of lines that cross it, as part of a full column of pixels."""
_GUTTER = 0.015
"""Part of the page's width that a gutter is wide, at least."""
_COLUMN = 0.15
"""Part of the page's width that a column of text is wide, at least; narrower ones say little of the angle by themselves."""


def _sixths(ink: np.ndarray) -> list[int]:
    """Where a page is cut into six equal columns."""
    return [ink.shape[1] * part // 6 for part in range(1, 6)]


def _sharpness(ink: np.ndarray, angles: np.ndarray, gutters: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """How sharp the profiles over whole rows and over rows between gutters are if lines fall to the right by some angles in degrees."""
    height, width = ink.shape
    narrow = cv2.resize(ink, (max(1, width // _SQUEEZE), height), interpolation=cv2.INTER_AREA).T.copy()  # rows are sheared the fastest
    across = len(narrow)
    bounds = np.unique([0, *(gutter * across // width for gutter in gutters), across]).tolist()
    resampling = cv2.INTER_LINEAR if abs(angles).max() > 1 else cv2.INTER_CUBIC
    whole, parts = [], []
    for angle in np.radians(angles):
        fall = width / across * math.sin(angle)
        room = math.ceil(height + across * abs(fall))
        shear = np.array([[math.cos(angle), -fall, (room - height * math.cos(angle) + across * fall) / 2], [0, 1, 0]])
        sheared = cv2.warpAffine(narrow, shear, (room, across), flags=resampling)
        columns = np.concatenate([cv2.reduce(sheared[a:b], 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F) for a, b in pairwise(bounds)])
        whole.append(np.square(np.diff(columns.sum(axis=0))).sum())
        parts.append(np.square(np.diff(columns)).sum())
    return np.array(whole), np.array(parts)


def _rotation(size: tuple[int, int], degrees: float) -> tuple[np.ndarray, tuple[int, int]]:
    """The homography, float64 (3, 3), that turns a page of (width, height) clockwise about its centre, and the size of its new bounds."""
    width, height = size
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width, new_height = round(width * cosine + height * sine), round(width * sine + height * cosine)
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    return np.vstack([matrix, (0, 0, 1)]), (new_width, new_height)
