"""Graphs and answers that the tests share: the real samples where they are, and their twins."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import networkx
import numpy as np
import pytest
from studykit import storage
from twitter_pagerank import edges, kernel, relabel, windows
from twitter_pagerank.edge_format import Reading
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.worker import Worker


def samples() -> Path:
    """The folder of real graphs; skips the test where STUDY_SAMPLES does not name it."""
    folder = os.environ.get("STUDY_SAMPLES")
    if not folder:
        pytest.skip("STUDY_SAMPLES is not set: the real sample graphs are not here")
    return Path(folder) / "graphs"


def reference(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((samples() / "reference.json").read_text())[name]
    return found


def write_graph(path: Path, pairs: Sequence[tuple[int, int]]) -> Path:
    path.write_text("".join(f"{source},{destination}\n" for source, destination in pairs))
    return path


def random_pairs(vertices: int, count: int, seed: int) -> list[tuple[int, int]]:
    """Skewed random pairs with sinks, self-loops and duplicates."""
    random = np.random.default_rng(seed)
    ids = np.sort(random.choice(10**7, vertices, replace=False))
    places = (vertices * random.random((count, 2)) ** 2).astype(int)
    return [(int(a), int(b)) for a, b in ids[places]]


def networkx_ranks(pairs: Sequence[tuple[int, int]], damping: float = 0.85) -> dict[int, float]:
    graph = networkx.DiGraph()
    graph.add_edges_from(pairs)
    found: dict[int, float] = networkx.pagerank(graph, damping, tol=1e-15, max_iter=1000)
    return found


def rank(
    path: Path,
    parts: int = 1,
    threads: int = 1,
    split_size: int = 1 << 20,
    tolerance: float = 1e-13,
    reverse: bool = False,
    reading: Reading = edges.AS_IT_IS,
    damping: float = 0.85,
    most: int = 2000,
    segment_bits: int | None = None,
) -> Ranking:
    """The exact method over `parts` workers of this process, exchanging by hand."""
    workers = [Worker(threads, damping) for _ in range(parts)]
    for worker in workers:
        worker.segment_bits = worker.segment_bits if segment_bits is None else segment_bits
    splits = storage.splits(str(path), split_size)
    forms = edges.formats(list(dict.fromkeys(split.uri for split in splits)), reading)
    loaded = [
        worker.load(splits[place::parts], forms, reverse) for place, worker in enumerate(workers)
    ]
    largest, lines = max(one.largest for one in loaded), sum(one.edges for one in loaded)
    dense = relabel.is_dense(largest, lines)
    joined = relabel.join([worker.occurring(largest, dense) for worker in workers], dense)
    counts = np.sum([worker.relabel(joined, dense) for worker in workers], axis=0)
    cuts = kernel.cut(counts, workers[0].buckets, parts)
    sent = [worker.scatter(cuts) for worker in workers]
    degrees = [
        worker.build([parcels[owner] for parcels in sent], cuts[owner], cuts[owner + 1])
        for owner, worker in enumerate(workers)
    ]
    out_degree = np.sum(np.array(degrees), axis=0, dtype=np.uint32)
    assert isinstance(out_degree, np.ndarray)
    shared = windows.private_window(workers[0].vertices.count)
    sums = [worker.start(out_degree, shared) for worker in workers]
    iterations, residual = 0, float("inf")
    while residual >= tolerance and iterations < most:
        gathered = np.concatenate(sums)
        sums = [worker.step(gathered) for worker in workers]
        residual = kernel.residual(np.concatenate(sums))
        iterations += 1
    ids = workers[0].vertices.ids(0, workers[0].vertices.count)
    ranks = np.concatenate([worker.ranks for worker in workers])
    edge_count = sum(worker.edges for worker in workers)
    for worker in workers:
        worker.close()
    return Ranking(ids, ranks, edge_count, lines, iterations, residual)
