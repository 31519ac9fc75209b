"""The whole flow with the bundled model, on documents drawn here."""

import difflib
import io

import cv2
import numpy as np
import pymupdf
import pytest
from PIL import Image

import docrec
import docrec.pipeline
from docrec.document import Block, Box, Glyph, Line
from docrec.errors import InputFileError
from docrec.options import ReadOptions
from docrec.source import PageImage

PARAGRAPH = ["春天来了，山坡上的杏花开得正好。", "村里的人家把种子搬到院子里晾晒，", "孩子们在溪边放风筝，一直玩到天黑。"]


@pytest.fixture(scope="module")
def recognizer():
    return docrec.load(device="cpu")


def draw_pdf(*pages, size=12):
    """A PDF of pages of text lines; a line that begins with two wide spaces is indented."""
    document = pymupdf.open()
    for lines in pages:
        page = document.new_page()
        for row, line in enumerate(lines):
            indent = 2 * size if line.startswith("\u3000\u3000") else 0
            page.insert_text((72 + indent, 90 + 1.7 * size * row), line.strip("\u3000"), fontname="china-s", fontsize=size)
    return document.tobytes()


def alike(read, written):
    """Share of the characters that agree, 0 to 1."""
    return difflib.SequenceMatcher(None, read, written, autojunk=False).ratio()


def read(recognizer, data, **options):
    return list(docrec.recognize(io.BytesIO(data), recognizer, ReadOptions(**{"mode": "force", **options})))


def test_reads_a_page_of_a_pdf(recognizer):
    (page,) = read(recognizer, draw_pdf(["\u3000\u3000" + PARAGRAPH[0], *PARAGRAPH[1:]]))
    assert page.text.startswith("    春天来了")
    assert alike(page.text, "    " + "\n".join(PARAGRAPH)) > 0.97
    assert len(page.lines) == 3
    assert all(0.5 < line.confidence <= 1 for line in page.lines)


def test_lines_that_are_read_less_surely_are_left_out(recognizer):
    pdf = draw_pdf(PARAGRAPH)
    (page,) = read(recognizer, pdf)
    least, *_, most = sorted(line.confidence for line in page.lines)
    assert 0 < least < most
    (rest,) = read(recognizer, pdf, min_confidence=(least + most) / 2)
    assert 0 < len(rest.lines) < len(page.lines)


def test_dots_have_no_say_in_whether_a_page_has_text(recognizer, monkeypatch):
    titles = ["总则", "登记和审批", "监督检查", "法律责任", "附则"]
    pdf = draw_pdf([f"第{number}章 {title}{'…' * 26}{number}" for number, title in enumerate(titles, 1)])
    (page,) = read(recognizer, pdf)
    glyphs = [glyph for line in page.lines for glyph in line.glyphs]
    means = [np.mean([glyph.confidence for glyph in some]) for some in (glyphs, [glyph for glyph in glyphs if glyph.char.isalnum()])]
    assert means[0] < means[1]  # dots are read less surely
    monkeypatch.setattr(docrec.pipeline, "NO_TEXT", sum(means) / 2)
    monkeypatch.setattr(docrec.pipeline, "SURE", 1.1)  # so that of a page without text nothing is left
    (again,) = read(recognizer, pdf)
    assert again.text == page.text
    assert all(title in page.text for title in titles)


def line_of(text, confidence=1.0, **fields):
    glyphs = tuple(Glyph(char, 10 * at, 10 * at + 10, confidence) for at, char in enumerate(text))
    return Line(Box(0, 0, 10 * len(text), 10), glyphs, **fields)


def lines_told(read, min_confidence=ReadOptions.min_confidence, kind="text"):
    """The lines that are left of those of a page of one block."""
    blocks = (Block(kind, tuple(line_of("") for _ in read)),)
    page = docrec.pipeline._StartedPage(PageImage(0, np.zeros((9, 9), np.uint8), 300.0), blocks, [])
    return [line.text for block in docrec.pipeline._blocks(page, iter(read), min_confidence, False) for line in block.lines]


BUTTONS = "4□〉每〉<▶<≡》▶≡》≡QC"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (line_of(BUTTONS, 0.7), False),
        (line_of(BUTTONS, 0.8), True),
        (line_of(BUTTONS, 0.7, layer=True), True),
        (line_of("4□〉每〉<", 0.7), True),
        (line_of("共有三十二个测点 (a) 和 (b)", 0.7), True),
        (line_of("测点" + "·" * 20, 0.7), True),
    ],
    ids=["buttons", "read surely", "of a text layer", "few", "letters", "leaders"],
)
def test_rows_of_small_drawings_are_no_text(line, told):
    text = line_of("城市公园的声景调查报告，共分五章")
    assert lines_told([text, line]) == [text.text, line.text][: 1 + told]
    assert lines_told([text, line], min_confidence=0) == [text.text, line.text]


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (["ls │ wc", "│cp a b"], ["ls | wc", "cp a b"]),
        (["│ wc", "│"], ["| wc", "|"]),
        (["├── a", "│cp a b"], ["├── a", "│cp a b"]),
        (["┌──┐", "│甲│", "└──┘"], ["┌──┐", "│甲│", "└──┘"]),
    ],
    ids=["in and before a line", "with a space, or alone", "a tree", "a box"],
)
def test_bars_are_no_pieces_of_frames_unless_others_are_there(lines, told):
    assert lines_told([line_of(text) for text in lines], min_confidence=0) == told


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (["名次", "l", "2", "3", "4", "I0"], ["名次", "1", "2", "3", "4", "10"]),
        (["1,024", "7.5", "lO"], ["1,024", "7.5", "10"]),
        (["l", "IO", "3"], ["l", "IO", "3"]),
        (["2", "3", "Ol."], ["2", "3", "Ol."]),
    ],
    ids=["below a heading", "of several forms", "few are numbers", "no number"],
)
def test_in_a_column_of_numbers_what_looks_like_one_is_one(column, told):
    assert lines_told([line_of(text, cell=(row, 1)) for row, text in enumerate(column)], kind="table") == told


def test_a_line_longer_than_the_networks_input_is_read_whole(recognizer):
    text = "".join(PARAGRAPH)[:38]
    (page,) = read(recognizer, draw_pdf([text], size=11))
    assert alike(page.text, text) > 0.97


def test_words_keep_their_spaces_and_hanzi_get_none(recognizer):
    document = pymupdf.open(stream=draw_pdf([], ["天 地 玄 黄"]))
    document[0].insert_text((72, 90), "The quick brown fox jumps", fontname="helv", fontsize=12)
    words, hanzi = (page.text for page in read(recognizer, document.tobytes()))
    assert words == "The quick brown fox jumps"
    assert hanzi == "天地玄黄"


def test_pages_come_in_order_and_blank_ones_are_empty(recognizer):
    pages = read(recognizer, draw_pdf(["第一页"], [], ["第三页"], [], []), batch_size=1)
    assert [page.text for page in pages] == ["第一页", "", "第三页", "", ""]
    assert [page.index for page in pages] == [0, 1, 2, 3, 4]


def test_batches_across_lines_and_pages_change_nothing(recognizer):
    data = draw_pdf(PARAGRAPH, PARAGRAPH[::-1])
    one, many = (read(recognizer, data, batch_size=size) for size in (1, 50))
    assert [page.text for page in one] == [page.text for page in many]


def test_pages_are_chosen_and_keep_their_numbers(recognizer):
    pages = read(recognizer, draw_pdf(["甲"], ["第二页"], ["丙"]), pages="2")
    assert [(page.index, page.text) for page in pages] == [(1, "第二页")]


def test_pages_are_yielded_as_they_are_read(recognizer):
    pages = docrec.recognize(io.BytesIO(draw_pdf(*[PARAGRAPH] * 4)), recognizer, ReadOptions(batch_size=4, mode="force"))
    assert next(pages).index == 0


def test_an_image_is_read_and_boxes_are_in_its_pixels(recognizer):
    pixmap = pymupdf.open(stream=draw_pdf(PARAGRAPH))[0].get_pixmap(dpi=200)
    (page,) = read(recognizer, pixmap.tobytes("png"))
    assert alike(page.text, "\n".join(PARAGRAPH)) > 0.97
    assert (page.width, page.height) == (pixmap.width, pixmap.height)
    first = page.lines[0].box
    assert abs(page.to_points(first).left - 72) < 4
    assert all(first.left - 5 < glyph.left <= glyph.right < first.right + 10 for glyph in page.lines[0].glyphs)


@pytest.mark.parametrize("size", [(1, 1), (300, 400)])
def test_an_image_without_text_is_no_error(recognizer, size):
    buffer = io.BytesIO()
    Image.fromarray(np.full(size, 255, np.uint8)).save(buffer, "PNG")
    assert [page.text for page in read(recognizer, buffer.getvalue())] == [""]


def test_a_bad_document_is_told_before_the_first_page(recognizer):
    with pytest.raises(InputFileError):
        next(docrec.recognize(io.BytesIO(b"no document"), recognizer))


def test_a_charset_limits_the_text(recognizer):
    from docrec.charset import Charset

    digits = docrec.load(device="cpu", charset=Charset(tuple("0123456789")))
    (page,) = read(digits, draw_pdf(["2024 年 10 月"]))
    assert set(page.text) <= set("0123456789\n ")
    assert "2024" in page.text


def picture_of(text):
    """A picture of a line, cut close to its ink."""
    page = pymupdf.open(stream=draw_pdf([text]))[0]
    pixmap = page.get_pixmap(dpi=200, colorspace="gray")
    gray = np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width)
    rows, columns = (np.flatnonzero(gray.min(axis=axis) < 128) for axis in (1, 0))
    return gray[rows[0] - 2 : rows[-1] + 3, columns[0] - 3 : columns[-1] + 4]


def test_pictures_of_lines_are_read_whole_whatever_their_size(recognizer):
    long = "".join(PARAGRAPH)[:38]
    pictures = [picture_of(PARAGRAPH[0]), np.full((40, 300), 255, np.uint8), 255 - picture_of(long)]
    lines = list(docrec.pipeline.recognize_lines(pictures, recognizer, 2))
    assert alike(lines[0].text, PARAGRAPH[0]) > 0.9
    assert lines[1].text == ""
    assert alike(lines[2].text, long) > 0.95
    assert not any(glyph.ranking for line in lines for glyph in line.glyphs)


def test_a_loosely_cut_picture_is_read_at_the_size_of_its_ink(recognizer):
    loose = np.pad(picture_of(PARAGRAPH[1]), 16, constant_values=255)
    (line,) = docrec.pipeline.recognize_lines([loose], recognizer)
    assert alike(line.text, PARAGRAPH[1]) > 0.9


def test_pictures_are_taken_only_as_batches_need_them(recognizer):
    pictures = iter([picture_of(PARAGRAPH[0][:6])] * 6)
    next(docrec.pipeline.recognize_lines(pictures, recognizer, 2))
    assert len(list(pictures)) == 4


def test_a_photograph_says_nothing_but_the_words_on_it(recognizer):
    from skimage.data import camera

    photograph = cv2.resize(camera(), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    (page,) = docrec.recognize(io.BytesIO(cv2.imencode(".png", photograph)[1].tobytes()), recognizer)
    assert page.text == ""
    (page,) = docrec.recognize(io.BytesIO(cv2.imencode(".png", photograph)[1].tobytes()), recognizer, ReadOptions(min_confidence=0))
    assert page.text != "", "this picture shows nothing that looks like text any more; take another"


def test_a_small_digit_alone_is_not_read_again_as_if_it_filled_its_line(recognizer):
    page = np.full((100, 100), 255, np.uint8)
    page[49:59, 40:45] = 0
    line = Line(Box(40, 40, 45, 63), (Glyph("1", 40, 45, 0.5),))
    assert docrec.pipeline._read_again(line, page, recognizer, 0) is line
