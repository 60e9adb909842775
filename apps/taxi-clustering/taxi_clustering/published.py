"""What the paper ran, kept as it was: clusters of clusters' centres, not clusters of trips.

Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.A, and the code it refers to: trips
are taken in blocks; each block is clustered by itself with scikit-learn's KMeans on degrees in
float64, its silhouette taken; then the centres of all blocks are clustered again. The paper's two
engines take different blocks:
- Ray: every 1 MiB of the file is a block, and all trips are clustered. `plain` does the same here.
- torch: a block is a batch of 3,340 trips, and of all trips only one in as many as there are ranks
  is clustered (`published_torch`). The record's `trips_clustered` says which share that was.

A block that scikit-learn refuses is dropped: one with fewer trips than clusters, or whose every
trip is a cluster of its own. A block whose trips have one label between them scores -1.

Why that is not k-means of the trips:
- the second pass gives every centre of a block the same weight, whether 3 or 300 trips are
  nearest to it: quiet places draw the final centres away from where the trips are;
- a degree of longitude is a quarter shorter than one of latitude in New York, so degrees cluster
  a stretched city;
- the silhouettes are those of the blocks' own clusters, which are thrown away: nothing was
  measured of the final ones.

Not kept: the paper's Ray driver parses the file itself and sends every block to tasks twice, once
to be filtered and once to be clustered, where a task here reads its own bytes; both engines turn
the two times of a row into seconds by a call of `mktime` each, here those of all rows at once; on
Ray the paper's clock covers drawing the map, on torch it does not, and here on neither.

The record has the inertia of the final centres over all trips, in metres, and the exact method's.
"""

import dataclasses
import functools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score
from studykit.columnar import RowGroups
from studykit.cutting import Input
from studykit.errors import DataError, UsageError
from studykit.records import Check
from studykit.run import Outcome, Run
from studykit.storage import Split
from studykit.text import bad_rows, lines
from studykit.text.bad_rows import BadRows

from taxi_clustering import city, exact_rows, maps, oracle, oracle_rows, quality, study
from taxi_clustering.clustering import Clustering, Totals
from taxi_clustering.columns import TripFormat
from taxi_clustering.exact_rows import MissingValue
from taxi_clustering.search import Search
from taxi_clustering.worker import Worker

BLOCK_BYTES = 1 << 20
SCORE_OF_ONE_LABEL = -1.0

Floats = npt.NDArray[np.float64]
Baseline = Callable[[Run], tuple[Worker, Search, Totals]]
"""The exact method in one process: the points of all trips, and the search that is done."""


@dataclass(frozen=True)
class Block:
    """Of `trips` trips: centres in degrees, float64[≤ k, 2], none where the block was dropped."""

    trips: int
    centres: Floats
    silhouette: float | None

    @property
    def dropped(self) -> bool:
        return not len(self.centres)


@dataclass(frozen=True)
class Part:
    """What a task or a rank did: the rows that it read, the trips that it kept, its blocks."""

    rows: int
    kept: int
    blocks: list[Block]


def cut_input(run: Run) -> Input[TripFormat]:
    """The input in blocks. UsageError where a file has none, since it cannot be cut anywhere."""
    source = study.cut_input(run, BLOCK_BYTES)
    for split in source.splits:
        if isinstance(split, RowGroups) or split.compression is not None:
            raise UsageError(
                f"--method published cuts plain CSV into pieces, which {split.uri} is not"
            )
    return source


def read(split: Split, form: TripFormat) -> tuple[int, Floats]:
    """Rows of a split; the pickups of its kept trips as they stand there, float64[n, 2] degrees.

    Longitude and latitude. DataError with the line of a row that cannot be read.
    """
    rows, found = 0, [np.empty((0, 2))]

    def leave_out(error: DataError, offset: int) -> None:
        nonlocal rows
        if not (form.count_missing and isinstance(error, MissingValue)):
            bad_rows.refuse(error, offset)
        rows += 1

    for block in lines.blocks_from(split, form.body):
        for moments, numbers in exact_rows.read(block, split, form, leave_out, BadRows()):
            columns = dict(zip(oracle_rows.COLUMNS, [*moments.T, *numbers.T], strict=True))
            kept = ~oracle.rules_broken(columns).any(axis=0)
            found.append(np.stack([columns["lon0"][kept], columns["lat0"][kept]], axis=1))
            rows += len(moments)
    return rows, np.concatenate(found)


def cluster(degrees: Floats, clusters: int, seed: int) -> Block:
    """Cluster the trips of one block by themselves."""
    try:
        labels = _labels(degrees, clusters, seed)
        alike = len(np.unique(labels)) == 1
        score = SCORE_OF_ONE_LABEL if alike else float(silhouette_score(degrees, labels))
    except ValueError:
        # What scikit-learn refuses, the paper's code drops; the record counts it.
        return Block(len(degrees), np.empty((0, 2)), None)
    return Block(len(degrees), _means(degrees, labels), score)


def cluster_split(split: Split, form: TripFormat, clusters: int, seed: int) -> Part:
    """Filter and cluster the trips of one split as one block."""
    rows, degrees = read(split, form)
    return Part(rows, len(degrees), [cluster(degrees, clusters, seed)])


def merge(parts: Sequence[Part], run: Run) -> Floats:
    """The second pass: the centres of all blocks, each with the same weight → float64[k, 2]."""
    clusters = run.parameters.clusters
    blocks = [block for part in parts for block in part.blocks]
    centres = np.concatenate([np.empty((0, 2)), *(block.centres for block in blocks)])
    places = len(np.unique(centres, axis=0))
    if places < clusters:
        dropped = sum(block.dropped for block in blocks)
        raise DataError(
            f"--clusters {clusters}: {dropped} of {len(blocks)} blocks have too few trips and were"
            f" dropped, the others have {places} centres together",
            uri=run.dataset.uri,
        )
    return _means(centres, _labels(centres, clusters, run.options.seed))


def _labels(points: Floats, clusters: int, seed: int) -> npt.NDArray[np.int32]:
    with warnings.catch_warnings():
        # Of fewer places than clusters: the paper's code goes on with those that there are.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = KMeans(n_clusters=clusters, random_state=seed)
        return model.fit_predict(points)  # type: ignore[no-any-return]


def _means(points: Floats, labels: npt.NDArray[np.int32]) -> Floats:
    """The mean of the points of every label that occurs."""
    counts = np.bincount(labels)
    sums = np.stack([np.bincount(labels, column) for column in points.T], axis=1)
    return sums[counts > 0] / counts[counts > 0, None]  # type: ignore[no-any-return]


def outcome(run: Run, parts: Sequence[Part], degrees: Floats, baseline: Baseline) -> Outcome:
    """The published answer, centres float64[k, 2] in degrees, and its distance from the exact one.

    The exact answer is found by `baseline`, after the clock has stopped.
    """
    blocks = [block for part in parts for block in part.blocks]
    used = [block for block in blocks if not block.dropped]
    kept = sum(part.kept for part in parts)

    @functools.cache
    def against_exact() -> tuple[Clustering, dict[str, Any]]:
        return _against_exact(run, degrees, baseline)

    return Outcome(
        quality={
            "blocks": len(blocks),
            "blocks_dropped": len(blocks) - len(used),
            "rows_read": sum(part.rows for part in parts),
            "rows_kept": kept,
            "trips_clustered": sum(block.trips for block in used) / kept,
            "silhouette_of_local_clusterings": float(np.mean([b.silhouette for b in used])),
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
    inertia = float(worker.score(centres))
    exact_inertia = float(worker.score(search.best.centres))
    clustering = Clustering.of(centres, counts, inertia, totals, worker.density())
    worker.close()
    return clustering, {
        **clustering.quality(),
        **quality.assess(totals.sample.points, clustering.centres),
        "exact_inertia": exact_inertia,
        "inertia_penalty": inertia / exact_inertia - 1 if exact_inertia > 0 else None,
    }
