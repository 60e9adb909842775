"""What the paper ran: its trials, by other means too, and what is said to be wrong with them."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import xgboost
from case import CASE
from diagnosis_files import table
from hyperparameter_tuning import network, paper, published, published_networks
from hyperparameter_tuning.diagnoses import Diagnoses
from hyperparameter_tuning.jobs import DIVERGED, Job
from hyperparameter_tuning.published_networks import Networks
from hyperparameter_tuning.published_trees import Trees
from networks_data import striped
from safetensors.torch import load
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from small_searches import made
from studytest.contract.of_study import OfStudy

PUBLISHED = ("--method", "published")
NETWORKS = ("--study", "cifar10", "--trials", 1, "--epochs", 1)


def losses(depth, rounds):
    """Of the test part, by XGBoost's and scikit-learn's own."""
    features, labels = table()
    scaled = StandardScaler().fit_transform(features.astype(np.float64)).astype(np.float32)
    train, test, train_labels, test_labels = train_test_split(
        scaled, labels, test_size=0.2, random_state=42
    )
    model = xgboost.XGBClassifier(n_estimators=rounds, max_depth=depth).fit(train, train_labels)
    return log_loss(test_labels, model.predict_proba(test)[:, 1].astype(float))


class TestPublished(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def pictures(self, tmp_path_factory):
        return made(tmp_path_factory.mktemp("pictures"))

    def test_five_depths_two_of_them_twice_the_same_trees(self, data, tmp_path):
        record = self.called(
            "plain", "--data", data, *PUBLISHED, "--out", tmp_path / "answer",
            "--results", tmp_path,
        )  # fmt: skip
        quality = record["quality"]
        rows = quality["trials"]
        assert [row["configuration"]["max_depth"] for row in rows] == [50, 5, 1, 1, 100]
        assert {row["epochs"] for row in rows} == {30}
        assert {row["figures"]["iterations"] for row in rows} == {31}
        right = {depth: losses(depth, 30) for depth in (1, 5, 50)}
        assert [-row["score"] for row in rows] == pytest.approx(
            [right[50], right[5], right[1], right[1], right[50]], rel=1e-4
        )
        assert quality["equal_trials"] == [[0, 4], [2, 3]] and quality["train_rows_lost"] == 0
        assert quality["best_configuration"]["max_depth"] == min(right, key=right.__getitem__)
        assert record["check"]["passed"] is None
        assert sum("came to the same figures" in text for text in quality["wrong"]) == 2
        assert any("31 iterations are shown for 30 rounds" in text for text in quality["wrong"])
        assert {path.name for path in (tmp_path / "answer").iterdir()} >= {"model.ubj", "page.html"}
        exact = self.called("plain", "--data", data, "--results", tmp_path / "exact")["quality"]
        assert quality["best_configuration_exact"] == exact["best_configuration"]
        assert quality["accuracy_exact"] == exact["accuracy"]

    def test_ray_train_loses_the_rows_that_are_left(self, data, held_ray, tmp_path, monkeypatch):
        monkeypatch.setattr(paper, "FIGURE_3", paper.FIGURE_3[2:3])
        quality = self.called(
            "ray", "--address", held_ray[0], "--data", data, *PUBLISHED, "--workers", 2,
            "--epochs", 3,
            "--results", tmp_path,
        )["quality"]  # fmt: skip
        assert (quality["train_rows"], quality["train_rows_lost"]) == (454, 1)
        assert any("1 of 455 training rows were lost" in text for text in quality["wrong"])
        for row in quality["trials"]:
            wrong = row["figures"]["train_error"] * 454
            assert wrong == pytest.approx(round(wrong), abs=1e-3)
            assert -row["score"] == pytest.approx(losses(1, 3), abs=0.02)

    def test_networks_on_ray_are_those_of_plain_and_the_reported_best_is_none_of_them(
        self, pictures, held_ray, tmp_path
    ):
        plain, by_ray = (
            self.called(
                *engine, *NETWORKS, "--data", pictures, *PUBLISHED, "--workers", 1,
                "--results", tmp_path,
            )["quality"]
            for engine in (("plain",), ("ray", "--address", held_ray[0]))
        )  # fmt: skip
        assert [row["score"] for row in plain["trials"]] == [
            row["score"] for row in by_ray["trials"]
        ]
        assert (plain["rows"], plain["train_rows"], plain["test_rows"]) == (2400, 128, 128)
        for row, asked in zip(plain["trials"], paper.FIGURE_4, strict=False):
            assert row["configuration"] == {
                "learning_rate": asked.learning_rate, "dropout": asked.dropout,
            }  # fmt: skip
            assert (128 * row["score"]).is_integer() and row["epochs"] == 1
        assert (272 * plain["accuracy_on_other_pictures"]) == pytest.approx(
            round(272 * plain["accuracy_on_other_pictures"])
        )
        reported = plain["reported_configuration"]
        assert reported["dropout"] == 0.0
        assert reported not in [row["configuration"] for row in plain["trials"]]
        said = "\n".join(plain["wrong"])
        assert f"{reported} was not to be tried" in said
        assert "128 of 2000 training pictures" in said

    def test_what_the_paper_does_not_know_is_refused(self, data, tmp_path):
        for argv in (("--rounds", 2), ("--checkpoint", tmp_path / "search")):
            line = self.refused(
                "plain", 2, "--data", data, *PUBLISHED, *argv, "--results", tmp_path
            )
            assert "--method published knows none of" in line


def test_shares_are_equal_and_lose_two_of_455_rows_as_in_the_paper():
    features, labels = table()
    part = Diagnoses(features[:455], labels[:455], ())
    trees = Trees(part, part.at(np.arange(114)), workers=3, threads=1)
    assert (trees.lost, trees.rows["train_rows"]) == (2, 453)
    assert [len(trees.share(part, rank)) for rank in range(3)] == [151] * 3
    shared = np.concatenate([trees.share(part, rank).features for rank in range(3)])
    assert np.array_equal(shared, features[:453])
    assert round(paper.FIGURE_3[2].train_error * 453, 3) == 7


def networks(rows=96):
    pictures = striped(rows + 60)
    places = np.arange(rows + 60)
    return Networks(
        pictures.at(places[:rows], "train"), pictures.at(places[rows : rows + 40], "test"),
        pictures.at(places[rows + 40 :], "others"), rows, network.small(3), 1,
    )  # fmt: skip


def job(rate, iterations, dropout=0.25):
    return Job(0, 0, {"learning_rate": rate, "dropout": dropout}, None, 0, iterations, seed=5)


def test_a_model_is_judged_on_pixels_from_0_to_1():
    """By torch's own functions, from the file of the model."""
    of = networks()
    report, state = of.compute(job(3e-3, 12))
    weights = load(of.model(state))
    pixels = torch.tensor(of.test.pixels).permute(0, 3, 1, 2) / 255
    found = F.relu(F.conv2d(pixels, weights["conv1.weight"], weights["conv1.bias"], 4))
    found = F.relu(F.conv2d(found, weights["conv2.weight"], weights["conv2.bias"], 2))
    found = F.linear(found.mean((2, 3)), weights["dense.weight"], weights["dense.bias"])
    right = int((found.argmax(1) == torch.tensor(of.test.labels)).sum())
    assert (of.judged(state).right, of.judged(state).count) == (right, 40)
    assert report.scores[-1] == right / 40 and report.epochs == 12
    assert report.figures["loss"][-1] < report.figures["loss"][0]
    assert published_networks.bright(np.array([0, 255, 51], np.uint8)).tolist() == pytest.approx(
        [0, 1, 0.2]
    )


def test_a_network_that_diverges_leaves_no_score():
    report, _ = networks().compute(job(float("inf"), 3))
    assert report.status == DIVERGED and report.epochs < 3


def test_a_trial_is_a_function_of_its_seed():
    of, asked = networks(), job(1e-3, 1)
    (one, state), (other, again) = published.in_turn(of, [asked, asked])
    assert state == again and one.scores == other.scores
    ((_, another),) = published.in_turn(of, [dataclasses.replace(asked, seed=6)])
    assert another != state
