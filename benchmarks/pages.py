#!/usr/bin/env python3
"""Pages with exact truth: typeset at random, then disturbed by known amounts; write some to look at:

    python benchmarks/pages.py OUT_DIR [--case NAME...] [--disturbance NAME...] [--seed N] [--font FILE]

CASES are the kinds of page, DISTURBANCES what scanners, copiers, fax machines and phones do to them. Each page depends on the names of
both and on the seed only.
"""

import argparse
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from PIL import Image

from cases import CASES, Setter
from disturbances import DISTURBANCES, RENDER_DPI, Picture
from typesetting import TrueLine, scaled

BASE_DPI = 200
"""Resolution, in pixels per inch, that the boxes of the truth are given at."""


@dataclass(frozen=True, slots=True)
class BenchPage:
    """A page and what is on it.

    Attributes:
        case, seed, disturbance: what it was made from; disturbance is "" for the page as typeset.
        rgb: uint8 (H, W, 3).
        dpi: pixels per inch across and down; None where the file should not say.
        lines: in reading order, boxes in pixels of the undisturbed page at BASE_DPI. Characters that a disturbance adds, of seals and
            of the page that shows through, are not among them.
        skew: degrees by which text lines fall to the right.
        turn: degrees by which the page is turned clockwise, 0, 90, 180 or 270.
        matrix: homography from the undisturbed page to `rgb`, float64 (3, 3), of the corners of pixels.
    """

    case: str
    seed: int
    disturbance: str
    rgb: np.ndarray
    dpi: tuple[float, float] | None
    lines: tuple[TrueLine, ...]
    skew: float
    turn: int
    matrix: np.ndarray


@lru_cache(maxsize=4)
def _typeset(case: str, seed: int, dpi: float, font: str) -> tuple[np.ndarray, tuple[TrueLine, ...]]:
    """A page before it is disturbed."""
    page = Setter(np.random.default_rng([seed, zlib.crc32(case.encode())]), font)
    CASES[case](page)
    return page.sheet.draw(dpi), scaled(page.sheet.lines, BASE_DPI)


def make_page(case: str, seed: int, disturbance: str = "", font: str = "china-s", dpi: float | None = None) -> BenchPage:
    """Make a page.

    Args:
        case: one of CASES.
        seed: of all that is random, with the names of case and disturbance.
        disturbance: one of DISTURBANCES, or "" for none.
        font: of Hanzi, a name that MuPDF knows or a font file.
        dpi: resolution at which the page is drawn, in pixels per inch; None is that of the disturbance.
    """
    dpi = dpi or RENDER_DPI.get(disturbance, BASE_DPI)
    rgb, lines = _typeset(case, seed, dpi, font)
    zoom = dpi / BASE_DPI
    picture = Picture(rgb.copy(), (dpi, dpi), np.diag([zoom, zoom, 1.0]))
    if disturbance:
        rng = np.random.default_rng([seed, zlib.crc32(case.encode()), zlib.crc32(disturbance.encode())])
        other = _typeset("one_column", seed + 1_000_000, BASE_DPI, font)[0] if disturbance == "show_through" else None
        picture = DISTURBANCES[disturbance](replace(picture, other=other, lines=lines), rng)
    return BenchPage(case, seed, disturbance, picture.rgb, picture.dpi, lines, picture.skew, picture.turn, picture.matrix)


def page_to_json(page: BenchPage) -> dict[str, object]:
    """What is known of a page, as JSON values; its lines have the form that `docrec evaluate pages` reads."""
    return {
        "case": page.case, "seed": page.seed, "disturbance": page.disturbance, "dpi": page.dpi, "skew": page.skew, "turn": page.turn,
        "matrix": page.matrix.tolist(), "lines": [asdict(line) for line in page.lines],
    }  # fmt: skip


def page_to_png(page: BenchPage, file: str | BinaryIO) -> None:
    """Write a page as a scanner would, with its resolution if that is known."""
    info: dict[str, Any] = {"dpi": page.dpi} if page.dpi else {}
    Image.fromarray(page.rgb).save(file, "PNG", compress_level=1, **info)


def carry(matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Points, float (N, 2), under a homography."""
    return cv2.perspectiveTransform(np.asarray(points, np.float64).reshape(-1, 1, 2), matrix).reshape(-1, 2)


def drawn(page: BenchPage) -> np.ndarray:
    """The page with the boxes of its lines around them, green, vertical ones blue, and what is loose in orange: uint8 (H, W, 3)."""
    rgb = page.rgb.copy()

    def outline(left: float, top: float, right: float, bottom: float, color: tuple[int, int, int]) -> None:
        corners = carry(page.matrix, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
        cv2.polylines(rgb, [np.round(corners).astype(np.int32)], True, color, 1)

    for number, line in enumerate(page.lines):
        box = line.box
        outline(box.left, box.top, box.right, box.bottom, (0, 90, 220) if line.vertical else (0, 160, 0))
        for start, end in line.loose:
            if line.vertical:
                outline(box.left + 4, start, box.right - 4, end, (230, 120, 0))
            else:
                outline(start, box.top + 4, end, box.bottom - 4, (230, 120, 0))
        ((x, y),) = carry(page.matrix, np.array([(box.left - 26, box.bottom)]))
        cv2.putText(rgb, str(number), (int(x), int(y)), cv2.FONT_HERSHEY_PLAIN, 0.9, (200, 0, 0))
    return rgb


def main(arguments: Sequence[str] | None = None) -> None:
    """Write pages as PNG, with boxes drawn as NAME.truth.png, and their truth as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT_DIR", type=Path)
    parser.add_argument("--case", nargs="+", choices=CASES, default=[*CASES], metavar="NAME")
    parser.add_argument("--disturbance", nargs="+", choices=["", *DISTURBANCES], default=[""], metavar="NAME")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--font", default="china-s", metavar="FILE")
    asked = parser.parse_args(arguments)
    asked.out.mkdir(parents=True, exist_ok=True)
    for case in asked.case:
        for disturbance in asked.disturbance:
            page = make_page(case, asked.seed, disturbance, asked.font)
            name = asked.out / "-".join(filter(None, (case, disturbance, str(asked.seed))))
            page_to_png(page, f"{name}.png")
            Image.fromarray(drawn(page)).save(f"{name}.truth.png")
            Path(f"{name}.json").write_text(json.dumps(page_to_json(page), ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
