"""The bytes of a `.gz`, a piece at a time: memory is bounded however far the file inflates."""

import zlib
from collections.abc import Iterator

from studykit.errors import DataError
from studykit.storage import files
from studykit.storage.filesystems import translated

_COMPRESSED_BYTES = 1 << 20
_GZIP_FORMAT = 16 + zlib.MAX_WBITS


def inflate(uri: str, piece_bytes: int) -> Iterator[bytes]:
    """The bytes of a `.gz`, of one member or several, never more than `piece_bytes` at a time."""
    lines = 1
    with translated(uri), files.open_input(uri) as file:
        member, data = zlib.decompressobj(_GZIP_FORMAT), file.read(_COMPRESSED_BYTES)
        while data:
            try:
                piece = member.decompress(data, piece_bytes)
            except zlib.error as error:
                raise DataError(f"damaged gzip file: {error}", uri=uri, line=lines) from error
            lines += piece.count(b"\n")
            if piece:
                yield piece
            data = member.unused_data if member.eof else member.unconsumed_tail
            data = data or file.read(_COMPRESSED_BYTES)
            if member.eof:
                data = data.lstrip(b"\0")  # some writers pad the file with zeros
                member = zlib.decompressobj(_GZIP_FORMAT) if data else member
        if not member.eof:
            raise DataError("truncated gzip file: it ends in this line", uri=uri, line=lines)
