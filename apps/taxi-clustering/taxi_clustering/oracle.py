"""An independent, slower look at the whole input, and the check of the answer against it.

Nothing of the reader or the kernel is used: `oracle_rows` reads, trips are filtered in NumPy, and
distances are taken from every trip to every centre in float64, off the grid. Right is an answer
that has the same rows and rejects, rule by rule; whose inertia and trips are those of its centres;
and which Lloyd's next step would leave where it is. Trips as near to two centres may count for
either (`ties`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numba
import numpy as np
import numpy.typing as npt
from studykit.options import BAD_ROWS_SKIP
from studykit.records import Check
from studykit.run import Run

from taxi_clustering import oracle_rows, ties
from taxi_clustering.city import CENTRE_LATITUDE, CENTRE_LONGITUDE
from taxi_clustering.clustering import Clustering
from taxi_clustering.oracle_rows import Batch
from taxi_clustering.trips import COUNT, MISSING

EARTH_RADIUS = 6_371_008.8
"""Metres, the mean of IUGG's."""
INERTIA_SHARE = 1e-5
GRID_ERROR = 0.005
"""Metres between a trip and its place on the grid, at most: half a step each way is 0.0028, and the
last digits of metres to the degree are 0.001."""
TIE_METRES = 0.02
"""Distances that differ by less may differ the other way round on the grid and in float32."""
MOVED_TRIPS_SHARE = 1e-4
"""Trips that may count for another cluster, as near to it within rounding."""

Floats = npt.NDArray[np.float64]
Made = TypeVar("Made")


def check(run: Run, clustering: Clustering) -> Check:
    """Compare an answer with one independent pass over the input."""
    centres = clustering.centres.astype(np.float64)
    sums, inertia = np.zeros((len(centres), 3)), 0.0
    read = Read()

    def assigned(batch: Batch) -> tuple[Read, Floats, float]:
        counted, points = _kept(run, batch)
        own = np.zeros_like(sums)
        return counted, own, float(_assign(points, centres, own))

    for counted, own, squares in _batches(run, assigned):
        read.add(counted)
        sums += own
        inertia += squares
    means = sums[:, 1:] / np.maximum(sums[:, :1], 1)
    apart = np.where(sums[:, 0] > 0, np.hypot(*(means - centres).T), np.inf).max()
    allowed = run.parameters.tolerance + GRID_ERROR
    moved = int(np.abs(sums[:, 0] - clustering.trips).sum()) / 2
    detail = {
        "rows_read": read.rows,
        "rows_kept": read.kept,
        "rows_unreadable": read.bad,
        "rejects": read.rejects.tolist(),
        "inertia": inertia,
        "trips_of_another_cluster": moved,
        "next_step_metres": float(apart),
        "allowed_metres": allowed,
    }
    stands = apart < allowed and moved <= MOVED_TRIPS_SHARE * read.kept
    if not stands:
        near = ties.collect(_batches(run, lambda batch: _kept(run, batch)[1]), centres, TIE_METRES)
        detail["places_as_near_to_two_centres"] = near.places
        stands = near.allow(clustering.trips, allowed)
    # Of a sum of squares of distances, each GRID_ERROR off: by Cauchy and Schwarz.
    spare = INERTIA_SHARE * inertia + read.kept * GRID_ERROR**2
    spare += 2 * GRID_ERROR * (read.kept * inertia) ** 0.5
    return Check(
        passed=bool(
            read.agrees(clustering) and stands and abs(inertia - clustering.inertia) <= spare
        ),
        oracle="one step of Lloyd's in float64 over an independent reading",
        detail=detail,
    )


@dataclass
class Read:
    """What was counted on the way: `rejects` by rule, as `rules_broken` has them."""

    rows: int = 0
    kept: int = 0
    missing: int = 0
    bad: int = 0
    rejects: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(6, np.int64))

    def add(self, other: "Read") -> None:
        self.rows += other.rows
        self.kept += other.kept
        self.missing += other.missing
        self.bad += other.bad
        self.rejects += other.rejects

    def agrees(self, clustering: Clustering) -> bool:
        totals = clustering.totals
        *rejects, missing = [*totals.rejects.values(), *[0] * (MISSING not in totals.rejects)]
        skipped = totals.skipped["bad_rows"]["skipped"] if totals.skipped else 0
        return (self.rows, self.kept, self.missing, self.bad, self.rejects.tolist()) == (
            totals.rows, totals.kept, missing, skipped, rejects,
        )  # fmt: skip


def _batches(run: Run, use: Callable[[Batch], Made]) -> Iterator[Made]:
    skip = run.options.bad_rows == BAD_ROWS_SKIP
    strict = skip or run.parameters.missing == COUNT
    return oracle_rows.batches_for(run.dataset.uri, strict, skip, use)


def _kept(run: Run, batch: Batch) -> tuple[Read, Floats]:
    """(What was read, places of the trips that break no rule, float64[n, 2] in metres)."""
    broken = rules_broken(batch.columns)
    good = np.flatnonzero(~broken.any(axis=0))
    missing = batch.missing if run.parameters.missing == COUNT else 0
    bad = batch.bad + batch.missing - missing
    read = Read(broken.shape[1] + missing, len(good), missing, bad, broken.sum(axis=1))
    return read, _metres(batch.columns["lon0"].take(good), batch.columns["lat0"].take(good))


def rules_broken(batch: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.bool_]:
    """bool[6, n]: pickup, dropoff, duration, distance, speed, total."""
    minutes = (batch["to"] - batch["from"]) / 60_000_000
    with np.errstate(divide="ignore", invalid="ignore"):
        mph = 60 * batch["miles"] / minutes

    def outside(end: str) -> npt.NDArray[np.bool_]:
        longitude, latitude = batch["lon" + end], batch["lat" + end]
        east_west = (longitude >= -74.15) & (longitude <= -73.7004)
        return ~(east_west & (latitude >= 40.5774) & (latitude <= 40.9176))

    return np.array(
        [
            outside("0"),
            outside("1"),
            ~((minutes > 0) & (minutes < 720)),
            ~((batch["miles"] > 0) & (batch["miles"] < 23)),
            ~((mph >= 0) & (mph <= 45.31)),
            ~((batch["total"] > 0) & (batch["total"] < 1000)),
        ]
    )


def _metres(longitude: Floats, latitude: Floats) -> Floats:
    scale = np.cos(np.radians(CENTRE_LATITUDE))
    east = EARTH_RADIUS * scale * np.radians(longitude - CENTRE_LONGITUDE)
    north = EARTH_RADIUS * np.radians(latitude - CENTRE_LATITUDE)
    return np.stack([east, north], axis=1)


@numba.njit(nogil=True, cache=True)
def _assign(points, centres, sums):  # type: ignore[no-untyped-def]
    """Add points float64[n, 2] to the sums of their nearest centres; returns their inertia."""
    inertia = 0.0
    for east, north in points:
        nearest, label = np.inf, 0
        for centre in range(len(centres)):
            square = (east - centres[centre, 0]) ** 2 + (north - centres[centre, 1]) ** 2
            if square < nearest:
                nearest, label = square, centre
        sums[label, 0] += 1
        sums[label, 1] += east
        sums[label, 2] += north
        inertia += nearest
    return inertia
