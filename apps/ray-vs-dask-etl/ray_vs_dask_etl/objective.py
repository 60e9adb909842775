"""What a solver minimises: the loss per training row, in coordinates in which it is well shaped.

The one idea: coordinates φ are chosen so that the Hessian at zero is the same in all directions.
Columns are moved to mean 0, divided by their deviations, and turned into the directions in which
their correlations fall apart (principal components, each divided by its own deviation). Directions
in which the rows do not spread are left out: columns that are constant, or that follow from others
within 3e-7 of their deviation. Whatever is found of the others is then, of all coefficients that
fit as well, the smallest in standardised columns.

L2 acts on coefficients in the columns' own units, whatever those are. Where it outweighs the rows
it, and not the deviation, is the measure of a column; and it leaves no direction open.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

from ray_vs_dask_etl.regression import Floats, Loaded, Margins, Sums, described
from ray_vs_dask_etl.scaling import Scaling

NO_SPREAD = 1e-13
"""Of a direction's variance to that of a column: the rounding of sums over many rows."""
MOST_COLUMNS = 1000
"""Above, correlations cost more than they help: columns are standardised, and no more."""
ROUNDED_OFF = 1e-6
"""Of a direction's length: what it may be off where it is no more than that of a last step."""
GRANTED, GRANTED_WIDE = 1e-6, 1e-10
"""Of the summands of a score: their rounding, and more."""
AHEAD = 1e-3
"""Of a direction's length: a margin that is one."""

Classes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Rows:
    """How the cached rows are asked: θ, whether second derivatives are wanted → sums; θ, classes,
    the share that is granted → margins."""

    evaluate: Callable[[Floats, bool], Sums]
    margins: Callable[[Floats, Classes, float], Margins]


def classes_of(total: Loaded) -> Classes:
    """The codes that occur among the training rows. DataError where that is one, or none."""
    classes = np.flatnonzero(total.moments[:, 0]).astype(np.uint8)
    if len(classes) < 2:
        raise DataError("a regression needs two categories or more among the training rows")
    return classes


class Objective:
    """Loss, gradient and Hessian per training row, of φ: float64[classes - 1, 1 + directions]."""

    def __init__(self, total: Loaded, scaling: Scaling, l2: float, rows: Rows) -> None:
        found = described(total)
        self.classes, self.passes = classes_of(total), 0
        self._rows, self._count, self._l2 = rows, float(found.counts.sum()), l2
        self._granted = GRANTED_WIDE if scaling.wide else GRANTED
        own = total.moments[self.classes][1:]
        self._labels = np.column_stack([own[:, 0], own[:, 1::2]])
        self._null = _entropy(found.counts[self.classes] / self._count)
        self._products = self._products_of_columns(len(found.means))
        self._choose_directions(found.means, found.deviations, scaling.factors)
        spread = math.sqrt(self._least_variance)
        spreading = found.amplification[found.deviations > 0]
        self.amplification = float(spreading.max(initial=1.0)) / spread
        self.gradient_floor = 1e-5 * self.amplification
        """A gradient at zero below this, which it may be by chance, is no measure for others."""

    def _products_of_columns(self, columns: int) -> Floats | None:
        """Σ z zᵀ: at zero two categories have the same weight of a quarter in every row."""
        if columns > MOST_COLUMNS:
            return None
        self.passes += 1
        return 4 * self._rows.evaluate(np.zeros((1, 1 + columns)), True).hessian

    def _choose_directions(self, means: Floats, deviations: Floats, factors: Floats) -> None:
        """θ = φ @ transform, and the variances of the directions."""
        weight = math.sqrt(self._l2 / self._count)
        with np.errstate(all="ignore"):
            units = np.hypot(deviations, weight * factors)
            inverse = np.where(units > 0, 1 / units, 0.0)
            penalty = np.nan_to_num(weight * factors / units)
        self.rank: int | None = None
        if self._products is None:
            used = np.flatnonzero(inverse)
            slopes = np.diag(inverse)[used]
            self._least_variance = 1.0
        else:
            shape = self._correlations(means, inverse)
            variances, axes = np.linalg.eigh(shape + np.diag(penalty**2))
            used = variances > NO_SPREAD * variances[-1]
            slopes = (axes[:, used] / np.sqrt(variances[used])).T * inverse
            self._least_variance = float(variances[used].min(initial=1.0))
            self.rank = int(used.sum())
            if self._l2:
                alone = np.where(deviations > 0, 1 / np.maximum(deviations, 1e-300), 0.0)
                own = np.linalg.eigvalsh(self._correlations(means, alone))
                self.rank = int((own > NO_SPREAD * own[-1]).sum())
        self._transform = np.zeros((1 + len(slopes), 1 + len(means)))
        self._transform[0, 0] = 1.0
        self._transform[1:, 1:] = slopes
        self._transform[1:, 0] = -(slopes @ means)
        self._in_units = slopes * factors if self._l2 else np.zeros((len(slopes), 0))

    def _correlations(self, means: Floats, inverse: Floats) -> Floats:
        assert self._products is not None
        covariances = self._products[1:, 1:] / self._count - np.outer(means, means)
        return covariances * np.outer(inverse, inverse)

    @property
    def zero(self) -> Floats:
        return np.zeros((len(self._labels), len(self._transform)))

    def theta(self, phi: Floats) -> Floats:
        return phi @ self._transform

    def __call__(self, phi: Floats, second: bool) -> Sums:
        sums = self._sums(phi, second)
        theta, slopes = self.theta(phi), phi[:, 1:] @ self._in_units
        centred = slopes - slopes.sum(axis=0) / len(self.classes)
        loss = sums.loss - float((theta * self._labels).sum())
        loss += self._l2 / 2 * float((slopes * centred).sum())
        gradient = (sums.gradient - self._labels) @ self._transform.T
        gradient[:, 1:] += self._l2 * centred @ self._in_units.T
        hessian = self._hessian(sums.hessian) if second else sums.hessian
        return Sums(loss / self._count, gradient / self._count, hessian)

    def _sums(self, phi: Floats, second: bool) -> Sums:
        """Over the rows; at zero, where all categories are as likely, the products say them."""
        if phi.any() or self._products is None:
            self.passes += 1
            return self._rows.evaluate(self.theta(phi), second)
        every, classes = len(self.classes), len(self._labels)
        weights: Floats = (np.eye(classes) - 1 / every) / every
        gradient = np.tile(self._products[0] / every, (classes, 1))
        hessian = np.asarray(np.kron(weights, self._products) if second else [[]], np.float64)
        return Sums(self._count * math.log(every), gradient, hessian)

    def _hessian(self, sums: Floats) -> Floats:
        classes = len(self._labels)
        wide = np.kron(np.eye(classes), self._transform)
        penalty = np.zeros((len(self._transform), len(self._transform)))
        penalty[1:, 1:] = self._l2 * (self._in_units @ self._in_units.T)
        l2 = np.kron(np.eye(classes) - 1 / len(self.classes), penalty)
        return (wide @ sums @ wide.T + l2) / self._count

    def no_end(self, direction: Floats) -> bool:
        """Whether the loss falls along the direction for ever (Albert & Anderson 1984).

        So it is where no training row's own category falls behind another one, and some gain:
        categories are told apart, all or some of them, by all rows or by some.
        """
        length = float(np.abs(direction).max())
        if self._l2 or not length:
            return False
        self.passes += 1
        found = self._rows.margins(self.theta(direction), self.classes, self._granted)
        return found.worst >= -ROUNDED_OFF * length and found.best >= AHEAD * length

    def vanishes(self, loss: float) -> bool:
        """Whether a loss is next to nothing of that without columns."""
        return loss < 1e-6 * self._null


def _entropy(shares: Floats) -> float:
    return -float(shares @ np.log(shares))
