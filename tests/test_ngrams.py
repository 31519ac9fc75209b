import io

import numpy as np
import pytest

from docrec.bundle import load_bundle
from docrec.charset import Charset
from docrec.chunk import Chunk
from docrec.ctc import Mark, Reading
from docrec.errors import BundleError
from docrec.ngrams import CODES, HANZI, KINDS, LETTERS, NONE, count_ngrams, load_ngrams
from docrec.recognizer import load

CHARSET = Charset(tuple("之间问的中一—- 0159OlI.abcdefghijkmnotuwxyz²，,。•·"))
CODE = "的line line of the line, and a line in the file; In it, 10.0 of 10.5 and 70.5 to 90.0"
TEXT = "之间，山水之间。之间的，之间的，之问，空\n间"


def counted(text):
    bigrams = count_ngrams(text).hanzi
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


def chosen(text, doubtful, learned=TEXT, latin=""):
    read = count_ngrams(learned, latin).choose(reading(text, doubtful), CHARSET)
    return CHARSET.decode([mark.label for mark in read.marks])


def test_pairs_are_counted_within_runs_of_hanzi():
    assert counted(TEXT) == {"之间": 4, "间的": 2}
    assert counted("山") == counted("") == {}
    assert counted("山水" * 70_000) == {"山水": 65_535, "水山": 65_535}


def test_what_was_saved_is_loaded():
    ngrams = count_ngrams(TEXT * 3, CODE * 3)
    file = io.BytesIO()
    ngrams.save(file)
    file.seek(0)
    again = load_ngrams(file)
    np.testing.assert_array_equal(again.hanzi.pairs, ngrams.hanzi.pairs)
    np.testing.assert_array_equal(again.hanzi.counts, ngrams.hanzi.counts)
    np.testing.assert_array_equal(again.letters.counts, ngrams.letters.counts)
    assert again.hanzi.pairs.dtype == again.letters.counts.dtype == np.uint32


def test_probabilities_of_what_follows_add_up_to_one():
    ngrams = count_ngrams("之间的中，之间，之中，间的中，" * 2, CODE)
    bigrams = ngrams.hanzi
    for first in (ord("之") - 0x4E00, ord("中") - 0x4E00, -1):
        assert sum(bigrams._follows(first, second) for second in range(HANZI)) == pytest.approx(1)
    np.testing.assert_allclose(ngrams.letters._follows.sum(axis=2), 1)


DOUBTFUL = (("问", 0.6), ("间", 0.3))


def test_neighbours_tell_look_alikes():
    assert chosen("之问的", {1: DOUBTFUL}) == "之间的"
    assert chosen("问的", {0: DOUBTFUL}) == "间的"
    assert chosen("之问", {1: DOUBTFUL}) == "之间"


def test_what_was_chosen_is_a_neighbour_itself():
    assert chosen("中问的", {0: (("中", 0.5), ("之", 0.45)), 1: DOUBTFUL}, "之间" * 3 + "，" + "间的" * 3) == "中间的"
    assert chosen("中问", {0: (("中", 0.5), ("之", 0.45)), 1: DOUBTFUL}, "之问" * 3) == "之问"


def test_neighbours_tell_one_from_a_dash():
    doubtful = (("—", 0.55), ("-", 0.1), ("一", 0.3))
    assert chosen("之—间的", {1: doubtful}, "中之一间的" * 5) == "之一间的"
    assert chosen("之—间的", {1: doubtful}) == "之—间的"  # as nobody wrote 一 there
    assert chosen("之—间的", {1: (("—", 0.97), ("一", 0.001))}, "中之一间的" * 5) == "之—间的"
    assert chosen("之——间", {2: doubtful}, "一间，" * 5) == "之——间"
    assert chosen("之—", {1: doubtful}, "之一，" * 5) == "之—"
    assert chosen("之一间", {1: (("一", 0.5), ("—", 0.5))}, "之一，" * 5) == "之一间"


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


@pytest.mark.parametrize(
    ("text", "place", "ranking", "better"),
    [
        ("1ine", 0, (("1", 0.6), ("l", 0.3)), "line"),
        ("the 1ine", 4, (("1", 0.6), ("l", 0.3)), "the line"),
        ("ln it", 0, (("l", 0.6), ("I", 0.3)), "In it"),
        ("9O.", 1, (("O", 0.5), ("0", 0.4)), "90."),
        ("9O.", 1, (("O", 0.5), ("9", 0.3), ("1", 0.2)), "99."),
        ("的1ine", 1, (("1", 0.6), ("l", 0.3)), "的line"),
    ],
)
def test_neighbours_tell_letters_and_digits(text, place, ranking, better):
    assert chosen(text, {place: ranking}, latin=CODE * 9) == better


@pytest.mark.parametrize(
    ("text", "place", "ranking"),
    [
        ("11.5", 1, (("1", 0.5), ("0", 0.45))),
        ("1ine", 0, (("1", 0.9), ("l", 1e-5))),
        ("x1x", 1, (("1", 0.6), ("l", 0.3))),
        ("the²", 3, (("²", 0.5), ("1", 0.4))),
        ("10间", 1, (("0", 0.5), ("中", 0.4))),
        ("li.e", 2, ((".", 0.5), ("n", 0.4))),
    ],
    ids=["another number", "much likelier", "not seen", "a raised digit", "a Hanzi", "a mark"],
)
def test_what_neighbours_do_not_tell_of_letters(text, place, ranking):
    assert chosen(text, {place: ranking}, latin=CODE * 9) == text


def test_every_letter_and_digit_has_a_code_and_digits_have_one():
    ngrams = count_ngrams("", "".join(f"{char} {char} " for char in LETTERS))
    assert ngrams.letters.counts.shape == (KINDS,) * 3
    assert np.count_nonzero(ngrams.letters.counts.sum((0, 2))) == 26 + 26 + 1 + 1
    assert not NONE.letters.saw("a", "b", "c")


def test_a_choice_is_no_surer_than_what_it_replaces():
    before = reading("之问的", {1: DOUBTFUL})
    after = count_ngrams(TEXT * 100).choose(before, CHARSET)
    assert 0.5 < after.marks[1].confidence <= before.marks[1].confidence
    assert after.marks[1].ranking == before.marks[1].ranking
    assert after.marks[::2] == before.marks[::2]


@pytest.mark.parametrize(("best", "other"), ["，,", "。.", "•·"])
def test_doubt_between_widths_and_look_alikes_is_none(best, other):
    ranking = ((best, 0.5), (other, 0.4), ("1", 0.05), ("l", 0.02))
    before = reading(f"的{best}的", {1: ranking})
    (mark,) = count_ngrams(TEXT).choose(before, CHARSET).marks[1:2]
    assert CHARSET.decode([mark.label]) == best
    assert mark.confidence == pytest.approx(0.9)
    assert mark.ranking == before.marks[1].ranking


def test_a_model_reads_by_the_text_it_comes_with(tiny_model_copy):
    """Its second best Hanzi is taken where the text has it beside a neighbour, and the best not."""
    chunk = Chunk(np.random.default_rng(0).random((32, 280, 1)).astype(np.float32), 0, 0.0, 1.0, 280)
    bundle = load_bundle(tiny_model_copy)
    (read,) = load(tiny_model_copy, "cpu").read([chunk], 1, ranks=8)
    characters = [[bundle.charset.characters[label] for label, _ in mark.ranking] for mark in read.marks]
    place = next(index for index, ranked in enumerate(characters) if index and set(ranked[:2] + characters[index - 1][:1]).isdisjoint("ab"))
    pair = characters[place - 1][0] + characters[place][1]
    with open(tiny_model_copy / "ngrams.npz", "wb") as file:
        count_ngrams(f"{pair}，" * 1000).save(file)
    (again,) = load(tiny_model_copy, "cpu").read([chunk], 1)
    assert bundle.charset.characters[again.marks[place].label] == pair[1]


def test_a_model_may_come_without(tiny_model_copy):
    (tiny_model_copy / "ngrams.npz").unlink()
    assert len(load_bundle(tiny_model_copy).ngrams().hanzi.pairs) == 0


@pytest.mark.parametrize("keep", [0, 10, 150])
def test_damage_is_told(tiny_model_copy, keep):
    path = tiny_model_copy / "ngrams.npz"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(BundleError, match=r"ngrams\.npz is damaged"):
        load(tiny_model_copy, "cpu")


def test_the_bundled_model_knows_running_text():
    ngrams = load_bundle().ngrams()
    assert min(ngrams.hanzi._count(ord(a) - 0x4E00, ord(b) - 0x4E00) for a, b in ("我们", "中国", "问题", "之间")) > 1000
    assert min(ngrams.letters.counts[tuple(CODES[char] for char in three)] for three in ("the", "ing", "1.0", " in")) > 1000
