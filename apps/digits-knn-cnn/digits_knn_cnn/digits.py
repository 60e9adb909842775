"""Digits in memory, read from tables or pictures in any store and divided into training and test.

    given = digits.cut(run)                          # splits, and {file: its format}
    rows = digits.read(split, given.formats[split.uri])   # of one split, by any worker
    places = digits.divide(counts, given.formats)    # {file: where each of its rows belongs}

The one idea: what a row is for depends on its place in the whole input alone, never on how that was
cut. Files named train.* and test.* are the two parts; anything else is one table, of which a fifth
of the rows goes into the test part, drawn as scikit-learn's `train_test_split(rows, test_size=0.2,
random_state=42)` draws them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from studykit import columnar, cutting, storage
from studykit.columnar import RowGroups
from studykit.cutting import Input
from studykit.errors import DataError
from studykit.run import Run
from studykit.storage import Split

from digits_knn_cnn import csv_rows, layout, pictures, stored_rows
from digits_knn_cnn.layout import ALL, TEST, TRAIN, DigitFormat, Rows
from digits_knn_cnn.pictures import Pictures
from digits_knn_cnn.stored_rows import Arrays

__all__ = ["DigitFormat", "Rows", "cut", "divide", "formats", "read", "splits"]

TEST_SHARE, DIVIDING_SEED = 0.2, 42
"""Of the paper's notebooks."""

Places = npt.NDArray[np.int64]


def cut(run: Run) -> Input[DigitFormat]:
    """The input in pieces, with the layout of every file (of pictures: of their folder)."""
    asked = run.parameters
    look = partial(formats, resolution=asked.resolution, max_pixel=asked.max_pixel)
    return cutting.cut(run, look, pieces_of=splits)


def splits(uri: str, size: int) -> list[Split]:
    """Byte ranges of CSV, row groups of Parquet, whole NPZ files, some pictures of a folder.

    Of at most `size` bytes, where they can be cut. DataError where a file is empty, where forms
    are mixed, and where a picture lies in no folder of a label.
    """
    sizes = storage.list_sizes(uri)
    if any(map(pictures.is_picture, sizes)):
        return [*pictures.splits(sizes, size)]
    for file, length in sizes.items():
        if not length:
            raise DataError("no rows: the file is empty", uri=file)
    arrays = [file for file in sizes if stored_rows.is_npz(file)]
    if not arrays:
        found = cutting.splits(uri, size)
        for file in sizes.keys() - {split.uri for split in found}:
            raise DataError("no rows: Parquet without one", uri=file)
        return found
    if len(arrays) < len(sizes):
        other = next(file for file in sizes if file not in arrays)
        raise DataError(f"NPZ in one folder with another form, {other}", uri=arrays[0])
    entries = map(storage.look, arrays)
    return [Arrays(one.uri, 0, one.size, one.size, one.version) for one in entries]


def formats(uris: Sequence[str], resolution: int, max_pixel: int) -> dict[str, DigitFormat]:
    """Look at the head of every file. DataError where it holds no pixels and labels of this
    resolution, or where one of train.* and test.* is missing."""
    parts = _parts(uris)
    return {uri: replace(_sniff(uri, resolution, max_pixel), part=parts[uri]) for uri in uris}


def _sniff(uri: str, side: int, max_pixel: int) -> DigitFormat:
    if storage.look(uri).is_folder:
        return DigitFormat(uri, "pictures", ALL, side, layout.BYTE_MAX)
    if stored_rows.is_npz(uri):
        return DigitFormat(uri, "npz", ALL, side, max_pixel, label="labels")
    if columnar.is_parquet(uri):
        return stored_rows.sniff(uri, side, max_pixel)
    return csv_rows.sniff(uri, side, max_pixel)


def _parts(uris: Iterable[str]) -> dict[str, str]:
    named = {uri: uri.rpartition("/")[2].partition(".")[0] for uri in uris}
    if len(named) == 1 or not {TRAIN, TEST}.intersection(named.values()):
        return dict.fromkeys(named, ALL)
    for uri, name in named.items():
        if name not in (TRAIN, TEST):
            raise DataError("lies beside train.* or test.*, and is none of them", uri=uri)
    for part in (TRAIN, TEST):
        if part not in named.values():
            raise DataError(f"there is no {part}.* beside it", uri=next(iter(named)))
    return named


def read(split: Split, form: DigitFormat) -> Rows:
    """The rows of one split, perhaps none. DataError names the line, row or picture at fault."""
    if isinstance(split, Pictures):
        return Rows(split.uri, split.first, *pictures.read(split, form.side))
    if isinstance(split, RowGroups):
        return Rows(split.uri, split.first_row, *stored_rows.read_groups(split, form))
    if isinstance(split, Arrays):
        return Rows(split.uri, 0, *stored_rows.read_npz(split, form))
    return Rows(split.uri, split.start, *csv_rows.read(split, form))


def divide(counts: Mapping[str, int], formats: Mapping[str, DigitFormat]) -> dict[str, Places]:
    """{file: its rows} → {file: int64[rows]}: a row's place in the training part, where that is not
    negative, or -1 - its place in the test part.

    Files of one part follow each other by name. DataError where a part would have no row.
    """
    files = {part: sorted(uri for uri in formats if formats[uri].part == part)
             for part in (TRAIN, TEST, ALL)}  # fmt: skip
    places: dict[str, Places] = {}
    for part, uris in files.items():
        rows = np.array([counts.get(uri, 0) for uri in uris], np.int64)
        total = int(rows.sum())
        if not uris:
            continue
        if total == 0:
            raise DataError("no rows: nothing but a header or blank lines", uri=uris[0])
        whole = np.arange(total) if part == TRAIN else -1 - np.arange(total)
        if part == ALL:
            whole = _divided(total, uris[0])
        places |= zip(uris, np.split(whole, np.cumsum(rows)[:-1]), strict=True)
    return places


def _divided(rows: int, uri: str) -> Places:
    """As `train_test_split` does it, whose import takes longer than all else here."""
    tests = math.ceil(TEST_SHARE * rows)
    if tests == rows:
        raise DataError("one row cannot be divided into a training and a test part", uri=uri)
    drawn = np.random.RandomState(DIVIDING_SEED).permutation(rows)
    places = np.empty(rows, np.int64)
    places[drawn[:tests]] = -1 - np.arange(tests)
    places[drawn[tests:]] = np.arange(rows - tests)
    return places
