import pytest

from docrec.charset import Charset
from docrec.errors import TrainingDataError

pytest.importorskip("freetype", reason="training needs docrec[train]")

from docrec.training.fonts import Font, load_fonts, system_font_folders

HANZI = Charset(tuple(map(chr, range(0x4E00, 0x4E64))))


def make_font(path, characters):
    """Write a font in which every character is a square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen

    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in ((0, 800), (800, 800), (800, 0)):
        pen.lineTo(corner)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "square"])
    builder.setupCharacterMap(dict.fromkeys(map(ord, characters), "square"))
    builder.setupGlyf({".notdef": square, "square": square})
    builder.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": "Squares"})
    builder.setupPost()
    builder.font.flavor = "woff2" if path.suffix == ".woff2" else None
    builder.save(path)
    return path


def test_a_woff2_font_draws_as_any_other(tmp_path):
    font = Font(make_font(tmp_path / "squares.woff2", "一二"))
    assert font.has("二")
    assert font.bitmap("一", 40).ink.shape == (32, 32)


def test_fonts_are_refused_by_name_with_a_reason(tmp_path):
    make_font(tmp_path / "a.ttf", HANZI.characters[:60])
    make_font(tmp_path / "latin.ttf", map(chr, range(0x21, 0x7F)))
    make_font(tmp_path / "few.ttf", "一丁abc")
    make_font(tmp_path / "Some-Black.ttf", HANZI.characters)
    (tmp_path / "broken.otf").write_bytes(b"no font")
    (tmp_path / "broken.woff2").write_bytes(b"no font")
    fonts = load_fonts([tmp_path], HANZI)
    assert [font.path.name for font in (*fonts.hanzi, *fonts.latin)] == ["a.ttf", "latin.ttf"]
    reasons = {path.name: reason for path, reason in fonts.refused.items()}
    assert reasons["few.ttf"] == "a font needs 50 Hanzi of the alphabet or all 94 signs of ASCII, and it has 2 and 3"
    assert reasons["Some-Black.ttf"] == "by its name it is no typeface of printed text"
    assert "broken.otf cannot be opened" in reasons["broken.otf"]
    assert "broken.woff2 cannot be opened" in reasons["broken.woff2"]


def test_characters_that_no_font_has(tmp_path):
    make_font(tmp_path / "a.ttf", HANZI.characters[:60])
    make_font(tmp_path / "latin.ttf", map(chr, range(0x21, 0x7F)))
    fonts = load_fonts([tmp_path], HANZI)
    assert fonts.missing(Charset(("a", " ", "é", HANZI.characters[0], HANZI.characters[60]))) == ["é", HANZI.characters[60]]


def test_a_folder_of_useless_fonts_is_an_error(tmp_path):
    make_font(tmp_path / "few.ttf", "一")
    with pytest.raises(TrainingDataError, match="at least 50 Hanzi"):
        load_fonts([tmp_path], HANZI)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_the_systems_fonts_lie_in_folders_that_are_there(platform, tmp_path, monkeypatch):
    for folder in (".local/share/fonts", "Library/Fonts", "Windows/Fonts"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WINDIR", str(tmp_path / "Windows"))
    monkeypatch.setattr("sys.platform", platform)
    own = {"linux": ".local/share/fonts", "darwin": "Library/Fonts", "win32": "Windows/Fonts"}[platform]
    folders = system_font_folders()
    assert tmp_path / own in folders
    assert all(folder.is_dir() for folder in folders)
