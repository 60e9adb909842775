"""The order of the edges: the same sums to the last bit, however rows and sources are cut."""

import tracemalloc
from itertools import groupby

import numpy as np
import pytest
from graphs import random_pairs, rank, write_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from twitter_pagerank import core_cache, kernel, rows
from twitter_pagerank.edges import EdgeChunk
from twitter_pagerank.kernel import Buckets
from twitter_pagerank.rows import Rows
from twitter_pagerank.worker import Worker


@st.composite
def graphs(draw):
    """Vertices and pairs of them: duplicates, loops, rows and segments without an edge."""
    vertices = draw(st.integers(1, 70))
    vertex = st.integers(0, vertices - 1)
    return vertices, draw(st.lists(st.tuples(vertex, vertex), max_size=150))


def built(pairs, buckets: Buckets, owned: range, segment_bits: int) -> Rows:
    edges = np.array(pairs, np.uint32).reshape(-1, 2)
    sources, destinations = np.ascontiguousarray(edges.T)
    counts = np.zeros(buckets.count, np.int64)
    kernel.count_buckets(destinations, buckets.shift, counts)
    stops = np.cumsum(counts)
    keys = np.empty(len(pairs), np.uint64)
    bits = buckets.shift, buckets.strip_bits, buckets.source_bits
    kernel.scatter(sources, destinations, *bits, stops - counts, keys)
    found = Rows.empty(buckets, owned, len(pairs), segment_bits)
    for bucket in reversed(owned):  # In any order.
        begin = int(stops[bucket] - counts[bucket])
        halves = np.array_split(keys[begin : stops[bucket]], 2)
        found.fill(bucket, halves, begin)
    return found


def plain_sums(pairs, vertices: int, contribution) -> list[float]:
    """Row after row, each by ascending sources."""
    sums = [0.0] * vertices
    turned = sorted({(destination, source) for source, destination in pairs})
    for destination, edges in groupby(turned, key=lambda edge: edge[0]):
        for _, source in edges:
            sums[destination] += float(contribution[source])
    return sums


@settings(max_examples=300, deadline=None)
@given(
    graph=graphs(),
    shift=st.integers(0, 7),
    strip_bits=st.integers(0, 7),
    segment_bits=st.sampled_from([0, 1, 3, 16]),
    share=st.integers(0, 3),
    seed=st.integers(0, 5),
)
def test_sums_are_those_of_the_plain_order(graph, shift, strip_bits, segment_bits, share, seed):
    vertices, pairs = graph
    buckets = Buckets(vertices, shift, min(shift, strip_bits))
    random = np.random.default_rng(seed)
    contribution = random.random(vertices) * 10.0 ** random.integers(-12, 1, vertices)
    border = buckets.count * share // 3
    found = []
    for owned in range(border), range(border, buckets.count):
        part = built(pairs, buckets, owned, segment_bits)
        sums = np.full(part.stop - part.first, np.nan)
        kernel.add_contributions(
            0, len(part.cells), buckets.strip_bits, segment_bits, part.cells, part.edges,
            contribution, sums,
        )  # fmt: skip
        found += sums.tolist()
    assert found == plain_sums(pairs, vertices, contribution)


@settings(deadline=None)
@given(
    graph=graphs(),
    shift=st.integers(0, 7),
    strip_bits=st.integers(0, 7),
    segment_bits=st.sampled_from([0, 1, 3, 16]),
)
def test_rows_hold_every_edge_once(graph, shift, strip_bits, segment_bits):
    vertices, pairs = graph
    buckets = Buckets(vertices, shift, min(shift, strip_bits))
    found = built(pairs, buckets, range(buckets.count), segment_bits)
    offsets, sources = found.compressed()
    destinations = np.repeat(np.arange(vertices), np.diff(offsets))
    distinct = sorted((destination, source) for source, destination in set(pairs))
    assert list(zip(destinations.tolist(), sources.tolist(), strict=True)) == distinct
    assert int(found.edges_of_bucket.sum()) == len(distinct)
    degrees = np.zeros(vertices, np.uint32)
    for segment in range(found.segments):
        found.count_sources(segment, degrees)
    of_sources = np.array([source for _, source in distinct], np.int64)
    assert np.array_equal(degrees, np.bincount(of_sources, minlength=vertices))


@settings(deadline=None)
@given(
    borders=st.tuples(st.integers(0, 32), st.integers(0, 32)).map(sorted),
    count=st.sampled_from([0, 5, 24, 25, 300, 3000]),
    seed=st.integers(0, 9),
)
def test_values_are_sorted_by_some_of_their_bits(borders, count, seed):
    low, high = borders
    values = np.random.default_rng(seed).integers(0, 2**32, count).astype(np.uint32)
    found = rows.sort_values(values.copy(), np.empty_like(values), low, high)
    order = np.argsort(values.astype(np.uint64) % 2**high >> low, kind="stable")
    assert np.array_equal(found, values[order])


@pytest.mark.parametrize("segment_bits", [0, 5, 16])
@pytest.mark.parametrize("strip_bits", [1, 16])
def test_ranks_do_not_depend_on_strips_and_segments(
    tmp_path, monkeypatch, segment_bits, strip_bits
):
    path = write_graph(tmp_path / "edges.csv", random_pairs(3000, 20_000, seed=3))
    expected = rank(path)
    monkeypatch.setattr(kernel, "LOCAL_BITS", strip_bits)
    found = rank(path, parts=2, threads=2, segment_bits=segment_bits)
    assert np.array_equal(found.ranks, expected.ranks)
    assert (found.edges, found.iterations) == (expected.edges, expected.iterations)


def test_building_takes_24_bytes_an_edge_at_most():
    vertices, edges = 50_000, 1_000_000
    pairs = np.random.default_rng(0).integers(0, vertices, (2, edges), np.uint32)
    worker = Worker(2)
    tracemalloc.start()
    parts = [part.copy() for part in np.array_split(pairs, 10, axis=1)]
    worker._groups = [[EdgeChunk(part[0], part[1], vertices) for part in parts], []]
    del parts
    counts = worker.relabel(worker.occurring(vertices, True), True)
    worker.build(worker.scatter([0, len(counts)]), 0, len(counts))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    worker.close()
    assert peak <= 24 * edges


def cache(folder, number: int, level: str, size: str, sharing: str) -> None:
    index = folder / f"index{number}"
    index.mkdir()
    values = {"level": level, "type": "Unified", "size": size, "shared_cpu_list": sharing}
    for name, text in values.items():
        (index / name).write_text(text + "\n")


@pytest.mark.parametrize(
    ("size", "sharing", "expected"),
    [
        ("512K", "0", 512 << 10),
        ("2048K", "0,4", 1 << 20),
        ("4096K", "0-1,8-9", 1 << 20),
        ("0K", "0", core_cache.COMMON_BYTES),
        ("unknown", "0", core_cache.COMMON_BYTES),
        ("512K", "", 512 << 10),
    ],
)
def test_a_core_has_its_part_of_the_second_level(tmp_path, size, sharing, expected):
    cache(tmp_path, 0, "1", "32K", "0")
    cache(tmp_path, 2, "2", size, sharing)
    cache(tmp_path, 3, "3", "32768K", "0-7")
    assert core_cache.second_level_bytes(tmp_path) == expected


def test_a_cache_that_is_not_shown_is_a_common_one(tmp_path):
    assert core_cache.second_level_bytes(tmp_path / "none") == core_cache.COMMON_BYTES
    (tmp_path / "index2").mkdir()
    assert core_cache.second_level_bytes(tmp_path) == core_cache.COMMON_BYTES


@pytest.mark.parametrize(
    ("cache_bytes", "sources"),
    [(1, 1), (256 << 10, 1 << 14), (1 << 20, 1 << 16), (1_310_720, 1 << 16), (1 << 30, 1 << 16)],
)
def test_a_segment_takes_half_of_the_cache_at_most(cache_bytes, sources):
    assert 1 << core_cache.segment_bits(cache_bytes) == sources
