"""The paper's own method: what is ranked by itself, and how either engine adds it up."""

from pathlib import Path

import numpy as np
import pytest
from graphs import random_pairs, write_graph
from studykit import storage
from studykit.cutting import Input
from twitter_pagerank import edges, published, published_torch
from twitter_pagerank.edge_format import EdgeFormat
from twitter_pagerank.published import Scores

PAIRS = random_pairs(300, 4000, seed=5)


def array(pairs: list[tuple[int, int]]) -> published.Pairs:
    return np.array(pairs, np.int64).T


def source_of(path: Path, chunks: int) -> Input[EdgeFormat]:
    splits = storage.splits(str(path), -(-path.stat().st_size // chunks))
    assert len(splits) == chunks
    return Input(splits, edges.formats([str(path)]))


def dense_ranks(pairs: list[tuple[int, int]], loops: bool) -> Scores:
    """torch_ppr's ranking of a graph, with a dense matrix: both directions, teleport 0.05."""
    vertices = sorted({vertex for pair in pairs for vertex in pair})
    place = {vertex: number for number, vertex in enumerate(vertices)}
    matrix = np.zeros((len(vertices), len(vertices)))
    for a, b in [*pairs, *[(vertex, vertex) for vertex in vertices if loops]]:
        matrix[place[a], place[b]] += 1
        matrix[place[b], place[a]] += 1
    matrix /= matrix.sum(axis=0)
    start = np.full(len(vertices), 1 / len(vertices))
    before, ranks = np.zeros_like(start), start
    while np.abs(ranks - before).max() > 1e-4:
        before, ranks = ranks, 0.95 * matrix @ ranks + 0.05 * start
    return dict(zip(vertices, ranks.tolist(), strict=True))


@pytest.mark.parametrize("loops", [False, True])
def test_edges_are_ranked_both_ways_with_loops_on_torch(loops):
    found = published.rank(array(PAIRS), self_loops=loops)
    assert found == pytest.approx(dense_ranks(PAIRS, loops), abs=1e-6)
    assert found != pytest.approx(dense_ranks(PAIRS, not loops), abs=1e-6)


def test_ray_sums_groups_from_nothing_and_loses_what_it_cuts(monkeypatch):
    monkeypatch.setattr(published, "CHUNKS_OF_A_SUM", 2)
    monkeypatch.setattr(published, "KEPT", 2)
    chunks: list[Scores] = [
        {1: 5.0, 2: 3.0, 3: 4.0}, {3: 1.0, 4: 2.0},  # 1: 5, 3: 5
        {2: 9.0}, {4: 1.0, 1: 1.0},  # 2: 9, 1: 1
        {4: 5.0},  # Merged: 1: 5, 3: 5; then 2: 9, 1: 6; then the same.
    ]  # fmt: skip
    assert published.merge(chunks) == pytest.approx({2: 9 / 15, 1: 6 / 15})
    assert published.merge([]) == {}


def test_ray_cuts_nothing_of_a_small_graph(tmp_path):
    source = source_of(write_graph(tmp_path / "edges.csv", PAIRS), 3)
    chunks = [
        published.rank_chunk(split, source.formats[split.uri], False) for split in source.splits
    ]
    found = published.merge(chunks)
    assert sum(found.values()) == pytest.approx(1)
    assert found == pytest.approx(
        {vertex: sum(chunk.get(vertex, 0) for chunk in chunks) / 3 for vertex in found}
    )
    assert list(found) == sorted(found, key=lambda vertex: -found[vertex])


def test_reverse_turns_the_edges(tmp_path):
    path = write_graph(tmp_path / "edges.csv", [(1, 2), (3, 4)])
    source = source_of(path, 1)
    form = source.formats[str(path)]
    assert published.pairs_of(source.splits[0], form, True).tolist() == [[2, 4], [1, 3]]
    assert published.pairs_of(source.splits[0], form, False).tolist() == [[1, 3], [2, 4]]


def saved(folder: Path, source: Input[EdgeFormat], rank: int, ranks: int) -> Path:
    folder.mkdir()
    published_torch.rank_into(folder, source, False, rank, ranks)
    return folder


def test_torch_saves_its_sum_after_the_first_and_every_tenth_chunk(tmp_path):
    source = source_of(write_graph(tmp_path / "edges.csv", PAIRS), 25)
    folder = saved(tmp_path / "rank-1", source, 1, 2)
    # A chunk's scores add up to 1, so a file's sum tells how many chunks are in it.
    chunks = {file.name: sum(published.load(file).values()) for file in folder.iterdir()}
    assert chunks == pytest.approx({"0.json": 1, "10.json": 10, "20.json": 10, "final.json": 4})


def test_torch_adds_up_all_that_lies_in_the_folders(tmp_path):
    source = source_of(write_graph(tmp_path / "edges.csv", PAIRS), 3)
    folders = [saved(tmp_path / f"rank-{rank}", source, rank, 2) for rank in range(2)]
    parts = []
    for split in source.splits:
        pairs = published.pairs_of(split, source.formats[split.uri], False)
        for rank in range(2):
            own = pairs[:, rank::2]
            if pairs.shape[1] % 2 and rank:
                own = np.concatenate([own, pairs[:, :1]], axis=1)
            parts.append(published.rank(own, self_loops=True))
    expected: Scores = {}
    for part in parts:
        published.add(expected, part)
    assert published_torch.merge(folders) == pytest.approx(published.normalised(expected))


def test_torch_ranks_otherwise_with_other_ranks(tmp_path):
    source = source_of(write_graph(tmp_path / "edges.csv", PAIRS), 2)
    one = published_torch.merge([saved(tmp_path / "alone", source, 0, 1)])
    two = published_torch.merge([saved(tmp_path / f"rank-{r}", source, r, 2) for r in range(2)])
    assert one.keys() == two.keys()
    assert one != pytest.approx(two, rel=0.01)


def test_torch_ranks_batches(monkeypatch):
    monkeypatch.setattr(published_torch, "BATCH_EDGES", 700)
    pairs = array(PAIRS)
    found = list(published_torch.batches(pairs, 1, 2))
    assert [batch.shape[1] for batch in found] == [700, 700, 600]
    assert np.array_equal(np.concatenate(found, axis=1), pairs[:, 1::2])
