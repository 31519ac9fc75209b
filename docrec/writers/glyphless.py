"""A font of empty glyphs: it shows nothing, and says which character each code stands for."""

import struct

from docrec.writers.objects import PdfObject

ASCENT, DESCENT = 880, -120
"""Of the em of 1,000 units, all of which a glyph's box is high and wide; those of common Chinese typefaces."""

_NAME = "DocrecGlyphless"
_ENTRIES = 100  # that a bfchar section of a CMap may have: Adobe Technical Note 5014, section 1.4.1


class Glyphless:
    """The font, which learns its characters as text is encoded. Every glyph is one em wide and high; text is stretched by Tz."""

    OBJECTS = 6
    """Objects of a PDF that it takes, of which the first is the font."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def encode(self, text: str) -> str:
        """The codes of a text, as hexadecimal digits."""
        return "".join(f"{self._codes.setdefault(char, len(self._codes) + 1):04x}" for char in text)

    def objects(self, first: int) -> list[PdfObject]:
        """The font with all characters encoded so far, as objects numbered from `first`."""
        descendant, descriptor, program, glyphs, to_unicode = range(first + 1, first + self.OBJECTS)
        truetype = _truetype()
        return [
            PdfObject(
                f"/Type/Font/Subtype/Type0/BaseFont/{_NAME}/Encoding/Identity-H"
                f"/DescendantFonts[{descendant} 0 R]/ToUnicode {to_unicode} 0 R"
            ),
            PdfObject(
                f"/Type/Font/Subtype/CIDFontType2/BaseFont/{_NAME}/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
                f"/FontDescriptor {descriptor} 0 R/CIDToGIDMap {glyphs} 0 R/DW 1000"
            ),
            PdfObject(
                f"/Type/FontDescriptor/FontName/{_NAME}/Flags 4/FontBBox[0 {DESCENT} 1000 {ASCENT}]/ItalicAngle 0"
                f"/Ascent {ASCENT}/Descent {DESCENT}/CapHeight {ASCENT}/StemV 80/FontFile2 {program} 0 R"
            ),
            PdfObject(f"/Length1 {len(truetype)}", truetype),
            PdfObject("", b"\0\0" + b"\0\1" * len(self._codes)),  # glyph 1 for all codes: PDF/A forbids the use of glyph 0, .notdef
            PdfObject("", self._cmap().encode()),
        ]

    def _cmap(self) -> str:
        """The CMap from codes to Unicode: ISO 32000-1, section 9.10.3."""
        entries = [f"<{code:04x}> <{char.encode('utf-16-be').hex()}>\n" for char, code in self._codes.items()]
        sections = [entries[start : start + _ENTRIES] for start in range(0, len(entries), _ENTRIES)]
        return (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
            + "".join(f"{len(section)} beginbfchar\n{''.join(section)}endbfchar\n" for section in sections)
            + "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n"
        )


def _truetype() -> bytes:
    """A TrueType font of two empty glyphs, .notdef and a blank, with the tables that ISO 32000-1, section 9.9, asks for."""
    tables = {
        b"glyf": bytes(4),
        b"head": struct.pack(">IIIIHHQQ4hHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, 1000, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0),
        b"hhea": struct.pack(">I3hH11hH", 0x10000, ASCENT, DESCENT, 0, 1000, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2),
        b"hmtx": struct.pack(">HhHh", 1000, 0, 1000, 0),
        b"loca": bytes(6),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
    }
    head = struct.pack(">IHHHH", 0x10000, len(tables), 64, 2, len(tables) * 16 - 64)
    place = len(head) + 16 * len(tables)
    records = bodies = b""
    for tag, table in tables.items():
        padded = table + bytes(-len(table) % 4)
        records += tag + struct.pack(">III", _checksum(padded), place + len(bodies), len(table))
        bodies += padded
    font = bytearray(head + records + bodies)
    adjustment = place + len(bytes(4)) + 8  # of head, the second table
    font[adjustment : adjustment + 4] = struct.pack(">I", (0xB1B0AFBA - _checksum(font)) & 0xFFFFFFFF)
    return bytes(font)


def _checksum(data: bytes | bytearray) -> int:
    return sum(struct.unpack(f">{len(data) // 4}I", data)) & 0xFFFFFFFF
