"""What scanners, copiers, fax machines and phones do to a page, by known amounts of ordinary strength.

A disturbance is a function from a Picture to a Picture; what it draws at random comes from the generator it is given.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docrec.document import Box
from prose import Prose
from typesetting import TrueLine, base_font

WHITE = (255, 255, 255)
MM = 200 / 25.4  # pixels of a page at 200 dpi


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as pixels.

    Attributes:
        rgb: uint8 (H, W, 3).
        dpi: pixels per inch across and down; None where the file should not say.
        matrix: homography from the undisturbed page at its base resolution to `rgb`, float64 (3, 3), of the corners of pixels.
        skew: degrees by which text lines fall to the right.
        turn: degrees by which the page is turned clockwise.
        other: the page behind it, where that is needed.
        lines: those of the page, at the base resolution.
    """

    rgb: np.ndarray
    dpi: tuple[float, float] | None
    matrix: np.ndarray
    skew: float = 0.0
    turn: int = 0
    other: np.ndarray | None = None
    lines: tuple[TrueLine, ...] = ()


Disturbance = Callable[[Picture, np.random.Generator], Picture]


def skew(picture: Picture, rng: np.random.Generator) -> Picture:
    """Turn by up to 2° either way, as a page that lies on the glass carelessly."""
    return _rotated(picture, float(rng.uniform(-2, 2)))


def skew_15(picture: Picture, rng: np.random.Generator) -> Picture:
    """Turn by up to 15° either way."""
    return _rotated(picture, float(rng.uniform(-15, 15)))


def _rotated(picture: Picture, degrees: float) -> Picture:
    """The page turned clockwise by an angle on a white canvas that holds its corners."""
    height, width = picture.rgb.shape[:2]
    angle = np.radians(degrees)
    cosine, sine = np.cos(angle), np.sin(angle)
    new_width, new_height = (int(np.ceil(abs(a * cosine) + abs(b * sine))) for a, b in ((width, height), (height, width)))
    turn = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    matrix = _moved(new_width / 2, new_height / 2) @ turn @ _moved(-width / 2, -height / 2)
    rgb = warped(picture.rgb, matrix, (new_width, new_height), WHITE)
    return replace(picture, rgb=rgb, matrix=matrix @ picture.matrix, skew=picture.skew + degrees)


def warped(rgb: np.ndarray, matrix: np.ndarray, size: tuple[int, int], fill: tuple[int, int, int]) -> np.ndarray:
    """An image under a homography of pixel corners, on a canvas of a size (width, height)."""
    of_centres = _moved(-0.5, -0.5) @ matrix @ _moved(0.5, 0.5)
    return cv2.warpPerspective(rgb, of_centres, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT, borderValue=fill)


def _moved(x: float, y: float) -> np.ndarray:
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def turn_90(picture: Picture, rng: np.random.Generator) -> Picture:
    """A quarter turn clockwise."""
    return _turned(picture, 1)


def turn_180(picture: Picture, rng: np.random.Generator) -> Picture:
    """Upside down."""
    return _turned(picture, 2)


def turn_270(picture: Picture, rng: np.random.Generator) -> Picture:
    """A quarter turn anticlockwise."""
    return _turned(picture, 3)


def _turned(picture: Picture, quarters: int) -> Picture:
    height, width = picture.rgb.shape[:2]
    corners = {
        1: np.array([[0, -1, height], [1, 0, 0], [0, 0, 1.0]]),
        2: np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]]),
        3: np.array([[0, 1, 0], [-1, 0, width], [0, 0, 1.0]]),
    }
    rgb = np.ascontiguousarray(np.rot90(picture.rgb, -quarters))
    return replace(picture, rgb=rgb, matrix=corners[quarters] @ picture.matrix, turn=90 * quarters)


def gutter_shadow(picture: Picture, rng: np.random.Generator) -> Picture:
    """The shadow of a bound book: along one edge paper darkens to 30 to 45 % over 8 to 14 % of the width."""
    height, width = picture.rgb.shape[:2]
    dark, reach = rng.uniform(0.3, 0.45), rng.uniform(0.08, 0.14) * width
    light = 1 - (1 - dark) * np.exp(-np.arange(width) / (reach / 2))
    return _lit(picture, np.broadcast_to(light if rng.random() < 0.5 else light[::-1], (height, width)), rng)


def _lit(picture: Picture, light: np.ndarray, rng: np.random.Generator) -> Picture:
    """The page under a light, float (H, W), 1 = full, with the grain of 2 grey levels that every sensor adds."""
    grain = rng.standard_normal(light.shape, np.float32) * 2
    lit = picture.rgb * light.astype(np.float32)[:, :, None] + grain[:, :, None]
    return replace(picture, rgb=np.clip(lit, 0, 255).astype(np.uint8))


def noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Gaussian noise of 12 grey levels, the same in all colours."""
    grain = rng.standard_normal(picture.rgb.shape[:2], np.float32) * 12
    return replace(picture, rgb=np.clip(picture.rgb + grain[:, :, None], 0, 255).astype(np.uint8))


def uneven_light(picture: Picture, rng: np.random.Generator) -> Picture:
    """Light that falls off across the page to 60 to 75 %, with a brighter spot."""
    height, width = picture.rgb.shape[:2]
    y, x = np.mgrid[0 : 1 : complex(height), 0 : 1 : complex(width)]
    angle, dark = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 0.75)
    slope = np.cos(angle) * (x - 0.5) + np.sin(angle) * (y - 0.5)
    light = dark + (1 - dark) * (slope - slope.min()) / np.ptp(slope)
    spot = np.exp(-((x - rng.uniform(0.2, 0.8)) ** 2 + (y - rng.uniform(0.2, 0.8)) ** 2) / 0.05)
    return _lit(picture, np.minimum(light + 0.12 * spot, 1), rng)


def cast_shadow(picture: Picture, rng: np.random.Generator) -> Picture:
    """The shadow of a hand or phone over a corner of the page: 55 to 70 % of the light, its edge 3 to 8 mm soft."""
    height, width = picture.rgb.shape[:2]
    shadow = np.ones((height, width), np.float32)
    cut = rng.uniform(0.3, 0.8, 4)
    corners = np.array([(0, 0), (width * cut[0], 0), (width * cut[1], height * cut[2]), (0, height * cut[3])])
    if rng.random() < 0.5:
        corners[:, 0] = width - corners[:, 0]
    cv2.fillPoly(shadow, [corners.astype(np.int32)], float(rng.uniform(0.55, 0.7)))
    return _lit(picture, cv2.GaussianBlur(shadow, (0, 0), float(rng.uniform(1.5, 4)) * MM), rng)


def show_through(picture: Picture, rng: np.random.Generator) -> Picture:
    """The text of the page behind it, mirrored, at 12 % of its blackness and blurred."""
    assert picture.other is not None
    height, width = picture.rgb.shape[:2]
    behind = cv2.GaussianBlur(cv2.resize(picture.other[:, ::-1], (width, height)), (0, 0), 1.5)
    return replace(picture, rgb=cv2.multiply(picture.rgb, 255 - (0.12 * (255 - behind.astype(np.float32))).astype(np.uint8), scale=1 / 255))


def salt_and_pepper(picture: Picture, rng: np.random.Generator) -> Picture:
    """Single pixels black or white, 0.4 % of all."""
    rgb, chance = picture.rgb.copy(), rng.random(picture.rgb.shape[:2], np.float32)
    rgb[chance < 0.002] = 0
    rgb[chance > 0.998] = 255
    return replace(picture, rgb=rgb)


def jpeg(picture: Picture, rng: np.random.Generator, quality: int = 40) -> Picture:
    """JPEG at quality 40."""
    file = io.BytesIO()
    Image.fromarray(picture.rgb).save(file, "JPEG", quality=quality)
    return replace(picture, rgb=np.asarray(Image.open(file)))


def faint(picture: Picture, rng: np.random.Generator) -> Picture:
    """An empty cartridge: ink at 25 to 45 % of its blackness, unevenly over the page, a little grain."""
    height, width = picture.rgb.shape[:2]
    strength = cv2.resize(rng.uniform(0.25, 0.45, (6, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rgb = 255 - (255 - picture.rgb.astype(np.float32)) * strength[:, :, None] + 3 * rng.standard_normal((height, width, 1), np.float32)
    return replace(picture, rgb=np.clip(rgb, 0, 255).astype(np.uint8))


def bold(picture: Picture, rng: np.random.Generator) -> Picture:
    """Ink that has run: strokes about 0.15 mm thicker."""
    grown = cv2.erode(picture.rgb, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    return replace(picture, rgb=cv2.addWeighted(grown, 0.6, picture.rgb, 0.4, 0))


def copier(picture: Picture, rng: np.random.Generator) -> Picture:
    """Black borders of up to 8 mm with ragged edges on two to four sides, and the holes of a punch at the left."""
    rgb = picture.rgb.copy()
    for side in rng.permutation(4)[: rng.integers(2, 5)]:
        view = np.rot90(rgb, side)  # a view: what is done at its top is done at that side
        depth = float(rng.uniform(2, 8)) * MM + np.cumsum(rng.normal(0, 0.4, view.shape[1])).clip(-MM, MM)
        view[np.arange(view.shape[0])[:, None] < depth] = rng.integers(5, 40)
    for number in (-1, 1):
        centre = (round(12 * MM), round(rgb.shape[0] / 2 + number * 40 * MM))
        cv2.circle(rgb, centre, round(3 * MM), (20, 20, 20), -1, cv2.LINE_AA)
    return replace(picture, rgb=rgb)


def seal(picture: Picture, rng: np.random.Generator) -> Picture:
    """A round red seal of 42 mm with a star and characters along its ring, pressed over the text, as ink that lets it show."""
    size = round(42 * MM)
    stamp = _stamp(size, Prose(rng).hanzi(int(rng.integers(8, 13))), float(rng.uniform(-20, 20)))
    over = picture.lines[rng.integers(len(picture.lines))].box
    height, width = picture.rgb.shape[:2]
    left = int(np.clip(rng.uniform(over.left, over.right) - size / 2, 0, width - size))
    top = int(np.clip(over.top - size / 2, 0, height - size))
    worn = cv2.resize(rng.uniform(0.65, 1, (9, 9)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
    red = 255 - (stamp.astype(np.float32) * worn.clip(0, 1))[:, :, None] * (1 - np.array([225, 40, 45]) / 255)
    rgb = picture.rgb.copy()
    view = rgb[top : top + size, left : left + size]
    view[:] = (view * (red / 255)).astype(np.uint8)
    return replace(picture, rgb=rgb)


def _stamp(size: int, name: str, degrees: float) -> np.ndarray:
    """The ink of a round seal, uint8 (size, size), 255 = ink."""
    image = Image.new("L", (size, size))
    draw, middle = ImageDraw.Draw(image), size / 2
    draw.ellipse((2, 2, size - 3, size - 3), outline=255, width=round(1.2 * MM))
    angles, radii = np.pi / 5 * np.arange(10), np.array([0.17, 0.065] * 5) * size
    draw.polygon([*zip(middle + radii * np.sin(angles), middle - radii * np.cos(angles), strict=True)], fill=255)
    font = ImageFont.truetype(io.BytesIO(base_font("china-s").buffer), round(4.6 * MM))
    for char, angle in zip(name, np.linspace(-120, 120, len(name)), strict=True):
        one = Image.new("L", (size, size))
        ImageDraw.Draw(one).text((middle, 4.6 * MM), char, 255, font, anchor="mm")
        image.paste(255, mask=one.rotate(-angle, Image.Resampling.BICUBIC))
    return np.asarray(image.rotate(degrees, Image.Resampling.BICUBIC))


def highlighter(picture: Picture, rng: np.random.Generator) -> Picture:
    """Three to six lines or parts of lines marked in yellow, green or pink."""
    rgb = picture.rgb.copy()
    color = np.array([(255, 242, 60), (140, 240, 120), (255, 160, 200)][rng.integers(3)], np.float32) / 255
    for index in rng.choice(len(picture.lines), min(len(picture.lines), int(rng.integers(3, 7))), replace=False):
        box = _part(picture.lines[index].box, rng)
        edges = box.left - 8, box.top - 5, box.right + 8, box.bottom + 5
        left, top, right, bottom = (max(0, round(edge + rng.uniform(-3, 3))) for edge in edges)
        rgb[top:bottom, left:right] = (rgb[top:bottom, left:right] * color).astype(np.uint8)
    return replace(picture, rgb=rgb)


def _part(box: Box, rng: np.random.Generator) -> Box:
    """A part of a box along its longer side, or all of it."""
    start, end = sorted(rng.uniform(-0.3, 1.3, 2).clip(0, 1))
    if box.width < box.height:
        return replace(box, top=box.top + start * box.height, bottom=box.top + end * box.height)
    return replace(box, left=box.left + start * box.width, right=box.left + end * box.width)


def photo(picture: Picture, rng: np.random.Generator) -> Picture:
    """A phone's photograph of the page on a dark table, about 230 dpi: each corner up to 4 % off, turned by up to 3°, light falling to
    75 %, a little blur and noise, JPEG; the file does not say its resolution.
    """
    height, width = picture.rgb.shape[:2]
    size = (round(width * 1.16), round(height * 1.14))
    table = rng.uniform(50, 95) * np.array([1.1, 1.0, 0.85])
    grain = cv2.blur(rng.standard_normal((size[1], size[0]), np.float32), (61, 3)) * 60
    canvas = np.clip(table + grain[:, :, None], 0, 255).astype(np.uint8)
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    angle = np.radians(rng.uniform(-3, 3))
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centred = (corners - corners.mean(axis=0)) @ rotation.T + rng.uniform(-0.04, 0.04, (4, 2)) * width
    seen = (centred * 0.95 + np.array(size) / 2).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    mask = warped(np.full((height, width, 3), 255, np.uint8), matrix, size, (0, 0, 0)).astype(np.float32) / 255
    page = warped(picture.rgb, matrix, size, WHITE)
    rgb = (page * mask * 0.95 + canvas * (1 - mask)).astype(np.uint8)
    taken = replace(picture, rgb=cv2.GaussianBlur(rgb, (0, 0), 0.8), matrix=matrix @ picture.matrix, dpi=None)
    lit = uneven_light(taken, rng)
    grain = rng.standard_normal(lit.rgb.shape[:2], np.float32) * 4
    noisy = replace(lit, rgb=np.clip(lit.rgb + grain[:, :, None], 0, 255).astype(np.uint8))
    across = cv2.perspectiveTransform(np.array([[(0.4 * width, height / 2), (0.6 * width, height / 2)]]), matrix)[0]
    fall, run = (across[1] - across[0])[::-1]
    return replace(jpeg(noisy, rng, 85), skew=float(np.degrees(np.arctan2(fall, run))))


def photo_72(picture: Picture, rng: np.random.Generator) -> Picture:
    """The same as a phone's file that claims 72 dpi."""
    return replace(photo(picture, rng), dpi=(72, 72))


def fax(picture: Picture, rng: np.random.Generator) -> Picture:
    """A fax in fine mode: 204 × 196 dpi, black and white only, a little noise before it was made so."""
    height, width = picture.rgb.shape[:2]
    size = (round(width * 204 / 400), round(height * 196 / 400))
    gray = cv2.cvtColor(cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    ink = gray + rng.standard_normal(gray.shape, np.float32) * 15 < 150
    matrix = np.diag([size[0] / width, size[1] / height, 1]) @ picture.matrix
    return replace(picture, rgb=np.repeat(np.where(ink, 0, 255).astype(np.uint8)[:, :, None], 3, 2), dpi=(204, 196), matrix=matrix)


def blur(picture: Picture, rng: np.random.Generator) -> Picture:
    """Out of focus: a Gaussian of 0.15 mm."""
    return replace(picture, rgb=cv2.GaussianBlur(picture.rgb, (0, 0), 0.15 * MM))


def tinted(picture: Picture, rng: np.random.Generator) -> Picture:
    """Yellowed or coloured paper with a little grain."""
    paper = np.array([(244, 226, 190), (215, 232, 247), (248, 214, 220), (214, 236, 210)][rng.integers(4)], np.float32)
    grain = rng.standard_normal(picture.rgb.shape[:2], np.float32) * 3
    return replace(picture, rgb=np.clip(picture.rgb * (paper / 255) + grain[:, :, None], 0, 255).astype(np.uint8))


def negative(picture: Picture, rng: np.random.Generator) -> Picture:
    """White on black, as from microfilm."""
    return replace(picture, rgb=255 - picture.rgb)


def poor_scan(picture: Picture, rng: np.random.Generator) -> Picture:
    """150 dpi, grey, turned by up to 1°, blurred by 0.1 mm, noise of 6 grey levels, JPEG at quality 50."""
    turned = _rotated(picture, float(rng.uniform(-1, 1)))
    gray = cv2.GaussianBlur(cv2.cvtColor(turned.rgb, cv2.COLOR_RGB2GRAY), (0, 0), 0.1 * MM * 150 / 200)
    grey = np.clip(gray * 0.92 + rng.standard_normal(gray.shape, np.float32) * 6, 0, 255).astype(np.uint8)
    return jpeg(replace(turned, rgb=np.repeat(grey[:, :, None], 3, 2)), rng, 50)


def dpi_100(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 100 dpi."""
    return picture


def dpi_150(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 150 dpi."""
    return picture


def dpi_300(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 300 dpi."""
    return picture


def dpi_400(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 400 dpi."""
    return picture


def dpi_600(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 600 dpi."""
    return picture


def untagged_300(picture: Picture, rng: np.random.Generator) -> Picture:
    """Scanned at 300 dpi into a file that does not say so."""
    return replace(picture, dpi=None)


DISTURBANCES: dict[str, Disturbance] = {
    disturbance.__name__: disturbance
    for disturbance in (
        *(skew, skew_15, turn_90, turn_180, turn_270, photo, photo_72),
        *(uneven_light, gutter_shadow, cast_shadow, show_through, tinted, negative),
        *(noise, salt_and_pepper, jpeg, blur, faint, bold, poor_scan, fax),
        *(copier, seal, highlighter),
        *(dpi_100, dpi_150, dpi_300, dpi_400, dpi_600, untagged_300),
    )
}
RENDER_DPI: dict[str, float] = {
    **{"dpi_100": 100, "dpi_150": 150, "dpi_300": 300, "dpi_400": 400, "dpi_600": 600},
    **{"untagged_300": 300, "photo": 240, "photo_72": 240, "poor_scan": 150, "fax": 400},
}
"""Resolution at which the page is drawn before a disturbance, where it is not the base one."""
