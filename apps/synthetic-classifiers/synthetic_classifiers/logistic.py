"""Logistic regression on some samples: the loss, its gradient and its Hessian as sums over them.

Two classes have one row of coefficients, of the second one (the sigmoid); more have one for each
class (softmax), as scikit-learn's `LogisticRegression`. A row is the features' coefficients and,
last, the intercept. Sums are doubles over single-float features. They are made by blocks of a fixed
size and added up in order, so that threads change nothing.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from synthetic_classifiers.layout import Features, Labels, Probabilities

Floats = npt.NDArray[np.float64]

BLOCK_ROWS = 1 << 16
"""Of a thread's task."""
CHUNK = 512
"""Samples that stay in the nearest caches while all is made of them, 45 KB of ten features."""


@dataclass(frozen=True)
class Sums:
    """loss: of all samples; gradient: float64[rows, columns + 1]; hessian: float64[n, n] of n
    coefficients, empty where it was not asked for."""

    loss: float
    gradient: Floats
    hessian: Floats

    @classmethod
    def total(cls, parts: Sequence["Sums"]) -> "Sums":
        first, *others = parts
        loss, gradient, hessian = first.loss, first.gradient.copy(), first.hessian.copy()
        for part in others:
            loss += part.loss
            gradient += part.gradient
            hessian += part.hessian
        return cls(loss, gradient, hessian)


def rows_of(classes: int) -> int:
    """Of coefficients."""
    return 1 if classes == 2 else classes


def sums(
    features: Features,
    labels: Labels,
    coefficients: Floats,
    with_hessian: bool,
    pool: Executor,
) -> Sums:
    """At these coefficients, float64[rows, columns + 1], over all of the samples."""
    coefficients = np.array(coefficients)  # What an engine hands over may be read-only.

    def of_block(start: int) -> Sums:
        size = coefficients.size if with_hessian else 0
        gradient, hessian = np.zeros_like(coefficients), np.zeros((size, size))
        stop = min(start + BLOCK_ROWS, len(labels))
        loss = _add_up(features, labels, start, stop, coefficients, gradient, hessian)
        for row in range(size):
            hessian[row, :row] = hessian[:row, row]
        return Sums(loss, gradient, hessian)

    return Sums.total(list(pool.map(of_block, range(0, max(len(labels), 1), BLOCK_ROWS))))


def probabilities(features: Features, coefficients: Floats, pool: Executor) -> Probabilities:
    """Of each class."""
    coefficients = np.array(coefficients)
    found = np.empty((len(features), max(len(coefficients), 2)))
    starts = range(0, len(features), BLOCK_ROWS)

    def of_block(start: int) -> None:
        stop = min(start + BLOCK_ROWS, len(features))
        _predict(features, start, stop, coefficients, found)

    list(pool.map(of_block, starts))
    return found


@numba.njit(nogil=True, fastmath={"reassoc", "contract"})
def _dot(a, b, count):  # type: ignore[no-untyped-def]
    """Several sums at once, as many as the processor adds at a time."""
    total = 0.0
    for place in range(count):
        total += a[place] * b[place]
    return total


@numba.njit(nogil=True)
def _score(features, begin, count, coefficients, x, scores):  # type: ignore[no-untyped-def]
    """Of a chunk: x float64[columns + 1, CHUNK], its last row ones; scores float64[rows, CHUNK]."""
    rows, width = coefficients.shape
    for sample in range(count):
        for column in range(width - 1):
            x[column, sample] = features[begin + sample, column]
    for row in range(rows):
        scores[row, :count] = coefficients[row, width - 1]
        for column in range(width - 1):
            factor = coefficients[row, column]
            for sample in range(count):
                scores[row, sample] += factor * x[column, sample]


@numba.njit(nogil=True)
def _probability(scores, sample):  # type: ignore[no-untyped-def]
    """Scores of a sample → probabilities, in place; returns the logarithm of what divides them.

    Of two classes the first one has no row: its score is 0.
    """
    rows = scores.shape[0]
    if rows == 1:
        score = scores[0, sample]
        small = np.exp(-abs(score))
        scores[0, sample] = (1.0 if score >= 0 else small) / (1.0 + small)
        return max(score, 0.0) + np.log1p(small)
    largest = scores[0, sample]
    for row in range(1, rows):
        largest = max(largest, scores[row, sample])
    total = 0.0
    for row in range(rows):
        scores[row, sample] = np.exp(scores[row, sample] - largest)
        total += scores[row, sample]
    for row in range(rows):
        scores[row, sample] /= total
    return largest + np.log(total)


@numba.njit(nogil=True, cache=True)
def _add_up(  # type: ignore[no-untyped-def]
    features, labels, start, stop, coefficients, gradient, hessian
):
    """Add what the samples start … stop - 1 say; of the Hessian its upper triangle."""
    rows, width = coefficients.shape
    first = 1 if rows == 1 else 0
    x, shares = np.ones((width, CHUNK)), np.empty((rows, CHUNK))
    weights, scaled = np.empty(CHUNK), np.empty(CHUNK)
    loss = 0.0
    for begin in range(start, stop, CHUNK):
        count = min(CHUNK, stop - begin)
        _score(features, begin, count, coefficients, x, shares)
        for sample in range(count):
            row = labels[begin + sample] - first
            score = shares[row, sample] if row >= 0 else 0.0
            loss += _probability(shares, sample) - score
        for row in range(rows):
            for sample in range(count):
                weights[sample] = shares[row, sample]
                if labels[begin + sample] == row + first:
                    weights[sample] -= 1.0
            for column in range(width):
                gradient[row, column] += _dot(weights, x[column], count)
        if hessian.shape[0]:
            for row in range(rows):
                for other in range(row, rows):
                    for sample in range(count):
                        share = shares[row, sample]
                        weights[sample] = share * ((row == other) - shares[other, sample])
                    for i in range(width):
                        for sample in range(count):
                            scaled[sample] = weights[sample] * x[i, sample]
                        for j in range(i if row == other else 0, width):
                            hessian[row * width + i, other * width + j] += _dot(scaled, x[j], count)
    return loss


@numba.njit(nogil=True, cache=True)
def _predict(features, start, stop, coefficients, found):  # type: ignore[no-untyped-def]
    rows, width = coefficients.shape
    x, shares = np.ones((width, CHUNK)), np.empty((rows, CHUNK))
    for begin in range(start, stop, CHUNK):
        count = min(CHUNK, stop - begin)
        _score(features, begin, count, coefficients, x, shares)
        for sample in range(count):
            _probability(shares, sample)
            for row in range(rows):
                found[begin + sample, row - rows] = shares[row, sample]
            if rows == 1:
                found[begin + sample, 0] = 1.0 - shares[0, sample]


def warm_up() -> None:
    features, labels = np.zeros((1, 1), np.float32), np.zeros(1, np.int32)
    coefficients, hessian = np.zeros((1, 2)), np.zeros((2, 2))
    _add_up(features, labels, 0, 1, coefficients, np.zeros((1, 2)), hessian)
    _predict(features, 0, 1, coefficients, np.empty((1, 2)))
