"""Write files so that nobody ever sees half of one.

The one idea: write beside the target under a hidden name, rename when complete. Readers skip
hidden names, so what a killed process leaves is never taken for data. The same holds on S3,
where closing an upload publishes it and Arrow has no way to abandon one
(https://github.com/apache/arrow/issues/40502): the unfinished object has the hidden name. There
the rename is a copy by the server, which S3 limits to 5 GB.
"""

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from typing import BinaryIO

from pyarrow import fs as arrow_fs

from studykit import filesystems
from studykit.files import make_folder
from studykit.filesystems import absolute
from studykit.filesystems import is_local
from studykit.filesystems import retried
from studykit.filesystems import storage_error
from studykit.filesystems import translated

# What says that the target's disk failed; any other OSError inside a writing block is not ours.
_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG, errno.EROFS)


def write_bytes(uri: str, data: bytes) -> None:
    """Write a whole file at once, or nothing."""
    with write_atomic(uri) as file:
        file.write(data)


@contextmanager
def write_atomic(uri: str) -> Iterator[BinaryIO]:
    """A binary file that appears under its name, with its folders, when the block ends well.

    Whatever ends the block early (an interrupt too) leaves the target as it was. StorageError
    where the target cannot be written or its disk is full.
    """
    target = absolute(uri)
    folder, _, name = target.rpartition("/")
    temporary = f"{folder}/.{name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    writing = _write_local if is_local(target) else _write_remote
    try:
        with writing(target, temporary) as file:
            yield file
    except OSError as error:
        if error.errno in _DISK_ERRORS:
            raise storage_error(error, target) from error
        raise


@contextmanager
def _write_local(target: str, temporary: str) -> Iterator[BinaryIO]:
    with translated(target):
        if os.path.isdir(target):
            raise IsADirectoryError(errno.EISDIR, "is a folder")
        os.makedirs(os.path.dirname(target), exist_ok=True)
        file = open(temporary, "xb")  # noqa: SIM115 - closed below, before the rename
    try:
        with file:
            yield file
            with translated(target):
                file.flush()
                os.fsync(file.fileno())
        with translated(target):
            os.replace(temporary, target)
            _sync_folder(os.path.dirname(target))
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _sync_folder(path: str) -> None:
    """Make the rename itself survive a power cut, where the file system lets us."""
    folder = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _write_remote(target: str, temporary: str) -> Iterator[BinaryIO]:
    files, path = filesystems.filesystem(target)
    _, hidden = filesystems.filesystem(temporary)
    make_folder(target.rpartition("/")[0])
    file = retried(lambda: files.open_output_stream(hidden), target)
    try:
        yield file
        with translated(target):
            file.close()
            _rename(files, hidden, path)
    except BaseException:
        with suppress(Exception):
            file.close()
        with suppress(Exception):
            files.delete_file(hidden)
        raise


def _rename(files: arrow_fs.FileSystem, source: str, target: str) -> None:
    if isinstance(files, arrow_fs.PyFileSystem):
        # The handler's own move cannot replace a file that is there already.
        files.handler.fs.mv(source, target, overwrite=True)
    else:
        files.move(source, target)
