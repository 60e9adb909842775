"""The check can fail: wrong ranks, a lost vertex and an invented one are found."""

import collections
import dataclasses
import re
from pathlib import Path

import networkx
import numpy as np
import pytest
from graphs import networkx_ranks, random_pairs, rank, write_graph
from hypothesis import example, given
from hypothesis import strategies as st
from studykit.errors import CheckError
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from twitter_pagerank import oracle, oracle_digits, oracle_keys, study
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.study import Parameters

PAIRS = random_pairs(400, 3000, seed=9)


@pytest.fixture(params=["one pass", "one part", "three passes", "ids too large for a table"])
def run(request, tmp_path, monkeypatch) -> Run:
    if request.param == "one part":
        monkeypatch.setattr(oracle, "parts", lambda: 1)
    if request.param == "three passes":
        monkeypatch.setattr(oracle, "edges_per_pass", lambda: 1200)
        monkeypatch.setattr(oracle, "parts", lambda: 7)
    if request.param == "ids too large for a table":
        monkeypatch.setattr(oracle, "LARGEST_TABLE", 1000)
    path = write_graph(tmp_path / "edges.csv", PAIRS)
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    return Run(study.STUDY, "plain", Options(), Parameters(tolerance=1e-10), dataset, quiet=True)


@pytest.fixture
def right(run) -> Ranking:
    return rank(Path(run.dataset.uri))


def failed(run: Run, ranking: Ranking) -> bool:
    try:
        return oracle.check(run, ranking).passed is False
    except CheckError:
        return True


def test_the_right_answer_passes(run, right):
    assert oracle.check(run, right).passed is True


@pytest.mark.parametrize("error", [1e-8, 1e-4])
def test_moved_rank_is_found(run, right, error):
    ranks = right.ranks.copy()
    ranks[3] += error
    ranks[4] -= error
    assert failed(run, dataclasses.replace(right, ranks=ranks))


def test_two_ranks_that_changed_places_are_found(run, right):
    """Sum, order and quantiles are those of the right answer."""
    ranks, (first, second) = right.ranks.copy(), np.argsort(right.ranks)[-2:]
    ranks[[first, second]] = ranks[[second, first]]
    assert failed(run, dataclasses.replace(right, ranks=ranks))


@pytest.mark.parametrize("share", [1e-7, 1e-3])
def test_ranks_that_lie_nearer_to_each_other_are_found(run, right, share):
    """The sum is right, and so is every place in the order."""
    ranks = (1 - share) * right.ranks + share / len(right.ranks)
    assert failed(run, dataclasses.replace(right, ranks=ranks))


def test_ranks_all_too_large_are_found(run, right):
    assert failed(run, dataclasses.replace(right, ranks=right.ranks * (1 + 1e-8)))


def test_ranks_of_another_damping_are_found(run):
    assert failed(run, rank(Path(run.dataset.uri), damping=0.8499999))


def test_ranks_before_the_last_iterations_are_found(run):
    assert failed(run, rank(Path(run.dataset.uri), tolerance=1e-8))


def test_ranks_with_duplicate_edges_counted_twice_are_found(run, right):
    graph = networkx.DiGraph()
    for (source, destination), times in collections.Counter(PAIRS).items():
        graph.add_edge(source, destination, weight=times)
    twice = networkx.pagerank(graph, tol=1e-15, max_iter=1000)
    ranks = np.array([twice[vertex] for vertex in right.ids.tolist()])
    assert failed(run, dataclasses.replace(right, ranks=ranks))


def test_the_ranks_of_networkx_pass(run, right):
    expected = networkx_ranks(PAIRS)
    ranks = np.array([expected[vertex] for vertex in right.ids.tolist()])
    assert oracle.check(run, dataclasses.replace(right, ranks=ranks)).passed is True


def test_the_true_ranks_are_as_near_as_the_check_says(run, right):
    expected = networkx_ranks(PAIRS)
    truth = np.array([expected[vertex] for vertex in right.ids.tolist()])
    random = np.random.default_rng(1)
    for size in (1e-9, 1e-6, 1e-3):
        ranks = right.ranks * (1 + size * random.random(len(truth)))
        said = oracle.check(run, dataclasses.replace(right, ranks=ranks)).detail
        assert np.abs(ranks - truth).sum() <= said["l1_distance_at_most"] + 1e-12


def test_a_lost_vertex_is_found(run, right):
    lost = dataclasses.replace(right, ids=right.ids[:-1], ranks=right.ranks[:-1])
    assert failed(run, lost)


def test_an_invented_vertex_is_found(run, right):
    ids = np.append(right.ids, right.ids[-1] + 1)
    invented = dataclasses.replace(right, ids=ids, ranks=np.append(right.ranks, 1e-12))
    assert failed(run, invented)


def test_a_wrong_count_of_edges_is_found(run, right):
    assert failed(run, dataclasses.replace(right, edges=right.edges + 1))


def test_vertices_out_of_order_are_found(run, right):
    ids = right.ids.copy()
    ids[[3, 4]] = ids[[4, 3]]
    assert failed(run, dataclasses.replace(right, ids=ids))


@pytest.mark.parametrize("parts", [1, 3])
def test_parts_hold_all_edges_and_none_divides_equal_ones(parts, monkeypatch):
    monkeypatch.setattr(oracle, "parts", lambda: parts)
    for count in (0, 1, 2, 100):
        keys = np.sort(np.random.default_rng(count).integers(0, 9, count))
        cut = list(oracle._parts(keys))
        assert np.concatenate(cut).tolist() == keys.tolist()
        values = [value for part in cut for value in set(part.tolist())]
        assert len(values) == len(set(values))


def test_rank_flows_along_distinct_edges_between_several_blocks_of_ids():
    random = np.random.default_rng(1)
    ids = np.unique(random.integers(0, 5 << oracle_keys.BLOCK_BITS, 200))
    tails, heads = random.integers(0, len(ids), (2, 3000))
    _, table = oracle._numbering(ids)
    keys, degrees, incoming = np.empty(3000, np.int64), np.zeros(200, np.int32), np.zeros(200)
    assert oracle_keys.join(ids[tails], ids[heads], len(table), 0, 1, keys) == 3000
    keys.sort()
    adjacency = np.zeros((200, 200))
    adjacency[tails, heads] = 1
    assert adjacency.sum() < 3000
    assert oracle_keys.count_degrees(keys, table, degrees) == adjacency.sum()
    assert degrees.tolist() == adjacency.sum(axis=1).tolist()
    shares = random.random(200)
    assert oracle_keys.flow(keys, table, shares, incoming)
    assert np.allclose(incoming, shares @ adjacency, rtol=1e-14)


def test_what_is_no_vertex_is_seen_at_either_end_of_an_edge():
    table = np.array([1, 0, 2], np.int32)  # 0 and 2 are vertices, 1 is none.
    keys = np.empty(1, np.int64)

    def join(tail: int, head: int) -> int:
        return oracle_keys.join(np.array([tail]), np.array([head]), len(table), 0, 1, keys)

    for tail, head, known in ((0, 2, True), (1, 2, False), (0, 1, False)):
        assert join(tail, head) == 1
        counted = oracle_keys.count_degrees(keys, table, np.zeros(2, np.int32)) == 1
        assert known == (counted and oracle_keys.flow(keys, table, np.ones(2), np.zeros(2)))
    for tail, head in ((3, 0), (0, 3), (-1, 0), (0, -1)):
        assert join(tail, head) == -1


@given(st.text("12,\n", max_size=40) | st.text("0123456789, \t\r\n-.#", max_size=12))
@example("1,2")
@example("1,2\n3,4\n")
@example("1" * 18 + "," + "1" * 19)
@example("1" * 18 + "," + "9" * 18)
def test_digits_are_read_where_there_is_nothing_else(text):
    found = oracle_digits.pairs(text.encode(), b",")
    if re.fullmatch(r"([0-9]{1,18},[0-9]{1,18}(\n|\Z))*", text):
        written = [[int(end) for end in line.split(",")] for line in text.splitlines()]
        assert found is not None and np.column_stack(found).tolist() == written
    else:
        assert found is None


def test_a_periodic_graph_next_to_damping_1_is_checked_by_the_equation(tmp_path):
    """Iterations swing there for long: a right answer passes, and a wrong one is found."""
    path = write_graph(tmp_path / "edges.csv", [(1, 2), (2, 1), (3, 1), (4, 1)])
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    parameters = Parameters(damping=0.999)
    run = Run(study.STUDY, "plain", Options(), parameters, dataset, quiet=True)
    ranking = rank(path, damping=0.999, tolerance=1e-8, most=100_000)
    assert ranking.iterations > 10_000
    assert oracle.check(run, ranking).passed is True
    moved = ranking.ranks + np.array([1e-6, -1e-6, 0, 0])
    assert failed(run, dataclasses.replace(ranking, ranks=moved))
