"""Maximum likelihood from sums over the rows: Newton's method, or L-BFGS where columns are many.

The one idea: a solver only ever asks for the sums at some φ (objective.py), so it runs where the
driver runs and knows nothing of rows, splits or engines.

Newton's steps are halved where they lead up (Nocedal & Wright 2006, section 3.3). L-BFGS is their
algorithm 7.5 with a line search on slopes alone, which for a convex loss is enough and does not
end, as losses would, where two of them differ by less than their rounding.

A small gradient alone is no maximum: where categories can be told apart it becomes small on a way
that has no end. Coefficients that still move when it is small are therefore followed until they
stand still, or until the rows say that the way never ends (`Objective.no_end`).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ray_vs_dask_etl.objective import Classes, Objective
from ray_vs_dask_etl.regression import Floats, Sums
from ray_vs_dask_etl.scaling import Scaling

MANY_COLUMNS = 200
"""Above, a Hessian costs more than the iterations that it saves."""
HALVINGS = 40
SLOPE_SHARE = 0.5
"""A step is long enough once the slope along it has halved."""
MEMORY = 10
STILL, STILL_AT_MOST = 100, 1e-3
"""Steps of no more than this many tolerances, and no more than this, leave φ where it is."""
STAGE = 1e3
"""What L-BFGS makes the gradient smaller by to see what still moves."""

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Stop:
    """Where a solver ended. norm: of the gradient, relative to that at zero."""

    phi: Floats
    sums: Sums
    iterations: int
    norm: float
    converged: bool
    separated: bool


@dataclass(frozen=True)
class Fit:
    """theta: float64[classes - 1, 1 + columns], of the classes after the first of `classes`, for
    the columns as `scaling` makes them. gradient_norm: relative to the one at zero.

    rank: how many of the columns say something of their own; None where there are too many to tell.
    """

    theta: Floats
    classes: Classes
    scaling: Scaling
    rank: int | None
    iterations: int
    passes: int
    gradient_norm: float
    loss: float
    converged: bool
    separated: bool

    @property
    def coefficients(self) -> Floats:
        """float64[classes, 1 + columns] in the columns' own units, with sum 0 over the classes."""
        whole = np.vstack([np.zeros(self.theta.shape[1]), self.theta])
        return self.scaling.of_columns(whole - whole.mean(axis=0))


class Solver(Protocol):
    def __call__(
        self, objective: Objective, tolerance: float, most: int, progress: Progress
    ) -> Stop: ...


def fit(
    objective: Objective,
    scaling: Scaling,
    *,
    solver: str,
    tolerance: float,
    max_iterations: int,
    progress: Progress,
) -> Fit:
    """The coefficients that make the training rows likeliest; look at `converged` of it."""
    solve = SOLVERS[choose(solver, len(scaling.factors))]
    stop = solve(objective, tolerance, max_iterations, progress)
    # All categories told apart by so much that no step is left to be taken.
    vanished = objective.vanishes(stop.sums.loss) and objective.no_end(stop.phi)
    separated = stop.separated or vanished
    return Fit(
        theta=objective.theta(stop.phi),
        classes=objective.classes,
        scaling=scaling,
        rank=objective.rank,
        iterations=stop.iterations,
        passes=objective.passes,
        gradient_norm=stop.norm,
        loss=float(stop.sums.loss),
        converged=stop.converged and not separated,
        separated=separated,
    )


def choose(solver: str, columns: int) -> str:
    return solver if solver != "auto" else "lbfgs" if columns > MANY_COLUMNS else "newton"


def newton(objective: Objective, tolerance: float, most: int, progress: Progress) -> Stop:
    """Until the gradient is small and the next step too."""
    phi = objective.zero
    sums = objective(phi, True)
    first = _measure(objective, sums)
    iterations, converged, separated = 0, False, False
    while True:
        norm = float(np.linalg.norm(sums.gradient)) / first
        # Where all probabilities are next to 0 or 1 the Hessian is next to singular.
        solved, *_ = np.linalg.lstsq(sums.hessian, -sums.gradient.ravel(), rcond=None)
        step = np.asarray(solved.reshape(phi.shape), np.float64)
        converged = norm <= tolerance and _is_still(step, phi, tolerance)
        if not converged and (norm <= tolerance or iterations == most):
            separated = objective.no_end(step)
        if converged or separated or iterations == most:
            return Stop(phi, sums, iterations, norm, converged, separated)
        step, tried = _shortened(objective, phi, sums, step)
        phi, sums = phi + step, tried
        iterations += 1
        progress(_progress(iterations, sums, first))


def _shortened(objective: Objective, phi: Floats, sums: Sums, step: Floats) -> tuple[Floats, Sums]:
    """A step halved until it is one down, and the sums behind it: by the losses or, where these
    differ by less than their rounding, by the slopes."""
    for _ in range(HALVINGS):
        tried = objective(phi + step, True)
        slope, there = (float((s.gradient * step).sum()) for s in (sums, tried))
        if tried.loss <= sums.loss or abs(there) <= SLOPE_SHARE * abs(slope):
            break
        step = step / 2
    return step, tried


def lbfgs(objective: Objective, tolerance: float, most: int, progress: Progress) -> Stop:
    """From gradients alone: until one of them is small, and what the last stage moved too."""
    phi = objective.zero
    sums = objective(phi, False)
    first = _measure(objective, sums)
    pairs: deque[tuple[Floats, Floats]] = deque(maxlen=MEMORY)
    iterations, target = 0, tolerance
    before = phi
    while True:
        norm = float(np.linalg.norm(sums.gradient)) / first
        if norm > target * STAGE:
            before = phi
        elif norm <= target or iterations == most:
            moved = phi - before
            converged = norm <= tolerance and _is_still(moved / STAGE, phi, tolerance)
            separated = not converged and objective.no_end(moved)
            if converged or separated:
                return Stop(phi, sums, iterations, norm, converged, separated)
            before, target = phi, norm / STAGE
        if iterations == most:
            return Stop(phi, sums, iterations, norm, False, False)
        direction = -_inverse_times(pairs, sums.gradient)
        length, tried = _line_search(objective, phi, sums, direction)
        step, change = length * direction, tried.gradient - sums.gradient
        if float((step * change).sum()) > 0:  # Else rounding is all that is left between them.
            pairs.append((step, change))
        phi, sums = phi + step, tried
        iterations += 1
        progress(_progress(iterations, sums, first))


def _measure(objective: Objective, at_zero: Sums) -> float:
    """What gradients are relative to."""
    return max(float(np.linalg.norm(at_zero.gradient)), objective.gradient_floor)


def _is_still(step: Floats, phi: Floats, tolerance: float) -> bool:
    allowed = min(STILL * tolerance, STILL_AT_MOST)
    return bool(np.abs(step).max() <= allowed * (1 + np.abs(phi).max()))


def _progress(iterations: int, sums: Sums, first: float) -> str:
    norm = float(np.linalg.norm(sums.gradient)) / first
    return f"iteration {iterations}, gradient {norm:.1e} of the first"


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
