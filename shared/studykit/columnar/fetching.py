"""The wanted columns of row groups on a server, as a file whose next bytes are fetched already.

The one idea is that of `storage.reading`: a server answers late and slowly to one request and well
to several. The footer says which bytes will be wanted, so they are asked for in pieces, a few
ahead of the decoder, which takes a piece of each column by turns. A piece is let go once it has
been read: memory is bounded, however large a row group is.
"""

import bisect
import itertools
from collections.abc import Iterable
from typing import NamedTuple

from pyarrow import parquet

from studykit.storage import contents
from studykit.storage.ahead import Ahead
from studykit.storage.failures import retried
from studykit.storage.reading import PIECE_BYTES, READS_AT_ONCE
from studykit.storage.splitting import Bytes

BUFFER_BYTES = 1 << 20
"""Of each column, read at once by the decoder."""
GAP_BYTES = 1 << 20
"""Between two columns, read along rather than asked for apart."""


class Piece(NamedTuple):
    """The bytes [start, stop), of which so many are wanted."""

    start: int
    stop: int
    wanted: int


def pieces(
    footer: parquet.FileMetaData, groups: Iterable[int], columns: frozenset[str]
) -> list[Piece]:
    """What the decoder will read of these columns, in the order in which it will."""
    found: list[Piece] = []
    for group in groups:
        by_column = [_cut(joined) for joined in _joined(footer.row_group(group), columns)]
        for turn in itertools.zip_longest(*by_column):
            found += [piece for piece in turn if piece is not None]
    return found


def _cut(whole: Piece) -> list[Piece]:
    if whole.stop - whole.start <= PIECE_BYTES:
        return [whole]
    return [
        Piece(start, stop, stop - start)
        for start in range(whole.start, whole.stop, PIECE_BYTES)
        for stop in [min(start + PIECE_BYTES, whole.stop)]
    ]


def _joined(group: parquet.RowGroupMetaData, columns: frozenset[str]) -> list[Piece]:
    """Small columns that lie near each other are one piece."""
    joined: list[Piece] = []
    for start, stop in sorted(_chunks(group, columns)):
        last = joined[-1] if joined else None
        if last is not None and start - last.stop <= GAP_BYTES and stop - last.start <= PIECE_BYTES:
            joined[-1] = Piece(last.start, stop, last.wanted + stop - start)
        else:
            joined.append(Piece(start, stop, stop - start))
    return joined


def _chunks(group: parquet.RowGroupMetaData, columns: frozenset[str]) -> list[tuple[int, int]]:
    chunks = (group.column(place) for place in range(group.num_columns))
    wanted = [chunk for chunk in chunks if chunk.path_in_schema in columns]
    return [(first_byte(c), first_byte(c) + c.total_compressed_size) for c in wanted]


def first_byte(chunk: parquet.ColumnChunkMetaData) -> int:
    """A column's dictionary stands before its data."""
    dictionary, data = chunk.dictionary_page_offset, chunk.data_page_offset
    return int(data if not dictionary else min(dictionary, data))


class FetchedFile(contents.RemoteFile):
    """A file on a server for Arrow's decoder, with pieces of it fetched ahead."""

    def __init__(self, uri: str, size: int, ahead: list[Piece]) -> None:
        super().__init__(uri, size)
        self._pieces = sorted(ahead)
        self._held: dict[Piece, Bytes] = {}
        self._unread: dict[Piece, int] = {}
        self._ahead = Ahead(ahead, self._fetch, READS_AT_ONCE)

    def read(self, size: int | None = -1) -> bytes:
        stop = self._size if size is None or size < 0 else min(self._position + size, self._size)
        parts: list[Bytes] = []
        while self._position < stop:
            part = self._part(self._position, stop)
            parts.append(part)
            self._position += len(part)
        return b"".join(part.data for part in parts)

    def close(self) -> None:
        self._held.clear()
        self._ahead.close()
        super().close()

    def _part(self, start: int, stop: int) -> Bytes:
        """From `start` on to `stop` or to where a piece begins or ends."""
        place = bisect.bisect_right(self._pieces, start, key=lambda piece: piece.start)
        if place and start < self._pieces[place - 1].stop:
            return self._of_piece(self._pieces[place - 1], start, stop)
        if place < len(self._pieces):
            stop = min(stop, self._pieces[place].start)
        return self._fetch(Piece(start, stop, stop - start))

    def _of_piece(self, piece: Piece, start: int, stop: int) -> Bytes:
        if piece not in self._held:
            self._held[piece] = self._ahead.take(piece)
            self._unread[piece] = piece.wanted
        data = self._held[piece][start - piece.start : stop - piece.start]
        self._unread[piece] -= len(data)
        if self._unread[piece] <= 0:
            del self._held[piece]
        return data

    def _fetch(self, piece: Piece) -> Bytes:
        def fetch() -> Bytes:
            count = piece.stop - piece.start
            data = contents.range_reader(self._uri)(piece.start, count)
            if len(data) < count:
                raise OSError("the server sent less than it has")
            return data

        return retried(fetch, self._uri)
