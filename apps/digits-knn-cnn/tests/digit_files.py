"""Digits made here, written in every form that is read, and the whole input read as engines do."""

import io
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from digits_knn_cnn import digits
from digits_knn_cnn.oracle_rows import Divided
from PIL import Image
from pyarrow import parquet

Array = npt.NDArray[Any]


def names(side: int = 8) -> list[str]:
    return [f"pixel_{row}_{column}" for row in range(side) for column in range(side)]


def random_digits(count: int, seed: int = 0, side: int = 8, most: int = 16) -> tuple[Array, Array]:
    """Noise: whole pixels int64[count, side²] of 0 … most, labels int64[count]."""
    random = np.random.default_rng(seed)
    return random.integers(0, most + 1, (count, side * side)), random.integers(0, 10, count)


def line(pixels: Iterable[object], label: object) -> str:
    return ",".join([*map(str, pixels), str(label)])


def csv_text(pixels: Array, labels: Array) -> str:
    """As the data set has it: "5.0", and whole labels."""
    header = ",".join([*names(int(pixels.shape[1] ** 0.5)), "target"])
    rows = (line(map(float, row), label) for row, label in zip(pixels, labels, strict=True))
    return "\n".join([header, *rows]) + "\n"


def write_csv(path: Path, pixels: Array, labels: Array) -> Path:
    path.write_text(csv_text(pixels, labels))
    return path


def write_parquet(path: Path, pixels: Array, labels: Array, group: int = 70) -> Path:
    columns = dict(zip(names(int(pixels.shape[1] ** 0.5)), pixels.T, strict=True))
    table = pa.table({name: np.ascontiguousarray(values) for name, values in columns.items()})
    parquet.write_table(table.append_column("target", [labels]), path, row_group_size=group)
    return path


def write_npz(path: Path, pixels: Array, labels: Array) -> Path:
    np.savez(path, pixels=pixels, labels=labels)
    return path


def picture(pixels: Array, form: str = "PNG") -> bytes:
    """uint8[height, width] of grey, or [height, width, 3 or 4] of colours, as a file."""
    stored = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(stored, form)
    return stored.getvalue()


def write_pictures(folder: Path, images: Iterable[Array], labels: Array, form: str = "PNG") -> Path:
    for number, (image, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / str(label) / f"{number:05}.{form.lower()}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(image, form))
    return folder


def read_whole(
    uri: object, size: int = 1 << 20, resolution: int = 8, max_pixel: int = 16
) -> Divided:
    """The input in splits of at most `size` bytes, put together again; pixels as they were read."""
    pieces = digits.splits(str(uri), size)
    files = list(dict.fromkeys(piece.uri for piece in pieces))
    forms = digits.formats(files, resolution, max_pixel)
    rows = [digits.read(piece, forms[piece.uri]) for piece in reversed(pieces)]
    rows.sort(key=lambda some: (some.uri, some.offset))
    counts = Counter[str]()
    for some in rows:
        counts[some.uri] += len(some)
    places = digits.divide(counts, forms)
    pixels = np.concatenate([some.pixels for some in rows])
    labels = np.concatenate([some.labels for some in rows])
    where = np.concatenate([places[uri] for uri in sorted(places)])
    train, test = np.flatnonzero(where >= 0), np.flatnonzero(where < 0)
    train, test = train[np.argsort(where[train])], test[np.argsort(-1 - where[test])]
    largest = next(iter(forms.values())).max_pixel
    return Divided(pixels[train], labels[train], pixels[test], labels[test], largest)


def assert_same(found: Divided, right: Divided) -> None:
    for name, values in vars(right).items():
        np.testing.assert_array_equal(getattr(found, name), values, err_msg=name)
