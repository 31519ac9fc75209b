"""What several tests share: the repository's root, pages as read, and a folder that refuses to be written to."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from docrec.document import Block, Box, Glyph, Line, Page

NOBODY = 65534
PROSE = "山高月小水落石出曾日月之几何而江山不可复识矣。\n清风徐来，水波不兴；举酒属客，诵明月之诗。\n" * 40


HEIGHT, WIDTH = 1200, 900  # of make_page, in pixels
LINES = [*range(160, 600, 40), *range(700, 1080, 40)]  # its baselines
INK = 20


def make_page(ink: int = INK, paper: int = 255) -> np.ndarray:
    """A page of two ragged paragraphs; grey edges on all its letters."""
    page = np.full((HEIGHT, WIDTH), paper, np.uint8)
    for number, baseline in enumerate(LINES):
        line = "All that moves before the open gate will go, and these lines stay"
        cv2.putText(page, line[number % 5 : 30 + number * 7 % 13], (100, baseline), cv2.FONT_HERSHEY_COMPLEX, 0.8, ink, 2, cv2.LINE_AA)
    return page


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def restored_logger() -> Iterator[None]:
    """Undo what a run of the command line sets up for logging."""
    log = logging.getLogger("docrec")
    before = log.handlers[:], log.level
    yield
    log.handlers[:], level = before
    log.setLevel(level)


@pytest.fixture
def two_pages() -> list[Page]:
    """Two pages as a recogniser would yield them; the last character is doubtful."""
    return [page_of(0, "第一页", "  缩进 and words"), page_of(1, "第二页")]


def page_of(index: int, *texts: str) -> Page:
    """A page of the given lines, each character sure by 0.95, but the last of all by 0.3."""
    lines = []
    for row, text in enumerate(texts):
        last = row == len(texts) - 1
        glyphs = [Glyph(char, 20 * i, 20 * i + 18, 0.3 if last and i == len(text) - 1 else 0.95) for i, char in enumerate(text)]
        lines.append(Line(Box(0, 30 * row, 20 * len(text), 30 * row + 20), tuple(glyphs)))
    return Page(index, 1000, 1400, 200.0, (Block("text", tuple(lines)),))


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """An existing folder in which this process may not write, even if it runs as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        is_root = os.geteuid() == 0
        if is_root:  # root may write anywhere: be nobody for the length of the test
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if is_root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.fixture(scope="session")
def resources(root: Path) -> Path:
    """Files that only tests need."""
    return root / "tests" / "resources"


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder of a tiny untrained network for eight characters, not to be written to."""
    import keras

    from docrec.bundle import save_bundle
    from docrec.charset import Charset
    from docrec.network import NetworkConfig, build_backbone, build_classifier

    keras.utils.set_random_seed(1)
    charset = Charset(tuple("一二三四五六ab"))
    config = NetworkConfig(len(charset), channels=(4, 4, 8, 8, 8), lstm_units=4)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    backbone = build_backbone(config)
    backbone.get_layer("blank").bias.assign([-4.0])  # untrained as it is, it sees characters everywhere
    save_bundle(folder, charset, config, backbone, build_classifier(config))
    return folder


@pytest.fixture
def tiny_model_copy(tiny_model: Path, tmp_path: Path) -> Path:
    """The tiny model, for damaging."""
    return Path(shutil.copytree(tiny_model, tmp_path / "tiny"))


@pytest.fixture(scope="session")
def font_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of one Chinese font, the one PyMuPDF carries."""
    import pymupdf

    folder = tmp_path_factory.mktemp("fonts")
    (folder / "china-s.ttf").write_bytes(pymupdf.Font("china-s").buffer)
    return folder


@pytest.fixture(scope="session")
def text_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of Chinese text long enough to train on, with a line of English."""
    path = tmp_path_factory.mktemp("text") / "prose.txt"
    path.write_text(PROSE + "Two words of English, and code: f(x) = 1;\n", encoding="utf-8")
    return path
