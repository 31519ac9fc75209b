#!/usr/bin/env python3
"""Pages with exact truth: typeset at random, then disturbed by known amounts; write some to look at:

    python benchmarks/pages.py OUT_DIR [--case NAME...] [--disturbance NAME...] [--seed N] [--font FILE]

CASES are the kinds of page, DISTURBANCES what scanners, copiers, fax machines and phones do to them. Each page depends on the names of
both and on the seed only.
"""

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from disturbances import DISTURBANCES, RENDER_DPI, Picture
from PIL import Image
from prose import HEADINGS, LABELS, TITLES, Prose
from typesetting import Sheet, Style, TrueLine, scaled, styled

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


class Setter:
    """What every case needs at hand: a sheet with margins, styles of its own, and texts.

    Attributes:
        rng: source of all randomness.
        prose: texts.
        sheet: what is set on.
        body: the style of running text.
        left, top, right, bottom: the type area in points.
    """

    def __init__(self, rng: np.random.Generator, hanzi: str) -> None:
        self.rng, self.prose = rng, Prose(rng)
        self.sheet = Sheet(hanzi=hanzi, spaced=float(rng.choice([0.0, 0.2])))
        self.body = Style(
            float(rng.choice([9.0, 10.0, 10.5, 11.0, 12.0])), float(rng.uniform(1.45, 1.85)), str(rng.choice(["tiro", "helv"]))
        )
        self.left, self.top = float(rng.uniform(56, 80)), float(rng.uniform(64, 84))
        self.right, self.bottom = self.sheet.width - float(rng.uniform(56, 80)), self.sheet.height - float(rng.uniform(64, 84))

    @property
    def width(self) -> float:
        """Of the type area."""
        return self.right - self.left

    @property
    def middle(self) -> float:
        """Of the type area, across."""
        return (self.left + self.right) / 2

    def sized(self, factor: float, **changes: object) -> Style:
        """The body style at another size, rounded to half points."""
        return replace(self.body, size=round(2 * self.body.size * factor) / 2, **changes)  # type: ignore[arg-type]

    def title(self, top: float, text: str = "", factor: float = 1.7) -> float:
        """Set a centred title and return where text may begin below it."""
        style = self.sized(factor)
        self.sheet.begin("title")
        self.sheet.line(styled(text or self.prose.pick(TITLES), style), self.middle, top + style.size, align="center")
        return top + 2.2 * style.size

    def heading(self, top: float, left: float, number: str) -> float:
        """Set a numbered heading and return where text may begin below it."""
        style = self.sized(1.2)
        self.sheet.begin("title")
        self.sheet.line(styled(number + self.prose.pick(HEADINGS), style), left, top + 1.3 * style.size)
        return top + 2 * style.size

    def text(self, top: float, left: float, width: float, bottom: float, count: int = 99, style: Style | None = None) -> float:
        """Fill a column with paragraphs, `count` of them at most, and return where it ends."""
        style = style or self.body
        step = style.size * style.leading
        for _ in range(count):
            if top + step > bottom:
                break
            self.sheet.begin()
            top = self.sheet.paragraph(styled(self.prose.paragraph(), style), left, top, width, bottom=bottom)
        return top

    def columns(self, count: int, top: float, bottom: float) -> None:
        """Fill columns, with a heading in some of them."""
        gap = float(self.rng.uniform(1.8, 2.6)) * self.body.size
        width = (self.width - (count - 1) * gap) / count
        for number in range(count):
            left, start = self.left + number * (width + gap), top
            if self.rng.random() < 0.5:
                end = self.text(start, left, width, bottom - 10 * self.body.size, int(self.rng.integers(1, 3)))
                start = self.heading(end, left, f"{number + 1}  ")
            self.text(start, left, width, bottom)

    def running_head(self, ruled: bool = True) -> None:
        """Set a header with or without a rule below it."""
        style = self.sized(0.85)
        baseline = self.top - 2 * self.body.size
        self.sheet.begin("header")
        self.sheet.line(styled(self.prose.pick(TITLES), style), self.left, baseline)
        self.sheet.line(styled(f"第{self.rng.integers(1, 12)}章  {self.prose.pick(HEADINGS)}", style), self.right, baseline, align="right")
        if ruled:
            self.sheet.rule(self.left, baseline + 4, self.right, baseline + 4)

    def page_number(self) -> None:
        """Set a page number below the type area."""
        number = int(self.rng.integers(1, 400))
        text = (f"{number}", f"- {number} -", f"第{number}页", f"{number} / 412")[self.rng.integers(4)]
        self.sheet.begin("footer")
        self.sheet.line(styled(text, self.sized(0.9)), self.middle, self.bottom + 2.6 * self.body.size, align="center")

    def caption(self, text: str, center: float, top: float) -> float:
        """Set a centred caption and return where it ends."""
        style = self.sized(0.9)
        self.sheet.begin("caption")
        self.sheet.line(styled(text, style), center, top + 1.2 * style.size, align="center")
        return top + 2.2 * style.size


def one_column(page: Setter) -> None:
    """A title, headings and text across the page."""
    top = page.title(page.top)
    top = page.heading(page.text(top, page.left, page.width, page.bottom, 2), page.left, "一、")
    page.text(top, page.left, page.width, page.bottom)


def two_columns(page: Setter) -> None:
    """Two columns of text with headings, a page number."""
    page.columns(2, page.top, page.bottom)
    page.page_number()


def three_columns(page: Setter) -> None:
    """Three columns of small text, as in newspapers."""
    page.body = replace(page.body, size=min(page.body.size, 10.0), leading=min(page.body.leading, 1.6))
    page.columns(3, page.top, page.bottom)


def title_across(page: Setter) -> None:
    """A title, authors and an abstract above two columns, and a title across them in the middle."""
    top = page.title(page.top)
    page.sheet.begin("text")
    page.sheet.line(
        styled(f"{page.prose.hanzi(3)}  {page.prose.hanzi(2)}  {page.prose.hanzi(3)}", page.body), page.middle, top, align="center"
    )
    small = page.sized(0.9)
    page.sheet.begin()
    abstract = styled("摘要：" + page.prose.paragraph(100, 160), small)
    top = page.sheet.paragraph(abstract, page.left + 30, top + 14, page.width - 60, 0)
    middle = float(page.rng.uniform(440, 520))
    page.columns(2, top + 12, middle)
    top = page.title(middle + 14, page.prose.pick(TITLES), 1.4)
    page.columns(2, top, page.bottom)


def header_footer(page: Setter) -> None:
    """A ruled running head, text, a page number."""
    page.running_head()
    page.text(page.top, page.left, page.width, page.bottom)
    page.page_number()


def header_two_columns(page: Setter) -> None:
    """A running head without a rule over two columns, and a page number."""
    page.running_head(ruled=False)
    page.columns(2, page.top, page.bottom)
    page.page_number()


def footnotes(page: Setter) -> None:
    """Text with raised note marks, and below a short rule notes in small type."""
    small = page.sized(0.8, leading=1.4)
    notes = [
        styled(str(number), replace(small, script=1)) + styled(page.prose.paragraph(20, 60), small)
        for number in range(1, page.rng.integers(3, 5))
    ]
    height = sum(len(page.sheet.break_lines(note, page.width - small.size)) for note in notes) * small.size * small.leading
    bottom, top = page.bottom - height - 14, page.top
    for number in range(1, 99):
        if top + page.body.size * page.body.leading > bottom:
            break
        page.sheet.begin()
        text = styled(page.prose.paragraph(), page.body)
        if number <= len(notes):
            mark = styled(str(number), replace(page.body, script=1))
            at = max(index for index, atom in enumerate(text[:60]) if index < 2 or atom.char in "，。；")
            text = text[:at] + mark + text[at:]
        top = page.sheet.paragraph(text, page.left, top, page.width, bottom=bottom)
    page.sheet.rule(page.left, bottom + 8, page.left + 140, bottom + 8)
    top = bottom + 14
    for note in notes:
        page.sheet.begin("footnote")
        top = page.sheet.paragraph(note, page.left, top, page.width, 1)
    page.page_number()


def side_notes(page: Setter) -> None:
    """Text with small notes in the outer margin, each read after the paragraph beside whose first line it begins."""
    small, wide = page.sized(0.8, leading=1.35), 100.0
    outer_left = bool(page.rng.random() < 0.4)
    left = page.left + (wide + 14) * outer_left
    width = page.width - wide - 14
    note_left = page.left if outer_left else page.right - wide
    top, free = page.top, 0.0
    while top + 3 * page.body.size * page.body.leading < page.bottom:
        page.sheet.begin()
        begin = top
        top = page.sheet.paragraph(styled(page.prose.paragraph(120, 300), page.body), left, top, width, bottom=page.bottom)
        if begin >= free and begin < page.bottom - 80 and page.rng.random() < 0.7:
            page.sheet.begin("note")
            shift = page.body.size - small.size
            free = page.sheet.paragraph(styled(page.prose.clause(8, 26), small), note_left, begin + shift, wide, 0) + 4


def ruled_table(page: Setter) -> None:
    """Text, a captioned table with all its rules, text."""
    top = page.text(page.top, page.left, page.width, page.top + 140, 2)
    top = page.caption(f"表{page.rng.integers(1, 9)}  {page.prose.clause(6, 12)}", page.middle, top + 6)
    top = _table(page, top, int(page.rng.integers(3, 7)), int(page.rng.integers(4, 10)), "all")
    page.text(top + 12, page.left, page.width, page.bottom)


def _table(page: Setter, top: float, columns: int, rows: int, rules: str, lines: int = 1) -> float:
    """Set a table and return where it ends.

    Args:
        page: what to set on.
        top: where it begins.
        columns, rows: how many; the first row is a head.
        rules: "all", "three" as in books, or "none".
        lines: of text in a cell, at most.
    """
    style = page.sized(0.95, leading=1.35)
    pitch, row_pad = page.width / columns, 0.45 * style.size
    page.sheet.begin("table")
    start, edges = top, [top]
    labels = [page.prose.pick(LABELS) for _ in range(columns)]
    for row in range(rows):
        deepest = top
        for column in range(columns):
            left, width = page.left + column * pitch, pitch
            if row == 0:
                text = labels[column]
            elif column == 0 or lines > 1 and column == columns - 1:
                text = page.prose.clause(2, 5) if lines == 1 else page.prose.clause(4, 8 * lines)
            else:
                text = page.prose.number()
            atoms = styled(text, style)
            inner = width - 12
            if page.sheet.measure(atoms) <= inner:
                baseline = top + row_pad + style.size
                if row == 0 or column and text[0].isdigit():
                    page.sheet.line(atoms, left + width / 2, baseline, align="center", cell=(row, column))
                else:
                    page.sheet.line(atoms, left + 6, baseline, cell=(row, column))
                end = top + row_pad + style.size * style.leading
            else:
                end = page.sheet.paragraph(atoms, left + 6, top + row_pad, inner, 0, cell=(row, column))
            deepest = max(deepest, end)
        top = deepest + row_pad
        edges.append(top)
    right = page.left + columns * pitch
    if rules == "all":
        for edge in edges:
            page.sheet.rule(page.left, edge, right, edge)
        for column in range(columns + 1):
            page.sheet.rule(page.left + column * pitch, start, page.left + column * pitch, top)
    elif rules == "three":
        for edge, width in ((edges[0], 1.2), (edges[1], 0.6), (edges[-1], 1.2)):
            page.sheet.rule(page.left, edge, right, edge, width)
    return top


CASES: dict[str, Callable[[Setter], None]] = {
    case.__name__: case
    for case in (
        one_column, two_columns, three_columns, title_across, header_footer, header_two_columns, footnotes, side_notes, ruled_table,
    )
}  # fmt: skip


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
            Image.fromarray(page.rgb).save(f"{name}.png", **({"dpi": page.dpi} if page.dpi else {}))
            Image.fromarray(drawn(page)).save(f"{name}.truth.png")
            Path(f"{name}.json").write_text(json.dumps(page_to_json(page), ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
