"""Offset and scale of every column, the same on all workers: what makes small kept numbers enough.

Single precision has 24 bits, and 1e7 ± 1 or 3e-26 needs them all, or more range than there is, for
what says nothing. Kept is t = x / scale - offset instead. The one idea: a scale is a power of two,
so that x / scale is exact, and an offset is a value of the column, so that the difference of what
lies near it is exact too.

They come from the first rows, before the others are read. What all rows then say (`Loaded`) shows
whether that was good enough; if not, the rows are read once more around their mean, and kept with
48 bits. No finite column overflows: what is added up of t lies near 1.
"""

from dataclasses import dataclass

import numpy as np

from ray_vs_dask_etl.regression import Floats, Loaded, described

WORST_AMPLIFICATION = 30.0
"""Of what single precision rounds off, 3e-8 of a number: 1e-6 of what a column says alone."""
FURTHEST, NEAREST = 1e30, 1e-30
"""Sizes and spreads of t that single precision holds, 1e±38, with room to spare."""
LARGEST_EXPONENT = 1022
"""Two to this, and its inverse, are doubles with all their bits."""


@dataclass(frozen=True)
class Scaling:
    """t = x · factors - offsets, both float64[columns].

    `wide`: t is kept as the sum of two numbers of single precision.
    """

    factors: Floats
    offsets: Floats
    wide: bool = False

    @classmethod
    def of(cls, values: Floats) -> "Scaling":
        """That of some rows, float64[columns, rows], perhaps none."""
        if values.shape[1] == 0:
            return cls(np.ones(len(values)), np.zeros(len(values)))
        middle = values.shape[1] // 2
        medians = np.partition(values, middle, axis=1)[:, middle]
        return cls._around(medians, values.min(axis=1), values.max(axis=1), wide=False)

    @classmethod
    def _around(cls, centres: Floats, low: Floats, high: Floats, wide: bool) -> "Scaling":
        # Halves, because the difference of two doubles may be beyond the largest.
        sizes = np.maximum(high / 2 - centres / 2, centres / 2 - low / 2)
        sizes = np.where(sizes > 0, sizes, np.abs(centres))
        _, exponents = np.frexp(np.where(sizes > 0, sizes, 1.0))
        factors = np.ldexp(1.0, -np.clip(exponents, -LARGEST_EXPONENT, LARGEST_EXPONENT))
        return cls(factors, centres * factors, wide)

    def again(self, total: Loaded) -> "Scaling":
        """A better one, from what all rows have shown: around their means."""
        low, high = total.ranges.T
        with np.errstate(all="ignore"):  # They have overflowed where this one was far off.
            centres = (described(total).means + self.offsets) / self.factors
        inside = (low <= centres) & (centres <= high)
        return self._around(np.where(inside, centres, low / 2 + high / 2), low, high, wide=True)

    def holds(self, total: Loaded) -> bool:
        """Whether the sums over what was kept say what the rows say."""
        if not np.isfinite(total.moments).all():
            return False
        low, high = total.ranges.T
        found = described(total)
        # Where the rows differ and what was kept of the training rows does not, it may be why.
        lost = (low < high) & ~found.varies
        shown = found.deviations[found.varies]
        near = (found.amplification <= WORST_AMPLIFICATION).all()
        if self.wide:
            return bool(near)
        with np.errstate(all="ignore"):
            sizes = np.abs(np.stack([low, high]) * self.factors - self.offsets)
        return bool(
            near and not lost.any() and sizes.max() <= FURTHEST and (shown >= NEAREST).all()
        )

    def of_columns(self, theta: Floats) -> Floats:
        """Coefficients of (1, t …), in rows, → of (1, x …); infinite above the largest double."""
        slopes = theta[:, 1:]
        with np.errstate(over="ignore"):
            intercepts = theta[:, 0] - (slopes * self.offsets).sum(axis=1)
            return np.column_stack([intercepts, slopes * self.factors]) + 0.0  # No -0.0.
