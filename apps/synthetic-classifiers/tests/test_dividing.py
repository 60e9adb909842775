"""Which rows test: one in five, the same ones however the table is cut."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet
from studykit import cutting
from studykit.cutting import Input
from synthetic_classifiers import dividing, samples, worker
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Asked
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


@pytest.mark.parametrize("count", [1, 2, 3])
def test_row_groups_are_divided_while_they_are_read(tmp_path, count):
    total = 40_000
    draws = np.random.default_rng(5)
    numbers = draws.normal(size=(total, 2)).astype(np.float32)
    classes = draws.integers(0, 2, total)
    path = str(tmp_path / "samples.parquet")
    table = pa.table({"a": numbers[:, 0], "b": numbers[:, 1], "target": classes})
    parquet.write_table(table, path, row_group_size=9_000)
    form = samples.sniff(path, Asked("target", None, 2, False))
    source, rows = Input(cutting.splits(path, 1), {path: form}), [9_000] * 4 + [4_000]
    is_test, found = split_rows(total, 7), []
    for number in range(count):
        one = Worker(number, count, threads=2)
        loaded = worker.load_own(one, source, 2, 7)
        division = Division.of(rows, 7)
        trains = worker.divide(one, division, 7, 2)
        one.close()
        own = np.concatenate([one.train.rows, one.test.rows])
        assert loaded.rows == rows[number::count]
        assert np.array_equal(loaded.classes, np.bincount(classes[own], minlength=2))
        assert np.array_equal(trains, np.bincount(classes[one.train.rows], minlength=2))
        for part, tests in ((one.train, False), (one.test, True)):
            assert np.all(is_test[part.rows] == tests)
            assert np.array_equal(part.features, numbers[part.rows])
            assert np.array_equal(part.labels, classes[part.rows])
        found.append(own)
    assert np.array_equal(np.sort(np.concatenate(found)), np.arange(total))
