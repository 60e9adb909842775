"""Features of some images against torchvision's own network: float32, eager, one image a pass.

A picture is decoded whole, whatever its size, and squashed by Pillow.
"""

import io

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from studykit import storage
from torch import nn
from torchvision.models import resnet50
from torchvision.transforms import functional

from lesion_classification import resnet
from lesion_classification.layout import Lesions, uri_of

MEAN, DEVIATION = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

Matrix = npt.NDArray[np.float64]


def of(lesions: Lesions, rows: list[int], weights: str, seed: int, side: int) -> Matrix:
    """float64[rows, 2048]."""
    network = resnet50()
    network.fc = nn.Identity()
    network.load_state_dict(resnet.load(weights, seed).state, strict=False)
    network.eval()
    found = []
    with torch.inference_mode():
        for row in rows:
            content = storage.read_bytes(uri_of(lesions.folder, lesions.paths[row]))
            with Image.open(io.BytesIO(content)) as picture:
                squashed = picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
            pixels = functional.normalize(functional.to_tensor(squashed), MEAN, DEVIATION)
            found.append(network(pixels[None])[0].double().numpy())
    return np.array(found)


def cosines(one: Matrix, other: npt.NDArray[np.floating]) -> Matrix:
    """Of each row of one with that of the other."""
    doubles = other.astype(np.float64)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(doubles, axis=1)
    found: Matrix = (one * doubles).sum(axis=1) / norms
    return found
