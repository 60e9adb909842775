"""What is in a file: a range of its bytes, a stream, all of it.

The one idea: a file on a server is read range by range, so that a failure costs one range.
"""

import io
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from pyarrow import fs as arrow_fs

from studykit.storage import files, filesystems
from studykit.storage.failures import retried, translated
from studykit.storage.filesystems import is_local, local_path

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BUFFER_BYTES = 1 << 20
"""Read at once from a server, by who reads little by little."""


def open_input(uri: str, buffer_bytes: int = BUFFER_BYTES) -> BinaryIO:
    """A seekable binary file for reading; use it as a context manager.

    `buffer_bytes` are read at once from a server, by who reads little by little.
    """
    if is_local(uri):
        with translated(uri):
            return open(local_path(uri), "rb")
    return cast(BinaryIO, io.BufferedReader(_Remote(uri), buffer_bytes))


class RemoteFile(io.RawIOBase):
    """A file on a server, of which somebody reads ranges: where it stands."""

    def __init__(self, uri: str, size: int) -> None:
        self._uri, self._size, self._position = uri, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}
        self._position = starts[whence] + offset
        return self._position


class _Remote(RemoteFile):
    """Each range is tried again by itself."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri, files.size(uri))
        self._read = retried(lambda: range_reader(uri), uri)

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        count = max(min(len(room), self._size - self._position), 0)
        if count:
            room[:count] = retried(lambda: self._range(count), self._uri).data
            self._position += count
        return count

    def readall(self) -> bytes:
        return self.read(max(self._size - self._position, 0)) or b""

    def _range(self, count: int) -> NDArray[np.uint8]:
        data = self._read(self._position, count)
        if len(data) < count:
            raise OSError("the server sent less than it has")
        return data


def range_reader(uri: str) -> Callable[[int, int], NDArray[np.uint8]]:
    """A function (offset, count) → bytes of a file on a server, fewer only at the file's end.

    Not retried: the caller knows what to do again.
    """
    store, path = filesystems.filesystem(uri)
    if isinstance(store, arrow_fs.PyFileSystem):
        # Arrow would copy what the client reads once more.
        reader = store.handler.fs.open(path, "rb")
        return lambda offset, count: np.frombuffer(_range(reader, offset, count), np.uint8)
    file = store.open_input_file(path)
    return lambda offset, count: np.frombuffer(file.read_at(count, offset), np.uint8)


def _range(reader: Any, offset: int, count: int) -> bytes:
    if hasattr(reader, "read_range"):
        # Asked for more than there is, the client of HDFS does not say so but panics.
        there = max(min(count, len(reader) - offset), 0)
        return cast(bytes, reader.read_range(offset, there)) if there else b""
    reader.seek(offset)
    return cast(bytes, reader.read(count))


def read_bytes(uri: str) -> bytes:
    with translated(uri), open_input(uri) as file:
        return file.read()


def first_bytes(uri: str, count: int) -> bytes:
    """So many from the start of a file, or all that it has; by one request to a server."""
    if is_local(uri):
        with translated(uri), open_input(uri) as file:
            return file.read(count)
    return retried(lambda: range_reader(uri)(0, count).tobytes(), uri)
