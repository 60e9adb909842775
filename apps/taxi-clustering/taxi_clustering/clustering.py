"""The answer of this study: what was read, and the clusters that were found.

Clusters are in the order of their trips, the busiest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table
from studykit.errors import DataError
from studykit.run import Run
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

from taxi_clustering import city, trips
from taxi_clustering.kernel import Centres
from taxi_clustering.sample import SAMPLE_SIZE, Sample
from taxi_clustering.search import Search
from taxi_clustering.trips import COUNT
from taxi_clustering.worker import Loaded

SHOWN_CENTRES = 10


@dataclass(frozen=True)
class Totals:
    """Over all workers: rows read and kept, how often each rule was broken, the sample.

    `skipped` is what `quality` says of the rows that cannot be read, where they may be skipped.
    """

    rows: int
    kept: int
    rejects: dict[str, int]
    sample: Sample
    skipped: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run, loaded: Sequence[Loaded]) -> "Totals":
        """Add up what the workers read. DataError where that is too little for the clusters."""
        uri, clusters = run.dataset.uri, run.parameters.clusters
        rejects = np.sum([part.rejects for part in loaded], axis=0)
        rows = sum(part.rows for part in loaded)
        bad = BadRows.total(part.bad for part in loaded)
        total = cls(
            rows=rows,
            kept=sum(part.kept for part in loaded),
            rejects=trips.by_rule(rejects, run.parameters.missing == COUNT),
            sample=Sample.of([part.sample for part in loaded], SAMPLE_SIZE),
            skipped=bad_rows.accepted(run.options, bad, rows),
        )
        if total.rows == 0:
            or_bad = " and rows that cannot be read" if bad.count else ""
            raise DataError(f"no trips: nothing but a header{or_bad}", uri=uri)
        if total.kept == 0:
            broken = ", ".join(f"{rule} {count:,}" for rule, count in total.rejects.items())
            raise DataError(f"none of {total.rows:,} rows passed the filter: {broken}", uri=uri)
        if total.kept < clusters:
            raise DataError(
                f"--clusters {clusters}: only {total.kept:,} of {total.rows:,} rows were kept",
                uri=uri,
            )
        places = len(np.unique(total.sample.points, axis=1).T)
        if places < clusters:
            raise DataError(
                f"--clusters {clusters}: the {len(total.sample):,} sampled trips begin at"
                f" {places:,} different places only",
                uri=uri,
            )
        return total


def search(run: Run, totals: Totals) -> Search:
    """The search for the clusters that were asked for, seeded by the sample."""
    parameters = run.parameters
    return Search(
        totals.sample.points,
        clusters=parameters.clusters,
        seed=run.options.seed,
        restarts=parameters.restarts,
        tolerance=parameters.tolerance,
        max_iterations=parameters.max_iterations,
    )


@dataclass(frozen=True)
class Clustering:
    """The answer: centres float32[k, 2] in metres, the busiest first, and `trips` int64[k] there.

    `density` (int64[m, m]: pickups in the cells of the city's box) is there where a map is wanted.
    """

    centres: Centres
    trips: npt.NDArray[np.int64]
    inertia: float
    totals: Totals
    density: npt.NDArray[np.int64] | None = None

    @classmethod
    def of(
        cls,
        centres: Centres,
        counts: npt.NDArray[Any],
        inertia: float,
        totals: Totals,
        density: npt.NDArray[np.int64] | None = None,
    ) -> "Clustering":
        """From centres in any order and their trips, numbers[k] that are whole."""
        order = np.lexsort((centres[:, 1], centres[:, 0], -counts))
        return cls(centres[order], counts[order].astype(np.int64), inertia, totals, density)

    @property
    def degrees(self) -> npt.NDArray[np.float64]:
        """Longitude and latitude of each centre, float64[k, 2]."""
        return city.to_degrees(self.centres.astype(np.float64))

    def quality(self) -> dict[str, Any]:
        """What a record's `quality` says of it."""
        places = zip(self.degrees.tolist(), self.trips.tolist(), strict=True)
        return {
            "rows_read": self.totals.rows,
            "rows_kept": self.totals.kept,
            "rejects": self.totals.rejects,
            **self.totals.skipped,
            "inertia": self.inertia,
            "trips_per_cluster": self.trips.tolist(),
            "centres": [
                {"longitude": longitude, "latitude": latitude, "trips": count}
                for (longitude, latitude), count in places
            ],
        }


def centres_table(clustering: Clustering) -> Table:
    """The busiest of the clusters, for the person who waits."""
    shown = min(SHOWN_CENTRES, len(clustering.trips))
    table = Table(title=f"The {shown} busiest of {len(clustering.trips)} clusters")
    for heading in ("trips", "longitude", "latitude"):
        table.add_column(heading, justify="right")
    for (longitude, latitude), count in zip(
        clustering.degrees[:shown], clustering.trips[:shown], strict=True
    ):
        table.add_row(f"{count:,}", f"{longitude:.6f}", f"{latitude:.6f}")
    return table
