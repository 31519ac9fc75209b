"""What judging a model found, for people: tables, the confusion matrix as a picture, and a web page that holds everything."""

import base64
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docrec.errors import SampleError
from docrec.evaluate import (
    BINS,
    LineFigures,
    PageFigures,
    Pair,
    ReadLine,
    align,
    class_shares,
    confusions,
    dropped,
    invented,
    ratio,
)

NOTHING, BLANK = "∅", "␣"
FREQUENT = 20  # confusions in a table
MATRIX = 32  # characters in a matrix
CELL = 30  # px

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .4rem } p.note { color: #666; margin: .2rem 0 .5rem }
table { border-collapse: collapse } th, td { padding: .15rem .8rem .15rem 0; text-align: right; border-bottom: 1px solid #ddd }
th:first-child, td:first-child { text-align: left } th { font-weight: 600 }
figure { margin: 1rem 0; padding: .6rem .8rem; border: 1px solid #ddd; border-radius: 6px }
figure img { max-width: 100%; min-height: 24px; display: block; margin-bottom: .4rem; border: 1px solid #eee }
img.matrix { max-width: 100% } figcaption { color: #666; font-size: .85rem; overflow-wrap: anywhere }
.line { font-size: 1.1rem; white-space: pre-wrap; overflow-wrap: anywhere }
.line::before { content: attr(title); display: inline-block; width: 3.2rem; font-size: .8rem; color: #888 }
mark { background: #ffd7d5; border-radius: 2px } .read mark { background: #cfe8ff }
"""


@dataclass(frozen=True, slots=True)
class Table:
    """Words and figures in rows; the first column is of words, the others of figures."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


def line_tables(figures: LineFigures, skipped: Sequence[SampleError]) -> list[Table]:
    """What was measured on labelled lines."""
    rows = [
        ("lines", f"{figures.lines:,}"),
        ("character accuracy", f"{figures.character_accuracy:.2%}"),
        ("whole lines right", f"{figures.sequence_accuracy:.2%}"),
        ("CER", f"{figures.cer:.2%}"),
        ("CER of what print tells apart", f"{figures.comparable_cer:.2%}"),
        ("characters", f"{figures.characters:,}"),
        ("dropped", f"{dropped(figures.pairs):,}"),
        ("invented", f"{invented(figures.pairs):,}"),
        ("lines a second", f"{figures.lines / figures.seconds:.1f}"),
        ("characters a second", f"{figures.characters / figures.seconds:,.0f}"),
        ("seconds", f"{figures.seconds:.1f}"),
    ]
    if figures.outside:
        shown = "".join(char for char, _ in Counter(figures.outside).most_common(FREQUENT))
        rows.append((f"characters outside the alphabet: {shown}", f"{sum(figures.outside.values()):,}"))
    note = "Character accuracy is the mean over lines of the share of characters that are right at their place from the start."
    classes = ((share.name, f"{share.total:,}", f"{ratio(share.right, share.total):.2%}") for share in class_shares(figures.pairs))
    bins = (
        (f"{part.low:.1f} – {part.low + 1 / BINS:.1f}", f"{part.total:,}", f"{part.confidence:.1%}", f"{ratio(part.right, part.total):.1%}")
        for part in figures.calibration
    )
    return [
        Table("Figures", ("", ""), tuple(rows), note),
        Table("By class of character", ("class", "characters", "right"), tuple(classes)),
        confusion_table(figures.pairs),
        Table("Calibration", ("confidence", "characters", "mean confidence", "right"), tuple(bins)),
        *skipped_table(skipped),
    ]


def page_tables(
    documents: Mapping[str, PageFigures], pairs: Mapping[Pair, int], skipped: Sequence[SampleError], seconds: float
) -> list[Table]:
    """What was measured on pages that were read in so many seconds, by document and for all."""
    everything = sum(documents.values(), PageFigures())
    rows = [
        (name, f"{row.pages:,}", *(f"{share:.2%}" for share in (row.line_cer, row.page_cer, row.invented_share, row.raw_cer)))
        for name, row in [*documents.items(), ("all", everything)]
    ]
    note = (
        "Line CER is blind to order and to invented text, page CER counts both; invented are characters beyond the true ones; "
        f"raw CER is page CER with full- and half-width forms and look-alikes told apart. {seconds / everything.pages:.2f} s a page."
    )
    columns = ("document", "pages", "line CER", "page CER", "invented", "raw CER")
    return [Table("Documents", columns, tuple(rows), note), confusion_table(pairs), *skipped_table(skipped)]


def confusion_table(pairs: Mapping[Pair, int]) -> Table:
    """The most frequent confusions."""
    rows = tuple((f"{name(text)} → {name(read)}", f"{count:,}") for (text, read), count in confusions(pairs)[:FREQUENT])
    return Table("Most frequent confusions", ("true → read", "times"), rows, f"{NOTHING} stands for no character, {BLANK} for a space.")


def skipped_table(skipped: Sequence[SampleError]) -> list[Table]:
    """How many samples were skipped, by fault; no table where there are none."""
    counts = Counter(error.fault for error in skipped).most_common()
    return [Table("Skipped", ("fault", "samples"), tuple((fault, f"{count:,}") for fault, count in counts))] if counts else []


def name(char: str) -> str:
    """A character as it is shown in tables and pictures."""
    return NOTHING if not char else BLANK if char.isspace() else char if char.isprintable() else f"U+{ord(char):04X}"


def draw_matrix(pairs: Mapping[Pair, int]) -> bytes:
    """Draw the confusion matrix of the most confused characters.

    Args:
        pairs: how often each pair of true and read occurs.

    Returns:
        A PNG: a row for each true character, a column for each that was read; a cell is the darker the larger its share of the row;
        characters that its typeface lacks stand as code points.
    """
    import pymupdf

    chars = list(dict.fromkeys(char for pair, _ in confusions(pairs) for char in pair))[:MATRIX]  # pairs stand together
    totals = Counter[str]()
    for (text, _), count in pairs.items():
        totals[text] += count
    size = CELL * (len(chars) + 1)
    image = Image.new("RGB", (size + CELL, size + CELL), "white")
    draw = ImageDraw.Draw(image)
    typeface = pymupdf.Font("china-s")  # PyMuPDF's own
    large, small = (ImageFont.truetype(io.BytesIO(typeface.buffer), size) for size in (19, 12))
    for row, text in enumerate(chars, 1):
        middle = CELL * (row + 0.5)
        label, font = (name(text), large) if typeface.has_glyph(ord(name(text)[0])) else (f"{ord(text):04X}", small)
        if text == " ":  # the typeface has a sign for it that shows nothing
            label, font = "sp", small
        draw.text((CELL / 2, middle), label, "black", font, "mm")
        draw.text((middle, CELL / 2), label, "black", font, "mm")
        for column, read in enumerate(chars, 1):
            count = pairs.get((text, read), 0)
            box = (CELL * column, CELL * row, CELL * (column + 1), CELL * (row + 1))
            share = ratio(count, totals[text]) ** 0.5 if count else 0.0  # a root, so that rare confusions show
            hue = (40, 130, 70) if text == read else (190, 40, 30)
            draw.rectangle(box, tuple(round(255 - (255 - value) * share) for value in hue), "#ddd")
            if count:
                shown = str(count) if count < 10_000 else f"{count // 1000}k"
                draw.text((CELL * (column + 0.5), middle), shown, "white" if share > 0.6 else "black", small, "mm")
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def html_report(title: str, tables: Iterable[Table], matrix: bytes, worst: Iterable[tuple[ReadLine, np.ndarray | None]]) -> str:
    """One web page, without any file beside it.

    Args:
        title: what was judged, on what.
        tables: the figures.
        matrix: see `draw_matrix`.
        worst: lines that were misread, each with its picture, uint8 (H, W), if there is one.
    """
    parts = [f"<h1>{escape(title)}</h1>", *map(_table, tables)]
    parts.append("<h2>Confusion matrix</h2><p class=note>Rows are true characters, columns what was read.</p>")
    parts.append(f'<img class=matrix alt="confusion matrix" src="{_source(matrix)}">')
    parts.append("<h2>Worst lines</h2>")
    parts += [_figure(line, gray) for line, gray in worst]
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def _table(table: Table) -> str:
    def row(cells: Iterable[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    head = row(table.columns, "th") if any(table.columns) else ""
    note = f"<p class=note>{escape(table.note)}</p>" if table.note else ""
    return f"<h2>{escape(table.title)}</h2>{note}<table>{head}{''.join(row(cells, 'td') for cells in table.rows)}</table>"


def _figure(line: ReadLine, gray: np.ndarray | None) -> str:
    """A line's picture, true text and reading, what differs marked."""
    pairs = align(line.text, line.read)
    picture = "" if gray is None else f'<img alt="" src="{_source(cv2.imencode(".png", gray)[1].tobytes())}">'
    rows = "".join(
        f'<div class="line {kind}" title={kind}>{"".join(_marked(pair[side], pair[0] != pair[1]) for pair in pairs)}</div>'
        for side, kind in enumerate(("true", "read"))
    )
    return f"<figure>{picture}{rows}<figcaption>{escape(line.name)} · {line.edits} of {len(line.text)}</figcaption></figure>"


def _marked(char: str, differs: bool) -> str:
    return f"<mark>{escape(name(char))}</mark>" if differs else escape(char)


def _source(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
