"""What a person sees when something is asked that cannot be: one line and an exit code."""

from pathlib import Path

import pytest
from studytest import running
from taxi import HEADER
from taxi import made_up
from taxi import row
from taxi import write_trips

ENGINES = ("plain", "ray", "torch")


@pytest.fixture(scope="module")
def trips(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 300)


def refused(engine: str, code: int, *argv: object, started: bool = False) -> str:
    """The error of a run that is refused, before or after its engine's processes have started."""
    finished = (running.run if started else running.call)(f"taxi_clustering.run_{engine}", *argv)
    assert finished.code == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.error


def test_more_workers_than_cores(trips, tmp_path):
    line = refused("plain", 4, "--data", trips, "--workers", 999, "--results", tmp_path)
    assert "999 workers × 1 threads ask for 999 cores" in line


def test_a_missing_file_is_exit_5_with_its_uri(tmp_path):
    line = refused("plain", 5, "--data", tmp_path / "nowhere.csv", "--workers", 1,
                   "--results", tmp_path)  # fmt: skip
    assert str(tmp_path / "nowhere.csv") in line


def test_a_folder_without_data(tmp_path):
    (tmp_path / "empty").mkdir()
    line = refused("plain", 2, "--data", tmp_path / "empty", "--workers", 1)
    assert str(tmp_path / "empty") in line and "no data" in line


@pytest.mark.parametrize("engine", ENGINES)
def test_a_shifted_row_of_a_worker_is_named(tmp_path, engine):
    path = write_trips(tmp_path / "trips.csv", [*[row()] * 200, row() + ",,", *[row()] * 9])
    results = tmp_path / "results"
    line = refused(engine, 2, "--data", path, "--workers", 2, "--oversubscribe",
                   "--results", results, "--split-size", "2kb", started=True)  # fmt: skip
    assert f"{path}, line 202: expected 19 columns, found 21" in line
    assert [p.suffix for p in results.rglob("*") if p.is_file()] == [".json"]


BAD = {
    "wrong schema": ([HEADER.replace("pickup_longitude", "PULocationID"), row()], "location ids"),
    "a missing column": ([HEADER.replace("trip_distance", "way"), row()], "trip distance"),
    "NaN": ([HEADER, row(pickup=("NaN", 40.7))], "line 2, column pickup_longitude"),
    "a bad date": ([HEADER, row(), row(end="2015-13-01 10:00:00")], "tpep_dropoff_datetime"),
    "all filtered out": ([HEADER, row(total=0), row(miles=0)], "none of 2 rows passed"),
    "header only": ([HEADER], "nothing but a header"),
    "k larger than rows": ([HEADER, row(), row(total=5)], "--clusters 40: only 2 of 2 rows"),
    "k larger than places": ([HEADER, *[row()] * 50], "1 different places"),
}


@pytest.mark.parametrize("damage", BAD)
def test_bad_input_is_exit_2_and_no_map(tmp_path, damage):
    lines, word = BAD[damage]
    path, out = tmp_path / "trips.csv", tmp_path / "map.html"
    path.write_text("\n".join(lines) + "\n")
    line = refused("plain", 2, "--data", path, "--workers", 1, "--out", out,
                   "--results", tmp_path / "results")  # fmt: skip
    assert str(path) in line and word in line
    assert not out.exists()


def test_all_rejects_are_said_by_rule(tmp_path):
    path = write_trips(tmp_path / "trips.csv", [row(total=0), row(miles=0, total=-1)])
    line = refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path / "results")
    assert "pickup_location 0" in line and "distance 1" in line and "total 2" in line


def test_no_convergence_is_exit_3_and_a_record_that_says_wrong(trips, tmp_path):
    finished = running.call(
        "taxi_clustering.run_plain", "--data", trips, "--workers", 1, "--max-iterations", 1,
        "--tolerance", "1e-6", "--results", tmp_path, "--json",
    )  # fmt: skip
    assert finished.code == 3
    assert "not converged" in finished.error
    assert finished.record["status"] == "wrong"


def test_past_the_time_limit_is_exit_124(trips, tmp_path):
    line = refused("plain", 124, "--data", trips, "--workers", 1, "--timeout", "0.05",
                   "--results", tmp_path, started=True)  # fmt: skip
    assert "--timeout 0.05 s" in line


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (["--size", "tiny", "--data", "x.csv"], "exclude"),
        (["--size", "huge"], "huge"),
        (["--method", "native"], "native"),
        (["--out", "map.xlsx", "--size", "tiny"], ".geojson"),
        (["--tolerance", "0"], "--tolerance"),
    ],
)
def test_wrong_usage_is_exit_2(argv, word):
    assert word in refused("plain", 2, "--workers", 1, *argv)


def test_no_clusters_are_wrong_usage():
    assert running.call("taxi_clustering.run_plain", "--clusters", 0).code == 2


@pytest.mark.parametrize("engine", ENGINES)
def test_help_shows_an_example_that_works(tmp_path, engine):
    shown = running.call(f"taxi_clustering.run_{engine}", "--help").stdout
    example = next(line for line in shown.splitlines() if "Example:" in line)
    module, *argv = example.split("python -m ", 1)[1].replace("│", " ").split()
    assert module == f"taxi_clustering.run_{engine}"
    finished = running.call(module, *argv, "--dry-run", "--oversubscribe", "--results", tmp_path)
    assert finished.code == 0, finished.stderr


def test_a_dry_run_touches_nothing(tmp_path):
    finished = running.call(
        "taxi_clustering.run_plain", "--size", "1.99gb", "--workers", 1, "--dry-run",
        "--store", tmp_path / "store", "--results", tmp_path / "results",
    )  # fmt: skip
    assert finished.code == 0
    assert "yellow-trips/1.99gb" in finished.stderr
    assert list(tmp_path.iterdir()) == []
