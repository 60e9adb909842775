"""What the paper ran, kept as it was: clusters of clusters' centres, not clusters of trips.

Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.A: the file is taken in blocks of
1 MB; each block is filtered and clustered by itself with scikit-learn's KMeans on degrees, its
silhouette taken; then the centres of all blocks are clustered again.

Why that is not k-means of the trips:
- the second pass gives every centre of a block the same weight, whether 3 or 300 trips are
  nearest to it: quiet places draw the final centres away from where the trips are;
- a degree of longitude is a quarter shorter than one of latitude in New York, so degrees cluster
  a stretched city;
- the silhouettes are those of the blocks' own clusters, which are thrown away: nothing was
  measured of the final ones.

The record has the inertia of the final centres over all trips, in metres, and the exact method's.
"""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score
from studykit.errors import DataError
from studykit.records import Check
from studykit.run import Outcome
from studykit.run import Run
from studykit.storage import Split

from taxi_clustering import city
from taxi_clustering import maps
from taxi_clustering import quality
from taxi_clustering import trips
from taxi_clustering.clustering import Clustering
from taxi_clustering.clustering import Totals
from taxi_clustering.search import Search
from taxi_clustering.trips import TripFormat
from taxi_clustering.worker import Worker

BLOCK_BYTES = 1_000_000

Floats = npt.NDArray[np.float64]
Baseline = Callable[[Run], tuple[Worker, Search, Totals]]
"""The exact method in one process: the points of all trips, and the search that is done."""


@dataclass(frozen=True)
class BlockClusters:
    """Of one block: centres in degrees, float64[≤ k, 2]; the silhouette of its own clusters."""

    centres: Floats
    silhouette: float | None
    rows: int
    kept: int


def cluster_block(split: Split, form: TripFormat, clusters: int, seed: int) -> BlockClusters:
    """Filter and cluster one block by itself."""
    read = trips.read(split, form, 1, seed)
    metres = np.concatenate([np.empty((2, 0), np.float32), *read.points], axis=1).T
    degrees = city.to_degrees(metres.astype(np.float64))
    if len(np.unique(degrees, axis=0)) <= clusters:
        # Too few for k clusters (a last piece of a file): each place is a centre.
        return BlockClusters(np.unique(degrees, axis=0), None, read.rows, read.kept)
    fitted = KMeans(n_clusters=clusters, random_state=seed).fit(degrees)
    score = float(silhouette_score(degrees, fitted.labels_)) if clusters > 1 else None
    return BlockClusters(fitted.cluster_centers_, score, read.rows, read.kept)


def merge(blocks: Sequence[BlockClusters], run: Run) -> Floats:
    """The second pass: the centres of all blocks, each with the same weight → float64[k, 2]."""
    clusters = run.parameters.clusters
    centres = np.concatenate([block.centres for block in blocks])
    places = len(np.unique(centres, axis=0))
    if places < clusters:
        raise DataError(
            f"--clusters {clusters}: the blocks have {places} centres together", uri=run.dataset.uri
        )
    fitted = KMeans(n_clusters=clusters, random_state=run.options.seed).fit(centres)
    return fitted.cluster_centers_  # type: ignore[no-any-return]


def outcome(
    run: Run, blocks: Sequence[BlockClusters], degrees: Floats, baseline: Baseline
) -> Outcome:
    """The published answer, centres float64[k, 2] in degrees, and its distance from the exact one.

    The exact answer is found by `baseline`, after the clock has stopped.
    """
    scores = [block.silhouette for block in blocks if block.silhouette is not None]

    @functools.cache
    def against_exact() -> tuple[Clustering, dict[str, Any]]:
        return _against_exact(run, degrees, baseline)

    return Outcome(
        quality={
            "blocks": len(blocks),
            "rows_read": sum(block.rows for block in blocks),
            "rows_kept": sum(block.kept for block in blocks),
            "silhouette_of_local_clusterings": float(np.mean(scores)) if scores else None,
        },
        assess=lambda: against_exact()[1],
        check=lambda: Check(oracle="none: another answer by design, see inertia_penalty"),
        write=lambda uri: maps.write(against_exact()[0], uri),
        bytes_read=run.dataset.bytes,
    )


def _against_exact(
    run: Run, degrees: Floats, baseline: Baseline
) -> tuple[Clustering, dict[str, Any]]:
    """The published centres among all trips, beside the exact method's answer."""
    options = dataclasses.replace(run.options, split_size=None, method="exact")
    again = Run(run.study, "plain", options, run.parameters, run.dataset, quiet=True)
    worker, search, totals = baseline(again)
    centres = city.to_metres(degrees[:, 0], degrees[:, 1]).astype(np.float32)
    counts = worker.step(centres)[:, 0]
    inertia, exact_inertia = worker.score(centres), worker.score(search.best.centres)
    clustering = Clustering.of(centres, counts, inertia, totals, worker.density())
    worker.close()
    return clustering, {
        **clustering.quality(),
        **quality.assess(totals.sample.points, clustering.centres),
        "exact_inertia": exact_inertia,
        "inertia_penalty": inertia / exact_inertia - 1 if exact_inertia > 0 else None,
    }
