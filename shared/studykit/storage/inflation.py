"""Compressed files: found by their first bytes, inflated a piece at a time.

The one idea: what a file is stands in its first bytes and not in its name, so a name decides
nothing here. Memory is bounded however far a file inflates. A file may be several compressed ones,
one behind the other (as `cat`, pigz, pbzip2 and pzstd make them), with zeros between as padding;
anything else behind a member is damage, never left out.

Sources: RFC 1952 (gzip), RFC 8878 (zstd), https://tukaani.org/xz/xz-file-format.txt (xz); bz2 has
no document but its source.
"""

import bz2
import io
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import pyarrow as pa

from studykit.errors import DataError
from studykit.storage import contents
from studykit.storage.failures import translated

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SIGNATURE_BYTES = 16
"""Enough of a file to know its compression."""
INFLATED_BYTES = 1 << 18  # at a time
STEP_BYTES = 1 << 13
"""Given to a decompressor at once. What comes of a step is lost where it ends in damage, so steps
are small: the line that is named then lies near the damage."""
MOST_MEMORY = 1 << 28
"""Bytes that xz may ask for, whose presets need 65 MB; zstd allows itself half of that."""

_SIGNATURES = {
    "gzip": re.compile(rb"\x1f\x8b"),
    "bz2": re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"),
    "xz": re.compile(rb"\xfd7zXZ\0"),
    "zstd": re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"),  # or a frame to be skipped
}


def compression_of(first_bytes: bytes) -> str | None:
    """What a file that begins so is compressed by: gzip, bz2, xz or zstd; None where by none."""
    fitting = (name for name, signature in _SIGNATURES.items() if signature.match(first_bytes))
    return next(fitting, None)


def compression(uri: str) -> str | None:
    """What a file is compressed by, None where by nothing; by one small request to a server."""
    return compression_of(contents.first_bytes(uri, SIGNATURE_BYTES))


def open_inflated(uri: str, buffer_bytes: int = contents.BUFFER_BYTES) -> io.BufferedReader:
    """A file's bytes, inflated where it is compressed; to be read from the start to the end.

    Use it as a context manager. DataError, as of `inflate`, where it comes to damage.
    """
    file = contents.open_input(uri, buffer_bytes)
    with translated(uri):
        found = compression_of(file.read(SIGNATURE_BYTES))
        file.seek(0)
    if found is None:
        return cast(io.BufferedReader, file)
    file.close()
    stream = _Stream(inflate(uri, found, INFLATED_BYTES))
    return io.BufferedReader(stream, INFLATED_BYTES)


class _Stream(io.RawIOBase):
    """Pieces as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        room = memoryview(buffer).cast("B")
        self._rest = self._rest or memoryview(next(self._pieces, b""))
        count = min(len(room), len(self._rest))
        room[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


def inflate(uri: str, by: str, at_most: int) -> Iterator[bytes]:
    """The inflated bytes of a file in pieces of `at_most` bytes or fewer, none of them empty.

    DataError with the line in which it is damaged or ends too early: the first one of which not
    all could be inflated.
    """
    line = 1
    with translated(uri), contents.open_input(uri) as raw:
        if by == "zstd":
            pieces = _zstd_pieces(raw, at_most)
        else:
            pieces = _pieces(raw, _DECOMPRESSORS[by], at_most)
        try:
            for piece in pieces:
                line += piece.count(b"\n")
                yield piece
        except _Damage as wrong:
            raise DataError(wrong.said_of(by), uri=uri, line=line) from wrong.__cause__


class _Damage(Exception):
    """What a decompressor says of bytes that it cannot inflate."""

    def said_of(self, compression: str) -> str:
        if "memory" in str(self).lower():
            return (
                f"a {compression} file that takes too much memory to inflate: compress it again"
                " with a smaller window (xz -9, zstd without --long)"
            )
        return f"damaged {compression} file: {self}; get or make it again"


class _Truncated(_Damage):
    def said_of(self, compression: str) -> str:
        return f"truncated {compression} file: it ends in this line; get or make it again"


class _Decompressor(Protocol):
    """Of one member of a file, as `bz2` and `lzma` have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the methods of the others."""

    def __init__(self) -> None:
        self._inflating = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inflating.eof

    @property
    def needs_input(self) -> bool:
        return not self._inflating.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inflating.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        return self._inflating.decompress(self._inflating.unconsumed_tail + data, max_length)


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _Gzip,
    "bz2": bz2.BZ2Decompressor,
    "xz": lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MOST_MEMORY),
}


def _pieces(raw: BinaryIO, member_of: Callable[[], _Decompressor], at_most: int) -> Iterator[bytes]:
    """Every member gets a decompressor of its own: Python's own files (`gzip`, `bz2`, `lzma`)
    take a damaged second one for the end of the file, or do not bound a piece."""
    compressed = b""
    while compressed := _behind_padding(compressed, raw):
        member = member_of()
        while not member.eof:
            if member.needs_input and not compressed:
                compressed = raw.read(STEP_BYTES)
                if not compressed:
                    raise _Truncated
            try:
                piece = member.decompress(compressed, at_most)
            except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
                raise _Damage(str(error)) from error
            compressed = b""
            if piece:
                yield piece
        compressed = member.unused_data


def _behind_padding(compressed: bytes, raw: BinaryIO) -> bytes:
    """The next bytes that are not zeros, of those that wait or of the file; none at its end."""
    while not (compressed := compressed.lstrip(b"\0")):
        compressed = raw.read(STEP_BYTES)
        if not compressed:
            break
    return compressed


class _Sips:
    """A file for Arrow, which would read 64 KB at once, that hands over few bytes at a time."""

    closed = False

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(STEP_BYTES if size < 0 else min(size, STEP_BYTES))

    def close(self) -> None:
        self.closed = True


def _zstd_pieces(raw: BinaryIO, at_most: int) -> Iterator[bytes]:
    """By Arrow, which has it for Parquet: Python has none before 3.14."""
    with pa.CompressedInputStream(pa.PythonFile(_Sips(raw), "r"), "zstd") as stream:
        while True:
            try:
                piece = stream.read(min(at_most, STEP_BYTES))
            except OSError as error:
                if error.errno is not None:  # The file's, not the decompressor's.
                    raise
                if "runcated" in str(error):
                    raise _Truncated from error
                raise _Damage(str(error)) from error
            if not piece:
                return
            yield piece
