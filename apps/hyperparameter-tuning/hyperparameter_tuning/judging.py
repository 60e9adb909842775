"""The best network on the pictures that no trial has seen."""

from typing import Any

import numpy as np
import torch

from hyperparameter_tuning import network_state
from hyperparameter_tuning.convolutional import predicted
from hyperparameter_tuning.guards import interval
from hyperparameter_tuning.network import Network
from hyperparameter_tuning.picture_parts import Labels, Pictures


def predictions(network: Network, content: bytes, pictures: Pictures) -> Labels:
    """int64[n]: the classes that the network of a state reads. DataError where it is none."""
    state = network_state.unpacked(network, content)
    found: Labels = predicted(network, state.weights, torch.tensor(pictures.pixels)).numpy()
    return found


def judged(labels: Labels, read: Labels, classes: int) -> dict[str, Any]:
    """accuracy, its interval of 95 %, and confusion: [class][read as] pictures."""
    right = int(np.count_nonzero(labels == read))
    confusion = np.bincount(labels * classes + read, minlength=classes**2)
    return {
        "accuracy": right / len(labels),
        "accuracy_interval": list(interval(right, len(labels))),
        "confusion": confusion.reshape(classes, classes).tolist(),
    }
