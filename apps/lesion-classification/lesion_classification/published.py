"""What the paper ran, kept as it was: the model with every task, one image at a time, two leaks.

Alexiadis et al. (2025), Comparing Ray and PyTorch, V.C, and the code it refers to:

- Ray: tasks of 10 images, the whole network sent along with each, and a wait after every 12 tasks
  for all of them (`published_ray`). torch: the same batches, strided over the ranks
  (`published_torch`). `plain`, which the paper has not, goes through the batches in turn.
- An image is decoded whole, squashed to 224 × 224 and passed through ResNet50 by itself, in single
  floats; features are kept as half floats and are not scaled.
- Numbers and texts of the table are fitted on all rows, those to be tested too, before the folds;
  the folds are of images, so that a lesion is on both sides of most. Both make the figures look
  better than they are: the record has those of honest folds on the same features beside them.
- The small network and its training are the paper's and so are ours; on Ray it was not seeded, here
  it is, so that the engines can be compared.

Not kept: dropping columns and rows is the reader's (`midas`); the paper trains with a bias before
batch norm, which takes it away again.
"""

import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image, UnidentifiedImageError
from studykit import storage
from studykit.errors import DataError
from studykit.records import Check
from studykit.run import Outcome, Run
from torch import nn

from lesion_classification import answering, cross_validation, folds, leak, metrics, outputs
from lesion_classification import lesions as tables
from lesion_classification.answering import Answer
from lesion_classification.classifier import Settings
from lesion_classification.cross_validation import Data, FoldResult
from lesion_classification.inference import DEVIATION, MEAN
from lesion_classification.layout import Lesions, uri_of

BATCH = 10
WAIT_AFTER = 12
"""Tasks, on Ray."""
ORACLE = "none: what the paper ran; its distance from honest folds"

Half = npt.NDArray[np.float16]


@dataclass(frozen=True)
class Extracted:
    """Features float16[images of the batch, 2048]; seconds within the task, bytes read."""

    features: Half
    seconds: float
    bytes_read: int


def batches(lesions: Lesions) -> list[list[str]]:
    """The images' URIs, ten at a time, in the order of the table."""
    uris = [uri_of(lesions.folder, path) for path in lesions.paths]
    return [uris[start : start + BATCH] for start in range(0, len(uris), BATCH)]


def read(run: Run) -> Lesions:
    return tables.read(run.dataset.uri, run.parameters.images)


def extract(network: nn.Module, uris: Sequence[str], side: int) -> Extracted:
    """What a task of the paper does."""
    began, size, found = time.monotonic(), 0, []
    mean, deviation = (torch.tensor(of).view(3, 1, 1) for of in (MEAN, DEVIATION))
    for uri in uris:
        content = storage.read_bytes(uri)
        size += len(content)
        pixels = torch.from_numpy(_pixels(content, uri, side)).permute(2, 0, 1)
        with torch.no_grad():
            features = network(((pixels / 255 - mean) / deviation)[None])
        found.append(features[0].to(torch.float16).numpy())
    return Extracted(np.array(found), time.monotonic() - began, size)


def _pixels(content: bytes, uri: str, side: int) -> npt.NDArray[np.uint8]:
    try:
        with Image.open(io.BytesIO(content)) as picture:
            squashed = picture.convert("RGB").resize((side, side), Image.Resampling.BILINEAR)
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise DataError(f"this picture cannot be read: {error}", uri=uri) from error
    return np.array(squashed)


def joined(done: Sequence[Extracted]) -> Half:
    """The features of all images, in the order of the table."""
    return np.concatenate([one.features for one in done])


def data_of(run: Run, lesions: Lesions, features: Half) -> Data:
    """With the paper's folds and scaling, whatever --folds says."""
    asked = run.parameters
    assigned = folds.made(
        folds.PUBLISHED, lesions.labels, lesions.groups, asked.fold_count, run.options.seed
    )
    settings = Settings(asked.epochs, asked.batch_size, run.options.seed, as_published=True)
    return Data(features, lesions, assigned, settings)


def outcome(
    run: Run,
    data: Data,
    results: Sequence[FoldResult],
    done: Sequence[Extracted],
    sent: int,
    seconds: float,
) -> Outcome:
    """`seconds` is what all tasks took as their driver saw it; `sent` bytes that went with them."""
    found = cross_validation.quality(results, data)
    inside = sum(one.seconds for one in done)
    found |= {
        "rows": data.lesions.rows,
        "images_read": len(data.lesions),
        "tasks": len(done),
        "seconds_by_task": inside / len(done),
        "seconds_of_extraction": seconds,
        "bytes_sent_by_task": sent / len(done),
    }
    return Outcome(
        quality=found,
        assess=lambda: _honest(run, data, found),
        check=lambda: Check(oracle=ORACLE),
        write=lambda uri: _write(uri, run, data, results),
        bytes_read=sum(one.bytes_read for one in done),
        bytes_sent=sent,
    )


def _honest(run: Run, data: Data, found: dict[str, Any]) -> dict[str, Any]:
    """Beside the paper's, folds by lesion with scaling inside them, on the same features."""
    lesions = data.lesions
    settings = answering.settings_of(run)
    try:
        assigned = folds.grouped(lesions.labels, lesions.groups, data.count, settings.seed)
    except DataError as error:
        return {"honest": error.reason}
    honest = Data(data.features, lesions, assigned, settings)
    threads = run.options.worker_count * run.options.threads
    results = cross_validation.train_folds(range(honest.count), honest, threads)
    right = cross_validation.quality(results, honest)
    told: dict[str, Any] = {f"{name}_exact": right[name] for name in metrics.NAMES}
    differences = metrics.difference(right, found)
    return told | {f"{name}_difference": value for name, value in differences.items()}


def _write(uri: str, run: Run, data: Data, results: Sequence[FoldResult]) -> dict[str, str]:
    answer = Answer(data=data, results=results, precision="float32")
    threads = run.options.worker_count * run.options.threads
    beside = leak.Leak(folds.PUBLISHED, data, list(results), threads)
    return outputs.write(uri, run, answer, beside)


def trained(data: Data, numbers: Sequence[int]) -> Iterator[FoldResult]:
    """Folds, one after the other."""
    return (cross_validation.train_fold(number, data) for number in numbers)
