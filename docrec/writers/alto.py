"""ALTO 4.2, the XML of libraries (www.loc.gov/standards/alto): blocks, lines, strings and glyphs on the page as given, in pixels."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from itertools import groupby

from docrec import __version__
from docrec.document import KINDS, Block, Box, Glyph, Line, Page
from docrec.options import WriteOptions
from docrec.writers.words import (
    given_baseline,
    given_corners,
    given_size,
    given_turn,
    glyphs_to_box,
    line_to_words,
    name_to_xml,
    numbered,
    to_given,
)

HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" SCHEMAVERSION="4.2"
 xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-2.xsd">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{document}</fileName></sourceImageInformation>
<Processing ID="docrec">
<processingCategory>contentGeneration</processingCategory>
<processingStepSettings>model {model}</processingStepSettings>
<processingSoftware><softwareName>docrec</softwareName><softwareVersion>{version}</softwareVersion></processingSoftware>
</Processing>
</Description>
<Tags>
{tags}
</Tags>
<Layout>
"""
UNSURE = 9
"""In CC, the confidence of a character that is not sure at all; 0 is quite sure."""


def alto(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """One file for all pages; a tag names the kind of each block, and a table is a ComposedBlock of its cells."""
    tags = "\n".join(f'<StructureTag ID="kind_{kind}" TYPE="kind" LABEL="{kind}"/>' for kind in KINDS)
    head = HEAD.format(document=name_to_xml(options.document or ""), model=name_to_xml(options.model), version=__version__, tags=tags)
    for number, page in numbered(pages):
        yield (head + _page(page, number)).encode()
        head = ""
    yield f"{head}</Layout>\n</alto>\n".encode()


def _page(page: Page, number: int) -> str:
    width, height = given_size(page)
    blocks = "".join(_block(page, block, f"{number}_{index}") for index, block in enumerate(page.blocks, start=1))
    return (
        f'<Page ID="page_{number}" PHYSICAL_IMG_NR="{number}" WIDTH="{width}" HEIGHT="{height}" PROCESSINGREFS="docrec">\n'
        f'<PrintSpace HPOS="0" VPOS="0" WIDTH="{width}" HEIGHT="{height}">\n{blocks}</PrintSpace>\n</Page>\n'
    )


def _block(page: Page, block: Block, number: str) -> str:
    attributes = f'TAGREFS="kind_{block.kind}" {_place(page, block.box)}'
    if block.kind == "table":
        cells = [tuple(lines) for _, lines in groupby(block.lines, key=lambda line: line.cell)]
        inside = "".join(
            _text_block(page, cell, f"{number}_{index}", _place(page, Block(block.kind, cell).box))
            for index, cell in enumerate(cells, start=1)
        )
        return f'<ComposedBlock ID="block_{number}" TYPE="table" {attributes}>\n{inside}</ComposedBlock>\n'
    return _text_block(page, block.lines, number, attributes)


def _text_block(page: Page, lines: Sequence[Line], number: str, attributes: str) -> str:
    turn = given_turn(page, lines[0])
    rotation = f' ROTATION="{turn}"' if turn else ""
    inside = "".join(_line(page, line, f"{number}_{index}") for index, line in enumerate(lines, start=1))
    return f'<TextBlock ID="block_{number}" {attributes}{rotation}>\n{inside}</TextBlock>\n'


def _line(page: Page, line: Line, number: str) -> str:
    baseline = "" if line.vertical else f' BASELINE="{_points(given_baseline(page, line))}"'
    shape = f'<Shape><Polygon POINTS="{_points(given_corners(page, line.box))}"/></Shape>\n' if page.scan else ""
    strings = "<SP/>\n".join(_string(page, line, word) for word in line_to_words(line))
    return f'<TextLine ID="line_{number}" {_place(page, line.box)}{baseline}>\n{shape}{strings}</TextLine>\n'


def _string(page: Page, line: Line, word: Sequence[Glyph]) -> str:
    content = escape("".join(glyph.text for glyph in word))
    sure = sum(glyph.confidence for glyph in word) / len(word)
    unsure = " ".join(str(round(UNSURE * (1 - glyph.confidence))) for glyph in word)
    glyphs = "".join(
        f'<Glyph CONTENT="{escape(glyph.text)}" GC="{glyph.confidence:.4f}" {_place(page, glyphs_to_box(line, [glyph]))}/>\n'
        for glyph in word
    )
    return f'<String CONTENT="{content}" WC="{sure:.4f}" CC="{unsure}" {_place(page, glyphs_to_box(line, word))}>\n{glyphs}</String>\n'


def _place(page: Page, box: Box) -> str:
    left, top, right, bottom = to_given(page, box)
    return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
