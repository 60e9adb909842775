"""The order of an epoch, its batches, and each rank's share of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studytrain import batches


def test_the_order_is_of_seed_and_epoch():
    one = batches.order(100, 42, 1)
    assert sorted(one) == list(range(100))
    np.testing.assert_array_equal(one, batches.order(100, 42, 1))
    assert (one != batches.order(100, 42, 2)).any() and (one != batches.order(100, 43, 1)).any()
    assert sorted(batches.order(5, -1, 1)) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("rows", "size", "least", "expected"),
    [
        (7, 3, 1, [(0, 3), (3, 6), (6, 7)]),
        (7, 3, 2, [(0, 3), (3, 7)]),
        (6, 3, 2, [(0, 3), (3, 6)]),
        (1, 3, 2, [(0, 1)]),
        (2, 8, 1, [(0, 2)]),
    ],
)
def test_the_last_batch_may_be_short_but_not_too_short(rows, size, least, expected):
    assert batches.cut(rows, size, least) == expected


@given(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9))
def test_shares_are_contiguous_and_differ_by_one_at_most(start, rows, world_size):
    shares = [batches.share(start, start + rows, rank, world_size) for rank in range(world_size)]
    assert [row for share in shares for row in range(*share)] == list(range(start, start + rows))
    sizes = [stop - first for first, stop in shares]
    assert max(sizes) - min(sizes) <= 1
