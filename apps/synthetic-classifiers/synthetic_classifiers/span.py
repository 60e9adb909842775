"""The space that rows really span: fewer coordinates, in which no two rows are farther apart.

Where features are linear combinations of others, the rows lie in a space of fewer dimensions. Its
axes are the principal ones (Pearson 1901): the eigenvectors of the covariance of the features,
summed up over all workers. A rotation keeps distances, and leaving a coordinate out makes none
larger: what is seen there is a lower bound of the distance, whatever is left out. It costs nothing
to leave out an axis along which rows differ by less than neighbours are apart.

One number of the space is the rows' mean distance from their centre, the root of its square's mean.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

from synthetic_classifiers.layout import Features

LEAST_VARIANCE = 1e-6
"""Of an axis that is kept, in relation to the first. Single floats of redundant features differ
from the space of the others by 2^-24 of their size, a variance of 1e-15; the nearest of 4 million
rows in 5 dimensions are 0.05 of the width apart, fifty times what is left out here."""
CHUNK_ROWS = 1 << 15
"""2.5 MB of ten double floats each: the processor's second-level cache holds it."""

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int32]
Points = npt.NDArray[np.float32]
"""Rows in the smaller space, float32[rows, dimensions]."""


@dataclass(frozen=True)
class Moments:
    """Of some rows, about a reference that all share: sums float64[d], products float64[d, d]."""

    rows: int
    sums: Floats
    products: Floats

    @classmethod
    def total(cls, parts: Sequence["Moments"]) -> "Moments":
        return cls(
            sum(part.rows for part in parts),
            np.sum([part.sums for part in parts], axis=0),
            np.sum([part.products for part in parts], axis=0),
        )


@dataclass(frozen=True)
class Space:
    """centre float64[d], axes float64[d, dimensions], scaled by `scale`."""

    centre: Floats
    axes: Floats
    scale: float

    def own(self) -> "Space":
        """A copy: what an engine hands over is read-only, for which no kernel is compiled."""
        return Space(self.centre.copy(), self.axes.copy(), self.scale)

    @property
    def dimensions(self) -> int:
        return self.axes.shape[1]


def moments(features: Features, reference: Features, pool: Executor) -> Moments:
    """Of features float32[n, d], about reference float32[d], any row near them.

    DataError where a feature is missing or infinite.
    """
    starts = range(0, len(features), CHUNK_ROWS)
    width = features.shape[1]
    nothing = Moments(0, np.zeros(width), np.zeros((width, width)))
    about = np.asarray(reference, np.float64)

    def of_chunk(start: int) -> Moments:
        chunk = features[start : start + CHUNK_ROWS] - about
        return Moments(len(chunk), chunk.sum(axis=0), chunk.T @ chunk)

    found = Moments.total([nothing, *pool.map(of_chunk, starts)])
    if not np.isfinite(found.sums).all():
        column = int(np.flatnonzero(~np.isfinite(found.sums))[0])
        raise DataError(
            f"feature {column} (from 0) is missing or infinite in a row: distances need all",
            column=column + 1,
        )
    return found


def smaller_space(found: Moments, reference: Features) -> Space:
    """The space of all rows whose moments these are, of one dimension at least."""
    mean = found.sums / found.rows
    covariance = found.products / found.rows - np.outer(mean, mean)
    variances, vectors = np.linalg.eigh(covariance)
    variances, vectors = np.maximum(variances[::-1], 0), vectors[:, ::-1]
    kept = max(1, int((variances > LEAST_VARIANCE * variances[0]).sum()))
    spread = float(np.sqrt(variances.sum()))
    scale = 1 / spread if spread > 0 else 1.0
    axes = np.ascontiguousarray(vectors[:, :kept] * scale)
    return Space(np.asarray(reference, np.float64) + mean, axes, scale)


def points_of(space: Space, features: Features, rows: Rows | None = None) -> Points:
    """Where rows lie in the smaller space: these rows, int32[n], or all."""
    count = len(features) if rows is None else len(rows)
    points = np.empty((count, space.dimensions), np.float32)
    chosen = np.empty(0, np.int32) if rows is None else rows
    _turn(features, rows is None, chosen, space.centre, space.axes, points)
    return points


def norms_of(space: Space, features: Features) -> Floats:
    """How far rows are from the centre, by all of their features, float64[n].

    DataError where a feature is missing or infinite.
    """
    norms = np.empty(len(features))
    _measure(features, space.centre, space.scale, norms)
    if not np.isfinite(norms).all():
        raise DataError("a test row has a missing or infinite feature: distances need all")
    return norms


@numba.njit(nogil=True, cache=True)
def _turn(features, all_rows, chosen, centre, axes, points):  # type: ignore[no-untyped-def]
    sums = np.empty(axes.shape[1])
    for place in range(len(points)):
        row = place if all_rows else chosen[place]
        for axis in range(len(sums)):
            sums[axis] = 0.0
        for feature in range(len(centre)):
            step = np.float64(features[row, feature]) - centre[feature]
            for axis in range(len(sums)):
                sums[axis] += step * axes[feature, axis]
        for axis in range(len(sums)):
            points[place, axis] = sums[axis]


@numba.njit(nogil=True, cache=True)
def _measure(features, centre, scale, norms):  # type: ignore[no-untyped-def]
    for row in range(len(features)):
        total = 0.0
        for feature in range(len(centre)):
            step = (np.float64(features[row, feature]) - centre[feature]) * scale
            total += step * step
        norms[row] = np.sqrt(total)
