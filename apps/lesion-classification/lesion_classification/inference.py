"""Images to features on one device: precision, and the way of images into the network.

    extract = Extractor(weights, "auto", "cpu")
    features = extract(pixels)              # uint8[n, 224, 224, 3] → float32[n, 2048]

The one idea: several threads of a worker call it at once, each with a batch of its own, and on a
CPU each computes alone. So no thread waits for another inside a layer, images are decoded on the
same cores, and the features of an image are the same whatever the threads.
"""

import threading
from dataclasses import replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from studykit.errors import ResourceError
from torch import Tensor

from lesion_classification import resnet
from lesion_classification.fused import FusedResNet

Precision = Literal["auto", "float32", "bfloat16"]
Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]

BATCH = 8
"""Images at once on a CPU: filters are read once for so many, and layers stay small. Four are as
fast, sixteen no faster, 32 slower by a fifteenth (AMD Zen 4)."""
BATCH_GPU = 64
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of ImageNet's colours, as its networks were trained (torchvision, references/classification)."""


class Extractor:
    def __init__(
        self, weights: resnet.Weights, precision: Precision = "auto", device: str = "auto"
    ) -> None:
        """ResourceError where the device is not there."""
        self.device = resolved_device(device)
        self.kind = resolved_precision(precision, self.device)
        self.batch = BATCH if self.device == "cpu" else BATCH_GPU
        self.weights = replace(weights, state={})
        """Which they are; what they are is in the network."""
        with torch.inference_mode():
            network = resnet.network(weights)
            self._network = FusedResNet(network, self.kind, self.device, self.batch)
            shape = (1, 3, 1, 1)
            self._mean = (torch.tensor(MEAN) * 255).reshape(shape).to(self.device)
            self._scale = (
                (torch.tensor(DEVIATION) * 255).reshape(shape).reciprocal().to(self.device)
            )
        self._streams = threading.local()

    @property
    def precision(self) -> str:
        """What it computes in, of what is recorded and of what features are told apart by."""
        return str(self.kind).removeprefix("torch.")

    def __call__(self, pixels: Pixels) -> Features:
        """uint8[n, 224, 224, 3], of at most `batch` images → float32[n, 2048]. Another side of
        images is computed too; filters are laid out for this one.

        Fewer are filled up with black ones: all is laid out for batches of one size, and an image
        has the same features in each.
        """
        count = len(pixels)
        if count < self.batch:
            black = np.zeros((self.batch - count, *pixels.shape[1:]), np.uint8)
            pixels = np.concatenate([pixels, black])
        with torch.inference_mode():
            images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
            features = self._on_cpu(images) if self.device == "cpu" else self._on_gpu(images)
        return features[:count].numpy()

    def _normalised(self, images: Tensor) -> Tensor:
        return (images.to(torch.float32) - self._mean) * self._scale

    def _on_cpu(self, images: Tensor) -> Tensor:
        return self._network(self._normalised(images))

    def _on_gpu(self, images: Tensor) -> Tensor:
        """Each thread has a stream, so one's images travel while another's are computed."""
        if not hasattr(self._streams, "own"):
            self._streams.own = torch.cuda.Stream()
        with torch.cuda.stream(self._streams.own):
            pinned = images.contiguous(memory_format=torch.channels_last).pin_memory()
            sent = pinned.to(self.device, non_blocking=True)
            features = self._network(self._normalised(sent)).to("cpu", non_blocking=True)
            self._streams.own.synchronize()
        return features


def one_thread() -> None:
    """This thread computes alone; for those who call an extractor side by side."""
    torch.set_num_threads(1)


def resolved_device(device: str) -> str:
    """`cpu` or `cuda`. ResourceError where a GPU is asked for and there is none."""
    if device == "cpu":
        return device
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise ResourceError("--device cuda: torch finds no GPU here; available: cpu")
    return "cuda" if there else "cpu"


def resolved_precision(precision: Precision, device: str) -> torch.dtype:
    """bfloat16 where the device computes in it, for `auto`; on an older GPU, float16."""
    if precision != "auto":
        return torch.float32 if precision == "float32" else torch.bfloat16
    if device == "cpu":
        return torch.bfloat16 if computes_in_bfloat16() else torch.float32
    # Not asked whether it is emulated: then it is slower than float32.
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def computes_in_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 (AVX512_BF16 or AMX), and torch by it."""
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
