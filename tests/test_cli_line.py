import json
from unicodedata import normalize

import cv2
import numpy as np
import pytest
from test_evaluate import TEXTS, draw_line

from docrec.cli.app import run
from docrec.errors import ExitCode


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Two pictures of lines, the second light on dark and larger."""
    folder = tmp_path_factory.mktemp("images")
    for name, picture in (("a.png", draw_line(TEXTS[0])), ("b.png", 255 - draw_line(TEXTS[1], 60))):
        cv2.imwrite(str(folder / name), picture)
    return [str(folder / "a.png"), str(folder / "b.png")]


def test_a_line_of_text_for_each_picture(images, capsys):
    assert run(["line", *images]) == ExitCode.OK
    assert capsys.readouterr().out.splitlines() == TEXTS[:2]


def test_the_likeliest_characters_of_each_position(images, capsys):
    assert run(["line", "--top-k", "3", *images]) == ExitCode.OK
    rows = [row.split("\t") for row in capsys.readouterr().out.splitlines()]
    assert len(rows) == 3 * len(TEXTS[0] + TEXTS[1])
    assert {row[0] for row in rows} == set(images)
    assert normalize("NFKC", "".join(row[2] for row in rows[::3])) == normalize("NFKC", TEXTS[0] + TEXTS[1])
    for first, second, third in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        assert first[1] == second[1] == third[1]
        assert 1 >= float(first[3]) >= float(second[3]) >= float(third[3]) >= 0


def test_json(images, capsys):
    assert run(["line", "--json", "--top-k", "2", images[1]]) == ExitCode.OK
    (line,) = json.loads(capsys.readouterr().out)
    assert line["text"] == "".join(glyph["char"] for glyph in line["characters"]) == TEXTS[1]
    width = draw_line(TEXTS[1], 60).shape[1]
    assert all(0 <= glyph["left"] < glyph["right"] <= width + 1 for glyph in line["characters"])
    for glyph in line["characters"]:
        first, second = glyph["ranking"]
        assert first["char"] == glyph["char"]
        assert first["confidence"] <= glyph["confidence"] + 1e-6  # of one frame, where all count for the character
        assert second["confidence"] < first["confidence"]


def test_a_blank_picture_is_an_empty_line(tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "blank.png"), np.full((1, 3), 255, np.uint8))
    assert run(["line", str(tmp_path / "blank.png")]) == ExitCode.OK
    assert capsys.readouterr().out == "\n"


def test_bad_pictures_are_named(images, tmp_path, capsys):
    (tmp_path / "bad.png").write_text("no picture")
    assert run(["line", images[0], str(tmp_path / "bad.png")]) == ExitCode.INPUT_FILE
    assert "bad.png" in capsys.readouterr().err
