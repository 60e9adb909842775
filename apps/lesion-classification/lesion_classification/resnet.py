"""The network that turns an image into numbers: ResNet50 without its head, and its weights.

    weights = resnet.load("IMAGENET1K_V1")      # or a path, or "random"
    weights.state, weights.sha256               # what the network is made of, and its fingerprint

Source: the paper, V.C (features of a ResNet50 of torchvision, 2,048 an image); He et al.,
arXiv:1512.03385. Whoever has features can tell by the fingerprint which weights they are of.

Random weights are for tests and for timing. A network drawn as for training is no measure of
images: each ReLU lets through a mean that all images share, and after 50 layers little else is
left. So each filter behind the first is centred: it passes on what differs between its inputs.
"""

import hashlib
import io
import math
import os
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.error import URLError

import torch
from studykit import storage
from studykit.errors import DataError, StorageError
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet50

FEATURES = 2048
SIDE = 224
IMAGENET = "IMAGENET1K_V1"
RANDOM = "random"
RELU_VARIANCE = 0.5 - 0.5 / math.pi
"""Of max(x, 0), where x is normal with mean 0 and variance 1."""
BRANCH_SCALE = 0.25
"""Of what a block adds to its input. At 1 a block is as loud as its input, values double with each
and what bfloat16 rounds away grows to half of what tells images apart; here it is a thirtieth."""


@dataclass(frozen=True)
class Weights:
    """Tensors by their names in torchvision, without the head; `origin` for people."""

    origin: str
    state: dict[str, Tensor]
    sha256: str


def load(origin: str = IMAGENET, seed: int = 42) -> Weights:
    """The weights of a name or of a file; `seed` is of random ones.

    StorageError where they cannot be had, DataError where a file holds something else.
    """
    if origin == RANDOM:
        return _fingerprinted(f"{RANDOM}, seed {seed}", _random(seed))
    if origin == IMAGENET:
        return _fingerprinted(origin, _published())
    return _fingerprinted(origin, _of_file(origin))


def network(weights: Weights) -> nn.Module:
    """torchvision's own network with these weights: uint8 is not its input, float32 is."""
    with torch.device("meta"):
        made = resnet50()
    made.fc = nn.Identity()
    # What batch norm counts in training is no weight; a tensor must be there all the same.
    counts = {name: torch.tensor(0) for name in made.state_dict() if _is_count(name)}
    made.load_state_dict(weights.state | counts, assign=True)
    return made.eval()


def shapes() -> dict[str, tuple[int, ...]]:
    """Of every tensor that the network without its head is made of."""
    with torch.device("meta"):
        state = resnet50().state_dict()
    return {
        name: tuple(tensor.shape)
        for name, tensor in state.items()
        if not name.startswith("fc.") and not _is_count(name)
    }


def _is_count(name: str) -> bool:
    return name.endswith("num_batches_tracked")


def _fingerprinted(origin: str, state: dict[str, Tensor]) -> Weights:
    digest = hashlib.sha256()
    for name in sorted(state):
        digest.update(name.encode())
        digest.update(state[name].numpy().data)
    return Weights(origin, state, digest.hexdigest())


def _published() -> dict[str, Tensor]:
    chosen = ResNet50_Weights.IMAGENET1K_V1
    try:
        state = chosen.get_state_dict(progress=False, check_hash=True, map_location="cpu")
    except (OSError, URLError, RuntimeError) as error:
        kept = os.path.join(torch.hub.get_dir(), "checkpoints", os.path.basename(chosen.url))
        raise StorageError(
            f"the weights {IMAGENET} cannot be had ({error}): fetch them on a machine that can"
            f" reach the server and give the file by --weights PATH, or lay it at {kept};"
            f" --weights {RANDOM} is for tests and timing alone",
            uri=chosen.url,
        ) from error
    return _fitting(state, chosen.url)


def _of_file(uri: str) -> dict[str, Tensor]:
    try:
        # No code is run: weights_only lets tensors and containers through, nothing else.
        state = torch.load(
            io.BytesIO(storage.read_bytes(uri)), map_location="cpu", weights_only=True
        )
    except (
        pickle.UnpicklingError, zipfile.BadZipFile, EOFError, ValueError, RuntimeError, KeyError,
    ) as error:  # fmt: skip
        raise DataError(
            "no weights that torch.save has written, or damaged ones", uri=uri
        ) from error
    if not isinstance(state, Mapping):
        raise DataError(f"holds a {type(state).__name__}: no names with tensors", uri=uri)
    return _fitting(state, uri)


def _fitting(state: Mapping[str, object], uri: str) -> dict[str, Tensor]:
    """Those that the network needs, in float32; DataError that names what is not as it must be."""
    fitting = {}
    for name, shape in shapes().items():
        tensor = state.get(name)
        if not isinstance(tensor, Tensor):
            raise DataError(f"is not of a ResNet50: no tensor {name}", uri=uri)
        if tuple(tensor.shape) != shape:
            raise DataError(
                f"is not of a ResNet50: {name} is {tuple(tensor.shape)}, not {shape}", uri=uri
            )
        fitting[name] = tensor.detach().to(torch.float32).contiguous()
        if not torch.isfinite(fitting[name]).all():
            raise DataError(f"{name} holds what is no number", uri=uri)
    return fitting


def _random(seed: int) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes().items():
        if len(shape) == 4:
            state[name] = _filters(shape, name == "conv1.weight", generator)
        elif name.endswith(("bias", "running_mean")):
            state[name] = torch.zeros(shape)
        else:
            state[name] = torch.full(shape, BRANCH_SCALE if name.endswith("bn3.weight") else 1.0)
    return state


def _filters(shape: tuple[int, ...], is_first: bool, generator: torch.Generator) -> Tensor:
    """float32[out, in, height, width] that keep the variance of what they are given."""
    drawn = torch.randn(shape, generator=generator)
    fan_in = math.prod(shape[1:])
    if is_first:
        return drawn / math.sqrt(fan_in)
    return (drawn - drawn.mean((1, 2, 3), keepdim=True)) / math.sqrt(fan_in * RELU_VARIANCE)
