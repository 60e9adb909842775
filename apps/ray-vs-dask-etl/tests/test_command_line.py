"""What a person sees when something is asked that cannot be: one line and an exit code."""

from pathlib import Path

import pytest
from studytest import running
from tables import HEADER
from tables import random_rows
from tables import write_rows

ENGINES = ("plain", "ray", "dask")


@pytest.fixture
def table(tmp_path) -> Path:
    return write_rows(tmp_path / "rows.csv", random_rows(50, seed=0))


def refused(engine: str, code: int, *argv: object, started: bool = False) -> str:
    """The error of a run that is refused, before or after its engine's processes have started."""
    finished = (running.run if started else running.call)(f"ray_vs_dask_etl.run_{engine}", *argv)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.error


@pytest.mark.parametrize("engine", ENGINES)
def test_more_workers_than_cores(table, tmp_path, engine):
    line = refused(engine, 4, "--data", table, "--workers", 999, "--results", tmp_path)
    assert "999 workers × 1 threads ask for 999 cores" in line and "available" in line


@pytest.mark.parametrize(
    ("engine", "address"), [("ray", "127.0.0.1:9"), ("dask", "tcp://127.0.0.1:9")]
)
def test_a_cluster_that_is_not_there(table, tmp_path, engine, address):
    line = refused(engine, 4, "--data", table, "--workers", 1, "--address", address,
                   "--results", tmp_path)  # fmt: skip
    assert "127.0.0.1:9" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_bad_input_of_a_worker_is_named(tmp_path, engine):
    path = tmp_path / "rows.csv"
    path.write_text(HEADER + "1,0.5,0.5,A\n" * 2000 + "2,0.5,half,A\n" + "3,0.5,0.5,B\n" * 100)
    results = tmp_path / "results"
    line = refused(engine, 2, "--data", path, "--workers", 2, "--oversubscribe",
                   "--results", results, "--split-size", "5kb", started=True)  # fmt: skip
    assert f"{path}, line 2002" in line and "'half'" in line
    assert [p.suffix for p in results.rglob("*") if p.is_file()] == [".json"]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_missing_file_is_exit_5_with_its_uri(tmp_path, engine):
    line = refused(engine, 5, "--data", tmp_path / "nowhere.csv", "--workers", 1,
                   "--results", tmp_path)  # fmt: skip
    assert str(tmp_path / "nowhere.csv") in line


@pytest.mark.parametrize("task", ["etl", "logistic-regression"])
@pytest.mark.parametrize("content", [b"", HEADER.encode(), b"\n\n"])
def test_a_file_without_rows(tmp_path, content, task):
    path = tmp_path / "rows.csv"
    path.write_bytes(content)
    line = refused("plain", 2, "--data", path, "--workers", 1, "--task", task,
                   "--results", tmp_path / "results")  # fmt: skip
    assert str(path) in line and ("no rows" in line or "no data" in line)


def test_a_folder_without_data(tmp_path):
    (tmp_path / "empty").mkdir()
    line = refused("plain", 2, "--data", tmp_path / "empty", "--workers", 1)
    assert str(tmp_path / "empty") in line and "no data" in line


def test_no_convergence_is_exit_3_and_a_record_that_says_wrong(table, tmp_path):
    finished = running.call(
        "ray_vs_dask_etl.run_plain", "--data", table, "--workers", 1, "--json",
        "--task", "logistic-regression", "--max-iterations", 1, "--results", tmp_path,
    )  # fmt: skip
    assert finished.code == 3
    assert "not converged" in finished.error
    assert finished.record["status"] == "wrong"


def test_a_complete_signal_has_no_maximum_without_l2(tmp_path):
    argv = ("--size", "tiny", "--signal", 1, "--workers", 1, "--task", "logistic-regression",
            "--store", tmp_path / "store", "--results", tmp_path)  # fmt: skip
    assert "--l2" in refused("plain", 3, *argv)
    held = running.call("ray_vs_dask_etl.run_plain", *argv, "--l2", 1, "--json")
    assert held.code == 0, held.stderr
    assert held.record["quality"]["accuracy"] > 0.99


@pytest.mark.parametrize("engine", ["plain", "dask"])
def test_past_the_time_limit_is_exit_124(table, tmp_path, engine):
    line = refused(engine, 124, "--data", table, "--workers", 1, "--timeout", "0.2",
                   "--results", tmp_path, started=True)  # fmt: skip
    assert "--timeout 0.2 s" in line


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--size", "huge"], "huge"),
        (["--task", "clustering"], "clustering"),
        (["--solver", "magic"], "magic"),
        (["--columns", "id,category"], "--columns"),
        (["--columns", "id,x,x,category"], "--columns"),
        (["--categories", "A,A"], "--categories"),
        (["--signal", "2"], "--signal"),
        (["--data", "x.csv", "--signal", "0.5"], "--signal"),
        (["--l2", "-1"], "--l2"),
        (["--tolerance", "0"], "--tolerance"),
        (["--out", "groups.xlsx"], ".parquet"),
        (["--task", "logistic-regression", "--out", "model.csv"], ".json"),
        (["--task", "logistic-regression", "--method", "native"], "native"),
        (["--categories", ",".join(map(str, range(300)))], "256"),
    ],
)
def test_wrong_usage_is_exit_2(argv, word):
    assert word in refused("plain", 2, "--workers", 1, *argv)


@pytest.mark.parametrize("engine", ENGINES)
def test_help_shows_an_example_that_works(tmp_path, engine):
    shown = running.call(f"ray_vs_dask_etl.run_{engine}", "--help").stdout
    example = next(line for line in shown.splitlines() if "Example:" in line)
    module, *argv = example.split("python -m ", 1)[1].replace("│", " ").split()
    assert module == f"ray_vs_dask_etl.run_{engine}"
    finished = running.call(module, *argv, "--dry-run", "--oversubscribe", "--results", tmp_path)
    assert finished.code == 0, finished.stderr


def test_a_dry_run_touches_nothing(tmp_path):
    finished = running.call(
        "ray_vs_dask_etl.run_dask", "--size", "1gb", "--workers", 1, "--dry-run",
        "--store", tmp_path / "store", "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0
    assert "uniform-rows/1gb" in finished.stderr
    assert list(tmp_path.iterdir()) == []
