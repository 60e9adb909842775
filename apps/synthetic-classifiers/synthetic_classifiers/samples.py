"""Reading samples: CSV with a header, or Parquet; the label and the features by their names.

The one idea: almost every line is plain, and a compiled loop reads those (clean_samples.py) right
into the arrays that are kept. What the loop will not judge goes line by line through the exact
reader of `studykit.text.delimited`, which reads what is unusual but right and names the line of
what is wrong. Classes are whole numbers from 0.
"""

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, lines

from synthetic_classifiers import sample_tables
from synthetic_classifiers.clean_samples import parse
from synthetic_classifiers.layout import Asked, Column, Features, Labels, SampleFormat, features_of

MOST_LINES_AT_ONCE = 1 << 16
"""Given to the exact reader, which gets a line first and more while they come often."""
RARE = 1000
"""Clean lines from one that is not to the next, from which a call of the exact reader pays off."""

Part = tuple[Features, Labels]


def formats(uris: Sequence[str], asked: Asked) -> dict[str, SampleFormat]:
    """Look at the head of every file. DataError where a wanted column is not there, or where files
    of a folder have other features than its first."""
    found = {uri: sniff(uri, asked) for uri in uris}
    first = next(iter(found.values()))
    for uri, form in found.items():
        if form.features != first.features:
            other = PurePosixPath(next(iter(found))).name
            reason = f"features {', '.join(form.features)}; {other} has {', '.join(first.features)}"
            raise DataError(reason, uri=uri)
    return found


def sniff(uri: str, asked: Asked) -> SampleFormat:
    """The layout of one file, from its first line that is not blank, or from its schema."""
    if columnar.is_parquet(uri):
        names, body, line = list(columnar.schema(uri).names), 0, None
    else:
        names, header = delimited.header(uri, "samples")
        body, line = header.stop, header.number
    features = features_of(names, asked)
    for name in (asked.label, *features):
        if names.count(name) != 1:
            problem = f"column {name!r} twice" if name in names else f"no column {name!r}"
            has = ", ".join(names)
            raise DataError(
                f"{problem}; the file has: {has} (--label, --features)", uri=uri, line=line
            )
    if not features:
        raise DataError(f"no feature beside {asked.label!r}", uri=uri, line=line)
    form = SampleFormat(tuple(names), body, asked.label, features, asked.classes, asked.missing)
    if columnar.is_parquet(uri):
        columnar.require(uri, sample_tables.schema(form))
    return form


def read(split: Split, form: SampleFormat) -> Part:
    """All samples of one split. DataError names file, line and column of what is wrong."""
    if isinstance(split, RowGroups):
        of_batches: list[Part] = []

        def take(columns: Sequence[Column], labels: Labels) -> bool:
            of_batches.append((np.stack(columns, axis=1), labels))
            return bool(np.isfinite(of_batches[-1][0]).all())

        sample_tables.read(split, form, take)
        return _joined(of_batches, form)
    parts = [
        part for block in lines.blocks_from(split, form.body) for part in _block(block, split, form)
    ]
    return _joined(parts, form)


def _joined(parts: list[Part], form: SampleFormat) -> Part:
    if len(parts) == 1:
        return parts[0]
    none = np.empty((0, len(form.features)), np.float32), np.empty(0, np.int32)
    features, labels = zip(none, *parts, strict=True)
    return np.concatenate(features), np.concatenate(labels)


def _block(block: Block, split: Split, form: SampleFormat) -> Iterator[Part]:
    data, position = block.data, 0
    roles = form.roles
    unclean, clean = 1, 0

    def slowly(some: Block) -> Part:
        return _read_slowly(some, form, split)

    while position < len(data):
        most = _rows_at_most(data[position:])
        features = np.empty((most, len(form.features)), np.float32)
        labels = np.empty(most, np.int32)
        rows, stopped = parse(
            data, position, most, roles, form.classes, form.missing, features, labels
        )
        if rows:
            yield (features, labels) if rows == most else (features[:rows], labels[:rows])
        position, clean = int(stopped), clean + rows
        if position < len(data):
            # One line that is not clean costs one line; a file of them, few calls.
            unclean = 1 if clean >= RARE else min(2 * unclean, MOST_LINES_AT_ONCE)
            clean = 0
            end = lines.line_end(data, position, unclean)
            rest = Block(data[position:end], block.offset + position)
            yield from bad_rows.read_rows(rest, slowly, bad_rows.refuse_all)
            position = end


def _rows_at_most(data: npt.NDArray[np.uint8]) -> int:
    """Lines that these bytes can hold, counted: memory is what they take and no more."""
    return int(np.count_nonzero(data == ord("\n"))) + 1


def _read_slowly(block: Block, form: SampleFormat, split: Split) -> Part:
    wanted = sample_tables.schema(form)
    # What is missing is text until it is known to be a number.
    text = pa.schema([(name, pa.string()) for name in form.features])
    schema = wanted if not form.missing else pa.schema([*text, wanted.field(form.label)])
    table = delimited.read(block, delimited.Dialect(), schema, split, list(form.names))
    labels = table.column(form.label).to_numpy()
    wrong = (labels < 0) | (labels >= form.classes)
    if wrong.any():
        raise sample_tables.unknown_class(labels[int(np.argmax(wrong))], form, split.uri)
    features = np.empty((table.num_rows, len(form.features)), np.float32)
    for place, name in enumerate(form.features):
        column = table.column(name)
        numbers = _numbers_or_nan(column, name, split) if form.missing else column.to_numpy()
        with np.errstate(over="ignore"):
            features[:, place] = numbers
        read = features[:, place]
        infinite = np.isinf(read) if form.missing else ~np.isfinite(read)
        if infinite.any():
            value = column[int(np.argmax(infinite))].as_py()
            raise DataError(f"{value} is not a finite number", uri=split.uri, column=name)
    return features, labels.astype(np.int32)


MISSING = ("", "na", "nan", "null", "none", "n/a", "?")
"""In lower case, what stands for no value where one may be missing."""


def _numbers_or_nan(column: pa.ChunkedArray, name: str, split: Split) -> npt.NDArray[np.float64]:
    words = pc.utf8_lower(pc.utf8_trim_whitespace(column))
    missing = pc.is_in(words, pa.array(MISSING))
    try:
        numbers = pc.if_else(missing, pa.scalar(None, pa.string()), words).cast(pa.float64())
    except pa.ArrowInvalid:
        for word in words.to_pylist():
            try:
                float(word) if word not in MISSING else None
            except ValueError:
                reason = f"{word!r} is not a float"
                raise DataError(reason, uri=split.uri, column=name) from None
        raise
    return numbers.to_numpy()
