import cv2
import numpy as np
import pymupdf
import pytest

from docrec.cli.app import run
from docrec.errors import ExitCode


@pytest.fixture
def document(tmp_path):
    """Two pages, of which the second has text, under the password 密."""
    with pymupdf.open() as pdf:
        pdf.new_page(width=300, height=200)
        pdf.new_page(width=300, height=200).insert_text((40, 80), "两行文字在此页上\n第二行", fontname="china-s", fontsize=14)
        pdf.save(tmp_path / "two.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="密")
    return str(tmp_path / "two.pdf")


def overlay(document, target, *options):
    assert run(["layout", document, "-o", str(target), "--password", "密", *options]) == ExitCode.OK
    return cv2.imread(str(target))


def test_layout_is_drawn_over_the_page_asked_for(document, tmp_path):
    empty, full = (overlay(document, tmp_path / "out.png", "--page", number, "--dpi", "144") for number in ("1", "2"))
    assert empty.shape == (400, 600, 3)
    assert (empty == 255).all()
    colored = np.flatnonzero((np.ptp(full, axis=2) > 20).any(axis=1))
    assert colored[0] > 80, "about the text, and nowhere else"
    assert colored[-1] < 260


def test_picture_in_picture_out(tmp_path):
    cv2.imwrite(str(tmp_path / "page.png"), np.full((50, 60), 255, np.uint8))
    assert overlay(str(tmp_path / "page.png"), tmp_path / "out.png").shape == (50, 60, 3)


@pytest.mark.parametrize(
    ("options", "status", "word"),
    [
        (["--page", "3"], ExitCode.BAD_ARGUMENTS, "2 pages"),
        (["--page", "0"], ExitCode.BAD_ARGUMENTS, "--page"),
        (["--dpi", "7"], ExitCode.BAD_ARGUMENTS, "--dpi"),
        (["--password", "x"], ExitCode.ENCRYPTED, "password"),
        (["-o", "no/folder/out.png"], ExitCode.FILE_ACCESS, "folder"),
    ],
)
def test_failures_say_what_is_wrong_and_write_nothing(document, tmp_path, capsys, options, status, word):
    target = tmp_path / "out.png"
    assert run(["layout", document, "-o", str(target), "--password", "密", *options]) == status
    assert word in capsys.readouterr().err
    assert not target.exists()
