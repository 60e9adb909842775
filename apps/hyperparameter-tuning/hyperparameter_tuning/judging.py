"""The best network on the pictures that no trial has seen."""

import numpy as np
import torch

from hyperparameter_tuning import network_state
from hyperparameter_tuning.convolutional import predicted
from hyperparameter_tuning.network import Network
from hyperparameter_tuning.picture_parts import Labels, Pictures
from hyperparameter_tuning.quality import Judged


def predictions(network: Network, content: bytes, pictures: Pictures) -> Labels:
    """int64[n]: the classes that the network of a state reads. DataError where it is none."""
    state = network_state.unpacked(network, content)
    found: Labels = predicted(network, state.weights, torch.tensor(pictures.pixels)).numpy()
    return found


def judged(labels: Labels, read: Labels, classes: int) -> Judged:
    """With confusion: [class][read as] pictures."""
    confusion = np.bincount(labels * classes + read, minlength=classes**2)
    return Judged(
        int(np.count_nonzero(labels == read)),
        len(labels),
        {"confusion": confusion.reshape(classes, classes).tolist()},
    )
