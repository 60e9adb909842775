"""The whole input, read by the oracle's own means: nothing of the engines' readers is used.

Arrow's own CSV reader, and where that refuses a piece, Python's csv and float; pyarrow.parquet;
NumPy; PIL. Parts are divided by scikit-learn itself. Numbers are float64, pictures in the order of
their paths.
"""

import csv
import io
import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from studykit import machine, storage
from studykit.errors import CheckError
from studykit.storage import whole_lines

READ_BYTES = 8_000_000
PIXEL = re.compile("pixel_([0-9]+)_([0-9]+)")

Table = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
"""Pixels [n, side²] and labels [n]."""


@dataclass(frozen=True)
class Divided:
    """Pixels float64[n, side²] and labels int64[n] of both parts, each in its order.

    `max_pixel` is the largest that a pixel may be: 255 of pictures.
    """

    train_pixels: npt.NDArray[np.float64]
    train_labels: npt.NDArray[np.int64]
    test_pixels: npt.NDArray[np.float64]
    test_labels: npt.NDArray[np.int64]
    max_pixel: int


def read(uri: str, resolution: int, max_pixel: int) -> Divided:
    """CheckError where something is not what an engine should have accepted."""
    files = storage.list_files(uri)
    parts = {file.rpartition("/")[2].split(".")[0]: file for file in files}
    if len(files) > 1 and parts.keys() == {"train", "test"}:
        train, test = (_table(parts[part], resolution, max_pixel) for part in ("train", "test"))
        return Divided(*train, *test, max_pixel)
    if files[0].lower().endswith((".png", ".jpg", ".jpeg")):
        pixels, labels = _pictures(files, resolution)
        max_pixel = 255
    else:
        pixels, labels = _joined([_table(file, resolution, max_pixel) for file in files])
    from sklearn.model_selection import train_test_split  # In a second; a run begins before it.

    divided = train_test_split(pixels, labels, test_size=0.2, random_state=42)
    return Divided(divided[0], divided[2], divided[1], divided[3], max_pixel)


def _joined(tables: Sequence[Table]) -> Table:
    return np.concatenate([one[0] for one in tables]), np.concatenate([one[1] for one in tables])


def _table(uri: str, side: int, max_pixel: int) -> Table:
    with storage.open_inflated(uri) as file:
        begin = file.peek(4)[:4]
        if begin == b"PAR1":
            pixels, labels = _of_parquet(file)
        elif begin == b"PK\x03\x04":
            pixels, labels = _of_npz(file.read(), side)
        else:
            pixels, labels = _of_csv(file)
    right = pixels.shape[1:] == (side * side,) and ((pixels >= 0) & (pixels <= max_pixel)).all()
    if not right or not np.isin(labels, range(10)).all():
        raise CheckError(f"the check finds what is no digit in {uri}, the engine did not")
    return pixels, labels.astype(np.int64)


def _wanted(names: Sequence[str]) -> list[str]:
    """The pixels in their order, and the label."""
    (label,) = {"target", "label", "class"}.intersection(names)
    found = [(name, PIXEL.fullmatch(name)) for name in names]
    placed = sorted((int(at[1]), int(at[2]), name) for name, at in found if at)
    pixels = [name for _, _, name in placed] or [name for name in names if name != label]
    return [*pixels, label]


def _of_parquet(file: Any) -> Table:
    stored = parquet.ParquetFile(file)
    names = _wanted(stored.schema_arrow.names)
    table = stored.read(columns=names)
    return _numbers([np.asarray(table[name].to_numpy(), np.float64) for name in names])


def _numbers(columns: Sequence[npt.NDArray[np.float64]]) -> Any:
    """The last column is the labels."""
    return np.stack(columns[:-1], axis=1), columns[-1]


def _of_npz(content: bytes, side: int) -> Any:
    with np.load(io.BytesIO(content)) as arrays:
        pixels, labels = arrays["pixels"].astype(np.float64), arrays["labels"]
    return pixels.reshape(len(labels), side * side), labels


def _of_csv(file: Any) -> Any:
    pieces = whole_lines.pieces(file, READ_BYTES)
    header, rest = whole_lines.header(next(pieces, b""))
    names = [name.strip() for name in next(csv.reader([header], skipinitialspace=True))]
    work = partial(_of_piece, names=names, wanted=_wanted(names))
    made = whole_lines.over(work, itertools.chain([rest], pieces), machine.cores())
    return _joined(list(made))


def _of_piece(piece: bytes, names: Sequence[str], wanted: Sequence[str]) -> Any:
    places = [names.index(name) for name in wanted]
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(piece),
            arrow_csv.ReadOptions(column_names=[str(place) for place in range(len(names))]),
            convert_options=arrow_csv.ConvertOptions(
                column_types={str(place): pa.float64() for place in places},
                include_columns=[str(place) for place in places],
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return _slowly(piece.decode(), len(names), places)
    return _numbers([column.to_numpy() for column in table.columns])


def _slowly(text: str, count: int, places: Sequence[int]) -> Any:
    """Blank lines are no rows; blanks around numbers and quotes are no part of them."""
    lines = [line for line in csv.reader(io.StringIO(text), skipinitialspace=True)]
    rows = [line for line in lines if any(field.strip() for field in line)]
    try:
        if any(len(row) != count for row in rows):
            raise ValueError("a row of another length")
        found = np.array([[float(row[place]) for place in places] for row in rows])
    except ValueError as error:
        raise CheckError(f"the check cannot read a row that the engine did: {error}") from None
    found = found.reshape(len(rows), len(places))
    return found[:, :-1], found[:, -1]


def _pictures(files: Sequence[str], side: int) -> Table:
    from PIL import Image, ImageOps

    pixels = np.empty((len(files), side * side))
    for place, file in enumerate(sorted(files)):
        with Image.open(io.BytesIO(storage.read_bytes(file))) as image:
            grey = ImageOps.exif_transpose(image).convert("L")
        small = grey.resize((side, side), Image.Resampling.BILINEAR)
        pixels[place] = np.asarray(small, np.float64).reshape(-1)
    labels = [int(file.split("/")[-2]) for file in sorted(files)]
    return pixels, np.array(labels, np.int64)
