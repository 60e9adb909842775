"""The engines' own ways: the right answer of kNN, networks that learn, nothing left behind."""

from typing import Any

import pytest
from case import CASE
from digits_knn_cnn import native, native_dask, native_training, study
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.study import Parameters
from distributed import Client, LocalCluster, get_task_stream
from published_split import ACCURACIES, parts, predictions, write_table
from studykit.options import Options
from studykit.records import DatasetInfo
from studykit.run import Run
from studytest import running
from studytest.contract.of_study import OfStudy
from torch.nn import BatchNorm2d

NATIVE = ("--method", "native", "--workers", 2, "--oversubscribe")


class TestNative(OfStudy):
    case = CASE

    @pytest.mark.parametrize("engine", study.STUDY.engines)
    def test_neighbours_are_those_of_scikit_learn(self, engine, data, tmp_path):
        record = self.called(engine, "--data", data, *NATIVE, "--results", tmp_path)
        assert record["check"]["passed"] is True
        assert record["check"]["detail"]["predictions_compared"] == 10 * 1797
        found = record["quality"]["test_accuracy_by_k"].values()
        assert list(found) == pytest.approx(ACCURACIES, abs=5e-5)

    def test_a_bare_loop_learns(self, data, tmp_path):
        record = self.called(
            "plain", "--data", data, *NATIVE, "--model", "cnn", "--epochs", 4,
            "--results", tmp_path, "--out", tmp_path / "cnn.csv",
        )  # fmt: skip
        self.must_have_learned(record, 4)
        assert len((tmp_path / "cnn.csv").read_text().splitlines()) == 361

    def test_ray_train_learns_and_leaves_nothing_in_the_users_folder(self, data, tmp_path):
        finished = running.run(
            CASE.module("ray"), "--data", data, *NATIVE, "--model", "cnn", "--epochs", 4,
            "--results", tmp_path, "--json", HOME=str(tmp_path / "home"),
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        self.must_have_learned(record, 4)
        assert record["phases"]["compute"] > 0
        assert not (tmp_path / "home" / "ray_results").exists()

    def must_have_learned(self, record, epochs):
        quality = record["quality"]
        assert record["check"]["passed"] is True
        assert "no other answer is known" in record["check"]["oracle"]
        assert len(quality["loss_by_epoch"]) == len(quality["train_accuracy_by_epoch"]) == epochs
        assert quality["loss_by_epoch"][-1] < quality["loss_by_epoch"][0] / 2
        assert quality["test_accuracy_by_epoch"][-1] > 0.9
        right = sum(quality["confusion"]["cnn"][label][label] for label in range(10))
        assert quality["test_accuracy_by_epoch"][-1] == right / 360

    def test_dask_refuses_to_train(self, data, tmp_path):
        line = self.refused(
            "dask", 2, "--data", data, *NATIVE, "--model", "cnn", "--results", tmp_path
        )
        assert "nothing that is still maintained trains one network on Dask" in line

    def test_ray_refuses_a_batch_of_one_picture_a_worker(self, data, tmp_path):
        line = self.refused(
            "ray", 2, "--data", data, *NATIVE, "--model", "resnet18", "--batch-size", 3,
            "--results", tmp_path,
        )  # fmt: skip
        assert "--batch-size 3" in line and "give 4 or more" in line

    @pytest.mark.parametrize(
        "argv",
        [("--rounds", 2), ("--model", "cnn", "--checkpoint", "a.ckpt")],
        ids=["rounds", "ckpt"],
    )
    def test_what_it_does_not_know_is_refused(self, argv, data, tmp_path):
        line = self.refused("plain", 2, "--data", data, *NATIVE, *argv, "--results", tmp_path)
        assert "knows neither --checkpoint nor --rounds" in line


def run_of(engine: str, path: str = "digits.csv", **parameters) -> Run:
    options, dataset = Options(workers=2), DatasetInfo(name="user", uri=path, bytes=1)
    return Run(study.STUDY, engine, options, Parameters(**parameters), dataset, quiet=True)


def test_the_check_of_a_network_counts_the_predictions_again(tmp_path):
    tests = parts()[3]
    run = run_of("plain", str(write_table(tmp_path / "digits.csv")), model="cnn")
    found = {"train_rows": 1437, "test_rows": 360, "test_accuracy_by_epoch": [0.5, 359 / 360]}
    wrong = tests.copy()
    wrong[7] = (wrong[7] + 1) % 10
    assert native.check_network(run, wrong, found).passed is True
    assert native.check_network(run, tests, found).passed is False
    assert native.check_network(run, wrong[1:], found).passed is False


def test_resnet18_has_the_batch_norm_of_torch_and_no_batch_of_one_picture():
    train, tests, labels, right = parts()
    few, shown = Digits(train[:17], labels[:17], 16), Digits(tests[:5], right[:5], 16)
    asked = native_training.Asked("resnet18", batch_size=8, epochs=2, seed=42)
    norms = [
        one for one in native_training.made(asked, 8).modules() if isinstance(one, BatchNorm2d)
    ]
    assert len(norms) == 20 and {type(one) for one in norms} == {BatchNorm2d}
    told: list[Any] = []
    learned = native_training.learn(asked, few, shown, told.append)
    assert learned.history == told and len(told) == 2
    assert learned.predictions.shape == (5,)


def test_the_search_of_a_tree_goes_on_in_dasks_workers():
    """By brute force nothing of scikit-learn's would come to them."""
    train, tests, labels, right = parts()
    asked = native.queries(run_of("dask"), Digits(train, labels, 16), Digits(tests, right, 16))
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
        get_task_stream(client) as done,
    ):
        found = native_dask.predict(client, run_of("dask"), Digits(train, labels, 16), asked)
    assert len({task["worker"] for task in done.data}) == 2
    assert found[0][:, :360].tolist() == predictions()
