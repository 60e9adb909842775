"""How fast images become features, on one core and on all that `BENCHMARK_THREADS` says.

    ./pants run apps/lesion-classification:benchmarks

`eager` is what the others are measured by: torchvision's network in float32, channels first, layer
by layer, after images decoded in full, in batches of `BENCHMARK_EAGER_BATCH` (32). Images are of
1600 × 1200 pixels, some 0.8 MB of JPEG each. Nothing here asserts a time: the table that
pytest-benchmark prints is the result, and `--benchmark-json FILE` has images per second.
"""

import io
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lesion_classification import pictures, resnet
from lesion_classification.inference import DEVIATION, MEAN, Extractor
from lesion_classification.worker import Job, Worker
from PIL import Image
from torch import Tensor

THREADS = int(os.environ.get("BENCHMARK_THREADS", "1"))
EAGER_BATCH = int(os.environ.get("BENCHMARK_EAGER_BATCH", "32"))
ROUNDS = 3
IMAGES = 32


@pytest.fixture(scope="module")
def weights() -> resnet.Weights:
    torch.set_num_threads(THREADS)
    return resnet.load(resnet.RANDOM)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("images")
    random = np.random.default_rng(0)
    for number in range(IMAGES):
        skin = np.array([205, 160, 135]) + random.normal(0, 12, 3)
        grain = random.normal(0, 11, (1200, 1600, 1))
        image = Image.fromarray((skin + grain).clip(0, 255).astype(np.uint8))
        image.save(made / f"{number:03}.jpg", quality=92)
    return made


def eager(network: torch.nn.Module, paths: list[Path]) -> Tensor:
    images = []
    for path in paths:
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
        images.append(torch.from_numpy(np.array(small)).permute(2, 0, 1).contiguous() / 255)
    batch = torch.stack(images)
    mean, deviation = (torch.tensor(one).reshape(3, 1, 1) for one in (MEAN, DEVIATION))
    with torch.inference_mode():
        return network((batch - mean) / deviation)


def measure(benchmark: Any, work: Any, images: int) -> None:
    benchmark.pedantic(work, rounds=ROUNDS, warmup_rounds=1)
    benchmark.extra_info["images per second"] = round(images / benchmark.stats.stats.median, 2)


def test_eager(benchmark, weights, folder):
    network = resnet.network(weights)
    paths = sorted(folder.iterdir())
    batches = [paths[start : start + EAGER_BATCH] for start in range(0, IMAGES, EAGER_BATCH)]
    measure(benchmark, lambda: [eager(network, batch) for batch in batches], IMAGES)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_worker(benchmark, weights, folder, precision):
    names = sorted(path.name for path in folder.iterdir())
    job = Job(
        str(folder), names, pictures.decode, resnet.RANDOM, precision=precision, threads=THREADS
    )
    worker = Worker(job)
    measure(benchmark, lambda: list(worker.features_of([0])), IMAGES)
    worker.close()


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_network_alone(benchmark, weights, precision):
    extract = Extractor(weights, precision, "cpu")
    pixels = np.random.default_rng(1).integers(0, 256, (extract.batch, 224, 224, 3), np.uint8)
    measure(benchmark, lambda: extract(pixels), extract.batch)


def test_decode(benchmark, folder):
    content = next(folder.iterdir()).read_bytes()
    measure(benchmark, lambda: [pictures.decode(content, "") for _ in range(20)], 20)


def test_make_the_network(benchmark, weights):
    measure(benchmark, lambda: Extractor(weights, "auto", "cpu"), 1)


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-s", "-p", "no:cacheprovider", *sys.argv[1:]]))
