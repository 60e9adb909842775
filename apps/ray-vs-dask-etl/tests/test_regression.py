"""The regression's sums against NumPy, and both solvers against scikit-learn's maximum."""

from typing import Any

import numpy as np
import pytest
from ray_vs_dask_etl import regression
from ray_vs_dask_etl import softmax
from ray_vs_dask_etl import solver
from ray_vs_dask_etl.regression import Cached
from ray_vs_dask_etl.regression import Sums
from sklearn.linear_model import LogisticRegression
from studykit.errors import DataError


def cached(features: np.ndarray, codes: np.ndarray, classes: int, key: int = 0) -> Cached:
    """As a worker makes it, from numbers[columns, rows]."""
    moments = np.zeros((classes, 1 + 2 * len(features)))
    divided, kept = np.empty(len(codes), np.uint8), np.empty(features.shape, np.float32)
    ids = np.arange(len(codes))
    values = np.ascontiguousarray(features, np.float64)
    train = softmax.divide(
        ids, values, codes.astype(np.uint8), np.uint64(key), kept, divided, moments
    )
    return Cached(kept, divided, int(train), moments)


def sample(rows: int, columns: int, classes: int, seed: int = 0, scale: float = 1.0):
    random = np.random.default_rng(seed)
    features = scale * (1 + random.normal(size=(columns, rows)))
    theta = random.normal(size=(classes, columns)) / (scale * columns**0.5)
    noise = random.gumbel(size=(classes, rows))
    return features, (theta @ features + noise).argmax(axis=0)


def fit(parts: list[Cached], **asked):
    moments = np.sum([part.moments for part in parts], axis=0)

    def evaluate(theta: np.ndarray, second: bool) -> Sums:
        sums = [regression.evaluate(part, theta, second) for part in parts]
        return sum(sums[1:], sums[0])

    options: dict[str, Any] = {"solver": "auto", "l2": 0.0, "tolerance": 1e-8}
    options |= {"max_iterations": 200} | asked
    return solver.fit(moments, evaluate, progress=lambda text: None, **options)


def scikit_learn(part: Cached, l2: float = 0.0) -> np.ndarray:
    """Intercepts and coefficients of the training rows, centred over the classes."""
    model = LogisticRegression(C=1 / l2 if l2 else np.inf, tol=1e-10, max_iter=10_000)
    model.fit(part.features[:, : part.train].T.astype(np.float64), part.codes[: part.train])
    found = np.column_stack([model.intercept_, model.coef_])
    if len(found) == 1:
        found = np.vstack([np.zeros_like(found), found])
    return found - found.mean(axis=0)


@pytest.mark.parametrize(("columns", "classes", "rows"), [(1, 2, 10), (2, 4, 1000), (5, 3, 257)])
@pytest.mark.parametrize("size", [0.0, 1.0, 300.0])
def test_sums_are_those_of_numpy(columns, classes, rows, size):
    features, codes = sample(rows, columns, classes)
    part = cached(features, codes, classes)
    theta = size * np.random.default_rng(1).normal(size=(classes - 1, columns + 1))
    found = regression.evaluate(part, theta, True)
    z = np.vstack([np.ones(part.train), part.features[:, : part.train].astype(np.float64)])
    scores = np.vstack([np.zeros(part.train), theta @ z])
    top = scores.max(axis=0)
    share = np.exp(scores - top)
    total = share.sum(axis=0)
    p = (share / total)[1:]
    assert found.loss == pytest.approx((top + np.log(total)).sum(), rel=1e-13)
    assert np.allclose(found.gradient, p @ z.T, rtol=1e-12, atol=1e-12)
    hessian = np.einsum("kn,kln,jn,mn->kjlm", p, np.eye(classes - 1)[:, :, None] - p, z, z)
    shape = theta.size, theta.size
    assert np.allclose(found.hessian, hessian.reshape(shape), rtol=1e-10, atol=1e-10)
    without = regression.evaluate(part, theta, False)
    assert (without.loss, without.hessian.size) == (found.loss, 0)
    assert np.array_equal(without.gradient, found.gradient)


def test_rows_are_divided_by_the_hash_of_their_id():
    features, codes = sample(50_000, 2, 4)
    part, other = cached(features, codes, 4), cached(features, codes, 4, key=7)
    assert 0.79 < part.train / 50_000 < 0.81
    assert part.train != other.train
    train = part.features[:, : part.train].astype(np.float64)
    for code in range(4):
        own = train[:, part.codes[: part.train] == code]
        assert part.moments[code, 0] == own.shape[1]
        assert np.allclose(part.moments[code, 1::2], own.sum(axis=1))
        assert np.allclose(part.moments[code, 2::2], (own**2).sum(axis=1))
    assert np.array_equal(np.sort(part.features[0]), np.sort(features[0].astype(np.float32)))


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
@pytest.mark.parametrize(
    ("columns", "classes", "scale", "l2"),
    [(2, 4, 1.0, 0.0), (2, 4, 1.0, 50.0), (3, 2, 1.0, 0.0), (4, 3, 1e4, 0.0), (1, 3, 1e-4, 0.0)],
)
def test_both_solvers_find_scikit_learns_maximum(method, columns, classes, scale, l2):
    features, codes = sample(20_000, columns, classes, scale=scale)
    part = cached(features, codes, classes)
    found = fit([part], solver=method, l2=l2)
    assert found.gradient_norm <= 1e-8
    units = np.append(1.0, np.full(columns, scale))
    right = scikit_learn(cached(features / scale, codes, classes), l2) if scale != 1 else None
    right = scikit_learn(part, l2) if right is None else right
    assert np.abs(found.centred * units - right).max() < 1e-5


def test_predictions_are_as_good_as_scikit_learns():
    features, codes = sample(100_000, 2, 4)
    part = cached(features, codes, 4)
    found = fit([part])
    right = regression.correct(part, found.theta, found.classes)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    model.fit(part.features[:, : part.train].T.astype(np.float64), part.codes[: part.train])
    theirs = model.score(part.features[:, part.train :].T, part.codes[part.train :])
    assert right / (100_000 - part.train) == pytest.approx(theirs, abs=5e-5)


def test_the_cut_of_the_rows_changes_nothing():
    features, codes = sample(20_000, 2, 4)
    part = cached(features, codes, 4)
    cut = [
        Cached(part.features[:, rows], part.codes[rows], len(rows), np.zeros((4, 5)))
        for rows in np.array_split(np.arange(part.train), 7)
    ]
    cut[0].moments = part.moments
    assert np.allclose(fit(cut).theta, fit([part]).theta, rtol=1e-10)


def test_a_category_without_training_rows_is_left_out():
    features, codes = sample(5000, 2, 3)
    part = cached(features, np.array([0, 2, 3])[codes], 4)
    found = fit([part])
    assert found.classes.tolist() == [0, 2, 3]
    assert np.abs(found.centred - scikit_learn(part)).max() < 1e-5
    scores = np.vstack([np.zeros((1, 3)), found.theta]) @ np.vstack(
        [np.ones(5000 - part.train), part.features[:, part.train :]]
    )
    right = (found.classes[scores.argmax(axis=0)] == part.codes[part.train :]).sum()
    assert regression.correct(part, found.theta, found.classes) == right


def test_columns_that_say_the_same_share_the_coefficient():
    features, codes = sample(5000, 1, 3)
    found = fit([cached(np.vstack([features, features, np.ones(5000)]), codes, 3)])
    assert found.gradient_norm <= 1e-8
    assert np.allclose(found.theta[:, 1], found.theta[:, 2])
    alone = fit([cached(features, codes, 3)])
    assert np.allclose(2 * found.theta[:, 1], alone.theta[:, 1], rtol=1e-5)


@pytest.mark.parametrize("method", ["newton", "lbfgs"])
def test_categories_that_are_told_apart_completely_have_no_maximum(method):
    features, _ = sample(2000, 2, 2)
    part = cached(features, features[0] > 1, 2)
    assert fit([part], solver=method).separated
    held = fit([part], solver=method, l2=1.0)
    assert not held.separated and held.gradient_norm <= 1e-8


def test_one_category_is_nothing_to_fit():
    features, codes = sample(100, 2, 2)
    with pytest.raises(DataError, match="two categories"):
        fit([cached(features, np.zeros_like(codes), 4)])


def test_many_columns_are_for_lbfgs():
    assert solver.choose("auto", 200) == "newton"
    assert solver.choose("auto", 201) == "lbfgs"
    features, codes = sample(3000, 250, 3)
    part = cached(features, codes, 3)
    found = fit([part], l2=1.0, max_iterations=1000)
    assert found.gradient_norm <= 1e-8
    # scikit-learn's own lbfgs stops some 1e-5 before the maximum here.
    assert np.abs(found.centred - fit([part], solver="newton", l2=1.0).centred).max() < 1e-6
    assert np.abs(found.centred - scikit_learn(part, 1.0)).max() < 1e-3
