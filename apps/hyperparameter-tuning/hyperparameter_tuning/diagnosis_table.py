"""The columns of the Wisconsin table in a file, CSV or Parquet, and the rows that they hold.

The one idea: columns are found by their names, so the made table (`diagnosis` and 30 numbers) and
the one on Kaggle (`id` in front, and a comma at the end of the header that makes a 33rd column
without a name) are read alike. Kaggle's rows have no field for that last column; copies of it that
went through other programs have an empty one. Which it is the first row says, and all others have
to be like it.
"""

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar, cutting
from studykit.columnar import RowGroups, Rows
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, dialects, lines

LABEL = "diagnosis"
MALIGNANT, BENIGN = "M", "B"
MEASURES = (
    "radius", "texture", "perimeter", "area", "smoothness", "compactness", "concavity",
    "concave points", "symmetry", "fractal_dimension",
)  # fmt: skip
FEATURES = tuple(f"{measure}_{of}" for of in ("mean", "se", "worst") for measure in MEASURES)
SPLIT_BYTES = 64_000_000

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]
Part = tuple[Features, Labels]
_NUMBERS = [(name, pa.float64()) for name in FEATURES]
_TEXT = pa.schema([(LABEL, pa.string()), *_NUMBERS])


@dataclass(frozen=True)
class Layout:
    """Names of all columns that a row has; the first row begins at byte `body`."""

    names: tuple[str, ...]
    body: int = 0


def read(uri: str, split_bytes: int = SPLIT_BYTES) -> Part:
    """float32[n, 30] and uint8[n], 1 for malignant, of a file or of all files of a folder.

    DataError names file, line and column of what is wrong."""
    splits = cutting.splits(uri, split_bytes)
    layouts = {file: layout(file) for file in dict.fromkeys(split.uri for split in splits)}
    parts = [part for split in splits for part in _of_split(split, layouts[split.uri])]
    if not parts:
        raise DataError("no rows: nothing but a header or blank lines", uri=splits[0].uri)
    features, labels = zip(*parts, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def layout(uri: str) -> Layout:
    """Of one file, from its header and first row, or from its schema."""
    if columnar.is_parquet(uri):
        names = tuple(columnar.schema(uri).names)
        _require(names, uri, None)
        columnar.require(uri, _TEXT)
        return Layout(names)
    found, header = delimited.header(uri)
    names = tuple(found)
    _require(names, uri, header.number)
    if names[-1] == "" and _fields_of_first_row(uri, header) == len(names) - 1:
        names = names[:-1]
    return Layout(names, header.stop)


def _require(names: tuple[str, ...], uri: str, line: int | None) -> None:
    for name in (LABEL, *FEATURES):
        if names.count(name) != 1:
            problem = f"column {name!r} twice" if name in names else f"no column {name!r}"
            has = ", ".join(map(dialects.shown, names[:8])) + (", …" if len(names) > 8 else "")
            raise DataError(f"{problem}; the file has: {has}", uri=uri, line=line)


def _fields_of_first_row(uri: str, header: lines.Line) -> int | None:
    for line in lines.head(uri):
        if line.start >= header.stop and line.text.strip():
            return line.text.count(b",") + 1
    return None


def _of_split(split: Split, form: Layout) -> list[Part]:
    if isinstance(split, RowGroups):
        return list(columnar.read(split, _TEXT, _of_rows, bad_rows.refuse_all))
    read_block = functools.partial(_of_block, split=split, form=form)
    return [
        part
        for block in lines.blocks_from(split, form.body)
        for part in bad_rows.read_rows(block, read_block, bad_rows.refuse_all)
        if len(part[1])
    ]


def _of_block(block: Block, split: Split, form: Layout) -> Part:
    table = delimited.read(block, delimited.Dialect(), _TEXT, split, list(form.names))
    columns = [columnar.as_numpy(table.column(name).combine_chunks()) for name in FEATURES]
    labels = table.column(LABEL).to_pylist()
    features = np.stack(columns, axis=1) if labels else np.empty((0, len(FEATURES)))
    wrong = _wrong(features, labels)
    if wrong is not None:
        raise DataError(wrong[2], uri=split.uri, column=wrong[1])
    return _part(features, labels)


def _of_rows(rows: Rows) -> Part:
    features = np.stack([rows.numbers(name) for name in FEATURES], axis=1)
    labels = rows[LABEL].to_pylist()
    wrong = _wrong(features, labels)
    if wrong is not None:
        raise rows.error(*wrong)
    return _part(features, labels)


def _part(features: npt.NDArray[np.float64], labels: list[str]) -> Part:
    called = np.array([label.strip() == MALIGNANT for label in labels], np.uint8)
    return features.astype(np.float32), called


def _wrong(features: npt.NDArray[np.float64], labels: list[str]) -> tuple[int, str, str] | None:
    """(row, column, what is wrong) of the first wrong row; None where all are right."""
    with np.errstate(over="ignore"):
        bad = ~np.isfinite(features.astype(np.float32))
    known = np.array([label.strip() in (MALIGNANT, BENIGN) for label in labels], bool)
    rows = np.flatnonzero(bad.any(axis=1) | ~known)
    if not len(rows):
        return None
    row = int(rows[0])
    if not known[row]:
        said = dialects.shown(labels[row])
        return row, LABEL, f"{said} is neither {MALIGNANT} (malignant) nor {BENIGN} (benign)"
    column = int(np.argmax(bad[row]))
    return row, FEATURES[column], f"{features[row, column]:g} is not a finite number"
