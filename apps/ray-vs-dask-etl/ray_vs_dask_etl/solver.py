"""Maximum likelihood from sums over the rows: Newton's method, or L-BFGS where columns are many.

The one idea: a solver only ever asks for the sums at some θ, so it runs where the driver runs and
knows nothing of rows, splits or engines. It works on columns moved to mean 0 and scaled to
deviation 1, whatever their units are; θ, the L2 term and the answer are in the columns' own.

Newton's steps are halved while the loss grows (Nocedal & Wright 2006, section 3.3). L-BFGS is their
algorithm 7.5 with a line search on slopes alone, which for a convex loss is enough and does not
end, as losses would, where two of them differ by less than their rounding.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

from ray_vs_dask_etl.regression import Sums
from ray_vs_dask_etl.regression import described

MANY_COLUMNS = 200
"""Above, a Hessian costs more than the iterations that it saves."""
HALVINGS = 40
SLOPE_SHARE = 0.5
"""A step is long enough once the slope along it has halved."""
MEMORY = 10
ROUNDING = 1e-12
SEPARATED = 1e-6
"""A loss below this share of the one without columns is that of a fit without an end."""

Floats = npt.NDArray[np.float64]
Evaluate = Callable[[Floats, bool], Sums]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fit:
    """theta: float64[classes - 1, 1 + columns], of the classes after the first of `classes`."""

    theta: Floats
    classes: npt.NDArray[np.uint8]
    iterations: int
    passes: int
    gradient_norm: float
    """Relative to the one at zero."""
    loss: float
    separated: bool

    @property
    def centred(self) -> Floats:
        """float64[classes, 1 + columns]: the same model, with sum 0 over the classes."""
        whole = np.vstack([np.zeros(self.theta.shape[1]), self.theta])
        return whole - whole.mean(axis=0)


class Objective:
    """Loss, gradient and Hessian per training row, of φ: θ for the scaled columns."""

    def __init__(self, moments: Floats, l2: float, evaluate: Evaluate) -> None:
        found = described(moments)
        self.classes = np.flatnonzero(found["counts"]).astype(np.uint8)
        if len(self.classes) < 2:
            raise DataError("a regression needs two categories or more among the training rows")
        self._evaluate, self._l2 = evaluate, l2
        self._rows = found["counts"].sum()
        scale = np.where(found["deviations"] > 0, found["deviations"], 1.0)
        # θ = φ @ transform: the same score of a row from its own as from its scaled columns.
        self._transform = np.diag(np.append(1.0, 1 / scale))
        self._transform[1:, 0] = -found["means"] / scale
        own = moments[self.classes][1:]
        self._labels = np.column_stack([own[:, 0], own[:, 1::2]])
        shares = found["counts"][self.classes] / self._rows
        self._null = -float(shares @ np.log(shares))
        self.passes = 0

    @property
    def zero(self) -> Floats:
        return np.zeros_like(self._labels)

    def theta(self, phi: Floats) -> Floats:
        return phi @ self._transform

    def __call__(self, phi: Floats, second: bool) -> Sums:
        self.passes += 1
        theta = self.theta(phi)
        sums = self._evaluate(theta, second)
        centred = theta.copy()
        centred -= theta.sum(axis=0) / len(self.classes)
        centred[:, 0] = 0
        loss = sums.loss - float((theta * self._labels).sum())
        loss += self._l2 / 2 * (float((theta * centred).sum()))
        gradient = (sums.gradient - self._labels + self._l2 * centred) @ self._transform.T
        hessian = self._hessian(sums.hessian) if second else sums.hessian
        return Sums(loss / self._rows, gradient / self._rows, hessian)

    def _hessian(self, sums: Floats) -> Floats:
        classes, terms = self._labels.shape
        slopes = np.diag(np.append(0.0, np.ones(terms - 1)))
        l2 = self._l2 * np.kron(np.eye(classes) - 1 / len(self.classes), slopes)
        wide = np.kron(np.eye(classes), self._transform)
        return wide @ (sums + l2) @ wide.T / self._rows  # type: ignore[no-any-return]

    def is_separated(self, loss: float) -> bool:
        return bool(loss < SEPARATED * self._null)


class Solver(Protocol):
    def __call__(
        self, objective: Objective, tolerance: float, most: int, progress: Progress
    ) -> tuple[Floats, Sums, int, float]: ...


def fit(
    moments: Floats,
    evaluate: Evaluate,
    *,
    solver: str,
    l2: float,
    tolerance: float,
    max_iterations: int,
    progress: Progress,
) -> Fit:
    """The coefficients that make the training rows likeliest; look at `gradient_norm` of it."""
    objective = Objective(moments, l2, evaluate)
    solve = SOLVERS[choose(solver, objective.zero.shape[1] - 1)]
    phi, sums, iterations, norm = solve(objective, tolerance, max_iterations, progress)
    return Fit(
        theta=objective.theta(phi),
        classes=objective.classes,
        iterations=iterations,
        passes=objective.passes,
        gradient_norm=norm,
        loss=float(sums.loss),
        separated=objective.is_separated(sums.loss),
    )


def choose(solver: str, columns: int) -> str:
    return solver if solver != "auto" else "lbfgs" if columns > MANY_COLUMNS else "newton"


def newton(
    objective: Objective, tolerance: float, most: int, progress: Progress
) -> tuple[Floats, Sums, int, float]:
    """Returns (φ, the sums there, iterations, norm of the gradient to that at zero)."""
    phi = objective.zero
    sums = objective(phi, True)
    first = norm = float(np.linalg.norm(sums.gradient))
    iterations = 0
    while norm > tolerance * first and iterations < most:
        # Columns that say the same make the Hessian singular; of all solutions the shortest.
        step, *_ = np.linalg.lstsq(sums.hessian, sums.gradient.ravel(), rcond=None)
        step = step.reshape(phi.shape)
        for _ in range(HALVINGS):
            tried = objective(phi - step, True)
            if tried.loss <= sums.loss + ROUNDING * abs(sums.loss):
                break
            step /= 2
        phi, sums = phi - step, tried
        norm = float(np.linalg.norm(sums.gradient))
        iterations += 1
        progress(f"iteration {iterations}, gradient {norm / first:.1e} of the first")
    return phi, sums, iterations, norm / first if first else 0.0


def lbfgs(
    objective: Objective, tolerance: float, most: int, progress: Progress
) -> tuple[Floats, Sums, int, float]:
    """As `newton`, from gradients alone."""
    phi = objective.zero
    sums = objective(phi, False)
    first = norm = float(np.linalg.norm(sums.gradient))
    pairs: deque[tuple[Floats, Floats]] = deque(maxlen=MEMORY)
    iterations = 0
    while norm > tolerance * first and iterations < most:
        direction = -_inverse_times(pairs, sums.gradient)
        length, tried = _line_search(objective, phi, sums, direction)
        step, change = length * direction, tried.gradient - sums.gradient
        if float((step * change).sum()) > 0:  # Else rounding is all that is left between them.
            pairs.append((step, change))
        phi, sums = phi + step, tried
        norm = float(np.linalg.norm(sums.gradient))
        iterations += 1
        progress(f"iteration {iterations}, gradient {norm / first:.1e} of the first")
    return phi, sums, iterations, norm / first if first else 0.0


def _inverse_times(pairs: deque[tuple[Floats, Floats]], gradient: Floats) -> Floats:
    """The inverse Hessian that the last steps suggest, times the gradient (algorithm 7.4)."""
    q = gradient.copy()
    weights = []
    for step, change in reversed(pairs):
        weight = float((step * q).sum() / (step * change).sum())
        weights.append(weight)
        q -= weight * change
    if pairs:
        step, change = pairs[-1]
        q *= float((step * change).sum() / (change * change).sum())
    for (step, change), weight in zip(pairs, reversed(weights), strict=True):
        q += step * (weight - float((change * q).sum() / (step * change).sum()))
    return q


def _line_search(
    objective: Objective, phi: Floats, sums: Sums, direction: Floats
) -> tuple[float, Sums]:
    """A step at which the slope along the direction is at most half of what it was."""
    slope = float((sums.gradient * direction).sum())
    low, high, length = 0.0, np.inf, 1.0
    for _ in range(HALVINGS):
        tried = objective(phi + length * direction, False)
        there = float((tried.gradient * direction).sum())
        if abs(there) <= SLOPE_SHARE * abs(slope):
            break
        if there < 0:
            low = length
        else:
            high = length
        length = 2 * length if np.isinf(high) else (low + high) / 2
    return length, tried


SOLVERS: dict[str, Solver] = {"newton": newton, "lbfgs": lbfgs}
