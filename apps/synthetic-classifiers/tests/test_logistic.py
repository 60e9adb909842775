"""Logistic regression: scikit-learn's coefficients, however the samples lie on workers."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from synthetic_classifiers import logistic, logistic_fit
from synthetic_classifiers.logistic import Sums
from tables import classification


@pytest.fixture(scope="module")
def pool():
    with ThreadPoolExecutor(2) as threads:
        yield threads


def fitted(features, labels, classes, pool, l2=1.0, workers=1, most=200):
    parts = [(features[i::workers].copy(), labels[i::workers].copy()) for i in range(workers)]

    def sums_at(coefficients, with_hessian):
        return Sums.total([logistic.sums(x, y, coefficients, with_hessian, pool) for x, y in parts])

    shape = logistic.rows_of(classes), features.shape[1] + 1
    return logistic_fit.fit(sums_at, shape, l2, most, lambda text: None)


def sklearns(features, labels, l2=1.0):
    model = LogisticRegression(C=1 / l2, tol=1e-12, max_iter=20_000)
    model.fit(features.astype(np.float64), labels)
    return model


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_coefficients_are_scikit_learns(pool, classes, workers):
    features, labels = classification(2000, classes, seed=classes)
    right = sklearns(features, labels)
    found = fitted(features, labels, classes, pool, workers=workers)
    assert found.converged
    assert np.allclose(found.coefficients[:, :-1], right.coef_, rtol=0, atol=1e-5)
    intercepts = found.coefficients[:, -1]
    assert np.allclose(intercepts, right.intercept_ - _shift(right.intercept_), rtol=0, atol=1e-5)
    probabilities = logistic.probabilities(features, found.coefficients, pool)
    assert np.allclose(probabilities, right.predict_proba(features), rtol=0, atol=1e-6)


def _shift(intercepts):
    """Of more than two classes all may be moved together."""
    return intercepts.mean() if len(intercepts) > 1 else 0.0


@pytest.mark.parametrize("classes", [2, 3])
def test_many_coefficients_are_found_without_a_hessian(pool, classes, monkeypatch):
    features, labels = classification(1500, classes, seed=1)
    newton = fitted(features, labels, classes, pool)
    monkeypatch.setattr(logistic_fit, "MOST_FOR_NEWTON", 0)
    found = fitted(features, labels, classes, pool, most=2000)
    assert found.converged and found.iterations > newton.iterations
    assert np.allclose(found.coefficients, newton.coefficients, rtol=0, atol=1e-5)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_units_of_a_column_do_not_matter(pool, scale):
    features, labels = classification(1000, seed=3, redundant=0)
    features[:, 2] *= np.float32(scale)
    found = fitted(features, labels, 2, pool, l2=1e-6)
    probabilities = logistic.probabilities(features, found.coefficients, pool)
    features[:, 2] /= np.float32(scale)
    right = fitted(features, labels, 2, pool, l2=1e-6)
    assert found.converged
    assert np.allclose(
        probabilities, logistic.probabilities(features, right.coefficients, pool), atol=1e-4
    )


def test_scores_beyond_the_range_of_exp_are_probabilities(pool):
    features = np.array([[1e4], [-1e4]], np.float32)
    for coefficients in (np.array([[5.0, 0.0]]), np.array([[5.0, 0], [-5.0, 0], [0, 0]])):
        found = logistic.probabilities(features, coefficients, pool)
        assert np.isfinite(found).all()
        assert np.allclose(found.sum(axis=1), 1)
    sums = logistic.sums(features, np.array([0, 1], np.int32), np.array([[5.0, 0]]), True, pool)
    assert sums.loss == pytest.approx(1e5)


def test_the_hessian_is_the_gradients_slope(pool):
    features, labels = classification(300, 3, seed=4)
    at = np.random.default_rng(0).normal(0, 0.1, (3, 11))
    sums = logistic.sums(features, labels, at, True, pool)
    for place in (0, 7, 10, 16, 32):
        step = np.zeros(33)
        step[place] = 1e-5
        up, down = (
            logistic.sums(features, labels, at + sign * step.reshape(3, 11), False, pool)
            for sign in (1, -1)
        )
        slope = (up.gradient - down.gradient).ravel() / 2e-5
        assert np.allclose(sums.hessian[place], slope, rtol=1e-5, atol=1e-4)
        assert (up.loss - down.loss) / 2e-5 == pytest.approx(
            sums.gradient.ravel()[place], rel=1e-4, abs=1e-3
        )


def test_what_has_not_converged_says_so(pool):
    features, labels = classification(500)
    assert not fitted(features, labels, 2, pool, most=1).converged
