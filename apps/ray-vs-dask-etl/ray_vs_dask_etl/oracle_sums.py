"""What a fit is judged by: sums over the oracle's rows by NumPy, a piece by every core."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit.run import Run
from threadpoolctl import threadpool_limits

from ray_vs_dask_etl.oracle_rows import Rows, first_rows, read_for
from ray_vs_dask_etl.solver import Fit

WIDER = 2.0
"""Times as wide columns may be in all rows as in the first ones, in whose range they are taken."""
MOST_PARAMETERS = 1000
"""Above, a Hessian takes too long, and the gradient alone is judged."""
ROWS_AT_ONCE = 1 << 13
"""Whose products with categories and columns stay in a core's cache."""

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


@dataclass
class Sums:
    """Over the training rows, of z = (1, v): v runs from -1 to 1 in every column, or nearly so."""

    products: Floats
    """Σ z zᵀ."""
    gradient: Floats
    """float64[classes, 1 + columns]: Σ (share - own) z."""
    at_zero: Floats
    hessian: Floats | None
    """float64[classes · (1 + columns)] squared."""
    correct: int = 0
    """Test rows whose category has the highest score, by more than rounding."""
    doubtful: int = 0
    """Test rows with two next to equal scores."""

    @classmethod
    def none(cls, classes: int, terms: int) -> "Sums":
        size = classes * terms
        hessian = np.zeros((size, size)) if size <= MOST_PARAMETERS else None
        gradient, at_zero = np.zeros((2, classes, terms))
        return cls(np.zeros((terms, terms)), gradient, at_zero, hessian)

    def join(self, other: "Sums") -> None:
        self.products += other.products
        self.gradient += other.gradient
        self.at_zero += other.at_zero
        self.correct += other.correct
        self.doubtful += other.doubtful
        if self.hessian is not None and other.hessian is not None:
            self.hessian += other.hessian


@dataclass(frozen=True)
class Range:
    """What the columns lie between, float64[columns]."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, values: Floats) -> "Range":
        return cls(values.min(axis=1), values.max(axis=1))

    def join(self, other: "Range") -> "Range":
        return Range(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    @property
    def middle(self) -> Floats:
        return self.low / 2 + self.high / 2

    @property
    def half(self) -> Floats:
        """Half the width; where it has no width, 1."""
        half = self.high / 2 - self.low / 2  # The difference may be above the largest double.
        return np.where(half > 0, half, 1.0)

    def is_like(self, first: "Range") -> bool:
        """Whether it has no column that is much wider than in `first`, a part of it."""
        with np.errstate(over="ignore"):
            wide = np.maximum(self.high - first.middle, first.middle - self.low)
            known = wide <= WIDER * (first.high / 2 - first.low / 2)
        return bool(known.all())


def read(run: Run, fit: Fit) -> tuple[Sums, Range]:
    """In one reading by the range of the first rows, where that of all is like it; else in two."""
    first = Range.of(first_rows(run).values)
    with threadpool_limits(1):  # Of BLAS: the pieces are what threads share out.
        sums, found = _sums_by(run, fit, first)
        if found.is_like(first):
            return sums, first
        return _sums_by(run, fit, found)[0], found


def _sums_by(run: Run, fit: Fit, by: Range) -> tuple[Sums, Range]:
    """(Sums, the range of all rows)"""
    classes = np.full(len(run.parameters.read.categories), -1)
    classes[fit.classes] = np.arange(len(fit.classes))

    def of_piece(rows: Rows) -> tuple[Sums, Range]:
        sums = Sums.none(len(fit.classes), 1 + len(by.low))
        codes, test = classes[rows.codes], is_test(rows.ids, run.options.seed)
        tested, trained = np.flatnonzero(test), np.flatnonzero(~test)
        _count(sums, fit, rows.values.take(tested, axis=1), codes.take(tested))
        values, codes = rows.values.take(trained, axis=1), codes.take(trained)
        room = np.empty((len(fit.classes), 1 + len(by.low), ROWS_AT_ONCE))
        for start in range(0, len(codes), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            _add(sums, fit, by, values[:, part], codes[part], room)
        return sums, Range.of(rows.values)

    total, range_ = Sums.none(len(fit.classes), 1 + len(by.low)), by
    for sums, found in read_for(run, of_piece):
        total.join(sums)
        range_ = range_.join(found)
    return total, range_


def _kept(fit: Fit, values: Floats) -> tuple[Floats, Floats]:
    """(theta with the first category's, values in the scale that theta is for)."""
    theta = np.vstack([np.zeros(fit.theta.shape[1]), fit.theta])
    return theta, values * fit.scaling.factors[:, None] - fit.scaling.offsets[:, None]


def _count(sums: Sums, fit: Fit, values: Floats, codes: Codes) -> None:
    """Right predictions, of test rows."""
    granted = 1e-11 if fit.scaling.wide else 1e-6
    theta, kept = _kept(fit, values)
    scores = theta[:, :1] + theta[:, 1:] @ kept
    sizes = np.abs(theta[:, :1]) + np.abs(theta[:, 1:]) @ np.abs(kept)
    best = np.partition(scores, len(scores) - 2, axis=0)
    doubtful = best[-1] - best[-2] <= granted * sizes.max(axis=0)
    sums.correct += int(((scores.argmax(axis=0) == codes) & ~doubtful).sum())
    sums.doubtful += int(doubtful.sum())


def _add(sums: Sums, fit: Fit, by: Range, values: Floats, codes: Codes, room: Floats) -> None:
    """Training rows, few at a time. `room` is float64[classes, terms, rows or more]."""
    theta, kept = _kept(fit, values)
    share = theta[:, :1] + theta[:, 1:] @ kept
    share -= share.max(axis=0)
    np.exp(share, out=share)
    share /= share.sum(axis=0)
    z = np.ones((1 + len(values), len(codes)))
    np.divide(values - by.middle[:, None], by.half[:, None], out=z[1:])
    sums.products += z @ z.T
    if sums.hessian is not None:
        # Σ P_k (δ_kl - P_l) z zᵀ.
        products = np.multiply(share[:, None], z, out=room[:, :, : len(codes)])
        each = products.reshape(-1, len(codes))
        sums.hessian -= each @ each.T
        whole = each @ z.T
        for k in range(len(share)):
            place = slice(k * len(z), (k + 1) * len(z))
            sums.hessian[place, place] += whole[place]
    shares = share @ z.T
    share -= codes == np.arange(len(share))[:, None]
    gradient = share @ z.T
    sums.gradient += gradient
    own = shares - gradient
    sums.at_zero += z.sum(axis=1) / len(share) - own


def is_test(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.bool_]:
    """splitmix64 of the id and the seed, in the lowest fifth of its range."""
    value = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        value = (value ^ (value >> np.uint64(shift))) * np.uint64(factor)
    value ^= value >> np.uint64(31)
    return value < np.uint64(2**64 // 5)
