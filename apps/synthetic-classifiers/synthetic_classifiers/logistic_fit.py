"""The coefficients that make the training samples likeliest, with a penalty on their squares.

Minimised is scikit-learn's `LogisticRegression`: the sum of the losses plus `l2` / 2 times the
squares of all coefficients but the intercepts (its `C` is 1 / l2). Newton's method, whose steps are
halved where they lead up (Nocedal & Wright 2006, section 3.3), from sums over all workers; SciPy's
L-BFGS-B (Zhu, Byrd, Lu & Nocedal 1997) where the coefficients are so many that a Hessian costs more
than the steps that it saves.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from synthetic_classifiers.logistic import Floats, Sums

MOST_FOR_NEWTON = 200
"""Coefficients."""
STILL = 1e-9
"""A step of no more than this much of the coefficients leaves them where they are."""
HALVINGS = 40
FLAT = 1e-12
"""Gradient over the first one, below which L-BFGS stops."""

SumsAt = Callable[[Floats, bool], Sums]
"""(coefficients, whether the Hessian is wanted) → sums over all training samples."""


@dataclass(frozen=True)
class Fit:
    """coefficients: float64[rows, columns + 1], the intercept last."""

    coefficients: Floats
    iterations: int
    converged: bool


def fit(
    sums_at: SumsAt,
    shape: tuple[int, int],
    l2: float,
    most: int,
    progress: Callable[[str], None],
) -> Fit:
    penalty = np.full(shape, l2)
    penalty[:, -1] = 0.0

    def penalised(coefficients: Floats, with_hessian: bool) -> Sums:
        found = sums_at(coefficients, with_hessian)
        hessian = found.hessian + np.diag(penalty.ravel()) if with_hessian else found.hessian
        return Sums(
            found.loss + 0.5 * float((penalty * coefficients**2).sum()),
            found.gradient + penalty * coefficients,
            hessian,
        )

    if shape[0] * shape[1] > MOST_FOR_NEWTON:
        return _lbfgs(penalised, shape, most, progress)
    return _newton(penalised, shape, most, progress)


def _newton(
    sums_at: SumsAt, shape: tuple[int, int], most: int, progress: Callable[[str], None]
) -> Fit:
    at = np.zeros(shape)
    found = sums_at(at, True)
    for iteration in range(1, most + 1):
        step = _step(found, shape)
        for _ in range(HALVINGS):
            tried = sums_at(at + step, True)
            if tried.loss <= found.loss + abs(found.loss) * np.finfo(float).eps:
                break
            step = step / 2
        at, found = at + step, tried
        progress(f"iteration {iteration}, loss {found.loss:.6f}")
        if np.abs(step).max() <= STILL * (1 + np.abs(at).max()):
            return Fit(at, iteration, True)
    return Fit(at, most, False)


def _step(found: Sums, shape: tuple[int, int]) -> Floats:
    """Newton's, with columns scaled so that their units do not matter.

    The intercepts of all classes may move together without any change: of all solutions that is
    the shortest.
    """
    scale = 1 / np.sqrt(np.maximum(np.diag(found.hessian), np.finfo(float).tiny))
    scaled = found.hessian * scale[:, None] * scale
    solved, *_ = np.linalg.lstsq(scaled, -found.gradient.ravel() * scale, rcond=1e-15)
    step: Floats = (solved * scale).reshape(shape)
    if shape[0] > 1:
        step[:, -1] -= step[:, -1].mean()
    return step


def _lbfgs(
    sums_at: SumsAt, shape: tuple[int, int], most: int, progress: Callable[[str], None]
) -> Fit:
    # Here, because SciPy takes a third of a second, for which only who needs it shall wait.
    from scipy import optimize

    first = max(float(np.abs(sums_at(np.zeros(shape), False).gradient).max()), 1e-300)
    iterations = 0

    def value(flat: Floats) -> tuple[float, Floats]:
        found = sums_at(flat.reshape(shape), False)
        return found.loss / first, found.gradient.ravel() / first

    def count(flat: Floats) -> None:
        nonlocal iterations
        iterations += 1
        progress(f"iteration {iterations}")

    found = optimize.minimize(
        value, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", callback=count,
        options={"maxiter": most, "maxfun": 2 * most + 20, "ftol": 0.0, "gtol": FLAT, "maxcor": 20},
    )  # fmt: skip
    coefficients = found.x.reshape(shape)
    if shape[0] > 1:
        coefficients[:, -1] -= coefficients[:, -1].mean()
    # It also ends where no step goes down any further, which is as near as doubles come.
    flat = float(np.abs(found.jac).max()) <= 1e-8
    return Fit(coefficients, int(found.nit), bool(flat and found.nit < most))
