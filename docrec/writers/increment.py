"""A PDF with text added to its pages: the file as it was, followed by what changes in it."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import numpy as np

from docrec.document import Page
from docrec.source import SCAN_EDGE
from docrec.writers.glyphless import Glyphless
from docrec.writers.objects import PdfObject
from docrec.writers.text_layer import page_to_content

_PIECE = 1 << 20  # bytes read at once


def pdf_with_text(pages: Iterable[Page], document: str | bytes, password: str) -> Iterator[bytes]:
    """The PDF followed by what the text changes in it, so that all that it holds stays, to the byte; a damaged one is written anew."""
    import pymupdf

    with tempfile.TemporaryDirectory(prefix="docrec-") as folder:
        path = Path(folder, "with-text.pdf")
        if isinstance(document, bytes):
            path.write_bytes(document)
        else:
            copyfile(document, path)
        file = pymupdf.open(path, filetype="pdf")
        with file:
            file.authenticate(password)
            font, first = Glyphless(), 0
            seen: set[int] = set()  # pages may be the same object
            for page in pages:
                leaf = file.load_page(page.index)
                first = first or _new_objects(file, Glyphless.OBJECTS)
                name = f"docrec{first}"  # no font of an earlier run has this number
                content = page_to_content(page, _to_points(leaf, page), font, name)
                if content and leaf.xref not in seen:
                    seen.add(leaf.xref)
                    _add_content(leaf, content, name, first)
                pymupdf.TOOLS.store_shrink(100)
                yield b""
            for place, body in enumerate(font.objects(first) if seen else ()):
                _put(file, first + place, body)
            if seen and file.can_save_incrementally():
                file.saveIncr()
            elif seen:
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


def _add_content(leaf: Any, content: bytes, name: str, font: int) -> None:
    """Put a content stream before those of a page, where the graphics state is that of the page, and give it its font."""
    from pymupdf import mupdf

    file = leaf.parent
    number = _new_objects(file, 1)
    _put(file, number, PdfObject("", content))
    file.xref_set_key(leaf.xref, "Contents", f"[{' '.join(f'{stream} 0 R' for stream in (number, *leaf.get_contents()))}]")
    pdf = mupdf.pdf_document_from_fz_document(file.this)
    page = mupdf.pdf_new_indirect(pdf, leaf.xref, 0)
    resources = mupdf.pdf_dict_get_inheritable(page, mupdf.pdf_new_name("Resources"))
    if not mupdf.pdf_is_dict(resources):
        resources = mupdf.pdf_dict_put_dict(page, mupdf.pdf_new_name("Resources"), 1)
    fonts = mupdf.pdf_dict_get(resources, mupdf.pdf_new_name("Font"))
    if not mupdf.pdf_is_dict(fonts):
        fonts = mupdf.pdf_dict_put_dict(resources, mupdf.pdf_new_name("Font"), 1)
    mupdf.pdf_dict_put(fonts, mupdf.pdf_new_name(name), mupdf.pdf_new_indirect(pdf, font, 0))


def _to_points(leaf: Any, page: Page) -> np.ndarray:
    """The homography, float (3, 3), from the pixels of a page as given to the user space of its PDF page."""
    from pymupdf import mupdf

    width, height = (page.scan or page).width, (page.scan or page).height
    area = _scanned_area(leaf, width, height) or leaf.rect
    scale = np.array([[area.width / width, 0, area.x0], [0, area.height / height, area.y0], [0, 0, 1]])
    box, matrix = mupdf.FzRect(), mupdf.FzMatrix()
    mupdf.pdf_page_transform(mupdf.pdf_page_from_fz_page(leaf.this), box, matrix)
    a, b, c, d, e, f = matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f
    return np.linalg.inv([[a, c, e], [b, d, f], [0, 0, 1]]) @ scale


def _scanned_area(leaf: Any, width: int, height: int) -> Any:
    """Where the picture of these pixels, turned or not, is on the page, if it fills it but for SCAN_EDGE."""
    from pymupdf import Rect

    page = leaf.rect
    for info in leaf.get_image_info():
        area = Rect(info["bbox"]) * leaf.rotation_matrix
        misses = (abs(area.x0), abs(area.x1 - page.x1)), (abs(area.y0), abs(area.y1 - page.y1))
        fills = max(misses[0]) <= SCAN_EDGE * page.width and max(misses[1]) <= SCAN_EDGE * page.height
        if fills and (width, height) in ((info["width"], info["height"]), (info["height"], info["width"])):
            return area
    return None
