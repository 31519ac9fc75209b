"""The kinds of page of the bench: each case sets one, drawn at random, on a Setter's sheet, line after line as it is read."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from prose import HEADINGS, LABELS, LATIN, TITLES, WORDS, Prose
from typesetting import BLACK, Atom, Color, Sheet, Style, marked, styled

WHITE: Color = (1, 1, 1)
FORMULAS = (
    "E = mc^2", "a^2 + b^2 = c^2", "v = v_0 + at", "x_1 + x_2 = -b / a", "S = 4πr^2", "F = Gm_1m_2 / r^2", "y = 3x^4 - 2x^3 + 5x - 7",
    "f(x) = a_0 + a_1x + a_2x^2", "P(A|B) = P(B|A)P(A) / P(B)", "s = v_0t + at^2 / 2", "T^2 = 4π^2a^3 / GM", "Q = cm(t_2 - t_1)",
    "x^2 / a^2 + y^2 / b^2 = 1", "p_1V_1 = p_2V_2", "I = U / (R_1 + R_2)", "k = (y_2 - y_1) / (x_2 - x_1)",
)  # fmt: skip
"""Formulas of one row; ^ raises the character after it, _ lowers it."""
SCRIPTED = (
    "水的分子式是H_2O，二氧化碳是CO_2，硫酸是H_2SO_4。",
    "仓库的面积约为2500m^2，容积为1.8×10^4m^3。",
    "光速约为3×10^8m/s，电子的质量是9.1×10^-^3^1kg。",
    "设x_1和x_2是方程的两个根，则x_1+x_2=4，x_1^2+x_2^2=10。",
    "这一点前人已有论述^1^2，后来又有补充^(^3^)。",
    "细菌总数不得超过10^5个每克，大肠菌群不得检出^2。",
    "加热到800℃以上，使CaCO_3分解为CaO和CO_2。",
)
CODE = tuple(
    """
def load(path, encoding="utf-8"):
    with open(path, encoding=encoding) as file:
        return [line.strip() for line in file]
for (int i = 0; i < count; i++) {
    total += values[i] * weights[i];
}
if (ptr == NULL) return -1;
SELECT name, price FROM goods
    WHERE stock > 0 ORDER BY price DESC;
# 读入配置文件，缺省时取默认值
// 返回数组中元素的个数
$ make install PREFIX=/usr/local
import numpy as np
print(f"total: {total:.2f}")
while not queue.empty():
    item = queue.get(timeout=5)
    log.info("done %s", item)
try:
    connect(host, port=8080)
except TimeoutError:
    retry += 1
return {key: value for key, value in pairs}
""".strip().splitlines()
)
NUMERALS = "一二三四五六七八九十"


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

    def text(self, top: float, left: float, width: float, bottom: float, count: int = 99) -> float:
        """Fill a column with paragraphs, `count` of them at most, and return where it ends."""
        step = self.body.size * self.body.leading
        for _ in range(count):
            if top + step > bottom:
                break
            self.sheet.begin()
            top = self.sheet.paragraph(styled(self.prose.paragraph(), self.body), left, top, width, bottom=bottom)
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
    """Text with small notes in the outer margin, beside first lines of paragraphs: read before these in the left margin, else after."""
    small, wide = page.sized(0.8, leading=1.35), 100.0
    outer_left = bool(page.rng.random() < 0.4)
    left = page.left + (wide + 14) * outer_left
    width = page.width - wide - 14
    note_left = page.left if outer_left else page.right - wide
    top, free = page.top, 0.0
    while top + 3 * page.body.size * page.body.leading < page.bottom:
        begin, noted = top, top >= free and top < page.bottom - 80 and page.rng.random() < 0.7
        for kind in ("note", "text") if outer_left else ("text", "note"):
            if kind == "text":
                page.sheet.begin()
                top = page.sheet.paragraph(styled(page.prose.paragraph(120, 300), page.body), left, top, width, bottom=page.bottom)
            elif noted:
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


def unruled_table(page: Setter) -> None:
    """Text, a captioned table without any rules, text."""
    top = page.text(page.top, page.left, page.width, page.top + 140, 2)
    top = page.caption(f"表{page.rng.integers(1, 9)}  {page.prose.clause(6, 12)}", page.middle, top + 6)
    top = _table(page, top, int(page.rng.integers(3, 6)), int(page.rng.integers(4, 10)), "none")
    page.text(top + 12, page.left, page.width, page.bottom)


def three_rule_table(page: Setter) -> None:
    """Text and two captioned tables with rules above, below and under the head."""
    top = page.text(page.top, page.left, page.width, page.top + 100, 1)
    for number in (1, 2):
        top = page.caption(f"表{number}  {page.prose.clause(6, 12)}", page.middle, top + 6)
        top = _table(page, top, int(page.rng.integers(3, 7)), int(page.rng.integers(4, 8)), "three")
        top = page.text(top + 12, page.left, page.width, page.bottom, 1)


def multiline_cells(page: Setter) -> None:
    """A ruled table whose first and last columns hold several lines of text in a cell, and text below."""
    top = page.title(page.top, factor=1.4)
    top = _table(page, top, int(page.rng.integers(3, 5)), int(page.rng.integers(4, 8)), "all", lines=3)
    page.text(top + 12, page.left, page.width, page.bottom)


def lists(page: Setter) -> None:
    """Numbered, bulleted and lettered items with hanging indents between paragraphs."""
    top = page.title(page.top)
    forms = [[f"{n}. " for n in range(1, 8)], ["• "] * 7, [f"（{n}）" for n in NUMERALS], [f"({letter}) " for letter in "abcdefg"]]
    step = page.body.size * page.body.leading
    while top + 4 * step < page.bottom:
        top = page.text(top, page.left, page.width, page.bottom, 1)
        marks = forms[page.rng.integers(len(forms))]
        indent = float(page.rng.uniform(1, 3))
        for mark in marks[: page.rng.integers(3, 7)]:
            label = styled(mark, page.body)
            hanging = indent + page.sheet.measure(label) / page.body.size
            page.sheet.begin()
            atoms = label + styled(page.prose.paragraph(10, 60), page.body)
            top = page.sheet.paragraph(atoms, page.left, top, page.width, indent, page.bottom, hanging)


def contents(page: Setter) -> None:
    """A table of contents with dot leaders, on some pages not behind chapters, its sections indented."""
    top = page.title(page.top, "目  录", 1.5)
    step, number = page.body.size * page.body.leading, 1
    leader = ("…", ".", ". ", "·")[page.rng.integers(4)]
    all_lead = bool(page.rng.random() < 0.5)
    chapter = section = 0
    page.sheet.begin()
    while top + step < page.bottom:
        is_chapter = not chapter or section > 2 and page.rng.random() < 0.4
        chapter, section = (chapter + 1, 0) if is_chapter else (chapter, section + 1)
        title = page.prose.pick(HEADINGS) if page.rng.random() < 0.4 else page.prose.clause(4, 16)
        label = f"第{NUMERALS[(chapter - 1) % 10]}章  {title} " if is_chapter else f"{chapter}.{section}  {title} "
        left = page.left + 0 if is_chapter else page.left + 2 * page.body.size
        number += int(page.rng.integers(0, 6))
        ends = styled(label, page.body), styled(f" {number}", page.body)
        room = page.right - left - sum(map(page.sheet.measure, ends))
        dots = styled(leader if all_lead or not is_chapter else " ", page.body)
        dots *= int(room / page.sheet.measure(dots))
        page.sheet.line([*ends[0], *dots, *ends[1]], left, top + page.body.size, page.right - left)
        top += step
    page.page_number()


def formulas(page: Setter) -> None:
    """Text between which formulas stand apart, centred, some with numbers at the right margin."""
    style = replace(page.body, latin="tiit", size=page.body.size + 1)
    top, number = page.text(page.top, page.left, page.width, page.bottom, 1), 0
    while top + 8 * page.body.size < page.bottom:
        page.sheet.begin("formula")
        for text in page.rng.choice(FORMULAS, page.rng.integers(1, 3)):
            top += 0.5 * style.size
            atoms = marked(str(text), style)
            left = page.middle - page.sheet.measure(atoms) / 2
            if page.rng.random() < 0.6:
                number += 1
                label = styled(f"({number})", page.body)
                start = page.right - page.sheet.measure(label)
                gap = start - left - page.sheet.measure(atoms)
                atoms = atoms + styled(" ", style) * round(gap / page.sheet.measure(styled(" ", style))) + label
            page.sheet.line(atoms, left, top + style.size)
            top += 1.5 * style.size
        top = page.text(top + 0.4 * style.size, page.left, page.width, page.bottom, 1)


def scripts(page: Setter) -> None:
    """Text full of units, chemical formulas, indices and note marks."""
    top = page.title(page.top)
    while top + page.body.size * page.body.leading < page.bottom:
        page.sheet.begin()
        texts = page.rng.choice(SCRIPTED, page.rng.integers(2, 5), replace=False)
        atoms = [atom for text in texts for atom in (*styled(page.prose.sentence(), page.body), *marked(str(text), page.body))]
        top = page.sheet.paragraph(atoms, page.left, top, page.width, bottom=page.bottom)


def drawing(page: Setter) -> None:
    """A flow chart of boxes with text, its caption, text above and below."""
    top = page.text(page.top, page.left, page.width, page.top + 160, 2) + 14
    style, box_width = page.sized(0.9), 120.0
    for row in range(int(page.rng.integers(3, 5))):
        count = int(page.rng.integers(1, 4))
        for number in range(count):
            centre = page.middle + (number - (count - 1) / 2) * (box_width + 24)
            page.sheet.rect(centre - box_width / 2, top, centre + box_width / 2, top + 30, width=0.8)
            page.sheet.begin("figure")
            page.sheet.line(styled(page.prose.clause(3, 7), style), centre, top + 15 + 0.36 * style.size, align="center")
            if row:
                page.sheet.rule(centre, top - 20, centre, top, 0.8)
                page.sheet.rule(centre - 4, top - 7, centre, top, 0.8)
                page.sheet.rule(centre + 4, top - 7, centre, top, 0.8)
        if row:
            page.sheet.rule(page.middle - box_width - 24, top - 20, page.middle + box_width + 24, top - 20, 0.8)
        top += 50
    top = page.caption(f"图{page.rng.integers(1, 9)}  {page.prose.clause(6, 14)}", page.middle, top - 12)
    page.text(top + 8, page.left, page.width, page.bottom)


def steps(page: Setter) -> None:
    """A process in round boxes that arrows link, three in a row, its caption, text above and below."""
    top = page.text(page.top, page.left, page.width, page.top + 160, 2) + 14
    style, gap = page.sized(0.9), float(page.rng.uniform(24, 40))
    width, height = (page.width - 2 * gap) / 3, float(page.rng.uniform(22, 32))
    for _ in range(int(page.rng.integers(1, 4))):
        for number in range(3):
            left, middle = page.left + number * (width + gap), top + height / 2
            page.sheet.rect(left, top, left + width, top + height, width=0.8, radius=float(page.rng.uniform(0.1, 0.5)))
            page.sheet.begin("figure")
            page.sheet.line(styled(page.prose.clause(3, 7), style), left + width / 2, middle + 0.36 * style.size, align="center")
            if number:
                page.sheet.rule(left - gap, middle, left, middle, 0.8)
                page.sheet.rule(left - 5, middle - 3, left, middle, 0.8)
                page.sheet.rule(left - 5, middle + 3, left, middle, 0.8)
        top += height + 24
    top = page.caption(f"图{page.rng.integers(1, 9)}  {page.prose.clause(6, 14)}", page.middle, top - 12)
    page.text(top + 8, page.left, page.width, page.bottom)


def chart(page: Setter) -> None:
    """A bar chart with numbers along its axis, its caption, text above and below."""
    top = page.text(page.top, page.left, page.width, page.top + 160, 2) + 14
    style, bars = page.sized(0.8), int(page.rng.integers(4, 7))
    left, right, height = page.left + 60, page.right - 40, 160.0
    page.sheet.begin("figure")
    for tick in range(5):
        y = top + height * tick / 4
        page.sheet.rule(left - 4, y, left, y, 0.5)
        page.sheet.line(styled(f"{(4 - tick) * 25}", style), left - 8, y + 0.36 * style.size, align="right")
    page.sheet.rule(left, top, left, top + height, 0.8)
    page.sheet.rule(left, top + height, right, top + height, 0.8)
    pitch = (right - left) / bars
    for bar in range(bars):
        centre, tall = left + (bar + 0.5) * pitch, float(page.rng.uniform(0.2, 0.95)) * height
        page.sheet.rect(centre - 12, top + height - tall, centre + 12, top + height, fill=(0.35, 0.5, 0.75))
    for bar in range(bars):
        page.sheet.begin("figure")
        centre = left + (bar + 0.5) * pitch
        page.sheet.line(styled(f"{2015 + bar}年", style), centre, top + height + 5 + style.size, align="center")
    top = page.caption(f"图{page.rng.integers(1, 9)}  {page.prose.clause(6, 14)}", page.middle, top + height + 22)
    page.text(top + 8, page.left, page.width, page.bottom)


def photograph(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth noise at several scales with a horizon, as a photograph has: uint8 (height, width, 3)."""
    total: np.ndarray = np.zeros((height, width, 3), np.float32)
    for cells in (3, 7, 20, 60):
        noise = rng.standard_normal((cells, cells, 3)).astype(np.float32) * 0.3 + rng.standard_normal((cells, cells, 1))
        total = total + cv2.resize(noise.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC) / cells**0.5
    total -= 1.2 * (np.arange(height)[:, None, None] > height * float(rng.uniform(0.4, 0.7)))
    levels = (total - total.mean()) / total.std() * 48 + 120
    return np.clip(levels + rng.standard_normal(levels.shape) * 5, 0, 255).astype(np.uint8)


def picture(page: Setter) -> None:
    """A photograph as wide as the page or half of it, its caption, text above and below."""
    top = page.text(page.top, page.left, page.width, page.top + 160, 2) + 10
    width = page.width * float(page.rng.choice([0.5, 0.8, 1.0]))
    left = page.middle - width / 2
    page.sheet.picture(left, top, left + width, top + 190, photograph(page.rng, 380, 600))
    top = page.caption(f"图{page.rng.integers(1, 9)}  {page.prose.clause(6, 14)}", page.middle, top + 192)
    page.text(top + 8, page.left, page.width, page.bottom)


def labelled_picture(page: Setter) -> None:
    """A photograph with a label on it, its caption, text above and below."""
    top = page.text(page.top, page.left, page.width, page.top + 160, 2) + 10
    page.sheet.picture(page.left + 40, top, page.right - 40, top + 190, photograph(page.rng, 380, 600))
    style = page.sized(1.0)
    label = styled(page.prose.clause(4, 10), style)
    left, y = page.left + float(page.rng.uniform(60, 200)), top + float(page.rng.uniform(20, 140))
    page.sheet.rect(left, y, left + page.sheet.measure(label) + 16, y + 2 * style.size, fill=WHITE)
    page.sheet.begin("figure")
    page.sheet.line(label, left + 8, y + 1.4 * style.size)
    top = page.caption(f"图{page.rng.integers(1, 9)}  {page.prose.clause(6, 14)}", page.middle, top + 192)
    page.text(top + 8, page.left, page.width, page.bottom)


def pictures_in_columns(page: Setter) -> None:
    """Two columns with a captioned photograph in each, one at the top and one within the text."""
    gap = 2 * page.body.size
    width = (page.width - gap) / 2
    for number, left in enumerate((page.left, page.left + width + gap)):
        top = page.top if number else page.text(page.top, left, width, page.top + 200, 2) + 8
        page.sheet.picture(left, top, left + width, top + 130, photograph(page.rng, 260, 400))
        top = page.caption(f"图{number + 1}  {page.prose.clause(4, 10)}", left + width / 2, top + 132)
        page.text(top + 6, left, width, page.bottom)
    page.page_number()


def vertical(page: Setter) -> None:
    """Vertical text, columns from the right, with a title column."""
    style = replace(page.body, size=float(page.rng.choice([11.0, 12.0, 14.0])))
    right = page.right
    page.sheet.begin("title")
    large = replace(style, size=1.6 * style.size)
    page.sheet.column(page.prose.clause(6, 12), right - large.size, page.top + 2 * large.size, large)
    _vertical_text(page, page.left, right - 2.6 * large.size, page.top, page.bottom, style)


def vertical_tiers(page: Setter) -> None:
    """Vertical text in two tiers, the upper read before the lower, with a rule between them and a page number below."""
    middle = (page.top + page.bottom) / 2
    page.body = replace(page.body, size=11.0)
    _vertical_text(page, page.left, page.right, page.top, middle - 10, page.body)
    page.sheet.rule(page.left, middle, page.right, middle)
    _vertical_text(page, page.left, page.right, middle + 10, page.bottom, page.body)
    page.page_number()


def _vertical_text(page: Setter, left: float, right: float, top: float, bottom: float, style: Style) -> None:
    """Fill an area with paragraphs of vertical text, their first columns indented by two characters."""
    rows, pitch = int((bottom - top) / style.size), style.size * style.leading
    centre = right - style.size / 2
    while centre > left + style.size / 2:
        page.sheet.begin()
        text = "\u3000\u3000" + page.prose.plain_paragraph(40, 200)
        while text and centre > left + style.size / 2:
            end = rows + (text[rows : rows + 1] in "，。；：、？！」』）》" if len(text) > rows else 0)  # such a mark hangs below
            page.sheet.column(text[:end], centre, top, style)
            text, centre = text[end:], centre - pitch


def underlined(page: Setter) -> None:
    """Text with underlined words and sentences."""
    top = page.title(page.top)
    while top + page.body.size * page.body.leading < page.bottom:
        page.sheet.begin()
        atoms: list[Atom] = []
        for _ in range(page.rng.integers(2, 6)):
            atoms += styled(page.prose.sentence(), replace(page.body, underlined=bool(page.rng.random() < 0.35)))
        top = page.sheet.paragraph(atoms, page.left, top, page.width, bottom=page.bottom)


def blanks(page: Setter) -> None:
    """A form: labels with blanks to be filled in, some of them filled, and text between."""
    top = page.title(page.top)
    step = 1.9 * page.body.size
    filled = replace(page.body, underlined=True)
    while top + 3 * step < page.bottom:
        for _ in range(page.rng.integers(3, 6)):
            page.sheet.begin()
            atoms: list[Atom] = []
            for _ in range(page.rng.integers(1, 4)):
                answer = page.prose.clause(2, 5) if page.rng.random() < 0.3 else ""
                blank = "\u3000" + answer + "\u3000" * int(page.rng.integers(3, 8))
                atoms += [*styled(page.prose.pick(LABELS) + "：", page.body), *styled(blank, filled), *styled("\u3000", page.body)]
            page.sheet.line(atoms[:-1], page.left, top + page.body.size)
            top += step
        top = page.text(top, page.left, page.width, page.bottom - step, 1)
    page.sheet.begin()
    date = [atom for unit in "年月日" for atom in (*styled("\u3000" * 3, filled), *styled(unit, page.body))]
    page.sheet.line(date, page.right, top + page.body.size, align="right")


def mixed_sizes(page: Setter) -> None:
    """Text with larger and smaller words on its lines."""
    page.body = replace(page.body, leading=1.8)
    top = page.title(page.top)
    while top + page.body.size * page.body.leading < page.bottom:
        page.sheet.begin()
        atoms: list[Atom] = styled(page.prose.sentence(), page.body)
        for _ in range(page.rng.integers(2, 5)):
            atoms += styled(page.prose.clause(2, 6), page.sized(1.35))
            atoms += styled(page.prose.sentence(), page.body)
            atoms += styled(f"（{page.prose.clause(3, 8)}）", page.sized(0.75))
        top = page.sheet.paragraph(atoms, page.left, top, page.width, bottom=page.bottom)


def headwords(page: Setter) -> None:
    """Two columns of a dictionary: entries that begin with a large character, and an example below each."""
    gap = 2 * page.body.size
    width = (page.width - gap) / 2
    for left in (page.left, page.left + width + gap):
        top = page.top
        while top + 4 * page.body.size * page.body.leading < page.bottom:
            page.sheet.begin()
            entry = styled(page.prose.clause(1, 1), page.sized(1.6)) + styled(f" {page.prose.sentence()}", page.body)
            top = page.sheet.paragraph(entry, left, top, width, 0, page.bottom)
            page.sheet.begin()
            top = page.sheet.paragraph(styled(f"〔例〕{page.prose.clause(8, 40)}", page.body), left, top, width, 2, page.bottom) + 4


def tables_in_columns(page: Setter) -> None:
    """Two columns with a captioned table of short numbers in each, and a heading right below one."""
    left, right = page.left, page.right
    width = (page.width - 2 * page.body.size) / 2
    for number, page.left in enumerate((left, right - width)):
        page.right = page.left + width
        top = page.text(page.top, page.left, width, page.top + 220, 2)
        top = page.caption(f"表{number + 1}  {page.prose.clause(4, 8)}", page.middle, top + 4)
        top = _table(page, top, 3, int(page.rng.integers(4, 6)), "three") + 6
        if number:
            top = page.heading(top, page.left, f"{page.rng.integers(2, 6)}  ")
        page.text(top, page.left, width, page.bottom)


def sidebar(page: Setter) -> None:
    """A narrow list of entries, set as close as the text beside it but not level with it, as on web pages."""
    entries = int(page.rng.integers(6, 10))
    style, pitch = page.sized(1.0), 1.15 * page.body.size * page.body.leading
    page.sheet.begin()
    for row in range(entries):
        page.sheet.line(styled(page.prose.clause(2, 6), style), page.left, page.top + 1.5 * style.size + row * pitch)
    inner = page.left + 10 * page.body.size
    page.text(page.top, inner, page.right - inner, page.bottom)


def poster(page: Setter) -> None:
    """A few huge characters, some lines of ordinary type, and small print."""
    sheet = page.sheet
    sizes = (72, 30, 24, 24, 22, 12, 12)
    tops = (130, 220, 330, 390, 450, 700, 722)
    for size, top in zip(sizes, tops, strict=True):
        sheet.begin("title" if size > 24 else "text")
        text = page.prose.clause(4, 6) if size == 72 else page.prose.clause(6, 14)
        sheet.line(styled(text, replace(page.body, size=float(size))), page.middle, top, align="center")


def signatures(page: Setter) -> None:
    """Numbered clauses, and rows in which two parties sign side by side."""
    top = page.title(page.top)
    for number in range(1, 5):
        page.sheet.begin()
        clause = styled(f"第{NUMERALS[number - 1]}条  {page.prose.paragraph(20, 80)}", page.body)
        top = page.sheet.paragraph(clause, page.left, top, page.width) + 4
    page.sheet.begin()
    for row, text in enumerate(("方（签章）：", "代表人：", "日期：2024年3月15日")):
        for left, party in ((page.left, "甲"), (page.middle, "乙")):
            atoms = styled(text if row else party + text, page.body)
            page.sheet.line(atoms, left, top + 30 + 2.4 * row * page.body.size)


def cards(page: Setter) -> None:
    """Rows of two or three boxes side by side, tinted or framed, with a heading and some lines each, between paragraphs."""
    tints: list[Color | None] = [None, (0.91, 0.93, 0.98), (0.99, 0.95, 0.86), (0.93, 0.93, 0.93)]
    top = page.title(page.top)
    while top + 13 * page.body.size * page.body.leading < page.bottom:
        top = page.text(top, page.left, page.width, page.bottom, 1) + 8
        count, gap = int(page.rng.integers(2, 4)), 12.0
        width = (page.width - gap * (count - 1)) / count
        fill, height = tints[page.rng.integers(len(tints))], 7.5 * page.body.size * page.body.leading
        for left in (page.left + number * (width + gap) for number in range(count)):
            page.sheet.rect(left, top, left + width, top + height, fill=fill)
            low = page.heading(top + 2, left + 8, "")
            page.sheet.begin()
            text = styled(page.prose.paragraph(30, 60), page.body)
            page.sheet.paragraph(text, left + 8, low, width - 16, 0, top + height - 4)
        top += height + 10


def exam(page: Setter) -> None:
    """Two columns of questions, each followed by its four options in two rows."""
    gap = 2 * page.body.size
    width = (page.width - gap) / 2
    number = 0
    for left in (page.left, page.left + width + gap):
        top = page.top
        while top + 6 * page.body.size * page.body.leading < page.bottom:
            number += 1
            page.sheet.begin()
            question = styled(f"{number}．{page.prose.paragraph(20, 50)}（　　）", page.body)
            top = page.sheet.paragraph(question, left, top, width, 0)
            for pair in ("AB", "CD"):
                for place, letter in enumerate(pair):
                    option = styled(f"{letter}．{page.prose.clause(3, 6)}", page.body)
                    page.sheet.line(option, left + place * width / 2, top + page.body.size)
                top += page.body.size * page.body.leading


def white_on_black(page: Setter) -> None:
    """Headings in white on dark bands as wide as the page, and a dark box of white text."""
    top = page.top
    while top + 7 * page.body.size < page.bottom:
        fill = [BLACK, (0.1, 0.2, 0.45), (0.3, 0.3, 0.3)][page.rng.integers(3)]
        style = page.sized(1.15, color=WHITE)
        if page.rng.random() < 0.3:
            text = styled(page.prose.paragraph(40, 100), replace(page.body, color=WHITE))
            height = len(page.sheet.break_lines(text, page.width - 24)) * page.body.size * page.body.leading + 14
            if top + height + 10 > page.bottom:
                break
            page.sheet.rect(page.left, top, page.right, top + height, fill=fill)
            page.sheet.begin()
            page.sheet.paragraph(text, page.left + 12, top + 8, page.width - 24, 0)
            top += height + 10
        else:
            page.sheet.rect(page.left, top, page.right, top + 2 * style.size, fill=fill)
            page.sheet.begin("title")
            page.sheet.line(styled(page.prose.pick(HEADINGS), style), page.left + 10, top + 1.36 * style.size)
            top += 2 * style.size + 6
        top = page.text(top, page.left, page.width, page.bottom, 1) + 6


def titled_boxes(page: Setter) -> None:
    """Theorems and hints in frames of one colour with the band of their title, and a foot of bands that touch, as on slides."""
    fills: list[Color] = [(0.1, 0.2, 0.45), (0.45, 0.1, 0.1), (0.1, 0.35, 0.2), (0.25, 0.25, 0.25)]
    style, top, foot = page.sized(1.1, color=WHITE), page.top, page.bottom - 2.2 * page.body.size
    while top + 9 * page.body.size < foot:
        top = page.text(top, page.left, page.width, foot, 1) + 8
        text = styled(page.prose.paragraph(40, 110), page.body)
        height = len(page.sheet.break_lines(text, page.width - 24)) * page.body.size * page.body.leading + 12
        if top + height + 2 * style.size + 10 > foot:
            break
        fill = fills[page.rng.integers(len(fills))]
        page.sheet.rect(page.left, top, page.right, top + 2 * style.size + height, fill=fill)
        page.sheet.rect(page.left + 1.5, top + 2 * style.size, page.right - 1.5, top + 2 * style.size + height - 1.5, fill=WHITE)
        page.sheet.begin("title")
        page.sheet.line(styled(page.prose.pick(HEADINGS), style), page.left + 10, top + 1.36 * style.size)
        top += 2 * style.size
        page.sheet.begin()
        page.sheet.paragraph(text, page.left + 12, top + 6, page.width - 24, 0)
        top += height + 10
    small, third = page.sized(0.9, color=WHITE), page.width / 3
    page.sheet.begin("footer")
    for number in range(3):
        left, shade = page.left + number * third, 0.07 * number
        page.sheet.rect(left, foot + 10, left + third, foot + 10 + 2 * small.size, fill=(shade, shade, 0.25 + 2 * shade))
        page.sheet.line(styled(page.prose.pick(HEADINGS), small), left + third / 2, foot + 10 + 1.36 * small.size, align="center")


def colours(page: Setter) -> None:
    """Coloured headings and text, and paragraphs in tinted boxes."""
    tints: list[Color] = [(1, 0.97, 0.8), (0.86, 0.93, 1), (0.9, 0.9, 0.9), (1, 0.88, 0.9), (0.87, 0.96, 0.85)]
    inks: list[Color] = [(0.75, 0.1, 0.1), (0.1, 0.25, 0.7), (0, 0.45, 0.2), (0.5, 0.2, 0.5), (0.85, 0.4, 0)]
    plain, top, number = page.body, page.top, 0
    while top + 8 * plain.size < page.bottom:
        page.body = replace(plain, color=inks[page.rng.integers(len(inks))])
        number += 1
        top = page.heading(top, page.left, f"{number}.  ")
        text = styled(page.prose.paragraph(60, 140), replace(plain, color=BLACK if page.rng.random() < 0.6 else page.body.color))
        height = len(page.sheet.break_lines(text, page.width - 24)) * plain.size * plain.leading + 14
        if top + height > page.bottom:
            break
        page.sheet.rect(page.left, top, page.right, top + height, fill=tints[page.rng.integers(len(tints))])
        page.sheet.begin()
        top = page.sheet.paragraph(text, page.left + 12, top + 8, page.width - 24, 0) + 14
        page.body = replace(plain, color=inks[page.rng.integers(len(inks))] if page.rng.random() < 0.3 else BLACK)
        top = page.text(top, page.left, page.width, page.bottom, 1)


def code(page: Setter) -> None:
    """Listings in a typewriter face between paragraphs, some in a frame or on grey."""
    style = replace(page.sized(0.9), latin="cour", leading=1.35)
    top = page.text(page.top, page.left, page.width, page.bottom, 1)
    while top + 14 * style.size < page.bottom:
        texts = page.rng.choice(CODE, page.rng.integers(4, 9), replace=False)
        height, frame = len(texts) * style.size * style.leading + 12, page.rng.integers(3)
        if frame:
            page.sheet.rect(page.left, top + 4, page.right, top + 4 + height, fill=(0.94, 0.94, 0.94) if frame == 1 else None)
        top += 11
        page.sheet.begin()
        for text in texts:
            page.sheet.line(styled(str(text), style), page.left + 14, top + style.size)
            top += style.size * style.leading
        top = page.text(top + 12, page.left, page.width, page.bottom, 1)


def letter(page: Setter) -> None:
    """A letter: who it is to, text, a closing and a date at the right."""
    top = page.title(page.top + 20)
    step = page.body.size * page.body.leading
    page.sheet.begin()
    page.sheet.line(styled(f"{page.prose.hanzi(2)}市{page.prose.clause(4, 8)}局：", page.body), page.left, top + page.body.size)
    top = page.text(top + step, page.left, page.width, page.bottom, int(page.rng.integers(2, 5)))
    for text in ("特此函告。", "此致"):
        page.sheet.begin()
        page.sheet.line(styled(text, page.body), page.left + 2 * page.body.size, top + page.body.size)
        top += step
    page.sheet.begin()
    page.sheet.line(styled("敬礼！", page.body), page.left, top + page.body.size)
    top += 2 * step
    date = f"20{page.rng.integers(10, 30)}年{page.rng.integers(1, 13)}月{page.rng.integers(1, 29)}日"
    for text in (f"{page.prose.hanzi(2)}县{page.prose.clause(4, 8)}办公室", date):
        page.sheet.begin()
        page.sheet.line(styled(text, page.body), page.right - 2 * page.body.size, top + page.body.size, align="right")
        top += step


def short(page: Setter) -> None:
    """A few lines on an otherwise empty page."""
    top = page.top + float(page.rng.uniform(0, 300))
    page.sheet.begin()
    text = styled(page.prose.paragraph(30, 90), page.body)
    page.sheet.paragraph(text, page.left, top, page.width)


def dense(page: Setter) -> None:
    """Small type with little space between the lines, from edge to edge."""
    page.body = replace(page.body, size=8.0, leading=1.25)
    page.left, page.right, page.top, page.bottom = 36, page.sheet.width - 36, 40, page.sheet.height - 40
    page.text(page.top, page.left, page.width, page.bottom)


def large(page: Setter) -> None:
    """Type of 20 to 28 points, as in notices."""
    page.body = replace(page.body, size=float(page.rng.integers(20, 29)), leading=1.6)
    top = page.title(page.top, page.prose.clause(6, 10), 1.4)
    page.text(top, page.left, page.width, page.bottom)


def latin(page: Setter) -> None:
    """English and Chinese paragraphs in turn, and English words in Chinese text."""
    top, step = page.title(page.top), page.body.size * page.body.leading
    while top + step < page.bottom:
        page.sheet.begin()
        english = page.rng.choice(LATIN, page.rng.integers(2, 4), replace=False)
        top = page.sheet.paragraph(styled(" ".join(english), page.body), page.left, top, page.width, bottom=page.bottom)
        page.sheet.begin()
        mixed = "".join(page.prose.clause(3, 9) + page.prose.pick(WORDS) for _ in range(page.rng.integers(8, 16)))
        top = page.sheet.paragraph(styled(mixed + "。", page.body), page.left, top, page.width, bottom=page.bottom)


def only_photograph(page: Setter) -> None:
    """No text: a photograph over the whole page."""
    page.sheet.picture(0, 0, page.sheet.width, page.sheet.height, photograph(page.rng, 1170, 827))


def only_noise(page: Setter) -> None:
    """No text: random grey levels."""
    grey = page.rng.integers(0, 256, (1170, 827, 1), np.uint8)
    page.sheet.picture(0, 0, page.sheet.width, page.sheet.height, np.repeat(grey, 3, 2))


def only_black(page: Setter) -> None:
    """No text: black all over."""
    page.sheet.rect(0, 0, page.sheet.width, page.sheet.height, fill=BLACK)


def only_map(page: Setter) -> None:
    """No text: contours, roads and tinted areas."""
    height = cv2.resize(page.rng.standard_normal((9, 7)).astype(np.float32), (827, 1170), interpolation=cv2.INTER_CUBIC)
    rgb = np.full((1170, 827, 3), (238, 240, 226), np.uint8)
    rgb[height > 0.6] = (205, 226, 190)
    rgb[height < -0.9] = (186, 213, 236)
    for level in np.arange(-2, 2, 0.2):
        edges, _ = cv2.findContours((height > level).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(rgb, edges, -1, (170, 120, 80), 1, cv2.LINE_AA)
    for _ in range(8):
        bends = (np.cumsum(page.rng.normal(0, 90, (12, 2)), axis=0) + page.rng.uniform(0, 827, 2)).astype(np.int32)
        cv2.polylines(rgb, [bends], False, (60, 60, 60), 2, cv2.LINE_AA)
    page.sheet.picture(0, 0, page.sheet.width, page.sheet.height, rgb)


TEXTLESS = ("only_photograph", "only_noise", "only_black", "only_map")
CASES: dict[str, Callable[[Setter], None]] = {
    case.__name__: case
    for case in (
        *(one_column, two_columns, three_columns, title_across, header_footer, header_two_columns, footnotes, side_notes),
        *(lists, contents, formulas, scripts, letter, short, dense, large, latin, code),
        *(ruled_table, unruled_table, three_rule_table, multiline_cells, blanks, underlined, mixed_sizes, headwords),
        *(tables_in_columns, sidebar, poster, signatures, cards, exam),
        *(drawing, steps, chart, picture, labelled_picture, pictures_in_columns, white_on_black, titled_boxes, colours),
        *(vertical, vertical_tiers, only_photograph, only_noise, only_black, only_map),
    )
}
