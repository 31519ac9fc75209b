"""Typefaces for rendering: which characters a font has, and single glyphs as grey bitmaps."""

import ctypes
import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import freetype
import numpy as np

from docrec.charset import Charset
from docrec.errors import TrainingDataError

SUFFIXES = (".ttf", ".otf", ".ttc")
# Typefaces that are no model for print: small capitals and unslanted trials show other letters than they are asked for.
UNFIT = re.compile(r"caps|Symbol|Dingbats|D050000L|Emoji|Braille|Math|dunh|Thin|ExtraLight|Black|Hairline|lm\w+[5-7]-", re.I)
MIN_HANZI = 3000
CACHED_GLYPHS = 1500
FULL_HANZI = "国鼎真我事高"  # characters that fill their em box: their ink gives the band of the type


@dataclass(frozen=True, slots=True)
class Bitmap:
    """One rendered glyph: `ink` uint8 (h, w), 255 = ink; its place relative to the pen on the baseline; how far the pen moves (pixels)."""

    ink: np.ndarray
    left: int
    top: int
    advance: float


class Font:
    """One face of a font file, rendered without hinting as PDF viewers do."""

    def __init__(self, path: Path, index: int = 0) -> None:
        self.path = path
        try:
            self._face = freetype.Face(str(path), index)
        except freetype.FT_Exception as error:
            raise TrainingDataError(f"the font {path} cannot be opened: {error}") from error
        self.points = frozenset(point for point, glyph in self._face.get_chars() if glyph)
        self._bitmaps: OrderedDict[tuple[str, float, float, float], Bitmap] = OrderedDict()

    def __repr__(self) -> str:
        return f"Font({self.path.name})"

    def has(self, char: str) -> bool:
        """Whether the font has a glyph for the character."""
        return ord(char) in self.points

    def bitmap(self, char: str, size: float, weight: float = 0.0, slant: float = 0.0) -> Bitmap:
        """Render one character.

        Args:
            char: a character that the font has.
            size: em size in pixels.
            weight: growth of the strokes in pixels; negative thins them.
            slant: horizontal shear, as the tangent of the angle.
        """
        key = (char, size, weight, slant)
        if key in self._bitmaps:
            self._bitmaps.move_to_end(key)
            return self._bitmaps[key]
        face = self._face
        face.set_char_size(round(size * 64))
        face.set_transform(freetype.Matrix(0x10000, round(slant * 0x10000), 0, 0x10000), freetype.Vector(0, 0))
        face.load_char(char, freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP)
        slot = face.glyph
        advance = slot.linearHoriAdvance / 65536
        if weight:
            freetype.FT_Outline_Embolden(ctypes.byref(slot.outline._FT_Outline), round(weight * 64))
        slot.render(freetype.FT_RENDER_MODE_NORMAL)
        raw = slot.bitmap._FT_Bitmap
        if raw.rows and raw.width:
            pixels = ctypes.cast(raw.buffer, ctypes.POINTER(ctypes.c_ubyte))
            ink = np.ctypeslib.as_array(pixels, (raw.rows, abs(raw.pitch)))[:, : raw.width].copy()
        else:
            ink = np.zeros((0, 0), np.uint8)
        result = self._bitmaps[key] = Bitmap(ink, slot.bitmap_left, slot.bitmap_top, advance)
        if len(self._bitmaps) > CACHED_GLYPHS:
            self._bitmaps.popitem(last=False)
        return result


@dataclass(frozen=True)
class FontSet:
    """The typefaces lines are rendered in: `hanzi` for Chinese, `latin` for letters and digits between it."""

    hanzi: tuple[Font, ...]
    latin: tuple[Font, ...]


def load_fonts(folders: Iterable[str | Path], charset: Charset) -> FontSet:
    """Open every usable font file below the folders.

    Args:
        folders: searched recursively for .ttf, .otf and .ttc files; of a collection, the faces named SC or CN, else the first.
        charset: fonts with at least 3,000 of its Hanzi, or half of them, are Chinese; of the others, those with all
            ASCII letters are Latin.

    Raises:
        TrainingDataError: no Chinese font was found.
    """
    hanzi = {ord(char) for char in charset.characters if is_hanzi(char)}
    least = min(MIN_HANZI, max(1, len(hanzi) // 2))
    letters = set(range(0x21, 0x7F))
    chinese, latin, seen = [], [], set()
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES):
        if path.name in seen or UNFIT.search(path.name):
            continue
        seen.add(path.name)
        for font in _faces(path):
            if len(hanzi & font.points) >= least:
                chinese.append(font)
            elif letters <= font.points:
                latin.append(font)
    if not chinese:
        searched = ", ".join(map(str, folders))
        raise TrainingDataError(f"rendering needs a font with at least {least} Hanzi of the alphabet; found none in {searched}")
    return FontSet(tuple(chinese), tuple(latin))


def is_hanzi(char: str) -> bool:
    """Whether the character is a CJK ideograph."""
    point = ord(char)
    return 0x4E00 <= point <= 0x9FFF or 0x3400 <= point <= 0x4DBF or point >= 0x20000 or point == 0x3007


def _faces(path: Path) -> list[Font]:
    """The faces of a font file that draw characters as mainland China does."""
    try:
        face = freetype.Face(str(path))
    except freetype.FT_Exception:
        return []
    names = {index: freetype.Face(str(path), index).family_name.decode("latin-1") for index in range(face.num_faces)}
    wanted = [index for index, name in names.items() if re.search(r"\b(SC|CN)\b", name) and "Mono" not in name]
    return [Font(path, index) for index in (wanted or [0])[:1]]
