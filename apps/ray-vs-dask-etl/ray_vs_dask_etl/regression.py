"""Multinomial logistic regression: the sums that a solver needs, over the rows of one split.

P(category k | z) = exp(θ_k · z) / Σ_l exp(θ_l · z), z = (1, x, y …), θ of the first category 0
(Hastie, Tibshirani & Friedman 2009, section 4.4). A pass over the rows gives the log of the
denominators, their gradient Σ P_k z and their Hessian Σ P_k (δ_kl - P_l) z zᵀ; what the rows'
own categories add is linear in θ and known since they were read (`Loaded.moments`).

The one idea: what is cached is as small as the sums allow, numbers in single precision and codes
of a byte, and everything that a solver asks for is a sum over it (softmax.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ray_vs_dask_etl import softmax

Floats = npt.NDArray[np.float64]


@dataclass
class Cached:
    """Parsed rows: features float32[columns, rows], codes uint8[rows]; the first `train` train."""

    features: npt.NDArray[np.float32]
    codes: npt.NDArray[np.uint8]
    train: int
    moments: Floats

    @property
    def bytes(self) -> int:
        return self.features.nbytes + self.codes.nbytes


@dataclass(frozen=True)
class Loaded:
    """Of some cached rows: how many, how large, and what their categories add to the sums.

    moments: float64[categories, 1 + 2 · columns] of the training rows: count, Σ x, Σ x².
    """

    rows: int
    train: int
    bytes: int
    moments: Floats

    @classmethod
    def of(cls, cached: Cached) -> "Loaded":
        return cls(len(cached.codes), cached.train, cached.bytes, cached.moments)

    @classmethod
    def total(cls, parts: Iterable["Loaded"]) -> "Loaded":
        known = list(parts)
        return cls(
            sum(part.rows for part in known),
            sum(part.train for part in known),
            sum(part.bytes for part in known),
            np.sum([part.moments for part in known], axis=0),
        )


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


def evaluate(cached: Cached, theta: Floats, second: bool) -> Sums:
    """The sums over the training rows at theta, float64[classes - 1, 1 + columns]."""
    theta = theta.copy()  # Out of a store it cannot be written to, which is another compiled type.
    size = theta.size if second else 0
    gradient, hessian = np.zeros_like(theta), np.zeros((size, size))
    loss = softmax.accumulate(cached.features, cached.train, theta, second, gradient, hessian)
    return Sums(loss, gradient, hessian)


def correct(cached: Cached, theta: Floats, classes: npt.NDArray[np.uint8]) -> int:
    """How many test rows have the likeliest category; `classes` are the codes of theta's rows."""
    return int(
        softmax.count_correct(
            cached.features, cached.codes, cached.train, theta.copy(), classes.copy()
        )
    )


def described(moments: Floats) -> dict[str, Any]:
    """Counts of the training rows by code, and of every column its mean and deviation."""
    count = moments[:, 0].sum()
    means = moments[:, 1::2].sum(axis=0) / count
    spread = np.maximum(moments[:, 2::2].sum(axis=0) / count - means**2, 0)
    return {"counts": moments[:, 0], "means": means, "deviations": np.sqrt(spread)}
