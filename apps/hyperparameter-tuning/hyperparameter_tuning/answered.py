"""What a search answered, as `outputs` writes it and the page shows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studykit.run import Run

from hyperparameter_tuning.paper import BREAST_CANCER, CIFAR10

MODELS = {BREAST_CANCER: ".ubj", CIFAR10: ".safetensors"}
"""{study: the ending of its model}: XGBoost's own format, and one that runs no code."""


@dataclass(frozen=True)
class Answered:
    """`quality` with its figures, and the best trial's model, in its own format."""

    run: Run
    study: str
    """BREAST_CANCER or CIFAR10."""
    quality: Mapping[str, Any]
    model: bytes | None
    """None where no trial left one."""
