"""The algorithm against networkx, and the same answer however the work is cut."""

import numpy as np
import pytest
from graphs import networkx_ranks, random_pairs, rank, write_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from twitter_pagerank import kernel, ranking, relabel
from twitter_pagerank.edges import EdgeChunk
from twitter_pagerank.kernel import Buckets

ID = st.one_of(st.integers(0, 12), st.integers(0, 2**63 - 1))


@settings(max_examples=60, deadline=None)
@given(pairs=st.lists(st.tuples(ID, ID), min_size=1, max_size=60), parts=st.integers(1, 3))
def test_random_graphs_agree_with_networkx(tmp_path_factory, pairs, parts):
    """Sinks, self-loops, duplicates, components apart, one vertex: whatever hypothesis finds."""
    path = write_graph(tmp_path_factory.mktemp("graph") / "edges.csv", pairs)
    expected = networkx_ranks(pairs)
    found = rank(path, parts=parts, split_size=40)
    assert found.ids.tolist() == sorted(expected)
    assert found.edges == len(set(pairs))
    assert found.lines == len(pairs)
    distance = sum(abs(expected[int(v)] - r) for v, r in zip(found.ids, found.ranks, strict=True))
    assert distance <= 1e-9


def test_one_vertex_with_a_loop_has_all_the_rank(tmp_path):
    found = rank(write_graph(tmp_path / "edges.csv", [(7, 7)]))
    assert found.ids.tolist() == [7]
    assert found.ranks.tolist() == pytest.approx([1.0], abs=1e-15)


@pytest.mark.parametrize("parts", [1, 2, 3, 5])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("split_size", [1000, 1 << 20])
def test_ranks_are_equal_to_the_last_bit(tmp_path, parts, threads, split_size):
    path = write_graph(tmp_path / "edges.csv", random_pairs(3000, 20_000, seed=3))
    one = rank(path)
    other = rank(path, parts=parts, threads=threads, split_size=split_size)
    assert np.array_equal(one.ids, other.ids)
    assert np.array_equal(one.ranks, other.ranks)
    assert (one.edges, one.iterations) == (other.edges, other.iterations)


def test_more_workers_than_vertices(tmp_path):
    pairs = [(1, 2), (2, 1)]
    found = rank(write_graph(tmp_path / "edges.csv", pairs), parts=5, split_size=4)
    assert found.ranks.tolist() == pytest.approx([0.5, 0.5])


def test_reverse_ranks_the_graph_of_turned_edges(tmp_path):
    pairs = random_pairs(50, 200, seed=1)
    turned = write_graph(tmp_path / "turned.csv", [(b, a) for a, b in pairs])
    straight = write_graph(tmp_path / "straight.csv", pairs)
    assert np.array_equal(rank(turned, reverse=True).ranks, rank(straight).ranks)


def test_top_breaks_ties_by_the_smaller_id():
    ranks = np.array([0.2, 0.1, 0.3, 0.1, 0.3])
    ids = np.array([10, 20, 30, 40, 50])
    assert [entry["vertex"] for entry in ranking.top(ranks, ids, 4)] == [30, 50, 10, 20]
    assert [entry["vertex"] for entry in ranking.top(ranks, ids, 9)] == [30, 50, 10, 20, 40]


@given(
    ids=st.lists(st.integers(0, 500_000), min_size=1, max_size=200),
    first=st.integers(0, 50),
    length=st.integers(0, 100),
)
def test_dense_numbers_are_the_places_of_the_sorted_ids(ids, first, length):
    array = np.array(ids, np.uint32)
    chunk = EdgeChunk(array, array, int(array.max()))
    vertices = relabel.vertices(relabel.occurring([chunk], chunk.largest, True), True)
    expected, places = np.unique(array, return_inverse=True)
    assert vertices.count == len(expected)
    assert np.array_equal(vertices.numbers(array), places)
    stop = min(first + length, len(expected))
    first = min(first, stop)
    assert vertices.ids(first, stop).tolist() == expected[first:stop].tolist()


def test_counts_of_ones_do_not_overflow_where_every_id_occurs():
    everyone = np.arange(3 * 64 * relabel.GROUP, dtype=np.uint32)
    chunk = EdgeChunk(everyone.copy(), everyone.copy(), len(everyone) - 1)
    vertices = relabel.vertices(relabel.occurring([chunk], chunk.largest, True), True)
    assert np.array_equal(vertices.numbers(everyone.copy()), everyone)


@given(
    edges_of_bucket=st.lists(st.integers(0, 10**6), min_size=1, max_size=512),
    parts=st.integers(1, 9),
)
def test_cuts_cover_all_buckets_in_order(edges_of_bucket, parts):
    buckets = Buckets.of(len(edges_of_bucket))
    cuts = kernel.cut(np.array(edges_of_bucket), buckets, parts)
    assert len(cuts) == parts + 1
    assert (cuts[0], cuts[-1]) == (0, buckets.count)
    assert cuts == sorted(cuts)


def test_a_cut_shares_out_the_edges():
    buckets = Buckets.of(500)
    cuts = kernel.cut(np.full(500, 1000), buckets, 4)
    assert np.diff(cuts).tolist() == pytest.approx([125] * 4, abs=1)
