"""Independent answers, and the checks against them.

Nothing of the kernels is used: Arrow's own CSV reader reads the files. Of the ETL the sums are
NumPy's, pairwise and in extended precision, which keeps 1e-15 (Higham 2002, section 4.2), and the
deviations come from a second formula, the squared distances from the mean.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv
from pyarrow import parquet
from studykit import storage
from studykit.options import BAD_ROWS_SKIP
from studykit.records import Check
from studykit.run import Run

from ray_vs_dask_etl import oracle_skipping
from ray_vs_dask_etl.rows import Columns
from ray_vs_dask_etl.solver import Fit

READ_BYTES = 16_000_000
EXACT = 1e-14
ROUNDED = 1e-11
"""What is allowed where others have added up; both are relative to a mean."""
SUM_OF_ABSOLUTES = 1e-15
"""Sums are rounded, relative to the numbers, not to a mean that lies near zero."""

REFIT_BYTES = 20_000_000
COEFFICIENTS_DISTANCE = 1e-5
SMALLEST_GRADIENT = 1e-7
"""Rounding of the oracle's own sums, which are plain ones, relative to the gradient at zero."""

Floats = npt.NDArray[np.float64]


def check_groups(run: Run, groups: list[dict[str, Any]], tolerance: float) -> Check:
    """Compare the table with the oracle's: categories, counts, ranges exactly, the rest closely."""
    names = run.parameters.read.values
    found = {group["category"]: group for group in groups}
    means = {
        key: [group.get(f"mean_{name}", 0.0) for name in names] for key, group in found.items()
    }
    right = group_by(run, means)
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
            elif given is not None and deviation is not None:
                scale = deviation + SUM_OF_ABSOLUTES * expected.absolute(place)
                worst_deviation = max(worst_deviation, abs(given - deviation) / (scale or 1.0))
            for side, value in (("min", expected.low[place]), ("max", expected.high[place])):
                passed &= math.isclose(group.get(f"{side}_{name}", value), value, rel_tol=near)
    passed &= worst_mean <= tolerance and worst_deviation <= 100 * tolerance
    return Check(
        passed=bool(passed),
        oracle="sums by NumPy over Arrow's columns",
        detail={
            "rows": sum(group.count for group in right.values()),
            "mean_relative_error": worst_mean,
            "std_relative_error": worst_deviation,
            "allowed": tolerance,
        },
    )


class Expected:
    """One category: its sums so far."""

    def __init__(self, centres: list[float]) -> None:
        columns = len(centres)
        self.count = 0
        self.low, self.high = [math.inf] * columns, [-math.inf] * columns
        self._centres = centres
        self._sums, self._absolutes, self._moved, self._squares = np.zeros(
            (4, columns), np.longdouble
        )

    def add(self, columns: list[Floats]) -> None:
        self.count += len(columns[0])
        for place, column in enumerate(columns):
            moved = column - self._centres[place]
            self._sums[place] += column.sum(dtype=np.longdouble)
            self._absolutes[place] += np.abs(column).sum(dtype=np.longdouble)
            self._moved[place] += moved.sum(dtype=np.longdouble)
            self._squares[place] += (moved * moved).sum(dtype=np.longdouble)
            self.low[place] = min(self.low[place], float(column.min()))
            self.high[place] = max(self.high[place], float(column.max()))

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
        return float(np.sqrt(max(spread, np.longdouble(0)) / (self.count - 1)))


def group_by(run: Run, means: dict[str, list[float]]) -> dict[str, Expected]:
    """Per category; the given means are only where the deviations are taken from."""
    columns = run.parameters.read
    expected: dict[str, Expected] = {}
    for table in read_tables(run):
        encoded = table[columns.category].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy()
        values = [table[name].to_numpy() for name in columns.values]
        for code, category in enumerate(encoded.dictionary.to_pylist()):
            chosen = codes == code
            if category not in expected:
                centres = means.get(category, [0.0] * len(values))
                expected[category] = Expected(centres)
            expected[category].add([column[chosen] for column in values])
    return expected


def read_tables(run: Run) -> Iterator[pa.Table]:
    """All rows, block by block: the id, the numbers and the category, by Arrow's readers."""
    if run.options.bad_rows == BAD_ROWS_SKIP:
        yield from oracle_skipping.read_tables(run)
        return
    columns = run.parameters.read
    types = {columns.id: pa.int64(), columns.category: pa.string()}
    types |= {name: pa.float64() for name in columns.values}
    for uri in storage.list_files(run.dataset.uri):
        with storage.open_inflated(uri) as file:
            if file.peek(4)[:4] == b"PAR1":
                for batch in parquet.ParquetFile(file).iter_batches(columns=list(types)):
                    table = pa.Table.from_batches([batch]).select(list(types))
                    yield table.cast(pa.schema(types))
                continue
            reader = csv.open_csv(
                file,
                csv.ReadOptions(block_size=READ_BYTES),
                convert_options=csv.ConvertOptions(
                    column_types=types, include_columns=list(types), strings_can_be_null=False
                ),
            )
            for batch in reader:
                if batch.num_rows:
                    yield pa.Table.from_batches([batch])


def check_fit(run: Run, fit: Fit, right: int) -> Check:
    """The gradient at the coefficients, of plain NumPy over Arrow's columns, and the accuracy.

    Up to `REFIT_BYTES` scikit-learn fits the same rows, and its coefficients are compared too.
    """
    columns, l2 = run.parameters.read, run.parameters.l2
    whole = np.vstack([np.zeros(fit.theta.shape[1]), fit.theta])
    gradient, at_zero = np.zeros_like(whole), np.zeros_like(whole)
    correct = 0
    kept: list[tuple[Floats, npt.NDArray[np.int64]]] = []
    for table in read_tables(run):
        z, codes, test = _design(table, columns, fit.classes, run.options.seed)
        scores = z @ whole.T
        correct += int((scores.argmax(axis=1) == codes)[test].sum())
        z, codes, scores = z[~test], codes[~test], scores[~test]
        share = np.exp(scores - scores.max(axis=1, keepdims=True))
        share /= share.sum(axis=1, keepdims=True)
        own = np.eye(len(whole))[codes]
        gradient += (share - own).T @ z
        at_zero += (1 / len(whole) - own).T @ z
        if run.dataset.bytes <= REFIT_BYTES:
            kept.append((z[:, 1:], codes))
    penalty = l2 * fit.centred
    penalty[:, 0] = 0
    relative = float(np.linalg.norm(gradient + penalty) / (np.linalg.norm(at_zero) or 1.0))
    detail: dict[str, Any] = {"gradient_norm": relative, "correct": correct}
    allowed = max(100 * run.parameters.tolerance, SMALLEST_GRADIENT)
    passed = relative <= allowed and correct == right
    detail["allowed"] = allowed
    if kept:
        expected = refit(kept, l2)
        distance = float(np.abs(expected - fit.centred).max() / max(1.0, np.abs(expected).max()))
        detail["coefficients_distance"] = distance
        passed &= distance <= COEFFICIENTS_DISTANCE
    return Check(passed=passed, oracle="gradient by NumPy over Arrow's columns", detail=detail)


def _design(
    table: pa.Table, columns: Columns, classes: npt.NDArray[np.uint8], seed: int
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """(1, x, y …) in single precision as doubles; places in `classes`; which rows are test rows."""
    features = [table[name].to_numpy().astype(np.float32) for name in columns.values]
    z = np.column_stack([np.ones(len(table)), *features]).astype(np.float64)
    names = pa.array([columns.categories[code] for code in classes])
    codes = pc.index_in(table[columns.category], names).fill_null(-1).to_numpy()
    return z, codes.astype(np.int64), is_test(table[columns.id].to_numpy(), seed)


def is_test(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """splitmix64 of the id and the seed, in the lowest fifth of its range."""
    value = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    value ^= value >> np.uint64(31)
    return value < np.uint64(2**64 // 5)


def refit(kept: list[tuple[Floats, npt.NDArray[np.int64]]], l2: float) -> Floats:
    """scikit-learn's coefficients, intercepts first, centred over the classes."""
    from sklearn.linear_model import LogisticRegression

    features = np.concatenate([features for features, _ in kept])
    codes = np.concatenate([codes for _, codes in kept])
    model = LogisticRegression(C=1 / l2 if l2 else np.inf, tol=1e-10, max_iter=10_000)
    model.fit(features, codes)
    found = np.column_stack([model.intercept_, model.coef_])
    if len(found) == 1:  # Two classes: scikit-learn keeps the second's alone.
        found = np.vstack([np.zeros_like(found), found])
    return found - found.mean(axis=0)  # type: ignore[no-any-return]
