"""The sheet of misread digits: which they are, what is said of them, and that they are the right
way up."""

import numpy as np
import pytest
from digits_knn_cnn import misread
from digits_knn_cnn.misread import CAPTION, COLUMNS, MARGIN, MOST, SIDE, TITLE


def sheet(pixels, labels, read):
    pixels, labels, read = (np.array(given, np.uint8) for given in (pixels, labels, read))
    return np.asarray(misread.sheet(pixels, labels, read, np.arange(len(labels)), "the CNN"))


def drawn(whole, number):
    """The shades of the digit at a place of the sheet, one for each of its pixels."""
    line, column = divmod(number, COLUMNS)
    x, y = MARGIN + column * (SIDE + MARGIN), TITLE + line * (SIDE + CAPTION)
    return whole[y : y + SIDE, x : x + SIDE]


def test_a_misread_digit_is_drawn_dark_on_white_the_right_way_up():
    pixels = np.zeros((3, 64), np.uint8)
    pixels[1, 7] = 16  # Above, to the right.
    pixels[1, 56] = 8  # Below, to the left.
    one_of_each = slice(SIDE // 16, None, SIDE // 8)
    found = drawn(sheet(pixels, [1, 2, 3], [1, 7, 3]), 0)[one_of_each, one_of_each]
    expected = np.full((8, 8), 255)
    expected[0, 7], expected[7, 0] = 0, 127
    np.testing.assert_allclose(found, expected, atol=1)


@pytest.mark.parametrize("side", [8, 28, 32])
def test_every_resolution_is_drawn_as_large(side):
    pixels = np.full((1, side**2), 16)
    assert (drawn(sheet(pixels, [1], [2]), 0) == 0).all()


def test_the_first_of_many_are_shown():
    labels, read = np.zeros(70), np.ones(70)
    whole = sheet(np.full((70, 64), 16), labels, read)
    assert (drawn(whole, MOST - 1) == 0).all()
    assert len(whole) == TITLE + MOST // COLUMNS * (SIDE + CAPTION) + MARGIN
    assert misread.title(70, 70, "the CNN").endswith("by the CNN: the first 60")


def test_captions_differ_by_what_was_read():
    pixels = np.zeros((2, 64), np.uint8)
    pixels[:, 0] = 16
    one, other = sheet(pixels[:1], [8], [3]), sheet(pixels[:1], [8], [5])
    assert one.shape == other.shape
    below = slice(TITLE + SIDE, None)
    assert (one[below] != other[below]).any()
    assert (one[: TITLE + SIDE] == other[: TITLE + SIDE]).all()
    assert misread.caption(3, 8) == "read 3, is 8"


def test_where_none_is_misread_the_sheet_says_so():
    whole = sheet(np.zeros((2, 64)), [1, 2], [1, 2])
    assert len(whole) == TITLE + MARGIN
    assert whole.min() < 80
    assert misread.title(0, 360, "the CNN") == "None of 360 test pictures is misread by the CNN"
    assert misread.title(1, 360, "the CNN") == "One of 360 test pictures is misread by the CNN"


def test_a_sheet_of_blank_pictures_is_drawn():
    assert (drawn(sheet(np.zeros((1, 64)), [1], [2]), 0) == 255).all()
