"""Whether a fit is the maximum: its gradient and Hessian there, by NumPy over the oracle's rows.

Nothing of the kernels is used, nor of their reader (oracle_rows.py), nor what was kept of the
rows: the numbers are the file's own. The loss is convex, so where the gradient is zero is the
maximum likelihood, and the Newton step from there is how far off the coefficients are. All of that
is judged in the directions in which standardised columns spread. Where some do not, or next to not,
many coefficients are equally right, and the loss alone and the predictions are judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit.records import Check
from studykit.run import Run

from ray_vs_dask_etl.oracle_rows import read_tables
from ray_vs_dask_etl.rows import Columns
from ray_vs_dask_etl.solver import Fit

COEFFICIENTS_DISTANCE = 1e-5
"""Of the largest in standardised columns."""
LOSS_DISTANCE = 1e-10
"""Per row: what coefficients that are off by 1e-5 cost."""
SMALLEST_GRADIENT = 1e-6
"""Rounding of the kept rows and of the oracle's plain sums, relative to the gradient at zero."""
GRADIENT_FLOOR = 1e-5
"""A gradient at zero below this, which it may be by chance, is no measure for others."""
NO_SPREAD, UNIQUE_SPREAD = 1e-12, 1e-9
"""Variances of directions: no more than rounding; enough for coefficients to be told."""
MOST_PARAMETERS = 1000
"""Above, a Hessian takes too long, and the gradient alone is judged."""
ROWS_AT_ONCE = 1 << 15

Floats = npt.NDArray[np.float64]


@dataclass
class Sums:
    """Over the training rows, of z = (1, v): v runs from -1 to 1 in every column."""

    products: Floats
    """Σ z zᵀ."""
    gradient: Floats
    """float64[classes, 1 + columns]: Σ (share - own) z."""
    at_zero: Floats
    hessian: Floats | None
    """float64[classes · (1 + columns)] squared."""
    correct: int = 0
    """Test rows whose category has the highest score, by more than rounding."""
    doubtful: int = 0
    """Test rows with two next to equal scores."""


def check_fit(run: Run, fit: Fit, right: int) -> Check:
    """Judge the coefficients and `right`, the number of right predictions."""
    middle, half = _ranges(run)
    sums = _sums(run, fit, middle, half)
    space = Space(run, sums, half)
    found = space.judged(fit, sums, middle)
    detail = {
        "gradient_norm": found.gradient,
        "allowed": max(100 * run.parameters.tolerance, SMALLEST_GRADIENT),
        "correct": sums.correct,
        "doubtful": sums.doubtful,
        "written_distance": found.written,
        "unique": space.unique,
    }
    passed = found.gradient <= detail["allowed"] and found.written <= COEFFICIENTS_DISTANCE
    passed &= sums.correct <= right <= sums.correct + sums.doubtful
    if found.loss is not None:
        detail["loss_distance"] = found.loss
        passed &= found.loss <= LOSS_DISTANCE
    if found.coefficients is not None:
        detail["coefficients_distance"] = found.coefficients
        passed &= found.coefficients <= COEFFICIENTS_DISTANCE
    return Check(
        passed=bool(passed),
        oracle="gradient and Newton step by NumPy over Arrow's columns",
        detail=detail,
    )


@dataclass(frozen=True)
class Judged:
    """Distances from the maximum; None where they cannot be told."""

    gradient: float
    loss: float | None
    coefficients: float | None
    written: float
    """Of the coefficients in the columns' own units from the ones that were judged."""


class Space:
    """The directions in which the columns spread: ψ = φ @ transform, of z = (1, v)."""

    def __init__(self, run: Run, sums: Sums, half: Floats) -> None:
        self._l2, self._half, self._count = run.parameters.l2, half, sums.products[0, 0]
        self._means = sums.products[0, 1:] / self._count
        squares = sums.products[1:, 1:] / self._count
        covariances = squares - np.outer(self._means, self._means)
        variances = covariances.diagonal().copy()
        # What is left of sums of squares when they cancel is rounding.
        variances[variances <= 1e-14 * squares.diagonal()] = 0
        weight = np.sqrt(self._l2 / self._count)
        with np.errstate(all="ignore"):
            self._units = np.hypot(np.sqrt(variances), weight / half)
            inverse = np.where(self._units > 0, 1 / self._units, 0.0)
            penalty = np.nan_to_num(weight / half / self._units)
            lost = np.nan_to_num(squares.diagonal() / variances, posinf=0.0).max(initial=1.0)
        shape = covariances * np.outer(inverse, inverse) + np.diag(penalty**2)
        spreads, axes = np.linalg.eigh(shape)
        used = spreads > (NO_SPREAD + 1e-14 * lost) * spreads[-1]
        self._axes = axes[:, used] / np.sqrt(spreads[used])
        self._slopes = self._axes.T * inverse
        open_ = int((self._units > 0).sum()) - int(used.sum())
        self.unique = bool(not open_ and spreads[used].min(initial=1.0) > UNIQUE_SPREAD)
        self._transform = np.zeros((1 + len(self._slopes), 1 + len(half)))
        self._transform[0, 0] = 1.0
        self._transform[1:, 1:] = self._slopes
        self._transform[1:, 0] = -(self._slopes @ self._means)

    def judged(self, fit: Fit, sums: Sums, middle: Floats) -> Judged:
        theta = np.vstack([np.zeros(fit.theta.shape[1]), fit.theta])
        theta -= theta.mean(axis=0)
        penalised = theta[:, 1:] * fit.scaling.factors
        gradient = sums.gradient @ self._transform.T
        if self._l2:
            gradient[:, 1:] += self._l2 * (penalised / self._half) @ self._slopes.T
        gradient /= self._count
        at_zero = np.linalg.norm(sums.at_zero @ self._transform.T) / self._count
        norm = float(np.linalg.norm(gradient) / max(at_zero, GRADIENT_FLOOR))
        # In standardised columns, and in those as they are.
        slopes = theta[:, 1:] * (fit.scaling.factors * self._half * self._units)
        written = self._written(fit, theta, slopes, middle)
        if sums.hessian is None:
            return Judged(norm, None, None, written)
        step = self._newton_step(gradient, sums.hessian)
        loss = float((step * gradient[1:]).sum()) / 2
        moved = np.column_stack([step[:, 0], step[:, 1:] @ self._axes.T])
        largest = max(1.0, float(np.abs(slopes).max(initial=0.0)))
        distance = float(np.abs(moved).max()) / largest if self.unique else None
        return Judged(norm, loss, distance, written)

    def _newton_step(self, gradient: Floats, hessian: Floats) -> Floats:
        """float64[classes - 1, 1 + directions], the first category's coefficients being 0."""
        classes, terms = len(gradient), len(self._transform)
        wide = np.kron(np.eye(classes), self._transform)
        penalty = np.zeros((terms, terms))
        in_units = self._slopes / self._half if self._l2 else np.zeros((terms - 1, 0))
        penalty[1:, 1:] = self._l2 * (in_units @ in_units.T)
        whole = wide @ hessian @ wide.T + np.kron(np.eye(classes) - 1 / classes, penalty)
        part = whole[terms:, terms:] / self._count
        step, *_ = np.linalg.lstsq(part, gradient[1:].ravel(), rcond=None)
        return step.reshape(classes - 1, terms)

    def _written(self, fit: Fit, theta: Floats, slopes: Floats, middle: Floats) -> float:
        found = fit.coefficients
        largest = max(1.0, float(np.abs(slopes).max(initial=0.0)))
        apart = np.abs(found[:, 1:] * self._half * self._units - slopes).max(initial=0.0)
        # At the middle of the columns both say the same, as far as large summands let them.
        summands = found[:, 1:] * middle
        scaled = theta[:, 1:] * (middle * fit.scaling.factors - fit.scaling.offsets)
        distance = found[:, 0] + summands.sum(axis=1) - theta[:, 0] - scaled.sum(axis=1)
        rounded = 1e-14 * (np.abs(summands).sum(axis=1) + np.abs(found[:, 0]))
        return float(max(apart, np.maximum(np.abs(distance) - rounded, 0.0).max())) / largest


def _ranges(run: Run) -> tuple[Floats, Floats]:
    """(middle, half the width) of every column; where it has no width, 1."""
    low, high = np.inf, -np.inf
    for table in read_tables(run):
        values = _values(table, run.parameters.read)
        low, high = np.minimum(low, values.min(axis=0)), np.maximum(high, values.max(axis=0))
    half = np.asarray(high / 2 - low / 2)  # The difference may be above the largest double.
    return np.asarray(low / 2 + high / 2), np.where(half > 0, half, 1.0)


def _sums(run: Run, fit: Fit, middle: Floats, half: Floats) -> Sums:
    classes, terms = len(fit.classes), 1 + len(half)
    size = classes * terms
    theta = np.vstack([np.zeros(terms), fit.theta])
    hessian = np.zeros((size, size)) if size <= MOST_PARAMETERS else None
    gradient, at_zero = np.zeros((2, classes, terms))
    sums = Sums(np.zeros((terms, terms)), gradient, at_zero, hessian)
    granted = 1e-11 if fit.scaling.wide else 1e-6
    for values, codes, test in _slices(run, fit):
        kept = values * fit.scaling.factors - fit.scaling.offsets
        scores = theta[:, 0] + kept @ theta[:, 1:].T
        sizes = np.abs(theta[:, 0]) + np.abs(kept) @ np.abs(theta[:, 1:]).T
        best = np.partition(scores, classes - 2, axis=1)
        doubtful = best[:, -1] - best[:, -2] <= granted * sizes.max(axis=1)
        sums.correct += int(((scores.argmax(axis=1) == codes) & ~doubtful & test).sum())
        sums.doubtful += int((doubtful & test).sum())
        z = np.column_stack([np.ones(len(values)), (values - middle) / half])
        _add(sums, z[~test], scores[~test], codes[~test])
    return sums


def _add(sums: Sums, z: Floats, scores: Floats, codes: npt.NDArray[np.int64]) -> None:
    share = np.exp(scores - scores.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    classes = share.shape[1]
    own = np.eye(classes)[codes]
    sums.products += z.T @ z
    sums.gradient += (share - own).T @ z
    sums.at_zero += (1 / classes - own).T @ z
    if sums.hessian is not None:
        # Σ P_k (δ_kl - P_l) z zᵀ.
        each = (share[:, :, None] * z[:, None, :]).reshape(len(z), -1)
        sums.hessian -= each.T @ each
        terms = z.shape[1]
        for k in range(classes):
            place = slice(k * terms, (k + 1) * terms)
            sums.hessian[place, place] += each[:, place].T @ z


def _slices(
    run: Run, fit: Fit
) -> Iterator[tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.bool_]]]:
    """float64[rows, columns]; places in the fit's classes, -1 for others; which are test rows."""
    columns = run.parameters.read
    names = pa.array([columns.categories[code] for code in fit.classes])
    for table in read_tables(run):
        values = _values(table, columns)
        codes = pc.index_in(table[columns.category], names).fill_null(-1).to_numpy()
        test = is_test(table[columns.id].to_numpy(), run.options.seed)
        for first in range(0, len(values), ROWS_AT_ONCE):
            part = slice(first, first + ROWS_AT_ONCE)
            yield values[part], codes[part].astype(np.int64), test[part]


def _values(table: pa.Table, columns: Columns) -> Floats:
    return np.column_stack([table[name].to_numpy() for name in columns.values])


def is_test(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """splitmix64 of the id and the seed, in the lowest fifth of its range."""
    value = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    value ^= value >> np.uint64(31)
    return value < np.uint64(2**64 // 5)
