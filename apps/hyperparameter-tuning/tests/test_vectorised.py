"""Several networks trained as one take the steps of each by itself."""

import numpy as np
import pytest
import torch
from hyperparameter_tuning import network, network_state
from hyperparameter_tuning.convolutional import SequentialTrainer
from hyperparameter_tuning.jobs import DIVERGED
from hyperparameter_tuning.network import Convolution
from hyperparameter_tuning.vectorised import VectorisedTrainer
from hyperparameter_tuning.vectorised_network import patches, spread
from networks_data import job, striped
from studykit.errors import UsageError

SMALL = network.small(3)
TRAIN, VALIDATION = striped(150), striped(60, seed=1)
SEED = 4  # Of the order of the pictures.
JOBS = [
    job(0, rate=1e-2, batch=32, dropout=0.25, epochs=2, seed=1),
    job(1, rate=1e-3, batch=64, dropout=0.5, epochs=3, seed=2),
    job(2, rate=3e-3, batch=128, dropout=0.3, epochs=2, seed=3),
]


@pytest.fixture
def _in_doubles():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("_in_doubles")
@pytest.mark.parametrize("width", [1, 2, 3])
def test_each_takes_the_steps_that_it_takes_alone(width):
    """In doubles, where rounding is too small to be made larger by Adam: 150 pictures leave
    batches that are not full, and models have batches, rates, dropout and epochs of their own."""
    alone = list(SequentialTrainer(SMALL, TRAIN, VALIDATION, SEED).train(JOBS, {}))
    together = list(VectorisedTrainer(SMALL, TRAIN, VALIDATION, SEED, width=width).train(JOBS, {}))
    for (one, state), (other, found) in zip(alone, together, strict=True):
        assert (one.job, one.epochs, one.scores) == (other.job, other.epochs, other.scores)
        np.testing.assert_allclose(other.figures["loss"], one.figures["loss"], rtol=1e-9)
        expected, got = (network_state.unpacked(SMALL, content) for content in (state, found))
        torch.testing.assert_close(got.weights, expected.weights, rtol=1e-7, atol=1e-9)
        assert got.steps == expected.steps


def test_in_single_precision_losses_agree_to_rounding():
    [(alone, _)] = SequentialTrainer(SMALL, TRAIN, VALIDATION, SEED).train(JOBS[:1], {})
    found = list(VectorisedTrainer(SMALL, TRAIN, VALIDATION, SEED).train(JOBS, {}))
    np.testing.assert_allclose(found[0][0].figures["loss"], alone.figures["loss"], rtol=1e-3)


def test_a_training_goes_on_from_what_the_other_trainer_left():
    trainer = VectorisedTrainer(SMALL, TRAIN, VALIDATION, SEED)
    [(_, state)] = SequentialTrainer(SMALL, TRAIN, VALIDATION, SEED).train([job(epochs=1)], {})
    going_on = job(1, parent=0, first=1)
    [(one, _)] = SequentialTrainer(SMALL, TRAIN, VALIDATION, SEED).train([going_on], {0: state})
    [(other, _)] = trainer.train([going_on], {0: state})
    np.testing.assert_allclose(other.figures["loss"], one.figures["loss"], rtol=1e-3)


def test_those_of_other_epochs_are_trained_apart_and_told_in_the_order_of_the_jobs():
    """As in successive halving: jobs of all rungs are asked for at a time."""
    trainer = VectorisedTrainer(SMALL, TRAIN, VALIDATION, SEED)
    states = {5: next(trainer.train([job(5, epochs=2)], {}))[1]}
    jobs = [job(6, parent=5, first=2), job(7, seed=1), job(8, parent=5, first=2, dropout=0.5)]
    found = list(trainer.train(jobs, states))
    alone = [next(trainer.train([one], states)) for one in jobs]
    assert [report.job for report, _ in found] == [6, 7, 8]
    for (one, _), (other, _) in zip(found, alone, strict=True):
        np.testing.assert_allclose(one.figures["loss"], other.figures["loss"], rtol=1e-3)


def test_all_trials_see_the_pictures_in_one_order():
    """Two trials of a network without chance of its own are equal, whatever their seeds."""
    begun = {0: network_state.packed(SMALL, network_state.initial(SMALL, 5))}
    jobs = [job(1, parent=0, dropout=0.0, seed=1), job(2, parent=0, dropout=0.0, seed=2)]
    for trainer in (SequentialTrainer, VectorisedTrainer):
        (_, one), (_, other) = trainer(SMALL, TRAIN, VALIDATION, SEED).train(jobs, begun)
        assert one == other
        [(_, of_another)] = trainer(SMALL, TRAIN, VALIDATION, SEED + 1).train(jobs[:1], begun)
        assert of_another != one


def test_one_that_diverges_leaves_the_others_alone():
    trainer = VectorisedTrainer(SMALL, TRAIN, VALIDATION, SEED)
    broken = network_state.initial(SMALL, 5)
    broken.weights[-1] = float("nan")
    jobs = [JOBS[0], job(7, parent=6)]
    content = network_state.packed(SMALL, broken)
    (one, _), (other, _) = trainer.train(jobs, {6: content})
    assert (other.status, other.epochs) == (DIVERGED, 0)
    [(alone, _)] = trainer.train(JOBS[:1], {})
    assert one.scores == alone.scores


def test_what_patches_spread_is_their_transpose():
    """<patches(x), y> = <x, spread(y)> for any x and y."""
    generator = torch.Generator().manual_seed(1)
    for layer in (Convolution(1, 3, 2, 0), Convolution(1, 4, 2, 1), Convolution(1, 5, 3, 0)):
        shape = (2, 3, 10, 10, 4)
        x = torch.randn(shape, dtype=torch.float64, generator=generator)
        seen = patches(x, layer)
        y = torch.randn(seen.shape, dtype=torch.float64, generator=generator)
        back = (x * spread(y, shape, layer)).sum()
        assert (seen * y).sum().item() == pytest.approx(back.item(), rel=1e-12)


def test_a_network_with_pooling_is_not_vectorised():
    with pytest.raises(UsageError, match="paper has pooling"):
        VectorisedTrainer(network.paper(3), TRAIN, VALIDATION, SEED)
