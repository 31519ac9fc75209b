import logging
import pickle

import cv2
import numpy as np
import pytest

from docrec.charset import Charset
from docrec.errors import SampleError, TrainingDataError
from docrec.training.datasets import RecordedLines, open_dataset, to_network_size
from docrec.training.lines import LineImage, Span

ALPHABET = Charset(tuple("一二三四五六 ab"))


def picture(width=100, height=32, paper=255, ink=0):
    """A line of bars."""
    gray = np.full((height, width), paper, np.uint8)
    gray[height // 4 : -(height // 4), np.flatnonzero(np.arange(width - 4) % 12 >= 8)] = ink
    return gray


def save(path, pixels=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(cv2.imencode(path.suffix, picture() if pixels is None else pixels)[1]))
    return path


@pytest.fixture
def folder(tmp_path):
    """A folder with labels.tsv and three sound pictures."""
    for number, name in enumerate(("第一.png", "sub/b.jpg", "c.tif")):
        save(tmp_path / name, picture(100 + number))
    (tmp_path / "labels.tsv").write_text("\ufeff第一.png\t一二\r\nsub/b.jpg\ta b\nc.tif\t三", encoding="utf-8")
    return tmp_path


@pytest.fixture
def synth90k(tmp_path):
    for number in range(3):
        save(tmp_path / f"2425/{number}_word.png", picture(100 + number))
    (tmp_path / "lexicon.txt").write_text("一\n二二\na\n", encoding="utf-8")
    (tmp_path / "annotation_train.txt").write_text("./2425/0_word.png 1\n2425/1_word.png 0\n")
    (tmp_path / "annotation_val.txt").write_text("2425/2_word.png 2\n2425/2_word.png 3\n2425/2_word.png\n")
    return tmp_path


def fault_of(dataset, index):
    with pytest.raises(SampleError) as caught:
        dataset[index]
    return str(caught.value)


@pytest.mark.parametrize("name", ["", "labels.tsv"])
def test_a_list_of_paths_and_texts(folder, name):
    dataset = open_dataset(folder / name)
    assert [dataset[index].text for index in range(len(dataset))] == ["一二", "a b", "三"]
    assert [dataset[index].gray.shape[1] for index in range(3)] == [100, 101, 102]
    assert dataset[0].name == str(folder / "第一.png")


def test_pictures_beside_their_texts(tmp_path):
    save(tmp_path / "书/甲.1.png")
    (tmp_path / "书/甲.1.gt.txt").write_text("一二\n", encoding="utf-8")
    save(tmp_path / "unlabelled.jpg")
    (tmp_path / "lonely.gt.txt").write_text("三", encoding="utf-8")
    dataset = open_dataset(tmp_path)
    assert len(dataset) == 3
    assert "lonely.gt.txt: there is no picture beside it" in fault_of(dataset, 0)
    assert "unlabelled.jpg: it is not labelled" in fault_of(dataset, 1)
    assert dataset[2].text == "一二"


def test_the_synth90k_layout_and_its_parts(synth90k):
    assert [open_dataset(synth90k)[index].text for index in range(2)] == ["二二", "一"]
    dataset = open_dataset(synth90k, part="val")
    assert dataset[0].text == "a"
    rule = "the line must be a path, a space and a number below 3"
    assert f"annotation_val.txt, line 2: {rule}: got '2425/2_word.png 3'" in fault_of(dataset, 1)
    assert "line 3" in fault_of(dataset, 2)
    assert len(open_dataset(synth90k / "annotation_val.txt")) == 3
    with pytest.raises(TrainingDataError, match=r"has no part 'test': there is no annotation_test\.txt"):
        open_dataset(synth90k, part="test")


def test_a_data_set_goes_to_another_process(folder, synth90k):
    for path in (folder, synth90k / "annotation_train.txt"):
        dataset = pickle.loads(pickle.dumps(open_dataset(path)))
        assert np.array_equal(dataset[0].gray, open_dataset(path)[0].gray)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: path.write_text("no tab"), lambda path: None])
def test_what_is_no_data_set_is_refused_with_the_forms(tmp_path, make):
    make(tmp_path / "x.txt")
    with pytest.raises(TrainingDataError, match=r"labels\.tsv.*gt\.txt.*Synth90k.*TFRecord"):
        open_dataset(tmp_path / "x.txt")


def test_an_empty_list_and_parts_of_a_list_are_refused(folder):
    for path in (folder, folder / "labels.tsv"):
        with pytest.raises(TrainingDataError, match="leave 'val' out"):
            open_dataset(path, part="val")
    (folder / "labels.tsv").write_text("")
    with pytest.raises(TrainingDataError, match="at least one labelled line"):
        open_dataset(folder)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("第一.png\t".encode(), "第一.png: it has no text"),
        ("第一.png\t  ".encode(), "第一.png: it has no text"),
        ("第一.png".encode(), "labels.tsv, line 1: the line has no tab"),
        (b"missing.png\tabc", "missing.png: the picture cannot be read: No such file"),
        (b"sub\tabc", "sub: the picture cannot be read"),
        (b"labels.tsv\tabc", "labels.tsv: the picture is damaged"),
        (b"half.png\tabc", "half.png: the picture is damaged"),
        (b"half.jpg\tabc", "half.jpg: the picture is damaged"),
        (b"flipped.png\tabc", "flipped.png: the picture is damaged"),
        (b"empty.png\tabc", "empty.png: the picture is damaged"),
        (b"float.tiff\tabc", "float.tiff: a picture must have whole numbers of 8 or 16 bits"),
        (b"a.png\t\xff", "labels.tsv, line 1: the line is not UTF-8"),
    ],
)
def test_samples_that_cannot_be_used_are_named(folder, line, fault):
    noise = np.random.default_rng(0).integers(0, 256, (32, 100), np.uint8)
    for name in ("half.png", "half.jpg"):
        data = save(folder / name, noise).read_bytes()
        (folder / name).write_bytes(data[: len(data) // 2])
    data = bytearray(save(folder / "flipped.png", noise).read_bytes())
    data[len(data) // 2] ^= 4
    (folder / "flipped.png").write_bytes(data)
    (folder / "empty.png").write_bytes(b"")
    save(folder / "float.tiff", noise.astype(np.float32))
    (folder / "labels.tsv").write_bytes(line + b"\nc.tif\tabc")
    dataset = open_dataset(folder)
    assert fault in fault_of(dataset, 0)
    assert dataset[1].text == "abc"


def test_pictures_of_any_depth_and_colour_become_grey(folder):
    gray = picture()
    clear = np.dstack([np.zeros((*gray.shape, 3), np.uint8), 255 - gray])
    for pixels in (gray, np.dstack([gray] * 3), gray.astype(np.uint16) * 257, clear, (255 - clear[..., 3:]).astype(np.uint16) * 257):
        save(folder / "第一.png", pixels)
        assert np.array_equal(open_dataset(folder)[0].gray, gray)


def line(gray, text="一二", spans=()):
    return LineImage("a.png", text, gray, spans)


def test_a_line_is_scaled_to_the_networks_height():
    scaled = to_network_size(line(picture(200, 64), spans=(Span("一", 4, 20), Span("二", 30, 60))), ALPHABET)
    assert scaled.pixels.shape == (32, 280)
    assert scaled.pixels.dtype == np.uint8
    assert scaled.pixels[:, :100].max() > 200
    assert scaled.pixels[:, 100:].max() == 0
    assert [(span.char, span.left, span.right) for span in scaled.spans] == [("一", 2, 10), ("二", 15, 30)]


def test_light_ink_on_dark_paper_is_ink_too():
    light, dark = (to_network_size(line(picture(paper=paper, ink=255 - paper)), ALPHABET).pixels for paper in (0, 255))
    assert np.array_equal(light, dark)


def test_a_wide_line_is_squeezed_but_not_beyond_what_can_be_read():
    squeezed = to_network_size(line(picture(420), spans=(Span("一", 210, 420),)), ALPHABET)
    assert squeezed.pixels[:, 270:].max() > 200
    assert (squeezed.spans[0].left, squeezed.spans[0].right) == (140, pytest.approx(280))
    with pytest.raises(SampleError, match=r"a\.png: a line must be at most 13\.125 times as wide as high; cut it in two: got 422 × 32"):
        to_network_size(line(picture(422)), ALPHABET)


def test_texts_the_network_cannot_say_are_refused():
    with pytest.raises(SampleError, match=r"a\.png: characters outside the alphabet: xy"):
        to_network_size(line(picture(), "一y二x"), ALPHABET)
    to_network_size(line(picture(), "ab" * 35), ALPHABET)
    with pytest.raises(SampleError, match="needs more frames"):
        to_network_size(line(picture(), "a" * 36), ALPHABET)


@pytest.fixture
def recorded(tmp_path):
    """A data set of 20 lines that differ in width, and one picture that is not there."""
    for number in range(20):
        save(tmp_path / f"{number}.png", picture(50 + 12 * number))
    (tmp_path / "labels.tsv").write_text("".join(f"{number}.png\tab\n" for number in range(21)))
    return open_dataset(tmp_path)


def widths(lines):
    return [int(np.flatnonzero(line.pixels.any(axis=0))[-1]) for line in lines]


def test_recorded_lines_depend_on_seed_and_place_only(recorded):
    one, two, other = RecordedLines(recorded, ALPHABET, 1), RecordedLines(recorded, ALPHABET, 1), RecordedLines(recorded, ALPHABET, 2)
    for group in (0, 3, 2, 1):
        one.lines(group, 8)
    assert widths(one.lines(2, 8)) == widths(two.lines(2, 8))
    assert widths(one.lines(2, 8)) != widths(other.lines(2, 8))
    assert widths(one.lines(0, 8)) != widths(one.lines(1, 8))


def test_an_epoch_shows_every_usable_line_and_the_next_in_another_order(recorded, caplog):
    lines = RecordedLines(recorded, ALPHABET)
    first, second = (widths(lines.lines(epoch, 21)) for epoch in (0, 1))
    assert len(set(first)) == len(set(second)) == 20
    assert first != second
    assert lines.skipped == {"the picture cannot be read": 1}
    assert [record.getMessage().partition(": ")[2] for record in caplog.records if record.levelno == logging.WARNING] == [
        "the picture cannot be read: No such file or directory; it is left out"
    ]


def test_a_data_set_without_a_usable_line_is_an_error(recorded):
    with pytest.raises(TrainingDataError, match="none: 20 × characters outside the alphabet, 1 × the picture cannot be read"):
        RecordedLines(recorded, Charset(("一",))).lines(0, 4)
