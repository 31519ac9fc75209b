from collections.abc import Callable

import numpy as np
import pytest
from conftest import PROSE

from docrec.charset import Charset
from docrec.errors import TrainingDataError

pytest.importorskip("freetype", reason="training needs docrec[train]")

from docrec.training.fonts import Font, is_hanzi, load_fonts
from docrec.training.lines import LabelledLine, Span
from docrec.training.synth import Renderer, _seen
from docrec.training.targets import BLANK, CHARACTER, EITHER, PICKED, make_batch, spans_to_frames
from docrec.training.text import TextSource


@pytest.fixture(scope="session")
def alphabet():
    hanzi = map(chr, range(0x4E00, 0x4F00))
    return Charset(tuple(sorted({*PROSE.replace("\n", ""), *"abcdefghijklmnopqrstuvwxyzABCT0123456789 ,.;:()=αβ（）", *hanzi})))


@pytest.fixture
def renderer(alphabet, text_file, font_folder):
    return Renderer(TextSource([text_file], alphabet), load_fonts([font_folder], alphabet_of_hanzi()), seed=5)


def alphabet_of_hanzi():
    return Charset(tuple(map(chr, range(0x4E00, 0x9FA6))))


def test_fonts_are_sorted_by_what_they_hold(font_folder, alphabet):
    fonts = load_fonts([font_folder], alphabet_of_hanzi())
    assert [font.path.name for font in fonts.hanzi] == ["china-s.ttf"]
    assert fonts.hanzi[0].has("汉")
    assert not fonts.hanzi[0].has("\u0e01")


def test_no_chinese_font_is_an_error(tmp_path):
    with pytest.raises(TrainingDataError, match="3000 Hanzi"):
        load_fonts([tmp_path], alphabet_of_hanzi())


def test_a_font_file_that_is_none_is_an_error(tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(TrainingDataError, match="cannot be opened"):
        Font(tmp_path / "broken.ttf")


def test_glyphs_have_the_size_asked_for(font_folder):
    font = Font(font_folder / "china-s.ttf")
    glyph = font.bitmap("国", 40.0)
    assert 30 <= glyph.ink.shape[0] <= 42
    assert glyph.advance == pytest.approx(40, abs=1)
    assert font.bitmap("国", 40.0, weight=1.0).ink.sum() > 1.1 * glyph.ink.sum()


def test_text_comes_from_plain_compressed_and_marked_up_files(tmp_path, alphabet):
    import gzip
    import lzma

    (tmp_path / "a.txt").write_text(PROSE, encoding="utf-8")
    (tmp_path / "b.xz").write_bytes(lzma.compress("\u4e00\u4e01\u4e03\u4e07".encode()))
    (tmp_path / "c.html").write_text("<head><title>x</title></head><p>\u4e08\u4e09\u4e0a&amp;\u4e0b\u4e0d</p>", encoding="utf-8")
    (tmp_path / "d.1.gz").write_bytes(gzip.compress(".TH page\n\\fB\u4e0e\u4e10\u4e11\u4e13\\fR\n".encode()))
    text = TextSource([tmp_path], alphabet)._prose
    for part in ("清风徐来", "一丁七万", "丈三上下不", "与丐丑专"):
        assert part in text
    assert "title" not in text
    assert "TH" not in text


def test_rare_hanzi_are_rarer_in_text_than_in_the_lines_drawn(text_file, alphabet):
    ratio = dict(zip(alphabet.characters, TextSource([text_file], alphabet).log_prior_ratio(alphabet), strict=True))
    assert ratio["\u4e02"] < -1
    assert ratio["之"] > 0.2
    assert ratio["a"] == 0
    assert ratio["α"] < -1 < ratio["，"]


def test_hanzi_that_the_model_at_the_start_lacks_are_half_of_the_random_ones(text_file, alphabet):
    new = {"\u4e02", "\u4e04"}
    known = Charset(tuple(char for char in alphabet.characters if char not in new))
    plain, taught = TextSource([text_file], alphabet), TextSource([text_file], alphabet, known)
    random = np.random.default_rng(3)
    drawn = ["".join(source.draw(random, lambda _: True) for _ in range(300)) for source in (plain, taught)]
    shares = [sum(map(text.count, new)) / len(text) for text in drawn]
    assert shares[1] > 10 * max(shares[0], 0.002)
    ratios = [source.log_prior_ratio(alphabet)[alphabet.encode("".join(sorted(new)))].mean() for source in (plain, taught)]
    assert ratios[1] < ratios[0] - 2  # so that they are not expected in running text


def test_running_text_has_the_hanzi_of_the_text_alone(text_file, alphabet):
    source, random = TextSource([text_file], alphabet), np.random.default_rng(3)
    has = set(filter(is_hanzi, text_file.read_text(encoding="utf-8") + "万元"))  # which stand behind numbers
    for some, expected in ((source, False), (source.running_text(), True)):
        drawn = {char for _ in range(100) for char in some.draw(random, lambda _: True) if is_hanzi(char)}
        assert (drawn <= has) == expected


def test_too_little_text_is_an_error(tmp_path, alphabet):
    (tmp_path / "a.txt").write_text("太少", encoding="utf-8")
    with pytest.raises(TrainingDataError, match="at least 1,000 characters"):
        TextSource([tmp_path], alphabet)


def test_a_damaged_text_file_is_named(tmp_path, alphabet):
    (tmp_path / "a.xz").write_bytes(b"no archive")
    with pytest.raises(TrainingDataError, match=r"a\.xz cannot be read"):
        TextSource([tmp_path], alphabet)


def test_rendered_lines_are_of_the_networks_size_and_alphabet(renderer, alphabet):
    lines = [renderer.draw() for _ in range(80)]
    assert {line.pixels.shape for line in lines} == {(32, 280)}
    assert {line.pixels.dtype for line in lines} == {np.dtype(np.uint8)}
    assert alphabet.missing("".join(line.text for line in lines)) == []
    assert np.mean([len(line.text) for line in lines]) > 5


def test_characters_stand_where_their_spans_say(renderer):
    """Blank columns inside the image are outside all spans, and spans of characters have ink."""
    inked = total = 0
    for line in (renderer.draw(clean=True) for _ in range(60)):
        columns = line.pixels.max(axis=0)
        for span in line.spans:
            if span.char != " ":
                total += 1
                inked += columns[max(round(span.left), 0) : max(round(span.right), round(span.left) + 1)].max() > 60
        assert all(a.left <= b.left for a, b in zip(line.spans, line.spans[1:], strict=False))
    assert inked > 0.97 * total


def test_a_group_of_lines_depends_on_the_seed_and_its_number_only(alphabet, text_file, font_folder):
    text, fonts = TextSource([text_file], alphabet), load_fonts([font_folder], alphabet_of_hanzi())
    one, two, other = (Renderer(text, fonts, seed) for seed in (1, 1, 2))
    one.lines(0, 3)
    first, second = one.lines(7, 12), two.lines(7, 12)
    assert [line.text for line in first] == [line.text for line in second]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, second, strict=True))
    assert first[0].text != one.lines(8, 1)[0].text
    assert first[0].text != other.lines(7, 1)[0].text


def test_frames_between_the_middles_may_be_either_character():
    table = spans_to_frames([Span("一", 4, 12), Span("二", 20, 28)], [7, 9])
    kinds = table[:, 0].tolist()
    assert kinds[:8] == [BLANK, EITHER, CHARACTER, EITHER, BLANK, EITHER, CHARACTER, EITHER]
    assert set(kinds[8:]) == {BLANK}
    assert table[2].tolist() == [CHARACTER, 7, 7]
    assert table[3].tolist() == [EITHER, 7, 9]
    assert table[1].tolist() == [EITHER, -1, 7]
    assert table[7].tolist() == [EITHER, 9, -1]


def test_wide_characters_label_the_frames_beside_the_middle():
    kinds = spans_to_frames([Span("一", 0, 28)], [0])[:, 0].tolist()
    assert kinds[:7] == [EITHER, EITHER, CHARACTER, CHARACTER, CHARACTER, EITHER, EITHER]


def test_a_batch_holds_its_classes_among_the_candidates(alphabet):
    lines = [LabelledLine(np.zeros((32, 280), np.uint8), "山月", (Span("山", 0, 20), Span("月", 30, 50))) for _ in range(3)]
    batch = make_batch(lines, alphabet, 50, np.random.default_rng(0))
    assert len(set(batch.candidates.tolist())) == 50
    assert alphabet.decode(batch.candidates[batch.labels[0, : batch.lengths[0]]]) == "山月"
    assert batch.frames.shape == (3, PICKED)
    others = len(alphabet) - 2
    assert np.exp(batch.correction).sum() - 2 == pytest.approx(others, rel=1e-5)  # the sampled stand for all others


def test_underscores_below_the_window_are_no_characters_of_the_line():
    window = np.zeros((32, 280), np.float32)
    window[8:28, :60] = 1
    spans = [Span("a", 0, 20), Span("_", 22, 40), Span("b", 42, 60), Span("_", 62, 80)]
    assert [span.char for span in _seen(window, spans)] == ["a", "_", "b"]
    window[26:, 20:41] = 0
    assert [span.char for span in _seen(window, spans)] == ["a", " ", "b"]


class Said(TextSource):
    """A source of text that says the same again and again."""

    def __init__(self, text: str) -> None:
        self._text = text

    def draw(self, random: np.random.Generator, has: Callable[[str], bool]) -> str:
        return self._text


def test_angle_brackets_are_as_wide_as_hanzi_or_as_their_ink(font_folder):
    renderer = Renderer(Said("国〈国〉国国国国国国国国国"), load_fonts([font_folder], alphabet_of_hanzi()), seed=5)
    lines = [line.spans for line in (renderer.draw(clean=True) for _ in range(80)) if line.text.startswith("国〈国〉国国")]
    ratios = [(spans[4].left - spans[2].left) / (spans[5].left - spans[4].left) for spans in lines]
    assert min(ratios) < 1.5
    assert max(ratios) > 1.9


def test_the_logo_of_ams_has_its_middle_letter_lower(font_folder):
    def foot(line: LabelledLine, span: Span, start: float, end: float) -> int:
        columns = slice(int(span.left + start * (span.right - span.left)), int(span.left + end * (span.right - span.left)) + 1)
        return int(np.flatnonzero(line.pixels[:, columns].max(axis=1) > 128).max(initial=0))

    renderer = Renderer(Said("国AMS国国国国国国"), load_fonts([font_folder], alphabet_of_hanzi()), seed=5)
    lines = [(line, [span for span in line.spans if span.char in "AM"]) for line in (renderer.draw(clean=True) for _ in range(60))]
    lower = [foot(line, spans[1], 0.3, 0.8) - foot(line, spans[0], 0, 0.3) for line, spans in lines if len(spans) == 2]
    assert len(lower) > 50
    assert np.mean(np.array(lower) > 2) > 0.5
    assert min(lower) < 2
