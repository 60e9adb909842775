"""Adam is torch's, bit for bit, and goes on from where it was."""

import pytest
import torch
from studytrain.adam import Adam
from torch import nn


def network():
    generator = torch.Generator().manual_seed(5)
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    with torch.no_grad():
        for one in model.parameters():
            one.copy_(torch.randn(one.shape, generator=generator))
    return model


def learn(model, optimizer, steps):
    for step in steps:
        generator = torch.Generator().manual_seed(step)
        model.zero_grad(set_to_none=False)
        model(torch.randn(6, 3, generator=generator)).square().sum().backward()
        optimizer.step()


def test_it_is_torchs():
    ours, theirs = network(), network()
    learn(ours, Adam(ours.parameters(), 1e-2, 1e-7), range(5))
    learn(theirs, torch.optim.Adam(theirs.parameters(), 1e-2, eps=1e-7, fused=True), range(5))
    assert not torch.equal(ours[0].weight, network()[0].weight)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)


def test_it_goes_on_from_its_state():
    whole, broken = network(), network()
    learn(whole, Adam(whole.parameters(), 1e-2), range(5))
    first = Adam(broken.parameters(), 1e-2)
    learn(broken, first, range(3))
    second = Adam(broken.parameters(), 1e-2)
    second.load_state_dict(first.state_dict())
    learn(broken, second, range(3, 5))
    torch.testing.assert_close(broken.state_dict(), whole.state_dict(), rtol=0, atol=0)


def test_a_state_of_other_weights_is_refused():
    other = Adam(nn.Linear(3, 4).parameters(), 1e-2).state_dict()
    with pytest.raises(ValueError):
        Adam(nn.Linear(4, 3).parameters(), 1e-2).load_state_dict(other)
    with pytest.raises(ValueError):
        Adam(network().parameters(), 1e-2).load_state_dict(other)
