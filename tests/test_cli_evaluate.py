"""`docrec evaluate` from end to end, on lines and pages drawn in test_evaluate."""

import json

import cv2
import pytest
from PIL import Image
from test_evaluate import TEXTS, draw_line, save_page

from docrec.charset import Charset, save_charset
from docrec.cli.app import run
from docrec.errors import ExitCode

pytest.importorskip("edlib", reason="judging needs docrec[train]")


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """A data set of three good lines, one of them labelled with something else, and a picture that is not there."""
    folder = tmp_path_factory.mktemp("lines")
    for number, text in enumerate(TEXTS):
        cv2.imwrite(str(folder / f"{number}.png"), draw_line(text))
    rows = [f"{number}.png\t{text}" for number, text in enumerate(TEXTS)]
    rows += ["missing.png\t缺图", f"0.png\t{TEXTS[0][:-2]}草木"]
    (folder / "labels.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_lines(lines, tmp_path, capsys):
    files = {name: tmp_path / name for name in ("figures.json", "report.html", "matrix.png")}
    options = ("--json", "figures.json"), ("--report", "report.html"), ("--matrix", "matrix.png")
    assert run(["evaluate", "lines", str(lines), *(str(files.get(word, word)) for pair in options for word in pair)]) == ExitCode.OK
    shown = capsys.readouterr()
    assert "missing.png: the picture cannot be read" in shown.err
    assert "character accuracy" in shown.out
    assert "∅ stands for no character" in shown.out

    figures = json.loads(files["figures.json"].read_text(encoding="utf-8"))
    assert figures["lines"] == 4
    assert figures["characters"] == sum(map(len, TEXTS)) + len(TEXTS[0])
    assert figures["character_accuracy"] > 0.85
    assert figures["lines_per_second"] == pytest.approx(4 / figures["seconds"])
    assert {"text": "花", "read": "花", "count": 1} not in figures["confusions"]
    assert {"text": "草", "read": "杏", "count": 1} in figures["confusions"]
    assert max(figures["misread"], key=lambda line: line["edits"])["text"].endswith("草木")
    assert ["missing.png" in message for message in figures["skipped"]] == [True]
    assert {share["name"] for share in figures["classes"]} >= {"digits", "space"}

    html = files["report.html"].read_text(encoding="utf-8")
    assert "<mark>草</mark><mark>木</mark>" in html
    assert html.count("data:image/png") == 1 + len(figures["misread"])
    with Image.open(files["matrix.png"]) as matrix:
        assert matrix.width == matrix.height


def test_lines_are_meant_where_no_subcommand_is_named(lines, capsys):
    assert run(["evaluate", "--limit", "2", "--json", "-", str(lines)]) == ExitCode.OK
    figures = json.loads(capsys.readouterr().out)
    assert figures["lines"] == 2
    assert figures["data"] == str(lines)


def test_a_dictionary_limits_what_is_read(lines, tmp_path, capsys):
    names = [str(tmp_path / "char_dict.json"), str(tmp_path / "ord_map.json")]
    save_charset(Charset(tuple("0123456789 ")), *names)
    assert run(["evaluate", str(lines), "-c", names[0], "-o", names[1], "--json", "-"]) == ExitCode.OK
    figures = json.loads(capsys.readouterr().out)
    read = {pair["read"] for pair in figures["confusions"]}
    assert read <= set("0123456789 ") | {""}
    assert "春" in figures["outside_alphabet"]
    assert "2" not in figures["outside_alphabet"]


def test_pages(tmp_path, capsys):
    save_page(tmp_path, "book-1", TEXTS)
    save_page(tmp_path, "note-1", TEXTS[:1], ["春天来了，山坡上的杏树"])
    report = tmp_path / "report.html"
    assert run(["evaluate", "pages", str(tmp_path), "--json", "-", "--report", str(report)]) == ExitCode.OK
    figures = json.loads(capsys.readouterr().out)
    assert figures["all"]["pages"] == 2
    assert figures["documents"].keys() == {"book", "note"}
    assert figures["documents"]["note"]["line_edits"] == 1
    assert figures["documents"]["note"]["line_cer"] == pytest.approx(1 / 11)
    assert figures["confusions"][0] == {"text": "树", "read": "花", "count": 1}
    assert figures["misread"][0]["name"] == "note-1"
    assert "<mark>树</mark>" in report.read_text(encoding="utf-8")
    assert run(["evaluate", "pages", str(tmp_path), "--limit", "1"]) == ExitCode.OK
    assert "book" in capsys.readouterr().out


def test_nothing_usable(tmp_path, capsys):
    (tmp_path / "labels.tsv").write_text("missing.png\t缺图\n", encoding="utf-8")
    assert run(["evaluate", str(tmp_path)]) == ExitCode.INPUT_FILE
    assert "missing.png" in (message := capsys.readouterr().err)
    assert "none of 1 can" in message
    (tmp_path / "empty").mkdir()
    assert run(["evaluate", "pages", str(tmp_path / "empty")]) == ExitCode.INPUT_FILE
    assert "holds none" in capsys.readouterr().err


def test_help_names_the_subcommands(capsys):
    assert run(["evaluate", "--help"]) == ExitCode.OK
    assert {"lines", "pages"} < set(capsys.readouterr().out.split())
