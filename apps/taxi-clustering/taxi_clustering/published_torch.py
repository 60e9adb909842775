"""How the paper's torch code shares the trips out: twice, so that n ranks cluster 1/n of them.

Every rank parses the whole file and keeps the trips of every n-th block of it. A
`DistributedSampler`, which shares out rows that all ranks hold, is then given the rank's own, and
takes every n-th of those again. They are clustered in batches. (Not kept: here a rank reads its
own blocks alone.)

The paper's text (section V.A.5) names the first sharing, and shows the loader without a sampler;
it says that fewer trips were put into a batch than on Ray, not how many, and not that the rest of
the trips went unused. Its result files do: for 1.99 GB they hold 37,120, 18,560 and 12,480 centres
of blocks with 4, 8 and 12 ranks, 40 of each batch of 3,340 trips, and on Ray 75,760.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from studykit.cutting import Input
from studykit.storage import Split
from torch.utils.data import DistributedSampler

from taxi_clustering import published
from taxi_clustering.columns import TripFormat
from taxi_clustering.published import Floats, Part

BATCH_TRIPS = 3_340


def splits_of_rank(splits: Sequence[Split], rank: int, ranks: int) -> list[Split]:
    """Every ranks-th block of each file, counted from the file's first."""
    files: dict[str, list[Split]] = {}
    for split in splits:
        files.setdefault(split.uri, []).append(split)
    return [split for pieces in files.values() for split in pieces[rank::ranks]]


def load(source: Input[TripFormat], rank: int, ranks: int) -> tuple[int, Floats]:
    """Rows that a rank reads; the pickups that it keeps, float64[n, 2] degrees."""
    read = [
        published.read(split, source.formats[split.uri])
        for split in splits_of_rank(source.splits, rank, ranks)
    ]
    return sum(rows for rows, _ in read), np.concatenate(
        [np.empty((0, 2)), *(degrees for _, degrees in read)]
    )


def batches(degrees: Floats, rank: int, ranks: int) -> Iterator[Floats]:
    """The trips that a rank clusters, some at a time."""
    trips: Any = range(len(degrees))
    sampler: Any = DistributedSampler(trips, ranks, rank, shuffle=False)
    chosen = degrees[list(sampler)]
    for first in range(0, len(chosen), BATCH_TRIPS):
        yield chosen[first : first + BATCH_TRIPS]


def cluster(rows: int, degrees: Floats, rank: int, ranks: int, clusters: int, seed: int) -> Part:
    """What a rank does with what it loaded."""
    blocks = [published.cluster(b, clusters, seed) for b in batches(degrees, rank, ranks)]
    return Part(rows, len(degrees), blocks)
