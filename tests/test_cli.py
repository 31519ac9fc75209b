"""The command line: what goes where, what is refused, and how every ending becomes an exit status."""

import json
import os
import pty
import re
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pymupdf
import pytest

import docrec
from docrec.charset import Charset, save_charset
from docrec.cli.app import BROKEN_PIPE, run
from docrec.document import Page
from docrec.errors import ExitCode
from docrec.options import ReadOptions
from docrec.writers import FORMATS

TEXT = "第一页\n  缩进 and words\n\f第二页\n"
OLD = "what was there before\n"

DRIVER = """
    import signal, sys, time
    import docrec
    from docrec.document import Block, Box, Glyph, Line, Page

    def recognize(document, recognizer, options):
        for index in range(3):
            glyphs = tuple(Glyph(char, i, i + 1, 0.5 if char == "疑" else 1.0) for i, char in enumerate("不疑 {[/red]}"))
            lines = (Line(Box(20, 0, 60, 10), glyphs), Line(Box(0, 15, 50, 25), glyphs))
            yield Page(index, 100, 100, 200.0, (Block("text", lines),))
            {between}

    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    docrec.load = lambda model, device, charset: None
    docrec.recognize = recognize
    from docrec.cli.app import main
    main()
"""
"""A process whose recogniser is replaced by one that reads the same two lines from every page, the first one indented."""

PAGE = "    不疑 {[/red]}\n不疑 {[/red]}\n"


class Reader:
    """Stands in for the recogniser, and keeps what it was called with."""

    def __init__(self, pages: list[Page]) -> None:
        self.pages = pages
        self.loaded: list[dict[str, Any]] = []
        self.read: list[tuple[Any, ReadOptions]] = []
        self.failure: BaseException | None = None

    def load(self, model: str | None = None, device: str = "auto", charset: Charset | None = None) -> object:
        self.loaded.append({"model": model, "device": device, "charset": charset})
        return self

    def recognize(self, document: Any, recognizer: object, options: ReadOptions) -> Iterator[Page]:
        assert recognizer is self
        self.read.append((document, options))
        yield self.pages[0]
        if self.failure:
            raise self.failure
        yield from self.pages[1:]


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, two_pages: list[Page]) -> Reader:
    reader = Reader(two_pages)
    monkeypatch.setitem(vars(docrec), "load", reader.load)  # as items: asking for the attributes would import the real ones
    monkeypatch.setitem(vars(docrec), "recognize", reader.recognize)
    return reader


@pytest.fixture
def pdf(tmp_path: Path) -> str:
    """A PDF of two blank pages, in the working directory of a test."""
    path = tmp_path / "in.pdf"
    with pymupdf.open() as document:
        document.new_page()
        document.new_page()
        document.save(path)
    return str(path)


@pytest.fixture
def dictionary(tmp_path: Path) -> tuple[str, str]:
    """Paths of a char dict and an ord map of three characters."""
    char_dict, ord_map = str(tmp_path / "char_dict.json"), str(tmp_path / "ord_map.json")
    save_charset(Charset(("0", "一", "页")), char_dict, ord_map)
    return char_dict, ord_map


def start(pdf: str, *args: str, between: str = "pass", encoding: str = "utf-8", **options: Any) -> subprocess.Popen[bytes]:
    """Start `docrec pdf` as a process; `between` is a statement that runs between two pages."""
    script = textwrap.dedent(DRIVER.replace("{between}", between))
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "80", "TERM": "xterm-256color"}
    return subprocess.Popen([sys.executable, "-c", script, "pdf", pdf, *args], env=environment, **options)


def on_a_terminal(pdf: str, *args: str, encoding: str = "utf-8") -> tuple[int, str]:
    """Run `docrec pdf` with a terminal as its standard output and error; gives exit status and what was shown."""
    master, slave = pty.openpty()
    with start(pdf, *args, encoding=encoding, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = b""
        try:
            while piece := os.read(master, 65536):
                shown += piece
        except OSError:  # Linux reports the end of a terminal as an error
            pass
    os.close(master)
    return process.returncode, shown.decode(encoding).replace("\r\n", "\n")


# What goes where


def test_text_goes_to_standard_output(reader: Reader, pdf: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pdf", pdf]) == ExitCode.OK
    assert capsys.readouterr() == (TEXT, "")


def test_text_goes_to_a_file(reader: Reader, pdf: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.txt"
    assert run(["pdf", pdf, "-o", str(out)]) == ExitCode.OK
    assert out.read_bytes().decode() == TEXT
    assert capsys.readouterr() == ("", "")


def test_pictures_are_one_document_in_the_order_given(
    reader: Reader, root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = [str(tmp_path / name) for name in ("b.png", "a.png")]
    for picture in pictures:
        pymupdf.Pixmap(pymupdf.csGRAY, (0, 0, 20, 20), False).save(picture)
    assert run(["image", *pictures, "-o", "-"]) == ExitCode.OK
    assert capsys.readouterr().out == TEXT + "\f" + TEXT
    assert [document for document, _ in reader.read] == pictures
    assert len(reader.loaded) == 1


def test_dash_reads_standard_input(pdf: str, monkeypatch: pytest.MonkeyPatch, reader: Reader) -> None:
    with open(pdf, encoding="latin-1") as stream:
        monkeypatch.setattr(sys, "stdin", stream)
        assert run(["pdf", "-"]) == ExitCode.OK
        assert reader.read[0][0] is stream.buffer


def test_an_input_may_be_a_pipe(pdf: str, tmp_path: Path, reader: Reader) -> None:
    pipe = str(tmp_path / "pipe")
    os.mkfifo(pipe)
    assert run(["pdf", pipe]) == ExitCode.OK, "it is opened by the library alone, as what it gives can be read once"
    assert reader.read[0][0] == pipe


def test_pages_reach_a_pipe_as_they_are_read(pdf: str) -> None:
    with start(pdf, between="time.sleep(60)", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(len(PAGE.encode())).decode() == PAGE
        process.kill()


def test_options_default_to_those_of_the_library(reader: Reader, pdf: str) -> None:
    assert run(["pdf", pdf]) == ExitCode.OK
    assert reader.read[0][1] == ReadOptions()
    assert reader.loaded == [{"model": None, "device": "auto", "charset": None}]


def test_options_reach_the_library(reader: Reader, pdf: str) -> None:
    arguments = "--pages 2-end --dpi 300 --batch-size 7 --password geheim --model models/other --device cpu"
    arguments += " --layout single --no-header-footer --min-confidence 0.9 --mode redo"
    assert run(["pdf", pdf, *arguments.split()]) == ExitCode.OK
    assert reader.read[0][1] == ReadOptions(
        pages="2-end", dpi=300, batch_size=7, password="geheim", layout="single", mode="redo", header_footer=False, min_confidence=0.9
    )
    assert reader.loaded == [{"model": "models/other", "device": "cpu", "charset": None}]


# The terminal


def test_a_terminal_shows_lines_and_marks_doubtful_characters(pdf: str) -> None:
    status, shown = on_a_terminal(pdf)
    assert status == ExitCode.OK
    assert f"{pdf}, page 3" in shown.replace("\n", "")
    assert "    不\x1b[4;30;43m疑\x1b[0m {[/red]}" in shown
    assert re.search(r"3 pages, 6 lines, 66 characters, mean confidence 95\.5%, \d+\.\d s", shown)


def test_a_terminal_shows_rows_of_pages_when_the_text_goes_to_a_file(pdf: str, tmp_path: Path) -> None:
    status, shown = on_a_terminal(pdf, "-o", str(tmp_path / "out.txt"))
    assert status == ExitCode.OK
    assert re.search(r"page 3 +2 lines +22 characters +95\.5% ", shown)
    assert "3 pages, 6 lines" in shown
    assert (tmp_path / "out.txt").read_bytes().decode() == "\f".join([PAGE] * 3)


def test_a_terminal_without_hanzi_shows_question_marks(pdf: str) -> None:
    status, shown = on_a_terminal(pdf, encoding="ascii")
    assert status == ExitCode.OK
    assert "?\x1b[4;30;43m?\x1b[0m {[/red]}" in shown


def test_quiet_shows_the_bare_text(pdf: str) -> None:
    assert on_a_terminal(pdf, "-q") == (ExitCode.OK, "\f".join([PAGE] * 3))


# Dictionaries


def test_dictionaries_before_the_subcommand(reader: Reader, pdf: str, dictionary: tuple[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out.txt"
    assert run(["-c", dictionary[0], "-o", dictionary[1], "pdf", pdf, "-o", str(out)]) == ExitCode.OK
    assert reader.loaded[0]["charset"] == Charset(("0", "一", "页"))
    assert out.read_bytes().decode() == TEXT


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (2, 1, 0)])
def test_dictionaries_after_the_subcommand(
    reader: Reader, pdf: str, dictionary: tuple[str, str], tmp_path: Path, order: tuple[int, ...]
) -> None:
    char_dict, ord_map = dictionary
    before = Path(ord_map).read_bytes()
    out = tmp_path / "out.txt"
    options = [["-c", char_dict], ["-o", ord_map], ["-o", str(out)]]
    assert run(["pdf", pdf, *(word for i in order for word in options[i])]) == ExitCode.OK
    assert reader.loaded[0]["charset"] == Charset(("0", "一", "页"))
    assert out.read_bytes().decode() == TEXT
    assert Path(ord_map).read_bytes() == before


def test_dictionaries_without_an_output(reader: Reader, pdf: str, dictionary: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    before = Path(dictionary[1]).read_bytes()
    assert run(["pdf", pdf, "-c", dictionary[0], "-o", dictionary[1]]) == ExitCode.OK
    assert capsys.readouterr().out == TEXT
    assert Path(dictionary[1]).read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("pdf IN -o MAP", "must not overwrite a dictionary"),
        ("pdf IN --output MAP", "must not overwrite a dictionary"),
        ("pdf IN -o DICT", "must not overwrite a dictionary"),
        ("pdf IN -c DICT --ord-map MAP -o DICT", "must not overwrite a dictionary"),
        ("pdf IN -c DICT --ord-map MAP --output MAP", "must not overwrite a dictionary"),
        ("pdf IN -c DICT", "needs an ord map: name it with --ord-map"),
        ("pdf IN -c DICT -o absent.json", "needs an ord map.*absent.json does not exist"),
        ("pdf IN -c DICT -o absent.json -o out.txt", "needs an ord map.*absent.json does not exist"),
        ("-c DICT pdf IN -o out.txt", "needs an ord map"),
        ("-o MAP pdf IN -o out.txt", "needs a char dict: name it with -c"),
        ("-o out.txt pdf IN", "an output is named after the subcommand"),
        ("pdf IN --ord-map MAP", "needs a char dict: name it with -c"),
        ("-c DICT -o MAP pdf IN -c DICT", "-c was given twice"),
        ("pdf IN -o a.txt --output a.txt", "a.txt was named twice"),
        ("pdf IN -f txt,json", "need one output file"),
        ("pdf IN -o a.doc -f doc", "must be one of txt, json"),
        ("pdf IN -o IN", "must not overwrite an input"),
        ("pdf IN --output=", "the output needs a name"),
    ],
)
def test_what_an_output_must_not_be(
    reader: Reader,
    pdf: str,
    dictionary: tuple[str, str],
    arguments: str,
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    files = {path: Path(path).read_bytes() for path in (pdf, *dictionary)}
    names = {"IN": pdf, "DICT": dictionary[0], "MAP": dictionary[1]}
    assert run([names.get(word, word) for word in arguments.split()]) == ExitCode.BAD_ARGUMENTS
    assert re.search(message, capsys.readouterr().err)
    assert {str(path): path.read_bytes() for path in tmp_path.iterdir()} == files
    assert reader.loaded == []


def test_several_outputs_are_written_in_one_pass(reader: Reader, pdf: str, tmp_path: Path) -> None:
    assert run(["pdf", pdf, "-o", str(tmp_path / "a.txt"), "-o", str(tmp_path / "b.json")]) == ExitCode.OK
    assert len(reader.read) == 1
    read = json.loads((tmp_path / "b.json").read_bytes())
    assert read["document"] == pdf
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").count("\f") == len(read["pages"]) - 1


def test_every_format_from_the_command_line(reader: Reader, pdf: str, tmp_path: Path) -> None:
    assert run(["pdf", pdf, "-f", ",".join(FORMATS), "-o", str(tmp_path / "out"), "--model", "m/mine/"]) == ExitCode.OK
    assert len(reader.read) == 1
    assert {path.suffix[1:] for path in tmp_path.glob("out.*")} == set(FORMATS)
    assert json.loads((tmp_path / "out.json").read_bytes())["model"] == "mine"
    assert "<processingStepSettings>model mine<" in (tmp_path / "out.alto").read_text(encoding="utf-8")


def test_the_suffix_names_the_format(reader: Reader, pdf: str, tmp_path: Path) -> None:
    starts = {"a.xml": "<?xml", "a.html": "<?xml", "a.MD": "<!-- page 1 -->", "a.tsv": "level\t", "a.log": "第一页"}
    assert run(["pdf", pdf, *(part for name in starts for part in ("-o", str(tmp_path / name)))]) == ExitCode.OK
    for name, start in starts.items():
        assert (tmp_path / name).read_text(encoding="utf-8").startswith(start)
    assert "<alto " in (tmp_path / "a.xml").read_text(encoding="utf-8")
    assert "ocr_page" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_paragraphs_are_joined_if_asked_for(reader: Reader, two_pages: list[Page], pdf: str, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = two_pages[0].blocks
    first, second = block.lines
    wide = replace(first, box=replace(first.box, right=second.box.right))  # which is as long as the one below
    two_pages[0] = replace(two_pages[0], blocks=(replace(block, lines=(wide, replace(second, glyphs=second.glyphs[2:]))),))
    assert run(["pdf", pdf, "--paragraphs", "--pages", "1"]) == ExitCode.OK
    assert capsys.readouterr().out.startswith("第一页缩进 and words\n\f")


@pytest.mark.parametrize(
    ("char_dict", "ord_map", "status", "message"),
    [
        ("{", None, ExitCode.INVALID_CONFIG, "must be JSON"),
        ('{"48_ord": "1"}', None, ExitCode.INVALID_CONFIG, "48_ord must be the character"),
        ('{"48_ord": "0"}', None, ExitCode.INVALID_CONFIG, "must list the same characters"),
        ("absent", None, ExitCode.FILE_ACCESS, "cannot be read: No such file"),
        (None, '{"0_index": "48", ', ExitCode.INVALID_CONFIG, "must be JSON"),
        (None, '{"0_index": "48"}', ExitCode.INVALID_CONFIG, "must be inverses"),
    ],
)
def test_bad_dictionaries(
    reader: Reader,
    pdf: str,
    dictionary: tuple[str, str],
    char_dict: str | None,
    ord_map: str | None,
    status: ExitCode,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path, content in zip(dictionary, (char_dict, ord_map), strict=True):
        if content == "absent":
            os.unlink(path)
        elif content is not None:
            Path(path).write_text(content, encoding="utf-8")
    assert run(["pdf", pdf, "-c", dictionary[0], "-o", dictionary[1]]) == status
    assert message in capsys.readouterr().err
    assert reader.loaded == []


# Endings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "Usage: docrec"),
        ("scan", "No such command 'scan'"),
        ("pdf", "Missing argument 'FILE'"),
        ("image", "Missing argument 'FILE...'"),
        ("pdf IN IN", "unexpected extra argument"),
        ("pdf IN --dpi much", "'much' is not a valid integer"),
        ("pdf IN --device tpu", "'tpu' is not one of"),
        ("pdf IN --dpi 7", "--dpi must lie between 50 and 1200, got 7"),
        ("pdf IN --batch-size 0", "--batch-size must lie between"),
        ("pdf IN --pages 1-x", "--pages takes"),
        ("pdf IN --pages 3", "3"),
        ("pdf IN -q -v", "-q and -v"),
        ("image - -", "standard input can be read once"),
    ],
)
def test_bad_arguments(reader: Reader, pdf: str, arguments: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([pdf if word == "IN" else word for word in arguments.split()]) == ExitCode.BAD_ARGUMENTS
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert reader.loaded == []


@pytest.mark.parametrize("content", [None, b"", b"text"])
def test_bad_inputs_are_told_before_a_model_is_loaded(
    reader: Reader, tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.pdf"
    if content is not None:
        path.write_bytes(content)
    assert run(["pdf", str(path), "-o", str(tmp_path / "out.txt")]) == ExitCode.INPUT_FILE
    assert re.fullmatch(r"docrec: error: .*in\.pdf.*\n", capsys.readouterr().err)
    assert reader.loaded == []
    assert not (tmp_path / "out.txt").exists()


def test_an_encrypted_pdf_has_its_own_status(reader: Reader, tmp_path: Path) -> None:
    path = str(tmp_path / "locked.pdf")
    with pymupdf.open() as document:
        document.new_page()
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="geheim", owner_pw="geheim")
    assert run(["pdf", path]) == ExitCode.ENCRYPTED
    assert run(["pdf", path, "--password", "geheim"]) == ExitCode.OK


def test_a_password_may_be_in_a_file_or_the_environment(
    reader: Reader, pdf: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "password.txt"
    file.write_text("in the file \nsecond line\n", encoding="utf-8")
    monkeypatch.setenv("DOCREC_PASSWORD", "from outside")
    for arguments in ([], ["--password", "given"], ["--password-file", str(file)]):
        assert run(["pdf", pdf, *arguments]) == ExitCode.OK
    assert [options.password for _, options in reader.read] == ["from outside", "given", "in the file "]
    for arguments, status, message in (
        (["--password", "given", "--password-file", str(file)], ExitCode.BAD_ARGUMENTS, "not by both"),
        (["--password-file", "-"], ExitCode.BAD_ARGUMENTS, "takes the name of a file"),
        (["--password-file", str(tmp_path / "absent")], ExitCode.FILE_ACCESS, "cannot be read"),
    ):
        assert run(["pdf", pdf, *arguments]) == status
        assert message in capsys.readouterr().err


def test_an_output_that_cannot_be_written(reader: Reader, pdf: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pdf", pdf, "-o", str(tmp_path / "absent" / "out.txt")]) == ExitCode.FILE_ACCESS
    assert "does not exist; create it" in capsys.readouterr().err
    assert reader.loaded == [], "the output is tried before the work begins"


def test_a_model_folder_that_is_absent(pdf: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["pdf", pdf, "--model", str(tmp_path / "absent")]) == ExitCode.INVALID_CONFIG
    assert str(tmp_path / "absent") in capsys.readouterr().err


@pytest.mark.parametrize("verbose", [True, False])
def test_an_unexpected_failure_is_short_unless_verbose(reader: Reader, pdf: str, verbose: bool, capsys: pytest.CaptureFixture[str]) -> None:
    reader.failure = ValueError("a bug")
    assert run(["pdf", pdf, *["-v"] * verbose]) == ExitCode.OTHER
    error = capsys.readouterr().err
    assert "docrec: error: unexpected ValueError: a bug" in error
    assert ("Traceback" in error) is verbose


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, ExitCode.INTERRUPTED), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_signal_half_way_leaves_the_old_file(pdf: str, tmp_path: Path, number: int, status: int) -> None:
    out = tmp_path / "out" / "out.txt"
    out.parent.mkdir()
    out.write_text(OLD, encoding="utf-8")
    announce = "print('page', flush=True), time.sleep(60)"
    with start(pdf, "-o", str(out), between=announce, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.send_signal(number)
        error = process.stderr.read().decode()
        assert process.wait(timeout=10) == status
    assert error == ("docrec: interrupted\n" if number == signal.SIGINT else "")
    assert out.read_text(encoding="utf-8") == OLD
    assert os.listdir(out.parent) == ["out.txt"]


def test_a_reader_that_leaves_ends_it_quietly(pdf: str) -> None:
    with start(pdf, between="time.sleep(0.2)", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=10) == BROKEN_PIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs the device that is always full")
def test_standard_output_that_is_full(pdf: str) -> None:
    with open("/dev/full", "wb") as full, start(pdf, stdout=full, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert re.fullmatch(r"docrec: error: .* no space is left .*\n", process.stderr.read().decode())
        assert process.wait(timeout=10) == ExitCode.FILE_ACCESS


# The program as a whole


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == ExitCode.OK
    assert capsys.readouterr().out == f"docrec {docrec.__version__}\n"


def test_help_and_readme_list_every_exit_status(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == ExitCode.OK
    shown = capsys.readouterr().out
    readme = (root / "README.md").read_text(encoding="utf-8")
    for status in [*ExitCode, BROKEN_PIPE]:
        assert re.search(rf"^ +{status:d}  \w", shown, re.MULTILINE)
        assert re.search(rf"^\| {status:d} \| \w", readme, re.MULTILINE)


def test_help_imports_no_heavy_library() -> None:
    code = "import sys; from docrec.cli.app import run; run(['--help']); print(sorted({name.split('.')[0] for name in sys.modules}))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout.splitlines()[-1]
    assert "'click'" in shown
    for library in ("numpy", "cv2", "pymupdf", "tensorflow", "keras", "onnxruntime", "skimage", "scipy", "rich"):
        assert f"'{library}'" not in shown


def test_help_takes_under_a_third_of_a_second() -> None:
    def seconds() -> float:
        """Processor time of one run, which other work on the machine does not lengthen."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "docrec", "--help"], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(seconds() for _ in range(3)) < 0.3
