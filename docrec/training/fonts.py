"""Typefaces for rendering: which characters a font has, and single glyphs as grey bitmaps."""

import ctypes
import io
import os
import re
import sys
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import freetype
import numpy as np

from docrec.charset import Charset
from docrec.errors import TrainingDataError

SUFFIXES = (".ttf", ".otf", ".ttc", ".woff2")
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
        self._face = _open(path, index)
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
    """The typefaces lines are rendered in.

    Attributes:
        hanzi: for Chinese.
        latin: for letters and digits between it.
        refused: font files that can serve as neither, and why.
    """

    hanzi: tuple[Font, ...]
    latin: tuple[Font, ...]
    refused: dict[Path, str] = field(default_factory=dict)

    def missing(self, charset: Charset) -> list[str]:
        """Characters of the alphabet, in its order, that no font can show; a space needs no glyph."""
        points = {ord(" ")}.union(*(font.points for font in (*self.hanzi, *self.latin)))
        return [char for char in charset.characters if ord(char) not in points]


def load_fonts(folders: Iterable[str | Path], charset: Charset) -> FontSet:
    """Open every usable font file below the folders.

    Args:
        folders: searched recursively for .ttf, .otf, .ttc and .woff2 files; of a collection, the first face named SC or CN is taken,
            or else the first; of files with the same name, the first.
        charset: fonts with at least 3,000 of its Hanzi, or half of them, are Chinese; of the others, those with all
            ASCII letters are Latin.

    Raises:
        TrainingDataError: no Chinese font was found.
    """
    hanzi = {ord(char) for char in charset.characters if is_hanzi(char)}
    least = min(MIN_HANZI, max(1, len(hanzi) // 2))
    letters = set(range(0x21, 0x7F))
    chinese, latin, refused, seen = [], [], {}, set()
    for path in sorted(path for folder in folders for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES):
        if path.name in seen:
            continue
        seen.add(path.name)
        if UNFIT.search(path.name):
            refused[path] = "by its name it is no typeface of printed text"
            continue
        try:
            font = _face(path)
        except TrainingDataError as error:
            refused[path] = str(error)
            continue
        if len(hanzi & font.points) >= least:
            chinese.append(font)
        elif letters <= font.points:
            latin.append(font)
        else:
            found = f"it has {len(hanzi & font.points)} and {len(letters & font.points)}"
            refused[path] = f"a font needs {least} Hanzi of the alphabet or all {len(letters)} signs of ASCII, and {found}"
    if not chinese:
        searched = ", ".join(map(str, folders))
        raise TrainingDataError(f"rendering needs a font with at least {least} Hanzi of the alphabet; found none in {searched}")
    return FontSet(tuple(chinese), tuple(latin), refused)


def system_font_folders() -> list[Path]:
    """The folders where this system keeps its fonts, as far as they are there."""
    home = Path.home()
    if sys.platform == "win32":
        local = Path(os.environ.get("LOCALAPPDATA", home / "AppData/Local"))
        folders = [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts", local / "Microsoft/Windows/Fonts"]
    elif sys.platform == "darwin":
        folders = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    else:
        folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/usr/share/texmf/fonts")]
        folders += [home / ".fonts", home / ".local/share/fonts"]
    return [folder for folder in folders if folder.is_dir()]


def is_hanzi(char: str) -> bool:
    """Whether the character is a CJK ideograph."""
    point = ord(char)
    return 0x4E00 <= point <= 0x9FFF or 0x3400 <= point <= 0x4DBF or point >= 0x20000 or point == 0x3007


def _face(path: Path) -> Font:
    """The face of a font file that draws characters as mainland China does."""
    names = [_open(path, index).family_name for index in range(_open(path, 0).num_faces)]
    wanted = [index for index, name in enumerate(names) if re.search(rb"\b(SC|CN)\b", name or b"") and b"Mono" not in name]
    return Font(path, (wanted or [0])[0])


def _open(path: Path, index: int) -> freetype.Face:
    try:
        return freetype.Face(io.BytesIO(_unpacked(path)) if path.suffix.lower() == ".woff2" else str(path), index)
    except freetype.FT_Exception as error:
        raise TrainingDataError(f"the font {path} cannot be opened: {error}") from error


@lru_cache(maxsize=1)
def _unpacked(path: Path) -> bytes:
    """A WOFF2 font as FreeType reads it, which opens compressed ones only where it was built with Brotli."""
    from fontTools.ttLib.woff2 import decompress

    unpacked = io.BytesIO()
    try:
        decompress(str(path), unpacked)
    except Exception as error:  # of a damaged file: those of fontTools, Brotli, struct and more
        raise TrainingDataError(f"the font {path} cannot be opened: {error}") from error
    return unpacked.getvalue()
