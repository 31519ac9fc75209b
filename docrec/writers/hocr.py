"""hOCR 1.2, the HTML of OCR (kba.github.io/hocr-spec/1.2): areas, paragraphs, lines, words and characters on the page as given."""

import math
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from docrec import __version__
from docrec.document import Block, Box, Glyph, Line, Page
from docrec.options import WriteOptions
from docrec.writers.paragraphs import block_to_paragraphs
from docrec.writers.words import (
    given_baseline,
    given_corners,
    given_dpi,
    given_size,
    given_turn,
    glyphs_to_box,
    line_to_words,
    name_to_xml,
    numbered,
    to_given,
)

CLASSES = {
    "header": "ocr_header",
    "footer": "ocr_footer",
    "caption": "ocr_caption",
    "table": "ocr_table",
    "note": "ocr_textfloat",
    "figure": "ocr_textimage",
}
"""By the kind of a block; the other kinds are ocr_carea."""
CAPABILITIES = ("ocr_page", "ocr_carea", "ocr_par", "ocr_line", "ocrx_word", "ocrx_cinfo", "ocrp_lang", *CLASSES.values())
HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="zh" lang="zh">
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="ocr-system" content="docrec {version}" />
<meta name="ocr-capabilities" content="{capabilities}" />
<meta name="ocr-langs" content="zh en" />
</head>
<body>
"""


def hocr(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """A div of class ocr_page for each page; x_wconf is 0 to 100, and so is x_conf, which like x_size is Tesseract's own addition."""
    document = name_to_xml(options.document or "")
    head = HEAD.format(title=document, version=__version__, capabilities=" ".join(CAPABILITIES))
    for number, page in numbered(pages):
        yield (head + _page(page, number, document)).encode()
        head = ""
    yield f"{head}</body>\n</html>\n".encode()


def _page(page: Page, number: int, document: str) -> str:
    width, height = given_size(page)
    image = f"image &quot;{document}&quot;; " if document else ""
    dpi = round(given_dpi(page))
    title = f"{image}bbox 0 0 {width} {height}; ppageno {page.index}; scan_res {dpi} {dpi}"
    areas = "".join(_area(page, block, f"{number}_{index}") for index, block in enumerate(page.blocks, start=1))
    return f'<div class="ocr_page" id="page_{number}" title="{title}">\n{areas}</div>\n'


def _area(page: Page, block: Block, number: str) -> str:
    paragraphs = "".join(
        f'<p class="ocr_par" id="par_{number}_{index}" title="{_bbox(page, Block(block.kind, paragraph.lines).box)}">\n'
        + "".join(_line(page, line, f"{number}_{index}_{row}") for row, line in enumerate(paragraph.lines, start=1))
        + "</p>\n"
        for index, paragraph in enumerate(block_to_paragraphs(block, page), start=1)
    )
    kind = CLASSES.get(block.kind, "ocr_carea")
    return f'<div class="{kind}" id="block_{number}" title="{_bbox(page, block.box)}">\n{paragraphs}</div>\n'


def _line(page: Page, line: Line, number: str) -> str:
    corner, right, _, below = given_corners(page, line.box)
    size = math.dist(corner, right if line.vertical else below)
    title = f"{_bbox(page, line.box)}{_slope(page, line)}; x_size {size:.1f}"
    words = "\n".join(_word(page, line, word, f"{number}_{index}") for index, word in enumerate(line_to_words(line), start=1))
    style = ' style="writing-mode: vertical-rl"' if line.vertical else ""
    return f'<span class="ocr_line" id="line_{number}" title="{title}"{style}>{words}</span>\n'


def _slope(page: Page, line: Line) -> str:
    """How a line lies: turned, or else along which baseline, whose offset is from the lower left corner of its bbox."""
    if turn := given_turn(page, line):
        return f"; textangle {turn}"
    if line.vertical:
        return ""
    (start, above), (end, below) = given_baseline(page, line)
    left, _, _, bottom = to_given(page, line.box)
    slope = (below - above) / (end - start) if end > start else 0.0
    return f"; baseline {slope:.4f} {above + slope * (left - start) - bottom:.1f}"


def _word(page: Page, line: Line, word: Sequence[Glyph], number: str) -> str:
    conf = 100 * sum(glyph.confidence for glyph in word) / len(word)
    title = f"{_bbox(page, glyphs_to_box(line, word))}; x_wconf {conf:.0f}"
    return f'<span class="ocrx_word" id="word_{number}" title="{title}">{"".join(_character(page, line, glyph) for glyph in word)}</span>'


def _character(page: Page, line: Line, glyph: Glyph) -> str:
    place = " ".join(map(str, to_given(page, glyphs_to_box(line, [glyph]))))
    return f'<span class="ocrx_cinfo" title="x_bboxes {place}; x_conf {100 * glyph.confidence:.2f}">{escape(glyph.text)}</span>'


def _bbox(page: Page, box: Box) -> str:
    return "bbox " + " ".join(map(str, to_given(page, box)))
