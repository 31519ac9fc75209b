"""The examples run, and the sample documents are those that their script makes and come out as they were written."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pymupdf
import pytest

from docrec.cli.app import run
from docrec.errors import ExitCode

MAX_ERRORS = 0.02
"""Wrong characters that are let pass, as a share of the text: the sample is clean type."""


@pytest.fixture(scope="module")
def examples(root: Path) -> Path:
    return root / "examples"


@pytest.fixture(scope="module")
def make_sample(examples: Path) -> ModuleType:
    module = ModuleType("make_sample")
    exec((examples / "make_sample.py").read_text(encoding="utf-8"), module.__dict__)
    return module


def written(make_sample: ModuleType, *pages: int) -> str:
    """The text that was put on these pages of the sample, page numbers included, without spaces."""
    parts = [part for page in pages for title, body in [make_sample.PAGES[page]] for part in (title, *body, str(page + 1))]
    return squeezed("".join(parts))


def squeezed(text: str) -> str:
    return "".join(text.split())


def edits(a: str, b: str) -> int:
    """Levenshtein distance."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        above, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (x != y))
    return row[-1]


def test_the_sample_is_what_its_script_makes(examples: Path, make_sample: ModuleType, tmp_path: Path) -> None:
    make_sample.make_pdf(tmp_path / "sample.pdf")
    make_sample.make_picture(tmp_path / "sample.pdf", tmp_path / "sample.png")
    with pymupdf.open(tmp_path / "sample.pdf") as made, pymupdf.open(examples / "sample.pdf") as kept:
        assert [squeezed(page.get_text()) for page in made] == [written(make_sample, 0), written(make_sample, 1)]
        assert [page.get_pixmap().samples for page in made] == [page.get_pixmap().samples for page in kept]
    assert pymupdf.Pixmap(tmp_path / "sample.png").samples == pymupdf.Pixmap(examples / "sample.png").samples


@pytest.mark.parametrize(("mode", "errors"), [("auto", 0), ("force", MAX_ERRORS)])
def test_the_command_reads_the_sample(examples: Path, make_sample: ModuleType, tmp_path: Path, mode: str, errors: float) -> None:
    out = tmp_path / "out.txt"
    assert run(["pdf", str(examples / "sample.pdf"), "--mode", mode, "-o", str(out)]) == ExitCode.OK
    text = out.read_text(encoding="utf-8")
    expected = written(make_sample, 0, 1)
    assert text.count("\f") == 1
    assert edits(squeezed(text), expected) <= errors * len(expected)


def test_the_command_reads_the_picture(examples: Path, make_sample: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["image", str(examples / "sample.png")]) == ExitCode.OK
    expected = written(make_sample, 0)
    assert edits(squeezed(capsys.readouterr().out), expected) <= MAX_ERRORS * len(expected)


def test_the_library_example_runs(examples: Path) -> None:
    shown = subprocess.run(
        [sys.executable, str(examples / "read_pdf.py"), str(examples / "sample.pdf")], capture_output=True, check=True, encoding="utf-8"
    ).stdout
    assert "--- page 2: " in shown
    assert "机器怎样认字" in shown


def test_the_python_of_the_readme_runs(
    root: Path, examples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(examples / "sample.pdf", tmp_path / "book.pdf")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", (root / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks[0].strip().splitlines()) <= 6
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    assert "机器怎样认字" in (tmp_path / "book.txt").read_text(encoding="utf-8")
    assert "# 机器怎样认字" in (tmp_path / "book.md").read_text(encoding="utf-8")
    assert re.search(r"page 2: \d+ lines", capsys.readouterr().out)
    with pymupdf.open(tmp_path / "searchable.pdf") as searchable:
        assert "机器怎样认字" in searchable[1].get_text()


@pytest.mark.parametrize(("a", "b", "distance"), [("", "", 0), ("己已", "已巳", 2), ("abc", "abxc", 1), ("abc", "", 3)])
def test_edits(a: str, b: str, distance: int) -> None:
    assert edits(a, b) == distance
