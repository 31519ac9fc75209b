"""What scanners, copiers, fax machines and phones do to a page, by known amounts of ordinary strength.

A disturbance is a function from a Picture to a Picture; what it draws at random comes from the generator it is given.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import cv2
import numpy as np
from typesetting import TrueLine

WHITE = (255, 255, 255)


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
        lines: those of the page.
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
    return _lit(picture, np.broadcast_to(light if rng.random() < 0.5 else light[::-1], (height, width)))


def _lit(picture: Picture, light: np.ndarray) -> Picture:
    """The page under a light, float (H, W), 1 = full."""
    return replace(picture, rgb=(picture.rgb * light[:, :, None].astype(np.float32)).astype(np.uint8))


def noise(picture: Picture, rng: np.random.Generator) -> Picture:
    """Gaussian noise of 12 grey levels, the same in all colours."""
    grain = rng.standard_normal(picture.rgb.shape[:2], np.float32) * 12
    return replace(picture, rgb=np.clip(picture.rgb + grain[:, :, None], 0, 255).astype(np.uint8))


DISTURBANCES: dict[str, Disturbance] = {
    disturbance.__name__: disturbance for disturbance in (skew, skew_15, turn_90, turn_180, turn_270, gutter_shadow, noise)
}
RENDER_DPI: dict[str, float] = {}
"""Resolution at which the page is drawn before a disturbance, where it is not the base one."""
