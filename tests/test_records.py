import os
import pickle
import resource

import numpy as np
import pytest

from docrec.charset import Charset
from docrec.errors import FileAccessError, SampleError, TrainingDataError
from docrec.training.datasets import open_dataset
from docrec.training.lines import LineImage, Span
from docrec.training.records import encode_line, index_shard, read_record, write_shards

ALPHABET = Charset(tuple("一二三四五六 ab"))
LINES = [LineImage(f"{n}.png", "一 b"[: n + 1], np.full((32, 40 + n), 9 * n, np.uint8)) for n in range(3)]


ENCODED = list(map(encode_line, LINES))


def write(folder, records=ENCODED, shards=1):
    return write_shards(folder, "lines", iter(records), len(records), shards)


def faults(dataset):
    found = {}
    for index in range(len(dataset)):
        try:
            dataset[index]
        except SampleError as error:
            found[index] = str(error)
    return found


def test_lines_are_read_as_they_were_written(tmp_path):
    spanned = LineImage("d.png", "ab", LINES[0].gray, (Span("a", 0.5, 9), Span("b", 10, 20)))
    paths = write(tmp_path, [*ENCODED, encode_line(spanned)], shards=2)
    assert [path.name for path in paths] == ["lines-00000-of-00002.tfrecord", "lines-00001-of-00002.tfrecord"]
    dataset = pickle.loads(pickle.dumps(open_dataset(tmp_path)))
    assert [dataset[n].text for n in range(4)] == ["一", "一 ", "一 b", "ab"]
    assert all(np.array_equal(dataset[n].gray, LINES[n].gray) for n in range(3))
    assert dataset[3].spans == spanned.spans
    assert dataset[0].spans == ()
    assert dataset[2].name == f"{paths[1]}, record 1"


@pytest.mark.parametrize("pattern", ["lines-00000-of-00002.tfrecord", "*.tfrecord", "lines-0000[0]*"])
def test_a_file_or_a_pattern_names_records(tmp_path, pattern):
    write(tmp_path, shards=2)
    assert open_dataset(tmp_path / pattern)[0].text == "一"


def test_a_part_of_a_folder_of_records(tmp_path):
    write(tmp_path)
    write_shards(tmp_path, "val", iter([ENCODED[2]]), 1, 1)
    assert [len(open_dataset(tmp_path, part=part)) for part in (None, "lines", "val")] == [4, 3, 1]
    with pytest.raises(TrainingDataError, match="no part 'test'"):
        open_dataset(tmp_path, part="test")


def test_a_file_missing_of_a_set_is_said(tmp_path, caplog):
    write(tmp_path, shards=3)[1].unlink()
    assert len(open_dataset(tmp_path)) == 2
    assert "not whole" in caplog.text


@pytest.mark.slow
def test_tensorflow_reads_docrecs_records(tmp_path):
    import tensorflow as tf

    (path,) = write(tmp_path)
    examples = [tf.train.Example.FromString(data.numpy()) for data in tf.data.TFRecordDataset(str(path))]
    assert [example.features.feature["text"].bytes_list.value[0].decode() for example in examples] == ["一", "一 ", "一 b"]
    pictures = [tf.io.decode_png(example.features.feature["image"].bytes_list.value[0]).numpy()[..., 0] for example in examples]
    assert all(np.array_equal(picture, line.gray) for picture, line in zip(pictures, LINES, strict=True))


@pytest.fixture
def predecessors(tmp_path):
    """A function that writes the predecessor's records, from (picture, labels) each."""
    import tensorflow as tf

    def write(*lines):
        path = tmp_path / "train_0_1000.tfrecords"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for pixels, labels in lines:
                features = {
                    "images": tf.train.Feature(bytes_list=tf.train.BytesList(value=[pixels])),
                    "labels": tf.train.Feature(int64_list=tf.train.Int64List(value=labels)),
                    "imagepaths": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"a/b.jpg"])),
                }
                writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
        return path

    return write


BLUE = np.full((32, 100, 3), (255, 0, 0), np.uint8).tobytes()


@pytest.mark.slow
def test_the_predecessors_records_are_read(predecessors):
    path = predecessors((BLUE, [0, 6, 8]), (bytes(32 * 280 * 3), [1]))
    dataset = open_dataset(path, ALPHABET)
    assert [dataset[n].text for n in range(2)] == ["一 b", "二"]
    assert dataset[0].gray.shape == (32, 100)
    assert set(dataset[0].gray.ravel()) == {29}  # blue counts 0.114, and is the first of B, G, R
    assert len(open_dataset(path.parent, ALPHABET, "train")) == 2
    with pytest.raises(TrainingDataError, match="name the dictionaries they were made with, by -c and -o") as caught:
        open_dataset(path)[0]
    assert not isinstance(caught.value, SampleError)


@pytest.mark.slow
def test_unsound_records_of_the_predecessor_are_named(predecessors):
    path = predecessors((BLUE, [0]), (BLUE, [3, 9, -1]), (BLUE[:-1], [0]), (b"", [0]), (BLUE, []))
    assert faults(open_dataset(path, ALPHABET)) == {
        1: f"{path}, record 2: classes outside the alphabet: -1, 9; it has 9, from 0",
        2: f"{path}, record 3: its picture must have 3 bytes for each pixel of 32 rows: got 9599 bytes",
        3: f"{path}, record 4: its picture must have 3 bytes for each pixel of 32 rows: got 0 bytes",
        4: f"{path}, record 5: it has no text",
    }


def test_a_record_cut_short_is_reported_and_hides_none_before_it(tmp_path):
    (path,) = write(tmp_path)
    offset = int(index_shard(path).offsets[2])
    whole = path.read_bytes()
    for end in (offset + 1, offset + 11, offset + 12, len(whole) - 5, len(whole) - 1):
        path.write_bytes(whole[:end])
        assert faults(open_dataset(path)) == {2: f"{path}, record 3: the file ends in the middle of it"}
    path.write_bytes(whole[:offset])
    assert faults(open_dataset(path)) == {}


def test_no_flipped_byte_goes_unseen(tmp_path):
    (path,) = write(tmp_path)
    whole = path.read_bytes()
    second, third = index_shard(path).offsets[1:]
    for place in range(int(second), int(third)):
        damaged = bytearray(whole)
        damaged[place] ^= 0x40
        path.write_bytes(damaged)
        message = "the checksum of its length is wrong" if place < second + 12 else "the checksum of its data is wrong"
        assert [(index, message in fault) for index, fault in faults(open_dataset(path)).items()] == [(1, True)]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff\xff\xff", "it is no tf.train.Example"),
        (b"", "it lacks the feature 'image'"),
        (ENCODED[0].replace(b"IDAT", b"IDAX"), "the picture is damaged"),
        (ENCODED[0].replace("一".encode(), b"\xff\xff\xff"), "its text is not UTF-8"),
        (encode_line(LineImage("", " ", LINES[0].gray)), "it has no text"),
        (encode_line(LineImage("", "ab", LINES[0].gray, (Span("a", 0, 1),))), "it must have as many spans as characters: got 1 and 2"),
    ],
)
def test_records_that_do_not_decode_are_named(tmp_path, data, fault):
    (path,) = write(tmp_path, [data])
    assert fault in faults(open_dataset(path))[0]


def test_a_file_of_something_else_is_one_bad_record(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(b"no records at all" * 10)
    assert "record 1: the checksum of its length is wrong" in faults(open_dataset(path))[0]


def test_records_that_are_left_out_and_none_left(tmp_path):
    (path,) = write(tmp_path, [None, b"abc", None])
    assert read_record(index_shard(path), 0) == b"abc"
    with pytest.raises(TrainingDataError, match="of 2 there is none"):
        write(tmp_path / "none", [None, None], shards=2)
    assert list((tmp_path / "none").iterdir()) == []


def test_a_full_disk_leaves_no_shard(tmp_path):
    """The limit on the size of a file stands for a full disk: writing fails in the middle of the second file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(FileAccessError, match=r"the output .*lines-00001-of-00002\.tfrecord cannot be written"):
            write(tmp_path, [b"a", os.urandom(200_000)], shards=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
