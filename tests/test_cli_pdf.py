"""`docrec pdf` and `docrec image` that write searchable PDFs, and the text beside them."""

import io
import sys
from pathlib import Path

import pymupdf
import pytest

from docrec.cli.app import run
from docrec.errors import ExitCode


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    """A PDF of two pages of print without a text layer."""
    path = tmp_path / "in.pdf"
    with pymupdf.open() as drawn, pymupdf.open() as document:
        for text in ("一二三四", "五六一二"):
            drawn.new_page(width=300, height=200).insert_text((40, 80), text, fontname="china-s", fontsize=24)
        for page in drawn:
            document.new_page(width=300, height=200).insert_image(page.rect, pixmap=page.get_pixmap(dpi=150))
        document.save(path)
    return path


def texts(path: Path) -> list[str]:
    with pymupdf.open(path) as document:
        return ["".join(page.get_text().split()) for page in document]


def test_a_searchable_pdf_and_its_sidecar(scan: Path, tiny_model: Path, tmp_path: Path) -> None:
    out, sidecar = tmp_path / "out.pdf", tmp_path / "text.dat"
    arguments = ["--model", str(tiny_model), "--min-confidence", "0", "-q"]
    assert run(["pdf", str(scan), "-o", str(out), "--sidecar", str(sidecar), "--pages", "2", *arguments]) == ExitCode.OK
    read = "".join(sidecar.read_text(encoding="utf-8").split())
    assert read
    assert texts(out) == ["", read]


def test_what_comes_from_standard_input(scan: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.pdf"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(scan.read_bytes())))
    assert run(["pdf", "-", "-o", str(out), "--model", str(tiny_model), "--min-confidence", "0", "-q"]) == ExitCode.OK
    assert len(texts(out)) == 2
    assert all(texts(out))


def test_an_input_is_not_overwritten(scan: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = scan.read_bytes()
    for option in ("-o", "--sidecar"):
        assert run(["pdf", str(scan), option, str(scan), "--model", str(tiny_model)]) == ExitCode.BAD_ARGUMENTS
        assert "must not overwrite an input" in capsys.readouterr().err
    assert scan.read_bytes() == before
