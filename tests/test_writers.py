"""Writing pages: the text format, and that a file is replaced wholly or not at all."""

import errno
import io
import json as codec
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from docrec.document import Block, Box, Glyph, Line, Page, Scan
from docrec.errors import FileAccessError, OptionError
from docrec.options import WriteOptions
from docrec.writers import name_outputs, write
from docrec.writers.json import json, json_to_page
from docrec.writers.txt import txt

OLD = "what was there before\n"
NEW = "第一页\n  缩进 and words\n\f第二页\n"


@pytest.fixture
def old_file(tmp_path: Path) -> Path:
    path = tmp_path / "out.txt"
    path.write_text(OLD, encoding="utf-8")
    return path


def interrupted(pages: list[Page], error: BaseException) -> Iterator[Page]:
    yield pages[0]
    raise error


def test_text_pages_are_separated_by_a_form_feed(two_pages: list[Page]) -> None:
    assert b"".join(txt(two_pages, WriteOptions())).decode() == NEW


def test_a_blank_page_is_an_empty_line(two_pages: list[Page]) -> None:
    blank = Page(1, 100, 100, 200.0, ())
    assert b"".join(txt([blank], WriteOptions())) == b"\n"
    assert b"".join(txt([two_pages[1], blank, two_pages[1]], WriteOptions())).decode() == "第二页\n\f\n\f第二页\n"


def test_a_file_is_created_with_the_usual_permissions(tmp_path: Path, two_pages: list[Page]) -> None:
    old = os.umask(0o027)
    try:
        write(two_pages, tmp_path / "out.txt")
    finally:
        os.umask(old)
    assert (tmp_path / "out.txt").read_bytes().decode() == NEW
    assert stat.S_IMODE((tmp_path / "out.txt").stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["out.txt"]


def test_replacing_a_file_keeps_its_permissions(old_file: Path, two_pages: list[Page]) -> None:
    old_file.chmod(0o604)
    write(two_pages, old_file)
    assert old_file.read_bytes().decode() == NEW
    assert stat.S_IMODE(old_file.stat().st_mode) == 0o604


def test_a_symbolic_link_stays_one(tmp_path: Path, old_file: Path, two_pages: list[Page]) -> None:
    link = tmp_path / "link.txt"
    link.symlink_to(old_file)
    write(two_pages, link)
    assert link.is_symlink()
    assert old_file.read_bytes().decode() == NEW


@pytest.mark.parametrize("error", [ValueError("page 2 is torn"), OSError(errno.EIO, "input/output error"), KeyboardInterrupt()])
def test_an_existing_file_survives_a_failure_half_way(old_file: Path, two_pages: list[Page], error: BaseException) -> None:
    with pytest.raises(type(error)) as caught:
        write(interrupted(two_pages, error), old_file)
    assert caught.value is error, "a failure of reading is not reported as one of writing"
    assert old_file.read_text(encoding="utf-8") == OLD
    assert os.listdir(old_file.parent) == [old_file.name]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    old_file: Path, two_pages: list[Page], monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, function, full)
    with pytest.raises(FileAccessError, match=r"out\.txt cannot be written: no space is left on the device"):
        write(two_pages, old_file)
    assert old_file.read_text(encoding="utf-8") == OLD
    assert os.listdir(old_file.parent) == [old_file.name]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_a_device_is_written_directly(two_pages: list[Page]) -> None:
    write(two_pages, "/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(FileAccessError, match="no space is left on the device"):
        write(two_pages, "/dev/full")


def test_a_named_pipe_is_written_directly(tmp_path: Path, two_pages: list[Page]) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    received: list[str] = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes().decode()))
    reader.start()
    write(two_pages, pipe)
    reader.join()
    assert received == [NEW]


def test_a_missing_folder_is_told_before_anything_is_read(tmp_path: Path, two_pages: list[Page]) -> None:
    pages = iter(two_pages)
    with pytest.raises(FileAccessError, match="the folder it is to lie in does not exist; create it"):
        write(pages, tmp_path / "absent" / "out.txt")
    assert list(pages) == two_pages


def test_a_read_only_folder(read_only_folder: Path, two_pages: list[Page]) -> None:
    with pytest.raises(FileAccessError, match="permission is denied"):
        write(two_pages, read_only_folder / "out.txt")
    assert os.listdir(read_only_folder) == []


def test_a_write_protected_file_is_not_replaced(tmp_path: Path, two_pages: list[Page], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.txt"
    path.write_text(OLD, encoding="utf-8")
    monkeypatch.setattr(os, "access", lambda name, mode: False)  # what the system answers anyone but root
    with pytest.raises(FileAccessError, match="permission is denied"):
        write(two_pages, path)
    assert path.read_text(encoding="utf-8") == OLD


def test_a_folder_is_refused(tmp_path: Path, two_pages: list[Page]) -> None:
    with pytest.raises(FileAccessError, match="it is a folder; name a file in it"):
        write(two_pages, tmp_path)


def test_a_stream_is_flushed_after_each_page(two_pages: list[Page]) -> None:
    flushed: list[bytes] = []

    class Stream(io.BytesIO):
        def flush(self) -> None:
            flushed.append(self.getvalue())

    stream = Stream()
    write(two_pages, stream)
    assert [len(content.decode().split("\f")) for content in flushed] == [1, 2]
    assert not stream.closed


def test_a_broken_pipe_passes_through(two_pages: list[Page]) -> None:
    receiving, sending = os.pipe()
    os.close(receiving)
    stream = os.fdopen(sending, "wb", buffering=0)
    with stream, pytest.raises(BrokenPipeError):
        write(two_pages, stream)


def test_an_unknown_format_lists_the_known_ones(two_pages: list[Page]) -> None:
    with pytest.raises(OptionError, match="must be one of txt, json, .*, got 'doc'"):
        write(two_pages, io.BytesIO(), "doc")


def test_json_holds_all_of_a_page(two_pages: list[Page]) -> None:
    line = Line(Box(1, 2, 30, 400), (Glyph("竖", 2, 40, 0.5), Glyph("2", 41, 60, 1.0, script=1)), vertical=True, cell=(3, 0))
    scan = Scan(1000, 1400, (0.0, 1.0, 0.0, -1.0, 0.0, 1400.0, 0.0, 0.0, 1.0))
    pages = [*two_pages, Page(7, 1400, 1000, 300.0, (Block("table", (line,)), Block("note", (line, line))), ("turned by 90°",), scan)]
    document = codec.loads(b"".join(json(pages, WriteOptions("名.pdf", model="crnn-zh"))))
    assert list(map(json_to_page, document["pages"])) == pages
    assert (document["document"], document["model"], document["pages"][2]["page"]) == ("名.pdf", "crnn-zh", 8)
    assert document["pages"][2]["blocks"][1]["lines"][0]["text"] == "竖²"


def test_json_of_no_pages() -> None:
    assert codec.loads(b"".join(json([], WriteOptions())))["pages"] == []


def test_several_formats_are_written_in_one_pass(tmp_path: Path, two_pages: list[Page]) -> None:
    write(iter(two_pages), tmp_path / "out.txt", "txt,json")
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == NEW
    assert len(codec.loads((tmp_path / "out.json").read_bytes())["pages"]) == 2


def test_all_files_survive_a_failure_half_way(tmp_path: Path, old_file: Path, two_pages: list[Page]) -> None:
    with pytest.raises(ValueError, match="torn"):
        write(interrupted(two_pages, ValueError("torn")), [old_file, tmp_path / "new.json"])
    assert os.listdir(tmp_path) == [old_file.name]
    assert old_file.read_text(encoding="utf-8") == OLD


@pytest.mark.parametrize(
    ("outputs", "formats", "named"),
    [
        (["a.txt", "b.JSON", "c.dat"], "", [("a.txt", "txt"), ("b.JSON", "json"), ("c.dat", "txt")]),
        (["a.txt"], "json", [("a.txt", "json")]),
        (["a.txt"], "txt, json", [("a.txt", "txt"), ("a.json", "json")]),
        (["report.v2"], "txt,json", [("report.v2.txt", "txt"), ("report.v2.json", "json")]),
    ],
)
def test_formats_are_told_by_suffix_or_by_name(outputs: list[str], formats: str, named: list[tuple[str, str]]) -> None:
    assert name_outputs(outputs, formats) == named


@pytest.mark.parametrize(
    ("outputs", "formats", "message"),
    [
        (["a"], "txt,doc", "must be one of txt, json, .*, got 'doc'"),
        (["a"], "txt,txt", "txt was named twice"),
        (["a", "b"], "txt,json", "need one output file"),
        (["a.txt", "b.Docx"], "", r"b\.Docx is not the name of a format that can be written: txt, .*name one with -f"),
        ([io.BytesIO()], "txt,json", "need one output file"),
    ],
)
def test_unclear_outputs_are_refused(outputs: list[str | io.BytesIO], formats: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        name_outputs(outputs, formats)
