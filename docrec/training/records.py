"""TFRecord files of labelled lines: docrec's own form, and the predecessor's, which is read only.

A file is a row of frames: the length of the data (uint64), a checksum of these 8 bytes (uint32), the data, a checksum of it
(uint32), all little-endian. A checksum is a CRC-32C, rotated and shifted so that CRCs of data that holds CRCs stay good
(TensorFlow, tsl/lib/io/record_writer.h and tsl/lib/hash/crc32c.h). The data is a tf.train.Example, whose features are

    docrec       image: PNG; text, name: UTF-8; spans: left and right of each character in columns, if they are known
    predecessor  images: uint8 (32, width, 3), BGR, as bytes; labels: class indices; imagepaths: UTF-8
"""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import google_crc32c
import numpy as np

from docrec.charset import Charset
from docrec.chunk import HEIGHT
from docrec.errors import FileAccessError, SampleError, TrainingDataError
from docrec.training.lines import LineImage, Span
from docrec.training.pictures import decode_picture, encode_png, is_gray_png
from docrec.writers.replace import replacing, writing_to

HEADER, FOOTER = 12, 4  # bytes of a frame before and after its data


@dataclass(frozen=True, slots=True, eq=False)
class Shard:
    """A TFRecord file and where its records are.

    Attributes:
        path: the file.
        offsets: int64 (records,), where the frame of each begins, in bytes.
        fault: what is wrong with the file behind the last of them; empty if nothing is.
    """

    path: Path
    offsets: np.ndarray
    fault: str

    def name(self, number: int) -> str:
        """What messages call a record; `number` is from 0, but people count from 1."""
        return f"{self.path}, record {number + 1}"


def index_shard(path: Path) -> Shard:
    """Find the records of a TFRecord file, up to the first whose place or length is damaged.

    Raises:
        FileAccessError: the file cannot be read.
    """
    offsets, fault, position = [], "", 0
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except OSError as error:
        raise FileAccessError(f"the record file {path} cannot be read: {error.strerror}") from error
    while position < size and not fault:
        header = data[position : position + HEADER]
        length = int.from_bytes(header[:8], "little")
        if len(header) == HEADER and _checksum(header[:8]) != header[8:]:
            fault = "the checksum of its length is wrong, so that it and what follows cannot be read"
        elif position + HEADER + length + FOOTER > size:
            fault = "the file ends in the middle of it"
        else:
            offsets.append(position)
            position += HEADER + length + FOOTER
    return Shard(path, np.array(offsets, np.int64), fault)


def read_record(shard: Shard, number: int) -> bytes:
    """The data of a record, by its number from 0; the one behind the last is the file's fault, if it has one.

    Raises:
        SampleError: its checksum is wrong, or it cannot be read.
    """
    if number == len(shard.offsets):
        raise SampleError(shard.name(number), shard.fault)
    try:
        with open(shard.path, "rb") as file:
            file.seek(int(shard.offsets[number]))
            length = int.from_bytes(file.read(HEADER)[:8], "little")
            data, checksum = file.read(length), file.read(FOOTER)
    except OSError as error:
        raise SampleError(shard.name(number), "the file cannot be read", error.strerror or "") from error
    if _checksum(data) != checksum:
        raise SampleError(shard.name(number), "the checksum of its data is wrong")
    return data


def write_shards(folder: Path, name: str, records: Iterator[bytes | None], count: int, shards: int) -> list[Path]:
    """Write records to files `name-00000-of-00004.tfrecord` and so on, or leave none of them.

    Args:
        folder: where they go; made if need be.
        name: how the names of the files begin.
        records: data of `count` records; None for one that is left out.
        count: how many there are; each file gets the same share of them.
        shards: number of files.

    Raises:
        FileAccessError: a file cannot be written.
        TrainingDataError: all records were left out.
    """
    paths = [folder / f"{name}-{number:05d}-of-{shards:05d}.tfrecord" for number in range(shards)]
    done, used = 0, 0
    try:
        with writing_to(str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            with replacing(path) as stream:
                first, end = done * count // shards, (done + 1) * count // shards
                for record in islice(records, end - first):
                    if record is not None:
                        with writing_to(str(path)):
                            stream.write(_frame(record))
                        used += 1
            done += 1
        if not used:
            raise TrainingDataError(f"a data set needs lines that can be used, and of {count} there is none; the messages above say why")
    except BaseException:
        for path in paths[:done]:
            path.unlink(missing_ok=True)
        raise
    return paths


def encode_line(line: LineImage) -> bytes:
    """A labelled picture as the data of one of docrec's records."""
    example = _example_type()()
    feature = example.features.feature
    feature["image"].bytes_list.value.append(line.png or encode_png(line.gray))
    feature["text"].bytes_list.value.append(line.text.encode())
    feature["name"].bytes_list.value.append(line.name.encode("utf-8", "surrogateescape"))
    if line.spans:
        feature["spans"].float_list.value.extend(edge for span in line.spans for edge in (span.left, span.right))
    return bytes(example.SerializeToString(deterministic=True))


def decode_line(data: bytes, name: str, charset: Charset | None) -> LineImage:
    """The labelled picture in a record of either form.

    Args:
        data: of the record.
        name: of the record.
        charset: what the classes of the predecessor's records stand for.

    Raises:
        SampleError: it is no such record, or its picture, text or classes are not sound.
        TrainingDataError: it is one of the predecessor's, and there is no charset.
    """
    from google.protobuf.message import DecodeError

    try:
        example = _example_type().FromString(data)
    except DecodeError as error:
        raise SampleError(name, "it is no tf.train.Example") from error
    feature = example.features.feature
    if "images" in feature and "labels" in feature:
        if charset is None:
            raise TrainingDataError(f"{name} has class indices for a label: name the dictionaries they were made with, by -c and -o")
        return _predecessors_line(_bytes(feature, "images", name), feature["labels"].int64_list.value, name, charset)
    png = _bytes(feature, "image", name)
    gray = decode_picture(png, name)
    try:
        text = _bytes(feature, "text", name).decode()
    except UnicodeDecodeError as error:
        raise SampleError(name, "its text is not UTF-8") from error
    if not text.strip():
        raise SampleError(name, "it has no text")
    edges = list(feature["spans"].float_list.value) if "spans" in feature else []
    if len(edges) not in (0, 2 * len(text)):
        raise SampleError(name, "it must have as many spans as characters", f"got {len(edges) / 2:g} and {len(text)}")
    return LineImage(name, text, gray, tuple(map(Span, text, edges[::2], edges[1::2])), png if is_gray_png(png) else b"")


def _predecessors_line(pixels: bytes, labels: Any, name: str, charset: Charset) -> LineImage:
    if not pixels or len(pixels) % (HEIGHT * 3):
        raise SampleError(name, f"its picture must have 3 bytes for each pixel of {HEIGHT} rows", f"got {len(pixels)} bytes")
    if not labels:
        raise SampleError(name, "it has no text")
    if strange := sorted({label for label in labels if not 0 <= label < len(charset)}):
        raise SampleError(name, "classes outside the alphabet", f"{', '.join(map(str, strange))}; it has {len(charset)}, from 0")
    picture = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, -1, 3)
    return LineImage(name, charset.decode(labels), cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY))


def _bytes(feature: Any, key: str, name: str) -> bytes:
    if key not in feature or len(feature[key].bytes_list.value) != 1:
        raise SampleError(name, f"it lacks the feature {key!r}")
    return bytes(feature[key].bytes_list.value[0])


def _frame(data: bytes) -> bytes:
    length = struct.pack("<Q", len(data))
    return b"".join((length, _checksum(length), data, _checksum(data)))


def _checksum(data: bytes) -> bytes:
    crc = google_crc32c.value(data)
    return struct.pack("<I", (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF)


@cache
def _example_type() -> Any:
    """The message class tf.train.Example, made here: importing TensorFlow for it takes two seconds and 300 MB in every process.

    Of tensorflow/core/example/{example,feature}.proto.
    """
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kind = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="docrec/example.proto", package="tensorflow", syntax="proto3")
    feature = descriptor_pb2.DescriptorProto(name="Feature", oneof_decl=[{"name": "kind"}])
    lists = (("bytes_list", "BytesList"), ("float_list", "FloatList"), ("int64_list", "Int64List"))
    for number, ((field, name), value) in enumerate(zip(lists, (kind.TYPE_BYTES, kind.TYPE_FLOAT, kind.TYPE_INT64), strict=True), start=1):
        message = file.message_type.add(name=name)
        message.field.add(name="value", number=1, type=value, label=kind.LABEL_REPEATED)
        feature.field.add(name=field, number=number, type=kind.TYPE_MESSAGE, type_name=f".tensorflow.{name}", oneof_index=0)
    file.message_type.append(feature)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry", options={"map_entry": True})
    entry.field.add(name="key", number=1, type=kind.TYPE_STRING)
    entry.field.add(name="value", number=2, type=kind.TYPE_MESSAGE, type_name=".tensorflow.Feature")
    entry_type = ".tensorflow.Features.FeatureEntry"
    features.field.add(name="feature", number=1, type=kind.TYPE_MESSAGE, type_name=entry_type, label=kind.LABEL_REPEATED)
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type=kind.TYPE_MESSAGE, type_name=".tensorflow.Features")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))
