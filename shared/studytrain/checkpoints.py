"""A training between two epochs, as bytes: what it is of, its history, model and optimizer.

Written by torch.save; read as tensors and numbers alone, so that no file can run code.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from studykit import storage
from studykit.errors import DataError

FORMAT = "study-checkpoint-1"
Setting = str | int | float
Figures = dict[str, float]
"""What is known of one epoch: its loss, accuracies."""
Packed = npt.NDArray[np.uint8]
"""An array, which engines send without copying it."""


@dataclass(frozen=True)
class Checkpoint:
    """`of`: model and all settings that the answer depends on; a history of epochs; `state`: model
    and optimizer, by torch's state_dict."""

    of: Mapping[str, Setting]
    history: Sequence[Figures]
    state: Mapping[str, Any]


def packed(checkpoint: Checkpoint) -> Packed:
    content = {
        "format": FORMAT,
        "of": dict(checkpoint.of),
        "history": [dict(epoch) for epoch in checkpoint.history],
        "state": dict(checkpoint.state),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return np.frombuffer(buffer.getbuffer(), np.uint8)


def unpacked(content: Packed, uri: str | None = None) -> Checkpoint:
    """DataError where it is none."""
    try:
        found = torch.load(io.BytesIO(content.data), map_location="cpu", weights_only=True)
        if found["format"] != FORMAT:
            raise ValueError(f"format {found['format']!r}")
        return Checkpoint(found["of"], found["history"], found["state"])
    except Exception as error:  # Of bytes that are none torch raises whatever they led it to.
        raise DataError("no checkpoint of a training, or a damaged one", uri=uri) from error


def write(uri: str, content: Packed) -> None:
    """There when complete: the one before stays until then."""
    storage.write_bytes(uri, content.tobytes())


def read(uri: str, of: Mapping[str, Setting], epochs: int) -> Packed:
    """The checkpoint at a URI, to be trained on for `epochs` in all.

    DataError where it is of another model or configuration, or has more epochs already.
    """
    content = np.frombuffer(storage.read_bytes(uri), np.uint8)
    found = unpacked(content, uri)
    for name in dict.fromkeys([*of, *found.of]):
        asked, there = of.get(name), found.of.get(name)
        if asked != there:
            raise DataError(f"a checkpoint of {name} {there}, this run is of {asked}", uri=uri)
    if len(found.history) > epochs:
        reason = f"{len(found.history)} epochs are trained already, {epochs} are asked for"
        raise DataError(reason, uri=uri)
    return content
