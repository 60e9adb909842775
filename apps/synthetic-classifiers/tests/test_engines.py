"""Every classifier on every engine: one answer, which the plain libraries give too."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from case import CASE
from studytest import running
from studytest.contract.of_study import OfStudy
from studytest.importing import Importing
from synthetic_classifiers.study import ALGORITHMS
from tables import classification, write_made


class TestImporting(Importing):
    case = CASE


class TestEngines(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def data(self, tmp_path_factory) -> Path:
        return write_made(tmp_path_factory.mktemp("data") / "samples.csv", 4000)

    @pytest.fixture(scope="class")
    def plain(self, data, tmp_path_factory) -> dict[str, Any]:
        folder = tmp_path_factory.mktemp("plain")
        return self.called(
            "plain", "--data", data, "--workers", 1, "--algorithm", "all", "--results", folder
        )

    @pytest.fixture(
        scope="class",
        params=CASE.of_engines(("plain", 2), ("ray", 1), ("ray", 3), ("torch", 2)),
        ids=lambda cell: f"{cell[0]}-{cell[1]}",
    )
    def run(self, request, joining, data, tmp_path_factory) -> dict[str, Any]:
        engine, workers = request.param
        folder = tmp_path_factory.mktemp(engine)
        return self.done(
            engine, "--data", data, "--workers", workers, "--algorithm", "all", "--split-size",
            "60kb", "--out", folder / "answer", "--results", folder / "results", *joining(engine),
        )  # fmt: skip

    def done(self, engine: str, *argv: object) -> dict[str, Any]:
        """The record of a run. Ranks are no forks of this process, whose OpenMP has run: in a
        fork of such a one it fails."""
        if engine != "torch":
            return self.called(engine, *argv)
        finished = running.run(CASE.module(engine), *argv, "--json", "--oversubscribe")
        assert finished.code == 0, finished.stderr
        return finished.record

    def test_answers_are_those_of_plain(self, run, plain):
        assert run["status"] == "done" and run["check"]["passed"]
        found, right = run["quality"]["algorithms"], plain["quality"]["algorithms"]
        assert tuple(found) == ALGORITHMS
        for name in ("logistic-regression", "random-forest", "knn"):
            assert found[name]["confusion"] == right[name]["confusion"], name
        assert found["random-forest"]["log_loss"] == right["random-forest"]["log_loss"]
        assert found["knn"]["log_loss"] == right["knn"]["log_loss"]
        mine, theirs = (q["logistic-regression"]["coefficients"] for q in (found, right))
        assert np.allclose(mine, theirs, rtol=0, atol=1e-8)
        for name in ("xgboost", "lightgbm"):
            low, high = right[name]["accuracy_interval"]
            assert low <= found[name]["accuracy"] <= high
            assert abs(found[name]["log_loss"] - right[name]["log_loss"]) < 0.1

    def test_seconds_of_each_classifier_are_apart(self, run):
        phases = run["worker_phases"]
        for name in ALGORITHMS:
            assert phases[f"train {name}"]["max"] > 0
            assert phases[f"predict {name}"]["max"] > 0
        assert run["bytes_sent"] > 0 or run["engine"] == "plain"

    def test_the_folder_has_models_and_predictions(self, run):
        outputs = run["outputs"]
        models = {name: outputs[name] for name in ALGORITHMS if name != "knn"}
        endings = {name: Path(uri).suffix for name, uri in models.items()}
        assert endings == {
            "xgboost": ".ubj", "lightgbm": ".txt", "logistic-regression": ".json",
            "random-forest": ".joblib",
        }  # fmt: skip
        for name in ALGORITHMS:
            table = pl.read_csv(outputs[f"{name}-predictions"].removeprefix("file://"))
            accuracy = (table["predicted"] == table["label"]).mean()
            assert accuracy == run["quality"]["algorithms"][name]["accuracy"]

    def test_three_classes_of_a_users_own_table(self, tmp_path):
        features, labels = classification(900, 3, seed=2)
        names = [f"x{place}" for place in range(10)]
        table = pl.DataFrame(dict(zip(names, features.T, strict=True)))
        table = table.with_columns(kind=labels, note=pl.lit("text, with a comma"))
        table.write_csv(tmp_path / "own.csv")
        record = self.called(
            "plain", "--data", tmp_path / "own.csv", "--label", "kind", "--features",
            ",".join(names), "--classes", 3, "--algorithm", "all", "--workers", 1,
            "--results", tmp_path / "results",
        )  # fmt: skip
        assert record["check"]["passed"]
        for one in record["quality"]["algorithms"].values():
            assert one["accuracy"] > 0.5
            assert np.sum(one["confusion"]) == record["quality"]["test_rows"]

    def test_a_forest_of_histograms(self, data, plain, tmp_path):
        record = self.called(
            "plain", "--data", data, "--algorithm", "random-forest", "--forest", "histogram",
            "--workers", 2, "--out", tmp_path / "answer", "--results", tmp_path,
        )  # fmt: skip
        detail, name = record["check"]["detail"]["random-forest"], "accuracy_random-forest"
        assert record["check"]["passed"]
        assert detail["accuracy_of_exact_forest"] == plain["quality"][name]
        assert abs(record["quality"][name] - plain["quality"][name]) < 0.03
        assert record["outputs"]["random-forest"].endswith("random-forest.ubj")

    def test_missing_values_are_for_trees(self, tmp_path):
        text = write_made(tmp_path / "all.csv", 1500).read_text().splitlines()
        cut = [line if at % 7 else f",{line.partition(',')[2]}" for at, line in enumerate(text, 1)]
        (tmp_path / "some.csv").write_text("\n".join(cut) + "\n")
        for name in ("xgboost", "lightgbm", "random-forest"):
            record = self.called(
                "plain", "--data", tmp_path / "some.csv", "--algorithm", name, "--workers", 1,
                "--results", tmp_path / "results",
            )  # fmt: skip
            assert record["check"]["passed"]
            assert record["quality"]["algorithms"][name]["accuracy"] > 0.75

    def test_a_description_beside_the_table_is_held_to_it(self, tmp_path):
        path = write_made(tmp_path / "samples.csv", 300)
        (tmp_path / "samples.csv.json").write_text('{"rows": 301, "class_counts": [1, 2]}')
        line = self.refused("plain", 2, "--data", path, "--workers", 1, "--results", tmp_path)
        assert "rows: 301, but" in line and "samples.csv.json" in line
