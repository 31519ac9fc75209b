"""`docrec batch`: what it writes and says, how it ends, and that it goes on after any end."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pymupdf
import pytest

from docrec.cli.app import run
from docrec.errors import ExitCode

TINY = ["--min-confidence", "0", "--mode", "force", "--device", "cpu"]
"""The tiny model is sure of nothing."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two documents, of two pages and one."""
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name, texts in {"a.pdf": ("山高月小", "水落石出"), "sub/b.pdf": ("曾日月之几何",)}.items():
        draw_pdf(folder / name, *texts)
    return folder


def draw_pdf(path: Path, *texts: str) -> None:
    with pymupdf.open() as document:
        for text in texts:
            document.new_page(width=300, height=150).insert_text((40, 60), text, fontname="china-s", fontsize=12)
        document.save(path)


def files_of(folder: Path) -> dict[str, bytes]:
    """Content of the outputs in a folder, by their places in it."""
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".docrec" not in path.parts
    }


def test_all_are_read_and_then_skipped(folder: Path, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out, summary = tmp_path / "out", tmp_path / "summary.json"
    arguments = ["batch", str(folder), "--out-dir", str(out), "-f", "txt,json,pdf", "-j", "1", "--model", str(tiny_model), *TINY]
    arguments += ["--summary", str(summary)]
    assert run(arguments) == ExitCode.OK
    assert set(files_of(out)) == {f"{stem}.{format}" for stem in ("a", "sub/b") for format in ("txt", "json", "pdf")}
    said = capfd.readouterr()
    assert said.out == ""
    assert "2 of 2: " in said.err
    assert "2 done, 3 pages" in said.err
    told = json.loads(summary.read_text())
    assert {key: told[key] for key in ("done", "failed", "skipped", "pages")} == {"done": 2, "failed": 0, "skipped": 0, "pages": 3}
    assert [document["status"] for document in told["documents"]] == ["done", "done"]
    assert told["documents"][0]["outputs"] == [str(out / f"a.{format}") for format in ("txt", "json", "pdf")]

    alone = tmp_path / "alone"
    alone.mkdir()
    assert run(["pdf", str(folder / "a.pdf"), "-o", str(alone / "a.txt"), "--model", str(tiny_model), *TINY]) == ExitCode.OK
    assert (alone / "a.txt").read_bytes() == (out / "a.txt").read_bytes()

    before = files_of(out)
    draw_pdf(folder / "c.pdf", "江山不可复识矣")
    assert run([*arguments, "-q"]) == ExitCode.OK
    assert capfd.readouterr().err == ""
    told = json.loads(summary.read_text())
    assert (told["done"], told["skipped"], told["pages"]) == (1, 2, 1)
    assert files_of(out).items() > before.items()


def test_some_that_cannot_be_read(folder: Path, tiny_model: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "bad.pdf").write_bytes(b"%PDF-1.7 and no more")
    summary = tmp_path / "summary.json"
    arguments = ["batch", str(folder), "--out-dir", str(tmp_path / "out"), "-j", "1", "--model", str(tiny_model), *TINY, "-q"]
    assert run([*arguments, "--summary", str(summary)]) == ExitCode.PARTLY_FAILED
    assert set(files_of(tmp_path / "out")) == {"a.txt", "sub/b.txt"}
    (line,) = capfd.readouterr().err.splitlines()
    assert "bad.pdf" in line
    told = json.loads(summary.read_text())
    assert (told["done"], told["failed"]) == (2, 1)
    (failed,) = (document for document in told["documents"] if document["status"] == "failed")
    assert failed["document"] == str(folder / "bad.pdf")
    assert failed["outputs"] == []
    assert "damaged" in failed["message"]


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("nowhere --out-dir OUT", ExitCode.INPUT_FILE, "nowhere"),
        ("IN", ExitCode.BAD_ARGUMENTS, "--out-dir"),
        ("IN --out-dir OUT -f doc", ExitCode.BAD_ARGUMENTS, "'doc'"),
        ("IN --out-dir IN -f pdf", ExitCode.BAD_ARGUMENTS, "overwrite"),
        ("IN --out-dir OUT --dpi 1", ExitCode.BAD_ARGUMENTS, "--dpi"),
        ("IN --out-dir OUT --jobs 0", ExitCode.BAD_ARGUMENTS, "--jobs"),
        ("IN --out-dir IN/a.pdf", ExitCode.FILE_ACCESS, "--out-dir"),
        ("IN --out-dir OUT -j 1 --model nowhere", ExitCode.INVALID_CONFIG, "nowhere"),
    ],
)
def test_what_cannot_be_done_is_told(
    arguments: str, status: int, message: str, folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = arguments.replace("IN", str(folder)).replace("OUT", str(tmp_path / "out")).split()
    assert run(["batch", *words]) == status
    assert message in capfd.readouterr().err
    assert files_of(tmp_path / "out") == {}


def test_ray_that_is_not_installed_is_told(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert run(["batch", str(folder), "--out-dir", str(tmp_path / "out"), "--ray", "auto"]) == ExitCode.MISSING_DEPENDENCY
    assert "docrec[ray]" in capfd.readouterr().err


def begin(*arguments: str) -> subprocess.Popen[str]:
    """Start `docrec batch` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "docrec", "batch", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # as a terminal does, so that a signal can go to all of them
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} does not come"
        time.sleep(0.05)


@pytest.mark.slow
def test_watching_reads_what_comes_until_ctrl_c(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = begin(str(folder), "--out-dir", str(out), "-j", "1", "--watch", "--model", str(tiny_model), *TINY)
    wait_for(out / "sub" / "b.txt")
    draw_pdf(folder / "late.pdf", "江山不可复识矣")
    wait_for(out / "late.txt")
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == ExitCode.INTERRUPTED
    assert "the same command goes on" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_killed_at_any_moment_nothing_is_lost_doubled_or_half_written(folder: Path, tiny_model: Path, tmp_path: Path) -> None:
    draw_pdf(folder / "book.pdf", *["山高月小"] * 30)
    arguments = ["-f", "txt,json", "-j", "2", "--model", str(tiny_model), *TINY]
    assert run(["batch", str(folder), "--out-dir", str(tmp_path / "straight"), *arguments]) == ExitCode.OK
    out = tmp_path / "out"
    moments = random.Random(1)
    for _ in range(3):
        process = begin(str(folder), "--out-dir", str(out), *arguments)
        wait_for(out / ".docrec" / "journal.jsonl")
        time.sleep(moments.uniform(1, 3))
        process.kill()
        process.communicate()
    assert run(["batch", str(folder), "--out-dir", str(out), *arguments]) == ExitCode.OK
    assert files_of(out) == files_of(tmp_path / "straight")
    done = [json.loads(row)["document"] for row in (out / ".docrec" / "journal.jsonl").read_text().splitlines()]
    assert sorted(done) == sorted(map(str, folder.rglob("*.pdf"))), "each once"
