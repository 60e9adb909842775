"""What searches for a network come to, through the command line, on every engine."""

import math
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from case import CASE
from hyperparameter_tuning import epochs
from picture_files import NAMES, random_pictures, real_pictures, write_folder
from pyarrow import csv
from safetensors.torch import load_file
from small_searches import found, made
from studytest import joined_ray
from studytest.contract.of_study import OfStudy

BESIDE = ("random", "asha", "default")
SHORT = ("--study", "cifar10", "--trials", 3, "--epochs", 2)


class CountingClock:
    """Of a processor that computes an epoch in one second, of which the thread has half."""

    def share(self, of) -> None:
        for one in of:
            one.cpu_seconds = 0.5 * len(one.scores)
            one.seconds = 1.0 * len(one.scores)


class TestAnswers(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def pictures(self, tmp_path_factory):
        return made(tmp_path_factory.mktemp("pictures"))

    @pytest.fixture(scope="class")
    def vectorised(self, pictures, tmp_path_factory):
        """The record of a search and of those beside it, and the folder of --out."""
        folder = tmp_path_factory.mktemp("vectorised")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(epochs, "Clock", CountingClock)
            record = self.called(
                "plain", "--study", "cifar10", "--data", pictures, "--vectorised", "--trials", 4,
                "--epochs", 8, "--interval", 2, "--beside", ",".join(BESIDE), "--workers", 1,
                "--out", folder / "answer", "--results", folder,
            )  # fmt: skip
        return record, folder / "answer"

    def test_workers_and_engine_change_no_trial(self, pictures, held_ray, tmp_path_factory):
        def trials(engine, workers):
            record = self.called(
                engine, *SHORT, "--data", pictures, "--workers", workers,
                "--results", tmp_path_factory.mktemp("results"),
            )  # fmt: skip
            return found(record)

        alone = trials("plain", 1)
        assert trials("plain", 3) == alone
        with joined_ray.joined(held_ray[0]):
            assert trials("ray", 3) == alone
            assert trials("ray", 1) == alone

    def test_networks_computed_together_read_nine_pictures_of_ten(self, vectorised):
        record, _ = vectorised
        best = record["quality"]["best"]
        assert best["score"] >= 0.9 and best["test_rows"] == 400
        right = sum(best["confusion"][place][place] for place in range(10))
        assert right == round(best["score"] * 400)
        assert record["quality"]["accuracy"] == best["score"]

    @pytest.mark.parametrize("kind", BESIDE)
    def test_searches_beside_use_what_the_first_one_took(self, vectorised, kind):
        """By a clock that counts epochs, so that it is the budget that is tried."""
        searches = vectorised[0]["quality"]["searches"]
        given = searches["pbt"]["cpu_seconds"]
        assert given == 0.5 * searches["pbt"]["epochs"] == 16.0
        assert searches[kind]["cpu_seconds"] == pytest.approx(given, rel=0.1)
        assert searches[kind]["cpu_seconds"] == 0.5 * searches[kind]["epochs"]
        assert searches[kind]["best"]["test_rows"] == 400

    def test_the_folder_has_the_page_the_trials_and_a_model_that_reads_as_well(
        self, vectorised, pictures
    ):
        record, out = vectorised
        quality = record["quality"]
        rows = csv.read_csv(out / "trials.csv").to_pylist()
        assert [row["score"] for row in rows] == [one["score"] for one in quality["trials"]]
        assert [row["learning_rate"] for row in rows] == [
            one["configuration"]["learning_rate"] for one in quality["trials"]
        ]
        page = (out / "page.html").read_text()
        assert "lineage" in page and "trials.csv" in page
        assert right_of(out / "model.safetensors", pictures) == round(400 * quality["accuracy"])

    def test_pictures_of_no_class_leave_every_trial_at_chance(self, tmp_path):
        pixels, labels = random_pictures(150)
        write_folder(tmp_path / "noise", "test", pixels, labels)
        record = self.called(
            "plain", *SHORT, "--data", tmp_path / "noise", "--workers", 1,
            "--results", tmp_path / "results",
        )  # fmt: skip
        quality = record["quality"]
        assert quality["classes"] == NAMES and quality["chance"] == pytest.approx(1 / 3)
        assert quality["at_chance"] == [0, 1, 2]
        assert {one["status"] for one in quality["trials"]} == {"at chance"}
        assert record["check"]["detail"]["at_chance"] == [0, 1, 2]

    def test_real_pictures_whose_trials_are_at_chance_are_flagged(self, tmp_path):
        record = self.called(
            "plain", "--study", "cifar10", "--data", real_pictures(), "--trials", 8, "--epochs", 4,
            "--workers", 1, "--results", tmp_path,
        )  # fmt: skip
        quality = record["quality"]
        assert (quality["rows"], quality["test_rows"], quality["chance"]) == (200, 40, 0.1)
        looks = sum(len(one["history"]) for one in quality["trials"])
        expected = [
            one["trial"]
            for one in quality["trials"]
            if no_better(one, quality["validation_rows"], quality["chance"], looks)
        ]
        assert expected and quality["at_chance"] == expected


def no_better(trial, rows, chance, looks) -> bool:
    """Whether guessing comes to the trial's best more than once in forty times, divided by all
    looks of the search: the sum of the binomial probabilities."""
    right = round(rows * max(step["score"] for step in trial["history"]))
    tail = sum(
        math.comb(rows, k) * chance**k * (1 - chance) ** (rows - k) for k in range(right, rows + 1)
    )
    return tail > 0.025 / looks


def right_of(model: Path, pictures: str) -> int:
    """Test pictures that the weights of a file read rightly, by torch's functions alone."""
    content = bytearray((Path(pictures) / "test_batch.bin").read_bytes())
    rows = torch.frombuffer(content, dtype=torch.uint8).view(-1, 3073)
    labels, pixels = rows[:, 0], rows[:, 1:].reshape(-1, 3, 32, 32)
    own = load_file(model)
    found = F.conv2d((pixels - 128.0) / 64, own["conv1.weight"], own["conv1.bias"], 4).relu()
    found = F.conv2d(found, own["conv2.weight"], own["conv2.bias"], 2).relu().mean(dim=(2, 3))
    likely = F.linear(found, own["dense.weight"], own["dense.bias"])
    return int((likely.argmax(dim=1) == labels).sum())
