"""Reading samples of Parquet: the label and the features by their names, and no other column."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.errors import DataError
from studykit.text import bad_rows

from synthetic_classifiers.layout import Features, Labels, SampleFormat

BATCH_ROWS = 1 << 13
"""Turned from columns into rows within a core's cache."""


def schema(form: SampleFormat) -> pa.Schema:
    """What each column is read as."""
    return pa.schema([*((name, pa.float32()) for name in form.features), (form.label, pa.int64())])


def unknown_class(value: object, form: SampleFormat, uri: str) -> DataError:
    reason = f"{value} is no class: they are 0 to {form.classes - 1} (--classes {form.classes})"
    return DataError(reason, uri=uri, column=form.label)


def read(split: RowGroups, form: SampleFormat, take: Callable[[Features, Labels], None]) -> None:
    """Gives `take` the samples of a split, batch by batch: columns, float32[features, samples], in
    memory that the next batch is put in, and labels.

    DataError names row and column of what is wrong.
    """
    room = np.empty(len(form.features) * BATCH_ROWS, np.float32)

    def place(rows: Rows) -> None:
        columns = room[: len(form.features) * len(rows)].reshape(-1, len(rows))
        for name, numbers in zip(form.features, columns, strict=True):
            column = rows[name]
            if column.null_count:
                column = column.fill_null(np.nan)
            numbers[:] = columnar.as_numpy(column)
        if not np.isfinite(columns).all():
            _require_finite(columns, rows, form)
        labels = rows.numbers(form.label)
        if labels.min() < 0 or labels.max() >= form.classes:
            row = int(np.argmax((labels < 0) | (labels >= form.classes)))
            raise rows.error(row, form.label, unknown_class(labels[row], form, "").reason)
        take(columns, labels.astype(np.int32))

    nullable = form.features if form.missing else ()
    for _ in columnar.read(
        split, schema(form), place, bad_rows.refuse_all, BATCH_ROWS, nullable=nullable
    ):
        pass


def _require_finite(columns: Features, rows: Rows, form: SampleFormat) -> None:
    """But for what may be missing."""
    for name, numbers in zip(form.features, columns, strict=True):
        wrong = ~np.isfinite(numbers)
        if form.missing:
            wrong &= ~np.isnan(numbers)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise rows.error(row, name, f"{numbers[row]} is not a finite number")
