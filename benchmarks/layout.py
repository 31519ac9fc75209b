#!/usr/bin/env python3
"""How well pages are cleaned, taken apart and read: the bench of pages.py, a row for each case and each disturbance.

    python benchmarks/layout.py [--cases NAME...] [--disturbances NAME...] [--seeds N] [--no-read] [--save DIR]
    python benchmarks/layout.py --speed

Every page goes through docrec.recognize as a PNG. Columns of the report:

recall     true lines that were found: pieces that overlap their band by half of the taller of both cover their ink but for a tenth of it or
           0.3 em, whichever is less, and 0.15 em, and go no more than an em beyond. A line may be found in pieces only where it has a
           wide gap, leaders, or a blank to be filled in (TrueLine.loose); these may be left out too.
precision  found lines that are pieces of true lines found
order      pairs of neighbouring true lines that are neighbours in the order in which lines were found; missing ones are left out
exact      pages whose order has no such fault
kind       true lines found in a block of their kind
page CER   and line CER, as in `docrec evaluate pages`, but for underscores, which stand for blanks
invented   characters beyond those of the truth, as a share of these; on pages without text their number
scripts    super- and subscripts that were read as such
skew       largest error of the skew that was found, in degrees
turn       pages that were turned right
ratio      page CER divided by that of the same pages undisturbed
s          seconds a page, of one process on the cores it may use

With --no-read, lines are found and not read: every piece of a line says "一", so what only the recogniser can decide is not decided.
"""

import argparse
import io
import os
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import docrec
from cases import TEXTLESS
from disturbances import DISTURBANCES
from docrec.charset import load_charset
from docrec.chunk import FRAMES, Chunk, ChunkReader
from docrec.ctc import Mark, Reading
from docrec.document import Page
from docrec.evaluate import PageFigures, ReadPage, judge_page
from docrec.options import ReadOptions
from docrec.resources import char_dict_folder
from pages import CASES, BenchPage, carry, make_page, page_to_png
from typesetting import TrueLine

EM = 0.9  # height of a full Hanzi's ink in em
SCRIPT = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎]")
CASES_A_DISTURBANCE = 8


@dataclass(frozen=True, slots=True)
class Found:
    """A line as found: its extents along and across its direction in pixels of the undisturbed page, and the kind of its block."""

    along: tuple[float, float]
    across: tuple[float, float]
    vertical: bool
    kind: str


@dataclass(frozen=True, slots=True)
class Figures:
    """What was counted on pages; add them up."""

    pages: int = 0
    lines: int = 0
    lines_found: int = 0
    found: int = 0
    found_right: int = 0
    pairs: int = 0
    pairs_kept: int = 0
    exact: int = 0
    kinds_right: int = 0
    scripts: int = 0
    scripts_right: int = 0
    turned_right: int = 0
    seconds: float = 0.0
    text: PageFigures = field(default_factory=PageFigures)

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


@dataclass(frozen=True, slots=True)
class Judged:
    """A page with what was found on it, and how well."""

    page: BenchPage
    found: tuple[Found, ...]
    missed: tuple[TrueLine, ...]
    skew_error: float
    figures: Figures


class Blind:
    """A ChunkReader where lines are found only: every chunk says "一"."""

    def __init__(self) -> None:
        folder = char_dict_folder()
        self.charset = load_charset(folder / "char_dict_cn.json", folder / "ord_map_cn.json")
        self.limited = True

    def read(self, chunks: Iterable[Chunk], batch_size: int, ranks: int = 0) -> Iterator[Reading]:
        """Read without looking."""
        label = self.charset.encode("一")[0]
        for _ in chunks:
            yield Reading((Mark(label, FRAMES // 4, FRAMES // 2, 1.0),))


def judge(page: BenchPage, recognizer: ChunkReader) -> Judged:
    """Read a page and compare."""
    file = io.BytesIO()
    page_to_png(page, file)
    file.seek(0)
    start = time.perf_counter()
    (read,) = docrec.recognize(file, recognizer, ReadOptions())
    seconds = time.perf_counter() - start
    back = to_undisturbed(read, page)
    found = tuple(found_lines(read, back))
    pieces = assign(page.lines, found)
    is_found = [covers(line, [found[index] for index in of_line]) for line, of_line in zip(page.lines, pieces, strict=True)]
    places = [min(of_line) for of_line in pieces if of_line]
    ranks = np.argsort(np.argsort(places)).tolist()
    kept = sum(b - a == 1 for a, b in pairwise(ranks))
    degrees = float(np.degrees(np.arctan2(*direction(back, read)[::-1])))
    quarter = round(degrees / 90)
    text, _ = judge_page(ReadPage(page.case, tuple(line.text for line in page.lines), read.text.replace("_", "")))
    scripts = SCRIPT.findall("".join(line.text for line in page.lines))
    if isinstance(recognizer, Blind):
        scripts, text = [], PageFigures(invented=text.invented)
    figures = Figures(
        pages=1,
        lines=len(page.lines),
        lines_found=sum(is_found),
        found=len(found),
        found_right=sum(len(of_line) for of_line, right in zip(pieces, is_found, strict=True) if right),
        pairs=max(len(places) - 1, 0),
        pairs_kept=kept,
        exact=int(ranks == sorted(ranks)),
        kinds_right=sum(any(found[index].kind == line.kind for index in of_line) for line, of_line in zip(page.lines, pieces, strict=True)),
        scripts=len(scripts),
        scripts_right=min(len(scripts), len(SCRIPT.findall(read.text))),
        turned_right=int(quarter % 4 == 0),
        seconds=seconds,
        text=text,
    )
    missed = tuple(line for line, right in zip(page.lines, is_found, strict=True) if not right)
    return Judged(page, found, missed, abs(degrees - 90 * quarter), figures)


def to_undisturbed(read: Page, page: BenchPage) -> np.ndarray:
    """The homography, float64 (3, 3), from pixels of the page as read to those of the undisturbed page."""
    height, width = page.rgb.shape[:2]
    scan = read.scan
    as_given = np.array(scan.matrix).reshape(3, 3) if scan else np.eye(3)
    resized = np.diag([width / (scan.width if scan else read.width), height / (scan.height if scan else read.height), 1.0])
    return np.linalg.inv(page.matrix) @ resized @ as_given


def direction(back: np.ndarray, read: Page) -> np.ndarray:
    """Where rightwards in the middle of the page as read points on the undisturbed page, as (x, y)."""
    x, y = read.width / 2, read.height / 2
    left, right = carry(back, np.array([(x - 100, y), (x + 100, y)]))
    return right - left


def found_lines(read: Page, back: np.ndarray) -> Iterator[Found]:
    """The lines of a page where they lie on the undisturbed page; super- and subscripts found apart are no lines."""
    for block in read.blocks:
        for line in block.lines:
            if line.script:
                continue
            box = line.box
            x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
            sides = carry(back, np.array([(box.left, y), (x, box.top), (box.right, y), (x, box.bottom)]))  # their middles
            (left, top), (right, bottom) = sides.min(axis=0), sides.max(axis=0)
            if line.vertical:
                yield Found((top, bottom), (left, right), True, block.kind)
            else:
                yield Found((left, right), (top, bottom), False, block.kind)


def extents(line: TrueLine) -> tuple[tuple[float, float], tuple[float, float]]:
    """A true line's extents along and across its direction."""
    box = line.box
    level, upright = (box.left, box.right), (box.top, box.bottom)
    return (upright, level) if line.vertical else (level, upright)


def overlap(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Pixels that two spans share."""
    return max(0.0, min(a[1], b[1]) - max(a[0], b[0]))


def assign(lines: Sequence[TrueLine], found: Sequence[Found]) -> list[list[int]]:
    """For each true line the numbers of the found lines that share most area with it, if also half of the taller band."""
    pieces: list[list[int]] = [[] for _ in lines]
    for number, piece in enumerate(found):
        areas = [0.0]
        for line in lines:
            along, across = extents(line)
            shared = overlap(across, piece.across) if line.vertical == piece.vertical else 0.0
            tall = max(across[1] - across[0], piece.across[1] - piece.across[0])
            spans = [along, *line.loose]
            reach = (min(start for start, _ in spans), max(end for _, end in spans))
            areas.append(overlap(reach, piece.along) * shared if 2 * shared >= tall else 0.0)
        best = int(np.argmax(areas))
        if best:
            pieces[best - 1].append(number)
    return pieces


def covers(line: TrueLine, pieces: Sequence[Found]) -> bool:
    """Whether a true line was found, see the head of this file."""
    (start, end), across = extents(line)
    em = (across[1] - across[0]) / EM
    first, last = (min([start, *(a for a, _ in line.loose)]), max([end, *(b for _, b in line.loose)]))
    spans = sorted(piece.along for piece in pieces)
    if not spans or spans[0][0] < first - em or max(b for _, b in spans) > last + em:
        return False
    slack = min(0.1 * (end - start), 0.3 * em) + 0.15 * em
    holes = [(start, spans[0][0]), *((a[1], b[0]) for a, b in pairwise(spans)), (spans[-1][1], end)]
    bare = [(max(a, start), min(b, end)) for a, b in holes if min(b, end) > max(a, start)]
    if sum(b - a - sum(overlap((a, b), span) for span in line.loose) for a, b in bare) > slack:
        return False
    meetings = [(a[1] + b[0]) / 2 for a, b in pairwise(spans)]
    return all(any(a - em < place < b + em for a, b in line.loose) for place in meetings)


def overlay(judged: Judged) -> np.ndarray:
    """The disturbed page, missed lines red, others green, found ones blue with their numbers: uint8 (H, W, 3)."""
    rgb = judged.page.rgb.copy()

    def outline(left: float, top: float, right: float, bottom: float, color: tuple[int, int, int]) -> np.ndarray:
        corners = carry(judged.page.matrix, np.array([(left, top), (right, top), (right, bottom), (left, bottom)]))
        cv2.polylines(rgb, [np.round(corners).astype(np.int32)], True, color, 2)
        return corners[0]

    for line in judged.page.lines:
        box = line.box
        outline(box.left - 2, box.top - 2, box.right + 2, box.bottom + 2, (230, 0, 0) if line in judged.missed else (0, 170, 0))
    for number, piece in enumerate(judged.found):
        (left, right), (top, bottom) = (piece.across, piece.along) if piece.vertical else (piece.along, piece.across)
        x, y = outline(left, top, right, bottom, (30, 60, 255))
        cv2.putText(rgb, f"{number} {piece.kind[:4]}", (int(x), int(y)), cv2.FONT_HERSHEY_PLAIN, 1.1, (180, 0, 180), 2)
    return rgb


COLUMNS = (
    *("pages", "recall", "precision", "order", "exact", "kind", "page CER", "line CER"),
    *("invented", "scripts", "skew", "turn", "s", "ratio"),
)
WIDTHS = [max(len(name), 6) for name in COLUMNS]


def row(judged: Sequence[Judged], undisturbed: Sequence[Judged] = ()) -> list[str]:
    """The figures of some pages as texts, one for each of COLUMNS."""
    sums = sum((one.figures for one in judged), Figures())
    text, before = sums.text, sum((one.figures.text for one in undisturbed), PageFigures())

    def share(part: float, whole: float) -> str:
        return f"{100 * part / whole:.2f}" if whole else "-"

    return [
        str(sums.pages),
        share(sums.lines_found, sums.lines),
        share(sums.found_right, sums.found),
        share(sums.pairs_kept, sums.pairs),
        share(sums.exact, sums.pages),
        share(sums.kinds_right, sums.lines),
        share(text.page_edits, text.characters),
        share(text.line_edits, text.characters),
        share(text.invented, text.characters) if sums.lines else f"{text.invented} ch.",
        share(sums.scripts_right, sums.scripts),
        f"{max(one.skew_error for one in judged):.2f}",
        share(sums.turned_right, sums.pages),
        f"{sums.seconds / sums.pages:.2f}",
        f"{text.page_cer / before.page_cer:.2f}" if before.page_edits else "-",
    ]


def report(title: str, texts: Sequence[str]) -> None:
    """Print a row of a table."""
    print(f"{title:19}", *(f"{text:>{width}}" for text, width in zip(texts, WIDTHS, strict=True)), sep="  ", flush=True)


def bench(asked: argparse.Namespace) -> None:
    """Judge pages and print what came out."""
    recognizer: ChunkReader = Blind() if asked.no_read else docrec.load()

    @cache
    def judged(case: str, seed: int, disturbance: str = "") -> Judged:
        return judge(make_page(case, seed, disturbance, asked.font), recognizer)

    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    everything: list[Judged] = []
    for title, textless in (("clean", False), ("without text", True)):
        cases = [case for case in asked.cases if (case in TEXTLESS) == textless]
        if cases and not asked.disturbed_only:
            report(title, COLUMNS)
            for case in cases:
                report(case, row([judged(case, seed) for seed in seeds]))
            pages = [judged(case, seed) for case in cases for seed in seeds]
            report("all", row(pages))
            print()
            everything += pages
    cases = [case for case in asked.cases if case not in TEXTLESS]
    if cases and asked.disturbances:
        pairs: list[tuple[Judged, Judged]] = []
        report("disturbed", COLUMNS)
        for number, disturbance in enumerate(asked.disturbances):
            chosen = [(case, seed) for seed in seeds for case in np.roll(cases, -number * asked.sample - seed).tolist()[: asked.sample]]
            pairs += [(judged(case, seed, disturbance), judged(case, seed)) for case, seed in chosen]
            report(disturbance, row(*zip(*pairs[-len(chosen) :], strict=True)))
        report("all", row(*zip(*pairs, strict=True)))
        print()
        everything += [one for one, _ in pairs]
    if asked.save:
        asked.save.mkdir(parents=True, exist_ok=True)
        for one in sorted(everything, key=faults, reverse=True)[: asked.worst]:
            name = "-".join(filter(None, (one.page.case, one.page.disturbance, str(one.page.seed))))
            Image.fromarray(overlay(one)).save(asked.save / f"{name}.png")
            print(f"{asked.save / name}.png: {len(one.missed)} of {len(one.page.lines)} lines missed", end="")
            print(f", {one.figures.pairs - one.figures.pairs_kept} out of order, page CER {100 * one.figures.text.page_cer:.1f} %")


def faults(judged: Judged) -> float:
    """By how much a page is wrong: lines missed or invented, and pairs out of order."""
    figures = judged.figures
    return len(judged.missed) + figures.found - figures.found_right + figures.pairs - figures.pairs_kept


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", nargs="*", choices=CASES, default=[*CASES], metavar="NAME")
    parser.add_argument("--disturbances", nargs="*", choices=DISTURBANCES, default=[*DISTURBANCES], metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="pages of each case, and of each case a disturbance is tried on")
    parser.add_argument("--first-seed", type=int, default=1, metavar="N")
    parser.add_argument("--sample", type=int, default=CASES_A_DISTURBANCE, metavar="N", help="cases that a disturbance is tried on")
    parser.add_argument("--disturbed-only", action="store_true", help="of clean pages read only those that others are compared with")
    parser.add_argument("--no-read", action="store_true", help="find lines only")
    parser.add_argument("--font", default="china-s", metavar="FILE", help="another typeface for the Hanzi")
    parser.add_argument("--save", type=Path, metavar="DIR", help="draw the worst pages")
    parser.add_argument("--worst", type=int, default=20, metavar="N", help="how many")
    parser.add_argument("--speed", action="store_true", help="time cleaning and layout instead")
    asked = parser.parse_args()
    speed() if asked.speed else bench(asked)


STAGES = ("find_surroundings", "paint_surroundings", "clean", "straighten", "find_blocks")
"""Functions of the pipeline that are timed by --speed; those that come after the recogniser are part of reading."""


def speed() -> None:
    """Time cleaning and layout on A4 at 300 dpi, on one core, by the processor's time."""
    from docrec import pipeline

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    cv2.setNumThreads(1)
    recognizer = docrec.load()
    spent: dict[str, float] = defaultdict(float)

    def timed(name: str) -> None:
        stage = getattr(pipeline, name)

        def timing(*arguments: object) -> object:
            start = time.process_time()
            try:
                return stage(*arguments)
            finally:
                spent[name] += time.process_time() - start

        setattr(pipeline, name, timing)

    for name in STAGES:
        timed(name)
    print(f"{'ms of one core, A4 at 300 dpi':34}", *(f"{name:>18}" for name in STAGES), "   together    reading    share")
    plain, disturbed = ("one_column", "two_columns", "ruled_table", "dense"), (("two_columns", "skew"), ("lists", "noise"))
    for case, disturbance in (*((case, "") for case in plain), *disturbed):
        page = make_page(case, 2, disturbance, dpi=300)  # of which the skewed one has 1.8°
        file = io.BytesIO()
        page_to_png(page, file)
        runs = []
        for _ in range(3):
            spent.clear()
            file.seek(0)
            start = time.process_time()
            list(docrec.recognize(file, recognizer))
            runs.append((time.process_time() - start, dict(spent)))
        whole, stages = min(runs, key=lambda run: sum(run[1].values()))
        together = sum(stages.values())
        print(f"{' '.join((case, disturbance)):34}", *(f"{1000 * stages.get(name, 0):18.0f}" for name in STAGES), end="")
        print(f" {1000 * together:11.0f} {1000 * whole:10.0f} {100 * together / whole:7.0f}%")


if __name__ == "__main__":
    main()
