"""Documents in, PageImages out: the one reader of PDFs (by PyMuPDF) and of images (by Pillow)."""

import io
import logging
import math
import os
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, TypeVar

import cv2
import numpy as np
from PIL import BmpImagePlugin, GifImagePlugin, Image, ImageFile, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from docrec.document import POINTS_PER_INCH, Box, Scan
from docrec.errors import EncryptedError, FileAccessError, InputFileError
from docrec.options import DPI_RANGE, ReadOptions, select_pages

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

EM_PIXELS = 32
"""Height in pixels that the em of body text should have on a rasterised page: that of the recogniser's lines."""
RASTER_DPI_RANGE = (150, 300)
"""Resolutions chosen for a PDF page; only --dpi goes beyond."""
DEFAULT_DPI = 200
"""Assumed where neither text nor image says anything, and for images whose metadata gives no resolution in DPI_RANGE."""
MAX_PIXELS = 100_000_000
"""Larger pages are read at a lower resolution."""
MAX_DECODED_BYTES = 2_000_000_000
"""Larger images are refused: decoding one takes this much memory. 20,000 × 20,000 in colour passes."""
SCAN_EDGE = 0.01
"""Part of the page's width or height by which an image may miss its edges and still be a scan of the whole page."""
MAX_SLANT = 10
"""Degrees by which text of a text layer may run askew; scans have OCR text that does."""
DAMAGED_PAGE_INCHES = (8.27, 11.69)
"""Width and height of the blank page that stands for one that cannot be read: A4."""


@dataclass(frozen=True, slots=True)
class LayerGlyph:
    """One character of the text layer that a PDF page has already.

    Attributes:
        char: what the document maps it to; U+FFFD if to nothing, several letters for a ligature.
        box: from its font's ascender to its descender and as wide as its advance; in pixels of the page as it was read from its file.
        quarters: by how many quarter turns, clockwise, it is turned, 0 to 3.
        visible: whether it is drawn and no image lies over it; scans have invisible text, made by OCR.
    """

    char: str
    box: Box
    quarters: int = 0
    visible: bool = True


@dataclass(frozen=True, slots=True)
class PageImage:
    """One page as pixels.

    Attributes:
        index: page number in its document, from 0.
        gray: uint8 (height, width), 255 is paper.
        dpi: pixels per inch.
        color: uint8 (height, width, 3), red, green and blue, of a page that is not grey; it is gone when the page is clean.
        steps: what has been done to the page since it was read from its file, in words.
        scan: where the pixels come from, if they have been moved since; see Scan.
        layer: the page's own text, in the order of the file.
    """

    index: int
    gray: np.ndarray
    dpi: float
    color: np.ndarray | None = None
    steps: tuple[str, ...] = ()
    scan: Scan | None = None
    layer: tuple[LayerGlyph, ...] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A page of an image file as it is stored there.

    Attributes:
        image: its pixels, not decoded yet.
        content: the file, if it is a JPEG or PNG.
        inches: width and height of the upright page.
        placing: whether its axes are to be swapped, then left and right reversed, then top and bottom, for it to be upright.
    """

    image: Image.Image
    content: bytes
    inches: tuple[float, float]
    placing: tuple[bool, bool, bool]


class _Document(Protocol):
    """What Source needs of an open PDF or image."""

    page_count: int

    def read(self, index: int) -> PageImage:
        """Read a page; an InputFileError says why that one cannot be."""

    def close(self) -> None:
        """Close the file."""


class Source:
    """An open document: iterating yields its selected pages, each read only when asked for.

    A page that is damaged is logged as a warning and yielded blank, so that the others keep their places; when no
    selected page can be read, the last one's InputFileError is raised. One thread at a time may read a document.

    Attributes:
        name: the document's name, for messages.
        is_pdf: whether it is a PDF, not an image.
        damaged: indices, from 0, of the pages found unreadable so far.
    """

    def __init__(self, document: _Document, name: str, pages: list[int]) -> None:
        self.name = name
        self.is_pdf = isinstance(document, _PdfDocument)
        self.damaged: list[int] = []
        self._document = document
        self._pages = pages

    def __len__(self) -> int:
        return len(self._pages)

    def __iter__(self) -> Iterator[PageImage]:
        return self.after(0)

    def after(self, count: int, damaged: Sequence[int] = ()) -> Iterator[PageImage]:
        """The selected pages but the first ones, so many, which are not read; `damaged` are those among them that were unreadable."""
        self.damaged = list(damaged)
        for index in self._pages[count:]:
            try:
                page = self._document.read(index)
            except InputFileError as error:
                self.damaged.append(index)
                if len(self.damaged) == len(self._pages):
                    raise
                logger.warning("%s; it is left blank", error)
                width, height = (round(inches * DEFAULT_DPI) for inches in DAMAGED_PAGE_INCHES)
                page = PageImage(index, np.full((height, width), 255, np.uint8), DEFAULT_DPI)
            yield page

    def picture(self, index: int) -> Picture:
        """A page of an image, from 0, as it is stored; raises an InputFileError if it is damaged."""
        if not isinstance(self._document, _ImageDocument):
            raise TypeError("only images have pictures")
        return self._document.picture(index)

    def close(self) -> None:
        """Close the document."""
        self._document.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def open_source(source: str | os.PathLike[str] | BinaryIO, options: ReadOptions | None = None) -> Source:
    """Open a PDF or an image (PNG, JPEG, TIFF with all its pages, WebP, BMP, GIF), told apart by content.

    Args:
        source: a path, or a binary stream, which need not be seekable and is left open.
        options: which pages, PDF resolution and password; the defaults where None.

    Returns:
        The open document, to be closed or used in a `with` statement.

    Raises:
        FileAccessError: the file cannot be read.
        InputFileError: it does not exist, is a directory, empty, neither PDF nor image, damaged beyond repair, or has no pages.
        EncryptedError: the PDF needs a password that was not given or is wrong.
        OptionError: the pages asked for are not in the document.
    """
    options = options or ReadOptions()
    name, file = _open_file(source)
    head = file.read(1024)
    file.seek(0)
    document: _Document
    try:
        if not head:
            raise InputFileError(f"a document must hold a PDF or an image, but {name} is empty")
        if b"%PDF-" in head:  # a reader should find it anywhere in the first 1,024 bytes: ISO 32000-1, annex H.3.4.1
            document = _PdfDocument(file, name, options)
        elif plugin := _image_plugin(head):
            document = _ImageDocument(file, name, plugin)
        else:
            raise InputFileError(
                f"a document must be a PDF or an image (PNG, JPEG, TIFF, WebP, BMP, GIF), but {name} looks like {_likeness(head)}; "
                "convert it to PDF first"
            )
    except BaseException:
        file.close()
        raise
    try:
        return Source(document, name, select_pages(options.pages, document.page_count))
    except BaseException:
        document.close()
        raise


def _open_file(source: str | os.PathLike[str] | BinaryIO) -> tuple[str, BinaryIO]:
    """A document's name and its bytes as a seekable stream of our own: the file itself, or a copy of what is no file."""
    if not isinstance(source, str | os.PathLike):
        return "the input stream", io.BytesIO(source.read())
    name = str(source)
    try:
        path = Path(source)
        file = path.open("rb")
        if path.is_file():
            return name, file
        with file:  # a pipe or device, such as the shell's <(command)
            return name, io.BytesIO(file.read())
    except FileNotFoundError as error:
        raise InputFileError(f"the document must exist, but there is no file {name!r}; check its name and folder") from error
    except IsADirectoryError as error:
        raise InputFileError(f"the document must be a file, but {name!r} is a directory; name a file in it") from error
    except PermissionError as error:
        raise FileAccessError(f"the document must be readable, but you may not read {name!r}; check its permissions") from error
    except (OSError, ValueError) as error:
        raise FileAccessError(f"the document {name!r} cannot be opened: {error}") from error


def _likeness(head: bytes) -> str:
    """What a file that is neither PDF nor image looks like, judged by its first 1,024 bytes."""
    for signature, kind in _OTHER_SIGNATURES:
        if re.match(signature, head, re.DOTALL | re.IGNORECASE):
            return kind
    for encoding in ("utf-8", "utf-16" if head[:2] in (b"\xff\xfe", b"\xfe\xff") else "gb18030"):
        text = head.decode(encoding, errors="ignore")
        # The cut at 1,024 bytes may split a character; more than that lost, or control characters, is no text.
        if len(text.encode(encoding)) >= len(head) - 4 and all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text):
            return "plain text"
    return f"unknown binary data (it begins with the bytes {head[:8].hex(' ')})"


_OTHER_SIGNATURES = (
    (rb"PK\x03\x04", "a ZIP archive, such as a Word, WPS, OFD or EPUB document"),
    (rb"\xd0\xcf\x11\xe0", "an old Word, Excel or PowerPoint document"),
    (rb"%!PS", "a PostScript document"),
    (rb"AT&TFORM", "a DjVu document"),
    (rb"(CAJ|KDH|NH)\0?", "a CNKI document (CAJ, KDH or NH)"),
    (rb"\{\\rtf", "a rich text document"),
    (rb"....ftyp(heic|heix|mif1|msf1|avif)", "a HEIF or AVIF image"),
    (rb"\0\0\0\x0cjP  ", "a JPEG 2000 image"),
    (rb"\s*(<!doctype html|<html)", "a web page"),
    (rb"(\xef\xbb\xbf)?\s*<(\?xml|svg)", "an XML or SVG document"),
    (rb"(\x1f\x8b|7z\xbc\xaf|Rar!|BZh|\xfd7zXZ)", "a compressed archive"),
)


def _place(pixels: np.ndarray, transposed: bool, mirrored: bool, flipped: bool) -> np.ndarray:
    """Turn stored pixels as they are to be seen: swap the axes, then reverse left and right, then top and bottom."""
    pixels = pixels.swapaxes(0, 1) if transposed else pixels
    return np.ascontiguousarray(pixels[:: -1 if flipped else 1, :: -1 if mirrored else 1])


def balance(color: np.ndarray) -> np.ndarray:
    """Scale the channels of a picture, uint8 (height, width, 3), such that its ground, the commonest colour, is white if it is light."""
    ground = np.median(color[::3, ::3], axis=(0, 1))
    return cv2.convertScaleAbs(color * (255 / ground).astype(np.float32)) if ground.min() > _LIGHT_GROUND else color


def is_coloured(small: np.ndarray) -> bool:
    """Whether a page has colour, more than a tint of its paper or what JPEG leaves.

    Args:
        small: the page in red, green and blue, uint8 (height, width, 3), reduced so that colour fringes of letters have gone.
    """
    balanced = balance(small)
    return bool(np.mean(np.ptp(balanced, axis=2) > _CHROMA) > _COLOURED_PART)


def _if_coloured(color: np.ndarray) -> np.ndarray | None:
    """The pixels of a page, uint8 (height, width, 3), if it is coloured."""
    size = (math.ceil(color.shape[1] / _PREVIEW), math.ceil(color.shape[0] / _PREVIEW))
    return color if is_coloured(cv2.resize(color, size, interpolation=cv2.INTER_AREA)) else None


_LIGHT_GROUND = 64
_CHROMA = 32
"""Difference of the strongest and the weakest channel from which a pixel has a colour."""
_COLOURED_PART = 2e-4
"""Part of a page that is coloured if it has colour: a word of red text on a page of A4."""
_PREVIEW = 8
"""Pixels of a page per pixel that is looked at for colour."""


# PDF


_Trace = list[dict[str, Any]]
"""What PyMuPDF's Page.get_texttrace gives: stretches of text with their characters, in the order they are drawn."""


@cache
def _mupdf() -> Any:
    """The PyMuPDF module; imported late because it takes 0.4 s, which reading an image need not pay."""
    import pymupdf

    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    return pymupdf


class _PdfDocument:
    """A PDF that yields its pages as pixels."""

    def __init__(self, file: BinaryIO, name: str, options: ReadOptions) -> None:
        mupdf = _mupdf()
        self._name = name
        self._dpi = options.dpi
        mupdf.TOOLS.reset_mupdf_warnings()
        try:
            if isinstance(file, io.BytesIO) or not name.isprintable():  # MuPDF cannot open a name that is not Unicode
                self._pdf = mupdf.open(stream=file.read(), filetype="pdf")
            else:
                self._pdf = mupdf.open(name, filetype="pdf")
            self._unlock(options.password)
            self.page_count: int = self._pdf.page_count
            self._take_out_bombs()
            with suppress(*_pdf_errors()):
                self._pdf.load_page(0)  # which looks at the page tree and reports on all of it, not on this page
        except _pdf_errors() as error:
            raise InputFileError(f"{name} is damaged beyond repair: no page of this PDF can be found; try another copy") from error
        file.close()
        self._refuse_portfolio()
        damaged = self._pdf.is_repaired
        if not self.page_count:
            self._pdf.close()
            raise InputFileError(f"{name} is {'a damaged PDF of which no page is left' if damaged else 'a PDF without any page'}")
        if damaged:
            logger.warning("%s is damaged and was repaired: %d pages were found, some may be missing or incomplete", name, self.page_count)
        logger.debug("%s: MuPDF on opening: %s", name, mupdf.TOOLS.mupdf_warnings())

    def _unlock(self, password: str) -> None:
        if self._pdf.needs_pass and not self._pdf.authenticate(password):
            ways = "--password, --password-file or in DOCREC_PASSWORD"
            problem = "the one given does not open it; check it" if password else f"none was given; give it with {ways}"
            self._pdf.close()
            raise EncryptedError(f"{self._name} is encrypted and needs its password, but {problem}")

    def _content_bytes(self, page: Any) -> int:
        return sum(_decoded_bytes(self._pdf, number) for number in page.get_contents() if self._pdf.xref_is_stream(number))

    def _take_out_bombs(self) -> None:
        """Make objects null that inflate or draw beyond all use, before MuPDF, which has no limit, comes upon them."""
        pdf = self._pdf
        drawn: dict[int, int] = {}
        for number in range(1, pdf.xref_length()):
            try:
                is_bomb = pdf.xref_is_stream(number) and _is_bomb(pdf, number, drawn)
            except _pdf_errors():  # a damaged object may be of no consequence
                continue
            if is_bomb:
                logger.warning("%s holds a stream, object %d, that grows beyond all use; it is left out", self._name, number)
                pdf.update_object(number, "null")

    def _refuse_portfolio(self) -> None:
        """A portfolio's only page says that a better viewer is needed; its documents are attached to it."""
        attached: list[str] = []
        with suppress(*_pdf_errors()):
            if self._pdf.xref_get_key(self._pdf.pdf_catalog(), "Collection")[0] != "null":
                attached = [self._pdf.embfile_info(name)["ufilename"] or name for name in self._pdf.embfile_names()]
        if attached:
            self._pdf.close()
            names = ", ".join(attached[:_SHOWN_ATTACHMENTS]) + (" and more" if len(attached) > _SHOWN_ATTACHMENTS else "")
            raise InputFileError(
                f"{self._name} is a PDF portfolio, a cover for the {len(attached)} files attached to it: {names}; save them "
                "(pdfdetach -saveall does) and read each"
            )

    def close(self) -> None:
        """Close the file."""
        self._pdf.close()

    def read(self, index: int) -> PageImage:
        """Read a page: a scan as its own pixels, anything else rasterised."""
        mupdf = _mupdf()
        mupdf.TOOLS.reset_mupdf_warnings()
        where = f"page {index + 1} of {self._name}"
        try:
            page = self._pdf.load_page(index)
            trace = page.get_texttrace() if self._content_bytes(page) <= _MAX_LAYER_CONTENT else []
            image = (None if self._dpi else _scan(page, trace)) or _rasterise(page, trace, self._dpi or _raster_dpi(page, trace))
        except _pdf_errors() as error:
            raise InputFileError(f"{where} is damaged and cannot be read: {error}") from error
        finally:
            mupdf.TOOLS.store_shrink(100)  # or fonts and images of pages gone by pile up to 256 MB
        messages = mupdf.TOOLS.mupdf_warnings()
        if _DAMAGE.search(messages):
            if image.gray.min() == image.gray.max():
                raise InputFileError(f"{where} is damaged and nothing of it is left: {_summary(messages)}")
            logger.warning("%s may be incomplete: %s", where, _summary(messages))
        elif messages:
            logger.debug("%s: MuPDF: %s", where, messages)
        return image


@cache
def _pdf_errors() -> tuple[type[Exception], ...]:
    """What PyMuPDF raises when a document or page cannot be read."""
    return (_mupdf().mupdf.FzErrorBase, RuntimeError, ValueError)


def _is_bomb(pdf: Any, number: int, drawn: dict[int, int]) -> bool:
    """Whether a stream grows beyond all use when decoded or drawn; `drawn` is for `_drawn_bytes`."""
    kind = pdf.xref_get_key(number, "Subtype")[1]
    if kind == "/Image":
        width, height, depth = (_number(pdf, number, key) for key in ("Width", "Height", "BitsPerComponent"))
        channels = {"/DeviceGray": 1, "/DeviceCMYK": 4}.get(pdf.xref_get_key(number, "ColorSpace")[1], 3)
        return width * height * (depth * channels or 8) > 8 * _MAX_PDF_IMAGE
    return _decoded_bytes(pdf, number) > _MAX_STREAM or (kind == "/Form" and _drawn_bytes(pdf, number, drawn) > _MAX_STREAM)


def _decoded_bytes(pdf: Any, number: int) -> int:
    """How many bytes a stream decodes to, at most one above _MAX_STREAM; of one too small to reach that, how many it has."""
    raw = _number(pdf, number, "Length")
    if pdf.xref_get_key(number, "Filter")[0] == "name" and 0 < raw < _MAX_LAYER_CONTENT // _DEFLATE_RATIO:
        return raw
    mupdf = _mupdf().mupdf
    return int(mupdf.fz_skip(mupdf.pdf_open_stream_number(mupdf.pdf_document_from_fz_document(pdf.this), number), _MAX_STREAM + 1))


def _drawn_bytes(pdf: Any, number: int, known: dict[int, int], above: tuple[int, ...] = ()) -> int:
    """How many bytes of content drawing a form takes, those of the forms in it each time included; vast for a form in itself.

    Args:
        pdf: the document.
        number: of the form's object.
        known: what is known of other forms, added to.
        above: the forms that it is drawn in.
    """
    if number in above or len(above) > _MAX_FORM_DEPTH:
        return _MAX_STREAM + 1
    if number not in known:
        inner = re.findall(r"/([^\s/<>\[\]()]+)\s+(\d+)\s+0\s+R", pdf.xref_get_key(number, "Resources/XObject")[1])
        forms = {name.encode(): int(form) for name, form in inner if pdf.xref_get_key(int(form), "Subtype")[1] == "/Form"}
        content = pdf.xref_stream(number) or b"" if forms else b""
        times = Counter(re.findall(rb"/(\S+)\s+Do\b", content))
        known[number] = len(content) + _number(pdf, number, "Length")
        for name, form in forms.items():
            known[number] += times[name] * _drawn_bytes(pdf, form, known, (*above, number))
    return known[number]


def _number(pdf: Any, number: int, key: str) -> int:
    kind, value = pdf.xref_get_key(number, key)
    return int(value) if kind == "int" else 0


_MAX_STREAM = 64_000_000
"""Bytes of a content stream, form or font: more than any page or typeface has."""
_MAX_LAYER_CONTENT = 500_000
"""Bytes of a page's content of which the text is asked for; a page of small print has a fifth, and each byte may be a letter."""
_MAX_PDF_IMAGE = 600_000_000
"""Bytes of an image: A0 at 600 dpi in grey."""
_MAX_FORM_DEPTH = 30
_DEFLATE_RATIO = 1500
"""How many times as long a stream may become by one filter; of deflate it is 1,032, of LZW 1,365."""
_SHOWN_ATTACHMENTS = 10
_DAMAGE = re.compile(r"error|cannot|premature|corrupt|truncat|not a stream|non-page object|unknown filter", re.IGNORECASE)
"""In MuPDF's messages: content is lost. Others tell of harmless oddities in fonts and metadata."""


def _summary(messages: str) -> str:
    """The first of MuPDF's messages, and how many there were."""
    first, *rest = messages.splitlines()
    return f"{first} (and {len(rest)} more)" if rest else first


def _rasterise(page: Any, trace: _Trace, dpi: float) -> PageImage:
    """Draw a page, annotations included, at `dpi` or, where that would pass MAX_PIXELS, less."""
    mupdf = _mupdf()
    square_inches = page.rect.width * page.rect.height / POINTS_PER_INCH**2
    limit = math.sqrt(MAX_PIXELS / square_inches)
    if limit < _LEAST_DPI or max(page.rect.width, page.rect.height) * min(dpi, limit) > _MAX_SIDE * POINTS_PER_INCH:
        size = " × ".join(f"{side / POINTS_PER_INCH * 0.0254:.3g}" for side in (page.rect.width, page.rect.height))
        raise InputFileError(f"page {page.number + 1} is {size} m large, and no such page can be read; its size is most likely damaged")
    if dpi > limit:
        logger.warning("page %d is too large for %.0f dpi; read at %.1f", page.number + 1, dpi, limit)
        dpi = limit

    def draw(zoom: float, space: Any) -> np.ndarray:
        return _samples(page.get_pixmap(matrix=mupdf.Matrix(zoom, zoom), colorspace=space, alpha=False))

    zoom = dpi / POINTS_PER_INCH
    layer = _trace_to_layer(page, trace, (0, 0), (zoom, zoom))
    if is_coloured(draw(min(zoom, _PREVIEW_DPI / POINTS_PER_INCH), mupdf.csRGB)):
        color = draw(zoom, mupdf.csRGB)
        return PageImage(page.number, cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), dpi, color, layer=layer)
    return PageImage(page.number, draw(zoom, mupdf.csGRAY), dpi, layer=layer)


_MAX_SIDE = 100_000
"""Pixels of a page's height or width: a thin strip may have many and yet be small."""
_LEAST_DPI = 20
"""At less the largest letters on a page could not be read."""
_PREVIEW_DPI = 50
"""Resolution at which a page is looked at for colour."""


def _samples(pixmap: Any) -> np.ndarray:
    """A pixmap without transparency as uint8 (height, width), or (height, width, 3) if it has colours; its own copy."""
    rows = np.frombuffer(pixmap.samples_mv, np.uint8).reshape(pixmap.height, pixmap.stride)[:, : pixmap.width * pixmap.n]
    return rows.copy() if pixmap.n == 1 else rows.reshape(pixmap.height, pixmap.width, pixmap.n).copy()


def _raster_dpi(page: Any, trace: _Trace) -> int:
    """The resolution to draw a page at: enough for its text's em to be EM_PIXELS high, and for the images it consists of."""
    wanted = [dpi for dpi in (_text_dpi(trace), _images_dpi(page)) if dpi]
    low, high = RASTER_DPI_RANGE
    return round(min(max([*wanted, low]), high)) if wanted else DEFAULT_DPI


def _text_dpi(trace: _Trace) -> float | None:
    """The resolution at which the em of the commonest font size is EM_PIXELS high; None for a page without a text layer."""
    characters: Counter[float] = Counter()
    for span in trace:
        characters[round(span["size"], 1)] += sum(char[0] != ord(" ") for char in span["chars"])
    size = characters.most_common(1)[0][0] if characters.total() else 0.0
    return EM_PIXELS * POINTS_PER_INCH / size if size > 0 else None


def _images_dpi(page: Any) -> float | None:
    """The highest resolution of a page's larger images, if images cover half of it; None for any other page."""
    areas: list[float] = []
    dpis: list[float] = []
    for image in page.get_image_info():
        a, b, c, d, _, _ = image["transform"]
        area = abs(a * d - b * c) / (page.rect.width * page.rect.height)
        if area > 0:
            areas.append(area)
            dpis.append(image["width"] * POINTS_PER_INCH / math.hypot(a, b) if area > 0.05 else 0)
    return max(dpis) if sum(areas) >= 0.5 else None


def _scan(page: Any, trace: _Trace) -> PageImage | None:
    """The pixels of the one image that makes up a page, as stored, turned upright; None for any other page.

    The image must fill the page, be opaque and undistorted, and have nothing drawn over it that shows: an invisible
    text layer may be there, and one filled path below it, which is how a white background is drawn.
    """
    drawn = [kind for kind, _ in page.get_bboxlog() if kind != "ignore-text"]
    if drawn not in (["fill-image"], ["fill-path", "fill-image"]) or page.first_annot or page.first_widget:
        return None
    shown = page.get_image_info()
    if len(shown) != 1:
        return None
    info = shown[0]
    mupdf = _mupdf()
    a, b, c, d, *_ = mupdf.Matrix(info["transform"]) * page_turn(page)
    transposed = abs(b) > abs(a)
    across, down, slant = (c, b, abs(a) + abs(d)) if transposed else (a, d, abs(b) + abs(c))
    box = mupdf.Rect(info["bbox"]) * page_turn(page)
    misses = max(
        abs(box.x0 - page.rect.x0) / page.rect.width,
        abs(box.x1 - page.rect.x1) / page.rect.width,
        abs(box.y0 - page.rect.y0) / page.rect.height,
        abs(box.y1 - page.rect.y1) / page.rect.height,
    )
    if slant > 0.001 * (abs(across) + abs(down)) or misses > SCAN_EDGE:
        return None
    width, height = (info["height"], info["width"]) if transposed else (info["width"], info["height"])
    dpi, dpi_down = width * POINTS_PER_INCH / abs(across), height * POINTS_PER_INCH / abs(down)
    if abs(dpi / dpi_down - 1) > 0.02 or dpi < DPI_RANGE[0] or width * height > MAX_PIXELS:
        return None
    images = {image[:2] for image in page.get_images() if (image[2], image[3]) == (info["width"], info["height"])}
    if len(images) != 1:
        return None
    ((xref, soft_mask),) = images
    if soft_mask or page.parent.xref_get_key(xref, "Mask")[0] != "null":
        return None
    pixmap = mupdf.Pixmap(page.parent, xref)
    if pixmap.colorspace is None or pixmap.alpha:
        return None
    color = None
    if pixmap.colorspace.name != mupdf.csGRAY.name:
        color = _if_coloured(_samples(mupdf.Pixmap(mupdf.csRGB, pixmap)))
        pixmap = mupdf.Pixmap(mupdf.csGRAY, pixmap)
    gray = _place(_samples(pixmap), transposed, across < 0, down < 0)
    layer = _trace_to_layer(page, trace, (box.x0, box.y0), (dpi / POINTS_PER_INCH, dpi_down / POINTS_PER_INCH))
    return PageImage(page.number, gray, dpi, None if color is None else _place(color, transposed, across < 0, down < 0), layer=layer)


def page_turn(page: Any) -> Any:
    """The matrix that turns places on a PDF page, which PyMuPDF gives as if the page had no /Rotate, to where they are shown.

    PyMuPDF's own is wrong for a turned page with a UserUnit.
    """
    a, b, c, d, e, f = page.rotation_matrix
    return _mupdf().Matrix(a, b, c, d, e and page.rect.width, f and page.rect.height)


def _trace_to_layer(page: Any, trace: _Trace, origin: tuple[float, float], scale: tuple[float, float]) -> tuple[LayerGlyph, ...]:
    """The text layer of a page of which `origin`, in points, is the first pixel, with `scale` pixels to a point across and down.

    What is set aslant is left out: stamps and watermarks.
    """
    images = [(place, box) for place, (kind, box) in enumerate(page.get_bboxlog()) if kind == "fill-image"]
    turned = np.array(tuple(page_turn(page))).reshape(3, 2)
    glyphs: list[LayerGlyph] = []
    for span in trace:
        across, down = span["dir"]
        turns = 0 if span["wmode"] else math.degrees(math.atan2(down, across)) / 90
        if abs(turns - round(turns)) > MAX_SLANT / 90:
            continue
        quarters = (round(turns) + page.rotation // 90) % 4
        over = [box for place, box in images if place > span["seqno"]]
        drawn = span["type"] != _INVISIBLE and span["opacity"] > 0
        corners = np.array([char[3] for char in span["chars"]]).reshape(-1, 2, 2)
        pixels = (corners @ turned[:2] + turned[2] - origin) * scale
        places = np.concatenate([pixels.min(axis=1), pixels.max(axis=1)], axis=1).tolist()
        middles = corners.mean(axis=1).tolist()
        for (code, glyph, *_), place, (x, y) in zip(span["chars"], places, middles, strict=True):
            char = chr(code) if 0 < code < sys.maxunicode else "\ufffd"
            char = "\ufffd" if unicodedata.category(char) in ("Cc", "Cs") else char
            if glyph < 0 and glyphs:  # the second letter of a ligature
                glyphs[-1] = replace(glyphs[-1], char=glyphs[-1].char + char)
            else:
                visible = drawn and not any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in over)
                glyphs.append(LayerGlyph(char, Box(*place), quarters, visible))
    return tuple(glyphs)


_INVISIBLE = 3
"""Text rendering mode: neither filled nor stroked; ISO 32000-1, 9.3.6."""


# Images


def _image_plugin(head: bytes) -> type[ImageFile.ImageFile] | None:
    """The Pillow class that reads a file of these first bytes.

    Named here rather than left to Image.open, which loads all of Pillow's forty formats, and whose limit on pixels is
    a global that a library has no business changing.
    """
    return next((plugin for signature, plugin in _IMAGE_SIGNATURES if re.match(signature, head, re.DOTALL)), None)


_IMAGE_SIGNATURES: tuple[tuple[bytes, type[ImageFile.ImageFile]], ...] = (
    (rb"\x89PNG\r\n\x1a\n", PngImagePlugin.PngImageFile),
    (rb"\xff\xd8\xff", JpegImagePlugin.JpegImageFile),
    (rb"II[*+]\0|MM\0[*+]", TiffImagePlugin.TiffImageFile),
    (rb"RIFF....WEBP", WebPImagePlugin.WebPImageFile),
    (rb"GIF8[79]a", GifImagePlugin.GifImageFile),
    (rb"BM.{12}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", BmpImagePlugin.BmpImageFile),
)

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".gif", ".pdf")
"""Of the names that files usually have which can be read."""

_SUBFILE_TYPE, _ORIENTATION = 254, 274  # TIFF 6.0, section 8; the second is also Exif's
_REDUCED_RESOLUTION = 1  # bit of the former: a thumbnail of another page


class _ImageDocument:
    """An image file that yields its one page, or a TIFF's several; of an animation, the first frame."""

    def __init__(self, file: BinaryIO, name: str, plugin: type[ImageFile.ImageFile]) -> None:
        self._file = file
        self._name = name
        self._plugin = plugin
        try:
            self._image = plugin(file)
            self._frames = _tiff_pages(self._image) if isinstance(self._image, TiffImagePlugin.TiffImageFile) else [0]
        except Exception as error:  # Pillow's readers raise whatever damaged bytes lead them to
            raise InputFileError(f"{name} is a damaged {plugin.format} image: {error}; try another copy") from error
        self.page_count = len(self._frames)
        if not self._frames:
            raise InputFileError(f"{name} is a TIFF file without any page")

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def read(self, index: int) -> PageImage:
        """Read a page."""
        return self._use(index, lambda image: _image_to_page(index, image))

    def picture(self, index: int) -> Picture:
        """A page as it is stored."""
        return self._use(index, self._image_to_picture)

    def _image_to_picture(self, image: ImageFile.ImageFile) -> Picture:
        across, down = _image_dpi(image)
        orientation = _orientation(image)
        is_tiff = isinstance(image, TiffImagePlugin.TiffImageFile)
        if is_tiff and orientation >= 5:
            across, down = down, across
        placing = _placing(1 if is_tiff else orientation)
        image.load()
        inches = image.width / across, image.height / down
        self._file.seek(0)
        content = self._file.read() if image.format in ("JPEG", "PNG") else b""
        upright: Image.Image = image
        if image.mode in ("I", "F"):  # which neither PNG nor PDF has
            upright = Image.fromarray(_image_to_gray(image, 1))
        return Picture(upright, content, inches[::-1] if placing[0] else inches, placing)

    def _use(self, index: int, use: Callable[[ImageFile.ImageFile], _T]) -> _T:
        """What `use` makes of the image of a page that is not decoded yet."""
        try:
            if self.page_count == 1 and self._frames == [0]:
                self._file.seek(0)
                image = self._plugin(self._file)  # anew, so that the decoded pixels do not outlive this call
            else:
                image = self._image  # which knows where in the file each frame is
                image.seek(self._frames[index])
            _check_size(image, self._name)
            return use(image)
        except InputFileError:
            raise
        except Exception as error:  # as above
            raise InputFileError(f"page {index + 1} of {self._name} is damaged or cut short: {error}; try another copy") from error


def _tiff_pages(image: TiffImagePlugin.TiffImageFile) -> list[int]:
    """The frames of a TIFF file that are pages rather than thumbnails of pages."""
    pages = []
    for frame in range(image.n_frames):
        image.seek(frame)
        if not image.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED_RESOLUTION:
            pages.append(frame)
    return pages


def _check_size(image: Image.Image, name: str) -> None:
    """Refuse, before decoding it, an image that would take more memory than MAX_DECODED_BYTES."""
    pixel_bytes = {"1": 1, "L": 1, "P": 1}.get(image.mode, 2 if image.mode.startswith("I;16") else 4)
    if image.width * image.height * pixel_bytes > MAX_DECODED_BYTES:
        raise InputFileError(
            f"an image may take {MAX_DECODED_BYTES / 1e9:g} GB decoded, but {name} has {image.width} × {image.height} pixels of "
            f"{pixel_bytes} bytes; save it at a lower resolution or without colour"
        )


def _image_to_page(index: int, image: ImageFile.ImageFile) -> PageImage:
    """Decode an image to an upright PageImage with square pixels and at most MAX_PIXELS of them."""
    dpi_across, dpi_down = _image_dpi(image)
    orientation = _orientation(image)
    pixels = image.width * image.height
    factor = _reduction(image)
    if factor > 1:
        logger.warning("page %d has %d × %d pixels, more than are of use; read at 1/%d", index + 1, *image.size, factor)
    gray_alone = isinstance(image, JpegImagePlugin.JpegImageFile) and not _is_coloured_jpeg(image)
    image.draft("L" if gray_alone else None, (image.width // factor, image.height // factor))  # a JPEG can be decoded smaller, and to grey
    image.load()
    gray, color = _image_to_gray(image, _reduction(image)), _image_to_color(image)
    dpi_across, dpi_down = (dpi * math.sqrt(gray.size / pixels) for dpi in (dpi_across, dpi_down))
    if not isinstance(image, TiffImagePlugin.TiffImageFile):  # which Pillow has turned already
        how = _placing(orientation)
        gray, color = _place(gray, *how), None if color is None else _place(color, *how)
    if orientation >= 5:
        dpi_across, dpi_down = dpi_down, dpi_across
    if dpi_across != dpi_down:
        dpi = max(dpi_across, dpi_down)
        size = (round(gray.shape[1] * dpi / dpi_across), round(gray.shape[0] * dpi / dpi_down))
        gray = cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC)
        color = None if color is None else cv2.resize(color, size, interpolation=cv2.INTER_CUBIC)
        return PageImage(index, gray, dpi, color)
    return PageImage(index, gray, dpi_across, color)


def _reduction(image: Image.Image) -> int:
    """The whole number by which to divide an image's width and height for it to have at most MAX_PIXELS."""
    return math.ceil(math.sqrt(image.width * image.height / MAX_PIXELS))


def _orientation(image: Image.Image) -> int:
    """The Exif orientation: 1 for an upright image, up to 8 for the ways to turn and mirror one."""
    try:
        orientation = image.getexif().get(_ORIENTATION, 1)
    except Exception as error:  # damaged metadata are no reason to refuse the pixels
        logger.debug("Exif metadata cannot be read: %s", error)
        return 1
    return orientation if orientation in range(1, 9) else 1


def _placing(orientation: int) -> tuple[bool, bool, bool]:
    """What `_place` is to do with pixels of an Exif orientation."""
    return orientation >= 5, orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)


def _image_dpi(image: Image.Image) -> tuple[float, float]:
    """Resolution across and down, which differ in a fax only; DEFAULT_DPI where metadata give none in DPI_RANGE."""
    low, high = DPI_RANGE
    across, down = (float(dpi) for dpi in image.info.get("dpi", (0, 0)))
    if not (low <= across <= high and low <= down <= high):
        return DEFAULT_DPI, DEFAULT_DPI
    return (across, down) if abs(across / down - 1) > 0.1 else (across, across)


def _is_coloured_jpeg(image: JpegImagePlugin.JpegImageFile) -> bool:
    """Whether a JPEG that is not yet decoded has colour, by decoding it to an eighth of its size, which takes little time."""
    if image.mode == "L" or image.fp is None:
        return False
    image.fp.seek(0)
    preview = JpegImagePlugin.JpegImageFile(image.fp)
    preview.draft(None, (image.width // 8, image.height // 8))
    return is_coloured(np.array(preview.convert("RGB")))


def _image_to_color(image: Image.Image) -> np.ndarray | None:
    """The red, green and blue of a decoded image, uint8 (height, width, 3), if it is coloured, opaque and not too large."""
    if image.mode not in ("RGB", "RGBA", "P", "CMYK", "YCbCr") or _reduction(image) > 1:
        return None
    if image.has_transparency_data and np.asarray(image.convert("RGBA").getchannel("A")).min() < 255:
        return None
    image = image.convert("RGB")
    return np.array(image) if is_coloured(np.array(image.reduce(_PREVIEW))) else None


def _image_to_gray(image: Image.Image, factor: int) -> np.ndarray:
    """Convert a decoded image of any mode to grey, its width and height divided by `factor`.

    Returns:
        uint8 (height, width).
    """
    # Decided once for the whole image, on a sample of its pixels.
    sample = image.resize((min(image.width, _SAMPLE), min(image.height, _SAMPLE)), Image.Resampling.NEAREST)
    deep = image.mode[0] in "IF"
    excess_bits = max(int(np.asarray(sample).max()).bit_length() - 8, 0) if deep else 0
    backdrop = _backdrop(sample) if image.has_transparency_data and not deep else None
    if factor == 1:
        return _band_to_gray(image, backdrop, excess_bits)
    # A band of rows at a time: grey at full size would be as large as the image again.
    step = factor * max(1, _SAMPLE**2 // (image.width * factor))
    bands = []
    for top in range(0, image.height, step):
        band = _band_to_gray(image.crop((0, top, image.width, min(top + step, image.height))), backdrop, excess_bits)
        size = (math.ceil(band.shape[1] / factor), math.ceil(band.shape[0] / factor))
        bands.append(cv2.resize(band, size, interpolation=cv2.INTER_AREA))
    return np.concatenate(bands)


_SAMPLE = 2048


def _band_to_gray(image: Image.Image, backdrop: int | None, excess_bits: int) -> np.ndarray:
    """Convert part of an image to uint8 (height, width): see `_image_to_gray`."""
    if backdrop is not None:
        gray, alpha = _gray_and_alpha(image)
        # With white behind it, text that was light is dark once both are inverted.
        ink = gray if backdrop == 255 else 255 - gray
        return 255 - cv2.multiply(255 - ink, alpha, scale=1 / 255)
    if image.mode.startswith("I"):
        return np.clip(np.asarray(image).astype(np.int64) >> excess_bits, 0, 255).astype(np.uint8)
    if image.mode == "F":
        pixels = np.asarray(image)
        return np.clip(pixels * (255 if pixels.max(initial=0) <= 1 else 1), 0, 255).astype(np.uint8)
    if image.mode == "LAB":
        return np.array(image.getchannel("L"))
    if image.mode not in ("1", "L", "RGB"):
        image = image.convert("RGB")
    return np.array(image.convert("L"))


def _gray_and_alpha(image: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """The grey and the opacity of an image with transparency, each uint8 (height, width)."""
    rgba = image.convert("RGBA")
    return np.array(rgba.convert("RGB").convert("L")), np.array(rgba.getchannel("A"))


def _backdrop(sample: Image.Image) -> int:
    """The grey that a transparent image is meant to be seen on: 255 or 0, whichever makes what is opaque stand out.

    Where the opaque part is most of the image, it is the page with its own paper, not bare text, and the rest becomes
    more of that paper.
    """
    gray, alpha = _gray_and_alpha(sample)
    opaque = alpha >= 128
    if not opaque.any():
        return 255
    light = np.median(gray[opaque]) >= 128
    return 255 if light == (opaque.mean() > 0.5) else 0
