"""Trips as near to two centres: an answer is right where some way to share them out gives it."""

import numpy as np
import pytest
from taxi_clustering import ties

CENTRES = np.array([[0.0, 0.0], [200.0, 0.0]])
POINTS = np.array([[-100.0, 0.0]] * 3 + [[100.0, 0.0]] * 3 + [[300.0, 0.0]] * 3)
"""Three trips half-way. Were they all to count for the first centre, it would be at their mean."""


@pytest.mark.parametrize(
    ("trips", "apart", "right"),
    [
        ([6, 3], 101, True),
        ([3, 6], 101, True),
        ([6, 3], 99, False),  # The second centre is 100 m from the mean of its three.
        ([5, 4], 101, True),
        ([9, 0], 1000, False),
        ([7, 2], 1000, False),
        ([2, 7], 1000, False),
        ([6, 4], 1000, False),
    ],
)
def test_trips_half_way_may_count_for_either(trips, apart, right):
    found = ties.collect([POINTS[:4], POINTS[4:]], CENTRES, 0.02)
    assert found.places == 2  # The same place, in two pieces.
    assert found.allow(np.array(trips), apart) is right


def test_without_a_tie_nothing_is_allowed():
    found = ties.collect([POINTS[:3], POINTS[6:]], CENTRES, 0.02)
    assert found.places == 0
    assert found.allow(np.array([3, 3]), 1000.0) is False
