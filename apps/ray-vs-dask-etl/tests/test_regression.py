"""The regression's sums against NumPy, and both solvers against scikit-learn's maximum."""

import numpy as np
import pytest
from ray_vs_dask_etl import regression, solver
from ray_vs_dask_etl.objective import classes_of
from ray_vs_dask_etl.regression import Cached
from ray_vs_dask_etl.scaling import Scaling
from regressions import (
    TOLD_APART,
    assert_coefficients,
    cached,
    fit,
    fit_of,
    is_training,
    reference,
    told_apart,
)
from sklearn.linear_model import LogisticRegression
from studykit.errors import DataError

METHODS = ("newton", "lbfgs")


def sample(rows: int, columns: int, classes: int, seed: int = 0, scale: float = 1.0):
    random = np.random.default_rng(seed)
    features = scale * (1 + random.normal(size=(columns, rows)))
    theta = random.normal(size=(classes, columns)) / (scale * columns**0.5)
    noise = random.gumbel(size=(classes, rows))
    return features, (theta @ features + noise).argmax(axis=0)


def of_training(features: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    train = is_training(len(codes))
    return features[:, train], codes[train]


@pytest.mark.parametrize(("columns", "classes", "rows"), [(1, 2, 10), (2, 4, 1000), (5, 3, 257)])
@pytest.mark.parametrize("size", [0.0, 1.0, 300.0])
@pytest.mark.parametrize("wide", [False, True])
def test_sums_are_those_of_numpy(columns, classes, rows, size, wide):
    features, codes = sample(rows, columns, classes)
    scaling = Scaling(np.full(columns, 0.25), np.ones(columns), wide)
    part = cached(features, codes, classes, scaling=scaling)
    theta = size * np.random.default_rng(1).normal(size=(classes - 1, columns + 1))
    found = regression.evaluate(part, theta, True)
    kept = of_training(features, codes)[0] / 4 - 1
    kept = kept if wide else kept.astype(np.float32).astype(np.float64)
    exact = 1e-13 if not wide else 1e-11  # What 48 bits leave of 53.
    z = np.vstack([np.ones(part.train), kept])
    scores = np.vstack([np.zeros(part.train), theta @ z])
    top = scores.max(axis=0)
    share = np.exp(scores - top)
    total = share.sum(axis=0)
    p = (share / total)[1:]
    assert found.loss == pytest.approx((top + np.log(total)).sum(), rel=exact)
    assert np.allclose(found.gradient, p @ z.T, rtol=10 * exact, atol=10 * exact)
    hessian = np.einsum("kn,kln,jn,mn->kjlm", p, np.eye(classes - 1)[:, :, None] - p, z, z)
    shape = theta.size, theta.size
    assert np.allclose(found.hessian, hessian.reshape(shape), rtol=1e-10, atol=1e-10)
    without = regression.evaluate(part, theta, False)
    assert (without.loss, without.hessian.size) == (found.loss, 0)
    assert np.array_equal(without.gradient, found.gradient)


def test_rows_are_divided_by_the_hash_of_their_id():
    features, codes = sample(50_000, 2, 4)
    part, other = cached(features, codes, 4), cached(features, codes, 4, seed=7)
    assert 0.79 < part.train / 50_000 < 0.81
    assert part.train != other.train
    train = part.features[:, : part.train].astype(np.float64)
    moments = part.known.moments
    for code in range(4):
        own = train[:, part.codes[: part.train] == code]
        assert moments[code, 0] == own.shape[1]
        assert np.allclose(moments[code, 1::2], own.sum(axis=1))
        assert np.allclose(moments[code, 2::2], (own**2).sum(axis=1))
    assert np.array_equal(part.known.ranges, np.stack([features.min(1), features.max(1)], 1))
    assert np.array_equal(part.known.kept_ranges, np.stack([train.min(1), train.max(1)], 1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("columns", "classes", "scale", "l2"),
    [
        (2, 4, 1.0, 0.0), (2, 4, 1.0, 50.0), (3, 2, 1.0, 0.0), (3, 2, 1.0, 50.0),
        (4, 3, 1e4, 0.0), (1, 3, 1e-4, 0.0), (2, 3, 0.01, 1e-3),
    ],
)  # fmt: skip
def test_both_solvers_find_scikit_learns_maximum(method, columns, classes, scale, l2):
    features, codes = sample(20_000, columns, classes, scale=scale)
    found = fit_of(features, codes, classes, solver=method, l2=l2)
    assert found.converged and found.gradient_norm <= 1e-8 and found.rank == columns
    train, own = of_training(features, codes)
    assert_coefficients(found.coefficients, train, reference(train, own, l2))


def test_predictions_are_as_good_as_scikit_learns():
    features, codes = sample(100_000, 2, 4)
    part, scaling = cached(features, codes, 4), Scaling.of(features)
    found = fit([part], scaling)
    right = regression.correct(part, found.theta, found.classes)
    train = is_training(100_000)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    model.fit(features[:, train].T, codes[train])
    theirs = model.score(features[:, ~train].T, codes[~train])
    assert right / (100_000 - part.train) == pytest.approx(theirs, abs=5e-5)


def test_the_cut_of_the_rows_changes_nothing():
    features, codes = sample(20_000, 2, 4)
    part, scaling = cached(features, codes, 4), Scaling.of(features)
    cut: list[Cached] = []
    for rows in np.array_split(np.arange(part.train), 7):
        piece = cached(np.empty((2, 0)), np.empty(0), 4, scaling=scaling)
        piece.features, piece.codes = part.features[:, rows], part.codes[rows]
        piece.known = part.known.__class__(
            len(rows), len(rows), 0, np.zeros((4, 5)), piece.known.ranges, piece.known.kept_ranges
        )
        cut.append(piece)
    cut.append(part.__class__(part.features[:, :0], part.rest, part.codes[:0], part.known))
    cut[-1].known = part.known.__class__(
        0, 0, 0, part.known.moments, part.known.ranges, part.known.kept_ranges
    )
    assert np.allclose(fit(cut, scaling).theta, fit([part], scaling).theta, rtol=1e-10)


def test_a_category_without_training_rows_is_left_out():
    features, codes = sample(5000, 2, 3)
    codes = np.array([0, 2, 3])[codes]
    part, scaling = cached(features, codes, 4), Scaling.of(features)
    found = fit([part], scaling)
    assert found.classes.tolist() == [0, 2, 3]
    train, own = of_training(features, codes)
    assert_coefficients(found.coefficients, train, reference(train, own))
    scores = np.vstack([np.zeros((1, 3)), found.theta]) @ np.vstack(
        [np.ones(5000 - part.train), part.features[:, part.train :]]
    )
    right = (found.classes[scores.argmax(axis=0)] == part.codes[part.train :]).sum()
    assert regression.correct(part, found.theta, found.classes) == right


@pytest.mark.parametrize("method", METHODS)
def test_columns_that_say_the_same_share_the_coefficient(method):
    features, codes = sample(5000, 1, 3)
    wide = np.vstack([features, 5 - 2 * features, np.ones(5000), features])
    found = fit_of(wide, codes, 3, solver=method)
    assert found.converged and found.rank == 1
    train, own = of_training(wide, codes)
    alone = reference(train[:1], own)
    # Of all that fit, the shortest in standardised columns.
    right = np.column_stack([alone[:, 0], alone[:, 1:] @ [[1 / 3, -1 / 3, 0, 1 / 3]]])
    assert_coefficients(found.coefficients, train, right)
    assert (found.coefficients[:, 3] == 0).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_hot_columns_have_the_smallest_coefficients(method):
    random = np.random.default_rng(3)
    kinds = random.choice(4, 20_000, p=[0.5, 0.3, 0.19, 0.01])
    codes = (random.random(20_000) < np.array([0.2, 0.5, 0.7, 0.4])[kinds]).astype(int)
    features = np.eye(4)[:, kinds]
    found = fit_of(features, codes, 2, solver=method)
    assert found.converged and found.rank == 3
    train, own = of_training(features, codes)
    assert_coefficients(found.coefficients, train, reference(train, own))
    theirs, _, deviations = standardised_null(train)
    slopes = found.coefficients[:, 1:] * deviations
    assert np.abs(slopes @ theirs).max() < 1e-9


def standardised_null(features: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The direction in which one-hot columns do not spread, and their means and deviations."""
    means, deviations = features.mean(axis=1), features.std(axis=1)
    return deviations / np.linalg.norm(deviations), means, deviations


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", TOLD_APART)
@pytest.mark.parametrize(("scale", "centre"), [(1.0, 0.0), (1e-6, 3.0)])
def test_categories_that_are_told_apart_have_no_maximum(method, kind, scale, centre):
    features, codes, classes = told_apart(kind)
    features = centre + scale * features
    found = fit_of(features, codes, classes, solver=method)
    assert found.separated and not found.converged
    held = fit_of(features, codes, classes, solver=method, l2=1e-3 * scale**2)
    assert held.converged and not held.separated


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", ["one row beyond", "a rare category", "nothing to learn"])
def test_what_looks_told_apart_and_is_not_has_its_maximum(method, kind):
    random = np.random.default_rng(6)
    x, y = random.normal(size=(2, 4000))
    codes = (x > 0).astype(int)
    if kind == "one row beyond":
        codes[np.argsort(np.where(is_training(4000), np.abs(x - 0.05), 9))[0]] = 0
    elif kind == "a rare category":
        codes = (x + random.logistic(size=4000) > 0).astype(int)
        inside = np.argsort(np.where(is_training(4000), x**2 + y**2, 9))
        codes[inside[[3, 50, 90]]] = 2
    else:  # Every row with either category: the gradient at zero is nothing but rounding.
        pairs = is_training(4000).nonzero()[0][:2000]
        x[pairs[1::2]], y[pairs[1::2]] = x[pairs[::2]], y[pairs[::2]]
        codes[pairs[::2]], codes[pairs[1::2]] = 0, 1
        rest = np.setdiff1d(is_training(4000).nonzero()[0], pairs)
        x[rest], y[rest] = x[rest[0]], y[rest[0]]
        codes[rest] = np.arange(len(rest)) % 2
    features = np.stack([x, y])
    found = fit_of(features, codes, 3, solver=method)
    assert found.converged and not found.separated
    train, own = of_training(features, codes)
    assert_coefficients(found.coefficients, train, reference(train, own), allowed=1e-4)


def test_one_category_is_nothing_to_fit():
    features, codes = sample(100, 2, 2)
    with pytest.raises(DataError, match="two categories"):
        classes_of(cached(features, np.zeros_like(codes), 4).known)


def test_many_columns_are_for_lbfgs():
    assert solver.choose("auto", 200) == "newton"
    assert solver.choose("auto", 201) == "lbfgs"
    features, codes = sample(1500, 201, 3)
    found = fit_of(features, codes, 3, l2=1.0, max_iterations=1000)
    assert found.converged and found.gradient_norm <= 1e-8 and found.rank == 201
    by_newton = fit_of(features, codes, 3, solver="newton", l2=1.0)
    assert np.abs(found.coefficients - by_newton.coefficients).max() < 1e-6
    train, own = of_training(features, codes)
    # Its lbfgs stops some 1e-5 before the maximum here.
    right = reference(train, own, 1.0, "newton-cholesky")
    assert_coefficients(found.coefficients, train, right)


def test_very_many_columns_are_fitted_without_their_correlations():
    features, codes = sample(300, 1001, 2)
    found = fit_of(features, codes, 2, l2=10.0, max_iterations=1000)
    assert found.converged and found.rank is None
    train, own = of_training(features, codes)
    right = reference(train, own, 10.0, "newton-cholesky")
    assert_coefficients(found.coefficients, train, right)
