"""JSON: pages, blocks, lines and characters with their places and confidences; and pages back from it."""

import json as codec
from collections.abc import Iterable, Iterator
from typing import Any

from docrec import __version__
from docrec.document import Block, Box, Glyph, Line, Page, Scan
from docrec.options import WriteOptions

PIXEL_DIGITS = 2
CONFIDENCE_DIGITS = 4


def json(pages: Iterable[Page], options: WriteOptions) -> Iterator[bytes]:
    """One object: program, version, model, document, and pages, a page a row; docrec.schema.json beside this file describes it."""
    about = {"program": "docrec", "version": __version__, "model": options.model, "document": options.document}
    head = codec.dumps(about, ensure_ascii=False)[:-1] + ', "pages": ['
    for page in pages:
        yield f"{head}\n{codec.dumps(page_to_json(page), ensure_ascii=False)}".encode(
            "utf-8", "replace"
        )  # a file's name need not be Unicode
        head = ","
    yield (head.rstrip(",") + "\n]}\n").encode("utf-8", "replace")


def page_to_json(page: Page) -> dict[str, Any]:
    """A page as JSON values; places are rounded to a hundredth of a pixel, confidences to four digits."""
    return {
        "page": page.index + 1,
        "width": page.width,
        "height": page.height,
        "dpi": round(page.dpi, PIXEL_DIGITS),
        "steps": list(page.steps),
        "scan": page.scan and {"width": page.scan.width, "height": page.scan.height, "matrix": list(page.scan.matrix)},
        "blocks": [_block_to_json(block) for block in page.blocks],
    }


def json_to_page(page: dict[str, Any]) -> Page:
    """The page that `page_to_json` made the values of."""
    scan = page["scan"] and Scan(page["scan"]["width"], page["scan"]["height"], tuple(page["scan"]["matrix"]))
    blocks = tuple(Block(block["kind"], tuple(map(_json_to_line, block["lines"]))) for block in page["blocks"])
    return Page(page["page"] - 1, page["width"], page["height"], page["dpi"], blocks, tuple(page["steps"]), scan)


def _block_to_json(block: Block) -> dict[str, Any]:
    return {"kind": block.kind, "box": _box_to_json(block.box), "lines": [_line_to_json(line) for line in block.lines]}


def _line_to_json(line: Line) -> dict[str, Any]:
    return {
        "text": line.text,
        "confidence": round(line.confidence, CONFIDENCE_DIGITS),
        "box": _box_to_json(line.box),
        "vertical": line.vertical,
        "cell": line.cell and list(line.cell),
        "layer": line.layer,
        "characters": [_glyph_to_json(glyph) for glyph in line.glyphs],
    }


def _json_to_line(line: dict[str, Any]) -> Line:
    glyphs = tuple(Glyph(g["char"], g["start"], g["end"], g["confidence"], script=g["script"]) for g in line["characters"])
    return Line(Box(*line["box"]), glyphs, line["vertical"], line["cell"] and tuple(line["cell"]), layer=line["layer"])


def _glyph_to_json(glyph: Glyph) -> dict[str, Any]:
    start, end = round(glyph.left, PIXEL_DIGITS), round(glyph.right, PIXEL_DIGITS)
    confidence = round(glyph.confidence, CONFIDENCE_DIGITS)
    return {"char": glyph.char, "start": start, "end": end, "confidence": confidence, "script": glyph.script}


def _box_to_json(box: Box) -> list[float]:
    return [round(edge, PIXEL_DIGITS) for edge in (box.left, box.top, box.right, box.bottom)]
