"""One network of many weights: logits and gradients of several models as products of matrices.

The one idea: on small pictures a layer is a product of two small matrices, whose cost is mostly in
what is around it. Models that are trained together share it. They are given the same pictures, so
the first layer is one product: patches [places, values] by the filters of all models [values,
models · outputs]. From the second on, patches are rows [models, places, values], filters [models,
outputs, values], and one batched product does a layer of all models. Between layers the models lie
inside the places, [n, side, side, models, channels], as the first product leaves them. The backward
pass is written out, so that nothing is recorded on the way.

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
    if layer.padding:
        edge = layer.padding
        pictures = F.pad(pictures, (0, 0, edge, edge, edge, edge))
    models, count, side, _, channels = pictures.shape
    places = (side - layer.kernel) // layer.stride + 1
    of_model, of_picture, down, right, of_channel = pictures.stride()
    seen = pictures.as_strided(
        (models, count, places, places, layer.kernel, layer.kernel, channels),
        (of_model, of_picture, layer.stride * down, layer.stride * right, down, right, of_channel),
        pictures.storage_offset(),
    )
    return seen.reshape(models, count * places**2, layer.kernel**2 * channels)


def spread(of_patches: Tensor, shape: tuple[int, ...], layer: Convolution) -> Tensor:
    """The transpose of `patches`: every value is added to the pixel that it was of. As the models
    lie between layers: inside the places."""
    models, count, side, _, channels = shape
    kernel, stride, edge = layer.kernel, layer.stride, layer.padding
    wide = side + 2 * edge
    places = (wide - kernel) // stride + 1
    parts = of_patches.view(models, count, places, places, kernel, kernel, channels)
    parts = parts.permute(1, 2, 4, 3, 5, 0, 6)
    found = of_patches.new_zeros(count, wide, wide, models, channels)
    of_picture, down, right, of_model, of_channel = found.stride()
    # Of each patch, as many rows and columns at once as its neighbours leave alone.
    for top in range(0, kernel, stride):
        high = min(stride, kernel - top)
        for left in range(0, kernel, stride):
            across = min(stride, kernel - left)
            at = found.as_strided(
                (count, places, high, places, across, models, channels),
                (of_picture, stride * down, down, stride * right, right, of_model, of_channel),
                top * down + left * right,
            )
            at += parts[:, :, top : top + high, :, left : left + across]
    inside = found[:, edge : wide - edge, edge : wide - edge]
    return inside.permute(3, 0, 1, 2, 4)


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

    weights [models, count]; pixels [n, …]: the first layer's patches, not scaled yet; kept
    [models, n, features].
    """
    of = list(views(network, weights).values())
    models, count, sides = len(weights), len(pixels), network.sides()
    filters = of[0].flatten(2) / SPREAD
    bias = of[1] - MIDDLE * filters.sum(dim=2)
    seen = pixels.view(-1, filters.shape[2])
    given = torch.addmm(bias.flatten(), seen, filters.flatten(0, 1).t()).relu_()
    found = given.view(count, sides[1], sides[1], models, -1).permute(3, 0, 1, 2, 4)
    layers = [(seen, given)]
    for number, layer in enumerate(network.convolutions[1:], 1):
        filters, bias = of[2 * number].flatten(2), of[2 * number + 1]
        seen = patches(found, layer)
        given = torch.baddbmm(bias[:, None], seen, filters.transpose(1, 2)).relu_()
        found = given.view(models, count, sides[number + 1], sides[number + 1], layer.outputs)
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
        of_filters, of_bias = into[2 * number], into[2 * number + 1]
        above = torch.ops.aten.threshold_backward(above, given, 0)
        if number:
            of_filters.add_(torch.bmm(above.transpose(1, 2), seen).view_as(of_filters))
            of_bias.add_(above.sum(dim=1))
            channels = network.convolutions[number - 1].outputs
            shape = (models, count, sides[number], sides[number], channels)
            below = spread(torch.bmm(above, of[2 * number].flatten(2)), shape, layer)
            above = below.permute(1, 2, 3, 0, 4).reshape(-1, models * channels)
        else:
            bias = above.sum(dim=0).view_as(of_bias)
            filters = torch.mm(above.t(), seen).view(*bias.shape, -1)
            filters.sub_(MIDDLE * bias[:, :, None]).div_(SPREAD)
            of_filters.add_(filters.view_as(of_filters))
            of_bias.add_(bias)
