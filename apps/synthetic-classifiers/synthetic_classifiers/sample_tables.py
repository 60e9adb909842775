"""Reading samples of Parquet: the label and the features by their names, and no other column."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.errors import DataError
from studykit.text import bad_rows

from synthetic_classifiers.layout import Features, Labels, SampleFormat

BATCH_ROWS = 1 << 16


def schema(form: SampleFormat) -> pa.Schema:
    """What each column is read as."""
    return pa.schema([*((name, pa.float32()) for name in form.features), (form.label, pa.int64())])


def unknown_class(value: object, form: SampleFormat, uri: str) -> DataError:
    reason = f"{value} is no class: they are 0 to {form.classes - 1} (--classes {form.classes})"
    return DataError(reason, uri=uri, column=form.label)


def read(split: RowGroups, form: SampleFormat) -> Iterator[tuple[Features, Labels]]:
    """The samples of a split in batches. DataError names row and column of what is wrong."""

    def converted(rows: Rows) -> tuple[Features, Labels]:
        features = np.empty((len(rows), len(form.features)), np.float32)
        for place, name in enumerate(form.features):
            column = rows[name]
            if column.null_count:
                column = column.fill_null(np.nan)
            features[:, place] = columnar.as_numpy(column)
            wrong = ~np.isfinite(features[:, place])
            if form.missing:
                wrong &= ~np.isnan(features[:, place])
            if wrong.any():
                row = int(np.argmax(wrong))
                raise rows.error(row, name, f"{features[row, place]} is not a finite number")
        labels = rows.numbers(form.label)
        unknown = (labels < 0) | (labels >= form.classes)
        if unknown.any():
            row = int(np.argmax(unknown))
            raise rows.error(row, form.label, unknown_class(labels[row], form, "").reason)
        return features, labels.astype(np.int32)

    nullable = form.features if form.missing else ()
    yield from columnar.read(
        split, schema(form), converted, bad_rows.refuse_all, BATCH_ROWS, nullable=nullable
    )
