"""A small part of the fuzz of damaged PDFs: no crash, no hang, bounded memory, each file reported."""

from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def fuzz_pdf(root: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    monkeypatch.setenv("PYTHONPATH", str(root))
    import fuzz_pdf

    return fuzz_pdf


@pytest.mark.slow
def test_damaged_pdfs_end_well(fuzz_pdf: ModuleType, tmp_path: Path) -> None:
    files = fuzz_pdf.make_files(tmp_path, len(fuzz_pdf.DAMAGES), seed=1)
    assert [outcome for outcome in (fuzz_pdf.run(*file) for file in files) if outcome.is_fault] == []


def test_the_files_depend_on_the_seed_only(fuzz_pdf: ModuleType) -> None:
    import random

    sound = fuzz_pdf.sound_pdfs()[2]
    one, again, other = (fuzz_pdf.flip_bits(sound, random.Random(seed)) for seed in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize(
    ("status", "seconds", "megabytes", "message", "is_fault"),
    [
        (0, 1, 200, "", False),
        (2, 1, 200, "damaged", False),
        (2, 1, 200, "", True),
        (-11, 1, 200, "", True),
        (15, 1, 200, "unexpected", True),
        (0, 61, 200, "", True),
        (0, 1, 1600, "", True),
    ],
)
def test_what_a_fault_is(fuzz_pdf: ModuleType, status: int, seconds: float, megabytes: float, message: str, is_fault: bool) -> None:
    assert fuzz_pdf.Outcome("", Path(), status, seconds, megabytes, message).is_fault == is_fault
