"""Answers as tables in files: the format is the ending of the URI."""

import pyarrow as pa
from pyarrow import csv, parquet

from studykit import storage
from studykit.errors import UsageError

ENDINGS = (".csv", ".parquet")


def require_ending(
    uri: str | None, endings: tuple[str, ...] = ENDINGS, *, or_folder: bool = False
) -> None:
    """Refuse an --out for which nothing can be written, before any work."""
    if uri is None or uri.endswith(endings) or (or_folder and not ending(uri)):
        return
    if or_folder:
        raise UsageError(f"--out {uri}: end it with {', '.join(endings)}, or give a folder")
    raise UsageError(f"--out {uri}: end it with {' or '.join(endings)}")


def ending(uri: str) -> str:
    """'.csv' of 'folder/answer.csv'; nothing of a folder."""
    name = uri.rsplit("/", 1)[-1]
    return "." + name.rsplit(".", 1)[1] if "." in name.strip(".") else ""


def write(table: pa.Table, uri: str) -> str:
    """Write it whole or not at all; returns where it is."""
    with storage.write_atomic(uri) as file:
        if uri.endswith(".csv"):
            csv.write_csv(table, file)
        else:
            parquet.write_table(table, file)
    return storage.absolute(uri)
