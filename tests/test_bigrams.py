import io

import numpy as np
import pytest

from docrec.bigrams import HANZI, count_bigrams, load_bigrams
from docrec.bundle import load_bundle
from docrec.charset import Charset
from docrec.chunk import Chunk
from docrec.ctc import Mark, Reading
from docrec.errors import BundleError
from docrec.recognizer import load

CHARSET = Charset(tuple("之间问的中0O"))
TEXT = "之间，山水之间。之间的，之间的，之问，空\n间"


def counted(text):
    bigrams = count_bigrams(text)
    first, second = np.divmod(bigrams.pairs.astype(int), HANZI)
    return {chr(0x4E00 + a) + chr(0x4E00 + b): int(n) for a, b, n in zip(first, second, bigrams.counts, strict=True)}


def reading(text, doubtful):
    """A Reading of `text`, whose marks at some places have other candidates: place to characters and how likely each is."""
    marks = []
    for index, char in enumerate(text):
        ranking = tuple((CHARSET.classes[other], share) for other, share in doubtful.get(index, ()))
        confidence = max((share for _, share in ranking), default=0.99)
        marks.append(Mark(CHARSET.classes[char], 4 * index, 4 * index + 2, confidence, ranking))
    return Reading(tuple(marks))


def chosen(text, doubtful, learned=TEXT):
    read = count_bigrams(learned).choose(reading(text, doubtful), CHARSET)
    return CHARSET.decode([mark.label for mark in read.marks])


def test_pairs_are_counted_within_runs_of_hanzi():
    assert counted(TEXT) == {"之间": 4, "间的": 2}
    assert counted("山") == counted("") == {}
    assert counted("山水" * 70_000) == {"山水": 65_535, "水山": 65_535}


def test_what_was_saved_is_loaded():
    bigrams = count_bigrams(TEXT * 3)
    file = io.BytesIO()
    bigrams.save(file)
    file.seek(0)
    again = load_bigrams(file)
    np.testing.assert_array_equal(again.pairs, bigrams.pairs)
    np.testing.assert_array_equal(again.counts, bigrams.counts)
    assert again.pairs.dtype == np.uint32


def test_probabilities_of_what_follows_add_up_to_one():
    bigrams = count_bigrams("之间的中，之间，之中，间的中，" * 2)
    for first in (ord("之") - 0x4E00, ord("中") - 0x4E00, -1):
        assert sum(bigrams._follows(first, second) for second in range(HANZI)) == pytest.approx(1)


DOUBTFUL = (("问", 0.6), ("间", 0.3))


def test_neighbours_tell_look_alikes():
    assert chosen("之问的", {1: DOUBTFUL}) == "之间的"
    assert chosen("问的", {0: DOUBTFUL}) == "间的"
    assert chosen("之问", {1: DOUBTFUL}) == "之间"


def test_what_was_chosen_is_a_neighbour_itself():
    assert chosen("中问的", {0: (("中", 0.5), ("之", 0.45)), 1: DOUBTFUL}, "之间" * 3 + "，" + "间的" * 3) == "中间的"
    assert chosen("中问", {0: (("中", 0.5), ("之", 0.45)), 1: DOUBTFUL}, "之问" * 3) == "之问"


@pytest.mark.parametrize(
    ("text", "doubtful", "learned"),
    [
        ("之问的", {}, TEXT),
        ("之问的", {1: DOUBTFUL}, ""),
        ("之问的", {1: (("问", 0.9), ("间", 1e-4))}, TEXT),
        ("中问中", {1: DOUBTFUL}, TEXT),
        ("0问0", {1: DOUBTFUL}, TEXT),
        ("之O", {1: (("O", 0.6), ("间", 0.3))}, TEXT),
        ("之问", {1: (("0", 0.6), ("间", 0.3))}, TEXT),
    ],
    ids=["sure", "no text", "much likelier", "not seen with either neighbour", "no neighbours", "no hanzi", "not among the candidates"],
)
def test_else_the_network_is_right(text, doubtful, learned):
    assert chosen(text, doubtful, learned) == text


def test_a_choice_is_no_surer_than_what_it_replaces():
    before = reading("之问的", {1: DOUBTFUL})
    after = count_bigrams(TEXT * 100).choose(before, CHARSET)
    assert 0.5 < after.marks[1].confidence <= before.marks[1].confidence
    assert after.marks[1].ranking == before.marks[1].ranking
    assert after.marks[::2] == before.marks[::2]


def test_a_model_reads_by_the_text_it_comes_with(tiny_model_copy):
    """Its second best Hanzi is taken where the text has it beside a neighbour, and the best not."""
    chunk = Chunk(np.random.default_rng(0).random((32, 280, 1)).astype(np.float32), 0, 0.0, 1.0, 280)
    bundle = load_bundle(tiny_model_copy)
    (read,) = load(tiny_model_copy, "cpu").read([chunk], 1, ranks=8)
    characters = [[bundle.charset.characters[label] for label, _ in mark.ranking] for mark in read.marks]
    place = next(index for index, ranked in enumerate(characters) if index and set(ranked[:2] + characters[index - 1][:1]).isdisjoint("ab"))
    pair = characters[place - 1][0] + characters[place][1]
    with open(tiny_model_copy / "bigrams.npz", "wb") as file:
        count_bigrams(f"{pair}，" * 1000).save(file)
    (again,) = load(tiny_model_copy, "cpu").read([chunk], 1)
    assert bundle.charset.characters[again.marks[place].label] == pair[1]


def test_a_model_may_come_without(tiny_model_copy):
    (tiny_model_copy / "bigrams.npz").unlink()
    assert len(load_bundle(tiny_model_copy).bigrams().pairs) == 0


@pytest.mark.parametrize("keep", [0, 10, 150])
def test_damage_is_told(tiny_model_copy, keep):
    path = tiny_model_copy / "bigrams.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"bigrams\.npz is damaged"):
        load(tiny_model_copy, "cpu")


def test_the_bundled_model_knows_running_text():
    bigrams = load_bundle().bigrams()
    assert min(bigrams._count(ord(a) - 0x4E00, ord(b) - 0x4E00) for a, b in ("我们", "中国", "问题", "之间")) > 1000
