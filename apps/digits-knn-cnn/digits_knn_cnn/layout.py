"""How digits lie in a file, what is read of them, and which values are those of a digit."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

CLASSES = 10
BYTE_MAX = 255
"""The largest pixel that is kept in a byte, and that a picture has."""
LABELS = ("target", "label", "class")
"""What a column of labels may be called."""
TRAIN, TEST, ALL = "train", "test", "all"

Pixels = npt.NDArray[Any]
"""[n, side²]: uint8, or float64 where one is no whole number or is above 255."""
Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class DigitFormat:
    """How one file, or folder of pictures, is laid out, and which part its rows belong to.

    `kind` is csv, parquet, npz or pictures, `part` train, test, or all: to be divided. Of a table:
    the names of all `columns` of the file, of those that are `pixels` (row by row of a picture) and
    of the `label`. The first row of CSV can begin at byte `body`.
    """

    uri: str
    kind: str
    part: str
    side: int
    max_pixel: int
    columns: tuple[str, ...] = ()
    pixels: tuple[str, ...] = ()
    label: str = ""
    body: int = 0


@dataclass(frozen=True)
class Digits:
    """Pictures of one part, in the order of their places in it.

    pixels: uint8[n, side²] where all are whole numbers up to 255, else float64; labels: uint8[n].
    The largest pixel that may occur is `max_pixel`.
    """

    pixels: Pixels
    labels: Labels
    max_pixel: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def side(self) -> int:
        return math.isqrt(self.pixels.shape[1])


@dataclass
class Rows:
    """The rows of one split of a file: pixels [n, side²], labels uint8[n].

    `offset` orders the splits of a file: the byte, row or picture at which the split begins.
    """

    uri: str
    offset: int
    pixels: Pixels
    labels: Labels

    def __len__(self) -> int:
        return len(self.labels)


def table(
    uri: str, kind: str, names: Sequence[str], side: int, max_pixel: int, line: int | None = None
) -> DigitFormat:
    """The format of a table with columns of these names; its part is for who knows all files.

    Pixels are the columns pixel_0_0, pixel_0_1, … where there are such, else all but the label, in
    the file's order. DataError where they are not side² or the label is not one column.
    """

    def wrong(problem: str) -> DataError:
        shown = ",".join(names)
        shown = shown if len(shown) <= 80 else shown[:80] + "…"
        return DataError(f"{problem} (the columns: {shown!r})", uri=uri, line=line)

    labels = [name for name in names if name in LABELS]
    if len(labels) != 1:
        found = "no column" if not labels else "more than one column"
        raise wrong(f"{found} of labels: name one {' or '.join(LABELS)}")
    expected = tuple(f"pixel_{row}_{column}" for row in range(side) for column in range(side))
    pixels = expected
    if not set(names).intersection(expected):
        pixels = tuple(name for name in names if name != labels[0])
    there = [name for name in pixels if name in names]
    if len(there) != len(expected):
        missing = next((name for name in pixels if name not in names), None)
        reason = f"{len(there)} columns of pixels, expected {len(expected)} ({side} × {side})"
        remedy = f"no column {missing!r}" if missing else "--resolution takes others"
        raise wrong(f"{reason}: {remedy}")
    twice = next((name for name in pixels if names.count(name) > 1), None)
    if twice is not None:
        raise wrong(f"column {twice!r} twice")
    return DigitFormat(uri, kind, ALL, side, max_pixel, tuple(names), pixels, labels[0])


def wrong_value(
    pixels: npt.NDArray[np.float64], labels: npt.NDArray[np.float64], form: DigitFormat
) -> tuple[int, str, str] | None:
    """(row, column, what is wrong) of the first row that is none of a digit; None where all are."""
    bad = ~((pixels >= 0) & (pixels <= form.max_pixel))
    known = (labels >= 0) & (labels < CLASSES) & (labels == np.floor(labels))
    rows = bad.any(axis=1) | ~known
    if not rows.any():
        return None
    row = int(np.argmax(rows))
    if not known[row]:
        return row, form.label, f"{labels[row]:g} is no label: they are 0 … {CLASSES - 1}"
    place = int(np.argmax(bad[row]))
    name = form.pixels[place] if form.pixels else f"pixels[{place}]"
    reason = f"{pixels[row, place]:g} is no pixel: they are 0 … {form.max_pixel} (--max-pixel)"
    return row, name, reason


def packed(pixels: npt.NDArray[np.float64]) -> Pixels:
    """The same numbers as bytes where all are whole and at most 255."""
    if len(pixels) and pixels.max() > BYTE_MAX:
        return pixels
    small = pixels.astype(np.uint8)
    return small if np.array_equal(small, pixels) else pixels


def no_rows(side: int) -> tuple[Pixels, Labels]:
    return np.empty((0, side * side), np.uint8), np.empty(0, np.uint8)
