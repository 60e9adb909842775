"""Pictures in every layout that is read, written by means of their own."""

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

NAMES = ["bird", "cat", "ship"]


def real_pictures() -> Path:
    """The folder of real pictures; skips the test where STUDY_SAMPLES does not name it."""
    folder = os.environ.get("STUDY_SAMPLES")
    if not folder:
        pytest.skip("STUDY_SAMPLES is not set: the real sample pictures are not here")
    return Path(folder) / "cifar10"


def random_pictures(count, seed=0, classes=3):
    """(uint8[n, 32, 32, 3], labels): every class as often as another, nearly."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
    return pixels, np.arange(count) % classes


def image_bytes(pixels, form="PNG", **asked):
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, form, **asked)
    return written.getvalue()


def write_folder(folder, part, pixels, labels, names=NAMES, form="PNG"):
    """{part}/<class>/NNNN.png."""
    for number, (picture, label) in enumerate(zip(pixels, labels, strict=True)):
        place = Path(folder) / part / names[label]
        place.mkdir(parents=True, exist_ok=True)
        ending = {"PNG": "png", "JPEG": "jpg"}[form]
        (place / f"{number:04}.{ending}").write_bytes(image_bytes(picture, form))


def binary_batch(pixels, labels):
    rows = [
        bytes([label]) + b"".join(picture[:, :, colour].tobytes() for colour in range(3))
        for picture, label in zip(pixels, labels, strict=True)
    ]
    return b"".join(rows)


def flat(pixels):
    """uint8[n, 3072], colour by colour."""
    return np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)).reshape(len(pixels), -1)


def pickled_batch(pixels, labels, protocol=2, text=bytes):
    """As the site's (keys and names are bytes), or as a newer Python writes it."""

    def said(word):
        return word.encode() if text is bytes else word

    content = {
        said("batch_label"): said("a batch"),
        said("labels"): [int(label) for label in labels],
        said("data"): flat(pixels),
        said("filenames"): [said(f"{number}.png") for number in range(len(labels))],
    }
    return pickle.dumps(content, protocol)


def pickled_names(names=NAMES, protocol=2):
    return pickle.dumps(
        {b"label_names": [name.encode() for name in names], b"num_vis": 3072}, protocol
    )


def write_batches(folder, train, test, kind="binary", names=NAMES):
    """Two batches to train on, one to test on, and the names; `train`, `test`: (pixels, labels)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    half = len(train[1]) // 2
    parts = {
        "data_batch_1": tuple(part[:half] for part in train),
        "data_batch_2": tuple(part[half:] for part in train),
        "test_batch": test,
    }
    for name, (pixels, labels) in parts.items():
        if kind == "binary":
            (folder / f"{name}.bin").write_bytes(binary_batch(pixels, labels))
        else:
            (folder / name).write_bytes(pickled_batch(pixels, labels))
    if kind == "binary":
        (folder / "batches.meta.txt").write_text("".join(f"{name}\n" for name in names) + "\n")
    else:
        (folder / "batches.meta").write_bytes(pickled_names(names))
