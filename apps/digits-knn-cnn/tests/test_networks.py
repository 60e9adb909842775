"""The networks: their layers, their first weights, what they take and give."""

import math
from typing import Any

import pytest
import torch
from digits_knn_cnn.networks import NETWORKS, cnn, operations, resnet18
from studytrain.batch_norm import BatchNorm2d
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

SIDES = (8, 28, 32)


def parameters(model):
    return sum(one.numel() for one in model.parameters())


@pytest.mark.parametrize("make", [cnn, resnet18])
@pytest.mark.parametrize("side", SIDES)
def test_pictures_become_ten_logits(make, side):
    model = make(side).eval()
    assert model(torch.rand(2, 1, side, side)).shape == (2, 10)
    assert model(torch.rand(0, 1, side, side)).shape == (0, 10)


@pytest.mark.parametrize("make", [cnn, resnet18])
def test_first_weights_are_of_the_seed_alone(make):
    torch.manual_seed(1)
    one, same, other = make(8, 42), make(8, 42), make(8, 43)
    left = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(left, torch.rand(1))  # Nobody else's random numbers are taken.
    first, again, another = (list(model.state_dict().values()) for model in (one, same, other))
    assert all(map(torch.equal, first, again))
    assert not all(map(torch.equal, first, another))


def test_the_cnn_is_that_of_table_1_as_keras_starts_it():
    model: Any = cnn(8)
    # 32 of 3 × 3 and a bias; 32 × 3 × 3 to 128; 128 to 10.
    assert parameters(model) == 32 * 10 + 289 * 128 + 129 * 10
    for layer, ins, outs in ((model[0], 9, 288), (model[4], 288, 128), (model[6], 128, 10)):
        limit = math.sqrt(6 / (ins + outs))
        assert 0.9 * limit < layer.weight.abs().max() <= limit
        assert not layer.bias.any()


def test_resnet18_has_a_stem_for_small_pictures_and_batch_norm_over_ranks():
    model: Any = resnet18(8)
    # torchvision's 11,689,512, with 10 classes for 1000 and 1 × 3 × 3 in the stem for 3 × 7 × 7.
    assert parameters(model) == 11_689_512 - 990 * 513 - 64 * (147 - 9)
    norms = [one for one in model.modules() if isinstance(one, nn.BatchNorm2d)]
    assert len(norms) == 20 and all(isinstance(one, BatchNorm2d) for one in norms)
    assert model.maxpool(model.conv1(torch.rand(1, 1, 8, 8))).shape == (1, 64, 8, 8)


@pytest.mark.parametrize("model", NETWORKS)
@pytest.mark.parametrize("side", SIDES)
def test_operations_are_those_that_torch_counts(model, side):
    with FlopCounterMode(display=False) as counted:
        NETWORKS[model](side)(torch.zeros(2, 1, side, side)).sum().backward()
    assert operations(model, side) == counted.get_total_flops() / 2
