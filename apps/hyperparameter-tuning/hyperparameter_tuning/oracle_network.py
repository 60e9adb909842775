"""What a network reads, computed again apart: by NumPy in doubles, from the bytes of its file."""

import json

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
NEAR = 1e-3
"""Logits nearer to each other may change places."""
STRIDES = {"small": ((4, 0, False), (2, 0, False)), "paper": ((1, 1, False), (1, 1, True)) * 3}
"""Of every layer: stride, padding, whether the largest of 2 × 2 follows."""


def parameters(content: bytes) -> tuple[dict[str, str], dict[str, Doubles]]:
    """What a safetensors file says of itself, and its tensors: read by the format's description,
    eight bytes of length, JSON with dtype, shape and offsets, and the values."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    about = header.pop("__metadata__", {})
    types = {"F32": "<f4", "F64": "<f8"}
    found = {}
    for name, one in header.items():
        start, stop = (8 + length + offset for offset in one["data_offsets"])
        values = np.frombuffer(content[start:stop], types[one["dtype"]])
        found[name] = values.reshape(one["shape"]).astype(np.float64)
    return about, found


def _convolved(pictures: Doubles, filters: Doubles, bias: Doubles, stride: int) -> Doubles:
    windows = np.lib.stride_tricks.sliding_window_view(pictures, filters.shape[2:], axis=(2, 3))
    found = np.einsum(
        "nchwij,ocij->nohw", windows[:, :, ::stride, ::stride], filters, optimize=True
    )
    return np.maximum(found + bias[:, None, None], 0)


def logits(content: bytes, pixels: npt.NDArray[np.uint8]) -> Doubles:
    """[n, classes] of pictures [n, 32, 32, 3]."""
    about, of = parameters(content)
    found = ((pixels.astype(np.float64) - 128) / 64).transpose(0, 3, 1, 2)
    for number, (stride, padding, pooled) in enumerate(STRIDES[about["network"]], 1):
        edge = (padding, padding)
        found = np.pad(found, ((0, 0), (0, 0), edge, edge))
        found = _convolved(found, of[f"conv{number}.weight"], of[f"conv{number}.bias"], stride)
        if pooled:
            count, channels, side, _ = found.shape
            cells = found.reshape(count, channels, side // 2, 2, side // 2, 2)
            found = cells.max(axis=(3, 5))
    if about["network"] == "small":
        features = found.mean(axis=(2, 3))
    else:
        features = found.transpose(0, 2, 3, 1).reshape(len(found), -1)
    return np.asarray(features @ of["dense.weight"].T + of["dense.bias"])


def differing(
    content: bytes,
    pixels: npt.NDArray[np.uint8],
    read: npt.NDArray[np.int64],
    *,
    seed: int,
    most: int = 200,
) -> tuple[int, int]:
    """(pictures that are read otherwise by a margin, pictures that were looked at): a seeded sample
    of `most`."""  # fmt: skip
    sample = np.random.default_rng(seed % 2**64).permutation(len(pixels))[:most]
    found = logits(content, pixels[sample])
    taken = found[np.arange(len(sample)), read[sample]]
    return int(np.count_nonzero(found.max(axis=1) - taken > NEAR)), len(sample)
