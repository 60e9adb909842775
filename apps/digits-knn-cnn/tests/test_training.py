"""Networks trained on scikit-learn's digits, as a run trains them."""

import numpy as np
import pytest
import torch
import trainings
from digits_knn_cnn import networks, training
from digits_knn_cnn.layout import Digits
from studykit.errors import DataError, StorageError
from studytrain.local_ranks import LocalRanks
from trainings import asked


@pytest.fixture(scope="module")
def parts():
    return trainings.parts()


def few(digits, count):
    return Digits(digits.pixels[:count], digits.labels[:count], digits.max_pixel)


def test_the_cnn_reads_97_of_100_test_digits_after_10_epochs(parts):
    train, test = parts
    run = asked()
    trained = training.trained(run, LocalRanks(1), train, test)
    last = trained.history[-1]
    assert len(trained.history) == 10
    assert last["test_accuracy"] >= 0.97
    assert last["train_accuracy"] >= last["test_accuracy"]
    assert last["loss"] < 0.1 * trained.history[0]["loss"]
    assert np.mean(trained.predictions == test.labels) == last["test_accuracy"]
    assert run.phases.seconds["compute"] > 0


def test_the_state_is_the_model_that_predicts(parts):
    train, test = parts
    trained = training.trained(asked(epochs=1), LocalRanks(1), few(train, 200), test)
    model = networks.NETWORKS["cnn"](8)
    model.load_state_dict(dict(trained.state))
    pictures = torch.from_numpy(test.pixels).float().view(-1, 1, 8, 8) / 16
    np.testing.assert_array_equal(model(pictures).argmax(1).numpy(), trained.predictions)


def test_a_training_is_gone_on_with(parts, tmp_path):
    train, test = few(parts[0], 300), few(parts[1], 50)
    uri = str(tmp_path / "model.ckpt")
    whole = training.trained(asked(epochs=4), LocalRanks(1), train, test)
    training.trained(asked(epochs=2, checkpoint=uri), LocalRanks(1), train, test)
    again = asked(epochs=4, checkpoint=uri, resume=True)
    resumed = training.trained(again, LocalRanks(1), train, test)
    assert resumed.history == whole.history
    np.testing.assert_array_equal(resumed.predictions, whole.predictions)
    # All is done already: it only answers.
    done = training.trained(again, LocalRanks(1), train, test)
    np.testing.assert_array_equal(done.predictions, whole.predictions)


def test_a_checkpoint_of_something_else_is_refused(parts, tmp_path):
    train, test = few(parts[0], 100), few(parts[1], 50)
    uri = str(tmp_path / "model.ckpt")
    training.trained(asked(epochs=1, checkpoint=uri), LocalRanks(1), train, test)
    others = {
        "of model cnn, this run is of resnet18": (asked(model="resnet18"), train),
        "of seed 42, this run is of 43": (asked(seed=43), train),
        "of batch_size 32, this run is of 16": (asked(batch_size=16), train),
        "of train_rows 100, this run is of 99": (asked(), few(train, 99)),
        "of train_checksum": (asked(), Digits(train.pixels[::-1], train.labels, 16)),
    }
    for words, (run, part) in others.items():
        run.parameters.checkpoint, run.parameters.resume = uri, True
        with pytest.raises(DataError, match=words):
            training.planned(run, part, test)
    missing = asked(checkpoint=str(tmp_path / "missing"), resume=True)
    with pytest.raises(StorageError, match="missing"):
        training.planned(missing, train, test)


def test_resnet18_learns_also_where_a_last_batch_would_have_one_picture(parts):
    train, test = few(parts[0], 65), few(parts[1], 20)
    trained = training.trained(asked(model="resnet18", epochs=3), LocalRanks(1), train, test)
    assert trained.history[-1]["loss"] < trained.history[0]["loss"]
    assert len(trained.predictions) == 20


def test_resnet18_is_refused_batches_of_one(parts):
    train, test = few(parts[0], 10), few(parts[1], 5)
    with pytest.raises(DataError, match="the model needs 2"):
        training.trained(asked(model="resnet18", batch_size=1), LocalRanks(1), train, test)


def test_pixels_with_fractions_are_trained_on_as_they_are(parts):
    train, test = few(parts[0], 40), few(parts[1], 10)
    halves = Digits(train.pixels / 2, train.labels, 8), Digits(test.pixels / 2, test.labels, 8)
    whole = training.trained(asked(epochs=1), LocalRanks(1), train, test)
    found = training.trained(asked(epochs=1), LocalRanks(1), *halves)
    assert found.history == whole.history
