"""Every engine as its user starts it: the right answer, the same answer, a complete record."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from studykit import records
from studytest import running
from taxi import made_up
from taxi import pandas_rules
from taxi import points_of
from taxi import read
from taxi import sample
from taxi_clustering import city
from taxi_clustering import kernel

ENGINES = ("plain", "ray", "torch")


def run(engine: str, *argv: object) -> dict[str, Any]:
    finished = running.run(f"taxi_clustering.run_{engine}", *argv, "--json")
    assert finished.code == 0, finished.stderr
    return finished.record


@pytest.fixture(scope="module", params=ENGINES)
def real(request, tmp_path_factory) -> tuple[str, dict[str, Any], Path]:
    """(engine, record, folder of its answer) of January 2015."""
    folder = tmp_path_factory.mktemp(request.param)
    record = run(
        request.param, "--data", sample("2015-01"), "--workers", 2, "--oversubscribe",
        "--out", folder / "answer", "--results", folder / "results",
    )  # fmt: skip
    return request.param, record, folder / "answer"


def test_real_trips_are_those_of_pandas_and_checked(real):
    _, record, _ = real
    broken, quality = pandas_rules(sample("2015-01")), record["quality"]
    assert (quality["rows_read"], quality["rows_kept"]) == (25472, 24691)
    assert quality["rejects"] == {rule: int(broken[rule].sum()) for rule in broken}
    assert sum(quality["trips_per_cluster"]) == quality["rows_kept"]
    assert record["check"]["passed"] is True
    assert 5.4e9 < quality["inertia"] < 6.3e9
    low, high = quality["silhouette_interval"]
    assert low < quality["silhouette"] < high
    assert quality["silhouette_sample"] == 20_000
    assert set(quality["hub_distance_metres"]) == set(city.HUBS)


def test_the_record_is_complete(real):
    engine, printed, folder = real
    written = list((folder.parent / "results").rglob("*.json"))
    assert [path.name for path in written] == [f"{printed['config_hash']}-r0.json"]
    record = records.read(str(written[0]))
    assert (record.status, record.engine, record.workers) == ("done", engine, 2)
    assert record.bytes_read == record.dataset.bytes
    assert all(record.phases[name] > 0 for name in ("start", "load", "compute", "write"))
    counted = sum(seconds for name, seconds in record.phases.items() if name != "check")
    assert record.wall_seconds == pytest.approx(counted)
    assert (record.peak_memory_bytes or 0) > 50e6
    assert record.cpu_seconds > 0
    assert record.limit is not None and record.limit.seconds > 0
    assert {"load", "compute"} <= record.worker_phases.keys()
    assert record.versions["scikit-learn"] != "missing"
    assert f"taxi_clustering.run_{engine}" in record.command
    assert (record.bytes_sent > 0) == (engine != "plain")


@pytest.fixture(scope="module")
def labels_of_plain(tmp_path_factory) -> np.ndarray:
    folder = tmp_path_factory.mktemp("labels")
    run("plain", "--data", sample("2015-01"), "--workers", 1, "--out", folder / "centres.csv",
        "--results", folder)  # fmt: skip
    return labels(folder / "centres.csv")


def table(path: Path) -> np.ndarray:
    """float64[k, 3]: longitude, latitude, trips."""
    with open(path) as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(r[c]) for c in ("longitude", "latitude", "trips")] for r in rows])


def labels(path: Path) -> np.ndarray:
    """Of every trip of January 2015, by the centres of a file."""
    centres = city.to_metres(*table(path)[:, :2].T).astype(np.float32)
    found: np.ndarray = kernel.labels(points_of(read(sample("2015-01"))), centres)
    return found


def test_engines_give_the_same_labels(real, labels_of_plain):
    _, _, folder = real
    assert (labels(folder / "centres.csv") == labels_of_plain).mean() >= 0.9999


def test_the_answer_as_files(real):
    _, record, folder = real
    places = {path.name for path in folder.iterdir()}
    assert places == {"centres.csv", "centres.geojson", "map.html", "map.png", "map_online.html"}
    assert set(record["outputs"]) == places
    rows = table(folder / "centres.csv")
    assert rows[:, 2].tolist() == record["quality"]["trips_per_cluster"]
    features = json.loads((folder / "centres.geojson").read_text())["features"]
    assert [f["geometry"]["coordinates"] for f in features] == rows[:, :2].tolist()
    assert [f["properties"]["trips"] for f in features] == rows[:, 2].tolist()
    page = (folder / "map.html").read_text()
    assert page.count("<circle ") == page.count(" trips (") == 40
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert (folder / "map.png").read_bytes().startswith(b"\x89PNG")
    online = (folder / "map_online.html").read_text()
    assert online.count("L.circleMarker(") == 40
    assert "cannot be reached" in online


@pytest.fixture(scope="module")
def trips_csv(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 3000)


@pytest.fixture(scope="module")
def plain_centres(trips_csv, tmp_path_factory) -> list[Any]:
    return centres(trips_csv, "plain", 1, tmp_path_factory.mktemp("plain"))


def centres(path: Path, engine: str, workers: int, folder: Path, *more: object) -> list[Any]:
    found: list[Any] = run(
        engine, "--data", path, "--workers", workers, "--oversubscribe", "--clusters", 15,
        "--restarts", 3, "--results", folder, *more,
    )["quality"]["centres"]  # fmt: skip
    return found


@pytest.mark.parametrize(
    ("engine", "workers", "more"),
    [
        ("plain", 3, ("--split-size", "9kb")),
        ("ray", 3, ("--split-size", "10kb")),
        ("torch", 3, ("--threads", 2)),
    ],
)
def test_engines_agree_to_the_last_bit(trips_csv, plain_centres, tmp_path, engine, workers, more):
    assert centres(trips_csv, engine, workers, tmp_path, *more) == plain_centres


def test_a_generated_month_gives_the_same_answer_twice(tmp_path):
    argv = ["--size", "tiny", "--workers", 2, "--oversubscribe", "--store", tmp_path / "store"]
    first = run("plain", *argv, "--results", tmp_path / "a")
    second = run("plain", *argv, "--results", tmp_path / "b")  # from the store
    assert first["quality"] == second["quality"]
    assert first["config_hash"] == second["config_hash"]
    assert first["dataset"]["sha256"]
    assert first["dataset"]["rows"] == first["quality"]["rows_read"]


@pytest.mark.parametrize("engine", ENGINES)
def test_published_says_how_far_it_is_from_the_answer(trips_csv, tmp_path, engine):
    record = run(
        engine, "--data", trips_csv, "--workers", 2, "--oversubscribe", "--method", "published",
        "--split-size", "100kb", "--clusters", 15, "--results", tmp_path,
        "--out", tmp_path / "centres.csv",
    )  # fmt: skip
    quality = record["quality"]
    assert (record["status"], record["check"]["passed"]) == ("done", None)
    assert quality["blocks"] == -(-trips_csv.stat().st_size // 100_000)
    assert quality["inertia_penalty"] == pytest.approx(
        quality["inertia"] / quality["exact_inertia"] - 1
    )
    assert 0 < quality["silhouette_of_local_clusterings"] < 1
    assert -1 < quality["silhouette"] < 1
    assert sum(quality["trips_per_cluster"]) == quality["rows_kept"]
    assert table(tmp_path / "centres.csv")[:, 2].tolist() == quality["trips_per_cluster"]


def test_published_is_worse_than_exact_on_real_trips(tmp_path):
    quality = run(
        "plain", "--data", sample("2015-01"), "--workers", 1, "--method", "published",
        "--results", tmp_path,
    )["quality"]  # fmt: skip
    assert quality["blocks"] == 4
    assert quality["inertia_penalty"] > 0.05
