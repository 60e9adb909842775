"""A trained network as a file: safetensors, in which no code is run when it is read.

    network = model_file.read("answer/model.safetensors")
    network(pictures)            # float32[n, 1, side, side] of 0 … 1 → logits float32[n, 10]

The metadata say which network it is, and the `side` of its pictures.
"""

import json
from collections.abc import Mapping

import safetensors.torch
from safetensors import SafetensorError
from studykit import storage
from studykit.errors import DataError
from torch import Tensor, nn

from digits_knn_cnn.networks import NETWORKS


def packed(state: Mapping[str, Tensor], model: str, side: int) -> bytes:
    """torch's state_dict of a network of this study as the bytes of a file."""
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    return safetensors.torch.save(tensors, {"model": model, "side": str(side)})


def read(uri: str) -> nn.Module:
    """The network, ready to read pictures. DataError where the file is none, or damaged."""
    content = storage.read_bytes(uri)
    try:
        tensors = safetensors.torch.load(content)
        # The format: the header's length in 8 bytes, the header in JSON, the numbers.
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        of = header["__metadata__"]
        network = NETWORKS[of["model"]](int(of["side"]))
        network.load_state_dict(tensors)
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise DataError("no trained network of this study, or a damaged one", uri=uri) from error
    return network.eval()
