"""Whether a fit is the maximum: its gradient and Hessian there, by NumPy over the oracle's rows.

Nothing of the kernels is used, nor of their reader (oracle_rows.py, oracle_sums.py), nor what was
kept of the rows: the numbers are the file's own. The loss is convex, so where the gradient is zero
is the maximum likelihood, and the Newton step from there is how far off the coefficients are. All
of that is judged in the directions in which standardised columns spread. Where some do not, or next
to not, many coefficients are equally right, and the loss alone and the predictions are judged.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit.records import Check
from studykit.run import Run

from ray_vs_dask_etl import oracle_sums
from ray_vs_dask_etl.oracle_sums import Sums
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

Floats = npt.NDArray[np.float64]


def check_fit(run: Run, fit: Fit, right: int) -> Check:
    """Judge the coefficients and `right`, the number of right predictions."""
    sums, range_ = oracle_sums.read(run, fit)
    middle, half = range_.middle, range_.half
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
        oracle="gradient and Newton step by NumPy over an independent reading",
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
