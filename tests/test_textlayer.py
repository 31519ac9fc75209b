"""A page's own text is used where it is sound, and read where it is not."""

import io
import re
import struct
from collections.abc import Sequence
from typing import Any

import pymupdf
import pytest
from PIL import Image

import docrec
from docrec.document import Page
from docrec.errors import InputFileError
from docrec.options import ReadOptions, WriteOptions
from docrec.recognizer import Recognizer
from docrec.source import PageImage
from docrec.textlayer import with_layer_upright
from docrec.writers import write as write_pages

LINES = ["春天来了，山坡上的杏花开得正好。", "村里的人家把种子搬到院子里晾晒，", "孩子们在溪边放风筝，一直玩到天黑。"]
OTHER = ["本人声明所呈交的学位论文是本人在", "导师指导下进行的研究工作及取得的", "成果没有抄袭他人已经发表的内容呢"]
WIDTH, HEIGHT = 400, 300


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return docrec.load(device="cpu")


def write(page: pymupdf.Page, lines: Sequence[str] = LINES, top: float = 60, **how: Any) -> None:
    for row, line in enumerate(lines):
        page.insert_text((60, top + 25 * row), line, **{"fontname": "china-s", "fontsize": 14, **how})


def typeset(lines: Sequence[str] = LINES, **how: Any) -> pymupdf.Document:
    pdf = pymupdf.open()
    write(pdf.new_page(width=WIDTH, height=HEIGHT), lines, **how)
    return pdf


def scan(lines: Sequence[str] = LINES) -> pymupdf.Document:
    """A page that is a picture of text."""
    pdf = pymupdf.open()
    page = pdf.new_page(width=WIDTH, height=HEIGHT)
    page.insert_image(page.rect, stream=typeset(lines)[0].get_pixmap(dpi=200, colorspace="gray").tobytes("png"))
    return pdf


def mapped(cmap: bytes) -> pymupdf.Document:
    """A typeset page whose font maps its glyphs so: an embedded font, as these are the glyphs' numbers."""
    pdf = pymupdf.open()
    page = pdf.new_page(width=WIDTH, height=HEIGHT)
    page.insert_font(fontname="F", fontbuffer=pymupdf.Font("china-s").buffer)
    write(page, fontname="F")
    (number,) = (int(pdf.xref_get_key(xref, "ToUnicode")[1].split()[0]) for xref, *_ in page.get_fonts())
    head, _, tail = re.split(rb"(\d+ beginbf.*endbf\w+)", pdf.xref_stream(number), flags=re.DOTALL)
    pdf.update_stream(number, head + cmap + tail)
    return pdf


def read(recognizer: Recognizer, pdf: pymupdf.Document, **options: Any) -> list[Page]:
    return list(docrec.recognize(io.BytesIO(pdf.tobytes()), recognizer, ReadOptions(**options)))


def read_one(recognizer: Recognizer, pdf: pymupdf.Document, **options: Any) -> Page:
    (page,) = read(recognizer, pdf, **options)
    return page


def texts(page: Page) -> list[str]:
    return [line.text for line in page.lines]


def test_a_sound_layer_is_used(recognizer: Recognizer) -> None:
    page = read_one(recognizer, typeset())
    assert texts(page) == LINES
    assert page.layer
    assert all(line.layer and line.confidence == 1 for line in page.lines)
    assert page.steps == ("its own text layer is used",)


def test_glyphs_stand_where_the_document_has_them(recognizer: Recognizer) -> None:
    page = read_one(recognizer, typeset())
    scale = 72 / page.dpi
    glyphs = page.lines[0].glyphs
    assert [glyph.left * scale for glyph in glyphs] == pytest.approx([60 + 14 * index for index in range(len(glyphs))], abs=0.1)


def test_what_cannot_be_read_is_used_too(recognizer: Recognizer) -> None:
    rare = "龘靐齉爩鱻麤龗灪吁龖"
    assert texts(read_one(recognizer, typeset([*LINES, rare]))) == [*LINES, rare]


@pytest.mark.parametrize("mode", ["auto", "skip", "redo"])
def test_a_scan_without_text_is_read(recognizer: Recognizer, mode: str) -> None:
    page = read_one(recognizer, scan(), mode=mode)
    assert texts(page) == LINES
    assert not page.layer


def test_force_reads_every_page(recognizer: Recognizer) -> None:
    page = read_one(recognizer, typeset(), mode="force")
    assert texts(page) == LINES
    assert not page.layer
    assert page.steps == ()


def test_a_font_that_maps_to_other_characters_is_found_out(recognizer: Recognizer) -> None:
    pdf = mapped(b"1 beginbfrange\n<0000> <ffff> <3400>\nendbfrange\n")
    assert texts(read_one(recognizer, pdf, mode="skip")) != LINES, "what its layer says"
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES
    assert page.steps == ("its own text layer is not used, as it says something else than the page shows",)


@pytest.mark.parametrize("cmap", [b"1 beginbfrange\n<0000> <1800> <e000>\nendbfrange\n", b"1 beginbfchar\n<0000> <0020>\nendbfchar\n"])
def test_a_font_that_maps_to_nothing_is_read(recognizer: Recognizer, cmap: bytes) -> None:
    page = read_one(recognizer, mapped(cmap))
    assert texts(page) == LINES
    assert not page.layer


def test_a_line_with_an_unmapped_character_is_read(recognizer: Recognizer) -> None:
    pdf = mapped(b"1 beginbfrange\n<0000> <1800> <e000>\nendbfrange\n")
    write(pdf[0], OTHER, top=160)
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES + OTHER
    assert [line.layer for line in page.lines] == [False] * 3 + [True] * 3
    assert page.steps == ("its own text layer is used but for 3 lines, as characters in it have no Unicode",)


@pytest.mark.parametrize(("mode", "kept"), [("auto", True), ("skip", True), ("redo", False), ("force", False)])
def test_invisible_text_that_is_right_is_used_unless_redone(recognizer: Recognizer, mode: str, kept: bool) -> None:
    pdf = scan()
    write(pdf[0], render_mode=3)
    page = read_one(recognizer, pdf, mode=mode)
    assert texts(page) == LINES
    assert page.layer == kept


def test_invisible_text_that_is_wrong_is_left(recognizer: Recognizer) -> None:
    pdf = scan()
    wrong = [line.replace("的", "旳").replace("子", "孑").replace("天", "夭") for line in LINES]
    write(pdf[0], wrong, render_mode=3)
    assert texts(read_one(recognizer, pdf)) == LINES
    assert texts(read_one(recognizer, pdf, mode="skip")) == wrong


def test_invisible_text_that_lies_elsewhere_is_left(recognizer: Recognizer) -> None:
    pdf = scan()
    write(pdf[0], top=200, render_mode=3)
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES
    assert not page.layer


def test_text_under_a_scan_counts_as_invisible(recognizer: Recognizer) -> None:
    pdf = typeset(OTHER)
    pdf[0].insert_image(pdf[0].rect, stream=scan()[0].get_pixmap(dpi=200).tobytes("png"))
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES
    assert not page.layer


def test_a_scanned_figure_in_a_typeset_page_is_read(recognizer: Recognizer) -> None:
    pdf = typeset()
    pixels = typeset(OTHER)[0].get_pixmap(dpi=200, colorspace="gray", clip=(50, 40, 320, 120))
    pdf[0].insert_image((50, 150, 320, 230), stream=pixels.tobytes("png"))
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES + OTHER
    assert [line.layer for line in page.lines] == [True] * 3 + [False] * 3


def test_white_text_and_text_drawn_twice_are_seen_as_they_look(recognizer: Recognizer) -> None:
    pdf = typeset()
    write(pdf[0], OTHER, top=160, color=(1, 1, 1))
    pdf[0].insert_text((60.4, 60), LINES[0], fontname="china-s", fontsize=14)
    assert texts(read_one(recognizer, pdf)) == LINES


def test_spaces_are_found_where_the_document_has_none(recognizer: Recognizer) -> None:
    pdf = typeset()
    for place, word in zip((60, 97, 141), ("Latin", "words", "apart"), strict=True):
        pdf[0].insert_text((place, 135), word, fontname="helv", fontsize=14)
    assert texts(read_one(recognizer, pdf)) == [*LINES, "Latin words apart"]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("unit", ["1", "1.5"])
def test_turned_and_cropped_pages(recognizer: Recognizer, rotation: int, unit: str) -> None:
    pdf = typeset()
    pdf.xref_set_key(pdf[0].xref, "UserUnit", unit)
    pdf[0].set_cropbox(pymupdf.Rect(30, 20, WIDTH - 10, HEIGHT - 40))
    pdf[0].set_rotation(rotation)
    page = read_one(recognizer, pdf)
    assert texts(page) == LINES
    assert page.layer


def test_fields_and_notes_are_part_of_the_page(recognizer: Recognizer) -> None:
    pdf = typeset()
    field = pymupdf.Widget()
    field.rect, field.field_type, field.field_name = pymupdf.Rect(60, 150, 250, 175), pymupdf.PDF_WIDGET_TYPE_TEXT, "a"
    field.field_value, field.text_fontsize = "field value", 14
    pdf[0].add_widget(field)
    pdf[0].add_freetext_annot((60, 200, 250, 225), "written note", fontsize=14)
    assert texts(read_one(recognizer, pdf)) == [*LINES, "field value", "written note"]


def test_pages_with_layers_come_one_by_one(recognizer: Recognizer, monkeypatch: pytest.MonkeyPatch) -> None:
    pdf = typeset()
    pdf.insert_pdf(typeset())
    taken: list[int] = []
    def with_layer(page: PageImage) -> PageImage:
        taken.append(page.index)
        return with_layer_upright(page)

    monkeypatch.setattr("docrec.pipeline.with_layer_upright", with_layer)
    next(docrec.recognize(io.BytesIO(pdf.tobytes()), recognizer))
    assert taken == [0]


def saved(image: Image.Image, form: str, **settings: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **settings)
    return buffer.getvalue()


def g4(image: Image.Image) -> bytes:
    """A bilevel image as CCITT Group 4, in one strip."""
    tiff = saved(image, "TIFF", compression="group4", tiffinfo={278: image.height, 262: 0})  # RowsPerStrip; white is 0
    tags = Image.open(io.BytesIO(tiff)).tag_v2  # type: ignore[attr-defined]
    return tiff[tags[273][0] :][: tags[279][0]]


def jbig2(image: Image.Image) -> bytes:
    """A bilevel image as an embedded JBIG2 stream, a page and on it a generic region in MMR: ITU-T T.88, sections 7.2, 7.4.6 and 7.4.8."""
    page = struct.pack(">IIIIBH", *image.size, 0, 0, 0, 0)
    region = struct.pack(">IIIIBB", *image.size, 0, 0, 0, 1) + g4(image)
    segments = enumerate([(48, page), (38, region)])
    return b"".join(struct.pack(">IBBBI", number, kind, 0, 1, len(data)) + data for number, (kind, data) in segments)


@pytest.mark.parametrize("coding", ["JBIG2Decode", "CCITTFaxDecode", "JPXDecode"])
def test_scans_of_odd_codings_are_read_and_stay(recognizer: Recognizer, coding: str) -> None:
    pixels = typeset()[0].get_pixmap(dpi=200, colorspace="gray")
    image = Image.frombytes("L", (pixels.width, pixels.height), pixels.samples)
    if coding == "JPXDecode":
        bits, data = 8, saved(image, "JPEG2000")
    else:
        bits, data = 1, (jbig2 if coding == "JBIG2Decode" else g4)(image.convert("1"))
    pdf = pymupdf.open()
    page = pdf.new_page(width=WIDTH, height=HEIGHT)
    page.insert_image(page.rect, stream=saved(Image.new("L", image.size), "PNG"))
    xref = page.get_images()[0][0]
    pdf.update_object(xref, f"<</Subtype/Image/Width {image.width}/Height {image.height}/BitsPerComponent {bits}/ColorSpace/DeviceGray>>")
    pdf.update_stream(xref, data, new=True, compress=False)
    pdf.xref_set_key(xref, "Filter", f"/{coding}")
    if coding == "CCITTFaxDecode":
        pdf.xref_set_key(xref, "DecodeParms", f"<</K -1/Columns {image.width}/Rows {image.height}>>")
    given, out = pdf.tobytes(), io.BytesIO()
    read_page = read_one(recognizer, pdf)
    assert texts(read_page) == LINES
    write_pages([read_page], out, "pdf", WriteOptions(sources=((given, 1),)))
    assert out.getvalue().startswith(given)
    with pymupdf.open("pdf", out.getvalue()) as after:
        assert after[0].get_text().split() == LINES
        xref = after[0].get_images()[0][0]
        assert after.xref_get_key(xref, "Filter") == ("name", f"/{coding}")
        assert after.xref_stream_raw(xref) == data


def test_a_portfolio_names_what_is_attached(recognizer: Recognizer) -> None:
    pdf = typeset()
    pdf.embfile_add("contract.pdf", typeset().tobytes())
    assert texts(read_one(recognizer, pdf)) == LINES, "a document with something attached is no portfolio"
    pdf.xref_set_key(pdf.pdf_catalog(), "Collection", "<</View/D>>")
    with pytest.raises(InputFileError, match=r"portfolio.* 1 files .*contract\.pdf"):
        read(recognizer, pdf)
