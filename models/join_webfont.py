"""Joins a web font that is published in pieces, as Chinese ones are, into one TrueType font:  join_webfont.py OUT PIECE...

Needs fonttools and brotli. Metrics are those of the first piece; instructions, kerning and variants are left out.
"""

import sys
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont


def outline(glyphs: Any, name: str, error: float) -> Any:
    """A glyph of a font as one of TrueType's, its curves no farther off than `error` units."""
    recording = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(recording)
    pen = TTGlyphPen(None)
    recording.replay(Cu2QuPen(pen, error))
    return pen.glyph()


def join(out: str, pieces: list[str]) -> int:
    """Write the font; returns how many characters it has."""
    fonts = [TTFont(piece) for piece in pieces]
    units, ascent, descent = fonts[0]["head"].unitsPerEm, fonts[0]["hhea"].ascent, fonts[0]["hhea"].descent
    names: dict[int, str] = {}
    outlines, widths = {".notdef": TTGlyphPen(None).glyph()}, {".notdef": units}
    for font in fonts:
        glyphs = font.getGlyphSet()
        for code, name in font.getBestCmap().items():
            if code not in names:
                names[code] = f"u{code:05X}"
                outlines[names[code]], widths[names[code]] = outline(glyphs, name, units / 1000), glyphs[name].width
    builder = FontBuilder(units, isTTF=True)
    builder.setupGlyphOrder([*outlines])
    builder.setupCharacterMap(names)
    builder.setupGlyf(outlines)
    builder.setupHorizontalMetrics({name: (width, getattr(outlines[name], "xMin", 0)) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=ascent, descent=descent)
    builder.setupNameTable({"familyName": out.rsplit("/", 1)[-1].removesuffix(".ttf"), "styleName": "Regular"})
    builder.setupOS2(sTypoAscender=ascent, sTypoDescender=descent)
    builder.setupPost()
    builder.save(out)
    return len(names)


if __name__ == "__main__":
    _, target, *given = sys.argv
    print(f"{target}: {join(target, given)} characters")
