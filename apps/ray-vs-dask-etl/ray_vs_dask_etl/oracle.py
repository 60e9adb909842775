"""An independent answer to the ETL, and the check against it (of the fit: oracle_fit.py).

Nothing of the kernels is used, nor of their reader (oracle_rows.py). The sums are NumPy's, pairwise
and in extended precision, which keeps 1e-15 (Higham 2002, section 4.2), and the deviations come
from a second formula, the squared distances from the mean.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.records import Check
from studykit.run import Run

from ray_vs_dask_etl.oracle_rows import Rows, read_for

EXACT = 1e-14
ROUNDED = 1e-11
"""What is allowed where others have added up; both are relative to a mean."""
SUM_OF_ABSOLUTES = 1e-15
"""Sums are rounded, relative to the numbers, not to a mean that lies near zero."""

Floats = npt.NDArray[np.float64]
Measure = tuple[float, float]
"""Where the deviations of a column are taken from, and a power of two in which they are taken."""


def check_groups(run: Run, groups: list[dict[str, Any]], tolerance: float) -> Check:
    """Compare the table with the oracle's: categories, counts, ranges exactly, the rest closely."""
    names = run.parameters.read.values
    found = {group["category"]: group for group in groups}
    measures = {key: [_measure(group, name) for name in names] for key, group in found.items()}
    right = group_by(run, measures)
    passed = list(found) == sorted(right, key=run.parameters.read.categories.index)
    # Others' readers may be one unit off in the last place; the exact one may not.
    near = 0.0 if tolerance <= EXACT else tolerance
    worst_mean = worst_deviation = 0.0
    for key, expected in right.items() if passed else ():
        group = found[key]
        passed &= group.get("count", expected.count) == expected.count
        for place, name in enumerate(names):
            mean = expected.mean(place)
            scale = abs(mean) + SUM_OF_ABSOLUTES / tolerance * expected.absolute(place)
            worst_mean = max(worst_mean, abs(group[f"mean_{name}"] - mean) / (scale or 1.0))
            deviation, given = expected.deviation(place), group.get(f"std_{name}")
            if f"std_{name}" in group and (deviation is None or given is None):
                passed &= deviation is given
            elif given is not None and deviation is not None and given != deviation:
                scale = deviation + SUM_OF_ABSOLUTES * expected.absolute(place)
                worst_deviation = max(worst_deviation, abs(given - deviation) / (scale or 1.0))
            for side, value in (("min", expected.low[place]), ("max", expected.high[place])):
                passed &= math.isclose(group.get(f"{side}_{name}", value), value, rel_tol=near)
    passed &= worst_mean <= tolerance and worst_deviation <= 100 * tolerance
    return Check(
        passed=bool(passed),
        oracle="sums by NumPy over an independent reading",
        detail={
            "rows": sum(group.count for group in right.values()),
            "mean_relative_error": worst_mean,
            "std_relative_error": worst_deviation,
            "allowed": tolerance,
        },
    )


def _measure(group: dict[str, Any], name: str) -> Measure:
    """From the table itself: a wrong one makes the deviations no less right, but less exact."""
    low, high = group.get(f"min_{name}", 0.0), group.get(f"max_{name}", 0.0)
    _, exponent = math.frexp(high / 2 - low / 2 or 1.0)
    return group.get(f"mean_{name}", 0.0), math.ldexp(1.0, min(max(exponent, -1022), 1022))


class Expected:
    """One category: its sums so far."""

    def __init__(self, measures: list[Measure]) -> None:
        columns = len(measures)
        self.count = 0
        self.low, self.high = [math.inf] * columns, [-math.inf] * columns
        self._measures = measures
        self._sums, self._absolutes, self._moved, self._squares = np.zeros(
            (4, columns), np.longdouble
        )

    def add(self, columns: Floats) -> None:
        """float64[columns, rows] of this category."""
        self.count += columns.shape[1]
        for place, column in enumerate(columns):
            centre, unit = self._measures[place]
            moved = column / unit - centre / unit
            self._sums[place] += column.sum(dtype=np.longdouble)
            self._absolutes[place] += np.abs(column).sum(dtype=np.longdouble)
            self._moved[place] += moved.sum(dtype=np.longdouble)
            self._squares[place] += (moved * moved).sum(dtype=np.longdouble)
            self.low[place] = min(self.low[place], float(column.min()))
            self.high[place] = max(self.high[place], float(column.max()))

    def join(self, other: "Expected") -> None:
        self.count += other.count
        self.low = list(map(min, self.low, other.low))
        self.high = list(map(max, self.high, other.high))
        self._sums += other._sums
        self._absolutes += other._absolutes
        self._moved += other._moved
        self._squares += other._squares

    def mean(self, place: int) -> float:
        return float(self._sums[place] / self.count)

    def absolute(self, place: int) -> float:
        """The mean of the absolute values."""
        return float(self._absolutes[place] / self.count)

    def deviation(self, place: int) -> float | None:
        if self.count == 1:
            return None
        moved = self._moved[place]
        spread = self._squares[place] - moved * moved / self.count
        root = np.sqrt(max(spread, np.longdouble(0)) / (self.count - 1))
        return float(root * np.longdouble(self._measures[place][1]))


def group_by(run: Run, measures: dict[str, list[Measure]]) -> dict[str, Expected]:
    """Per category; by the given measures, where there are any, the deviations are taken."""
    columns = run.parameters.read
    plain = [(0.0, 1.0)] * len(columns.values)

    def new(category: str) -> Expected:
        return Expected(measures.get(category, plain))

    def of_piece(rows: Rows) -> dict[str, Expected]:
        counts = np.bincount(rows.codes)
        ends = np.cumsum(counts)
        order = np.argsort(rows.codes.astype(np.uint16), kind="stable")
        values = rows.values.take(order, axis=1)
        found = {}
        for code in np.flatnonzero(counts):
            category = columns.categories[code]
            found[category] = new(category)
            found[category].add(values[:, ends[code] - counts[code] : ends[code]])
        return found

    expected: dict[str, Expected] = {}
    for found in read_for(run, of_piece):
        for category, part in found.items():
            expected.setdefault(category, new(category)).join(part)
    return expected
