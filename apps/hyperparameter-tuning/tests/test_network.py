"""The networks: what they are made of, their first weights, their files."""

import numpy as np
import pytest
import safetensors.torch
import torch
from hyperparameter_tuning import network, network_state, oracle_network
from studykit.errors import DataError

BOTH = [network.small(), network.paper()]


def test_the_paper_s_network_has_the_parameters_of_keras_example():
    # 3 × 3 filters 3-64-64-128-128-256-256 with a bias, then 4 · 4 · 256 features to 10.
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256)]
    expected = sum(9 * ins * outs + outs for ins, outs in pairs) + (4 * 4 * 256 + 1) * 10
    assert network.paper().parameters() == expected


@pytest.mark.parametrize("of", BOTH, ids=lambda of: of.name)
def test_first_weights_are_of_the_seed_alone_and_have_he_s_spread(of):
    torch.manual_seed(1)
    one = network.first_weights(of, 3)
    torch.manual_seed(2)
    assert torch.equal(one, network.first_weights(of, 3))
    assert not torch.equal(one, network.first_weights(of, 4))
    filters = network.views(of, one)["conv2.weight"]
    assert filters.std().item() == pytest.approx((2 / filters[0].numel()) ** 0.5, rel=0.05)
    assert not network.views(of, one)["conv2.bias"].any()


@pytest.mark.parametrize("of", BOTH, ids=lambda of: of.name)
def test_numpy_reads_of_the_file_what_torch_reads(of):
    state = network_state.initial(of, 7)
    state.weights += 0.01 * torch.randn(state.weights.shape, generator=torch.Generator())
    content = network_state.packed(of, state)
    pixels = np.random.default_rng(1).integers(0, 256, (3, 32, 32, 3), np.uint8)
    weights = list(network.views(of, state.weights).values())
    found = network.logits(of, weights, network.given(torch.from_numpy(pixels)))
    expected = oracle_network.logits(content, pixels)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)
    read = expected.argmax(axis=1)
    assert oracle_network.differing(content, pixels, read, seed=1) == (0, 3)
    wrong = expected.argmin(axis=1)
    assert oracle_network.differing(content, pixels, wrong, seed=1) == (3, 3)


def test_a_state_is_the_same_after_it_was_a_file():
    of = network.small(3)
    state = network_state.initial(of, 7)
    state.means.normal_()
    state.squares.uniform_()
    state.steps += 12
    state.scored(0.5)
    state.scored(0.4)
    found = network_state.unpacked(of, network_state.packed(of, state))
    for name in ("weights", "means", "squares", "steps"):
        assert torch.equal(getattr(found, name), getattr(state, name)), name
    assert (found.epochs, found.best, found.waited) == (2, 0.5, 1)


def damaged():
    content = network_state.packed(network.small(3), network_state.initial(network.small(3), 1))
    few = safetensors.torch.load(content)
    del few["adam.mean.conv2.bias"]
    more = safetensors.torch.load(content) | {"other": torch.zeros(1)}
    return {
        "cut off": content[:-5],
        "no safetensors": b"a state",
        "empty": b"",
        "of more classes": network_state.packed(
            network.small(4), network_state.initial(network.small(4), 1)
        ),
        "without a moment": safetensors.torch.save(few),
        "with more than that": safetensors.torch.save(more),
    }


@pytest.mark.parametrize("how", damaged())
def test_what_is_no_state_is_refused(how):
    with pytest.raises(DataError, match="no state of the network small"):
        network_state.unpacked(network.small(3), damaged()[how])
