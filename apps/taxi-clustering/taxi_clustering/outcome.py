"""What an engine hands back: the answer with everything that follows from it."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from studykit import limits
from studykit.records import PLAIN, Limit
from studykit.run import Outcome, Run

from taxi_clustering import maps, oracle, quality
from taxi_clustering.clustering import Clustering, Totals, centres_table
from taxi_clustering.search import Search

BYTES_PER_POINT = 8
"""Two float32, which are at least streamed once, to be put in order."""


def exact(
    run: Run,
    search: Search,
    totals: Totals,
    inertia: float,
    density: npt.NDArray[np.int64] | None,
    worker_phases: Sequence[Mapping[str, float]],
) -> Outcome:
    """Of a search that is done. `inertia` (square metres) is of its best centres over all trips.

    `density` as in `Clustering`; `worker_phases` are the seconds of every worker.
    """
    best = search.best
    clustering = Clustering.of(best.centres, best.sums[:, 0], inertia, totals, density)
    return Outcome(
        quality={
            **clustering.quality(),
            "iterations": search.steps,
            "iterations_of_the_best": best.iterations,
            "movement_metres": best.movement,
        },
        assess=lambda: quality.assess(totals.sample.points, clustering.centres),
        check=lambda: oracle.check(run, clustering),
        write=lambda uri: maps.write(clustering, uri),
        limit=lambda: limit(run, totals.kept),
        unconverged=_why_not(run, search),
        summary=[centres_table(clustering)],
        worker_phases=worker_phases,
        bytes_read=run.dataset.bytes,
        bytes_sent=bytes_sent(run, search.steps),
    )


def _why_not(run: Run, search: Search) -> str | None:
    best, tolerance = search.best, run.parameters.tolerance
    if best.movement < tolerance:
        return None
    return (
        f"not converged: a centre moved {best.movement:.3g} m in iteration {best.iterations},"
        f" --tolerance {tolerance:g}: raise --max-iterations"
    )


def limit(run: Run, points: int) -> Limit:
    """Reading every byte once, and streaming every point once."""
    kind = "read the input once, stream the points once"
    return limits.streaming(run, kind, points * BYTES_PER_POINT)


def bytes_sent(run: Run, steps: int) -> int:
    """Every worker's sums once an iteration, k × 3 numbers; nothing crosses for one worker."""
    workers = 1 if run.engine == PLAIN else run.options.worker_count
    return 8 * 3 * run.parameters.clusters * steps * workers if workers > 1 else 0
