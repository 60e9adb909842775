"""The comparison of this study: its peer and its charts."""

from pathlib import Path

import pytest
from studykit.records import Check, DatasetInfo, Record
from studytest import running
from twitter_pagerank import compare

EDGES = [(source, destination) for source in range(40) for destination in (source // 2, 7)]


def _peer(name: str, data: Path, tmp_path: Path) -> running.Finished:
    return running.call("twitter_pagerank.peers", name, "--data", data, "--workers", 1, "--json",
                        "--results", tmp_path / "results")  # fmt: skip


def _polars(tmp_path: Path, data: Path) -> Record:
    done = _peer("polars", data, tmp_path)
    assert done.stdout, done.stderr
    return Record.model_validate_json(done.stdout)


@pytest.mark.parametrize(
    ("before", "line_end", "after"),
    [
        ("", "\n", ""),
        ("source,destination\n", "\n", ""),
        ("source,destination\r\n", "\r\n", ""),
        ("\ufeffsource,destination\n", "\n", ""),
        ("", "\n", "5,6"),
    ],
    ids=["plain", "header", "crlf", "bom", "no-end-of-line"],
)
def test_polars_reads_every_edge(tmp_path: Path, before: str, line_end: str, after: str) -> None:
    lines = [f"{source},{destination}{line_end}" for source, destination in EDGES]
    data = tmp_path / "edges.csv"
    data.write_bytes((before + "".join(lines) + after).encode())
    record = _polars(tmp_path, data)
    assert record.quality["edges"] == len(EDGES) + bool(after)
    assert (record.engine, record.method, record.status) == ("polars", "peer", "done")
    assert record.check.passed is True
    assert record.phases["load"] > 0
    assert "compute" not in record.phases


def test_polars_is_checked_against_the_lines_of_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "edges"
    folder.mkdir()
    for part in range(3):
        (folder / f"part-{part}.csv").write_text("1,2\n3,4\n")
    record = _polars(tmp_path, folder)
    assert record.check.detail == {"rows": 6, "expected": 6}


def test_what_polars_cannot_read_is_skipped_with_the_reason(tmp_path: Path) -> None:
    data = tmp_path / "edges.txt"
    data.write_text("# SNAP\n1\t2\n")
    done = _peer("polars", data, tmp_path)
    assert done.code == 4
    assert "polars is compared on local CSV or Parquet" in done.error


def _ranked(engine: str, size: int, *, method: str = "exact", passed: bool | None = True) -> Record:
    return Record(
        study="twitter-pagerank",
        engine=engine,
        method=method,
        dataset=DatasetInfo(name="follower-graph", uri="graph", bytes=size),
        workers=1,
        threads=1,
        status="done",
        check=Check(passed=passed),
        quality={"rank_quantiles": {"0.1": 0.02, "1": 0.001 * size}},
    )


def test_the_distribution_is_that_of_the_largest_graph_once_for_all_engines() -> None:
    runs = [_ranked("plain", 2), _ranked("ray", 2), _ranked("plain", 1)]
    runs.append(_ranked("ray", 2, method="published", passed=None))
    chart = compare.rank_distribution(runs)
    assert chart is not None
    points = [point for data in chart.to_dict()["datasets"].values() for point in data]
    assert {point["series"] for point in points} == {"exact answer", "ray, published"}
    assert {point["value"] for point in points} == {0.02, 0.002}


def test_without_a_checked_answer_there_is_no_distribution() -> None:
    assert compare.rank_distribution([_ranked("plain", 2, passed=None)]) is None
