"""Searchable PDFs: what was there stays, and the text is found again, by several readers, where it is on the page."""

import io
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pypdf
import pytest
from fontTools.ttLib import TTFont
from PIL import Image

from docrec.document import Block, Box, Glyph, Line, Page, Scan
from docrec.errors import EncryptedError, OptionError
from docrec.options import WriteOptions
from docrec.source import open_source, page_turn
from docrec.writers import write
from docrec.writers.hidden import without_invisible_text

TEXTS = ("清风徐来，水波不兴。", "Latin words 与汉字 𠮷 x²", "竖排的字")
DPI = 144
EM = 30  # pixels


def line_at(left: float, top: float, text: str, vertical: bool = False) -> Line:
    """A line of characters as wide as they are high, letters half as wide."""
    glyphs, place = [], top if vertical else left
    for char in text:
        width = EM if ord(char) > 0x2E80 else EM / 2
        script = 1 if char == "²" else 0
        glyphs.append(Glyph("2" if script else char, place + 1, place + width - 1, 0.9, script=script))
        place += width
    box = Box(left, top, left + EM, place) if vertical else Box(left, top, place, top + EM)
    return Line(box, tuple(glyphs), vertical)


def page_read(index: int, width: float, height: float, scan: Scan | None = None) -> Page:
    """A page of points `width` × `height` with TEXTS on it, the last one vertical."""
    lines = line_at(100, 80, TEXTS[0]), line_at(100, 130, TEXTS[1]), line_at(80, 200, TEXTS[2], vertical=True)
    size = round(width * DPI / 72), round(height * DPI / 72)
    return Page(index, *size, DPI, (Block("text", lines),), scan=scan)


def pdf_of(pages: int = 1, **options: Any) -> bytes:
    """A PDF of pages of a square each."""
    with pymupdf.open() as document:
        for _ in range(pages):
            document.new_page(width=400, height=300).draw_rect((20, 20, 60, 60), fill=(0.5, 0.5, 0.5))
        return document.tobytes(**options)


def written(pages: Sequence[Page], *sources: bytes | str, password: str = "") -> bytes:
    stream = io.BytesIO()
    shares = [len(pages)] if len(sources) == 1 else [1] * len(sources)
    write(pages, stream, "pdf", WriteOptions(sources=tuple(zip(sources, shares, strict=True)), password=password))
    return stream.getvalue()


def bare(text: str) -> str:
    return "".join(text.split())


def boxes_of(page: Any) -> list[tuple[str, Any]]:
    """The characters on a page and their boxes as the page is shown."""
    lines = [line for block in page.get_text("rawdict")["blocks"] for line in block.get("lines", ())]
    chars = [char for line in lines for span in line["spans"] for char in span["chars"]]
    return [(char["c"], pymupdf.Rect(char["bbox"]) * page_turn(page)) for char in chars]


def assert_in_place(leaf: Any, page: Page, area: Any = None) -> None:
    """Each character of the page is found, in order, on the place it has on the page as given."""
    area = area or leaf.rect
    zoom = area.width / (page.scan or page).width
    found = boxes_of(leaf)
    expected = [(char, glyph, line) for line in page.lines for char, glyph in zip(line.text, line.glyphs, strict=True)]
    assert "".join(char for char, _ in found) == "".join(char for char, *_ in expected)
    for (char, box), (_, glyph, line) in zip(found, expected, strict=True):
        middle = (glyph.left + glyph.right) / 2
        across = (line.box.left + line.box.right) / 2, (line.box.top + line.box.bottom) / 2
        x, y = (across[0], middle) if line.vertical else (middle, across[1])
        given = page.scan.corners(Box(x, y, x, y))[0] if page.scan else (x, y)
        place = pymupdf.Point(given) * zoom + area.tl
        assert abs(place - (box.tl + box.br) / 2) < 0.15 * EM * zoom, char


def test_three_readers_give_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "out.pdf"
    path.write_bytes(written([page_read(0, 400, 300)], pdf_of()))
    expected = "\n".join(TEXTS)
    with pymupdf.open(path) as document:
        assert document[0].get_text().strip() == expected
        (hit,) = document[0].search_for("words")
        assert abs(hit.x0 - (100 + 6 * EM / 2) / 2) < 1
    assert bare(pypdf.PdfReader(path).pages[0].extract_text()) == bare(expected)
    if shutil.which("pdftotext"):
        text = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True).stdout.decode()
        assert text.strip() == expected
    if shutil.which("qpdf"):
        subprocess.run(["qpdf", "--check", path], check=True, capture_output=True)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (30, 20, 380, 290)])
def test_characters_are_on_their_places(rotation: int, crop: tuple[int, int, int, int] | None) -> None:
    with pymupdf.open("pdf", pdf_of()) as document:
        if crop:
            document[0].set_cropbox(pymupdf.Rect(crop))
        document[0].set_rotation(rotation)
        size = document[0].rect
        given = document.tobytes()
    page = page_read(0, size.width, size.height)
    with pymupdf.open("pdf", written([page], given)) as document:
        assert_in_place(document[0], page)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_user_units_are_minded(rotation: int) -> None:
    with pymupdf.open("pdf", pdf_of()) as document:
        document[0].set_rotation(rotation)
        document.xref_set_key(document[0].xref, "UserUnit", "2")
        size = document[0].rect
        given = document.tobytes()
    page = page_read(0, size.width, size.height)
    with pymupdf.open("pdf", written([page], given)) as document:
        assert_in_place(document[0], page)


@pytest.mark.parametrize(
    "matrix",
    [
        (0, -1, 600, 1, 0, 0, 0, 0, 1),  # was read turned by 90°
        (0.9962, -0.0872, 20, 0.0872, 0.9962, -10, 0, 0, 1),  # skewed by 5°
        (1, 0.05, 0, 0.02, 1, 0, 5e-5, 1e-4, 1),  # a photograph
        (0.5, 0, 10, 0, 0.5, 20, 0, 0, 1),  # enlarged and cut
    ],
)
def test_text_lies_on_the_page_as_given(matrix: tuple[float, ...]) -> None:
    page = page_read(0, 400, 300, Scan(800, 600, matrix))  # type: ignore[arg-type]
    with pymupdf.open("pdf", written([page], pdf_of())) as document:
        leaf = document[0]
        found = bare("".join(char for char, _ in boxes_of(leaf)))
        assert found == bare("".join(TEXTS))
        zoom = leaf.rect.width / 800
        for line in page.lines:
            for piece in ("风徐来", "Latin", "竖排"):
                if (start := line.text.find(piece)) < 0:
                    continue
                glyphs = line.glyphs[start : start + len(piece)]
                first, last = glyphs[0].left, glyphs[-1].right
                box = Box(line.box.left, first, line.box.right, last) if line.vertical else Box(first, line.box.top, last, line.box.bottom)
                place = pymupdf.Quad(*(pymupdf.Point(corner) * zoom for corner in _zigzag(Scan.corners(page.scan, box))))  # type: ignore[arg-type]
                (hit,) = leaf.search_for(piece, quads=True)
                center = (hit.rect.tl + hit.rect.br) / 2
                assert abs(center - (place.rect.tl + place.rect.br) / 2) < 0.15 * EM * zoom


def _zigzag(corners: Sequence[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    return corners[0], corners[1], corners[3], corners[2]


def test_a_scan_that_misses_the_edges_of_its_page() -> None:
    with pymupdf.open() as document:
        leaf = document.new_page(width=400, height=300)
        picture = io.BytesIO()
        Image.new("L", (794, 596), 255).save(picture, "PNG")
        leaf.insert_image(pymupdf.Rect(3, 2, 400, 300), stream=picture.getvalue())
        given = document.tobytes()
    page = page_read(0, 397, 298)
    with pymupdf.open("pdf", written([page], given)) as document:
        assert_in_place(document[0], page, pymupdf.Rect(3, 2, 400, 300))


def test_what_a_pdf_holds_stays_to_the_byte() -> None:
    with pymupdf.open("pdf", pdf_of(3)) as document:
        document[0].insert_link({"kind": pymupdf.LINK_URI, "uri": "https://example.org/", "from": pymupdf.Rect(20, 20, 60, 60)})
        document[1].add_text_annot((50, 50), "note")
        document.set_toc([[1, "第一章", 1], [2, "节", 3]])
        document.set_metadata({"title": "题目", "author": "someone"})
        document.set_page_labels([{"startpage": 0, "prefix": "A", "style": "r", "firstpagenum": 1}])
        document.set_xml_metadata("<x:xmpmeta xmlns:x='adobe:ns:meta/'/>")
        given = document.tobytes()
    result = written([page_read(index, 400, 300) for index in (2, 0)], given)
    assert result.startswith(given)
    with pymupdf.open("pdf", given) as before, pymupdf.open("pdf", result) as after:
        assert [bare(page.get_text()) for page in after] == [bare("".join(TEXTS)), "", bare("".join(TEXTS))]
        assert after[0].get_links()[0]["uri"] == "https://example.org/"
        assert next(after[1].annots()).info["content"] == "note"
        assert (after.get_toc(), after.metadata, after.get_page_labels()) == (before.get_toc(), before.metadata, before.get_page_labels())
        assert after.get_xml_metadata() == before.get_xml_metadata()
        for old, new in zip(before, after, strict=True):
            assert old.get_pixmap().samples == new.get_pixmap().samples, "the text must not show"


def test_a_second_run_adds_a_font_of_its_own() -> None:
    once = written([page_read(0, 400, 300)], pdf_of(2))
    other = Page(1, 800, 600, DPI, (Block("text", (line_at(100, 80, "别的话"),)),))
    with pymupdf.open("pdf", written([other], once)) as document:
        assert [bare(page.get_text()) for page in document] == [bare("".join(TEXTS)), "别的话"]


def test_lines_of_the_pages_own_text_are_not_written_again() -> None:
    with pymupdf.open("pdf", pdf_of()) as document:
        document[0].insert_text((50, 60), "原有文字", fontname="china-s", fontsize=15)
        given = document.tobytes()
    own = Line(Box(100, 90, 220, 120), tuple(Glyph(char, 100 + EM * i, 130 + EM * i, 1.0) for i, char in enumerate("原有文字")), layer=True)
    assert written([Page(0, 800, 600, DPI, (Block("text", (own,)),))], given) == given
    both = Page(0, 800, 600, DPI, (Block("text", (own, line_at(100, 200, "新读的"))),))
    with pymupdf.open("pdf", written([both], given)) as document:
        assert sorted(bare(document[0].get_text())) == sorted("原有文字新读的")


@pytest.mark.parametrize("in_form", [False, True])
def test_invisible_text_of_earlier_ocr_goes_if_it_was_not_used(in_form: bool) -> None:
    with pymupdf.open() as document:
        document.new_page(width=400, height=300).insert_text((50, 60), "wrong OCR", render_mode=3)
        document[0].insert_text((50, 160), "visible")
        given = document.tobytes()
    if in_form:
        with pymupdf.open("pdf", given) as inner, pymupdf.open() as document:
            document.new_page(width=400, height=300).show_pdf_page(pymupdf.Rect(0, 0, 400, 300), inner, 0)
            given = document.tobytes()
    with pymupdf.open("pdf", written([page_read(0, 400, 300)], given)) as document:
        text = bare(document[0].get_text())
        assert "wrong" not in text
        assert sorted(text) == sorted(bare("".join(TEXTS)) + "visible")
    used = Line(Box(100, 90, 300, 130), (Glyph("w", 100, 120, 1.0),), layer=True)
    page = Page(0, 800, 600, DPI, (Block("text", (used, line_at(100, 200, "新"))),))
    with pymupdf.open("pdf", written([page], given)) as document:
        assert "wrong" in document[0].get_text()


@pytest.mark.parametrize(
    ("content", "rest"),
    [
        (b"BT 3 Tr /F 9 Tf 1 0 0 1 5 5 Tm (a(b\\)c)) Tj [<00ff> -5 (x)]TJ ET", b"BT 3 Tr /F 9 Tf 1 0 0 1 5 5 Tm   ET"),
        (b"q 3 Tr Q BT (stays) Tj 3 Tr (goes) Tj 0 Tr (stays) ' ET", b"q 3 Tr Q BT (stays) Tj 3 Tr  0 Tr (stays) ' ET"),
        (b"3 Tr % (no) Tj\n/P <</MCID 0>> BDC (goes) Tj EMC", b"3 Tr % (no) Tj\n/P <</MCID 0>> BDC  EMC"),
        (b"3 Tr q BI /W 1 /H 1 ID \x00(\x01) Tj EI Q (goes) Tj", b"3 Tr q BI /W 1 /H 1 ID \x00(\x01) Tj EI Q "),
        (b"BT 7 Tr (clips) Tj ET", b"BT 7 Tr (clips) Tj ET"),
    ],
)
def test_invisible_text_is_taken_out_of_content(content: bytes, rest: bytes) -> None:
    assert without_invisible_text(content) == rest


@pytest.mark.parametrize("resources", ["inherited", "none", "shared"])
def test_odd_pages(resources: str) -> None:
    with pymupdf.open("pdf", pdf_of(2)) as document:
        first, second = (page.xref for page in document)
        document.update_stream(document[0].get_contents()[0], b"q q 0.5 0 0 0.5 9 9 cm 1 0 0 rg 20 20 40 40 re f")  # never restored
        if resources == "shared":
            shared = document.get_new_xref()
            document.update_object(shared, "<<>>")
            for page in (first, second):
                document.xref_set_key(page, "Resources", f"{shared} 0 R")
        else:
            document.xref_set_key(first, "Resources", "null")
            if resources == "inherited":
                parent = document.xref_get_key(first, "Parent")[1].split()[0]
                document.xref_set_key(int(parent), "Resources", "<</ProcSet[/PDF]>>")
        document.xref_set_key(second, "Contents", "null")
        given = document.tobytes()
    pages = [page_read(index, 400, 300) for index in range(2)]
    with pymupdf.open("pdf", written(pages, given)) as document:
        for leaf, page in zip(document, pages, strict=True):
            assert_in_place(leaf, page)


def test_encryption_is_kept() -> None:
    given = pdf_of(encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="open", owner_pw="own", permissions=pymupdf.PDF_PERM_PRINT)
    with pytest.raises(EncryptedError):
        written([page_read(0, 400, 300)], given)
    with pymupdf.open("pdf", written([page_read(0, 400, 300)], given, password="open")) as document:
        assert document.needs_pass
        assert document.authenticate("open")
        assert not document.permissions & pymupdf.PDF_PERM_MODIFY
        assert bare(document[0].get_text()) == bare("".join(TEXTS))


def test_a_damaged_pdf_is_written_anew() -> None:
    given = pdf_of(2)
    damaged = given[: given.rindex(b"xref\n0")]
    with pymupdf.open("pdf", written([page_read(1, 400, 300)], damaged)) as document:
        assert not document.is_repaired
        assert [bare(page.get_text()) for page in document] == ["", bare("".join(TEXTS))]


def test_a_document_without_text_stays_as_it_is() -> None:
    given = pdf_of(2)
    assert written([Page(0, 800, 600, DPI, ())], given) == given


def test_the_font_is_what_pdf_a_asks_for() -> None:
    """ISO 19005-2, sections 6.2.11.3 to 6.2.11.8."""
    page: Any = pypdf.PdfReader(io.BytesIO(written([page_read(0, 400, 300)], pdf_of()))).pages[0]
    ((name, font),) = page["/Resources"]["/Font"].items()
    (descendant,) = (entry.get_object() for entry in font["/DescendantFonts"])
    assert (font["/Encoding"], descendant["/CIDSystemInfo"]["/Ordering"]) == ("/Identity-H", "Identity")
    assert font["/BaseFont"] == descendant["/BaseFont"] == descendant["/FontDescriptor"]["/FontName"]
    data = descendant["/FontDescriptor"]["/FontFile2"].get_data()
    assert len(data) < 1000
    with TTFont(io.BytesIO(data), checkChecksums=2) as truetype:
        assert {width * 1000 // truetype["head"].unitsPerEm for width, _ in truetype["hmtx"].metrics.values()} == {descendant["/DW"]}
        glyphs = len(truetype.getGlyphOrder())
    content = page.get_contents().get_data()
    assert set(re.findall(rb"/(\w+) [\d.]+ Tf", content)) == {name[1:].encode()}
    assert re.findall(rb"(\d) Tr", content) == [b"3"]
    codes = {int(code, 16) for text in re.findall(rb"<(\w+)>Tj", content) for code in re.findall(b"....", text)}
    to_glyph = descendant["/CIDToGIDMap"].get_data()
    assert {0 < int.from_bytes(to_glyph[2 * code :][:2], "big") < glyphs for code in codes} == {True}, "none shows .notdef, glyph 0"
    sections = b"".join(re.findall(rb"beginbfchar(.*?)endbfchar", font["/ToUnicode"].get_data(), re.DOTALL))
    to_unicode = dict(re.findall(rb"<(\w+)> <(\w+)>", sections))
    assert {int(code, 16) for code in to_unicode} == codes
    assert {bytes.fromhex(char.decode()).decode("utf-16-be") for char in to_unicode.values()} == set("".join(TEXTS))


# Pictures


def picture(mode: str, **options: Any) -> bytes:
    """A PNG of 80 × 60 pixels of all values."""
    pixels = np.add.outer(np.arange(60) * 3, np.arange(80)).astype(np.uint8)
    image = Image.fromarray(pixels)
    if mode == "RGBA":
        image = Image.merge("RGBA", [image, image.rotate(180), image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), image])
    elif mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 200)
    elif mode == "P":
        image = image.convert("RGB").quantize(5)
    elif mode != "L":
        image = image.convert(mode)
    stream = io.BytesIO()
    options = {"format": "PNG", "dpi": (DPI, DPI)} | options
    image.save(stream, **options)
    return stream.getvalue()


def image_of(data: bytes) -> tuple[Any, bytes]:
    """The first image of a PDF as PyMuPDF decodes it, and its stored bytes."""
    with pymupdf.open("pdf", data) as document:
        xref = document[0].get_images()[0][0]
        return pymupdf.Pixmap(document, xref), document.xref_stream_raw(xref)


def picture_page(index: int = 0, texts: Sequence[str] = ("字",)) -> Page:
    return Page(index, 80, 60, DPI, (Block("text", tuple(line_at(10, 5 + 20 * row, text) for row, text in enumerate(texts))),))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "I;16", "RGBA"])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_pictures_keep_every_pixel(mode: str, form: str) -> None:
    given = picture(mode, format=form)
    result = written([picture_page()], given)
    pixmap, stored = image_of(result)
    with Image.open(io.BytesIO(given)) as image:
        deep = mode == "I;16"
        expected = np.asarray(image) >> 8 if deep else np.asarray(image.convert({"1": "L", "L": "L"}.get(mode, "RGB")))
    found = np.frombuffer(pixmap.samples, np.uint8).reshape(60, 80, -1)[:, :, : 1 if expected.ndim == 2 else 3]
    assert np.abs(found.squeeze().astype(int) - expected).max() <= (1 if deep else 0)
    if mode in ("L", "P", "RGB", "I;16") and form == "PNG":
        assert stored in given, "a PNG goes in as it is"
    with pymupdf.open("pdf", result) as document:
        assert document[0].rect == pymupdf.Rect(0, 0, 40, 30)
        assert document[0].get_text().strip() == "字"


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_a_jpeg_goes_in_unchanged(mode: str) -> None:
    given = picture(mode, format="JPEG")
    pixmap, stored = image_of(written([picture_page()], given))
    assert stored == given
    with Image.open(io.BytesIO(given)) as image:
        assert abs(np.mean(np.asarray(image)) - np.mean(np.frombuffer(pixmap.samples, np.uint8))) < 2


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_as_they_are_read(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    given = picture("L", exif=exif)
    with open_source(io.BytesIO(given)) as source:
        (read,) = source
    height, width = read.gray.shape
    page = Page(0, width, height, DPI, (Block("text", (line_at(10, 10, "字"),)),))
    with pymupdf.open("pdf", written([page], given)) as document:
        shown = document[0].get_pixmap(dpi=DPI, colorspace=pymupdf.csGRAY)
        assert (shown.width, shown.height) == (width, height)
        assert np.abs(np.frombuffer(shown.samples, np.uint8).reshape(height, width).astype(int) - read.gray).mean() < 3
        assert_in_place(document[0], page)


def test_pages_of_several_pictures_keep_their_order() -> None:
    frames = [Image.new("1", (80, 60), 1) for _ in range(3)]
    stream = io.BytesIO()
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:], compression="group4", dpi=(72, 72))
    pages = [picture_page(2, "三"), picture_page(0, "一"), picture_page(0, "四")]
    options = WriteOptions(sources=((stream.getvalue(), 2), (picture("L"), 1)))
    result = io.BytesIO()
    write(iter(pages), result, "pdf", options)
    with pymupdf.open("pdf", result.getvalue()) as document:
        assert [page.get_text().strip() for page in document] == ["一", "", "三", "四"]
        assert [page.rect.width for page in document] == [80, 80, 80, 40]


def test_pictures_are_written_as_they_are_read() -> None:
    sizes: list[int] = []

    class Stream(io.BytesIO):
        def flush(self) -> None:
            sizes.append(len(self.getvalue()))

    given = picture("L")
    write([picture_page()] * 5, Stream(), "pdf", WriteOptions(sources=((given, 1),) * 5))
    assert [size > (row + 1) * len(given) * 0.9 for row, size in enumerate(sizes[:5])] == [True] * 5


def test_a_damaged_picture_leaves_a_blank_page() -> None:
    given = picture("L")
    given = given[: len(given) // 2]
    blank = Page(0, 800, 600, DPI, ())
    with pymupdf.open("pdf", written([blank, picture_page()], given, picture("L"))) as document:
        assert [page.rect for page in document] == [pymupdf.Rect(0, 0, 400, 300), pymupdf.Rect(0, 0, 40, 30)]
        assert not document[0].get_images()


def test_what_cannot_be_one_pdf_is_refused() -> None:
    with pytest.raises(OptionError, match="made of one PDF, or of pictures"):
        written([page_read(0, 400, 300), picture_page()], pdf_of(), picture("L"))
    with pytest.raises(OptionError, match="needs the document that was read"):
        write([picture_page()], io.BytesIO(), "pdf")
