"""The ETL: count, sum, sum of squares, minimum and maximum of every column in every category.

The one idea: a double is a whole number m < 2^53 times a power of two, so sums are kept as whole
numbers, one for each power (the exponents' bins of Neal 2015, "Fast Exact Summation Using Small
and Large Superaccumulators"). Whole numbers have no rounding: a sum is exact, and any split of the
rows, any order and any number of workers gives the same bits. A partial result is a few Python
integers; the only rounding is the last one, of the mean and of the standard deviation.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from ray_vs_dask_etl.bits import bits_of, high_product

EXPONENTS = 2047
"""Of finite doubles: 1 … 2046, and 0 for what is below the smallest normal one."""
LIMBS = 5
"""Of a bin: the sum's low and high half, and three words of the sum of squares."""
ROWS_AT_MOST = 1 << 21
"""Between two `collect`s. The square's highest word grows by less than 2^42 a row, the others by
less than 2^32; a word has 64 bits."""
SUM_UNIT, SQUARE_UNIT = 1074, 2148
"""Sums count in 2^-1074, the smallest double; sums of squares in its square."""

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Column:
    """Over some rows, exactly: total / 2^1074 and squares / 2^2148, smallest and largest value."""

    total: int = 0
    squares: int = 0
    smallest: float = math.inf
    largest: float = -math.inf

    def __add__(self, other: "Column") -> "Column":
        return Column(
            self.total + other.total,
            self.squares + other.squares,
            min(self.smallest, other.smallest),
            max(self.largest, other.largest),
        )


@dataclass(frozen=True)
class Group:
    """The rows of one category."""

    count: int
    columns: tuple[Column, ...]

    def __add__(self, other: "Group") -> "Group":
        columns = tuple(a + b for a, b in zip(self.columns, other.columns, strict=True))
        return Group(self.count + other.count, columns)


class Bins:
    """Sums on their way: int64[categories, columns, exponents, limbs], and what else is asked."""

    def __init__(self, categories: int, columns: int) -> None:
        self._limbs = np.zeros((categories, columns, EXPONENTS, LIMBS), np.int64)
        self._range = np.empty((categories, columns, 2))
        self._range[:] = math.inf, -math.inf
        self._counts = np.zeros(categories, np.int64)
        self._groups = [Group(0, (Column(),) * columns)] * categories
        self._rows = 0

    def add(self, values: Values, codes: Codes) -> None:
        """values: float64[columns, rows], finite; codes: uint8[rows], below the categories."""
        if len(codes) > ROWS_AT_MOST:
            raise ValueError(f"{len(codes)} rows at once: at most {ROWS_AT_MOST}")
        if self._rows + len(codes) > ROWS_AT_MOST:
            self._collect()
        self._rows += len(codes)
        accumulate(values, codes, self._limbs, self._range, self._counts)

    def groups(self) -> list[Group]:
        """One group per category, in their order."""
        self._collect()
        return self._groups

    def _collect(self) -> None:
        """Move the words into Python's integers, which never overflow."""
        limbs = self._limbs
        self._groups = [
            group
            + Group(
                int(self._counts[code]),
                tuple(
                    _column(limbs[code, column], *map(float, self._range[code, column]))
                    for column in range(limbs.shape[1])
                ),
            )
            for code, group in enumerate(self._groups)
        ]
        limbs[:] = 0
        self._counts[:] = 0
        self._rows = 0


def _column(limbs: npt.NDArray[np.int64], smallest: float, largest: float) -> Column:
    total = squares = 0
    for exponent in np.flatnonzero(limbs.any(axis=1)).tolist():
        low, high, *words = limbs[exponent].tolist()
        shift = max(exponent - 1, 0)
        total += (low + (high << 32)) << shift
        squares += (words[0] + (words[1] << 32) + (words[2] << 64)) << 2 * shift
    return Column(total, squares, smallest, largest)


def combine(partials: Iterable[Sequence[Group]]) -> list[Group]:
    """Partial results, at least one, in any order → their sum."""
    whole: list[Group] | None = None
    for part in partials:
        whole = list(part) if whole is None else [a + b for a, b in zip(whole, part, strict=True)]
    assert whole is not None
    return whole


def finish(
    groups: Sequence[Group], categories: Sequence[str], names: Sequence[str]
) -> list[dict[str, Any]]:
    """The table of the answer: one row per category that occurs, each figure rounded once.

    std is the sample's (divided by n - 1, as in pandas, polars, Ray and SQL); None for one row.
    """
    table = []
    for category, group in zip(categories, groups, strict=True):
        if group.count == 0:
            continue
        row: dict[str, Any] = {"category": category, "count": group.count}
        for name, column in zip(names, group.columns, strict=True):
            row[f"mean_{name}"] = column.total / (group.count << SUM_UNIT)
            row[f"std_{name}"] = _deviation(group.count, column)
            row[f"min_{name}"], row[f"max_{name}"] = column.smallest, column.largest
        table.append(row)
    return table


def _deviation(count: int, column: Column) -> float | None:
    if count == 1:
        return None
    # n Σx² - (Σx)², without a rounding before the root; both are whole multiples of 2^-2148.
    spread = count * column.squares - column.total**2
    return _root(Fraction(spread, count * (count - 1) << SQUARE_UNIT))


def _root(value: Fraction) -> float:
    """The square root, rounded once from 64 bits or more; infinite above the largest double."""
    if value == 0:
        return 0.0
    shift = 128 + value.denominator.bit_length() - value.numerator.bit_length()
    shift += shift % 2
    scaled = (
        (value.numerator << shift) // value.denominator
        if shift >= 0
        else value.numerator // (value.denominator << -shift)
    )
    root = math.isqrt(scaled)
    half = shift // 2
    try:
        return root / (1 << half) if half >= 0 else float(root << -half)
    except OverflowError:
        return math.inf


@numba.njit(nogil=True, cache=True)
def accumulate(values, codes, limbs, ranges, counts):  # type: ignore[no-untyped-def]
    """Add rows to the bins; at most ROWS_AT_MOST before the words are collected."""
    half, mantissa = np.uint64(0xFFFFFFFF), np.uint64((1 << 52) - 1)
    for code in codes:
        counts[code] += 1
    for column in range(values.shape[0]):
        for row in range(values.shape[1]):
            value, code = values[column, row], codes[row]
            bits = bits_of(value)
            exponent = (bits >> np.uint64(52)) & np.uint64(0x7FF)
            m = bits & mantissa
            if exponent != 0:
                m |= np.uint64(1 << 52)
            low, high = np.int64(m & half), np.int64(m >> np.uint64(32))
            if value < 0:
                low, high = -low, -high
            square, above = m * m, high_product(m, m)
            bin_ = limbs[code, column, exponent]
            bin_[0] += low
            bin_[1] += high
            bin_[2] += np.int64(square & half)
            bin_[3] += np.int64(square >> np.uint64(32))
            bin_[4] += np.int64(above)
            if value < ranges[code, column, 0]:
                ranges[code, column, 0] = value
            if value > ranges[code, column, 1]:
                ranges[code, column, 1] = value
