"""The proof that what was read is what is there: read again, by other and slower means.

The table by Python's own `csv`, divided and normalised by scikit-learn; pictures file by file,
their colours put together one row at a time. Pictures are compared as a set, class by class: where
each part is the data's own, part by part, and where one part was divided here, all of them, with a
fifth of each class held out. Only pickles are opened by the one reader that does not run them.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit import storage
from studykit.errors import CheckError

from hyperparameter_tuning.diagnoses import Divided
from hyperparameter_tuning.picture_parts import Pictures

ROUNDING = 1e-4
"""Of values of some deviations, divided in single floats or in double ones."""
PIXELS = 32 * 32

Seen = Counter[tuple[str, bytes]]
"""How often a class has a picture, of which there is a hash."""


def check_diagnoses(uri: str, seed: int, found: Divided) -> dict[str, Any]:
    """CheckError where a part is another. What was compared, for the record."""
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    rows = [row for file in storage.list_files(uri) for row in _rows(file)]
    labels = np.array([row["diagnosis"].strip() == "M" for row in rows], np.uint8)
    features = np.array(
        [[float(row[name]) for name in found.train.names] for row in rows], np.float64
    )
    right = train_test_split(features, labels, test_size=0.2, random_state=seed % 2**32)
    scaler = StandardScaler().fit(right[0])
    far = 0.0
    for part, own, name in ((found.train, right[::2], "train"), (found.test, right[1::2], "test")):
        if not np.array_equal(part.labels, own[1]):
            raise CheckError(f"labels of the {name} part: expected the table's, got others")
        far = max(far, float(np.abs(part.features - scaler.transform(own[0])).max()))
    if not far <= ROUNDING:
        raise CheckError(f"features: expected within {ROUNDING:g} of the table's, got {far:g}")
    return {"rows_read_again": len(rows), "feature_difference": far}


def _rows(uri: str) -> Iterator[dict[str, str]]:
    content = storage.read_bytes(uri)
    if content[:4] == b"PAR1":
        from pyarrow import parquet

        for row in parquet.read_table(io.BytesIO(content)).to_pylist():
            yield {name: str(value) for name, value in row.items()}
        return
    with storage.open_inflated(uri) as file:
        lines = file.read().decode("utf-8-sig").splitlines()
    yield from csv.DictReader(line for line in lines if line.strip())


def check_pictures(uri: str, train: Pictures, test: Pictures) -> dict[str, Any]:
    """CheckError where a picture is missing, too many or of another class."""
    own = {part: seen for part in ("train", "test") if (seen := _seen(uri, part))}
    given = {"train": _of(train), "test": _of(test)}
    if len(own) == 2:
        for part, seen in own.items():
            _require(f"pictures of the {part} part", seen, given[part])
    else:
        (whole,) = own.values()
        _require("pictures of both parts", whole, given["train"] + given["test"])
        counts = Counter(name for name, _ in whole.elements())
        fifths = {name: max(round(0.2 * count), 1) for name, count in counts.items()}
        held_out = dict(Counter(name for name, _ in given["test"].elements()))
        if held_out != fifths:
            raise CheckError(f"pictures held out by class: expected {fifths}, got {held_out}")
    return {"pictures_read_again": sum(seen.total() for seen in own.values())}


def _require(what: str, expected: Seen, got: Seen) -> None:
    if expected != got:
        missing, more = (expected - got).total(), (got - expected).total()
        raise CheckError(
            f"{what}: expected the {expected.total():,} that are there, got {missing:,} of them"
            f" not and {more:,} others"
        )


def _digest(pixels: bytes) -> bytes:
    return blake2b(pixels, digest_size=16).digest()


def _of(pictures: Pictures) -> Seen:
    return Counter(
        (pictures.classes[label], _digest(picture.tobytes()))
        for picture, label in zip(pictures.pixels, pictures.labels, strict=True)
    )


def _seen(uri: str, part: str) -> Seen:
    """Of a part of the data, by whatever files it has."""
    found: Seen = Counter()
    files = storage.list_files(uri)
    names: dict[str, str] = {file.rpartition("/")[2]: file for file in files}
    beginning = {"train": "data_batch", "test": "test_batch"}[part]
    for name, file in names.items():
        if name.startswith(beginning):
            found.update(_of_batch(file, names))
    if found:
        return found
    for file in files:
        folders = file.split("/")
        if folders[-3:-2] == [part]:
            found[folders[-2], _digest(_decoded(file))] += 1
    return found


def _decoded(file: str) -> bytes:
    from PIL import Image

    with Image.open(io.BytesIO(storage.read_bytes(file))) as image:
        return image.convert("RGB").tobytes()


def _of_batch(file: str, names: dict[str, str]) -> Iterator[tuple[str, bytes]]:
    with storage.open_inflated(file) as opened:
        content = opened.read()
    rows: list[tuple[int, bytes]]
    if ".bin" in file.rpartition("/")[2]:
        classes = _lines(names["batches.meta.txt"]) if "batches.meta.txt" in names else None
        size = 1 + 3 * PIXELS
        rows = [(content[at], content[at + 1 : at + size]) for at in range(0, len(content), size)]
    else:
        from hyperparameter_tuning import pickled_batches

        meta = names.get("batches.meta")
        classes = pickled_batches.names(storage.read_bytes(meta), meta) if meta else None
        pixels, labels = pickled_batches.batch(content, file, 3 * PIXELS)
        rows = [(int(label), row.tobytes()) for label, row in zip(labels, pixels, strict=True)]
    for label, row in rows:
        name = classes[label] if classes else str(label)
        yield name, _digest(_mixed(np.frombuffer(row, np.uint8)))


def _lines(file: str) -> list[str]:
    return [line for line in storage.read_bytes(file).decode("utf-8-sig").split("\n") if line]


def _mixed(planes: npt.NDArray[np.uint8]) -> bytes:
    """Red, green and blue of each pixel, from all reds, all greens and all blues."""
    mixed = np.empty(3 * PIXELS, np.uint8)
    for colour in range(3):
        mixed[colour::3] = planes[colour * PIXELS : (colour + 1) * PIXELS]
    return mixed.tobytes()
