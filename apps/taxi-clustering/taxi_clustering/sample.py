"""A sample of rows that is the same whoever reads them: those with the smallest keys.

Every row has a random key of its own (`clean_rows.keep`); the `size` smallest of all keys are a
uniform sample without replacement, and the smallest of the smallest of two parts are those of the
whole (bottom-k sampling; Cohen and Kaplan 2007, Summarizing Data using Bottom-k Sketches).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

SAMPLE_SIZE = 20_000
"""Trips that seed the centres and whose silhouettes are taken."""


@dataclass(frozen=True)
class Sample:
    """keys uint64[n]; points float32[2, n] in metres, beside them."""

    keys: npt.NDArray[np.uint64]
    points: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def empty(cls) -> "Sample":
        return cls(np.empty(0, np.uint64), np.empty((2, 0), np.float32))

    def joined(self, other: "Sample", size: int) -> "Sample":
        """The sample of both together: at most `size` rows, in any order."""
        keys, points = other.keys, other.points
        if len(self) >= size:
            # Nearly all of what comes later is above the largest key that is kept.
            below = keys < self.keys.max()
            keys, points = keys[below], points[:, below]
        keys = np.concatenate([self.keys, keys])
        points = np.concatenate([self.points, points], axis=1)
        if len(keys) > size:
            chosen = np.argpartition(keys, size - 1)[:size]
            keys, points = keys[chosen], points[:, chosen]
        return Sample(keys, points)

    @classmethod
    def of(cls, parts: Sequence["Sample"], size: int) -> "Sample":
        """The sample of all parts together, in the order of the keys: the same from any parts."""
        whole = reduce(lambda one, other: one.joined(other, size), parts, cls.empty())
        # Equal keys are equal trips, all but surely; the rest of the order is for who doubts it.
        order = np.lexsort((whole.points[1], whole.points[0], whole.keys))
        return cls(whole.keys[order], np.ascontiguousarray(whole.points[:, order]))
