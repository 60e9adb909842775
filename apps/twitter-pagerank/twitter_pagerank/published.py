"""What the paper ran, kept as it was: a ranking, but not PageRank of the graph.

Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.B, and the code it refers to: the
file is taken in chunks; within a chunk vertices are numbered anew and `torch_ppr.page_rank` ranks
the chunk with its defaults (alpha 0.05, epsilon 1e-4); the scores of the chunks are added up.

Why that is not PageRank:
- chunks are ranked apart, so no rank ever flows between two chunks, and a vertex that occurs in
  more chunks gets more (scores of each chunk add up to 1, whatever the chunk);
- torch_ppr adds every edge's reverse: it ranks the undirected graph, where rank is close to degree;
- teleport is 0.05 (not 0.15), and epsilon bounds the largest single change, not the sum of changes.

The paper's two engines do not add up the same, so their answers differ, and torch's with the
number of ranks. The rest of this file goes Ray's way, as `plain` does here; torch's stands in
`published_torch`.

| | Ray | torch |
|---|---|---|
| chunks, in the code (30 MB in the text) | 10 MiB | 30 MiB |
| ranked by itself | a chunk | of a chunk every n-th edge, n ranks; 1,048,576 at most |
| self-loops added | none | one for every vertex |
| added up | 20 chunks from nothing, then cut to the 10,000 highest | 1, 10, 10 … chunks of a rank |
| saved | every sum as a file of its own | every sum as a file of its own |
| merged | all files, cut to 10,000 after each | the files on rank 0's machine, nothing cut |

So on Ray a vertex that is cut loses what it had, and the answer depends on the order; on torch
with several machines the edges of the others' ranks do not count.

Not kept: both engines number the vertices of a chunk by loops of Python over its edges (on torch
a second time, by four calls of `.item()` to an edge), where NumPy does it here; the Ray driver
parses the whole file and ships tables to its tasks, where a task here reads its own bytes; Ray's
files are merged in the order in which their folder lists them, here in that of the file. The
paper's clock runs from opening the file to the merged and sorted scores on either engine.

The record says how far the answer is from the exact one.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from studykit import processes
from studykit.errors import DataError
from studykit.records import Check
from studykit.run import Outcome, Run
from studykit.storage import Split
from torch_ppr import page_rank

from twitter_pagerank import edges, ranking
from twitter_pagerank.edge_format import EdgeFormat
from twitter_pagerank.study import NO_EDGES

CHUNK_BYTES = 10 << 20
ALPHA = 0.05
EPSILON = 1e-4
KEPT = 10_000
CHUNKS_OF_A_SUM = 20

Pairs = npt.NDArray[np.int64]
"""int64[2, edges]: sources and destinations."""
Scores = dict[int, float]
"""{vertex: score}"""


def pairs_of(split: Split, form: EdgeFormat, reverse: bool) -> Pairs:
    """The edges of one chunk, turned where the file's point against the flow of rank."""
    chunks = list(edges.read(split, form))
    sources = np.concatenate([np.empty(0, np.int64), *(chunk.sources for chunk in chunks)])
    targets = np.concatenate([np.empty(0, np.int64), *(chunk.destinations for chunk in chunks)])
    return np.stack([targets, sources] if reverse else [sources, targets]).astype(np.int64)


def rank(pairs: Pairs, self_loops: bool = False) -> Scores:
    """The scores of some edges by themselves, which add up to 1; none of no edges."""
    if not pairs.size:
        return {}
    vertices, numbers = np.unique(pairs, return_inverse=True)
    numbered = numbers.reshape(2, -1)
    if self_loops:
        numbered = np.concatenate([numbered, np.tile(np.arange(len(vertices)), (2, 1))], axis=1)
    scores = page_rank(
        edge_index=torch.from_numpy(numbered).long(),  # type: ignore[arg-type]
        num_nodes=len(vertices),
        alpha=ALPHA,
        epsilon=EPSILON,
        device="cpu",
    )
    return dict(zip(vertices.tolist(), scores.tolist(), strict=True))


def rank_chunk(split: Split, form: EdgeFormat, reverse: bool) -> Scores:
    """Rank one chunk by itself."""
    return rank(pairs_of(split, form, reverse))


def add(total: Scores, chunk: Scores) -> None:
    """Sum the scores of two dictionaries into the first."""
    for vertex, score in chunk.items():
        total[vertex] = total.get(vertex, 0.0) + score


def highest(scores: Scores, count: int | None = None) -> Scores:
    """The highest scores, or all, in that order; ties by the smaller id."""
    return dict(sorted(scores.items(), key=lambda entry: (-entry[1], entry[0]))[:count])


def merge(ranked: Iterable[Scores]) -> Scores:
    """Add up chunks as they come, 20 to a file, and the files: Ray's way."""
    with processes.temporary_folder("pagerank-published-") as folder:
        files: list[Path] = []
        total: Scores = {}
        count = 0
        for count, scores in enumerate(ranked, start=1):
            add(total, scores)
            if count % CHUNKS_OF_A_SUM == 0:
                files.append(save(highest(total, KEPT), Path(folder) / f"{count}.json"))
                total = {}
        if count % CHUNKS_OF_A_SUM:
            files.append(save(highest(total, KEPT), Path(folder) / "final.json"))
        total = {}
        for file in files:
            add(total, load(file))
            total = highest(total, KEPT)
        return normalised(total)


def save(scores: Scores, file: Path) -> Path:
    file.write_text(json.dumps(scores))
    return file


def load(file: Path) -> Scores:
    return {int(vertex): score for vertex, score in json.loads(file.read_text()).items()}


def normalised(scores: Scores) -> Scores:
    """Scores that add up to 1, the highest first."""
    total = sum(scores.values())
    return {vertex: score / total for vertex, score in highest(scores).items()}


def outcome(run: Run, scores: Scores, exact: Callable[[Run], Outcome], **figures: int) -> Outcome:
    """The ranking, highest first, and its distance from what `exact` finds in one plain process.

    `figures` are further ones of the record.
    """
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
        quality={"top": top, "vertices_ranked": len(ids), **figures},
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
