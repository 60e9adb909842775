"""taxi-clustering: what every engine of this study is asked, and what it returns.

Pickups of the trips that pass the ETL, in metres around the city's centre; k-means over all of
them; clusters in the order of their trips, the busiest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from typing import Any

import numpy as np
import numpy.typing as npt
import typer
from study_data import stores
from study_data import yellow_trips
from studykit import machine
from studykit import storage
from studykit.errors import UsageError
from studykit.options import Options
from studykit.options import Study
from studykit.records import DatasetInfo
from studykit.records import Limit
from studykit.run import Outcome
from studykit.run import Run

from taxi_clustering import maps
from taxi_clustering import trips
from taxi_clustering.clustering import SAMPLE_SIZE
from taxi_clustering.clustering import Clustering
from taxi_clustering.clustering import Totals
from taxi_clustering.clustering import centres_table
from taxi_clustering.search import Search
from taxi_clustering.trips import TripFormat
from taxi_clustering.worker import Loaded

LARGEST_SPLIT = 64_000_000
SMALLEST_SPLIT = 1 << 16
SPLITS_PER_THREAD = 8
"""So that threads and workers end at about the same time."""
BYTES_PER_POINT = 8
"""What an iteration must at least stream: two float32 of each point."""


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    clusters: Annotated[int, typer.Option(min=1, max=SAMPLE_SIZE, help="k of k-means.")] = 40
    restarts: Annotated[
        int, typer.Option(min=1, help="Seedings tried; the lowest inertia is the answer.")
    ] = 1
    tolerance: Annotated[
        float, typer.Option(metavar="METRES", help="Stop when no centre moves as far as this.")
    ] = 1.0
    max_iterations: Annotated[int, typer.Option(min=1, help="Not converged by then is exit 3.")] = (
        1000
    )


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    return stores.input_of(options, yellow_trips.DATASET)


def validate(options: Options, parameters: Parameters) -> None:
    if not parameters.tolerance > 0:
        raise UsageError(f"--tolerance {parameters.tolerance:g}: must be above 0")
    maps.check_out(options.out)


STUDY = Study(
    name="taxi-clustering",
    package="taxi_clustering",
    engines=("plain", "ray", "torch"),
    dataset=yellow_trips.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    methods=("exact", "published"),
    packages=("numpy", "numba", "pyarrow", "ray", "torch", "scikit-learn", "polars"),
)


@dataclass(frozen=True)
class Input:
    """The cut input: `splits` in file order, and the format of every file."""

    splits: list[storage.Split]
    formats: dict[str, TripFormat]

    def of_worker(self, index: int, workers: int) -> list[storage.Split]:
        """Every workers-th split, so that a slow stretch of a file is shared out."""
        return self.splits[index::workers]


def cut_input(run: Run) -> Input:
    """Look at every file's head and cut it: small pieces, as many as there are threads to feed."""
    options, total = run.options, run.dataset.bytes
    threads = options.worker_count * options.threads
    even = total // (threads * SPLITS_PER_THREAD) + 1
    size = options.split_bytes or min(max(even, SMALLEST_SPLIT), LARGEST_SPLIT)
    if options.method == "published":
        from taxi_clustering import published

        size = options.split_bytes or published.BLOCK_BYTES
    pieces = storage.splits(run.dataset.uri, size)
    uris = list(dict.fromkeys(piece.uri for piece in pieces))
    return Input(pieces, trips.formats(uris))


def totals(run: Run, loaded: Sequence[Loaded]) -> Totals:
    """Over all workers. DataError where that is too little for the clusters asked for."""
    return Totals.of(loaded, run.dataset.uri, run.parameters.clusters)


def search(run: Run, totals: Totals) -> Search:
    parameters: Parameters = run.parameters
    return Search(
        totals.sample.points,
        clusters=parameters.clusters,
        seed=run.options.seed,
        restarts=parameters.restarts,
        tolerance=parameters.tolerance,
        max_iterations=parameters.max_iterations,
    )


def outcome(
    run: Run,
    found: Search,
    totals: Totals,
    inertia: float,
    density: npt.NDArray[np.int64] | None,
    **measured: Any,
) -> Outcome:
    """The answer of an engine with everything that follows from it."""
    from taxi_clustering import maps
    from taxi_clustering import oracle
    from taxi_clustering import quality

    best, parameters = found.best, run.parameters
    clustering = Clustering.of(best.centres, best.sums[:, 0], inertia, totals, density)
    unconverged = None
    if not best.movement < parameters.tolerance:
        unconverged = (
            f"not converged: a centre moved {best.movement:.3g} m in iteration {best.iterations},"
            f" --tolerance {parameters.tolerance:g}: raise --max-iterations"
        )
    return Outcome(
        quality={
            **clustering.quality(),
            "iterations": found.steps,
            "iterations_of_the_best": best.iterations,
            "movement_metres": best.movement,
        },
        assess=lambda: quality.assess(totals.sample.points, clustering.centres),
        check=lambda: oracle.check(run, clustering),
        write=lambda uri: maps.write(clustering, uri),
        limit=lambda: limit(run, found.steps * totals.kept),
        unconverged=unconverged,
        summary=[centres_table(clustering)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def limit(run: Run, points: int) -> Limit:
    """Reading every byte once, and streaming every point once an iteration."""
    threads = run.options.worker_count * run.options.threads
    cores = min(threads, machine.cores())
    read_rate = machine.read_rate(run.dataset.uri, cores)
    copy_rate = machine.copy_rate(cores)
    streamed = points * BYTES_PER_POINT
    return Limit(
        kind="read the input once, stream the points once an iteration",
        seconds=run.dataset.bytes / read_rate + streamed / copy_rate,
        detail={
            "read_bytes_per_second": read_rate,
            "memory_bytes_per_second": copy_rate,
            "streamed_bytes": streamed,
        },
    )


def bytes_sent(parameters: Parameters, steps: int, workers: int) -> int:
    """Every worker's sums once an iteration, k × 3 numbers; nothing crosses for one worker."""
    return 8 * 3 * parameters.clusters * steps * workers if workers > 1 else 0
