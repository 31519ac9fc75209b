import numpy as np
import pytest

from docrec.ctc import ALTERNATIVES, UNSURE, Classifier, collapse, decode

A, B = 0, 1


@pytest.mark.parametrize(
    ("path", "marks", "why"),
    [
        ([-1, -1, -1], [], "blanks alone say nothing"),
        ([A, A, -1], [(A, 0, 2)], "a repeated label is one character"),
        ([A, -1, A], [(A, 0, 1), (A, 2, 3)], "a blank between makes it two"),
        ([A, B, B], [(A, 0, 1), (B, 1, 3)], "another label starts another character"),
        ([-1, -1, B], [(B, 2, 3)], "a character may end at the last frame"),
    ],
)
def test_collapse(path, marks, why):
    reading = collapse(np.array(path), np.linspace(0.5, 0.9, len(path)))
    assert [(mark.label, mark.start, mark.end) for mark in reading.marks] == marks, why


def test_a_mark_is_as_sure_as_that_not_all_its_frames_are_wrong():
    (mark,) = collapse(np.array([A, A]), np.array([0.5, 0.6])).marks
    assert (mark.label, mark.start, mark.end) == (A, 0, 2)
    assert mark.confidence == pytest.approx(1 - 0.5 * 0.4)


def test_decode_equals_the_best_path_over_all_classes():
    random = np.random.default_rng(0)
    features = random.normal(size=(5, 30, 8)).astype(np.float32)
    blank = random.normal(size=(5, 30)).astype(np.float32)
    classifier = Classifier(random.normal(size=(8, 12)).astype(np.float32), random.normal(size=12).astype(np.float32), np.arange(12))

    scores = np.exp(features @ classifier.kernel + classifier.bias)
    characters = scores / scores.sum(-1, keepdims=True)
    blanks = 1 / (1 + np.exp(-blank[..., None]))
    everything = np.concatenate([characters * (1 - blanks), blanks], axis=-1)
    path = everything.argmax(-1)
    expected = [collapse(np.where(row == 12, -1, row), best) for row, best in zip(path, everything.max(-1), strict=True)]

    got = decode(features, blank, classifier)
    for reading, wanted in zip(got, expected, strict=True):
        assert [mark.label for mark in reading.marks] == [mark.label for mark in wanted.marks]
        assert [mark.confidence for mark in reading.marks] == pytest.approx([mark.confidence for mark in wanted.marks], abs=1e-5)
    assert sum(len(reading.marks) for reading in got) > 20


def test_labels_left_out_of_the_classifier_never_appear():
    random = np.random.default_rng(1)
    features = random.normal(size=(4, 70, 8)).astype(np.float32)
    kernel = random.normal(size=(8, 9)).astype(np.float32)
    some = Classifier(kernel[:, [2, 5]], np.zeros(2, np.float32), np.array([2, 5]))
    labels = {mark.label for reading in decode(features, np.full((4, 70), -5.0, np.float32), some) for mark in reading.marks}
    assert labels == {2, 5}


@pytest.mark.parametrize(
    ("frames", "marks", "why"),
    [
        ("-a-", [(A, 1, 2)], "blanks around a character"),
        ("aa-", [(A, 0, 2)], "a repeated label is one character"),
        ("a-a", [(A, 0, 1), (A, 2, 3)], "a blank between makes it two"),
        ("abb", [(A, 0, 1), (B, 1, 3)], "another label starts another character"),
        ("a?b", [(A, 0, 1), (B, 2, 3)], "a doubtful frame prolongs what stands: here best path reads b twice"),
        ("axa", [(A, 0, 1), (A, 2, 3)], "what is nearly a blank parts a character from the next of its kind"),
        ("aya", [(A, 0, 3)], "and what hardly is does not"),
    ],
)
def test_prefix_search(frames, marks, why):
    shares = {"-": (0.05, 0.05), "a": (0.9, 0.05), "b": (0.05, 0.9), "?": (0.25, 0.4), "x": (0.45, 0.01), "y": (0.7, 0.01)}
    chances = np.array([shares[frame] for frame in frames], np.float32)
    features, blank = np.log(chances)[None], np.log(1 / chances.sum(axis=1) - 1)[None]
    (reading,) = decode(features, blank, Classifier(np.eye(2, dtype=np.float32), np.zeros(2, np.float32), np.array([A, B])), "prefix-1")
    assert [(mark.label, mark.start, mark.end) for mark in reading.marks] == marks, why
    for mark in reading.marks:
        assert mark.confidence == pytest.approx(1 - np.prod(1 - chances[mark.start : mark.end, mark.label]), abs=1e-6)


@pytest.mark.parametrize("spread", [1, 3, 8])
@pytest.mark.parametrize("classes", [2, 5, 12])
def test_prefix_search_reads_what_tensorflow_does(classes, spread):
    tf = pytest.importorskip("tensorflow")
    scores = np.random.default_rng(classes * spread).normal(0, spread, (300, 70, classes)).astype(np.float32)
    (decoded,), _ = tf.compat.v1.nn.ctc_beam_search_decoder(scores.transpose(1, 0, 2), [70] * 300, beam_width=1, merge_repeated=False)
    expected = [[label for label in row if label >= 0] for row in tf.sparse.to_dense(decoded, default_value=-1).numpy().tolist()]
    characters = np.logaddexp.reduce(scores[..., :-1], axis=-1)
    keep_all = Classifier(np.eye(classes - 1, dtype=np.float32), np.zeros(classes - 1, np.float32), np.arange(classes - 1))
    readings = decode(scores[..., :-1], scores[..., -1] - characters, keep_all, "prefix-1")
    read = [[mark.label for mark in reading.marks] for reading in readings]
    assert sum(here != there for here, there in zip(read, expected, strict=True)) <= 1  # two paths as likely but for rounding


def test_rankings_begin_with_the_characters_read():
    random = np.random.default_rng(0)
    features = random.normal(size=(5, 30, 8)).astype(np.float32)
    blank = random.normal(-2, 2, (5, 30)).astype(np.float32)
    labels = np.arange(100, 112)
    classifier = Classifier(random.normal(0, 3, (8, 12)).astype(np.float32), random.normal(size=12).astype(np.float32), labels)
    plain, ranked = decode(features, blank, classifier), decode(features, blank, classifier, ranks=12)
    for before, after in zip(plain, ranked, strict=True):
        assert [(mark.label, mark.start, mark.end, mark.confidence) for mark in after.marks] == [
            (mark.label, mark.start, mark.end, mark.confidence) for mark in before.marks
        ]
        for mark, same in zip(before.marks, after.marks, strict=True):
            expected = same.ranking[:ALTERNATIVES] if mark.confidence < UNSURE else ()
            assert [label for label, _ in mark.ranking] == [label for label, _ in expected]
            assert [share for _, share in mark.ranking] == pytest.approx([share for _, share in expected], rel=1e-5)
        for mark in after.marks:
            order, confidences = zip(*mark.ranking, strict=True)
            assert order[0] == mark.label
            assert sorted(order) == labels.tolist()
            assert confidences[0] <= mark.confidence + 1e-6  # of one frame, where all count for the mark
            assert list(confidences) == sorted(confidences, reverse=True)
            assert sum(confidences) <= 1 + 1e-6
    assert {bool(mark.ranking) for reading in plain for mark in reading.marks} == {True, False}
