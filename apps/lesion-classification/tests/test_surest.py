"""The sheet of the surest mistakes: which they are, their order, and that each is shown."""

import numpy as np
import pytest
from lesion_classification import surest
from lesion_classification.surest import CAPTION, COLUMNS, MARGIN, MOST, SIDE, TITLE
from made_lesions import lesions


def flat(row):
    return np.full((SIDE, SIDE, 3), 10 * row, np.uint8)


def mistakes(count):
    return [surest.Mistake(number, f"lesion {number}", True, 0.1) for number in range(count)]


def test_the_farthest_from_the_threshold_come_first():
    labels = np.array([True, True, False, False, True])
    scores = np.array([0.4, 0.9, 0.95, 0.1, 0.02])
    found = surest.found(labels, scores, lesions(labels, [0, 1, 2, 2, 3]))
    assert [(one.row, one.lesion, one.malignant) for one in found] == [
        (4, "lesion 3", True),
        (2, "lesion 2", False),
        (0, "lesion 0", True),
    ]
    assert [one.score for one in found] == [0.02, 0.95, 0.4]


def test_each_is_shown_in_its_place():
    drawn = np.asarray(surest.sheet(mistakes(COLUMNS + 2), 50, flat))
    for number in (0, 1, COLUMNS, COLUMNS + 1):
        line, column = divmod(number, COLUMNS)
        x, y = MARGIN + column * (SIDE + MARGIN), TITLE + line * (SIDE + CAPTION)
        assert (drawn[y : y + SIDE, x : x + SIDE] == 10 * number).all()


def test_captions_are_under_their_images_and_tell_label_and_score():
    one, other = ([surest.Mistake(0, "a", label, 0.3)] for label in (True, False))
    sheets = [np.asarray(surest.sheet(given, 5, flat)) for given in (one, other)]
    assert (sheets[0][: TITLE + SIDE] == sheets[1][: TITLE + SIDE]).all()
    assert (sheets[0] != sheets[1]).any()
    assert surest.caption(one[0]) == ("malignant", "score 0.300")


def test_no_more_are_read_than_are_shown():
    read: list[int] = []

    def reading(row):
        read.append(row)
        return np.zeros((SIDE, SIDE, 3), np.uint8)

    surest.sheet(mistakes(MOST + 5), 99, reading)
    assert read == list(range(MOST))


@pytest.mark.parametrize(
    "count, told",
    [
        (0, "None of 60 images is called what it is not"),
        (1, "One of 60 images is called what it is not"),
        (50, f"50 of 60 images are called what they are not: the {MOST} surest"),
    ],
)
def test_the_title_says_how_many(count, told):
    assert surest.title(count, 60) == told
    assert surest.sheet(mistakes(count), 60, lambda row: flat(0)).height >= TITLE
