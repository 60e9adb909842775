"""What the paper ran: which rows, how many fits, and its accuracies beside the exact ones."""

import numpy as np
import pytest
import torch
from case import CASE
from digits_knn_cnn import networks, published, published_network
from digits_knn_cnn.layout import Digits
from published_split import ACCURACIES, parts
from studytest.contract.of_study import OfStudy

PUBLISHED = ("--method", "published", "--workers", 2, "--oversubscribe")
CNN = ("--model", "cnn", "--epochs", 2)


class TestPublished(OfStudy):
    case = CASE

    @pytest.mark.parametrize("engine", ["plain", "ray"])
    def test_ten_fits_over_all_rows_come_to_the_papers_accuracies(self, engine, data, tmp_path):
        record = self.called(engine, "--data", data, *PUBLISHED, "--results", tmp_path)
        quality = record["quality"]
        found = list(quality["test_accuracy_by_k"].values())
        assert found == pytest.approx(ACCURACIES, abs=5e-5)
        assert quality["test_accuracy_by_k_exact"] == quality["test_accuracy_by_k"]
        assert len(quality["seconds_by_k"]) == len(quality["seconds_in_fit_by_k"]) == 10
        assert all(
            quality["seconds_by_k"][k] >= s > 0 for k, s in quality["seconds_in_fit_by_k"].items()
        )
        assert quality["seeded"] is True and record["check"]["passed"] is None
        if engine == "ray":
            assert record["phases"]["communicate"] > 0
            assert record["bytes_sent"] == 10 * (8 * 64 * (1797 + 1437) + 1437)

    def test_dask_fits_half_of_the_rows_in_the_client(self, data, tmp_path):
        record = self.called("dask", "--data", data, *PUBLISHED, "--results", tmp_path)
        quality = record["quality"]
        assert (quality["train_rows"], quality["test_rows"]) == (718, 180)
        assert quality["seeded"] is False and quality["seconds_of_plots"] > 0
        assert all(0.9 < share <= 1 for share in quality["test_accuracy_by_k"].values())

    def test_four_networks_on_however_many_workers(self, data, tmp_path):
        record = self.called("ray", "--data", data, *PUBLISHED, *CNN, "--results", tmp_path)
        quality = record["quality"]
        assert quality["networks"] == len(quality["test_accuracy_by_network"]) == 4
        assert (quality["train_rows"], quality["test_rows"], quality["epochs"]) == (1437, 360, 2)
        last = sum(quality["test_accuracy_by_network"]) / 4
        assert quality["test_accuracy_by_epoch"][-1] == pytest.approx(last) and last > 0.8
        assert len(quality["test_accuracy_by_epoch_exact"]) == 2
        assert min(quality["import_seconds_by_network"]) > 0

    def test_one_network_in_dasks_client(self, data, tmp_path):
        record = self.called("dask", "--data", data, *PUBLISHED, *CNN, "--results", tmp_path)
        quality = record["quality"]
        assert (quality["networks"], quality["train_rows"], quality["test_rows"]) == (1, 718, 180)
        assert quality["seconds_of_plots"] > 0 and quality["seeded"] is False

    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            (("--model", "resnet18"), "no notebook of the paper trained a ResNet18"),
            ((*CNN, "--out", "cnn.csv"), "only averages"),
        ],
        ids=["resnet18", "out"],
    )
    def test_what_the_paper_has_not_is_refused(self, argv, said, data, tmp_path):
        line = self.refused("plain", 2, "--data", data, *PUBLISHED, *argv, "--results", tmp_path)
        assert said in line


def digits(rows=60):
    train, tests, labels, right = parts()
    return Digits(train[:rows], labels[:rows], 16), Digits(tests[:20], right[:20], 16)


def test_pixels_stay_as_they_are_and_no_two_networks_are_the_same():
    pixels, labels = published_network.as_they_are(digits()[0])
    given = []
    model = networks.cnn(8)
    next(model.children()).register_forward_pre_hook(
        lambda layer, pictures: given.append(pictures[0])
    )
    model(pixels)
    assert torch.equal(given[0].view(60, 64), torch.tensor(parts()[0][:60], dtype=torch.float32))
    assert given[0].max() == 16 and pixels.shape == (60, 1, 8, 8) and labels.shape == (60,)
    train, tests = digits()
    one, other = (published_network.train(train, tests, 1).history for _ in range(2))
    assert one != other


def test_batches_are_of_ten(monkeypatch):
    given = []

    class Seen(torch.nn.Module):
        def __init__(self, side, seed):
            super().__init__()
            self.model = networks.NETWORKS["cnn"](side, seed)

        def forward(self, pictures):
            if torch.is_grad_enabled():
                given.append(len(pictures))
            return self.model(pictures)

    monkeypatch.setattr(networks, "cnn", Seen)
    train, tests = digits(rows=25)
    published_network.train(train, tests, 2)
    assert given == [10, 10, 5] * 2


def test_averages_are_of_all_networks():
    history = [{"loss": 1.0, "train_accuracy": 0.5, "test_accuracy": 0.25}]
    better = [{"loss": 0.0, "train_accuracy": 1.0, "test_accuracy": 0.75}]
    trained = [published_network.Network(one, 1.0, 2.0) for one in (history, better)]
    train, tests = digits()
    found = published.averages(train, tests, trained)
    assert found["loss_by_epoch"] == [0.5] and found["test_accuracy_by_epoch"] == [0.5]
    assert found["test_accuracy_by_network"] == [0.25, 0.75]
    assert np.mean(found["train_accuracy_by_epoch"]) == 0.75
