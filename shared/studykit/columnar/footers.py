"""What a Parquet file says of itself at its end: its columns, and where its row groups lie.

Format: https://parquet.apache.org/docs/file-format
"""

import contextlib
import functools
from collections.abc import Iterator

import pyarrow as pa
from pyarrow import parquet

from studykit.errors import DataError, StudyError
from studykit.storage import contents, files
from studykit.storage.failures import storage_error

ENDING = ".parquet"
MAGIC = (b"PAR1", b"PARE")
"""At the beginning and the end; PARE where the footer is encrypted, which Arrow then says."""
FOOTERS_KEPT = 64
SHOWN_CHARACTERS = 200


def is_parquet(uri: str) -> bool:
    """By the file's first bytes, whatever its name; or by its name, so that a damaged one is named.

    A text that begins with the same four letters goes on with a letter, Parquet does not.
    """
    if uri.endswith(ENDING):
        return True
    first = contents.first_bytes(uri, 5)
    return first[:4] in MAGIC and first[4:] < b" "


@functools.lru_cache(FOOTERS_KEPT)
def footer(uri: str, version: str) -> parquet.FileMetaData:
    """Read once in a process while the file is of this version. DataError for a damaged one."""
    with contents.open_input(uri) as file, decoding(uri):
        return parquet.read_metadata(file)


def schema(uri: str, version: str | None = None) -> pa.Schema:
    """The columns; one of several levels is a nested one. `version` of the file, where known."""
    with decoding(uri):
        return footer(uri, version or files.look(uri).version).schema.to_arrow_schema()


def row_count(uri: str) -> int:
    return int(footer(uri, files.look(uri).version).num_rows)


@contextlib.contextmanager
def decoding(uri: str, place: str | None = None) -> Iterator[None]:
    """What cannot be decoded inside is a DataError; what cannot be read, a StorageError."""
    try:
        yield
    except StudyError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise storage_error(error, uri) from error
        # Never the bytes of a binary file.
        said = "".join(c if c.isascii() and c.isprintable() else " " for c in str(error))
        reason = " ".join(said.split())[:SHOWN_CHARACTERS]
        problem = f"no Parquet file, damaged, or of a kind that Arrow does not read: {reason}"
        raise DataError(problem, uri=uri, place=place) from error
