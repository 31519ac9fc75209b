"""PageImage in, PageImage out: grey, evenly lit, dark ink on white paper; each step leaves alone a page that does not need it."""

import math
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from docrec.colour import reduce_by, to_gray
from docrec.document import Scan
from docrec.polarity import bands_to_dark_on_light, level_counts, levels_below, to_dark_on_light
from docrec.source import PageImage


def clean(page: PageImage) -> PageImage:
    """Turn a page into dark ink on white paper, evenly lit.

    Grey levels between ink and paper are kept: nothing is binarised.

    Args:
        page: a page as read.

    Returns:
        The page; the same pixels, not a copy, where nothing needed doing.
    """
    gray_page = to_gray(page)
    gray, steps = gray_page.gray, gray_page.steps
    for done, step in (
        ("salt and pepper removed", remove_salt_and_pepper),
        ("light on dark inverted", to_dark_on_light),
        ("bands of light on dark inverted", partial(bands_to_dark_on_light, color=page.color)),
        ("light evened", even_lighting),
        ("bands in shadow inverted", bands_to_dark_on_light),
        ("grain smoothed", smooth_grain),
        ("contrast stretched", stretch_contrast),
        ("show-through faded", fade_show_through),
        ("specks removed", remove_specks),
    ):
        cleaned = step(gray)
        if cleaned is not gray:
            gray, steps = cleaned, (*steps, done)
    return page if gray is page.gray and page.color is None else replace(page, gray=gray, color=None, steps=steps)


def to_readable_size(page: PageImage) -> PageImage:
    """Reduce a page of needlessly high resolution, enlarge one so coarse that its letters touch, and return any other itself."""
    if (factor := int(page.dpi // _FINE_DPI)) > 1:
        dpi, resample = page.dpi / factor, partial(reduce_by, factor=factor)
    elif page.dpi <= _COARSE_DPI and page.gray.size <= _ENLARGED_PIXELS:
        dpi, resample = page.dpi * 2, partial(cv2.resize, dsize=None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    else:
        return page
    gray, color = resample(page.gray), None if page.color is None else resample(page.color)
    step = f"{'reduced' if dpi < page.dpi else 'enlarged'} from {page.dpi:.0f} to {dpi:.0f} dpi"
    height, width = page.gray.shape
    scan = Scan(width, height, (page.dpi / dpi, 0.0, 0.0, 0.0, page.dpi / dpi, 0.0, 0.0, 0.0, 1.0))
    return replace(page, gray=gray, color=color, dpi=dpi, steps=(*page.steps, step), scan=scan)


_FINE_DPI = 250
"""Resolution in pixels per inch that reducing a page leaves it, at least."""
_COARSE_DPI = 120
"""Resolution up to which a page is enlarged."""
_ENLARGED_PIXELS = 4_000_000
"""A page with more pixels, A2 at 100 dpi, is not enlarged."""


def remove_salt_and_pepper(gray: np.ndarray) -> np.ndarray:
    """Paint over single pixels, or pairs, that are dark among light ones or light among dark ones.

    Args:
        gray: uint8 (height, width).

    Returns:
        uint8 (height, width): `gray` itself where there are few of them.
    """
    middle = gray.shape[0] // 2
    sample = gray[max(0, middle - _NOISE_ROWS) : middle + _NOISE_ROWS]
    shaded = (sample < max(128, _SHADED * np.median(sample))).view(np.uint8)
    shares = [np.mean((sample < 128) & (_dark_around(shaded, side) == 1)) for side in (3, 7)]
    if all(share < some for share, some in zip(shares, _SALT_AND_PEPPER, strict=True)):
        return gray
    dark = (gray < 128).view(np.uint8)
    around = _dark_around(dark, 3)
    return np.where(np.where(dark, around <= 2, around >= 7), cv2.medianBlur(gray, 3), gray)


_NOISE_ROWS = 200
_SHADED = 0.65
"""Part of the paper's grey; a thin stroke has pixels darker than this beside its dark ones, where noise has paper."""
_SALT_AND_PEPPER = (0.03, 0.0008)
"""Part of a noisy page's pixels that are dark and the only shaded one of the 3 by 3, or 7 by 7, around them: 0.00002 of a clean page."""


def _dark_around(dark: np.ndarray, side: int) -> np.ndarray:
    """How many pixels are 1 in the square around each, itself included: uint8 (height, width)."""
    return cv2.boxFilter(dark, -1, (side, side), normalize=False, borderType=cv2.BORDER_REPLICATE)


def smooth_grain(gray: np.ndarray) -> np.ndarray:
    """Smooth a page with strong grain.

    Args:
        gray: uint8 (height, width).

    Returns:
        uint8 (height, width): `gray` itself where there is little.
    """
    return cv2.GaussianBlur(gray, (0, 0), _SMOOTH) if _noise(gray) > _GRAIN else gray


_GRAIN = 7.0
"""Standard deviation of a grain that is smoothed, in grey levels."""
_SMOOTH = 0.7
"""Pixels of the Gauss filter that smooths it."""


def even_lighting(gray: np.ndarray) -> np.ndarray:
    """Divide a page by the light that falls on its paper, so that all its paper is near 255.

    Args:
        gray: uint8 (height, width), dark on light.

    Returns:
        uint8 (height, width): `gray` itself where its paper is white everywhere, or tinted by a program.
    """
    if min(gray.shape) < _LIGHT_SCALE * _LIGHT_REACH:
        return gray
    small = reduce_by(gray, _LIGHT_SCALE)
    # A closing paints over what is dark and narrower than its reach: Serra, Image Analysis and Mathematical Morphology, 1982.
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_LIGHT_REACH, _LIGHT_REACH), np.uint8))
    white = float(np.percentile(paper, 90))
    is_paper = (paper > _FIGURE_DARKNESS * white) & ~_photographs(paper, white)
    dim_paper = is_paper & (paper < 0.98 * white) & (paper - small <= _PAPER_ROUGHNESS)
    if dim_paper.mean() > _SOME_PAPER and not _is_drawn(gray, small, dim_paper):
        light = cv2.resize(_light_on_paper(paper, is_paper), gray.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return cv2.divide(gray, light, scale=255)
    return cv2.convertScaleAbs(gray, alpha=255 / white) if _BLACK < white < _WHITE_PAPER else gray


def _is_drawn(gray: np.ndarray, small: np.ndarray, dim_paper: np.ndarray) -> bool:
    """Whether dimmer paper is tints that a program drew: without grain, and of few greys, of which a smooth shadow has many.

    Args:
        gray: the page, uint8 (height, width).
        small: the page reduced by _LIGHT_SCALE.
        dim_paper: bool, of the shape of `small`, where its paper is dimmer.
    """
    height, width = small.shape
    here, beside = (gray[1::_LIGHT_SCALE, start::_LIGHT_SCALE][:height, :width] for start in (1, 2))
    greys = np.sort(np.bincount(small[dim_paper], minlength=256))
    return bool((here == beside)[dim_paper].mean() > _DRAWN_FLATNESS and greys[-_TINTS:].sum() > _DRAWN_FLATNESS * dim_paper.sum())


_BLACK = 32
"""A page that nowhere reaches this grey is no page in a bad light."""
_LIGHT_SCALE = 4
"""Pixels of the page per pixel of the map of its light."""
_LIGHT_REACH = 15
"""Pixels of that map over which paper is looked for: wider than the strokes of a title, narrower than a figure."""
_SOME_PAPER = 0.01
"""The part of a page that must lie in shadow for it to be evened."""
_PAPER_ROUGHNESS = 8
"""Grey levels by which paper may be darker than the lightest of its surroundings."""
_DRAWN_FLATNESS = 0.6
"""The part of drawn tints in which neighbouring pixels are equal, and which the commonest greys make up, at least."""
_TINTS = 4
"""Different tints that a page is thought to have."""
_FIGURE_DARKNESS = 0.45
"""What is darker than this part of the page's white, over all of the reach, is a figure or a dark border and no paper."""
_PHOTOGRAPH_LEVELS = (0.95, 0.85, 0.75, 0.65)
"""Parts of the page's white than one of which all of a photograph is darker, and the paper around it is not."""
_SHARP = 0.03
"""Part of the page's white by which what lies just inside of most of its edge is darker still."""
_RECTANGLE = 0.85
"""The part of the smallest rectangle around it that a photograph fills."""


def _photographs(paper: np.ndarray, white: float) -> np.ndarray:
    """Where photographs are: rectangles with sharp edges, where a shadow has soft ones, or is cast from beyond the page.

    Args:
        paper: uint8 (height, width).
        white: its grey where it is well lit.

    Returns:
        bool (height, width).
    """
    found = np.zeros_like(paper)
    height, width = paper.shape
    for level in _PHOTOGRAPH_LEVELS:
        contours, _ = cv2.findContours((paper < level * white).view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        for contour in map(cv2.convexHull, contours):
            left, top, across, down = cv2.boundingRect(contour)
            _, sides, _ = cv2.minAreaRect(contour)
            is_inside = left > 0 and top > 0 and left + across < width and top + down < height
            if is_inside and cv2.contourArea(contour) > _RECTANGLE * sides[0] * sides[1] > 0:
                filled = cv2.drawContours(np.zeros_like(paper), [contour], -1, 1, cv2.FILLED)
                within = cv2.erode(filled, np.ones((5, 5), np.uint8))
                edge = paper[within > cv2.erode(within, np.ones((3, 3), np.uint8))]
                if edge.size and np.median(edge) < (level - _SHARP) * white:
                    found |= filled
    return found > 0


def _light_on_paper(paper: np.ndarray, is_paper: np.ndarray) -> np.ndarray:
    """Smooth the grey of the paper, and where there is a figure instead, continue that of its surroundings.

    Args:
        paper: uint8 (height, width).
        is_paper: bool (height, width), False where there is a figure instead.

    Returns:
        uint8 (height, width), 1 or more.
    """
    light = paper.astype(np.float32)
    known = is_paper.astype(np.float32)
    reach = _LIGHT_REACH
    while not known.all():  # each round reaches twice as far into the figure
        reach = 2 * reach + 1
        share = cv2.blur(known, (reach, reach))
        light = np.where(known > 0, light, cv2.blur(light * known, (reach, reach)) / np.maximum(share, 1e-6))
        known = (share > 0.01).astype(np.float32)
    return cv2.convertScaleAbs(cv2.blur(light, (_LIGHT_REACH, _LIGHT_REACH)))


def stretch_contrast(gray: np.ndarray) -> np.ndarray:
    """Push paper to 255, and the ink of a faint page towards 0.

    Args:
        gray: uint8 (height, width), dark on light, evenly lit.

    Returns:
        uint8 (height, width): `gray` itself where paper is white and ink dark.
    """
    noise = _noise(gray)
    histogram = level_counts(gray, _outside_masses(gray))
    threshold = _otsu(histogram)
    (ink,) = levels_below(histogram[:threshold], 0.05)
    paper = threshold + levels_below(histogram[threshold:], 0.5)[0]
    if paper - ink >= max(_MIN_CONTRAST, 5 * noise):
        white, black = paper - 2.5 * noise, ink if ink > _DARK_INK else 0
    else:  # one hump that was parted in two: paper alone, or nearly so
        white, black = paper - 4 * noise, 0
    if white >= _WHITE_PAPER and black == 0:
        return gray
    stretched = (np.arange(256) - black) * (255 / max(white - black, 1))
    return cv2.LUT(gray, np.clip(stretched, 0, 255).round().astype(np.uint8))


def fade_show_through(gray: np.ndarray) -> np.ndarray:
    """Paint over the print of the reverse side.

    It is paler than the print of this side and lies about as thick between its letters as away from them, whereas pale text stands
    apart and a blur around letters does not reach far.

    Args:
        gray: uint8 (height, width), dark on white.

    Returns:
        uint8 (height, width): `gray` itself where nothing shows through.
    """
    middle = gray.shape[0] // 2
    sample = gray[max(0, middle - 2 * _NOISE_ROWS) : middle + 2 * _NOISE_ROWS]
    letters = _around_ink(sample, 7)
    thin = cv2.morphologyEx(cv2.medianBlur(sample, 3), cv2.MORPH_BLACKHAT, np.ones((15, 15), np.uint8))  # leaves out tints
    pale = (thin > 255 - _PALE) & ~letters
    between = _around_ink(sample, 21) & ~letters
    away = ~(between | letters)
    if not (between.any() and away.any()):
        return gray
    densities = pale[between].mean(), pale[away].mean()
    (darkest,) = levels_below(level_counts(sample, pale.view(np.uint8)), 0.02)
    if densities[0] < _SHOW_THROUGH or min(densities) < _EVENNESS * max(densities) or darkest < _DARKEST_SHOW_THROUGH:
        return gray
    return np.where((gray >= darkest) & ~_around_ink(gray, 7), 255, gray).astype(np.uint8)


_PALE = 240
_SHOW_THROUGH = 0.01
"""Part of the paper between letters that must be covered by print of the reverse side."""
_EVENNESS = 0.2
"""How thin that print may lie between the letters as a part of how thick it lies away from them, or the other way round."""
_DARKEST_SHOW_THROUGH = 180
"""Grey of the darkest of it; the palest strokes of this side's print are darker in places."""


def _around_ink(gray: np.ndarray, side: int) -> np.ndarray:
    """Where there is dark ink in the square around a pixel: bool (height, width)."""
    return cv2.erode(gray, np.ones((side, side), np.uint8)) < 110


_WHITE_PAPER = 250
_DARK_INK = 60
_MIN_CONTRAST = 20
"""Grey levels between paper and the faintest ink that is looked for."""


def _noise(gray: np.ndarray) -> float:
    """The standard deviation of the grain of a page's paper, in grey levels.

    From the median difference of pixels four apart, so that neither ink nor a change of tint counts; as in Donoho and
    Johnstone, Ideal spatial adaptation by wavelet shrinkage, 1994.
    """
    left, right = gray[::4, :-4], gray[::4, 4:]
    if not left.size:
        return 0.0
    (median,) = levels_below(level_counts(cv2.absdiff(left, right)), 0.5)
    return median / (0.6745 * math.sqrt(2))


def _otsu(histogram: np.ndarray) -> int:
    """The first grey level of paper, 1 to 255: Otsu, A threshold selection method from gray-level histograms, 1979."""
    count = np.cumsum(histogram)[:-1]
    total = np.cumsum(histogram * np.arange(256))
    pixels = histogram.sum()
    between = (total[-1] * count / max(pixels, 1) - total[:-1]) ** 2 / np.maximum(count * (pixels - count), 1)
    return int(between.argmax()) + 1


def _outside_masses(gray: np.ndarray) -> np.ndarray:
    """Where a page is not dark over more than any stroke's width, as in figures and scanned borders: 1, else 0, uint8 (height, width)."""
    dark = (reduce_by(gray, _LIGHT_SCALE) < _MASS_DARKNESS).view(np.uint8)
    masses = cv2.morphologyEx(dark, cv2.MORPH_OPEN, np.ones((_LIGHT_REACH, _LIGHT_REACH), np.uint8))
    masses = cv2.dilate(masses, np.ones((5, 5), np.uint8))  # with their soft edges
    return cv2.resize(1 - masses, gray.shape[::-1], interpolation=cv2.INTER_NEAREST)


_MASS_DARKNESS = 160


def remove_specks(gray: np.ndarray) -> np.ndarray:
    """Paint over specks, which are a few dark pixels with no other ink around.

    Dots of letters and of dotted lines have other ink near them and stay.

    Args:
        gray: uint8 (height, width), dark on white.

    Returns:
        uint8 (height, width): `gray` itself where there are hardly any specks.
    """
    ink = (gray < _SPECK_DARKNESS).view(np.uint8)
    counts = reduce_by(ink * _SPECK_CELL**2, _SPECK_CELL)  # of inked pixels in each cell
    side = 2 * _SPECK_DISTANCE + 1
    ink_around = cv2.boxFilter(counts, cv2.CV_16U, (side, side), normalize=False, borderType=cv2.BORDER_CONSTANT)
    alone = (ink_around <= _SPECK_PIXELS).view(np.uint8)
    if (counts * alone).sum() < _FEW_PIXELS:
        return gray
    specks = cv2.bitwise_and(ink, cv2.resize(alone, gray.shape[::-1], interpolation=cv2.INTER_NEAREST))
    painted = gray.copy()
    painted[cv2.dilate(specks, np.ones((5, 5), np.uint8)) > 0] = 255  # with the blur around them
    return painted


_SPECK_DARKNESS = 192
_SPECK_CELL = 8
"""Pixels of the page to a side of the cells in which its ink is counted."""
_SPECK_DISTANCE = 5
"""Cells to other ink: more than from a full stop to the next letter, at any resolution at which the stop passes for a speck."""
_SPECK_PIXELS = 9
_FEW_PIXELS = 30
