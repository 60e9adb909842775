"""Answers as tables in files: the format is the ending of the URI."""

import pyarrow as pa
from pyarrow import csv, parquet

from studykit import storage
from studykit.errors import UsageError

ENDINGS = (".csv", ".parquet")


def require_ending(uri: str | None, endings: tuple[str, ...] = ENDINGS) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    if uri is not None and not uri.endswith(endings):
        raise UsageError(f"--out {uri}: end it with {' or '.join(endings)}")


def write(table: pa.Table, uri: str) -> str:
    """Write it whole or not at all; returns where it is."""
    with storage.write_atomic(uri) as file:
        if uri.endswith(".csv"):
            csv.write_csv(table, file)
        else:
            parquet.write_table(table, file)
    return storage.absolute(uri)
