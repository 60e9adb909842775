"""What a library that trains over the network asks of a worker."""

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Features = npt.NDArray[np.float32]
"""float32[samples, features] in C order; NaN where a number is missing."""
Labels = npt.NDArray[np.int32]
"""Classes from 0, int32[samples]."""
Probabilities = npt.NDArray[np.float64]
"""float64[samples, classes]"""


class TrainingSamples(Protocol):
    @property
    def features(self) -> Features: ...
    @property
    def labels(self) -> Labels: ...


class TreeWorker(Protocol):
    """Number `number` of `count` workers, of `threads` threads; others reach it at `address`.

    `kept` is what a step leaves here for the next.
    """

    @property
    def number(self) -> int: ...
    @property
    def count(self) -> int: ...
    @property
    def threads(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def train(self) -> TrainingSamples: ...
    @property
    def kept(self) -> dict[str, Any]: ...
