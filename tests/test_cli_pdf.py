"""`docrec pdf` and `docrec image` that write searchable PDFs, and the text beside them."""

import io
import sys
from pathlib import Path
from typing import Any

import pymupdf
import pypdf
import pytest
from PIL import ImageCms

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


XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" pdfaid:part="2" pdfaid:conformance="B"/>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:ModifyDate="2026-01-02T03:04:05Z"/>
</rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def as_pdf_a(path: Path) -> None:
    """Make a PDF of pictures one that ISO 19005-2 calls PDF/A-2b: it says so, and says what its colours are."""
    with pymupdf.open(path) as document:
        profile, intent = document.get_new_xref(), document.get_new_xref()
        document.update_object(profile, "<</N 3>>")
        document.update_stream(profile, ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(), new=True)
        entries = f"/S/GTS_PDFA1/OutputConditionIdentifier(sRGB)/DestOutputProfile {profile} 0 R"
        document.update_object(intent, f"<</Type/OutputIntent{entries}>>")
        document.xref_set_key(document.pdf_catalog(), "OutputIntents", f"[{intent} 0 R]")
        document.set_metadata({"modDate": "D:20260102030405Z"})
        document.set_xml_metadata(XMP)
        path.write_bytes(document.tobytes())


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


def test_a_pdf_a_stays_one(scan: Path, tiny_model: Path, tmp_path: Path) -> None:
    as_pdf_a(scan)
    out = tmp_path / "out.pdf"
    assert run(["pdf", str(scan), "-o", str(out), "--model", str(tiny_model), "--min-confidence", "0", "-q"]) == ExitCode.OK
    assert all(texts(out))
    trailers: list[Any] = [pypdf.PdfReader(path).trailer for path in (scan, out)]
    before, after = trailers
    metadata = after["/Root"]["/Metadata"]
    assert metadata.get_data() == XMP.encode()
    assert "/Filter" not in metadata
    assert after["/Info"] == before["/Info"], "it must say the same as the XMP"
    profiles = [trailer["/Root"]["/OutputIntents"][0]["/DestOutputProfile"].get_data() for trailer in trailers]
    assert profiles[0] == profiles[1]
    assert after["/ID"][0] == before["/ID"][0]
    assert "/Encrypt" not in after
    assert out.read_bytes().rstrip(b"\r\n").endswith(b"%%EOF")


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
