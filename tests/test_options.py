"""Options check themselves, and page selections mean what they say."""

import pytest

from docrec.errors import OptionError
from docrec.options import ReadOptions, page_ranges, select_pages


@pytest.mark.parametrize(
    ("spec", "ranges"),
    [
        ("", []),
        ("  ", []),
        ("3", [(3, 3)]),
        ("1,3,5-9,12-end", [(1, 1), (3, 3), (5, 9), (12, None)]),
        (" 1 , 5 - 9 ", [(1, 1), (5, 9)]),
        ("end", [(None, None)]),
        ("end-end", [(None, None)]),
        ("7-7", [(7, 7)]),
    ],
)
def test_page_ranges(spec: str, ranges: list[tuple[int | None, int | None]]) -> None:
    assert page_ranges(spec) == ranges


@pytest.mark.parametrize("spec", ["x", "1,,2", ",", "1,", "-3", "3-", "1-2-3", "1.5", "1 2", "²", "１", "0x1", "END", "1;2", "9" * 30])
def test_malformed_pages(spec: str) -> None:
    with pytest.raises(OptionError, match="--pages takes pages and ranges"):
        ReadOptions(pages=spec)


@pytest.mark.parametrize(("spec", "reason"), [("0", "from 1"), ("0-3", "from 1"), ("9-5", "forwards"), ("end-5", "forwards")])
def test_impossible_pages(spec: str, reason: str) -> None:
    with pytest.raises(OptionError, match=reason):
        page_ranges(spec)


@pytest.mark.parametrize(
    ("spec", "indices"),
    [
        ("", [0, 1, 2, 3, 4]),
        ("2", [1]),
        ("4-end", [3, 4]),
        ("end", [4]),
        ("5,1", [4, 0]),  # in the order asked for
        ("2-4,3,1", [1, 2, 3, 0]),  # each page once
    ],
)
def test_select_pages(spec: str, indices: list[int]) -> None:
    assert select_pages(spec, 5) == indices


@pytest.mark.parametrize("spec", ["6", "1-6", "6-end", "999999999", "1-999999999"])
def test_page_past_the_end_names_the_page_count(spec: str) -> None:
    with pytest.raises(OptionError, match="which has 5 pages"):
        select_pages(spec, 5)


@pytest.mark.parametrize("dpi", [0, 49, 1201, -200])
def test_dpi_out_of_range(dpi: int) -> None:
    with pytest.raises(OptionError, match=f"--dpi must lie between 50 and 1200, got {dpi}"):
        ReadOptions(dpi=dpi)


@pytest.mark.parametrize("batch_size", [0, -1, 4097])
def test_batch_size_out_of_range(batch_size: int) -> None:
    with pytest.raises(OptionError, match="--batch-size"):
        ReadOptions(batch_size=batch_size)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_confidence_out_of_range(share: float) -> None:
    with pytest.raises(OptionError, match="--min-confidence must lie between 0 and 1"):
        ReadOptions(min_confidence=share)


def test_an_unknown_layout() -> None:
    with pytest.raises(OptionError, match="--layout must be one of auto, single, columns, vertical, line, got 'rows'"):
        ReadOptions(layout="rows")


def test_an_unknown_mode() -> None:
    with pytest.raises(OptionError, match="--mode must be one of auto, skip, redo, force, got 'ocr'"):
        ReadOptions(mode="ocr")


def test_the_password_is_not_printed() -> None:
    assert "s3cret" not in repr(ReadOptions(password="s3cret"))
