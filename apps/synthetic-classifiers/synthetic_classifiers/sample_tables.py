"""Reading samples of Parquet: the label and the features by their names, and no other column."""

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


def read(split: RowGroups, form: SampleFormat) -> tuple[Features, Labels]:
    """The samples of a split. DataError names row and column of what is wrong."""
    features = np.empty((split.rows, len(form.features)), np.float32)
    labels = np.empty(split.rows, np.int32)

    def place(rows: Rows) -> None:
        begin = rows.first_row - split.first_row
        here = slice(begin, begin + len(rows))
        for feature, name in enumerate(form.features):
            column = rows[name]
            if column.null_count:
                column = column.fill_null(np.nan)
            numbers = columnar.as_numpy(column)
            finite = np.isfinite(numbers)
            if not finite.all():
                wrong = ~finite & ~np.isnan(numbers) if form.missing else ~finite
                if wrong.any():
                    row = int(np.argmax(wrong))
                    raise rows.error(row, name, f"{numbers[row]} is not a finite number")
            features[here, feature] = numbers
        found = rows.numbers(form.label)
        if found.min() < 0 or found.max() >= form.classes:
            row = int(np.argmax((found < 0) | (found >= form.classes)))
            raise rows.error(row, form.label, unknown_class(found[row], form, "").reason)
        labels[here] = found

    nullable = form.features if form.missing else ()
    for _ in columnar.read(
        split, schema(form), place, bad_rows.refuse_all, BATCH_ROWS, nullable=nullable
    ):
        pass
    return features, labels
