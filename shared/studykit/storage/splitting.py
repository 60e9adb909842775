"""Cut files into byte ranges that any worker can read by itself, at line ends.

The one idea: a line belongs to the split that holds its first byte. Cuts are plain positions,
made without reading; whoever reads a split drops the end of a line that began before it and
reads its own last line to the end (see `reading`). So the lines of all splits together are the
file, once each, wherever the cuts fall (the input splits of Hadoop, https://hadoop.apache.org).

A compressed file cannot be entered in the middle and is one split. Its first bytes say that it is
one: they are read here, once for each file, and its split tells whoever reads it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studykit.errors import DataError, StorageError, UsageError
from studykit.storage import files, filesystems
from studykit.storage.inflation import compression

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Split:
    """The lines of a file whose first byte lies in [start, stop); of a compressed one, all lines.

    `size` is the size of the file in bytes, as it is stored, `version` what it was when the cuts
    were made, `compression` how it has to be inflated (see `inflation`), None where it is plain.
    """

    uri: str
    start: int
    stop: int
    size: int
    version: str
    compression: str | None = None

    def cut(self, step: int) -> "list[Split]":
        """The same lines as splits of at most `step` bytes, or as one where it is compressed."""
        if self.compression is not None:
            return [self]
        return [
            replace(self, start=start, stop=min(start + step, self.stop))
            for start in range(self.start, self.stop, step)
        ]


@dataclass(frozen=True, eq=False)
class Block:
    """Whole lines (the last one of a file perhaps without its end), read-only.

    `offset` is the position of `data[0]` in the file, in the inflated bytes of a compressed one.
    """

    data: Bytes
    offset: int


def require_version(split: Split) -> None:
    """StorageError where the file is no longer the one that was cut."""
    if files.look(split.uri).version != split.version:
        raise changed(split)


def changed(split: Split) -> StorageError:
    return StorageError("changed while it was being read", uri=split.uri)


def splits(uri: str, split_size: int) -> list[Split]:
    """Cut a file, or all data files of a folder, into ranges of at most `split_size` bytes.

    DataError where there is not one byte of data; StorageError where the URI is missing.
    """
    if split_size < 1:
        raise UsageError(f"a split needs at least 1 byte, not {split_size}")
    cut: list[Split] = []
    for file in files.list_files(uri):
        entry = files.look(file)
        if entry.size:
            whole = Split(file, 0, entry.size, entry.size, entry.version, compression(file))
            cut += whole.cut(split_size)
    if not cut:
        raise DataError("no data: the input is empty", uri=filesystems.absolute(uri))
    return cut
