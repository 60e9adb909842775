"""Batch norm whose mean and variance are those of the whole batch, wherever its images are.

Ioffe and Szegedy, Batch Normalization, 2015, algorithm 1. The backward pass is exact: mean and
variance depend on the images of all ranks, so it sums over the ranks too. torch has the same for
GPUs alone (SyncBatchNorm).
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from studytrain import process_group


class BatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d, which it is where there is one rank, over the images of all ranks.

    All ranks call it for every batch, also with none of the images. ValueError where a channel has
    one value in the whole batch.
    """

    def __init__(self, features: int) -> None:
        super().__init__(features)

    def forward(self, images: Tensor) -> Tensor:
        """[n, channels, height, width] → the same."""
        if not self.training or process_group.world_size() == 1:
            return super().forward(images)
        with torch.no_grad():
            mean, variance, count = _statistics(images)
            self._remember(mean, variance * (count / (count - 1)))
        normalised: Tensor = _Normalised.apply(
            images, self.weight, self.bias, mean, variance, count, self.eps
        )
        return normalised

    def _remember(self, mean: Tensor, unbiased_variance: Tensor) -> None:
        """As in nn.BatchNorm2d; the same on every rank."""
        buffers = dict(self.named_buffers())
        buffers["num_batches_tracked"].add_(1)
        buffers["running_mean"].lerp_(mean, self.momentum or 0.0)
        buffers["running_var"].lerp_(unbiased_variance, self.momentum or 0.0)


def _statistics(images: Tensor) -> tuple[Tensor, Tensor, int]:
    """Mean and biased variance [channels] over all ranks; values that each channel has in all."""
    channels = images.shape[1]
    own = images.numel() // channels
    sums = torch.zeros(2 * channels + 1, dtype=torch.float64)
    if own:
        # Squares of distances from the rank's own mean, so that of a mean far from 0 nothing is
        # lost; pictures are summed up in single floats, and what they come to in doubles. So it
        # takes a third of the time of torch.batch_norm_update_stats.
        mean = images.sum(dim=(2, 3)).double().sum(dim=0) / own
        distances = images - mean.to(images.dtype).view(-1, 1, 1)
        norms = torch.linalg.vector_norm(distances, dim=(2, 3)).double()
        sums[:channels] = own * mean
        sums[channels:-1] = (norms * norms).sum(dim=0) + own * mean * mean
        sums[-1] = own
    process_group.all_reduce(sums)
    count = int(sums[-1])
    if count < 2:
        raise ValueError(f"batch norm of {count} values per channel: expected more than 1")
    mean = sums[:channels] / count
    variance = (sums[channels:-1] / count - mean * mean).clamp_(min=0)
    return mean.to(images.dtype), variance.to(images.dtype), count


class _Normalised(torch.autograd.Function):
    """(x - mean) ÷ √(variance + eps) · weight + bias, of which mean and variance are of all x."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        bias: Tensor,
        mean: Tensor,
        variance: Tensor,
        count: int,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(images, weight, mean, variance)
        ctx.count, ctx.eps = count, eps
        if not images.numel():
            return torch.empty_like(images)
        return F.batch_norm(images, mean, variance, weight, bias, eps=eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        """The gradients of weight and bias are this rank's share; that of images is whole."""
        (gradient,) = gradients
        images, weight, mean, variance = ctx.saved_tensors
        channels = len(weight)
        if images.numel():
            _, of_weight, of_bias = torch.ops.aten.native_batch_norm_backward(
                gradient, images, weight, mean, variance, None, None, False, ctx.eps,
                [False, True, True],
            )  # fmt: skip
        else:
            of_weight, of_bias = torch.zeros_like(weight), torch.zeros_like(weight)
        sums = process_group.all_reduce(torch.cat([of_weight, of_bias]))
        if not images.numel():
            return torch.empty_like(images), of_weight, of_bias, None, None, None, None
        # weight ÷ √(variance + eps) · (gradient - Σ gradient ÷ count - x̂ · Σ gradient x̂ ÷ count)
        # as a line in gradient and x of each channel, in two passes over the memory.
        root = torch.rsqrt(variance + ctx.eps)
        scale = weight * root
        slope = -scale * root * sums[:channels] / ctx.count
        offset = -scale * sums[channels:] / ctx.count - slope * mean
        none, one = torch.zeros_like(scale), torch.ones_like(scale)
        of_images = F.batch_norm(gradient, none, one, scale, offset, eps=0.0)
        of_images.addcmul_(images, slope.view(-1, 1, 1))
        return of_images, of_weight, of_bias, None, None, None, None
