"""Which samples train, and which test: by a seeded hash of the row's number in the table.

So the same rows test whatever the number of workers and the size of a split, one in five; and a
sample of the rows is the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from synthetic_classifiers.layout import Column, Features, Labels, RowNumbers, Samples

TEST_SHARE = 0.2
"""As the paper's `train_test_split`."""
_TEST_BELOW = np.uint64(int(TEST_SHARE * 2**64))


@numba.njit(inline="always")
def _mixed(seed, row):  # type: ignore[no-untyped-def]
    """uint64 of a row's number: splitmix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom
    number generators")."""
    z = (np.uint64(seed) + np.uint64(row) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def tests(first, count, seed):  # type: ignore[no-untyped-def]
    """Whether each of the rows first … first + count - 1 is one to test with, bool[count]."""
    found = np.empty(count, np.bool_)
    for row in range(count):
        found[row] = _mixed(seed, first + row) < _TEST_BELOW
    return found


@numba.njit(nogil=True, cache=True)
def below(rows, seed, limit):  # type: ignore[no-untyped-def]
    """Whether the rows of these numbers, mixed twice, are below `limit`, bool[rows].

    Once mixed all training rows are alike in not being below that of tests."""
    found = np.empty(len(rows), np.bool_)
    for place in range(len(rows)):
        found[place] = _mixed(seed, _mixed(seed, rows[place])) < limit
    return found


@dataclass(frozen=True)
class Division:
    """Of a whole table: where each split's rows begin, and where its training rows do.

    first_row, first_train: of each split, in the order of the input; rows, train_rows: of all.
    """

    first_row: Sequence[int]
    first_train: Sequence[int]
    rows: int
    train_rows: int

    @classmethod
    def of(cls, rows_of_splits: Sequence[int], seed: int) -> "Division":
        first_row, first_train = [], []
        row = train = 0
        for rows in rows_of_splits:
            first_row.append(row)
            first_train.append(train)
            train += rows - int(tests_of(row, rows, seed).sum())
            row += rows
        return cls(first_row, first_train, row, train)


def tests_of(first: int, count: int, seed: int) -> npt.NDArray[np.bool_]:
    """Whether each of so many rows from `first` on is one to test with."""
    found: npt.NDArray[np.bool_] = tests(first, count, np.uint64(seed % 2**64))
    return found


def sampled(rows: RowNumbers, share: float, seed: int) -> npt.NDArray[np.bool_]:
    """Which of the training rows of these numbers are in a sample of a share of all, below 1."""
    found: npt.NDArray[np.bool_] = below(rows, np.uint64(seed % 2**64), np.uint64(share * 2**64))
    return found


@numba.njit(nogil=True, cache=True)
def place(column, places, feature, table):  # type: ignore[no-untyped-def]
    """What a column has at these places, into one of a table's columns, row after row. Whether all
    of it is finite."""
    finite = True
    for row in range(len(places)):
        number = column[places[row]]
        table[row, feature] = number
        finite &= np.isfinite(number)
    return finite


class Room:
    """Where the samples of one split go, batch after batch: to train with, or to test with.

    `first_row` is the number of its first row, `is_test` of each of its rows; `train` and `test`
    have room for just these.
    """

    def __init__(
        self, first_row: int, is_test: npt.NDArray[np.bool_], train: Samples, test: Samples
    ) -> None:
        self._row, self._is_test, self._left = first_row, is_test, [train, test]

    def put(self, features: Features, labels: Labels) -> None:
        """Samples, a row each."""
        for part, places in self._next(labels):
            # Not "raise", by which NumPy fills a copy first, and then `out`.
            np.take(features, places, axis=0, out=part.features, mode="clip")

    def put_columns(self, columns: Sequence[Column], labels: Labels) -> bool:
        """Samples as a column for each feature. Whether all their features are finite."""
        finite = True
        for part, places in self._next(labels):
            for feature, column in enumerate(columns):
                finite &= place(column, places, feature, part.features)
        return finite

    def _next(self, labels: Labels) -> list[tuple[Samples, npt.NDArray[np.intp]]]:
        """Put labels and numbers of the next rows. The room of those that train and of those that
        test, with their places among these rows."""
        count = len(labels)
        is_test, self._is_test = self._is_test[:count], self._is_test[count:]
        parts = []
        for which, chosen in enumerate((~is_test, is_test)):
            places, room = np.flatnonzero(chosen), self._left[which]
            part = room.part(0, len(places))
            self._left[which] = room.part(len(places), len(room))
            np.add(places, self._row, out=part.rows)
            np.take(labels, places, out=part.labels, mode="clip")
            parts.append((part, places))
        self._row += count
        return parts
