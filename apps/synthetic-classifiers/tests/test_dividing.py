"""Which rows test: one in five, the same ones however the table is cut."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from synthetic_classifiers import dividing, worker
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.oracle_table import split_rows
from synthetic_classifiers.worker import Worker


@given(st.lists(st.integers(0, 50), min_size=1, max_size=12), st.integers(-5, 2**64))
def test_a_row_tests_wherever_the_table_is_cut(rows, seed):
    division = Division.of(rows, seed)
    whole = dividing.tests_of(0, sum(rows), seed)
    parts = [
        dividing.tests_of(first, count, seed)
        for first, count in zip(division.first_row, rows, strict=True)
    ]
    assert np.array_equal(np.concatenate(parts), whole)
    assert np.array_equal(whole, split_rows(sum(rows), seed))
    assert division.train_rows == int((~whole).sum())
    assert division.rows == len(whole)


def test_one_row_in_five_tests():
    share = dividing.tests_of(0, 200_000, 42).mean()
    assert abs(share - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 200_000)
    assert not np.array_equal(dividing.tests_of(0, 1000, 1), dividing.tests_of(0, 1000, 2))


@given(st.lists(st.integers(0, 30), min_size=1, max_size=9), st.integers(1, 3))
def test_workers_hold_every_row_once_in_its_order(rows, count):
    total = sum(rows)
    features = np.arange(total, dtype=np.float32)[:, None] * [1, -1]
    labels = np.arange(total, dtype=np.int32) % 2
    starts = np.cumsum([0, *rows])
    division, held = Division.of(rows, 7), []
    for number in range(count):
        one = Worker(number, count)
        one.loaded = [
            (features[starts[split] : starts[split + 1]], labels[starts[split] : starts[split + 1]])
            for split in range(number, len(rows), count)
        ]
        worker.divide(one, division, 7, 2)
        one.close()
        held.append(one)
        for part in (one.train, one.test):
            assert np.all(np.diff(part.rows) > 0)
            if len(part):
                assert np.array_equal(part.features, features[part.rows])
            assert np.array_equal(part.labels, labels[part.rows])
    found = [
        np.sort(np.concatenate([getattr(w, part).rows for w in held])) for part in ("train", "test")
    ]
    tests = dividing.tests_of(0, total, 7)
    assert np.array_equal(found[0], np.flatnonzero(~tests))
    assert np.array_equal(found[1], np.flatnonzero(tests))
