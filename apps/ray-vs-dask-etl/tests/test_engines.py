"""Every engine as its user starts it: the right answer, the same answer, a complete record."""

import json
from pathlib import Path
from typing import Any

import pytest
from pyarrow import csv
from pyarrow import parquet
from studykit import records
from studytest import running
from tables import assert_groups
from tables import fraction_groups
from tables import random_rows
from tables import write_rows

ENGINES = ("plain", "ray", "dask")
ROWS = random_rows(20_000, seed=11)
FAR = random_rows(3000, seed=12, centre=-1e12, spread=1e-3)


def run(engine: str, *argv: object) -> running.Finished:
    finished = running.run(f"ray_vs_dask_etl.run_{engine}", *argv, "--json", "--oversubscribe")
    assert finished.code == 0, finished.stderr
    return finished


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    return write_rows(tmp_path_factory.mktemp("rows") / "rows.csv", ROWS)


@pytest.fixture(scope="module")
def plain_fit(table, tmp_path_factory) -> dict[str, Any]:
    return run(
        "plain", "--data", table, "--workers", 1, "--task", "logistic-regression",
        "--results", tmp_path_factory.mktemp("plain"),
    ).record  # fmt: skip


@pytest.mark.parametrize(
    ("engine", "more"),
    [
        ("plain", ("--workers", 1)),
        ("plain", ("--workers", 3, "--split-size", "10kb")),
        ("ray", ("--workers", 3, "--split-size", "30kb")),
        ("dask", ("--workers", 1, "--threads", 2, "--split-size", "30kb")),
        ("dask", ("--workers", 3)),
    ],
)
def test_the_table_is_that_of_the_fractions_to_the_last_bit(table, tmp_path, engine, more):
    record = run(engine, "--data", table, *more, "--results", tmp_path).record
    assert_groups(record["quality"]["groups"], fraction_groups(ROWS))
    assert record["check"]["passed"] is True
    assert record["quality"]["rows"] == len(ROWS)


@pytest.mark.parametrize("engine", ["plain", "dask"])
def test_values_far_from_one(tmp_path, engine):
    path = write_rows(tmp_path / "far.csv", FAR)
    record = run(engine, "--data", path, "--workers", 1, "--results", tmp_path / "results").record
    assert_groups(record["quality"]["groups"], fraction_groups(FAR))


@pytest.mark.parametrize(
    ("engine", "more"),
    [
        ("ray", ("--workers", 2, "--threads", 2)),
        ("dask", ("--workers", 2, "--split-size", "50kb")),
        ("plain", ("--workers", 2, "--solver", "lbfgs")),
    ],
)
def test_coefficients_are_the_same_on_every_engine(table, plain_fit, tmp_path, engine, more):
    out = tmp_path / "model.json"
    record = run(
        engine, "--data", table, "--task", "logistic-regression", *more, "--out", out,
        "--results", tmp_path,
    ).record  # fmt: skip
    assert record["check"]["passed"] is True
    quality, right = record["quality"], plain_fit["quality"]
    assert quality["gradient_norm"] <= 1e-8
    for row, expected in zip(quality["coefficients"], right["coefficients"], strict=True):
        assert row == {
            name: value if isinstance(value, str) else pytest.approx(value, abs=1e-7)
            for name, value in expected.items()
        }
    assert quality["accuracy"] == right["accuracy"] > 0.5
    assert quality["signal"] == "signal"
    assert json.loads(out.read_text())["coefficients"] == quality["coefficients"]


@pytest.mark.parametrize("engine", ENGINES)
def test_generated_rows_give_a_complete_record_and_kept_answers(tmp_path, engine):
    out = tmp_path / ("groups.csv" if engine == "ray" else "groups.parquet")
    argv = ["--size", "tiny", "--workers", 2, "--store", tmp_path / "store", "--out", out]
    argv += ["--profile"] if engine != "plain" else []
    finished = run(engine, *argv, "--results", tmp_path / "results")
    (path,) = [file for file in (tmp_path / "results").rglob("*-r0.json")]
    record = records.read(str(path))
    assert (record.status, record.check.passed) == ("done", True)
    assert record.dataset.sha256 and record.dataset.rows == record.quality["rows"] == 45_700
    assert record.bytes_read == record.dataset.bytes
    assert (record.bytes_sent > 0) == (engine != "plain")
    assert {"start", "load", "compute", "write"} <= record.phases.keys()
    counted = sum(seconds for name, seconds in record.phases.items() if name != "check")
    assert record.wall_seconds == pytest.approx(counted)
    assert (record.peak_memory_bytes or 0) > 50e6
    assert record.limit is not None and record.limit.seconds > 0
    assert record.worker_phases["load"]["sum"] > 0
    assert f"ray_vs_dask_etl.run_{engine}" in record.command
    reader = csv.read_csv if engine == "ray" else parquet.read_table
    assert reader(out).to_pylist() == finished.record["quality"]["groups"]
    kept = {file.name.partition(".")[2] for file in path.parent.iterdir()}
    expected = {"ray": {"timeline.json"}, "dask": {"performance.html"}}.get(engine, set())
    assert kept == {"json"} | expected


def test_noise_is_reported_as_no_signal(tmp_path):
    record = run(
        "plain", "--size", "tiny", "--workers", 2, "--task", "logistic-regression",
        "--store", tmp_path / "store", "--results", tmp_path,
    ).record  # fmt: skip
    assert record["quality"]["signal"] == "no signal"
    assert record["quality"]["accuracy"] == pytest.approx(0.25, abs=0.02)


@pytest.mark.parametrize(
    ("engine", "method"),
    [("plain", "native"), ("dask", "native"), ("dask", "published"), ("ray", "native")],
)
def test_the_engines_own_ways_give_the_table(table, tmp_path, engine, method):
    record = run(
        engine, "--data", table, "--workers", 2, "--method", method, "--results", tmp_path
    ).record
    assert record["check"]["passed"] is True
    for row, expected in zip(record["quality"]["groups"], fraction_groups(ROWS), strict=True):
        assert row["category"] == expected["category"]
        assert row["mean_x"] == pytest.approx(expected["mean_x"], rel=1e-11)
        assert ("std_x" in row) == (method == "native")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_paper_fitted_stands_beside_the_exact_accuracy(tmp_path, engine):
    path = write_rows(tmp_path / "rows.csv", ROWS[:4000])
    record = run(
        engine, "--data", path, "--workers", 2, "--method", "published",
        "--task", "logistic-regression", "--results", tmp_path / "results",
    ).record  # fmt: skip
    quality = record["quality"]
    assert (record["status"], record["check"]["passed"]) == ("done", None)
    assert quality["accuracy_exact"] > 0.5
    if engine == "dask":
        # The raw call knows no and yes, which are the first two categories.
        assert set(quality["predicted_categories"]) <= {"A", "B"}
        assert quality["accuracy"] < 0.4 < quality["accuracy_one_vs_rest"]
    else:
        assert 0.25 < quality["accuracy"] <= 1
