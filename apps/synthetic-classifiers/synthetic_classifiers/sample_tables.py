"""Reading samples of Parquet: the label and the features by their names, and no other column."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.errors import DataError
from studykit.text import bad_rows

from synthetic_classifiers.layout import Column, Labels, SampleFormat

BATCH_ROWS = 1 << 15
"""Turned from columns into rows within a core's second cache; of fewer, the calls cost more."""


def schema(form: SampleFormat) -> pa.Schema:
    """What each column is read as."""
    return pa.schema([*((name, pa.float32()) for name in form.features), (form.label, pa.int64())])


def unknown_class(value: object, form: SampleFormat, uri: str) -> DataError:
    reason = f"{value} is no class: they are 0 to {form.classes - 1} (--classes {form.classes})"
    return DataError(reason, uri=uri, column=form.label)


def read(
    split: RowGroups, form: SampleFormat, take: Callable[[Sequence[Column], Labels], bool]
) -> None:
    """Gives `take` the samples of a split, batch by batch: a column for each feature, in memory
    that is the decoder's, and labels. It says whether all features are finite.

    DataError names row and column of what is wrong.
    """

    def place(rows: Rows) -> None:
        columns = [_numbers(rows[name]) for name in form.features]
        labels = rows.numbers(form.label)
        if labels.min() < 0 or labels.max() >= form.classes:
            row = int(np.argmax((labels < 0) | (labels >= form.classes)))
            raise rows.error(row, form.label, unknown_class(labels[row], form, "").reason)
        if not take(columns, labels.astype(np.int32)):
            for name, column in zip(form.features, columns, strict=True):
                _require_finite(rows, name, column, form)

    nullable = form.features if form.missing else ()
    for _ in columnar.read(
        split, schema(form), place, bad_rows.refuse_all, BATCH_ROWS, nullable=nullable
    ):
        pass


def _numbers(column: pa.Array) -> Column:
    numbers: Column = columnar.as_numpy(column.fill_null(np.nan) if column.null_count else column)
    numbers.setflags(write=False)  # As nearly all are: compiled code is compiled for one kind.
    return numbers


def _require_finite(rows: Rows, name: str, column: Column, form: SampleFormat) -> None:
    """But for what may be missing."""
    wrong = ~np.isfinite(column)
    if form.missing:
        wrong &= ~np.isnan(column)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise rows.error(row, name, f"{column[row]} is not a finite number")
