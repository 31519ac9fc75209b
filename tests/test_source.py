"""Documents of every kind become pages of dark ink on light paper, and bad ones say what is wrong."""

import io
import logging
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageSequence

from docrec.errors import EncryptedError, FileAccessError, InputFileError, OptionError
from docrec.options import ReadOptions
from docrec.source import DEFAULT_DPI, MAX_PIXELS, PageImage, Source, open_source


def make_page(width: int = 400, height: int = 600) -> np.ndarray:
    """White paper with a dark L that looks different turned or mirrored in any way."""
    page = np.full((height, width), 255, np.uint8)
    page[20:40, 20 : width // 2] = 0
    page[20 : height // 2, 20:30] = 0
    return page


def encode(image: Image.Image | np.ndarray, form: str = "PNG", **settings: Any) -> bytes:
    buffer = io.BytesIO()
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(buffer, form, **settings)
    return buffer.getvalue()


def make_pdf(*sizes: float, text: str = "The quick brown fox jumps over the lazy dog") -> pymupdf.Document:
    """A page of text for each font size."""
    pdf = pymupdf.open()
    for size in sizes:
        pdf.new_page().insert_text((72, 144), text, fontsize=size)
    return pdf


def make_scan_pdf(image: bytes, turned: int = 0, width: float = 288, height: float = 432) -> pymupdf.Document:
    """A page that consists of one image, drawn turned by so many degrees."""
    pdf = pymupdf.open()
    page = pdf.new_page(width=height if turned % 180 else width, height=width if turned % 180 else height)
    page.insert_image(page.rect, stream=image, rotate=turned)
    return pdf


def read(document: bytes | pymupdf.Document, **options: Any) -> list[PageImage]:
    data = document if isinstance(document, bytes) else document.tobytes()
    with open_source(io.BytesIO(data), ReadOptions(**options)) as source:
        return list(source)


def read_one(document: bytes | pymupdf.Document, **options: Any) -> PageImage:
    (page,) = read(document, **options)
    assert page.gray.dtype == np.uint8
    assert page.gray.ndim == 2
    return page


def assert_alike(one: np.ndarray, other: np.ndarray, tolerance: float = 2) -> None:
    """The same size, and pixels that differ by at most `tolerance` grey levels in the mean."""
    assert one.shape == other.shape
    assert np.abs(one.astype(int) - other).mean() <= tolerance


# PDF: resolution


@pytest.mark.parametrize(("size", "dpi"), [(12, 192), (10.5, 219), (9, 256), (30, 150), (6, 300)])
def test_a_text_page_is_drawn_so_that_its_em_is_32_pixels(size: float, dpi: int) -> None:
    page = read_one(make_pdf(size))
    assert page.dpi == dpi
    assert page.gray.shape == pytest.approx((842 * dpi / 72, 595 * dpi / 72), abs=1)
    assert page.gray.min() < 50
    assert np.median(page.gray) == 255


def test_the_commonest_font_size_decides() -> None:
    pdf = make_pdf(12)
    pdf[0].insert_text((72, 300), "A title", fontsize=40)
    assert read_one(pdf).dpi == 192


def test_a_page_without_text_has_the_default_resolution() -> None:
    pdf = pymupdf.open()
    pdf.new_page()
    assert read_one(pdf).dpi == DEFAULT_DPI


def test_dpi_asked_for_overrides() -> None:
    assert read_one(make_pdf(12), dpi=100).gray.shape == pytest.approx((842 * 100 / 72, 595 * 100 / 72), abs=1)
    assert read_one(make_scan_pdf(encode(make_page())), dpi=200).gray.shape == (1200, 800)


def test_a_vast_page_is_drawn_at_a_lower_resolution(caplog: pytest.LogCaptureFixture) -> None:
    pdf = pymupdf.open()
    pdf.new_page(width=14400, height=14400)
    page = read_one(pdf, dpi=72)
    assert page.gray.size <= MAX_PIXELS * 1.001
    assert page.dpi == pytest.approx(50)
    assert "too large for 72 dpi" in caplog.text


# PDF: scans


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_scan_is_taken_as_stored_and_upright(turned: int, rotation: int) -> None:
    pdf = make_scan_pdf(encode(make_page()), turned)
    pdf[0].set_rotation(rotation)
    page = read_one(pdf)
    assert page.dpi == pytest.approx(100)
    assert any(np.array_equal(page.gray, np.rot90(make_page(), quarter)) for quarter in range(4))
    assert_alike(page.gray, read_one(pdf, dpi=100).gray)


def test_a_mirrored_scan_is_seen_mirrored() -> None:
    pdf = make_scan_pdf(encode(make_page()))
    pdf.update_stream(pdf[0].get_contents()[0], b"q -288 0 0 432 288 0 cm /fzImg0 Do Q")
    assert np.array_equal(read_one(pdf).gray, make_page()[:, ::-1])


def test_a_scan_of_part_of_a_cropped_page_is_taken_as_stored() -> None:
    pdf = pymupdf.open()
    page = pdf.new_page(width=388, height=532)
    page.insert_image((50, 50, 338, 482), stream=encode(make_page()))
    page.set_cropbox(pymupdf.Rect(50, 50, 338, 482))
    assert np.array_equal(read_one(pdf).gray, make_page())


@pytest.mark.parametrize(
    "image",
    [
        encode(Image.fromarray(make_page()).convert("1")),
        encode(Image.fromarray(make_page()).convert("1"), "TIFF", compression="group4"),
        encode(Image.fromarray(make_page()).convert("P")),
        encode(Image.fromarray(make_page()).convert("RGB"), "JPEG"),
        encode(Image.fromarray(make_page()).convert("CMYK"), "JPEG"),
    ],
    ids=["1-bit", "fax", "palette", "jpeg", "cmyk jpeg"],
)
def test_scans_of_every_encoding_look_as_a_viewer_shows_them(image: bytes) -> None:
    pdf = make_scan_pdf(image)
    page = read_one(pdf)
    assert page.dpi == pytest.approx(100)
    assert_alike(page.gray, make_page(), 4)
    assert_alike(page.gray, read_one(pdf, dpi=100).gray, 4)


def test_a_scan_stored_inverted_is_seen_upright_and_dark_on_light() -> None:
    pdf = make_scan_pdf(encode(255 - make_page()))
    pdf.xref_set_key(pdf[0].get_images()[0][0], "Decode", "[1 0]")
    assert np.array_equal(read_one(pdf).gray, make_page())


def test_an_invisible_text_layer_leaves_a_scan_as_stored() -> None:
    pdf = make_scan_pdf(encode(make_page()))
    pdf[0].insert_text((50, 300), "recognised before", fontsize=8, render_mode=3)
    assert np.array_equal(read_one(pdf).gray, make_page())


def test_what_is_drawn_over_a_scan_is_seen() -> None:
    pdf = make_scan_pdf(encode(make_page()))
    pdf[0].insert_text((50, 300), "stamped later", fontsize=12)
    page = read_one(pdf)
    assert page.dpi == 192  # the text's
    assert page.gray[page.gray.shape[0] // 2 + 5 :].min() < 50  # where the scan is white


def test_a_translucent_page_image_does_not_hide_what_lies_below() -> None:
    pdf = make_pdf(12)
    veil = Image.new("LA", (400, 600), (255, 100))
    pdf[0].insert_image(pdf[0].rect, stream=encode(veil), keep_proportion=False)
    assert read_one(pdf).gray.min() < 200


def test_annotations_are_seen() -> None:
    pdf = make_scan_pdf(encode(np.full((600, 400), 255, np.uint8)))
    assert read_one(pdf).gray.min() == 255
    pdf[0].add_freetext_annot((50, 200, 250, 260), "a note", fontsize=20)
    assert read_one(pdf).gray.min() < 100


def test_a_page_of_image_strips_is_drawn_at_their_resolution() -> None:
    pdf = pymupdf.open()
    page = pdf.new_page(width=288, height=432)
    scan = np.kron(make_page(), np.ones((2, 2), np.uint8))  # 200 dpi
    for top in (0, 1):
        page.insert_image((0, 216 * top, 288, 216 * (top + 1)), stream=encode(scan[600 * top : 600 * (top + 1)]))
    image = read_one(pdf)
    assert image.dpi == 200
    assert_alike(image.gray, scan)


# PDF: pages


def test_pages_come_in_the_order_asked_for_and_keep_their_numbers() -> None:
    pdf = make_pdf(8, 10, 12, 14)
    with open_source(io.BytesIO(pdf.tobytes()), ReadOptions(pages="4,1-2")) as source:
        assert len(source) == 3
        pages = list(source)
    assert [page.index for page in pages] == [3, 0, 1]
    assert [page.dpi for page in pages] == [165, 288, 230]


def test_a_source_can_be_read_twice_and_page_by_page() -> None:
    with open_source(io.BytesIO(make_pdf(10, 12).tobytes())) as source:
        assert next(iter(source)).index == 0
        assert [page.index for page in source] == [0, 1]


def test_pages_out_of_range_name_the_page_count() -> None:
    with pytest.raises(OptionError, match="2 pages"):
        read(make_pdf(10, 12), pages="3")
    with pytest.raises(OptionError, match="1 page,"):
        read(encode(make_page()), pages="2-end")


def test_a_pdf_is_known_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "scan.png"
    path.write_bytes(b"junk before the header\n" + make_pdf(12).tobytes())
    with open_source(path) as source:
        assert [page.dpi for page in source] == [192]


@pytest.mark.skipif(os.name == "nt", reason="file names are Unicode there")
@pytest.mark.parametrize("name", ["中文 名.pdf".encode(), "中文.pdf".encode("gbk")])
def test_file_names_in_any_encoding(tmp_path: Path, name: bytes) -> None:
    path = tmp_path / os.fsdecode(name)
    try:
        path.write_bytes(make_pdf(12).tobytes())
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    with open_source(path) as source:
        assert len(list(source)) == 1


# PDF: encrypted, damaged


@pytest.fixture(scope="module")
def encrypted() -> bytes:
    pdf = make_pdf(12)
    return bytes(pdf.tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner", user_pw="user"))


@pytest.mark.parametrize(("password", "problem"), [("", "none was given; give it with --password"), ("wrong", "does not open it")])
def test_an_encrypted_pdf_needs_its_password(encrypted: bytes, password: str, problem: str) -> None:
    with pytest.raises(EncryptedError, match=problem):
        read(encrypted, password=password)


@pytest.mark.parametrize("password", ["user", "owner"])
def test_an_encrypted_pdf_opens_with_its_password(encrypted: bytes, password: str) -> None:
    assert read_one(encrypted, password=password).gray.min() < 50


def test_an_owner_password_alone_does_not_keep_readers_out() -> None:
    pdf = make_pdf(12).tobytes(encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner")
    assert read_one(pdf).gray.min() < 50


def make_raw_pdf(kids: str, count: int, *objects: bytes) -> bytes:
    """A PDF from its objects, numbered from 3, with a sound cross-reference table."""
    bodies = [b"<</Type/Catalog/Pages 2 0 R>>", f"<</Type/Pages/Kids[{kids}]/Count {count}>>".encode(), *objects]
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(bodies) + 1, len(data))
    return data + b"xref\n0 %d\n0000000000 65535 f \n" % (len(bodies) + 1) + table + trailer


def make_stream(data: bytes, entries: bytes = b"") -> bytes:
    """A PDF stream object."""
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (entries, len(data), data)


@pytest.mark.parametrize(
    ("kind", "stream"),
    [
        (b"", make_stream(zlib.compress(b"0 0 m 9 9 l S " * 8_000_000), b"/Filter/FlateDecode")),
        (b"", make_stream(zlib.compress(zlib.compress(bytes(100_000_000))), b"/Filter[/FlateDecode/FlateDecode]")),
        (b"/Image", make_stream(b"", b"/Subtype/Image/Width 90000/Height 90000/BitsPerComponent 8/ColorSpace/DeviceGray")),
        (b"/Form", make_stream(b"/X Do /X Do", b"/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 6 0 R>>>>")),
    ],
    ids=["content", "twice", "image", "form"],
)
def test_what_grows_beyond_all_use_is_left_out(kind: bytes, stream: bytes, caplog: pytest.LogCaptureFixture) -> None:
    contents = b"[4 0 R 5 0 R]" if kind else b"[6 0 R 5 0 R]"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents %s/Resources<</XObject<</X 6 0 R>>>>>>" % contents
    data = make_raw_pdf("3 0 R", 1, page, make_stream(b"/X Do "), make_stream(b"9 9 30 30 re f"), stream)
    assert (read_one(data).gray < 50).mean() == pytest.approx(900 / 99**2, rel=0.05), "the rest of the page is there"
    assert "object 6, that grows beyond all use; it is left out" in caplog.text


def test_a_pdf_without_pages() -> None:
    with pytest.raises(InputFileError, match="is a PDF without any page"):
        read(make_raw_pdf("", 0))


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\nnothing of use", make_pdf(12).tobytes()[:60]], ids=["header", "junk", "cut"])
def test_a_pdf_of_which_nothing_is_left(data: bytes) -> None:
    with pytest.raises(InputFileError, match="damaged"):
        read(data)


def make_squares_pdf(*contents: bytes) -> bytes:
    """A PDF with one small page for each content stream, the pages' objects before the streams'."""
    count = len(contents)
    pages = [b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents %d 0 R>>" % (3 + count + number) for number in range(count)]
    return make_raw_pdf(" ".join(f"{3 + number} 0 R" for number in range(count)), count, *pages, *contents)


SQUARE = make_stream(b"20 20 50 50 re f")


def test_a_cut_pdf_gives_what_is_left_and_says_so(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    data = make_squares_pdf(SQUARE, SQUARE, SQUARE, SQUARE)
    with open_source(io.BytesIO(data[: data.index(b"8 0 obj") + 32])) as source:  # within the second page's content
        pages = list(source)
    assert [page.index for page in pages] == [0, 1, 2, 3]
    assert [int(page.gray.min()) for page in pages] == [0, 255, 255, 255]
    assert 2 in source.damaged
    assert 0 not in source.damaged
    assert "is damaged and was repaired: 4 pages were found" in caplog.text
    assert "page 3 of the input stream is damaged and nothing of it is left" in caplog.text
    assert capfd.readouterr() == ("", "")  # MuPDF's own messages


@pytest.mark.parametrize(
    "content",
    [
        make_stream(b"\xff" * 50, b"/Filter/FlateDecode"),
        make_stream(b"\xff" * 50, b"/Filter/NoSuchFilter"),
        make_stream(b"these are (not operators"),
        b"(not a stream)",
    ],
)
def test_a_damaged_page_is_named_and_left_blank(content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with open_source(io.BytesIO(make_squares_pdf(SQUARE, content, SQUARE))) as source:
        pages = list(source)
    assert [int(page.gray.min()) for page in pages] == [0, 255, 0]
    assert source.damaged == [1]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "page 2 of the input stream is damaged and nothing of it is left" in caplog.text


def test_a_page_that_is_no_page_does_not_spoil_its_neighbours(caplog: pytest.LogCaptureFixture) -> None:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R>>"
    with open_source(io.BytesIO(make_raw_pdf("3 0 R 77 0 R 3 0 R", 3, page, SQUARE))) as source:
        assert len(list(source)) == 3
    assert source.damaged == [1]


def test_a_partly_damaged_page_is_read_and_named(caplog: pytest.LogCaptureFixture) -> None:
    page = read_one(make_squares_pdf(make_stream(b"20 20 50 50 re f (lost")))
    assert page.gray.min() == 0
    assert "page 1 of the input stream may be incomplete" in caplog.text


def test_a_pdf_whose_pages_are_all_damaged() -> None:
    broken = make_stream(b"\xff" * 50, b"/Filter/FlateDecode")
    with pytest.raises(InputFileError, match="page 2 .* nothing of it is left"):
        read(make_squares_pdf(broken, broken))
    with pytest.raises(InputFileError, match="page 1 .* nothing of it is left"):
        read(make_squares_pdf(broken, SQUARE), pages="1")


# Images: kinds and modes

FORMATS = [
    ("PNG", {}),
    ("JPEG", {"quality": 95}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("TIFF", {"compression": "jpeg"}),
    ("TIFF", {"big_tiff": True}),
    ("WEBP", {"lossless": True}),
    ("BMP", {}),
    ("GIF", {}),
]


@pytest.mark.parametrize(("form", "settings"), FORMATS)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_image_formats(form: str, settings: dict[str, Any], mode: str) -> None:
    page = read_one(encode(Image.fromarray(make_page()).convert(mode), form, **settings))
    assert_alike(page.gray, make_page())
    assert page.index == 0
    assert page.dpi == pytest.approx(96 if form == "BMP" else DEFAULT_DPI, abs=0.1)  # Pillow writes 96 into a BMP


@pytest.mark.parametrize(
    ("form", "mode", "settings"),
    [
        ("PNG", "1", {}),
        ("PNG", "P", {}),
        ("TIFF", "1", {"compression": "group4"}),
        ("TIFF", "1", {"compression": "group3"}),
        ("TIFF", "P", {}),
        ("TIFF", "CMYK", {}),
        ("TIFF", "LAB", {}),
        ("TIFF", "F", {}),
        ("JPEG", "CMYK", {"quality": 95}),  # Pillow writes it as Adobe does, inverted
        ("BMP", "1", {}),
        ("BMP", "P", {}),
        ("BMP", "RGBA", {}),
    ],
)
def test_image_modes(form: str, mode: str, settings: dict[str, Any]) -> None:
    image = Image.fromarray(make_page())
    image = image.convert("RGB").convert("P") if mode == "P" else image
    if mode == "LAB":
        image = Image.merge("LAB", [image, Image.new("L", image.size, 0), Image.new("L", image.size, 0)])
    assert_alike(read_one(encode(image.convert(mode), form, **settings)).gray, make_page(), 3)


def test_a_palette_whose_first_colour_is_light() -> None:
    image = Image.fromarray((make_page() < 128).astype(np.uint8), "P")
    image.putpalette([250, 250, 240, 20, 20, 90])
    gray = read_one(encode(image)).gray
    assert gray[0, 0] > 240
    assert gray[30, 50] < 40


@pytest.mark.parametrize("form", ["PNG", "TIFF"])
@pytest.mark.parametrize("bits", [16, 12])
def test_deep_grey_is_reduced_to_its_highest_bits(form: str, bits: int) -> None:
    deep = make_page().astype(np.uint16) << (bits - 8)
    deep[300:400] = 100 << (bits - 8)
    page = make_page()
    page[300:400] = 100
    assert np.array_equal(read_one(encode(deep, form)).gray, page)


def test_float_grey_from_0_to_1() -> None:
    assert np.array_equal(read_one(encode((make_page() / 255).astype(np.float32), "TIFF")).gray, make_page())


@pytest.mark.parametrize("ink", [0, 90, 200, 255])
@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_bare_text_on_nothing_comes_out_dark_on_light(ink: int, mode: str) -> None:
    image = Image.new("L", (400, 600), ink)
    image.putalpha(Image.fromarray(255 - make_page()))
    gray = read_one(encode(image.convert(mode))).gray
    assert_alike(gray, np.where(make_page() == 0, min(ink, 255 - ink), 255))


def test_half_transparent_edges_of_bare_text_lie_between() -> None:
    image = Image.new("L", (9, 9), 255)
    alpha = np.zeros((9, 9), np.uint8)
    alpha[4] = [0, 0, 64, 128, 255, 128, 64, 0, 0]
    image.putalpha(Image.fromarray(alpha))
    row = read_one(encode(image)).gray[4].astype(int)
    assert np.abs(row - [255, 255, 191, 127, 0, 127, 191, 255, 255]).max() <= 1


@pytest.mark.parametrize("paper", [255, 0])
def test_a_page_with_transparent_corners_gets_more_of_its_paper(paper: int) -> None:
    page = np.abs(make_page().astype(int) - (255 - paper)).astype(np.uint8)
    image = Image.fromarray(page)
    alpha = np.full(page.shape, 255, np.uint8)
    alpha[:10, :10] = 0
    image.putalpha(Image.fromarray(alpha))
    assert np.array_equal(read_one(encode(image)).gray, make_page())


def test_a_transparent_palette_entry() -> None:
    image = Image.fromarray((make_page() < 128).astype(np.uint8), "P")
    image.putpalette([0, 0, 0, 255, 255, 255])  # white text; the paper is black, and transparent
    assert np.array_equal(read_one(encode(image, transparency=0)).gray, make_page())


def test_nothing_but_transparency_is_paper() -> None:
    assert read_one(encode(Image.new("RGBA", (30, 20), (0, 0, 0, 0)))).gray.min() == 255


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(form: str, orientation: int) -> None:
    page = make_page()
    stored = {  # how a camera held that way would store the page: TIFF 6.0, section 8
        1: page,
        2: page[:, ::-1],
        3: page[::-1, ::-1],
        4: page[::-1],
        5: page.T,
        6: np.rot90(page),
        7: page.T[::-1, ::-1],
        8: np.rot90(page, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    image = read_one(encode(np.ascontiguousarray(stored), form, exif=exif, **({"quality": 95} if form in ("JPEG", "WEBP") else {})))
    assert_alike(image.gray, page)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP"])
@pytest.mark.parametrize(("stored", "dpi"), [(300, 300), (72, 72), (1, DEFAULT_DPI), (2400, DEFAULT_DPI)])
def test_resolution_is_taken_from_metadata_where_sane(form: str, stored: int, dpi: int) -> None:
    assert read_one(encode(make_page(), form, dpi=(stored, stored))).dpi == pytest.approx(dpi, abs=0.1)


def test_an_image_with_a_mask_is_drawn_as_a_viewer_shows_it() -> None:
    pdf = make_scan_pdf(encode(np.full((600, 400), 90, np.uint8)))
    pdf.xref_set_key(pdf[0].get_images()[0][0], "Mask", "[80 100]")  # those greys are transparent
    assert read_one(pdf).gray.min() > 250


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_fax_gets_square_pixels(orientation: int) -> None:
    fax = make_page()[::2]
    exif = Image.Exif()
    exif[274] = orientation
    page = read_one(encode(np.ascontiguousarray(fax), "TIFF", dpi=(204, 102), exif=exif))
    assert page.dpi == pytest.approx(204)
    assert page.gray.shape == ((600, 400) if orientation == 1 else (400, 600))


def test_all_pages_of_a_tiff_but_not_its_thumbnails() -> None:
    pages = [Image.new("L", (40, 30 + 10 * number), 250 - number) for number in range(3)]
    frames = [pages[0], Image.new("L", (4, 3)), *pages[1:]]
    data = encode(frames[0], "TIFF", save_all=True, append_images=frames[1:], tiffinfo={254: 0})
    parts = data.split(struct.pack("<HHI", 254, 4, 1) + b"\0")  # the tag's first byte of value, once for each frame
    assert len(parts) == 5
    mark = struct.pack("<HHI", 254, 4, 1)
    data = parts[0] + mark + b"\0" + parts[1] + mark + b"\1" + parts[2] + mark + b"\0" + parts[3] + mark + b"\0" + parts[4]
    assert [frame.size[0] for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))] == [40, 4, 40, 40]
    assert [(page.index, page.gray.shape, int(page.gray[0, 0])) for page in read(data)] == [
        (0, (30, 40), 250),
        (1, (40, 40), 249),
        (2, (50, 40), 248),
    ]
    assert [page.index for page in read(data, pages="3,1")] == [2, 0]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_its_first_frame(form: str) -> None:
    frames = [Image.new("L", (40, 30), grey) for grey in (250, 10)]
    page = read_one(encode(frames[0], form, save_all=True, append_images=frames[1:]))
    assert page.gray.min() >= 248


def test_one_pixel() -> None:
    page = read_one(encode(np.full((1, 1), 255, np.uint8)))
    assert page.gray.shape == (1, 1)


# Images: very large


def make_png(width: int, height: int, color_type: int, bits: int) -> bytes:
    """A PNG with nothing but zeros, packed without ever holding its pixels."""
    samples = {0: 1, 2: 3, 6: 4}[color_type]
    row = b"\0" * (1 + (width * samples * bits + 7) // 8)
    packer = zlib.compressobj(1)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)), (b"IDAT", data), (b"IEND", b"")]
    packed = (struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def test_a_vast_image_is_read_smaller(caplog: pytest.LogCaptureFixture) -> None:
    page = read_one(make_png(20000, 20000, color_type=0, bits=1))
    assert page.gray.shape == (10000, 10000)
    assert page.dpi == DEFAULT_DPI / 2
    assert page.gray.max() == 0
    assert "read at 1/2" in caplog.text


def test_a_reduced_image_still_shows_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("docrec.source.MAX_PIXELS", 400 * 600 // 4)
    monkeypatch.setattr("docrec.source._SAMPLE", 64)  # many bands
    half = make_page()[::2, ::2]
    for image in (encode(make_page()), encode(Image.fromarray(make_page()).convert("1")), encode(make_page(), "JPEG", quality=95)):
        assert_alike(read_one(image).gray, half)


def test_an_image_beyond_memory_is_refused_before_it_is_decoded() -> None:
    data = make_png(100, 100, color_type=2, bits=8)
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    vast = data[:16] + head + struct.pack(">I", zlib.crc32(b"IHDR" + head)) + data[33:]
    with pytest.raises(InputFileError, match="may take 2 GB decoded, but the input stream has 60000 × 60000 pixels"):
        read(vast)


# Files that are no document


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="there is no file '.*absent.pdf'"):
        open_source(tmp_path / "absent.pdf")


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="is a directory; name a file in it"):
        open_source(str(tmp_path))


def test_a_file_one_may_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.pdf"
    path.write_bytes(make_pdf(12).tobytes())
    path.chmod(0)
    if os.access(path, os.R_OK):  # the superuser may read everything

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileAccessError, match="you may not read"):
        open_source(path)


def test_a_name_no_file_can_have() -> None:
    with pytest.raises(FileAccessError, match="cannot be opened"):
        open_source("nul\0.pdf")


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.pdf"
    path.touch()
    with pytest.raises(InputFileError, match="empty.pdf is empty"):
        open_source(path)
    with pytest.raises(InputFileError, match="the input stream is empty"):
        read(b"")


@pytest.mark.parametrize(
    ("data", "likeness"),
    [
        (b"PK\x03\x04\x14\0", "a ZIP archive, such as a Word"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Word"),
        (b"%!PS-Adobe-3.0\n", "a PostScript document"),
        (b"AT&TFORM\0\0", "a DjVu document"),
        (b"\0\0\0\x1cftypheic", "a HEIF or AVIF image"),
        (b"\n <!DOCTYPE html><html>", "a web page"),
        (b"<?xml version='1.0'?><svg/>", "an XML or SVG document"),
        (b"\x1f\x8b\x08\0", "a compressed archive"),
        ("床前明月光，\n".encode() * 200, "plain text"),
        ("疑是地上霜。\r\n".encode("gbk") * 200, "plain text"),
        ("举头望明月".encode("utf-16"), "plain text"),
        (b"BM is how this plain text begins", "plain text"),
        (bytes(range(256)), "unknown binary data .*00 01 02 03"),
    ],
)
def test_other_files_are_named_for_what_they_look_like(data: bytes, likeness: str) -> None:
    with pytest.raises(InputFileError, match=f"but the input stream looks like {likeness}.*convert it to PDF"):
        read(data)


@pytest.mark.parametrize(("form", "settings"), FORMATS)
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.9])
def test_a_cut_image(form: str, settings: dict[str, Any], kept: float, capfd: pytest.CaptureFixture[str]) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 200), np.uint8)
    data = encode(noise, form, **settings)
    with pytest.raises(InputFileError, match="damaged"):
        read(data[: max(30, int(len(data) * kept))])
    assert capfd.readouterr() == ("", "")


def test_a_damaged_page_of_a_tiff_leaves_the_others(caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (100, 100), np.uint8)
    pages = [Image.fromarray(noise + np.uint8(number)) for number in range(3)]
    data = encode(pages[0], "TIFF", compression="tiff_adobe_deflate", save_all=True, append_images=pages[1:])
    packed = [frame.tag_v2[273][0] for frame in ImageSequence.Iterator(Image.open(io.BytesIO(data)))]
    damaged = data[: packed[1]] + b"\xff" * 500 + data[packed[1] + 500 :]
    with open_source(io.BytesIO(damaged)) as source, caplog.at_level(logging.WARNING):
        images = list(source)
    assert source.damaged == [1]
    assert np.array_equal(images[0].gray, noise)
    assert images[1].gray.min() == 255
    assert np.array_equal(images[2].gray, noise + np.uint8(2))
    assert "page 2 of the input stream is damaged or cut short" in caplog.text
    assert "it is left blank" in caplog.text


# The stream and the file


class Pipe(io.RawIOBase):
    """A binary stream that can only be read."""

    def __init__(self, data: bytes) -> None:
        self._buffer = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._buffer.readinto(buffer)


@pytest.mark.parametrize("data", [encode(make_page()), make_pdf(12).tobytes()], ids=["png", "pdf"])
def test_a_pipe_is_read_and_left_open(data: bytes) -> None:
    pipe = Pipe(data)
    with open_source(pipe) as source:  # type: ignore[arg-type]
        assert len(list(source)) == 1
    assert not pipe.closed


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="this system does not name open files")
def test_a_path_that_is_a_pipe() -> None:
    reader, writer = os.pipe()  # as the shell's <(command)
    os.write(writer, encode(np.full((5, 7), 255, np.uint8)))
    os.close(writer)
    with open_source(f"/dev/fd/{reader}") as source:
        assert [page.gray.shape for page in source] == [(5, 7)]
    os.close(reader)


def test_defaults_need_no_options(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    path.write_bytes(encode(make_page()))
    source = open_source(str(path))
    assert isinstance(source, Source)
    assert source.name == str(path)
    source.close()


# Colour


def coloured(width: int = 400, height: int = 600) -> np.ndarray:
    """The page with a red block in one corner."""
    page = np.dstack([make_page(width, height)] * 3)
    page[-100:-40, -200:-40] = (220, 30, 40)
    return page


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF", "BMP"])
def test_an_image_with_colour_keeps_it(form: str) -> None:
    page = read_one(encode(coloured(), form))
    assert page.color is not None
    assert_alike(page.color, coloured())


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_colour_is_seen_in_other_modes(mode: str) -> None:
    page = read_one(encode(Image.fromarray(coloured()).convert(mode)))
    assert page.color is not None
    assert_alike(page.color, coloured())


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_an_image_with_grey_alone_has_no_colour(form: str) -> None:
    noise = np.random.default_rng(1).normal(0, 6, (600, 400, 3))
    tinted = np.clip(np.dstack([make_page()] * 3) * (0.95, 0.88, 0.75) + noise, 0, 255).astype(np.uint8)  # and colour noise, as of a camera
    assert read_one(encode(np.dstack([make_page()] * 3), form)).color is None
    assert read_one(encode(tinted, form)).color is None


def test_colour_is_turned_with_the_page() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    page = read_one(encode(coloured(), "JPEG", exif=exif, quality=95))
    assert page.color is not None
    assert_alike(page.color, np.rot90(coloured(), -1))


@pytest.mark.parametrize("turned", [0, 90, 180])
def test_a_coloured_scan_in_a_pdf_keeps_its_colour(turned: int) -> None:
    page = read_one(make_scan_pdf(encode(coloured()), turned))
    assert page.color is not None
    assert page.color.shape[:2] == page.gray.shape
    assert np.any((page.color[..., 0] > 200) & (page.color[..., 1] < 50) & (page.gray < 120))


def test_a_drawn_page_has_colour_only_if_something_on_it_has() -> None:
    pdf = make_pdf(12)
    assert read_one(pdf).color is None
    pdf[0].insert_text((72, 300), "红色 red words", fontsize=12, fontname="china-s", color=(1, 0, 0))
    page = read_one(pdf)
    assert page.color is not None
    assert page.color.shape[:2] == page.gray.shape
