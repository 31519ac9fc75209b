"""Runs of ink: many are measured at once, each as if it were alone."""

import numpy as np

from docrec.ink import FAINT_RULE, Parts, Run, faint_rules, gray_to_ink, gray_to_inks, groups_to_runs, ink_to_rules, with_whole_marks


def extent(run: Run) -> tuple[int, float, int, float]:
    return run.left, run.top, run.right, run.bottom


def row(lefts: range, top: int, width: int, height: int) -> Parts:
    return np.array([(left, top, left + width, top + height) for left in lefts], np.int32)


def test_runs_measured_together_are_as_measured_alone() -> None:
    random = np.random.default_rng(1)
    groups = []
    for count in (1, 2, 9, 40):
        corners = random.integers(0, 300, (count, 2))
        groups.append(np.c_[corners, corners + random.integers(1, 40, (count, 2))].astype(np.int32))
    assert [extent(run) for run in groups_to_runs(groups)] == [extent(*groups_to_runs([group])) for group in groups]


def test_leaders_and_underlines_do_not_count_in_their_own_run_alone() -> None:
    letters, leader, underline = row(range(0, 60, 22), 100, 20, 20), row(range(80, 600, 12), 116, 4, 4), row(range(1), 130, 400, 2)
    runs = groups_to_runs([np.concatenate([letters, leader]), np.concatenate([letters, underline]), leader, letters])
    assert [(run.top, run.bottom) for run in runs] == [(100, 120), (100, 120), (116, 120), (100, 120)]
    assert runs[0].right == 600


def test_a_sum_with_its_limits_does_not_count_but_a_fraction_that_fills_a_formula_does() -> None:
    letters = row(range(0, 280, 20), 100, 12, 18)
    total = np.array([(300, 92, 334, 126), (310, 76, 324, 88), (302, 130, 332, 142)], np.int32)
    above, below = row(range(220, 320, 20), 76, 12, 18), row(range(220, 320, 20), 124, 12, 18)
    fraction = np.concatenate([above, below, row(range(215, 216), 108, 110, 2)])
    runs = groups_to_runs([np.concatenate([letters, total]), np.concatenate([letters[:3], fraction])])
    assert [(run.top, run.bottom) for run in runs] == [(100, 118), (76, 142)]


def test_a_stop_of_which_but_the_darkest_pixel_is_ink_is_made_whole_and_a_letter_is_not() -> None:
    pale = np.zeros((100, 300), np.uint8)
    pale[53:59, 20:26] = pale[40:60, 40:60] = pale[53:59, 80:86] = pale[53:59, 100:106] = 1  # stop, letter, stain, black stop
    pale[55:57, 22:24] = 0
    ink = np.zeros_like(pale)
    ink[58, 23] = ink[50, 50] = ink[54:58, 101:105] = 1
    expected = ink.copy()
    expected[53:59, 20:26] = pale[53:59, 20:26]
    np.testing.assert_array_equal(with_whole_marks(ink, pale, 20), expected)


def test_a_faint_rule_is_long_and_has_no_ink_beside_it() -> None:
    gray = np.full((200, 600), 255, np.uint8)
    gray[46:60, 40:560:3] = gray[46:60, 41:560:3] = 40  # type so heavy that most of each row is ink
    gray[65:67, 40:560] = 222
    gray[80:82, 40:120] = 222  # a dash
    levels, uprights = faint_rules(gray_to_inks(gray, FAINT_RULE)[0], 20)
    assert [level[1::2] for level in levels.tolist()] == [[65, 67]]
    assert not len(uprights)
    assert 65 not in {level[1] for level in ink_to_rules(gray_to_ink(gray), 20)[0].tolist()}
