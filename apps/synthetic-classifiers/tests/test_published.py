"""What the paper ran: which rows a model sees, and which models there are."""

import numpy as np
import pytest
from case import CASE
from studytest import running
from studytest.contract.of_study import OfStudy
from synthetic_classifiers import published
from tables import classification, write_made


class TestPublished(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def data(self, tmp_path_factory):
        return write_made(tmp_path_factory.mktemp("data") / "samples.csv", 3000)

    @pytest.mark.parametrize(
        ("engine", "models", "rows"), CASE.of_engines(("plain", 1, 3000), ("torch", 2, 1500))
    )
    def test_models_and_their_rows(self, data, tmp_path, engine, models, rows):
        # Ranks are no forks of this process, whose OpenMP has run: in such a one it fails.
        finished = running.run(
            CASE.module(engine), "--data", data, "--workers", 2, "--oversubscribe", "--algorithm",
            "all", "--method", "published", "--results", tmp_path, "--json",
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        quality = record["quality"]
        assert (quality["rows"], quality["rows_of_a_model"]) == (3000, rows)
        assert set(quality["models"].values()) == {models}
        for name, accuracies in quality["accuracies"].items():
            assert len(set(accuracies)) == 1, name
            assert accuracies[0] > 0.6
        assert record["check"]["passed"] is None
        assert set(record["check"]["detail"]) == set(quality["models"])

    @pytest.mark.parametrize("engine", [one for one in CASE.engines if one == "ray"])
    def test_two_trials_of_ray(self, data, tmp_path, engine):
        # In a process of its own, where Tune leaves a handler of a signal.
        finished = running.run(
            CASE.module(engine), "--data", data, "--workers", 2, "--oversubscribe", "--algorithm",
            "random-forest", "--method", "published", "--results", tmp_path, "--json",
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        quality = finished.record["quality"]
        assert quality["models"] == {"random-forest": 2}
        assert len(set(quality["accuracies"]["random-forest"])) == 1

    @pytest.mark.parametrize("engine", [one for one in CASE.engines if one == "ray"])
    @pytest.mark.parametrize("algorithm", ["xgboost", "lightgbm"])
    def test_ray_trains_by_its_own_trainers(self, data, tmp_path, engine, algorithm):
        finished = running.run(
            CASE.module(engine), "--data", data, "--workers", 2, "--oversubscribe", "--algorithm",
            algorithm, "--method", "native", "--results", tmp_path, "--json",
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        assert record["check"]["passed"]
        assert record["quality"]["test_rows"] == 600
        assert record["quality"]["algorithms"][algorithm]["accuracy"] > 0.8


def test_lightgbm_without_an_objective_is_rounded():
    features, labels = classification(1000)
    parts = published.divided(features, labels)
    found = published.MODELS["lightgbm"](parts[0], parts[1], parts[2], parts[3], 1, "")
    assert set(np.unique(found)) <= {-1.0, 0.0, 1.0, 2.0}
    assert published.fit("lightgbm", parts, 1, "") == (found == parts[3]).mean()
