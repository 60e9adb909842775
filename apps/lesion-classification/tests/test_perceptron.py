"""The network's steps against torch's own layers, autograd and Adam."""

import itertools

import numpy as np
import pytest
import torch
from lesion_classification.perceptron import DROPOUT, WIDTHS, Perceptron
from torch import nn


class Dropout(nn.Module):
    """Multiplies by what it is given."""

    kept = None

    def forward(self, examples):
        return examples * self.kept


def by_torch(weights, inputs):
    """The same network, of torch's layers, in doubles."""
    layers = []
    for width, below in zip(WIDTHS, (inputs, *WIDTHS), strict=False):
        layers += [nn.Linear(below, width, bias=False), nn.BatchNorm1d(width), nn.ReLU(), Dropout()]
    network = nn.Sequential(*layers, nn.Linear(WIDTHS[-1], 1)).double()
    state = network.state_dict()
    for at in range(len(WIDTHS)):
        state[f"{4 * at}.weight"] = torch.from_numpy(weights[f"linear{at}.weight"])
        for name in ("weight", "bias", "running_mean", "running_var"):
            state[f"{4 * at + 1}.{name}"] = torch.from_numpy(weights[f"norm{at}.{name}"])
    state["16.weight"] = torch.from_numpy(weights["out.weight"])[None]
    state["16.bias"] = torch.from_numpy(weights["out.bias"])
    network.load_state_dict(state)
    return network


def drawn(random, rows):
    """What dropout keeps, layer by layer, of the next numbers of a generator."""
    uniform = torch.from_numpy(random.random((rows, sum(WIDTHS)), np.float32))
    for rate, own in zip(DROPOUT, uniform.split(WIDTHS, dim=1), strict=True):
        yield (own >= np.float32(rate)).double() / (1 - rate)


def test_steps_are_those_of_autograd_and_adam():
    random = np.random.default_rng(5)
    examples = torch.from_numpy(random.normal(size=(40, 9)))
    labels = torch.from_numpy((random.random(40) < 0.5).astype(np.float64))
    mine = Perceptron(9, np.random.default_rng(1), 12, torch.float64)
    network = by_torch(mine.weights(), 9)
    adam = torch.optim.Adam(network.parameters(), 1e-3)
    again = np.random.default_rng(1)
    again.random(sum(w * b for w, b in itertools.pairwise((9, *WIDTHS))) + 32, np.float32)
    again.random(1, np.float32)
    for start, stop in ((0, 12), (12, 24), (24, 27), (28, 40)):
        keep = list(drawn(again, stop - start))
        for at, kept in enumerate(keep):
            network[4 * at + 3].kept = kept
        logits = network(examples[start:stop])[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, labels[start:stop])
        adam.zero_grad()
        loss.backward()
        adam.step()
        assert mine.step(examples[start:stop], labels[start:stop]) == pytest.approx(loss.item())
    expected = by_torch(mine.weights(), 9)
    for one, other in zip(network.state_dict().items(), expected.state_dict().items(), strict=True):
        if not one[0].endswith("num_batches_tracked"):
            np.testing.assert_allclose(one[1], other[1], atol=1e-9, err_msg=one[0])
    network.eval()
    for at in range(len(WIDTHS)):
        network[4 * at + 3].kept = 1.0
    with torch.no_grad():
        np.testing.assert_allclose(mine.logits(examples), network(examples)[:, 0], atol=1e-9)


def test_first_weights_are_torchs_by_their_range():
    weights = Perceptron(50, np.random.default_rng(0), 2).weights()
    for name, own in weights.items():
        if name.startswith("linear"):
            bound = own.shape[1] ** -0.5
            assert 0.9 * bound < np.abs(own).max() <= bound
            assert abs(own.mean()) < bound / 10
    assert (weights["norm0.weight"] == 1).all() and (weights["norm2.running_var"] == 1).all()
