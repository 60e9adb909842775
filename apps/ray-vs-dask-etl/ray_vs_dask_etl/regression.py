"""Multinomial logistic regression: the sums that a solver needs, over the rows of one split.

P(category k | z) = exp(θ_k · z) / Σ_l exp(θ_l · z), z = (1, t_1, t_2 …) the scaled columns
(scaling.py), θ of the first category 0 (Hastie, Tibshirani & Friedman 2009, section 4.4). A pass
over the rows gives the log of the denominators, their gradient Σ P_k z and their Hessian
Σ P_k (δ_kl - P_l) z zᵀ; what the rows' own categories add is linear in θ and known since they were
read (`Loaded.moments`).

The one idea: what is cached is as small as the sums allow, numbers in single precision and codes
of a byte, and everything that a solver asks for is a sum over it (softmax.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ray_vs_dask_etl import softmax

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Loaded:
    """Of some cached rows: how many, how large, and what is known of them since they were read.

    moments: float64[categories, 1 + 2 · columns] of the training rows: count, Σ t, Σ t². ranges:
    float64[columns, 2], smallest and largest x of all rows. kept_ranges: of t of training rows.
    """

    rows: int
    train: int
    bytes: int
    moments: Floats
    ranges: Floats
    kept_ranges: Floats

    @classmethod
    def total(cls, parts: Iterable["Loaded"]) -> "Loaded":
        known = list(parts)
        with np.errstate(all="ignore"):  # The driver sees it, and has the rows read again.
            moments = np.sum([part.moments for part in known], axis=0)
        return cls(
            sum(part.rows for part in known),
            sum(part.train for part in known),
            sum(part.bytes for part in known),
            moments,
            hull(part.ranges for part in known),
            hull(part.kept_ranges for part in known),
        )


@dataclass
class Cached:
    """Parsed rows: features float32[columns, rows], codes uint8[rows]; the first `train` train.

    rest: what single precision leaves of the features, of their shape; or float32[columns, 0].
    """

    features: Singles
    rest: Singles
    codes: npt.NDArray[np.uint8]
    known: Loaded

    @property
    def train(self) -> int:
        return self.known.train


@dataclass(frozen=True)
class Sums:
    """Over some rows: Σ log denominator, its gradient and, where asked for, its Hessian.

    gradient: float64[classes - 1, 1 + columns]; hessian: float64[m, m], m = the gradient's size.
    """

    loss: float
    gradient: Floats
    hessian: Floats

    def __add__(self, other: "Sums") -> "Sums":
        return Sums(
            self.loss + other.loss,
            self.gradient + other.gradient,
            self.hessian + other.hessian,
        )


@dataclass(frozen=True)
class Margins:
    """How far a direction θ moves the training rows' own categories ahead of the others.

    worst: the least by which any row's own score gains on any other one, with a share of the
    summands' sizes granted for their rounding; best: the most.
    """

    worst: float
    best: float

    def __add__(self, other: "Margins") -> "Margins":
        return Margins(min(self.worst, other.worst), max(self.best, other.best))


@dataclass(frozen=True)
class Described:
    """Counts of the training rows by code; of every column's t whether it varies, mean, deviation.

    amplification: root mean square of t in deviations, from which rounding grows.
    """

    counts: Floats
    varies: npt.NDArray[np.bool_]
    means: Floats
    deviations: Floats

    @property
    def amplification(self) -> Floats:
        with np.errstate(all="ignore"):
            found = np.hypot(self.means / self.deviations, 1.0)
        return np.where(self.varies, np.nan_to_num(found, nan=np.inf), 1.0)


def hull(ranges: Iterable[Floats]) -> Floats:
    """float64[columns, 2] each: the smallest of the first, the largest of the second."""
    low, high = np.stack(list(ranges)).transpose(2, 0, 1)
    return np.column_stack([low.min(axis=0), high.max(axis=0)])


def evaluate(cached: Cached, theta: Floats, second: bool) -> Sums:
    """The sums over the training rows at theta, float64[classes - 1, 1 + columns]."""
    theta = theta.copy()  # Out of a store it cannot be written to, which is another compiled type.
    size = theta.size if second else 0
    gradient, hessian = np.zeros_like(theta), np.zeros((size, size))
    loss = softmax.accumulate(
        cached.features, cached.rest, cached.train, theta, second, gradient, hessian
    )
    return Sums(loss, gradient, hessian)


def margins(
    cached: Cached, theta: Floats, classes: npt.NDArray[np.uint8], granted: float
) -> Margins:
    """Of the direction theta; `granted` is the share of the summands' sizes."""
    places = np.zeros(256, np.uint8)
    places[classes] = np.arange(len(classes))
    found = softmax.margins(
        cached.features, cached.rest, cached.codes, cached.train, theta.copy(), places, granted
    )
    return Margins(*found)


def correct(cached: Cached, theta: Floats, classes: npt.NDArray[np.uint8]) -> int:
    """How many test rows have the likeliest category; `classes` are the codes of theta's rows."""
    return int(
        softmax.count_correct(
            cached.features, cached.rest, cached.codes, cached.train, theta.copy(), classes.copy()
        )
    )


def described(total: Loaded) -> Described:
    """What the sums say. A column that does not vary has exactly its value as mean, deviation 0."""
    counts = total.moments[:, 0]
    low, high = total.kept_ranges.T
    means = total.moments[:, 1::2].sum(axis=0) / counts.sum()
    spread = np.maximum(total.moments[:, 2::2].sum(axis=0) / counts.sum() - means**2, 0)
    varies = low < high
    return Described(
        counts, varies, np.where(varies, means, low), np.where(varies, np.sqrt(spread), 0.0)
    )
