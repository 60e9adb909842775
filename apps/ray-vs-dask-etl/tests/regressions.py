"""Regressions that the tests share: rows made here, and the float64 fit that they are held to."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from ray_vs_dask_etl import oracle_sums, regression, solver, worker
from ray_vs_dask_etl.objective import Objective, Rows
from ray_vs_dask_etl.regression import Cached, Loaded
from ray_vs_dask_etl.rows import Columns
from ray_vs_dask_etl.scaling import Scaling
from ray_vs_dask_etl.solver import Fit
from sklearn.linear_model import LogisticRegression


def cached(
    features: np.ndarray,
    codes: np.ndarray,
    classes: int,
    seed: int = 0,
    scaling: Scaling | None = None,
) -> Cached:
    """As a worker makes it, from numbers[columns, rows]."""
    names = tuple(f"x{place}" for place in range(len(features)))
    columns = Columns("id", names, "category", tuple(map(str, range(classes))))
    values = np.ascontiguousarray(features, np.float64)
    ids, known = np.arange(len(codes)), codes.astype(np.uint8)
    return worker.divided(ids, values, known, columns, seed, scaling or Scaling.of(values))


def fit(parts: Sequence[Cached], scaling: Scaling, l2: float = 0.0, **asked: Any) -> Fit:
    """As the driver does it."""

    def evaluate(theta, second):
        sums = [regression.evaluate(part, theta, second) for part in parts]
        return sum(sums[1:], sums[0])

    def margins(theta, classes, granted):
        found = [regression.margins(part, theta, classes, granted) for part in parts]
        return sum(found[1:], found[0])

    total = Loaded.total(part.known for part in parts)
    options: dict[str, Any] = {"solver": "auto", "tolerance": 1e-8, "max_iterations": 200} | asked
    objective = Objective(total, scaling, l2, Rows(evaluate, margins))
    return solver.fit(objective, scaling, progress=lambda text: None, **options)


def fit_of(features: np.ndarray, codes: np.ndarray, classes: int, **asked: Any) -> Fit:
    scaling = Scaling.of(np.asarray(features, np.float64))
    return fit([cached(features, codes, classes, scaling=scaling)], scaling, **asked)


def is_training(rows: int, seed: int = 0) -> np.ndarray:
    """Of rows with the ids 0, 1, 2 …"""
    return ~oracle_sums.is_test(np.arange(rows), seed)


def standardised(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """numbers[columns, rows] → (theirs, means, deviations); a constant column is all zero."""
    low, high = features.min(axis=1), features.max(axis=1)
    size = np.where(high > low, high / 2 - low / 2, 1.0)
    moved = (features - low[:, None]) / size[:, None]
    means = moved.mean(axis=1)
    moved -= means[:, None]
    deviations = np.where(high > low, moved.std(axis=1), 0.0)
    theirs = moved / np.where(deviations > 0, deviations, 1.0)[:, None]
    return theirs, low + means * size, deviations * size


def reference(
    features: np.ndarray, codes: np.ndarray, l2: float = 0.0, solver: str = "lbfgs"
) -> np.ndarray:
    """scikit-learn's fit of all rows, in standardised columns: float64[classes, 1 + columns]."""
    theirs, means, deviations = standardised(features)
    two = len(np.unique(codes)) == 2
    # It has one row of coefficients for two categories, and so half of their squares.
    model = LogisticRegression(
        C=(2 if two else 1) / l2 if l2 else np.inf, tol=1e-12, max_iter=20_000, solver=solver
    )
    columns = features - means[:, None] if l2 else theirs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Its last digits are not always to be had.
        model.fit(columns.T, codes)
    slopes = model.coef_ * (deviations if l2 else 1.0)
    found = np.column_stack([model.intercept_, slopes])
    if two:
        found = np.vstack([np.zeros_like(found), found])
    return found - found.mean(axis=0)


def assert_coefficients(
    found: np.ndarray, features: np.ndarray, right: np.ndarray, allowed: float = 1e-5
) -> None:
    """Coefficients in the columns' own units are those, to 1e-5 of the largest in standardised
    ones; the intercept as far as a double can say it."""
    _, means, deviations = standardised(features)
    largest = max(1.0, np.abs(right).max())
    assert np.abs(found[:, 1:] * deviations - right[:, 1:]).max() <= allowed * largest
    summands = found[:, 1:] * means
    distance = np.abs(found[:, 0] + summands.sum(axis=1) - right[:, 0])
    assert (distance <= allowed * largest + 1e-14 * np.abs(summands).sum(axis=1)).all()


def told_apart(kind: str, rows: int = 4000) -> tuple[np.ndarray, np.ndarray, int]:
    """(features, codes, categories) whose likelihood has no maximum, each in another way."""
    random = np.random.default_rng(5)
    x, y = random.normal(size=(2, rows))
    noise = (random.random(rows) < 0.5).astype(int)
    if kind == "all rows":
        return np.stack([x, y]), (x + y > 0.1).astype(int), 2
    if kind == "one side of a plane":  # On it both, beyond it one.
        x = random.choice([-1.0, 0.0, 1.0], rows)
        return np.stack([x, y]), np.where(x == 0, noise, x > 0).astype(int), 2
    if kind == "a slanted plane":
        x, y = np.round(x), np.round(y)
        return np.stack([x, y]), np.where(x + y == 1, noise, x + y > 1).astype(int), 2
    if kind == "a rare mark":
        x = (np.arange(rows) % 1000 == 7).astype(float)
        return np.stack([x, y]), np.where(x == 1, 1, noise), 2
    if kind == "one category of three":
        return np.stack([x + 8 * (y > 1), y]), np.where(y > 1, 2, noise), 3
    if kind == "one that says it on two columns":
        x = np.where(noise == 1, x, np.abs(x))
        far = random.random(rows) < 0.1
        return np.stack([x - 9 * far, y]), np.where(far, 0, 1 + noise), 3
    raise KeyError(kind)


TOLD_APART = (
    "all rows", "one side of a plane", "a slanted plane", "a rare mark", "one category of three",
    "one that says it on two columns",
)  # fmt: skip


def newton(features: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """As `reference`, of two categories; where columns nearly follow from others scikit-learn's
    solvers stop before the maximum."""
    means = features.mean(axis=1, keepdims=True, dtype=np.longdouble)
    moved = (features - means).astype(np.float64)
    size = np.abs(moved).max(axis=1, keepdims=True)
    z = np.vstack([np.ones(len(codes)), moved / size / (moved / size).std(axis=1, keepdims=True)])
    basis, triangle = np.linalg.qr(z.T)  # Well shaped, whatever the columns are.
    scaled = basis * np.sqrt(len(codes))
    theta = np.zeros(3)
    for _ in range(50):
        p = 1 / (1 + np.exp(-(scaled @ theta)))
        hessian = (scaled * (p * (1 - p))[:, None]).T @ scaled
        theta -= np.linalg.solve(hessian, scaled.T @ (p - codes))
    found = np.linalg.solve(triangle, theta * np.sqrt(len(codes)))
    return np.stack([-found / 2, found / 2])
