import json
import resource

import cv2
import numpy as np
import pytest

from docrec.charset import Charset, load_charset, save_charset
from docrec.cli.app import run
from docrec.errors import ExitCode
from docrec.training.datasets import open_dataset
from docrec.training.records import index_shard

pytest.importorskip("freetype", reason="these commands need docrec[train]")

PROSE = "山高月小水落石出曾日月之几何而江山不可复识矣。清风徐来水波不兴。\n" * 40


@pytest.fixture(scope="session")
def dictionaries(tmp_path_factory):
    """Options that name an alphabet of the prose and the Hanzi near its first."""
    folder = tmp_path_factory.mktemp("dictionaries")
    names = [str(folder / "char_dict.json"), str(folder / "ord_map.json")]
    save_charset(Charset(tuple(sorted({*PROSE.replace("\n", ""), *map(chr, range(0x5C71, 0x5C99)), "龘"}))), *names)
    return ["-c", names[0], "-o", names[1]]


@pytest.fixture(scope="session")
def sources(tmp_path_factory, dictionaries):
    """Options that name text, the font of PyMuPDF, a file that is no font, and the alphabet."""
    import pymupdf

    folder = tmp_path_factory.mktemp("sources")
    (folder / "prose.txt").write_text(PROSE, encoding="utf-8")
    (folder / "fonts").mkdir()
    (folder / "fonts/china-s.ttf").write_bytes(pymupdf.Font("china-s").buffer)
    (folder / "fonts/broken.ttf").write_bytes(b"no font")
    return ["--text", str(folder / "prose.txt"), "--fonts", str(folder / "fonts"), *dictionaries]


@pytest.fixture
def labelled(tmp_path):
    """A folder of 70 labelled pictures and three that cannot be used."""
    folder = tmp_path / "labelled"
    folder.mkdir()
    picture = np.full((32, 100), 255, np.uint8)
    for number in range(72):
        picture[8:24, number % 90 : number % 90 + 9] = 0
        cv2.imwrite(str(folder / f"{number}.png"), picture)
    (folder / "70.png").write_bytes(b"no picture")
    lines = [f"{number}.png\t山月" for number in range(71)]
    (folder / "labels.tsv").write_text("\n".join([*lines, "71.png\t", "missing.png\t山"]), encoding="utf-8")
    return folder


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    "form",
    [
        ["--as", "images"],
        pytest.param(["--as", "records", "--shards", "2"], marks=pytest.mark.slow),
        pytest.param(["--clean"], marks=pytest.mark.slow),
    ],
)
def test_rendered_lines_are_the_same_for_any_number_of_processes(sources, tmp_path, form):
    for jobs in ("1", "2"):
        assert run(["synth", *sources, *form, "--out", str(tmp_path / jobs), "--count", "130", "-j", jobs]) == ExitCode.OK
    assert content(tmp_path / "1") == content(tmp_path / "2")
    dataset = open_dataset(tmp_path / "1")
    lines = [dataset[index] for index in range(len(dataset))]
    assert len(lines) == 130
    assert {line.gray.shape for line in lines} == {(32, 280)}
    assert all(np.median(line.gray) > line.gray.min() + 30 for line in lines[:20])
    assert all(bool(line.spans) == ("records" in form) for line in lines)


def test_other_seeds_render_other_lines(sources, tmp_path):
    for seed in ("1", "2"):
        assert run(["synth", *sources, "--seed", seed, "--out", str(tmp_path / seed), "--count", "3", "-j", "1"]) == ExitCode.OK
    assert len(content(tmp_path / "1")) == 4
    assert (tmp_path / "1/labels.tsv").read_bytes() != (tmp_path / "2/labels.tsv").read_bytes()


def test_what_fonts_lack_is_reported_and_bad_ones_are_named(sources, tmp_path, capsys):
    assert run(["synth", *sources, "--out", str(tmp_path / "out"), "--count", "1", "-j", "1"]) == ExitCode.OK
    said = capsys.readouterr().err
    assert "broken.ttf is left out: cannot be opened" in said
    assert "1 Chinese and 0 Latin fonts, 1 left out; they show" in said
    assert run(["synth", *sources[2:], "--coverage"]) == ExitCode.OK
    shown = capsys.readouterr()
    assert "china-s.ttf" in shown.out
    assert "Chinese" in shown.out
    assert "broken.ttf" in shown.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "3"], "needs --text, --out and --count, or --coverage"),
        (["--out", "x", "--count", "3", "--shards", "2"], "it needs --as records"),
        (["--out", "x", "--count", "0"], "0 is not in the range"),
        (["--out", "x", "--count", "3", "-j", "0"], "0 is not in the range"),
        (["--out", "x", "--count", "3", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_options_of_synth_are_checked(sources, options, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["synth", *sources, *options]) == ExitCode.BAD_ARGUMENTS
    assert message in capsys.readouterr().err
    assert not (tmp_path / "x").exists()


def test_data_is_not_mixed_with_data_that_is_there(sources, labelled, capsys):
    assert run(["synth", *sources, "--out", str(labelled), "--count", "1"]) == ExitCode.BAD_ARGUMENTS
    assert run(["records", str(labelled), "--out", str(labelled)]) == ExitCode.BAD_ARGUMENTS
    assert capsys.readouterr().err.count("holds no such data yet") == 2


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_data_set_becomes_records_without_its_bad_lines(labelled, tmp_path, jobs, capsys):
    out = tmp_path / "records"
    assert run(["records", str(labelled), "--out", str(out), "--shards", "3", "-j", jobs]) == ExitCode.OK
    said = capsys.readouterr().err
    for fault in ("70.png: the picture is damaged", "71.png: it has no text", "missing.png: the picture cannot be read"):
        assert fault in said
    assert "70 lines written to" in said
    assert "3 cannot be used: 1 ×" in said
    assert len(list(out.iterdir())) == 3
    before, after = open_dataset(labelled), open_dataset(out)
    assert len(after) == 70
    assert all(np.array_equal(before[index].gray, after[index].gray) for index in (0, 30, 69))


def test_lines_outside_the_alphabet_are_left_out(labelled, tmp_path, dictionaries, capsys):
    with open(labelled / "labels.tsv", "a", encoding="utf-8") as file:
        file.write("\n3.png\t山猫")
    assert run(["records", str(labelled), *dictionaries, "--out", str(tmp_path / "records"), "-j", "1"]) == ExitCode.OK
    assert "3.png: characters outside the alphabet: 猫" in capsys.readouterr().err
    assert len(open_dataset(tmp_path / "records")) == 70


def test_nothing_usable_is_a_failure_and_leaves_no_file(labelled, tmp_path, capsys):
    (labelled / "labels.tsv").write_text("1.png\t\nmissing.png\ta\n")
    assert run(["records", str(labelled), "--out", str(tmp_path / "records"), "-j", "1"]) == ExitCode.INPUT_FILE
    assert "of 2 there is none" in capsys.readouterr().err
    assert list((tmp_path / "records").iterdir()) == []


def test_records_are_verified(labelled, tmp_path, capsys):
    out = tmp_path / "records"
    assert run(["records", str(labelled), "--out", str(out), "-j", "1"]) == ExitCode.OK
    assert run(["records", str(out), "--verify", "-j", "1"]) == ExitCode.OK
    assert "all 70 lines are sound" in capsys.readouterr().err
    (path,) = out.iterdir()
    damaged = bytearray(path.read_bytes())
    damaged[index_shard(path).offsets[5] + 30] ^= 1
    path.write_bytes(damaged[:-3])
    assert run(["records", str(out), "--verify", "-j", "2"]) == ExitCode.INPUT_FILE
    said = capsys.readouterr().err
    assert f"{path}, record 6: the checksum of its data is wrong" in said
    assert f"{path}, record 70: the file ends in the middle of it" in said
    assert "of 70 lines 2 cannot be used" in said


@pytest.mark.parametrize("options", [[], ["--out", "x", "--verify"]])
def test_records_are_either_written_or_verified(labelled, options, capsys):
    assert run(["records", str(labelled), *options]) == ExitCode.BAD_ARGUMENTS
    assert "either --out" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["records", "images"])
def test_a_full_disk_is_named_and_leaves_no_half_data_set(sources, tmp_path, form, capsys):
    """The limit on the size of a file stands for a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        status = run(["synth", *sources, "--as", form, "--out", str(tmp_path / "out"), "--count", "100", "-j", "1"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert status == ExitCode.FILE_ACCESS
    assert "cannot be written" in capsys.readouterr().err
    assert not any(path.name.endswith(("labels.tsv", ".tfrecord", ".tmp")) for path in (tmp_path / "out").rglob("*"))


def build(folder, *options):
    return run(["dict", "-c", str(folder / "c.json"), "-o", str(folder / "o.json"), *map(str, options)])


def test_a_dictionary_of_texts_and_characters(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("二一\t一\u3000a\n\u200b\x07", encoding="utf-8")
    assert build(tmp_path, tmp_path / "a.txt", "--characters", "三b") == ExitCode.OK
    assert load_charset(tmp_path / "c.json", tmp_path / "o.json").characters == tuple(" ab一三二")
    assert "2 control and unassigned characters left out: U+0007 U+200B" in capsys.readouterr().err
    assert json.loads((tmp_path / "o.json").read_text())["2_index"] == str(ord("b"))


def test_rare_characters_are_left_out_but_not_those_listed(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("一一二三三三四", encoding="utf-8")
    (tmp_path / "list.txt").write_text("四\r\n五\n", encoding="utf-8")
    assert build(tmp_path, tmp_path / "a.txt", "--min-count", 2, "--characters", tmp_path / "list.txt") == ExitCode.OK
    assert load_charset(tmp_path / "c.json", tmp_path / "o.json").characters == tuple("一三五四")
    assert "1 left out that the texts have fewer than 2 times: 二" in capsys.readouterr().err


def test_a_base_keeps_its_classes(tmp_path, capsys):
    base = [str(tmp_path / "base_c.json"), str(tmp_path / "base_o.json")]
    save_charset(Charset(tuple("一a丁")), *base)
    assert build(tmp_path, "--characters", "丁b七", "--base", *base) == ExitCode.OK
    assert load_charset(tmp_path / "c.json", tmp_path / "o.json").characters == tuple("一a丁b七")
    assert "5 characters (3 of the base, 2 new)" in capsys.readouterr().err


def test_dictionaries_are_not_made_of_nothing_of_controls_or_over_others(tmp_path, capsys):
    assert build(tmp_path) == ExitCode.BAD_ARGUMENTS
    assert build(tmp_path, "--characters", "a\x07") == ExitCode.BAD_ARGUMENTS
    assert "got U+0007" in capsys.readouterr().err
    assert run(["dict", "--characters", "a", "-c", str(tmp_path / "c.json")]) == ExitCode.BAD_ARGUMENTS
    assert run(["dict", "--characters", "a", "-c", str(tmp_path / "c.json"), "-o", str(tmp_path / "c.json")]) == ExitCode.BAD_ARGUMENTS
    assert list(tmp_path.iterdir()) == []
    assert build(tmp_path, "--characters", "a") == ExitCode.OK
    before = content(tmp_path)
    assert build(tmp_path, "--characters", "b") == ExitCode.BAD_ARGUMENTS
    assert "is not overwritten" in capsys.readouterr().err
    assert content(tmp_path) == before
