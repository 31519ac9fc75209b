import json

import pytest

from docrec.bundle import load_bundle
from docrec.charset import Charset, load_charset, save_charset
from docrec.errors import CharsetError, FileAccessError
from docrec.resources import char_dict_folder


@pytest.fixture
def files(tmp_path):
    return tmp_path / "char_dict_cn.json", tmp_path / "ord_map_cn.json"


def test_shipped_dictionaries_round_trip(files):
    folder = char_dict_folder()
    originals = folder / "char_dict_cn.json", folder / "ord_map_cn.json"
    charset = load_charset(*originals)
    save_charset(charset, *files)
    assert load_charset(*files) == charset
    assert [path.read_bytes() for path in files] == [path.read_bytes() for path in originals]


def test_shipped_alphabet_holds_the_predecessors_and_gb2312(resources):
    charset = load_charset(char_dict_folder() / "char_dict_cn.json", char_dict_folder() / "ord_map_cn.json")
    predecessor = (resources / "crnn_tensorflow_alphabet.txt").read_text(encoding="utf-8").rstrip("\n")
    assert len(predecessor) == 5824
    assert charset.missing(predecessor) == []
    pairs = (bytes((row, cell)).decode("gb2312", "ignore") for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    assert charset.missing("".join(pairs)) == ["\u3000"]  # the wide space prints nothing
    assert charset.missing("的〇ǚαⅣ⑳℃→≠█") == []


def test_the_alphabet_of_the_model_for_traditional_text_holds_its_forms():
    charset = load_bundle("crnn-zh-hant").charset
    assert charset.missing(load_bundle().charset.characters) == []
    pairs = (bytes((row, cell)).decode("big5", "ignore") for row in range(0xA4, 0xC7) for cell in range(0x40, 0xFF))
    frequent = [char for char in pairs if "\u4e00" <= char <= "\u9fff"]
    assert len(frequent) == 5401
    assert charset.missing(frequent) == []
    assert charset.missing("這說裏説為爲鉬饋") == []


def test_encode_and_decode_are_inverses():
    charset = Charset(tuple("一二 a"))
    assert charset.decode(charset.encode("二a 一")) == "二a 一"
    assert charset.blank == 4


def test_encode_lists_every_unknown_character():
    with pytest.raises(CharsetError, match="丁 丙"):
        Charset(("一",)).encode("丙一丁")


@pytest.mark.parametrize("characters", [(), ("一", "一"), ("一二",), ("",)])
def test_a_charset_is_of_single_different_characters(characters):
    with pytest.raises(CharsetError):
        Charset(characters)


CHARS = {"19968_ord": "一", "97_ord": "a"}
CLASSES = {"0_index": "97", "1_index": "19968", "97_ord": "0", "19968_ord": "1"}


def write(files, chars, classes):
    for path, content in zip(files, (chars, classes), strict=True):
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")


def test_reads_classes_in_the_order_of_the_ord_map(files):
    write(files, CHARS, CLASSES)
    assert load_charset(*files).characters == ("a", "一")


@pytest.mark.parametrize(
    ("chars", "classes", "message"),
    [
        ("{", CLASSES, "must be JSON"),
        (CHARS, "[1]", "one JSON object, got list"),
        ({"97_ord": "b"}, CLASSES, "97_ord must be the character"),
        ({"97": "a"}, CLASSES, "'97'"),
        (CHARS, {**CLASSES, "0_index": 97}, "in quotes, got 97"),
        (CHARS, {**CLASSES, "2_index": "98"}, "inverses"),
        (CHARS, {**CLASSES, "3_index": "98", "98_ord": "3"}, "without a gap"),
        ({"97_ord": "a"}, CLASSES, "only one of them has '一'"),
    ],
)
def test_malformed_dictionaries_are_told_apart(files, chars, classes, message):
    write(files, chars, classes)
    with pytest.raises(CharsetError, match=message):
        load_charset(*files)


def test_a_missing_dictionary_is_a_file_error(files):
    with pytest.raises(FileAccessError, match=r"char_dict_cn\.json cannot be read"):
        load_charset(*files)
