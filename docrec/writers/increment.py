"""A PDF with text added to its pages: the file as it was, followed by what changes in it."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np
import pymupdf

from docrec.document import Page
from docrec.source import SCAN_EDGE, page_turn
from docrec.writers.glyphless import Glyphless
from docrec.writers.hidden import without_invisible_text
from docrec.writers.objects import PdfObject
from docrec.writers.text_layer import page_to_content
from docrec.writers.words import given_size, to_given

_PIECE = 1 << 20  # bytes read at once
_INVISIBLE = 3  # text rendering mode


def pdf_with_text(pages: Iterable[Page], document: str | bytes, password: str) -> Iterator[bytes]:
    """Add the text that was read to the pages it is of; invisible text of earlier OCR that was not used goes.

    What changes is appended, so that all else stays to the byte, encryption included; only a damaged PDF is written anew.

    Args:
        pages: as read.
        document: path or content of the PDF.
        password: opens it, if it is encrypted.

    Yields:
        Nothing after each page, then the PDF in pieces.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)
    with tempfile.TemporaryDirectory(prefix="docrec-") as folder:
        path = Path(folder, "with-text.pdf")
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            copyfile(document, path)
        with pymupdf.open(path, filetype="pdf") as file:
            file.authenticate(password)
            font, first = Glyphless(), 0
            written: set[int] = set()  # a page tree may have a page twice
            for page in pages:
                leaf = file.load_page(page.index)
                if leaf.xref not in written and any(not line.layer for line in page.lines):
                    written.add(leaf.xref)
                    first = first or _new_objects(file, Glyphless.OBJECTS)
                    _add_text(leaf, page, font, first)
                pymupdf.TOOLS.store_shrink(100)
                yield b""
            if written:
                for place, body in enumerate(font.objects(first)):
                    _put(file, first + place, body)
                if file.can_save_incrementally():
                    file.saveIncr()
                else:
                    path = Path(folder, "anew.pdf")
                    file.save(path, encryption=pymupdf.PDF_ENCRYPT_KEEP)
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece


def _new_objects(file: Any, count: int) -> int:
    """The first of so many new object numbers in a row."""
    return min(file.get_new_xref() for _ in range(count))


def _put(file: Any, number: int, body: PdfObject) -> None:
    file.update_object(number, f"<<{body.entries}>>")
    if body.stream is not None:
        file.update_stream(number, body.stream, new=True)


def _add_text(leaf: Any, page: Page, font: Glyphless, number: int) -> None:
    """Put the text of a page before its content streams, where the graphics state is as the page begins; `number` is the font's."""
    file = leaf.parent
    scale = _pixels_to_points(leaf, page)
    streams = leaf.get_contents()
    if _is_hidden_text_idle(leaf, page, scale):
        streams = _streams_without_hidden_text(leaf, streams)
    name = f"docrec{number}"  # which no earlier run has given
    text = _new_objects(file, 1)
    _put(file, text, PdfObject("", page_to_content(page, _to_user_space(leaf) @ scale, font, name)))
    file.xref_set_key(leaf.xref, "Contents", f"[{' '.join(f'{stream} 0 R' for stream in (text, *streams))}]")
    _add_font(leaf, name, number)


def _add_font(leaf: Any, name: str, number: int) -> None:
    """Put a font into the resources of a page, its own or those it shares."""
    mupdf = pymupdf.mupdf
    pdf = mupdf.pdf_document_from_fz_document(leaf.parent.this)
    page = mupdf.pdf_new_indirect(pdf, leaf.xref, 0)
    resources = mupdf.pdf_dict_get_inheritable(page, mupdf.pdf_new_name("Resources"))
    if not mupdf.pdf_is_dict(resources):
        resources = mupdf.pdf_dict_put_dict(page, mupdf.pdf_new_name("Resources"), 1)
    fonts = mupdf.pdf_dict_get(resources, mupdf.pdf_new_name("Font"))
    if not mupdf.pdf_is_dict(fonts):
        fonts = mupdf.pdf_dict_put_dict(resources, mupdf.pdf_new_name("Font"), 1)
    mupdf.pdf_dict_put(fonts, mupdf.pdf_new_name(name), mupdf.pdf_new_indirect(pdf, number, 0))


def _is_hidden_text_idle(leaf: Any, page: Page, scale: np.ndarray) -> bool:
    """Whether a page has invisible text and none of it is in the lines that come from the page's own text."""
    hidden = [char for span in leaf.get_texttrace() if span["type"] == _INVISIBLE for char in span["chars"]]
    used = [to_given(page, line.box) for line in page.lines if line.layer]
    back = np.linalg.inv(scale)
    for *_, (left, top, right, bottom) in hidden:
        center = pymupdf.Point((left + right) / 2, (top + bottom) / 2) * page_turn(leaf)
        x, y, _ = back @ (center.x, center.y, 1)
        if any(box[0] <= x <= box[2] and box[1] <= y <= box[3] for box in used):
            return False
    return bool(hidden)


def _streams_without_hidden_text(leaf: Any, streams: list[int]) -> list[int]:
    """Take invisible text out of a page and the forms it shows, and give the numbers of its content streams."""
    file = leaf.parent
    for form, *_ in leaf.get_xobjects():
        content = file.xref_stream(form)
        if (rest := without_invisible_text(content)) != content:
            file.update_stream(form, rest)
    content = leaf.read_contents()
    if (rest := without_invisible_text(content)) == content:
        return streams
    number = _new_objects(file, 1)
    _put(file, number, PdfObject("", rest))
    return [number]


def _to_user_space(leaf: Any) -> np.ndarray:
    """The affine map, float (3, 3), from points of a page as it is shown, from its top left, to those of PDF user space."""
    matrix = pymupdf.mupdf.FzMatrix()
    pymupdf.mupdf.pdf_page_transform(pymupdf.mupdf.pdf_page_from_fz_page(leaf.this), pymupdf.mupdf.FzRect(), matrix)
    return np.linalg.inv([[matrix.a, matrix.c, matrix.e], [matrix.b, matrix.d, matrix.f], [0, 0, 1]])


def _pixels_to_points(leaf: Any, page: Page) -> np.ndarray:
    """The affine map, float (3, 3), from the pixels of a page as given to points of the page as it is shown.

    The pixels are those of the whole page, or of the scan that fills it but for SCAN_EDGE.
    """
    width, height = given_size(page)
    area = whole = leaf.rect
    for info in leaf.get_image_info():
        if (width, height) in ((info["width"], info["height"]), (info["height"], info["width"])):
            box = pymupdf.Rect(info["bbox"]) * page_turn(leaf)
            beside, over = max(abs(box.x0), abs(box.x1 - whole.x1)), max(abs(box.y0), abs(box.y1 - whole.y1))
            if beside <= SCAN_EDGE * whole.width and over <= SCAN_EDGE * whole.height:
                area = box
    return np.array([[area.width / width, 0, area.x0], [0, area.height / height, area.y0], [0, 0, 1]])
