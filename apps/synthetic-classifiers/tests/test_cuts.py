"""Cuts are of a sample that is the same however rows are dealt out; few values are all cuts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synthetic_classifiers import cuts, dividing
from synthetic_classifiers.layout import Samples
from synthetic_classifiers.worker import Worker

ROWS = 300_000


def workers(features, count):
    numbers = np.flatnonzero(~dividing.tests_of(0, len(features), 7))
    for number in range(count):
        own = numbers[number::count]
        worker = Worker(number, count)
        worker.close()
        worker.train = Samples(own, features[own], np.zeros(len(own), np.int32))
        yield worker


def found(features, count, bins=256):
    train_rows = int((~dividing.tests_of(0, len(features), 7)).sum())
    sampled = [cuts.sampled(worker, train_rows, 7) for worker in workers(features, count)]
    return sum(map(len, sampled)), cuts.quantiles(sampled, bins)


@pytest.fixture(scope="module")
def features():
    normal = np.random.default_rng(1).normal(size=(ROWS, 2)).astype(np.float32)
    # The number of the row: a sample that prefers some part of the table would show here.
    return np.column_stack([normal, np.arange(ROWS, dtype=np.float32)])


def test_the_same_cuts_for_any_number_of_workers(features):
    size, alone = found(features, 1)
    assert abs(size - cuts.SAMPLED_ROWS) < 5 * np.sqrt(cuts.SAMPLED_ROWS)
    for count in (2, 3, 5):
        assert np.array_equal(found(features, count)[1], alone)


def test_cuts_are_quantiles_of_all_rows(features):
    _, alone = found(features, 2)
    for feature, column in enumerate(features.T):
        shares = np.searchsorted(np.sort(column), alone[:, feature]) / ROWS
        assert np.abs(shares - np.arange(256) / 256).max() < 0.004


def test_a_table_of_many_columns_has_fewer_rows_sampled(features, monkeypatch):
    monkeypatch.setattr(cuts, "SAMPLED_BYTES", 12 * 1000)
    size, _ = found(features, 2)
    assert 800 < size < 1200


@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=False), min_size=1, max_size=40),
    st.integers(2, 12),
)
def test_few_values_are_all_cuts(column, bins):
    values = np.unique(np.array([value for value in column if value == value], np.float32))
    cut = cuts.quantiles([np.array(column, np.float32)[:, None]], bins)[:, 0]
    kept = cut[~np.isnan(cut)]
    assert len(cut) == bins and np.isnan(cut[len(kept) :]).all()
    if len(values) <= bins:
        assert np.array_equal(kept, values)
    else:
        assert np.isin(kept, values).all() and (np.diff(kept) > 0).all()
        assert kept[0] == values[0]
