"""Every engine as its user starts it: the right answer, the same answer, a complete record."""

import csv
from pathlib import Path

import numpy as np
import pytest
from graphs import networkx_ranks
from graphs import random_pairs
from graphs import reference
from graphs import samples
from graphs import write_graph
from pyarrow import parquet
from studykit import records
from studytest import running

ENGINES = ("plain", "ray", "torch")


def run(engine: str, *argv: object) -> running.Finished:
    finished = running.run(f"twitter_pagerank.run_{engine}", *argv, "--json")
    assert finished.code == 0, finished.stderr
    return finished


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("workers", [1, 2])
def test_wiki_vote_has_the_published_ranks(tmp_path, engine, workers):
    graphs, out = samples(), tmp_path / "ranks.csv"
    record = run(
        engine, "--data", graphs / "wiki-Vote.txt", "--workers", workers, "--tolerance", "1e-12",
        "--out", out, "--results", tmp_path, "--oversubscribe",
    ).record  # fmt: skip
    expected = reference("wiki-Vote.txt")
    quality = record["quality"]
    assert (quality["vertices"], quality["edges"]) == (expected["nodes"], expected["unique_edges"])
    assert [e["vertex"] for e in quality["top"]] == [v for v, _ in expected["top20"][:10]]
    with open(graphs / "wiki-Vote.pagerank.csv") as file:
        right = {int(row["node"]): float(row["pagerank"]) for row in csv.DictReader(file)}
    with open(out) as file:
        found = {int(row["vertex"]): float(row["rank"]) for row in csv.DictReader(file)}
    assert found.keys() == right.keys()
    assert sum(abs(found[vertex] - right[vertex]) for vertex in right) <= 1e-9
    assert record["check"]["passed"] is True


@pytest.mark.parametrize("engine", ENGINES)
def test_karate_is_symmetric_and_agrees_with_networkx(tmp_path, engine):
    path, out = samples() / "karate.mtx", tmp_path / "ranks.parquet"
    run(engine, "--data", path, "--workers", 1, "--tolerance", "1e-12", "--out", out,
        "--results", tmp_path)  # fmt: skip
    lines = [line for line in path.read_text().splitlines() if not line.startswith("%")][1:]
    pairs = [(int(a), int(b)) for a, b in map(str.split, lines)]
    expected = networkx_ranks([*pairs, *[(b, a) for a, b in pairs]])
    table = parquet.read_table(out).to_pydict()
    found = dict(zip(table["vertex"], table["rank"], strict=True))
    assert max(abs(found[vertex] - expected[vertex]) for vertex in expected) <= 1e-9


@pytest.fixture(scope="module")
def graph(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("graph")
    return write_graph(folder / "edges.csv", random_pairs(2000, 30_000, seed=11))


@pytest.fixture(scope="module")
def plain_ranks(graph, tmp_path_factory) -> np.ndarray:
    return ranks(graph, "plain", 1, tmp_path_factory.mktemp("plain"))


def ranks(graph: Path, engine: str, workers: int, folder: Path, *more: object) -> np.ndarray:
    out = folder / "ranks.parquet"
    run(engine, "--data", graph, "--workers", workers, "--oversubscribe", "--out", out,
        "--results", folder, *more)  # fmt: skip
    table = parquet.read_table(out)
    return np.stack([table["vertex"].to_numpy(), table["rank"].to_numpy()])


@pytest.mark.parametrize(
    ("engine", "workers", "more"),
    [
        ("plain", 3, ()),
        ("ray", 1, ("--split-size", "10kb")),
        ("ray", 3, ()),
        ("torch", 1, ("--split-size", "10kb")),
        ("torch", 3, ("--threads", 2)),
    ],
)
def test_engines_agree_to_the_last_bit(graph, plain_ranks, tmp_path, engine, workers, more):
    assert np.array_equal(ranks(graph, engine, workers, tmp_path, *more), plain_ranks)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_generated_graph_gives_a_complete_record_twice(tmp_path, engine):
    argv = ["--size", "tiny", "--workers", 2, "--oversubscribe", "--store", tmp_path / "store"]
    first = run(engine, *argv, "--results", tmp_path / "a").record
    second = running.call("twitter_pagerank.run_plain", *argv, "--json",
                          "--results", tmp_path / "b").record  # fmt: skip # from the store
    assert first["quality"]["top"] == second["quality"]["top"]
    assert (first["config_hash"] == second["config_hash"]) == (engine == "plain")
    written = list((tmp_path / "a").rglob("*.json"))
    assert [path.name for path in written] == [f"{first['config_hash']}-r0.json"]
    record = records.read(str(written[0]))
    assert (record.status, record.check.passed) == ("done", True)
    assert (
        record.dataset.sha256
        and record.dataset.rows == record.quality["edges"] + (record.quality["duplicate_edges"])
    )
    assert record.bytes_read == record.dataset.bytes
    timed = [record.phases[name] for name in ("start", "load", "compute")]
    assert all(seconds > 0 for seconds in timed)
    counted = sum(seconds for name, seconds in record.phases.items() if name != "check")
    assert record.wall_seconds == pytest.approx(counted)
    assert (record.peak_memory_bytes or 0) > 50e6
    assert record.cpu_seconds > 0
    assert record.limit is not None and record.limit.seconds > 0
    assert {"load", "compute"} <= record.worker_phases.keys()
    assert record.versions["numpy"] != "missing"
    assert f"twitter_pagerank.run_{engine}" in record.command
    assert (record.probe_seconds or 0) > 0
    assert (record.bytes_sent > 0) == (engine != "plain")


@pytest.mark.parametrize("engine", ENGINES)
def test_published_says_how_far_it_is_from_the_answer(graph, tmp_path, engine):
    record = run(
        engine, "--data", graph, "--workers", 2, "--oversubscribe", "--method", "published",
        "--split-size", "100kb", "--results", tmp_path,
    ).record  # fmt: skip
    assert record["status"] == "done"
    assert record["check"]["passed"] is None
    assert 0 <= record["quality"]["top_10_overlap"] <= 1
    assert 0 < record["quality"]["top_100_overlap"] < 1
    assert len(record["quality"]["top"]) == 10
