"""Every engine on real trips, and what the paper's method makes of them."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from case import CASE
from studytest.contract.of_study import OfStudy
from studytest.importing import Importing
from taxi import pandas_rules, points_of, read, sample
from taxi_clustering import city, kernel


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


class TestImporting(Importing):
    case = CASE


class TestEngines(OfStudy):
    case = CASE

    @pytest.fixture(scope="class", params=CASE.engines)
    def real(self, request, joining, tmp_path_factory) -> tuple[str, dict[str, Any], Path]:
        """(engine, record, folder of its answer) of January 2015."""
        folder = tmp_path_factory.mktemp(request.param)
        record = self.called(
            request.param, "--data", sample("2015-01"), "--workers", 2,
            "--out", folder / "answer", "--results", folder / "results",
            *joining(request.param),
        )  # fmt: skip
        return request.param, record, folder / "answer"

    def test_real_trips_are_those_of_pandas_and_checked(self, real):
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

    @pytest.fixture(scope="class")
    def labels_of_plain(self, tmp_path_factory) -> np.ndarray:
        folder = tmp_path_factory.mktemp("labels")
        centres = folder / "centres.csv"
        argv = ("--data", sample("2015-01"), "--workers", 1, "--out", centres)
        self.called("plain", *argv, "--results", folder)
        return labels(centres)

    def test_engines_give_the_same_labels(self, real, labels_of_plain):
        _, _, folder = real
        assert (labels(folder / "centres.csv") == labels_of_plain).mean() >= 0.9999

    def test_the_answer_as_files(self, real):
        _, record, folder = real
        places = {path.name for path in folder.iterdir()}
        assert places == {
            "centres.csv",
            "centres.geojson",
            "map.html",
            "map.png",
            "map_online.html",
        }
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

    def test_published_says_how_far_it_is_from_the_answer(self, engine, data, joining, tmp_path):
        record = self.called(
            engine, "--data", data, "--workers", 2, "--method", "published",
            "--split-size", "100kb", "--clusters", 15, "--results", tmp_path,
            "--out", tmp_path / "centres.csv", *joining(engine),
        )  # fmt: skip
        quality = record["quality"]
        assert (record["status"], record["check"]["passed"]) == ("done", None)
        if engine == "torch":
            # Of the trips of each of the two ranks half, all of them in one batch.
            assert quality["blocks"] == 2
            clustered = round(quality["trips_clustered"] * quality["rows_kept"])
            assert 0 <= clustered - quality["rows_kept"] / 2 <= 1
        else:
            assert quality["blocks"] == -(-data.stat().st_size // 100_000)
            assert quality["trips_clustered"] == 1
        assert quality["blocks_dropped"] == 0
        assert quality["inertia_penalty"] == pytest.approx(
            quality["inertia"] / quality["exact_inertia"] - 1
        )
        assert 0 < quality["silhouette_of_local_clusterings"] < 1
        assert -1 < quality["silhouette"] < 1
        assert sum(quality["trips_per_cluster"]) == quality["rows_kept"]
        assert table(tmp_path / "centres.csv")[:, 2].tolist() == quality["trips_per_cluster"]

    def test_published_is_worse_than_exact_on_real_trips(self, tmp_path):
        quality = self.called(
            "plain", "--data", sample("2015-01"), "--workers", 1, "--method", "published",
            "--results", tmp_path,
        )["quality"]  # fmt: skip
        assert quality["blocks"] == 4
        assert quality["inertia_penalty"] > 0.05
