"""Trips that are as near to one centre as to another, within rounding: they may count for either.

So several assignments can be equally good, and an answer is right where one of them gives it. Is
there one? That is a question of whether a linear programme has a solution: how many of the trips at
each such place count for each centre as near, so that every centre has the trips that the answer
says, and lies at their mean. (It may divide a trip between two centres: so much it is too kind.)
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

MOST_PLACES = 100_000
"""Of ties, that are looked at; more of them are no accident of rounding."""

Floats = npt.NDArray[np.float64]


class Ties:
    """What is sure of each centre (trips, metres east and north), and the places that are not."""

    def __init__(self, centres: Floats, width: float) -> None:
        self._centres, self._width = centres, width
        self._sure = np.zeros((len(centres), 3))
        self._tied: list[Floats] = []

    @property
    def places(self) -> int:
        return sum(map(len, self._tied))

    def add(self, points: Floats) -> None:
        """Points float64[n, 2] in metres."""
        apart = np.hypot(*(points[:, None] - self._centres).transpose(2, 0, 1))
        near = apart <= apart.min(axis=1, keepdims=True) + self._width
        sure = near.sum(axis=1) == 1
        label = near[sure].argmax(axis=1)
        for column, weights in enumerate((None, *points[sure].T)):
            self._sure[:, column] += np.bincount(label, weights, minlength=len(self._centres))
        tied = np.column_stack([points[~sure], near[~sure]])
        places, counts = np.unique(tied, axis=0, return_counts=True)
        self._tied.append(np.column_stack([counts, places]))

    def allow(self, trips: npt.NDArray[np.int64], apart: float) -> bool:
        """Whether an assignment gives centres these trips, int64[k], and a mean not far from each.

        `apart` is how far it may be in metres, to each side.
        """
        tied = np.concatenate(self._tied) if self._tied else np.empty((0, 3))
        if not len(tied) or len(tied) > MOST_PLACES or not (trips > 0).all():
            return False
        # Here, because its import takes a while that only a tie shall cost.
        from scipy import optimize, sparse

        place, centre = np.nonzero(tied[:, 3:])
        count, k = len(place), len(trips)
        one_each = np.ones(count)
        equal = sparse.vstack(
            [
                sparse.coo_array((one_each, (place, np.arange(count))), (len(tied), count)),
                sparse.coo_array((one_each, (centre, np.arange(count))), (k, count)),
            ]
        ).tocsr()
        # From the centre: differences of large numbers would leave less to tell by.
        offsets = tied[place, 1:3] - self._centres[centre]
        means = sparse.vstack(
            [sparse.coo_array((offsets[:, axis], (centre, np.arange(count))), (k, count))
             for axis in (0, 1)]
        ).tocsr()  # fmt: skip
        sure = (self._sure[:, 1:] - self._sure[:, :1] * self._centres).T.ravel()
        room = np.tile(trips * apart, 2)
        found = optimize.linprog(
            np.zeros(count),
            A_ub=sparse.vstack([means, -means]),
            b_ub=np.concatenate([room - sure, room + sure]),
            A_eq=equal,
            b_eq=np.concatenate([tied[:, 0], trips - self._sure[:, 0]]),
            method="highs",
        )
        return bool(found.status == 0)


def collect(pieces: Iterable[Floats], centres: Floats, width: float) -> Ties:
    """Of all points, float64[n, 2] at a time; as near is what is not `width` metres farther."""
    ties = Ties(centres, width)
    for points in pieces:
        ties.add(points)
    return ties
