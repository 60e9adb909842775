"""Every engine on real graphs, and what the paper's method makes of a graph."""

import csv

import pytest
from case import CASE
from graphs import networkx_ranks, reference, samples
from pyarrow import parquet
from studytest.contract.of_study import OfStudy
from studytest.importing import Importing


class TestImporting(Importing):
    case = CASE


class TestEngines(OfStudy):
    case = CASE

    @pytest.mark.parametrize("workers", [1, 2])
    def test_wiki_vote_has_the_published_ranks(self, engine, workers, joining, tmp_path):
        graphs, out = samples(), tmp_path / "ranks.csv"
        record = self.called(
            engine, "--data", graphs / "wiki-Vote.txt", "--workers", workers,
            "--tolerance", "1e-12", "--out", out, "--results", tmp_path, *joining(engine),
        )  # fmt: skip
        expected = reference("wiki-Vote.txt")
        quality = record["quality"]
        assert quality["vertices"] == expected["nodes"]
        assert quality["edges"] == expected["unique_edges"]
        assert [e["vertex"] for e in quality["top"]] == [v for v, _ in expected["top20"][:10]]
        with open(graphs / "wiki-Vote.pagerank.csv") as file:
            right = {int(row["node"]): float(row["pagerank"]) for row in csv.DictReader(file)}
        with open(out) as file:
            found = {int(row["vertex"]): float(row["rank"]) for row in csv.DictReader(file)}
        assert found.keys() == right.keys()
        assert sum(abs(found[vertex] - right[vertex]) for vertex in right) <= 1e-9
        assert record["check"]["passed"] is True

    def test_karate_is_symmetric_and_agrees_with_networkx(self, engine, joining, tmp_path):
        path, out = samples() / "karate.mtx", tmp_path / "ranks.parquet"
        self.called(
            engine, "--data", path, "--workers", 1, "--tolerance", "1e-12", "--out", out,
            "--results", tmp_path, *joining(engine),
        )  # fmt: skip
        lines = [line for line in path.read_text().splitlines() if not line.startswith("%")][1:]
        pairs = [(int(a), int(b)) for a, b in map(str.split, lines)]
        expected = networkx_ranks([*pairs, *[(b, a) for a, b in pairs]])
        table = parquet.read_table(out).to_pydict()
        found = dict(zip(table["vertex"], table["rank"], strict=True))
        assert max(abs(found[vertex] - expected[vertex]) for vertex in expected) <= 1e-9

    def test_published_says_how_far_it_is_from_the_answer(self, engine, data, joining, tmp_path):
        record = self.called(
            engine, "--data", data, "--workers", 2, "--method", "published",
            "--split-size", "100kb", "--results", tmp_path,
            "--out", tmp_path / "ranks.csv", *joining(engine),
        )  # fmt: skip
        assert record["status"] == "done"
        assert record["check"]["passed"] is None
        assert 0 <= record["quality"]["top_10_overlap"] <= 1
        assert 0 < record["quality"]["top_100_overlap"] < 1
        assert len(record["quality"]["top"]) == 10
        with open(tmp_path / "ranks.csv") as file:
            ranks = [float(row["rank"]) for row in csv.DictReader(file)]
        assert len(ranks) == record["quality"]["vertices_ranked"]
        assert sum(ranks) == pytest.approx(1)
        assert ranks == sorted(ranks, reverse=True)
        assert record["quality"].get("ranks_merged") == (2 if engine == "torch" else None)
