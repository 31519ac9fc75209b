"""Measures on small cases worked out by hand, and on lines and pages drawn here and read with the bundled model."""

import io
import json

import cv2
import numpy as np
import pymupdf
import pytest
from PIL import Image, ImageDraw, ImageFont

import docrec
from docrec.charset import Charset
from docrec.errors import SampleError, TrainingDataError
from docrec.training.lines import LineImage

pytest.importorskip("edlib", reason="judging needs docrec[train]")
evaluate = pytest.importorskip("docrec.evaluate")
ReadLine, ReadPage = evaluate.ReadLine, evaluate.ReadPage

TEXTS = ["春天来了，山坡上的杏花", "村里的人家把种子搬到院", "2024 年 10 月 8 日"]


@pytest.fixture(scope="module")
def recognizer():
    return docrec.load(device="cpu")


def draw_line(text, height=32):
    """A line of text in PyMuPDF's own typeface, dark on light."""
    font = ImageFont.truetype(io.BytesIO(pymupdf.Font("china-s").buffer), round(height * 0.8))
    image = Image.new("L", (round(font.getlength(text)) + 8, height), 255)
    ImageDraw.Draw(image).text((4, height / 2), text, 0, font, "lm")
    return np.asarray(image)


class Lines(list):
    """A data set that is a list; errors in it are raised."""

    def __getitem__(self, index):
        sample = super().__getitem__(index)
        if isinstance(sample, SampleError):
            raise sample
        return sample


@pytest.mark.parametrize(
    ("text", "read", "share", "why"),
    [
        ("中国人民", "中国人民", 1.0, "all right"),
        ("中国人民", "中国入民", 0.75, "one wrong"),
        ("中国人民", "中国人", 0.75, "what is missing at the end is wrong"),
        ("中国人民", "国人民", 0.0, "one dropped at the beginning moves all others"),
        ("中国人民", "中国的人民", 0.5, "and so does one invented"),
        ("中国", "中国人民", 1.0, "what is read beyond the end does not count"),
        ("中国", "", 0.0, "nothing read"),
        ("", "", 1.0, "nothing there, nothing read"),
        ("", "中", 0.0, "nothing there, something read"),
    ],
)
def test_accuracy_as_crnn_tensorflow_defines_it(text, read, share, why):
    assert evaluate.right_in_place(text, read) == share, why


@pytest.mark.parametrize(
    ("text", "read", "pairs"),
    [
        ("ab", "ab", [("a", "a"), ("b", "b")]),
        ("日月", "曰月", [("日", "曰"), ("月", "月")]),
        ("abc", "ac", [("a", "a"), ("b", ""), ("c", "c")]),
        ("ac", "abbc", [("a", "a"), ("", "b"), ("", "b"), ("c", "c")]),
        ("", "a", [("", "a")]),
        ("a", "", [("a", "")]),
    ],
)
def test_alignment(text, read, pairs):
    assert evaluate.align(text, read) == pairs


def test_figures_of_lines():
    lines = [
        ReadLine("1", "日月a1", "曰月a1", 0, (0.3, 0.95, 0.95, 1.0)),
        ReadLine("2", "一二", "一", 1, (0.95,)),
        ReadLine("3", "。，", ".，|", 2, (0.5, 0.95, 0.35)),
    ]
    figures = evaluate.judge_lines(lines, 2.0, Charset(tuple("日月a1一二。")))
    assert figures.character_accuracy == pytest.approx((3 / 4 + 1 / 2 + 1 / 2) / 3)
    assert figures.sequence_accuracy == 0
    assert (figures.edits, figures.characters) == (1 + 1 + 2, 8)
    assert figures.cer == 0.5
    assert figures.comparable_cer == 3 / 8, "the stops look alike"
    assert figures.outside == {"，": 1}
    assert evaluate.dropped(figures.pairs) == 1
    assert evaluate.invented(figures.pairs) == 1
    assert evaluate.confusions(figures.pairs) == [(("", "|"), 1), (("。", "."), 1), (("二", ""), 1), (("日", "曰"), 1)]
    shares = {share.name: (share.right, share.total) for share in evaluate.class_shares(figures.pairs)}
    assert shares == {
        "Hanzi, common (GB 2312 level 1)": (2, 4),
        "Latin letters": (1, 1),
        "digits": (1, 1),
        "punctuation and symbols": (1, 2),
    }
    bins = [(part.low, part.right, part.total) for part in figures.calibration]
    assert bins == [(0.3, 0, 2), (0.5, 0, 1), (0.9, 5, 5)]
    assert figures.calibration[0].confidence == pytest.approx(0.325)


def test_the_most_frequent_confusion_comes_first():
    figures = evaluate.judge_lines([ReadLine("1", "日日己", "曰曰已", 0, (1.0,) * 3)], 1.0, Charset(("日",)))
    assert evaluate.confusions(figures.pairs) == [(("日", "曰"), 2), (("己", "已"), 1)]


@pytest.mark.parametrize(
    ("char", "name"),
    [
        ("的", "Hanzi, common (GB 2312 level 1)"),
        ("座", "Hanzi, common (GB 2312 level 1)"),
        ("亍", "Hanzi, less common (GB 2312 level 2)"),
        ("齄", "Hanzi, less common (GB 2312 level 2)"),
        ("國", "Hanzi, others"),
        ("é", "Latin letters"),
        ("Ａ", "Latin letters"),
        ("７", "digits"),
        ("，", "punctuation and symbols"),
        ("①", "punctuation and symbols"),
        ("の", "other scripts"),
        ("Ω", "other scripts"),
        (" ", "space"),
    ],
)
def test_character_class(char, name):
    assert evaluate.character_class(char) == name


def test_lines_are_read_and_bad_ones_come_in_their_place(recognizer):
    good = [LineImage(str(number), text, draw_line(text)) for number, text in enumerate(TEXTS)]
    bad = SampleError("bad.png", "it is damaged")
    results = list(evaluate.read_lines(Lines([bad, good[0], bad, *good[1:], bad]), recognizer, 2))
    assert [isinstance(result, SampleError) for result in results] == [True, False, True, False, False, True]
    lines = [result for result in results if isinstance(result, ReadLine)]
    assert [(line.index, line.text) for line in lines] == [(1, TEXTS[0]), (3, TEXTS[1]), (4, TEXTS[2])]
    assert all(len(line.confidences) == len(line.read) for line in lines)
    assert evaluate.judge_lines(lines, 1.0, recognizer.charset).character_accuracy > 0.9
    assert len(list(evaluate.read_lines(Lines(good), recognizer, 2, limit=2))) == 2


def test_worst_lines_are_those_with_most_edits():
    texts = {"right": ("一", "一"), "one of two": ("一二", "一三"), "two": ("一二三", "三"), "one": ("一", "二")}
    lines = [ReadLine(name, *pair) for name, pair in texts.items()]
    assert [line.name for line in evaluate.worst(lines, 3)] == ["two", "one", "one of two"]
    assert len(evaluate.worst(lines, 1)) == 1


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ＡＢ １２", "AB12"),
        ("“好”——是。", '"好"--是.'),
        ("目录 ........ 3", "目录...3"),
        ("等等……", "等等..."),
        ("a\u200b\x07b", "ab"),
    ],
)
def test_comparable(text, same):
    assert evaluate.comparable(text) == evaluate.comparable(same) == same


def page(read, *lines):
    figures, _ = evaluate.judge_page(ReadPage("book-1", lines, read))
    return figures


def test_a_page_that_is_read_right():
    figures = page("天地 玄黄\n宇宙洪荒\n", "天地玄黄", "宇宙洪荒")
    assert figures == evaluate.PageFigures(pages=1, characters=8, raw_characters=8)


def test_line_edits_are_blind_to_order_and_invented_text():
    figures = page("宇宙洪荒\n页眉\n天地玄黄", "天地玄黄", "宇宙洪荒")
    assert (figures.line_edits, figures.invented, figures.page_edits) == (0, 2, 10)
    assert (figures.line_cer, figures.page_cer, figures.invented_share) == (0, 10 / 8, 2 / 8)


def test_raw_edits_count_what_looks_alike():
    figures = page("(a)。", "（a）.")
    assert (figures.page_edits, figures.raw_edits, figures.raw_cer) == (0, 3, 3 / 4)


def test_a_blank_reading_lacks_every_character():
    figures = page("", "天地玄黄")
    assert (figures.line_edits, figures.page_edits) == (4, 4)
    assert page("天", "").page_cer == 1


@pytest.mark.parametrize(
    ("line", "text", "part"),
    [("玄黄", "天地玄黄宇宙", "玄黄"), ("天地玄", "天地亥", "天地亥"), ("玄英黄", "天地玄黄宇宙", "玄黄"), ("玄", "", "")],
)
def test_the_best_fit_of_a_line(line, text, part):
    fit = evaluate.best_fit(line, text)
    assert fit == part


def test_figures_add_up_by_document():
    first, second = page("天", "天地"), page("宇宙", "宇宙")
    both = first + second
    assert (both.pages, both.line_edits, both.characters, both.line_cer) == (2, 1, 4, 1 / 4)
    assert ReadPage("my-book-012", (), "").document == "my-book"


def save_page(folder, name, lines, texts=None):
    canvas = np.full((60 * len(lines) + 60, 900), 255, np.uint8)
    for row, text in enumerate(lines):
        line = draw_line(text, 40)
        canvas[60 * row + 40 : 60 * row + 80, 80 : 80 + line.shape[1]] = line
    cv2.imwrite(str(folder / f"{name}.png"), canvas)
    truth = {"lines": [{"text": text} for text in texts or lines]}
    (folder / f"{name}.json").write_text(json.dumps(truth), encoding="utf-8")


def test_pages_are_read_and_bad_ones_come_in_their_place(recognizer, tmp_path):
    save_page(tmp_path, "book-1", TEXTS)
    save_page(tmp_path, "book-2", TEXTS)
    (tmp_path / "book-2.json").write_text('{"lines": ["no object"]}')
    save_page(tmp_path, "book-3", TEXTS)
    (tmp_path / "book-3.png").write_bytes(b"no picture")
    save_page(tmp_path, "book-4", TEXTS)
    (tmp_path / "book-4.png").unlink()
    save_page(tmp_path, "book-5", TEXTS)
    (tmp_path / "book-5.json").unlink()
    first, *bad = evaluate.read_pages(tmp_path, recognizer, 8)
    figures, lines = evaluate.judge_page(first)
    assert figures.line_cer < 0.1
    assert [line.text for line in lines] == [evaluate.comparable(text) for text in TEXTS]
    for result, (file, fault) in zip(
        bad,
        [
            ("book-2.json", "must be a JSON object"),
            ("book-3.png", "cannot be read"),
            ("book-4.json", "no picture of the page"),
            ("book-5.json", "true lines of the page cannot be read"),
        ],
        strict=True,
    ):
        assert isinstance(result, SampleError)
        assert file in str(result)
        assert fault in str(result)


@pytest.mark.parametrize("lines", [[1], [None], ["".join(map(chr, range(0x4E00, 0x4F00)))]])
def test_lines_that_cannot_be_compared_are_refused(tmp_path, lines):
    truth = tmp_path / "page.json"
    truth.write_text(json.dumps({"lines": [{"text": line} for line in lines]}))
    with pytest.raises(SampleError, match="every line must be a text, of at most 255"):
        evaluate.true_lines(truth)


def test_a_folder_without_pages_is_refused(tmp_path):
    for folder, found in ((tmp_path, "holds none"), (tmp_path / "nowhere", "is not there")):
        with pytest.raises(TrainingDataError, match=found):
            evaluate.page_files(folder)
