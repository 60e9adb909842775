"""The comparison of this study: its peers and its charts."""

from pathlib import Path

import pytest
from studykit.records import Check, DatasetInfo, Record
from studytest import running
from taxi import made_up
from taxi_clustering import compare


@pytest.fixture(scope="module")
def trips(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 800)


def _peer(name: str, tmp_path: Path, data: Path) -> running.Finished:
    return running.call("taxi_clustering.peers", name, "--data", data, "--workers", 1, "--json",
                        "--results", tmp_path / "results")  # fmt: skip


def _record_of(name: str, tmp_path: Path, data: Path) -> Record:
    done = _peer(name, tmp_path, data)
    assert done.stdout, done.stderr
    return Record.model_validate_json(done.stdout)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_polars_reads_every_row(tmp_path, trips, line_end):
    data = tmp_path / "trips.csv"
    data.write_bytes(trips.read_bytes().replace(b"\n", line_end.encode()))
    record = _record_of("polars", tmp_path, data)
    assert (record.engine, record.method, record.status) == ("polars", "peer", "done")
    assert record.quality["rows_read"] == 800
    assert record.check.detail == {"rows": 800, "expected": 800}
    assert record.phases["load"] > 0
    assert "compute" not in record.phases


def test_scikit_learn_goes_the_same_way(tmp_path, trips):
    record = _record_of("sklearn", tmp_path, trips)
    assert (record.method, record.status, record.check.passed) == ("peer", "done", True)
    assert 1 <= record.quality["iterations"] <= 10
    assert record.phases["compute"] > 0


def _record(engine: str, method: str, steps: int | None) -> Record:
    return Record(
        study="taxi-clustering",
        engine=engine,
        method=method,
        dataset=DatasetInfo(name="yellow-trips", uri="trips", bytes=1),
        workers=1,
        threads=1,
        status="done",
        check=Check(passed=True),
        phases={"load": 5.0, "compute": 3.0, "communicate": 1.0},
        quality={} if steps is None else {"iterations": steps},
    )


def test_an_iteration_is_its_share_of_compute_and_communicate():
    assert compare.iteration_seconds(_record("ray", "exact", 20)) == pytest.approx(0.2)
    assert compare.iteration_seconds(_record("polars", "peer", None)) is None
    assert compare.time_of_an_iteration([_record("polars", "peer", None)]) is None


def test_iterations_of_engines_and_peers_are_in_one_chart():
    chart = compare.time_of_an_iteration(
        [_record("plain", "exact", 20), _record("sklearn", "peer", 10)]
    )
    assert chart is not None
    points = [point for data in chart.to_dict()["datasets"].values() for point in data]
    assert sorted(point["value"] for point in points) == [pytest.approx(0.2), pytest.approx(0.4)]
