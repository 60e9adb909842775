"""The check can fail: wrong ranks, a lost vertex and an invented one are found, by both ways."""

import dataclasses

import numpy as np
import pytest
from graphs import networkx_ranks, random_pairs, rank, write_graph
from studykit.errors import CheckError
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from twitter_pagerank import oracle, study
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.study import Parameters

PAIRS = random_pairs(400, 3000, seed=9)


@pytest.fixture(params=["full", "equation", "equation, three passes"])
def run(request, tmp_path, monkeypatch) -> Run:
    if request.param != "full":
        monkeypatch.setattr(oracle, "FULL_BYTES", 0)
    if request.param == "equation, three passes":
        monkeypatch.setattr(oracle, "EDGES_PER_PASS", 1200)
    path = write_graph(tmp_path / "edges.csv", PAIRS)
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    return Run(study.STUDY, "plain", Options(), Parameters(tolerance=1e-10), dataset, quiet=True)


@pytest.fixture
def right(run) -> Ranking:
    from pathlib import Path

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


def test_a_lost_vertex_is_found(run, right):
    lost = dataclasses.replace(right, ids=right.ids[:-1], ranks=right.ranks[:-1])
    assert failed(run, lost)


def test_an_invented_vertex_is_found(run, right):
    ids = np.append(right.ids, right.ids[-1] + 1)
    invented = dataclasses.replace(right, ids=ids, ranks=np.append(right.ranks, 1e-12))
    assert failed(run, invented)


def test_a_wrong_count_of_edges_is_found(run, right):
    assert failed(run, dataclasses.replace(right, edges=right.edges + 1))


def test_the_power_iteration_agrees_with_networkx():
    links = oracle.Links.of(*np.array(PAIRS).T)
    ranks = oracle.power_iteration(links, 0.85)
    assert ranks is not None
    expected = networkx_ranks(PAIRS)
    assert len(links.tail) == len(set(PAIRS))
    found = zip(links.ids.tolist(), ranks.tolist(), strict=True)
    assert max(abs(expected[v] - r) for v, r in found) < 1e-12


def test_a_periodic_graph_next_to_damping_1_is_checked_by_the_equation(tmp_path):
    """The oracle's own iteration swings on and on there: an answer that is right was called wrong,
    and one that is wrong must still be found."""
    path = write_graph(tmp_path / "edges.csv", [(1, 2), (2, 1), (3, 1), (4, 1)])
    dataset = DatasetInfo(name="user", uri=str(path), bytes=path.stat().st_size)
    parameters = Parameters(damping=0.999)
    run = Run(study.STUDY, "plain", Options(), parameters, dataset, quiet=True)
    ranking = rank(path, damping=0.999, tolerance=1e-8, most=100_000)
    assert ranking.iterations > 10_000
    check = oracle.check(run, ranking)
    assert (check.passed, check.oracle) == (True, oracle.EQUATION)
    moved = ranking.ranks + np.array([1e-6, -1e-6, 0, 0])
    assert failed(run, dataclasses.replace(ranking, ranks=moved))
