"""The ETL's kernel against fractions, and that no split, order or number of parts is seen in it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ray_vs_dask_etl import aggregation
from ray_vs_dask_etl.aggregation import Bins
from tables import assert_groups, fraction_groups

finite = st.floats(allow_nan=False, allow_infinity=False)


def groups(values: np.ndarray, codes: np.ndarray, parts: int = 1):
    partials = []
    for chosen in np.array_split(np.arange(len(codes)), parts):
        bins = Bins(4, 2)
        bins.add(values[:, chosen], codes[chosen])
        partials.append(bins.groups())
    return aggregation.finish(aggregation.combine(partials), "ABCD", ("x", "y"))


def right(values: np.ndarray, codes: np.ndarray):
    lines = [
        (0, repr(x), repr(y), "ABCD"[c]) for x, y, c in zip(*values.tolist(), codes, strict=True)
    ]
    return fraction_groups(lines)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(finite, finite, st.integers(0, 3)), min_size=1, max_size=30))
def test_any_finite_numbers_have_the_table_of_the_fractions(rows):
    values = np.array([row[:2] for row in rows]).T
    codes = np.array([row[2] for row in rows], np.uint8)
    found = groups(values, codes)
    assert_groups(found, right(values, codes))
    for parts in (2, 7):
        assert groups(values, codes, parts) == found
    order = np.random.default_rng(0).permutation(len(codes))
    assert groups(values[:, order], codes[order]) == found


@pytest.mark.parametrize(
    ("centre", "spread"),
    [(0.5, 0.3), (1e9, 1.0), (-1e15, 1e3), (1e-300, 1e-301), (1e300, 1e299), (0.0, 1e-320)],
)
def test_far_from_one(centre, spread):
    random = np.random.default_rng(5)
    values = centre + spread * random.normal(size=(2, 2000))
    codes = random.integers(0, 4, 2000).astype(np.uint8)
    assert_groups(groups(values, codes, parts=3), right(values, codes))


def test_what_cancels_leaves_nothing():
    values = np.array([[1e16, 1.0, -1e16, -1.0, 1e-20], [0.1, 0.2, 0.3, -0.6, 0.0]])
    (row,) = groups(values, np.zeros(5, np.uint8))
    assert row["mean_x"] == 1e-20 / 5


def test_one_row_has_no_deviation_and_equal_rows_have_none_at_all():
    table = groups(np.array([[5.0, 2.5, 2.5], [1.0, 3.0, 3.0]]), np.array([0, 1, 1], np.uint8))
    assert table[0]["std_x"] is None
    assert table[1]["std_x"] == 0.0


def test_a_deviation_above_the_largest_double_is_infinite():
    largest = 1.7976931348623157e308
    table = groups(np.array([[largest, -largest], [0.0, 1.0]]), np.zeros(2, np.uint8))
    assert table[0]["std_x"] == math.inf
    assert table[0]["mean_x"] == 0.0


def test_a_category_without_rows_is_not_in_the_table():
    table = groups(np.ones((2, 2)), np.array([0, 2], np.uint8))
    assert [row["category"] for row in table] == ["A", "C"]


def test_words_are_collected_before_they_overflow():
    """The largest mantissa in every row: the words of the squares grow as fast as they can."""
    value, rows = math.nextafter(2.0, 0.0), aggregation.ROWS_AT_MOST
    values, codes = np.full((1, rows), value), np.zeros(rows, np.uint8)
    bins = Bins(1, 1)
    for _ in range(3):
        bins.add(values, codes)
    (group,) = bins.groups()
    assert group.count == 3 * rows
    numerator, denominator = value.as_integer_ratio()
    assert group.columns[0].total * denominator == (3 * rows * numerator) << 1074
    assert group.columns[0].squares * denominator**2 == (3 * rows * numerator**2) << 2148


def test_more_rows_at_once_than_the_words_can_take_are_refused():
    rows = aggregation.ROWS_AT_MOST + 1
    with pytest.raises(ValueError, match="rows at once"):
        Bins(1, 1).add(np.zeros((1, rows)), np.zeros(rows, np.uint8))
