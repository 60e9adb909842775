"""One network of many weights: logits and gradients of several models as batched products.

The one idea: on small pictures a layer is a product of two small matrices, whose cost is mostly in
the calls around it. Models that are trained together share these calls: their patches are rows
[models, places, values], their filters [models, outputs, values], and one batched product does a
layer of all of them. The backward pass is written out, so that nothing is recorded on the way.

The patches of the first layer, which are of the pictures alone, are laid out once and for all, as
the bytes that they are; what `network.given` does to pixels is done to the filters instead.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from hyperparameter_tuning.network import MIDDLE, SPREAD, Convolution, Network, views

_Kept = list[tuple[Tensor, Tensor]]
"""Of every layer: the patches that it was given, what it gave after ReLU."""


def patches(pictures: Tensor, layer: Convolution) -> Tensor:
    """[models, n, side, side, channels] → [models, n · places, kernel · kernel · channels]."""
    models, count, _, _, channels = pictures.shape
    if layer.padding:
        edge = layer.padding
        pictures = F.pad(pictures, (0, 0, edge, edge, edge, edge))
    wide = pictures.shape[3]
    places = (wide - layer.kernel) // layer.stride + 1
    row = wide * channels
    pictures = pictures.contiguous()
    seen = pictures.as_strided(
        (models, count, places, places, layer.kernel, layer.kernel * channels),
        (count * wide * row, wide * row, layer.stride * row, layer.stride * channels, row, 1),
    )
    return seen.reshape(models, count * places**2, layer.kernel**2 * channels)


def spread(of_patches: Tensor, shape: tuple[int, ...], layer: Convolution) -> Tensor:
    """The transpose of `patches`: every value is added to the pixel that it was of."""
    models, count, side, _, channels = shape
    wide, kernel, stride = side + 2 * layer.padding, layer.kernel, layer.stride
    places = (wide - kernel) // stride + 1
    parts = of_patches.view(models, count, places, places, kernel, kernel * channels)
    parts = parts.transpose(3, 4)
    found = of_patches.new_zeros(models, count, wide, wide, channels)
    row = wide * channels
    # Of each patch, as many rows and columns at once as its neighbours leave alone.
    for down in range(0, kernel, stride):
        high = min(stride, kernel - down)
        for right in range(0, kernel, stride):
            across = min(stride, kernel - right) * channels
            at = found.as_strided(
                (models, count, places, high, places, across),
                (count * wide * row, wide * row, stride * row, row, stride * channels, 1),
                down * row + right * channels,
            )
            start = right * channels
            at += parts[:, :, :, down : down + high, :, start : start + across]
    edge = layer.padding
    return found[:, :, edge : wide - edge, edge : wide - edge]


def first_patches(network: Network, pixels: Tensor) -> Tensor:
    """uint8[n, 32, 32, 3] → uint8[n, places · values] of the first layer; of the small
    network as many as the pictures have. An edge, if there is one, is what is given as 0."""
    layer = network.convolutions[0]
    edge = layer.padding
    padded = F.pad(pixels, (0, 0, edge, edge, edge, edge), value=int(MIDDLE))
    inside = Convolution(layer.outputs, layer.kernel, layer.stride, 0)
    return patches(padded[None], inside).view(len(pixels), -1)


def forward(
    network: Network, weights: Tensor, pixels: Tensor, kept: Tensor | None
) -> tuple[Tensor, Tensor, _Kept]:
    """Logits [models, n, classes], features [models, n, …], and what `backward` needs.

    weights [models, count]; pixels [models, n, …]: the first layer's patches, not scaled yet; kept
    [models, n, features].
    """
    of = list(views(network, weights).values())
    models, count = pixels.shape[:2]
    found, layers = pixels, []
    for number, layer in enumerate(network.convolutions):
        filters, bias = of[2 * number].flatten(2), of[2 * number + 1]
        if number:
            seen = patches(found, layer)
        else:
            seen = found.reshape(models, -1, filters.shape[2])
            filters = filters / SPREAD
            bias = bias - MIDDLE * filters.sum(dim=2)
        given = torch.baddbmm(bias[:, None], seen, filters.transpose(1, 2)).relu_()
        side = network.sides()[number + 1]
        found = given.view(models, count, side, side, layer.outputs)
        layers.append((seen, given))
    features = found.flatten(2, 3).mean(dim=2) if network.means else found.flatten(2)
    if kept is not None:
        features = features * kept
    return torch.baddbmm(of[-1][:, None], features, of[-2].transpose(1, 2)), features, layers


def backward(
    network: Network,
    weights: Tensor,
    gradients: Tensor,
    of_logits: Tensor,
    features: Tensor,
    kept: Tensor,
    layers: _Kept,
) -> None:
    """Add to `gradients` [models, count] what follows from the gradient of the logits."""
    of, into = (list(views(network, one).values()) for one in (weights, gradients))
    into[-2].add_(torch.bmm(of_logits.transpose(1, 2), features))
    into[-1].add_(of_logits.sum(dim=1))
    above = torch.bmm(of_logits, of[-2]).mul_(kept)
    models, count = above.shape[:2]
    sides = network.sides()
    if network.means:
        places = sides[-1] ** 2
        above = (above / places)[:, :, None].expand(-1, -1, places, -1)
    channels = network.convolutions[-1].outputs
    above = above.reshape(models, count * sides[-1] ** 2, channels)
    for number in reversed(range(len(layers))):
        layer, (seen, given) = network.convolutions[number], layers[number]
        above = torch.ops.aten.threshold_backward(above, given, 0)
        filters = of[2 * number].flatten(2)
        of_filters, of_bias = torch.bmm(above.transpose(1, 2), seen), above.sum(dim=1)
        if not number:
            of_filters.sub_(MIDDLE * of_bias[:, :, None]).div_(SPREAD)
        into[2 * number].add_(of_filters.view_as(of[2 * number]))
        into[2 * number + 1].add_(of_bias)
        if number:
            channels = network.convolutions[number - 1].outputs
            shape = (models, count, sides[number], sides[number], channels)
            below = spread(torch.bmm(above, filters), shape, layer)
            above = below.reshape(models, -1, channels)
