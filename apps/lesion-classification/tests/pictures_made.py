"""Images for the tests of features: seeded, in two looks, and a decode that is plainly right."""

import io
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from studykit.errors import DataError

Pixels = NDArray[np.uint8]


def real_lesions() -> Path:
    """The folder of real images; skips the test where STUDY_SAMPLES does not name it."""
    folder = os.environ.get("STUDY_SAMPLES")
    if not folder:
        pytest.skip("STUDY_SAMPLES is not set: the real sample images are not here")
    return Path(folder) / "lesions"


def pixels(count: int, seed: int = 0, side: int = 224) -> Pixels:
    """uint8[count, side, side, 3]: skin with a darker spot, of every second one bluer and rough."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:side, :side] / side - 0.5
    made = []
    for number in range(count):
        odd = number % 2
        centre = random.uniform(-0.15, 0.15, 2)
        radius = random.uniform(0.1, 0.3)
        inside = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        skin = np.array([200, 160, 140]) + random.normal(0, 12, 3)
        spot = np.array([110, 70, 60 + 30 * odd]) + random.normal(0, 12, 3)
        image = np.where(inside[..., None], spot, skin)
        image += random.normal(0, 6 + 6 * odd, (side, side, 1))
        made.append(image.clip(0, 255).astype(np.uint8))
    return np.stack(made)


def jpeg(image: Pixels) -> bytes:
    stored = io.BytesIO()
    Image.fromarray(image).save(stored, "JPEG", quality=90)
    return stored.getvalue()


def decode(content: bytes, name: str) -> Pixels:
    try:
        with Image.open(io.BytesIO(content)) as image:
            small = image.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR)
    except OSError as error:
        raise DataError("is no image", uri=name) from error
    return np.asarray(small)


def write(folder: Path, images: Pixels) -> list[str]:
    """As JPEG; their paths below the folder."""
    (folder / "images").mkdir(parents=True)
    paths = [f"images/{number:04d}.jpg" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        (folder / path).write_bytes(jpeg(image))
    return paths
