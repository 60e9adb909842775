"""Pictures in the batches of CIFAR-10, as its site gives them: binary, or pickled for Python.

Binary: a row of 3,073 bytes for each picture, its label, then 1,024 bytes each of red, green and
blue, row by row; the names of the classes, a line each, in batches.meta.txt. Pickled: see
`pickled_batches`. Krizhevsky 2009, "Learning Multiple Layers of Features from Tiny Images".
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from studykit import storage
from studykit.errors import DataError
from studykit.storage.failures import translated

from hyperparameter_tuning import pickled_batches
from hyperparameter_tuning.picture_parts import CHANNELS, SIDE, Labels, Pictures, Pixels

PICTURE_BYTES = CHANNELS * SIDE * SIDE
ROW_BYTES = 1 + PICTURE_BYTES
CLASSES = 10
"""Where nothing names them."""
_BATCH = re.compile(r"(data|test)_batch(_[0-9]+)?(\.bin)?(\.(gz|bz2|xz|zst))?")
_PARTS = {"data": "train", "test": "test"}
NAMES = "batches.meta.txt"
PICKLED_NAMES = "batches.meta"


def is_batches(sizes: Mapping[str, int]) -> bool:
    return any(_BATCH.fullmatch(_name(file)) for file in sizes)


def read(folder: str, sizes: Mapping[str, int]) -> dict[str, Pictures]:
    """{part: its pictures, batch by batch}; `sizes` are the files below the folder."""
    batches = sorted((file for file in sizes if _BATCH.fullmatch(_name(file))), key=_order)
    places = sorted({file.rpartition("/")[0] for file in batches})
    if len(places) > 1:
        raise DataError(f"batches in several folders: {', '.join(places)}", uri=folder)
    binary = [".bin" in _name(file) for file in batches]
    if any(binary) and not all(binary):
        raise DataError("binary batches and pickled ones in one folder", uri=places[0])
    classes = _classes(places[0], sizes, binary[0])
    found = {}
    for part in _PARTS:
        files = [file for file in batches if _name(file).startswith(part)]
        if files:
            read_one = _binary if binary[0] else _pickled
            parts = [read_one(file, classes) for file in files]
            found[_PARTS[part]] = _joined(parts, classes, _PARTS[part])
    return found


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def _order(file: str) -> tuple[int, str]:
    """data_batch_10 after data_batch_9."""
    number = re.search("[0-9]+", _name(file))
    return (int(number[0]) if number else 0), file


def _joined(parts: Iterable[tuple[Pixels, Labels]], classes: Sequence[str], name: str) -> Pictures:
    pixels, labels = zip(*parts, strict=True)
    return Pictures(np.concatenate(pixels), np.concatenate(labels), classes, name)


def _classes(place: str, sizes: Mapping[str, int], binary: bool) -> list[str]:
    """Their names; where no file has them, their numbers."""
    uri = f"{place}/{NAMES if binary else PICKLED_NAMES}"
    if uri not in sizes:
        return [str(label) for label in range(CLASSES)]
    content = storage.read_bytes(uri)
    if not binary:
        return pickled_batches.names(content, uri)
    try:
        names = [line.strip() for line in content.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError as error:
        raise DataError("is no text: names of classes, one to a line", uri=uri) from error
    names = [name for name in names if name]
    if not names or len(set(names)) < len(names):
        raise DataError("no names of classes" if not names else "a class twice", uri=uri)
    return names


def _content(uri: str) -> bytes:
    with translated(uri), storage.open_inflated(uri) as file:
        content = file.read()
    if not content:
        raise DataError("no pictures: the file is empty", uri=uri)
    return content


def _binary(uri: str, classes: Sequence[str]) -> tuple[Pixels, Labels]:
    content = _content(uri)
    if len(content) % ROW_BYTES:
        reason = f"{len(content):,} bytes are not whole rows of {ROW_BYTES:,}: it is cut short"
        place = f"row {len(content) // ROW_BYTES + 1}"
        raise DataError(f"{reason}, or no batch of CIFAR-10", uri=uri, place=place)
    rows = np.frombuffer(content, np.uint8).reshape(-1, ROW_BYTES)
    labels = rows[:, 0].astype(np.int64)
    return _pixels(rows[:, 1:]), _checked(labels, classes, uri)


def _pickled(uri: str, classes: Sequence[str]) -> tuple[Pixels, Labels]:
    rows, labels = pickled_batches.batch(_content(uri), uri, PICTURE_BYTES)
    return _pixels(rows), _checked(labels, classes, uri)


def _pixels(rows: Pixels) -> Pixels:
    """From colour by colour to pixel by pixel."""
    planes = rows.reshape(-1, CHANNELS, SIDE, SIDE)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1))


def _checked(labels: Labels, classes: Sequence[str], uri: str) -> Labels:
    wrong = np.flatnonzero((labels < 0) | (labels >= len(classes)))
    if len(wrong):
        label, place = labels[wrong[0]], f"row {wrong[0] + 1}"
        reason = f"{label} is no label: they are 0 … {len(classes) - 1}"
        raise DataError(reason, uri=uri, place=place, column="label")
    return labels
