"""A sheet that text is set on, and that knows for every line of it what it says, where its ink is and in which order it is read.

Type is MuPDF's own "china-s" (Droid Sans Fallback) or a font given, with the PDF base fonts for Latin. Positions are in points from the
top left until the sheet is drawn.
"""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path

import freetype
import numpy as np
import pymupdf

from docrec.document import POINTS_PER_INCH, Box

FULL_HANZI = "国鼎真我事高"  # characters that fill their em box: their ink gives the band of the type
SCRIPT_SIZE = 0.6  # of the size of the text a super- or subscript belongs to
RISE = {0: 0.0, 1: 0.38, -1: -0.16}  # of that size, by script
SCRIPTS = {1: str.maketrans("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ"), -1: str.maketrans("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎")}
WIDE_GAP = 1.2  # em without ink from which a line may be taken for several
LEADERS = re.compile(r"(?:[.·…] ?){4,}")
VERTICAL = str.maketrans("，、。：；！？…—（）《》「」『』", "︐︑︒︓︔︕︖︙︱︵︶︽︾﹁﹂﹃﹄")
"""The forms that punctuation has in vertical text."""
CLINGING = "\u2060"
OPENING, CLOSING = "“‘《（「『〔［", f"，。：；、？！”’》）」』〕］,;){CLINGING}"
TOKEN = re.compile(rf"[{OPENING}]*(?:[A-Za-z0-9+\-.:@%#_=°{CLINGING}]+/*|[^\u3000]|\u3000+)[{CLOSING}]* *")
"""What a line must not be broken inside: a word or one character with the punctuation that clings to it, as super- and subscripts do."""
Color = tuple[float, float, float]
BLACK: Color = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class TrueLine:
    """A line as it was typeset.

    Attributes:
        text: what it says; super- and subscripts in Unicode's forms, a blank to be filled in as spaces.
        box: pixels of the page before it was disturbed. Left and right are the extents of the ink of the characters, top and bottom those
            that a full Hanzi of the line's largest size has; of a vertical line left and right are those of a full Hanzi.
        block: number of the paragraph, table or the like it belongs to.
        kind: one of docrec.document.KINDS.
        cell: row and column in its table, from 0.
        vertical: whether it runs from top to bottom.
        loose: spans along the line (x, or y if it is vertical) that may be found or not, and where it may come in pieces: wide gaps,
            leaders, blanks, also beyond the box.
    """

    text: str
    box: Box
    block: int
    kind: str
    cell: tuple[int, int] | None = None
    vertical: bool = False
    loose: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How characters look: size in points, line distance in sizes, base font of letters, colour."""

    size: float = 10.5
    leading: float = 1.6
    latin: str = "tiro"
    color: Color = BLACK
    underlined: bool = False
    script: int = 0


@dataclass(frozen=True, slots=True)
class Atom:
    """One character in its style; `script` of the style says whether it is raised or lowered."""

    char: str
    style: Style

    @property
    def text(self) -> str:
        """The character as the true text has it."""
        return self.char.translate(SCRIPTS[self.style.script]) if self.style.script else self.char


def styled(text: str, style: Style) -> list[Atom]:
    """A text in one style."""
    return [Atom(char, style) for char in text]


def tokens(atoms: Sequence[Atom]) -> list[re.Match[str]]:
    """The places of what a line must not be broken inside."""
    return [*TOKEN.finditer("".join(CLINGING if atom.style.script else atom.char for atom in atoms))]


def marked(text: str, style: Style) -> list[Atom]:
    """A text in one style, in which ^ raises the character after it and _ lowers it."""
    atoms, script = [], 0
    for char in text:
        if char in "^_" and not script:
            script = 1 if char == "^" else -1
        else:
            atoms.append(Atom(char, replace(style, script=script)))
            script = 0
    return atoms


@cache
def base_font(name: str) -> pymupdf.Font:
    """One of the fonts that MuPDF carries, or a font file."""
    return pymupdf.Font(fontfile=name) if Path(name).is_file() else pymupdf.Font(name)


@cache
def _face(name: str) -> freetype.Face:
    return freetype.Face(io.BytesIO(base_font(name).buffer))


@cache
def ink_of(name: str, char: str) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a character's ink in em from its pen position on the baseline, upwards; four 0 for a space."""
    face = _face(name)
    face.load_char(char, freetype.FT_LOAD_NO_SCALE)
    box, em = face.glyph.outline.get_bbox(), face.units_per_EM
    return box.xMin / em, box.yMin / em, box.xMax / em, box.yMax / em


@cache
def em_band(name: str) -> tuple[float, float, float, float]:
    """The ink of a full Hanzi of a font: see `ink_of`."""
    left, bottom, right, top = np.mean([ink_of(name, char) for char in FULL_HANZI], axis=0).tolist()
    return left, bottom, right, top


@dataclass(frozen=True, slots=True)
class Placed:
    """An atom with its pen position `x`, its advance and its ink along the line, in points."""

    atom: Atom
    x: float
    advance: float
    ink: tuple[float, float]


@dataclass
class Sheet:
    """A page being typeset; lines are to be set in reading order.

    Attributes:
        width, height: points.
        hanzi: font of Chinese characters, a name that MuPDF knows or a file.
        spaced: em put between Hanzi and letters.
        kind: that of the lines being set.
        block: their number.
    """

    width: float = 595.0
    height: float = 842.0
    hanzi: str = "china-s"
    spaced: float = 0.2
    kind: str = "text"
    block: int = -1
    lines: list[TrueLine] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.document = pymupdf.open()
        self.page = self.document.new_page(width=self.width, height=self.height)
        self._writers: dict[Color, pymupdf.TextWriter] = {}

    def begin(self, kind: str = "text") -> None:
        """Begin a block."""
        self.kind, self.block = kind, self.block + 1

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.6, color: Color = BLACK) -> None:
        """Draw a line."""
        self.page.draw_line((x0, y0), (x1, y1), width=width, color=color)

    def rect(self, x0: float, y0: float, x1: float, y1: float, fill: Color | None = None, width: float = 0.6, radius: float = 0) -> None:
        """Draw a rectangle with a black outline, or filled without one; `radius` of its corners as a share of its shorter side."""
        style = {"color": None if fill else BLACK, "fill": fill, "width": 0 if fill else width, "radius": radius or None}
        self.page.draw_rect(pymupdf.Rect(x0, y0, x1, y1), **style)

    def picture(self, x0: float, y0: float, x1: float, y1: float, rgb: np.ndarray) -> None:
        """Put an image, uint8 (H, W, 3), into a rectangle."""
        pixmap = pymupdf.Pixmap(pymupdf.csRGB, rgb.shape[1], rgb.shape[0], np.ascontiguousarray(rgb).tobytes(), False)
        self.page.insert_image(pymupdf.Rect(x0, y0, x1, y1), pixmap=pixmap, keep_proportion=False)

    def measure(self, atoms: Sequence[Atom]) -> float:
        """The width of atoms set without stretching, in points."""
        placed = self._place(atoms, 0.0, 0.0)
        return placed[-1].x + placed[-1].advance if placed else 0.0

    def break_lines(self, atoms: Sequence[Atom], width: float, indent: float = 0.0) -> list[Sequence[Atom]]:
        """Break a paragraph into lines of a width, the first shorter by `indent`."""
        lines, start, end = [], 0, 0
        room = width - indent
        for match in tokens(atoms):
            if end > start and self.measure(atoms[start : match.end()]) > room:
                lines.append(atoms[start:end])
                start, room = match.start(), width
            end = match.end()
        return [*lines, atoms[start:]]

    def paragraph(
        self,
        atoms: Sequence[Atom],
        left: float,
        top: float,
        width: float,
        indent: float = 2.0,
        bottom: float = float("inf"),
        hanging: float = 0.0,
        cell: tuple[int, int] | None = None,
    ) -> float:
        """Set a justified paragraph, as many of its lines as end above `bottom`, and return where the next begins.

        Args:
            atoms: what it says.
            left, top, width: its place.
            indent: of its first line, in em.
            bottom: see above.
            hanging: indent of the other lines, in em.
            cell: see TrueLine.
        """
        style = atoms[0].style
        step, shift = style.size * style.leading, (indent - hanging) * style.size
        left, width = left + hanging * style.size, width - hanging * style.size
        lines = self.break_lines(atoms, width, shift)
        for number, line in enumerate(lines):
            if top + step > bottom:
                break
            offset = 0.0 if number else shift
            stretched = None if number == len(lines) - 1 else width - offset
            self.line(line, left + offset, top + style.size, stretched, cell=cell)
            top += step
        return top

    def line(
        self,
        atoms: Sequence[Atom],
        left: float,
        baseline: float,
        width: float | None = None,
        align: str = "left",
        cell: tuple[int, int] | None = None,
    ) -> float:
        """Set one line, and return its right end.

        Args:
            atoms: what it says.
            left: where it begins, or with another `align` its centre or right end.
            baseline: see its name.
            width: what it is stretched to, unless that would take more than half an em at each place.
            align: left, center or right.
            cell: see TrueLine.
        """
        natural = self.measure(atoms)
        left -= {"left": 0.0, "center": natural / 2, "right": natural}[align]
        stretch = 0.0
        if width is not None:
            places = max(len(tokens(atoms)) - 1, 1)
            stretch = (width - natural) / places
            stretch = stretch if stretch < 0.5 * atoms[0].style.size else 0.0
        placed = self._place(atoms, left, stretch)
        for item in placed:
            style = item.atom.style
            writer = self._writers.setdefault(style.color, pymupdf.TextWriter(self.page.rect))
            size, up = (style.size * SCRIPT_SIZE, RISE[style.script] * style.size) if style.script else (style.size, 0.0)
            if item.atom.char.strip():
                writer.append((item.x, baseline - up), item.atom.char, font=base_font(self._font(item.atom)), fontsize=size)
        for underlined, items in groupby(placed, key=lambda item: item.atom.style.underlined):
            if underlined:
                first, *_, last = [*items] * 2
                under = baseline + 0.22 * first.atom.style.size
                self.rule(first.x, under, last.x + last.advance, under, 0.5, first.atom.style.color)
        self._note(placed, baseline, cell)
        return placed[-1].x + placed[-1].advance

    def column(self, text: str, center: float, top: float, style: Style) -> float:
        """Set one line of vertical text around a centre line, and return its lower end."""
        left, below, right, above = em_band(self.hanzi)
        middle, writer = (below + above) / 2, self._writers.setdefault(style.color, pymupdf.TextWriter(self.page.rect))
        font = base_font(self.hanzi)
        spans = []
        for char in text:
            standing = char.translate(VERTICAL)
            shown = standing if font.has_glyph(ord(standing)) else char
            if char.strip():
                pen = top + (0.5 + middle) * style.size
                x = center - font.glyph_advance(ord(shown)) / 2 * style.size
                writer.append((x, pen), shown, font=font, fontsize=style.size)
                _, low, _, high = ink_of(self.hanzi, shown)
                spans.append((pen - high * style.size, pen - low * style.size))
            top += style.size
        half = (right - left) / 2 * style.size
        gaps = tuple((a[1], b[0]) for a, b in pairwise(spans) if b[0] - a[1] > WIDE_GAP * style.size)
        box = Box(center - half, spans[0][0], center + half, max(end for _, end in spans))
        self.lines.append(TrueLine(text.strip("\u3000"), box, self.block, self.kind, vertical=True, loose=gaps))
        return top

    def draw(self, dpi: float) -> np.ndarray:
        """The sheet as pixels, uint8 (H, W, 3)."""
        for color, writer in self._writers.items():
            writer.write_text(self.page, color=color)
        self._writers.clear()
        zoom = dpi / POINTS_PER_INCH
        pixmap = self.page.get_pixmap(matrix=pymupdf.Matrix(zoom, zoom), colorspace=pymupdf.csRGB, alpha=False)
        return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width, 3).copy()

    def _font(self, atom: Atom) -> str:
        latin = atom.style.latin
        return latin if atom.char < "\u2000" and base_font(latin).has_glyph(ord(atom.char)) else self.hanzi

    def _place(self, atoms: Sequence[Atom], left: float, stretch: float) -> list[Placed]:
        """Pen positions; `stretch` points are added at every place where the line could be broken."""
        breaks = {match.start() for match in tokens(atoms)} - {0} if stretch else set()
        placed: list[Placed] = []
        for index, atom in enumerate(atoms):
            font = self._font(atom)
            size = atom.style.size * (SCRIPT_SIZE if atom.style.script else 1)
            if index:
                before = placed[-1].atom
                foreign = before.char.isascii() != atom.char.isascii() and before.char.isalnum() and atom.char.isalnum()
                left += (index in breaks) * stretch + (foreign and not atom.style.script) * self.spaced * size
            advance = base_font(font).glyph_advance(ord(atom.char)) * size
            inked = ink_of(font, atom.char) if atom.char.strip() else (0.0, 0.0, 0.0, 0.0)
            placed.append(Placed(atom, left, advance, (left + inked[0] * size, left + inked[2] * size)))
            left += advance
        return placed

    def _note(self, placed: Sequence[Placed], baseline: float, cell: tuple[int, int] | None) -> None:
        """Keep what a line says and where its ink is."""
        inked = [item for item in placed if item.atom.char.strip()]
        size = max(item.atom.style.size for item in placed)
        if not inked:
            return
        _, bottom, _, top = em_band(self.hanzi)
        box = Box(inked[0].ink[0], baseline - top * size, max(item.ink[1] for item in inked), baseline - bottom * size)
        loose = [(a.ink[1], b.ink[0]) for a, b in pairwise(inked) if b.ink[0] - a.ink[1] > WIDE_GAP * size]
        text = "".join(item.atom.text for item in placed)
        loose += [(placed[m.start()].x, placed[m.end() - 1].x + placed[m.end() - 1].advance) for m in LEADERS.finditer(text)]
        for is_blank, items in groupby(placed, key=lambda item: item.atom.style.underlined and not item.atom.char.strip()):
            blank = [*items] if is_blank else []
            if blank and (blank[0] is placed[0] or blank[-1] is placed[-1]):
                loose.append((blank[0].x, blank[-1].x + blank[-1].advance))
        self.lines.append(TrueLine(text.strip(), box, self.block, self.kind, cell, loose=tuple(loose)))


def scaled(lines: Iterable[TrueLine], dpi: float) -> tuple[TrueLine, ...]:
    """Lines in points as lines in pixels."""
    zoom = dpi / POINTS_PER_INCH
    return tuple(
        replace(
            line,
            box=Box(line.box.left * zoom, line.box.top * zoom, line.box.right * zoom, line.box.bottom * zoom),
            loose=tuple((start * zoom, end * zoom) for start, end in line.loose),
        )
        for line in lines
    )
