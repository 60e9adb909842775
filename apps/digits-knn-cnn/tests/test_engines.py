"""The published split on every engine: its accuracies, scikit-learn's predictions one by one."""

from pathlib import Path

import pytest
from case import CASE
from published_split import ACCURACIES, parts, predictions, predictions_of_training_rows
from pyarrow import parquet
from sklearn import metrics
from studytest import running
from studytest.contract.answers import PlainAnswer
from studytest.importing import Importing

SPLIT_SIZES = {1: "1gb", 2: "30kb", 3: "7kb"}


class TestImporting(Importing):
    case = CASE


class TestEngines(PlainAnswer):
    case = CASE

    @pytest.mark.parametrize("workers", [1, 2, 3])
    def test_the_published_split_is_classified_as_scikit_learn_does(
        self, engine, workers, data, joining, tmp_path
    ):
        out = tmp_path / "predictions.parquet"
        record = self.called(
            engine, "--data", data, "--workers", workers, "--split-size", SPLIT_SIZES[workers],
            "--out", out, "--results", tmp_path / "results", *joining(engine, workers),
        )  # fmt: skip
        assert record["check"]["passed"] is True
        assert record["check"]["detail"]["predictions_compared"] == 1797 * 10
        quality = record["quality"]
        for k, accuracy in enumerate(ACCURACIES, start=1):
            assert quality["test_accuracy_by_k"][str(k)] == pytest.approx(accuracy, abs=5e-5)
        table = parquet.read_table(out).to_pydict()
        of_tests, of_training = predictions(), predictions_of_training_rows()
        _, _, train_labels, labels = parts()
        assert table["label"] == labels.tolist()
        for k, (expected, own) in enumerate(zip(of_tests, of_training, strict=True), start=1):
            assert table[f"predicted_k{k}"] == expected
            training = quality["train_accuracy_by_k"][str(k)]
            assert training == metrics.accuracy_score(train_labels, own)
            confused = metrics.confusion_matrix(labels, expected)
            assert quality["confusion"][str(k)] == confused.tolist()

    @pytest.fixture(scope="class")
    def store(self, tmp_path_factory) -> Path:
        """For data sets that all engines read."""
        return tmp_path_factory.mktemp("store")

    def test_pictures_of_another_resolution(self, engine, store, joining, tmp_path):
        record = self.called(
            engine, "--size", "tiny", "--resolution", 28, "--workers", 2,
            "--store", store, "--results", tmp_path, *joining(engine),
        )  # fmt: skip
        assert record["check"]["passed"] is True
        assert record["quality"]["test_accuracy_by_k"]["1"] > 0.97

    def test_of_many_training_rows_a_sample_is_judged(self, engine, store, joining, tmp_path):
        record = self.called(
            engine, "--scale", 8, "--neighbours", 3, "--workers", 2,
            "--store", store, "--results", tmp_path, *joining(engine),
        )  # fmt: skip
        quality = record["quality"]
        assert record["check"]["passed"] is True
        assert (quality["train_rows"], quality["test_rows"]) == (8 * 1437, 8 * 360)
        assert quality["train_rows_judged"] == 10_000
        assert quality["train_accuracy_by_k"]["1"] > 0.99
        assert set(quality["test_accuracy_by_k"]) == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["--scale", 20], "digits/x20"),
        (["--resolution", 28], "digits-28/tiny"),
        (["--resolution", 32, "--size", "100mb"], "digits-32/100mb"),
    ],
)
def test_a_dry_run_names_the_data_set_that_would_be_read(asked, named, tmp_path):
    argv = [*asked, "--workers", 1, "--dry-run", "--results", tmp_path]
    finished = running.call(CASE.module("plain"), *argv)
    assert finished.code == 0, finished.stderr
    [line] = [line for line in finished.stderr.splitlines() if " read " in line]
    assert named in line.split()
