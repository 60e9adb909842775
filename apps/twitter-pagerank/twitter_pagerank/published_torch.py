"""How the paper's torch code ranks: of every chunk each rank its own edges, by themselves.

Every rank parses the whole file. A chunk's edges are shared out by a `DistributedSampler`, every
n-th to one of n ranks; a rank takes its own in batches, numbers their vertices anew, gives every
vertex a self-loop, ranks the batch, and adds up. It saves and empties its sum after chunks 0, 10,
20 … and at the end. Then rank 0 adds up the files in its own folder, those of the ranks of its own
machine: of the paper's 4, 8 and 12 ranks, 4 to a machine, those of 4. `ranks_merged` counts them.

So a score is that of a part of a chunk, and the more ranks there are, the smaller the parts.
"""

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch.distributed as dist
from studykit.cutting import Input
from studykit.engines.collectives import gather_objects
from torch.utils.data import DistributedSampler

from twitter_pagerank import published
from twitter_pagerank.edge_format import EdgeFormat
from twitter_pagerank.published import Pairs, Scores

CHUNK_BYTES = 30 << 20
BATCH_EDGES = 1 << 20
CHUNKS_BETWEEN_SAVES = 10


def batches(pairs: Pairs, rank: int, ranks: int) -> Iterator[Pairs]:
    """A rank's edges of a chunk, some at a time."""
    edges: Any = range(pairs.shape[1])
    sampler: Any = DistributedSampler(edges, ranks, rank, shuffle=False)
    own = pairs[:, list(sampler)]
    for first in range(0, own.shape[1], BATCH_EDGES):
        yield own[:, first : first + BATCH_EDGES]


def rank_into(
    folder: Path, source: Input[EdgeFormat], reverse: bool, rank: int, ranks: int
) -> None:
    """Rank one rank's edges of all chunks, and save their scores in files in `folder`."""
    total: Scores = {}
    for number, split in enumerate(source.splits):
        pairs = published.pairs_of(split, source.formats[split.uri], reverse)
        for batch in batches(pairs, rank, ranks):
            published.add(total, published.rank(batch, self_loops=True))
        if number % CHUNKS_BETWEEN_SAVES == 0:
            published.save(total, folder / f"{number}.json")
            total = {}
    if total:
        published.save(total, folder / "final.json")


def merge(folders: list[Path]) -> Scores:
    """All files of some folders, added up; nothing is cut."""
    total: Scores = {}
    for folder in folders:
        for file in sorted(folder.iterdir()):
            published.add(total, published.load(file))
    return published.normalised(total)


def merged(folder: Path) -> tuple[Scores, int] | None:
    """On rank 0 the scores, and of how many ranks they are; on others nothing.

    A collective: every rank calls it with the folder that it saved to.
    """
    places, folders = zip(*gather_objects((platform.node(), folder)), strict=True)
    here = [other for place, other in zip(places, folders, strict=True) if place == places[0]]
    found = (merge(here), len(here)) if dist.get_rank() == 0 else None
    gather_objects(None)  # No rank takes its folder away before rank 0 has read it.
    return found
