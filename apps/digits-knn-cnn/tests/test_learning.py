"""A run that trains a network: ended, disturbed, gone on with, and what it refuses."""

from dataclasses import replace

import pytest
from case import CASE
from digit_files import random_digits, write_pictures
from studytest import leftovers
from studytest.contract.interruption import Interruption
from studytest.contract.of_study import OfStudy

CNN = ("--model", "cnn")


def same_losses(found, right):
    """A rank was killed, and still so many ranks took the steps of one process."""
    assert found["restarts"] == 1 and right["restarts"] == 0
    for name in ("loss_by_epoch", "train_accuracy_by_epoch", "test_accuracy_by_epoch"):
        assert found[name] == pytest.approx(right[name], rel=1e-4), name


class TestLearning(Interruption):
    """A killed rank is replaced, and the training goes on from the last epoch."""

    case = replace(
        CASE,
        endless=(*CNN, "--epochs", 1_000_000),
        working="training",
        long=(*CNN, "--epochs", 10),
        same=same_losses,
    )


class TestCheckpoints(OfStudy):
    case = CASE

    @pytest.fixture(scope="class")
    def trained(self, data, tmp_path_factory):
        """A training of two epochs, ended."""
        folder = tmp_path_factory.mktemp("trained")
        checkpoint = folder / "cnn.ckpt"
        self.called(
            "plain", "--data", data, *CNN, "--epochs", 2, "--checkpoint", checkpoint,
            "--results", folder,
        )  # fmt: skip
        return checkpoint

    def learn(self, data, checkpoint, folder, *argv):
        return self.call(
            "plain", "--data", data, *argv, "--checkpoint", checkpoint, "--resume", "--json",
            "--results", folder,
        )  # fmt: skip

    def test_a_training_goes_on_where_it_ended(self, data, trained, tmp_path):
        whole = self.called("plain", "--data", data, *CNN, "--epochs", 3, "--results", tmp_path)
        copy = tmp_path / "copy.ckpt"
        copy.write_bytes(trained.read_bytes())
        resumed = self.learn(data, copy, tmp_path / "resumed", *CNN, "--epochs", 3)
        assert resumed.code == 0, resumed.stderr
        name = "loss_by_epoch"
        assert resumed.record["quality"][name] == pytest.approx(whole["quality"][name], rel=1e-6)
        assert resumed.record["check"]["passed"] is True

    @pytest.mark.parametrize(
        ("argv", "said"),
        [
            (("--model", "resnet18"), "a checkpoint of model cnn, this run is of resnet18"),
            ((*CNN, "--batch-size", 16), "of batch_size 32, this run is of 16"),
            ((*CNN, "--epochs", 1), "2 epochs are trained already, 1 are asked for"),
        ],
    )
    def test_a_checkpoint_of_something_else_is_exit_2(self, argv, said, data, trained, tmp_path):
        with leftovers.nothing_left():
            finished = self.learn(data, trained, tmp_path, *argv)
        assert (finished.code, said in finished.error) == (2, True), finished.stderr
        assert trained.name in finished.error

    def test_no_checkpoint_is_exit_2_and_a_missing_one_exit_5(self, data, tmp_path):
        other = tmp_path / "other.ckpt"
        other.write_bytes(b"PK something else")
        finished = self.learn(data, other, tmp_path / "results", *CNN)
        assert (finished.code, "no checkpoint" in finished.error) == (2, True), finished.stderr
        finished = self.learn(data, tmp_path / "missing.ckpt", tmp_path / "results", *CNN)
        assert (finished.code, "missing.ckpt" in finished.error) == (5, True), finished.stderr

    def test_pictures_are_trained_on_as_the_check_reads_them(self, tmp_path):
        """Their pixels are 0 … 255, those of tables 0 … 16."""
        pixels, labels = random_digits(60, most=255)
        write_pictures(tmp_path / "pictures", pixels.reshape(-1, 8, 8).astype("uint8"), labels)
        record = self.called(
            "plain", "--data", tmp_path / "pictures", *CNN, "--epochs", 2, "--results", tmp_path,
        )  # fmt: skip
        assert record["check"]["passed"] is True
        assert record["check"]["detail"]["loss_differs_by"] < 1e-6
