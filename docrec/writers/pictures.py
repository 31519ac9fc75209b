"""Pictures of pages as a PDF: each as its file holds it, the text over it, written as the pages come."""

import io
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import count, islice

import numpy as np
from PIL import Image

from docrec.document import POINTS_PER_INCH, Page
from docrec.errors import InputFileError
from docrec.source import Picture, Source
from docrec.writers.glyphless import Glyphless
from docrec.writers.objects import ObjectFile, PdfObject
from docrec.writers.text_layer import page_to_content
from docrec.writers.words import given_size

FONT = "F"
_CHANNELS = {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}
"""Colour space in the head of an ICC profile → numbers for a pixel: ICC.1:2022, table 19."""
_PNG_SPACES = {0: "/DeviceGray", 2: "/DeviceRGB"}
_PNG_PALETTE = 3  # colour type


def pictures_to_pdf(pages: Iterator[Page], sources: Sequence[tuple[Source, int | None]]) -> Iterator[bytes]:
    """Write image files as one PDF, all their pages in their order, those that were read with their text.

    Args:
        pages: as read.
        sources: the open image files, and how many of `pages` are of each.

    Yields:
        Pieces of the PDF, one after each page and more at the end.
    """
    file, font = ObjectFile(), Glyphless()
    catalog, tree, fonts = file.number(), file.number(), file.number(Glyphless.OBJECTS)
    resources = f"/Font<</{FONT} {fonts} 0 R>>"
    kids: list[int] = []

    def write(source: Source, index: int, page: Page | None) -> bytes:
        """A page with its picture, a blank one if that is damaged."""
        content, size, images = b"", (0.0, 0.0), ""
        if page:
            width, height = given_size(page)
            size = width * POINTS_PER_INCH / page.dpi, height * POINTS_PER_INCH / page.dpi
        written = b""
        with suppress(InputFileError):  # which reading has told
            picture = source.picture(index)
            size = picture.inches[0] * POINTS_PER_INCH, picture.inches[1] * POINTS_PER_INCH
            objects = _picture_to_objects(picture, file.size)
            first = file.number(len(objects))
            written = b"".join(file.write(first + place, body) for place, body in enumerate(objects))
            content = f"q\n{_placement(picture, size)} cm\n/I Do\nQ\n".encode()
            images = f"/XObject<</I {first} 0 R>>"
        if page:
            to_points = np.array([[size[0] / width, 0, 0], [0, -size[1] / height, size[1]], [0, 0, 1]])
            content += page_to_content(page, to_points, font, FONT)
        leaf, stream = file.number(), file.number()
        written += file.write(stream, PdfObject("", content))
        written += file.write(
            leaf,
            PdfObject(
                f"/Type/Page/Parent {tree} 0 R/MediaBox[0 0 {size[0]:.2f} {size[1]:.2f}]/Contents {stream} 0 R"
                f"/Resources<<{resources}{images}>>"
            ),
        )
        leaves[index] = leaf
        return written

    head = file.HEADER
    for source, number in sources:
        leaves: dict[int, int] = {}
        for page in islice(pages, number):
            yield head + write(source, page.index, page)
            head = b""
        for index in range(len(source)):
            if index not in leaves:
                yield head + write(source, index, None)
                head = b""
        kids += [leaves[index] for index in sorted(leaves)]
    yield b"".join(file.write(fonts + place, body) for place, body in zip(count(), font.objects(fonts), strict=False))
    yield file.write(tree, PdfObject(f"/Type/Pages/Count {len(kids)}/Kids[{' '.join(f'{kid} 0 R' for kid in kids)}]"))
    yield file.write(catalog, PdfObject(f"/Type/Catalog/Pages {tree} 0 R")) + file.end(catalog)


def _placement(picture: Picture, size: tuple[float, float]) -> str:
    """The matrix that puts the unit square of a PDF image on its page, which is `size` points wide and high."""
    transposed, mirrored, flipped = picture.placing

    def place(across: float, up: float) -> np.ndarray:
        x, down = (1 - up, across) if transposed else (across, 1 - up)
        return np.array((1 - x if mirrored else x, down if flipped else 1 - down)) * size

    origin = place(0, 0)
    return " ".join(f"{value:.2f}" for value in (*(place(1, 0) - origin), *(place(0, 1) - origin), *origin))


def _picture_to_objects(picture: Picture, first: int) -> list[PdfObject]:
    """A picture as objects numbered from `first`, which is the image; then, if it has them, its colour profile and its opacity."""
    image = picture.image
    profile = image.info.get("icc_profile") or b""
    extras: list[PdfObject] = []
    space = ""
    channels = _CHANNELS.get(profile[16:20])
    if channels and channels == len(image.getbands()):  # a palette has one band, and no profile of one is for it
        space = f"[/ICCBased {first + 1} 0 R]"
        extras.append(PdfObject(f"/N {channels}", profile))
    opacity = ""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
        if alpha.getextrema() != (255, 255):
            opacity = f"/SMask {first + 1 + len(extras)} 0 R"
            extras.append(_image_object(alpha, b"", ""))
        return [_image_object(image, b"", "", opacity), *extras]
    return [_image_object(image, picture.content, space), *extras]


def _image_object(image: Image.Image, content: bytes, space: str, more: str = "") -> PdfObject:
    """An image without transparency; `content` is its file if that can go into a PDF as it is, `space` its colour space if known."""
    if image.format == "JPEG" and content:
        space = space or {"L": "/DeviceGray", "CMYK": "/DeviceCMYK"}.get(image.mode, "/DeviceRGB")
        inverted = "/Decode[1 0 1 0 1 0 1 0]" if image.mode == "CMYK" and "adobe" in image.info else ""
        return _image(image, space, 8, f"/Filter/DCTDecode{inverted}{more}", content)
    if image.mode == "1":
        fax = f"/Filter/CCITTFaxDecode/DecodeParms<</K -1/Columns {image.width}/Rows {image.height}>>"
        return _image(image, "/DeviceGray", 1, fax, _g4(image))
    if image.mode not in ("L", "P", "I;16", "RGB"):
        image = image.convert("RGB")
        space = ""
    png = _png_chunks(content) if image.format == "PNG" else {}
    if not png or png[b"IHDR"][12]:  # interlaced
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        png = _png_chunks(buffer.getvalue())
    bits, kind = png[b"IHDR"][8:10]
    palette = png.get(b"PLTE", b"")
    if kind == _PNG_PALETTE:
        space = f"[/Indexed/DeviceRGB {len(palette) // 3 - 1}<{palette.hex()}>]"
    colors = 3 if kind == 2 else 1
    parameters = f"<</Predictor 15/Colors {colors}/BitsPerComponent {bits}/Columns {image.width}>>"
    return _image(image, space or _PNG_SPACES[kind], bits, f"/Filter/FlateDecode/DecodeParms{parameters}{more}", png[b"IDAT"])


def _image(image: Image.Image, space: str, bits: int, more: str, stream: bytes) -> PdfObject:
    head = f"/Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}/ColorSpace{space}/BitsPerComponent {bits}"
    return PdfObject(head + more, stream, packed=True)


def _png_chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG by name, those of one name joined; its IDAT is what PDF calls predictor 15, compressed."""
    chunks: dict[bytes, bytes] = {}
    place = 8
    while place + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, place)
        chunks[name] = chunks.get(name, b"") + content[place + 8 : place + 8 + length]
        place += 12 + length
    return chunks


def _g4(image: Image.Image) -> bytes:
    """A bilevel image as CCITT Group 4, white being 0 as PDF expects it."""
    buffer = io.BytesIO()
    image.save(buffer, "TIFF", compression="group4", tiffinfo={278: image.height, 262: 0})
    with Image.open(buffer) as tiff:
        ((start,), (length,)) = tiff.tag_v2[273], tiff.tag_v2[279]  # StripOffsets, StripByteCounts: TIFF 6.0, section 8
    return buffer.getvalue()[start : start + length]
