"""The input of a run, cut into pieces for its workers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from studykit import columnar, storage
from studykit.errors import DataError
from studykit.run import Run
from studykit.storage import Split

LARGEST_SPLIT = 64_000_000
"""Bytes; larger ones only cost memory."""
SMALLEST_SPLIT = 1 << 16
SPLITS_PER_THREAD = 8
"""So that threads and workers end at about the same time."""

Form = TypeVar("Form")


@dataclass(frozen=True)
class Input(Generic[Form]):
    """`splits` in file order, and {URI: what is known of a file from its head}."""

    splits: list[Split]
    formats: dict[str, Form]

    def of_worker(self, index: int, workers: int) -> list[Split]:
        """Every workers-th split, so that a slow stretch of a file is shared out."""
        return self.splits[index::workers]


def splits(uri: str, size: int) -> list[Split]:
    """A file or a folder as byte ranges of text, or row groups of Parquet, of at most `size` bytes.

    A row group is not cut. DataError where there is no data, or where a folder has both forms.
    """
    files = storage.list_files(uri)
    tables = [file for file in files if columnar.is_parquet(file)]
    if not tables:
        return storage.splits(uri, size)
    if len(tables) < len(files):
        other = next(file for file in files if file not in tables)
        reason = f"Parquet in one folder with another form, {other}: read them one by one"
        raise DataError(reason, uri=tables[0])
    pieces: list[Split] = [piece for file in tables for piece in columnar.splits(file, size)]
    if not pieces:
        raise DataError("no data: Parquet without a row", uri=storage.absolute(uri))
    return pieces


def cut(
    run: Run,
    formats: Callable[[list[str]], dict[str, Form]],
    split_bytes: int | None = None,
    pieces_of: Callable[[str, int], list[Split]] = splits,
) -> Input[Form]:
    """Look at every file's head and cut it: small pieces, as many as there are threads to feed.

    `split_bytes` is the method's own size of a piece, where it has one; --split-size is the user's.
    `pieces_of` is a study's own way to cut, where it reads what is neither lines nor Parquet.
    """
    threads = run.options.worker_count * run.options.threads
    even = run.dataset.bytes // (threads * SPLITS_PER_THREAD) + 1
    even = min(max(even, SMALLEST_SPLIT), LARGEST_SPLIT)
    pieces = pieces_of(run.dataset.uri, run.options.split_bytes or split_bytes or even)
    return Input(pieces, formats(list(dict.fromkeys(piece.uri for piece in pieces))))
