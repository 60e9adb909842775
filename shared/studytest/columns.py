"""A table of text as Parquet."""

import pyarrow as pa
from pyarrow import csv, parquet
from studykit.text.dialects import Dialect, fields_of, is_header, text_of

ROW_GROUPS = 12
"""More than any test has workers and threads."""


def as_parquet(content: bytes) -> bytes:
    """Lines of CSV, with or without a header, as a file of several row groups."""
    header = is_header(fields_of(text_of(content.splitlines(keepends=True)[0]), Dialect()))
    options = csv.ReadOptions(autogenerate_column_names=not header)
    table = csv.read_csv(pa.py_buffer(content), options)
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, row_group_size=len(table) // ROW_GROUPS + 1)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]
