"""Reading digits of Parquet, by columns, and of NPZ: arrays `pixels` and `labels`."""

import io
import re
import zipfile
import zlib
from typing import Any

import numpy as np
import pyarrow as pa
from studykit import columnar, storage
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Split
from studykit.storage.contents import first_bytes
from studykit.storage.splitting import require_version
from studykit.text import bad_rows

from digits_knn_cnn import layout
from digits_knn_cnn.layout import DigitFormat, Labels, Pixels

BATCH_ROWS = 1 << 13
"""Of Parquet, decoded at once: 4 MB of doubles at 8 × 8."""
_NPZ = re.compile(rb"PK\x03\x04.{26}[^\0/]{1,99}\.npy", re.DOTALL)

Part = tuple[Pixels, Labels]


class Arrays(Split):
    """A whole NPZ file: not one of lines, so nobody fetches it as such."""


def sniff(uri: str, side: int, max_pixel: int) -> DigitFormat:
    """The layout of a Parquet file, from its schema."""
    form = layout.table(uri, "parquet", columnar.schema(uri).names, side, max_pixel)
    columnar.require(uri, _schema(form))
    return form


def _schema(form: DigitFormat) -> pa.Schema:
    return pa.schema([(name, pa.float64()) for name in (*form.pixels, form.label)])


def read_groups(split: RowGroups, form: DigitFormat) -> Part:
    """The rows of some row groups. DataError names the row."""

    def converted(rows: columnar.Rows) -> Part:
        pixels = np.empty((len(rows), len(form.pixels)))
        for place, name in enumerate(form.pixels):
            pixels[:, place] = rows.numbers(name)
        labels = rows.numbers(form.label)
        wrong = layout.wrong_value(pixels, labels, form)
        if wrong is not None:
            raise rows.error(*wrong)
        return layout.packed(pixels), labels.astype(np.uint8)

    read = columnar.read(split, _schema(form), converted, bad_rows.refuse_all, BATCH_ROWS)
    pixels, labels = zip(layout.no_rows(form.side), *read, strict=True)
    return np.concatenate(pixels), np.concatenate(labels)


def is_npz(uri: str) -> bool:
    """By its name, so that a damaged one is named, or by its first bytes, whatever its name."""
    return uri.endswith(".npz") or _NPZ.match(first_bytes(uri, 200)) is not None


def read_npz(split: Arrays, form: DigitFormat) -> Part:
    """All rows of a file. DataError names the row, from 1."""
    require_version(split)
    pixels, labels = _arrays(storage.read_bytes(split.uri), split.uri)
    shape = (len(labels), form.side * form.side)
    if labels.ndim != 1 or pixels.shape not in (shape, (len(labels), form.side, form.side)):
        raise DataError(
            f"pixels {pixels.shape} and labels {labels.shape}: expected {shape} and"
            f" {labels.shape[:1]} (--resolution takes others)",
            uri=split.uri,
        )
    numbers, classes = pixels.reshape(shape).astype(np.float64), labels.astype(np.float64)
    wrong = layout.wrong_value(numbers, classes, form)
    if wrong is not None:
        row, name, reason = wrong
        raise DataError(reason, uri=split.uri, place=f"row {row + 1}", column=name)
    return layout.packed(numbers), classes.astype(np.uint8)


def _arrays(content: bytes, uri: str) -> tuple[Any, Any]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            missing = {"pixels", "labels"}.difference(file.files)
            if missing:
                reason = f"no array {min(missing)!r}; the file has: {', '.join(file.files)}"
                raise DataError(reason, uri=uri)
            found = file["pixels"], file["labels"]
    except (
        OSError, ValueError, EOFError, KeyError, NotImplementedError, TypeError, AttributeError,
        zipfile.BadZipFile, zlib.error,
    ) as error:  # fmt: skip
        raise DataError("no NPZ file of numbers, or damaged", uri=uri) from error
    for name, array in zip(("pixels", "labels"), found, strict=True):
        if array.dtype.kind not in "uifb" or array.ndim == 0:
            reason = f"the array {name!r} is {array.dtype} {array.shape}, not rows of numbers"
            raise DataError(reason, uri=uri)
    return found
