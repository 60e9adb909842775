"""What the paper ran, kept as it was: a ranking, but not PageRank of the graph.

Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.B: the file is taken in chunks of
30 MB; within a chunk vertices are numbered anew and `torch_ppr.page_rank` ranks the chunk with its
defaults (alpha 0.05, epsilon 1e-4); the chunks' dictionaries {vertex: score} are added up, and
every 20 chunks the sum is saved and cut to its 10,000 highest.

Why that is not PageRank:
- chunks are ranked apart, so no rank ever flows between two chunks, and a vertex that occurs in
  more chunks gets more (scores of each chunk add up to 1, whatever the chunk);
- torch_ppr adds every edge's reverse: it ranks the undirected graph, where rank is close to degree;
- teleport is 0.05 (not 0.15), and epsilon bounds the largest single change, not the sum of changes;
- a vertex that is cut from the 10,000 loses what it had, so the answer depends on the order.

The record says how far the answer is from the exact one.
"""

import dataclasses
import json
import tempfile
from collections.abc import Callable
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from studykit.errors import DataError
from studykit.records import Check
from studykit.run import Outcome
from studykit.run import Run
from studykit.storage import Split
from torch_ppr import page_rank

from twitter_pagerank import edges
from twitter_pagerank import ranking
from twitter_pagerank.edges import EdgeFormat
from twitter_pagerank.study import NO_EDGES

CHUNK_BYTES = 30_000_000
ALPHA = 0.05
EPSILON = 1e-4
KEPT = 10_000
CHUNKS_BETWEEN_SAVES = 20

Scores = dict[int, float]


def rank_chunk(split: Split, form: EdgeFormat, reverse: bool) -> Scores:
    """Rank one chunk by itself: {vertex: score}."""
    chunks = list(edges.read(split, form))
    sources = np.concatenate([chunk.sources for chunk in chunks] or [np.empty(0, np.int64)])
    targets = np.concatenate([chunk.destinations for chunk in chunks] or [np.empty(0, np.int64)])
    if not len(sources):
        return {}
    if reverse:
        sources, targets = targets, sources
    pairs = np.stack([sources, targets]).astype(np.int64)
    vertices, numbers = np.unique(pairs, return_inverse=True)
    scores = page_rank(
        edge_index=torch.from_numpy(numbers.reshape(2, -1)).long(),  # type: ignore[arg-type]
        num_nodes=len(vertices),
        alpha=ALPHA,
        epsilon=EPSILON,
        device="cpu",
    )
    return dict(zip(vertices.tolist(), scores.tolist(), strict=True))


def add(total: Scores, chunk: Scores) -> None:
    """Sum the scores of two dictionaries into the first."""
    for vertex, score in chunk.items():
        total[vertex] = total.get(vertex, 0.0) + score


def highest(scores: Scores, count: int = KEPT) -> Scores:
    """The highest scores, ties by the smaller id, in that order."""
    return dict(sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))[:count])


def merge(ranked: Iterable[Scores]) -> Scores:
    """Add up chunks as they come, cutting and saving every 20."""
    total: Scores = {}
    with tempfile.TemporaryDirectory(prefix="pagerank-published-") as folder:
        for number, scores in enumerate(ranked, start=1):
            add(total, scores)
            if number % CHUNKS_BETWEEN_SAVES == 0:
                total = highest(total)
                save(total, Path(folder) / f"chunk_{number}.json")
    return highest(total)


def save(scores: Scores, path: Path) -> None:
    path.write_text(json.dumps(scores))


def outcome(run: Run, scores: Scores, exact: Callable[[Run], Outcome]) -> Outcome:
    """The ranking, highest first, and its distance from what `exact` finds in one plain process."""
    if not scores:
        raise DataError(NO_EDGES, uri=run.dataset.uri)
    ids = np.fromiter(scores, np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    count = run.parameters.top
    top = [
        {"vertex": int(vertex), "rank": float(value)}
        for vertex, value in zip(ids[:count], values[:count], strict=True)
    ]

    def distance() -> dict[str, float]:
        parameters = dataclasses.replace(run.parameters, top=100)
        options = dataclasses.replace(run.options, split_size=None)
        right = exact(Run(run.study, "plain", options, parameters, run.dataset, quiet=True))
        vertices = [entry["vertex"] for entry in right.quality["top"]]
        return {f"top_{n}_overlap": overlap(ids.tolist(), vertices, n) for n in (10, 100)}

    return Outcome(
        quality={"top": top},
        assess=distance,
        check=lambda: Check(oracle="none: wrong by design, see top_10_overlap and top_100_overlap"),
        write=lambda uri: ranking.write(ids, values, uri),
        summary=[ranking.top_table(top)],
        bytes_read=run.dataset.bytes,
    )


def overlap(top: list[int], exact: list[int], count: int) -> float:
    """Share of the `count` highest that both rankings have, 0 … 1."""
    count = min(count, len(exact))
    return len(set(top[:count]) & set(exact[:count])) / count
