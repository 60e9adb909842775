"""Softmax regression's inner loops, compiled: divide rows, add up sums, count predictions.

The one idea: rows are taken 256 at a time, column by column, so that every loop runs over numbers
that lie side by side in the first cache, and the compiler turns it into vector instructions, the
exponential included.
"""

import math

import numba
import numpy as np

from ray_vs_dask_etl.bits import bits_of, double_of

BLOCK_ROWS = 256
TEST_BELOW = 2**64 // 5
"""One id in five is a test row: the one whose hash of 64 bits is below this."""
GOLDEN = 0x9E3779B97F4A7C15
LOG2_E = 1 / math.log(2)
LN2_HIGH = 0.6931471803691238
"""ln 2 in 33 bits, so that a small whole multiple of it is exact; the rest is LN2_LOW."""
LN2_LOW = 1.9082149292705877e-10
ROUNDER = 1.5 * 2.0**52
"""Added and taken away again, it leaves the nearest whole number, and its bits in between."""
LOWEST = -700.0
"""The exponential of anything less is taken for that of this: 1e-304."""
TAYLOR = tuple(1 / math.factorial(power) for power in range(13, -1, -1))


@numba.njit(nogil=True, inline="always")
def _is_test(number, key):  # type: ignore[no-untyped-def]
    """Whether splitmix64 of an id falls into the lowest fifth."""
    value = np.uint64(number) * np.uint64(GOLDEN) + key
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    value ^= value >> np.uint64(31)
    return value < np.uint64(TEST_BELOW)


@numba.njit(nogil=True, fastmath={"nnan", "nsz"})
def _extremes(values):  # type: ignore[no-untyped-def]
    low, high = np.inf, -np.inf
    for value in values:
        low, high = min(low, value), max(high, value)
    return low, high


@numba.njit(nogil=True, cache=True)
def divide(  # type: ignore[no-untyped-def]
    ids, values, codes, key, factors, offsets, features, rest, divided, moments, extremes
):
    """Training rows to the front, test rows to the back, numbers scaled; how many train.

    features: float32[columns, rows]; rest: the same, or no rows where it is not kept; divided:
    uint8[rows]. Adds what was kept of the training rows to `moments`. extremes:
    float64[2, columns, 2], smallest and largest of all rows as they are, of training rows as kept.
    """
    front, back, wide = 0, codes.size, rest.shape[1] > 0
    for row in range(codes.size):
        if _is_test(ids[row], key):
            back -= 1
            place = back
        else:
            place = front
            front += 1
        divided[place] = codes[row]
        for column in range(values.shape[0]):
            scaled = values[column, row] * factors[column] - offsets[column]
            features[column, place] = scaled
            if wide:
                rest[column, place] = scaled - features[column, place]
    for row in range(front):
        moments[divided[row], 0] += 1
    for column in range(values.shape[0]):
        extremes[0, column, 0], extremes[0, column, 1] = _extremes(values[column])
        low, high = np.inf, -np.inf
        for row in range(front):
            value = np.float64(features[column, row])
            if wide:
                value += rest[column, row]
            low, high = min(low, value), max(high, value)
            moments[divided[row], 1 + 2 * column] += value
            moments[divided[row], 2 + 2 * column] += value * value
        extremes[1, column, 0], extremes[1, column, 1] = low, high
    return front


@numba.njit(nogil=True)
def _exponential(x):  # type: ignore[no-untyped-def]
    """e^x for x ≤ 0 within 2 units in the last place, without a branch or a call."""
    x = max(x, LOWEST)
    shifted = x * LOG2_E + ROUNDER
    whole = shifted - ROUNDER
    rest = (x - whole * LN2_HIGH) - whole * LN2_LOW
    series = TAYLOR[0]
    for coefficient in TAYLOR[1:]:
        series = series * rest + coefficient
    return series * double_of((bits_of(shifted) + np.uint64(1023)) << np.uint64(52))


@numba.njit(nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _dot(a, b, size):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(size):
        total += a[i] * b[i]
    return total


@numba.njit(nogil=True)
def _probabilities(z, size, theta, p, top, total):  # type: ignore[no-untyped-def]
    """z[columns + 1, size] → p[classes - 1, size]; returns Σ log of the denominators."""
    for b in range(size):
        top[b] = 0.0
    for k in range(theta.shape[0]):
        for b in range(size):
            p[k, b] = theta[k, 0]
        for j in range(1, theta.shape[1]):
            slope = theta[k, j]
            for b in range(size):
                p[k, b] += slope * z[j, b]
        for b in range(size):
            top[b] = max(top[b], p[k, b])
    for b in range(size):
        total[b] = _exponential(-top[b])
    for k in range(theta.shape[0]):
        for b in range(size):
            p[k, b] = _exponential(p[k, b] - top[b])
        for b in range(size):
            total[b] += p[k, b]
    loss, first = 0.0, 0
    while first < size:  # A denominator is at most 256: the product of 8 is below 2^64.
        last, product = min(first + 8, size), 1.0
        for b in range(first, last):
            product *= total[b]
            loss += top[b]
        loss += math.log(product)
        first = last
    for b in range(size):
        total[b] = 1.0 / total[b]
    for k in range(theta.shape[0]):
        for b in range(size):
            p[k, b] *= total[b]
    return loss


@numba.njit(nogil=True, cache=True)
def accumulate(  # type: ignore[no-untyped-def]
    features, rest, rows, theta, second, gradient, hessian
):
    """Add the first `rows` rows to gradient and hessian; returns Σ log of the denominators."""
    classes, terms = theta.shape
    z, p = np.ones((terms, BLOCK_ROWS)), np.empty((classes, BLOCK_ROWS))
    top, total = np.empty(BLOCK_ROWS), np.empty(BLOCK_ROWS)
    weight, weighted = np.empty(BLOCK_ROWS), np.empty(BLOCK_ROWS)
    loss = 0.0
    for first in range(0, rows, BLOCK_ROWS):
        size = min(BLOCK_ROWS, rows - first)
        for j in range(1, terms):
            for b in range(size):
                z[j, b] = features[j - 1, first + b]
            if rest.shape[1] > 0:
                for b in range(size):
                    z[j, b] += rest[j - 1, first + b]
        loss += _probabilities(z, size, theta, p, top, total)
        for k in range(classes):
            for j in range(terms):
                gradient[k, j] += _dot(p[k], z[j], size)
        if not second:
            continue
        for k in range(classes):
            for other in range(k, classes):
                for b in range(size):
                    weight[b] = p[k, b] * ((1.0 if k == other else 0.0) - p[other, b])
                for j in range(terms):
                    for b in range(size):
                        weighted[b] = weight[b] * z[j, b]
                    for m in range(j, terms):
                        value = _dot(weighted, z[m], size)
                        hessian[k * terms + j, other * terms + m] += value
    if second:
        for k in range(classes):
            for other in range(k, classes):
                for j in range(terms):
                    for m in range(j, terms):
                        value = hessian[k * terms + j, other * terms + m]
                        hessian[k * terms + m, other * terms + j] = value
                        hessian[other * terms + j, k * terms + m] = value
                        hessian[other * terms + m, k * terms + j] = value
    return loss


@numba.njit(nogil=True, cache=True)
def count_correct(  # type: ignore[no-untyped-def]
    features, rest, codes, first, theta, classes
):
    """Rows from `first` on whose code is that of the highest score; of equal ones the first."""
    right = 0
    for row in range(first, codes.size):
        best, highest = 0, 0.0
        for k in range(theta.shape[0]):
            score = theta[k, 0]
            for j in range(1, theta.shape[1]):
                score += theta[k, j] * features[j - 1, row]
                if rest.shape[1] > 0:
                    score += theta[k, j] * rest[j - 1, row]
            if score > highest:
                best, highest = k + 1, score
        right += codes[row] == classes[best]
    return right


@numba.njit(nogil=True, cache=True)
def margins(  # type: ignore[no-untyped-def]
    features, rest, codes, rows, theta, places, granted
):
    """(worst, best) by which theta puts a row's own category ahead of another one.

    `places` has the place in theta, from 0 for the one that is not in it, of every code. A row is
    granted a share of the largest Σ |summand| of its scores: they may be 0 but for rounding.
    """
    classes, terms = theta.shape
    scores = np.zeros(classes + 1)
    worst, best = np.inf, -np.inf
    for row in range(rows):
        size = 0.0
        for k in range(classes):
            score, summands = theta[k, 0], abs(theta[k, 0])
            for j in range(1, terms):
                value = np.float64(features[j - 1, row])
                if rest.shape[1] > 0:
                    value += rest[j - 1, row]
                score += theta[k, j] * value
                summands += abs(theta[k, j] * value)
            scores[k + 1] = score
            size = max(size, summands)
        own = places[codes[row]]
        for k in range(classes + 1):
            if k != own:
                ahead = scores[own] - scores[k]
                worst, best = min(worst, ahead + granted * size), max(best, ahead)
    return worst, best
