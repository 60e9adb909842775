"""The comparison of this study: its peers and its charts."""

from pathlib import Path

import pytest
from ray_vs_dask_etl import compare, paper_tables
from ray_vs_dask_etl.peers import LIBRARIES
from study_data import published
from studytest import running
from tables import fraction_groups, random_rows, write_rows

ROWS = random_rows(3000, seed=21)


@pytest.fixture
def table(tmp_path) -> Path:
    return write_rows(tmp_path / "rows.csv", ROWS)


@pytest.mark.parametrize("peer", LIBRARIES)
def test_a_peer_gives_the_same_table(table, tmp_path, peer):
    finished = running.call(
        "ray_vs_dask_etl.peers", peer, "--data", table, "--workers", 1, "--json",
        "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    record = finished.record
    assert (record["engine"], record["method"]) == (peer, "peer")
    assert record["check"]["passed"] is True
    assert record["phases"]["load"] > 0
    for row, right in zip(record["quality"]["groups"], fraction_groups(ROWS), strict=True):
        assert row == {
            name: value if isinstance(value, str) else pytest.approx(value, rel=1e-9)
            for name, value in right.items()
        }


def test_what_a_peer_does_not_do_is_skipped_with_the_reason(table, tmp_path):
    finished = running.call(
        "ray_vs_dask_etl.peers", "polars", "--data", table, "--workers", 1,
        "--task", "logistic-regression", "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 4
    assert "the ETL only" in finished.error


def test_the_papers_speedups_are_computed_from_its_own_baselines():
    found = {
        (cell.engine, cell.task, cell.size_gb, cell.workers): cell
        for cell in paper_tables.cells(published.rows("ray-vs-dask-etl"))
    }
    assert len(found) == 6 * 3
    half = found["dask", "etl", 4.26, 4]
    assert half.speedup == pytest.approx(35.04 / 27.36)
    assert half.efficiency == pytest.approx(35.04 / 27.36 / 2)
    assert (half.speedup_printed, half.efficiency_printed) == (2.08, 0.52)
    # As printed, the full file's baseline is divided by the half file's time.
    assert half.speedup_printed == pytest.approx(56.90 / 27.36, abs=0.005)
    full = found["ray", "etl", 9.42, 8]
    assert full.speedup == pytest.approx(full.speedup_printed, abs=0.04)


def test_the_printed_speedups_divide_by_what_is_said_of_them():
    rows = published.rows("ray-vs-dask-etl")
    seconds = {
        (row["engine"], row["dataset_or_task"], row["size_gb"], row["workers"]): float(row["value"])
        for row in rows
        if row["metric"] == "wall_s"
    }
    for cell in paper_tables.cells(rows):
        run = (cell.engine, cell.task, cell.size_gb, cell.workers)
        if cell.engine == "ray":
            baseline = 1196.0
        elif run == ("dask", "logistic-regression", 4.68, 16):
            baseline = seconds["dask", "logistic-regression", 4.68, 2]
        else:
            baseline = seconds["dask", cell.task, 8.57 if cell.task == "etl" else 9.42, 2]
        assert cell.speedup_printed is not None
        assert cell.speedup_printed == pytest.approx(baseline / seconds[run], abs=0.0051)
        worth = cell.speedup_printed / cell.workers
        assert cell.efficiency_printed == pytest.approx(worth, abs=0.0051)


def test_only_the_figures_of_the_tasks_that_were_run_stand_beside():
    rows = compare.of_tasks({"etl"})
    assert rows and all(row["dataset_or_task"] == "etl" for row in rows)
