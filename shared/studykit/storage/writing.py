"""Write files so that nobody ever sees half of one.

The one idea: on a disk and in HDFS, write beside the target under a hidden name and rename when
complete; readers skip hidden names, so what a killed process leaves is never taken for data. On
S3 an upload in parts is no object before it is completed, so there nothing has to be renamed: it
is completed, or abandoned.
"""

import errno
import io
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from studykit.storage import filesystems
from studykit.storage.failures import answered, retried, storage_error, translated
from studykit.storage.filesystems import absolute, scheme

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

PART_BYTES = 32_000_000
"""Of an upload to S3, which has at most 10,000 parts: objects of up to 320 GB."""

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
    with _WRITERS[scheme(target)](target) as file:
        yield file


def hidden(target: str) -> str:
    """A name beside the target that no reader sees."""
    folder, _, name = target.rpartition("/")
    return f"{folder}/.{name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"


def hides(name: str, target: str) -> bool:
    """Whether a file's or folder's name is such a one, of the target's name."""
    return bool(re.fullmatch(rf"\.{re.escape(target)}\.[0-9]+-[0-9a-f]{{8}}\.tmp", name))


@contextmanager
def _write_local(target: str) -> Iterator[BinaryIO]:
    temporary = hidden(target)
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
            sync_folder(os.path.dirname(target))
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
            raise storage_error(error, target) from error
        raise


def sync_folder(path: str) -> None:
    """Make the rename itself survive a power cut, where the file system lets us."""
    folder = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(folder)
    finally:
        os.close(folder)


class _Remote(io.BufferedIOBase):
    """A file on a server, whose failures while it is written are StorageErrors of its URI."""

    def __init__(self, file: Any, uri: str) -> None:
        self._file, self._uri, self._position = file, uri, 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: "ReadableBuffer") -> int:
        count = memoryview(data).nbytes
        with translated(self._uri):
            self._file.write(data)
        self._position += count
        return count


@contextmanager
def _write_hdfs(target: str) -> Iterator[BinaryIO]:
    temporary = hidden(target)
    files, path = filesystems.filesystem(target)
    hidden_path = filesystems.filesystem(temporary)[1]
    client = files.handler.fs  # Arrow's own move does not replace a file that is there already.
    folder = os.path.dirname(path)
    retried(lambda: files.create_dir(folder, recursive=True), os.path.dirname(target))
    file = retried(lambda: client.open(hidden_path, "wb"), target)
    try:
        yield cast(BinaryIO, _Remote(file, target))
        with translated(target):
            answered(file.close, target)
            answered(lambda: client.mv(hidden_path, path, overwrite=True), target)
    except BaseException:
        with suppress(Exception):
            answered(file.close, target)
        with suppress(Exception):
            answered(lambda: files.delete_file(hidden_path), target)
        raise


class _Upload:
    """An object in the making: parts that nobody sees before `complete`, or never."""

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._place = client, {"Bucket": bucket, "Key": key}
        self._waiting = bytearray()
        self._parts: list[dict[str, Any]] = []
        self._id: str | None = None

    def write(self, data: "ReadableBuffer") -> None:
        self._waiting += memoryview(data).cast("B")
        while len(self._waiting) >= PART_BYTES:
            self._send(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]

    def _send(self, part: bytes) -> None:
        if self._id is None:
            self._id = self._client.create_multipart_upload(**self._place)["UploadId"]
        number = len(self._parts) + 1
        sent = self._client.upload_part(
            **self._place, UploadId=self._id, PartNumber=number, Body=part
        )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})

    def complete(self) -> None:
        if self._id is None:
            self._client.put_object(**self._place, Body=bytes(self._waiting))
            return
        if self._waiting:
            self._send(bytes(self._waiting))
        self._client.complete_multipart_upload(
            **self._place, UploadId=self._id, MultipartUpload={"Parts": self._parts}
        )

    def abandon(self) -> None:
        if self._id is not None:
            self._client.abort_multipart_upload(**self._place, UploadId=self._id)


@contextmanager
def _write_s3(target: str) -> Iterator[BinaryIO]:
    bucket, _, key = filesystems.filesystem(target)[1].partition("/")
    with translated(target):
        upload = _Upload(filesystems.upload_client(), bucket, key)
    try:
        yield cast(BinaryIO, _Remote(upload, target))
        with translated(target):
            upload.complete()
    except BaseException:
        with suppress(Exception):
            upload.abandon()
        raise


_WRITERS = {"file": _write_local, "hdfs": _write_hdfs, "s3": _write_s3}
