"""Batch norm over ranks is nn.BatchNorm2d over the whole batch, gradients and all."""

import pytest
import torch
from studytest.process_ranks import processes
from studytrain.batch_norm import BatchNorm2d
from studytrain.ranks import start
from torch import nn
from training_ranks import NormRank, normed, plan

SHARED = ("weight", "bias")
"""Whose gradients are summed over the ranks afterwards, with all others."""


def batch(rows):
    generator = torch.Generator().manual_seed(rows)
    # Far from 0, where a difference of squares would lose what matters.
    images = torch.randn(rows, 3, 4, 4, generator=generator, dtype=torch.float64) + 50
    return images, torch.randn(images.shape, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_ranks_together_are_one_process(count):
    with processes(count) as ranks:
        start(ranks, plan())
        for rows in (2, 7):  # Of two images three ranks leave one with none.
            images, upstream = batch(rows)
            expected = normed(nn.BatchNorm2d(3), images, upstream)
            ranks.call("build", NormRank, images, upstream)
            found = ranks.call("answer")
            for name, value in expected.items():
                parts = [one[name] for one in found]
                if name in ("output", "images"):
                    together = [torch.cat(parts)]
                else:
                    together = [torch.stack(parts).sum(0)] if name in SHARED else parts
                for one in together:
                    torch.testing.assert_close(one, value, rtol=1e-9, atol=1e-9)


def test_evaluation_is_by_what_was_remembered():
    images, upstream = batch(5)
    ours, theirs = BatchNorm2d(3).double(), nn.BatchNorm2d(3).double()
    for norm in (ours, theirs):
        norm(images)
        norm.eval()
    torch.testing.assert_close(ours(upstream), theirs(upstream))
