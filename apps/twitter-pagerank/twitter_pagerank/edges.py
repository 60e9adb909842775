"""Reading follower edges: CSV, SNAP text and MatrixMarket, plain or gzipped, one file or a folder.

The one idea: almost every line is two runs of digits, which a compiled loop reads fast
(clean_lines.py). Where it stops, the slow reader of `studykit.text.delimited` goes on, which reads
what is unusual but right (quotes, blanks around numbers) and names the line of what is wrong.

Formats: https://snap.stanford.edu/data (text), https://math.nist.gov/MatrixMarket/formats.html
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import storage
from studykit.errors import DataError
from studykit.storage import Block
from studykit.storage import Split
from studykit.text import delimited

from twitter_pagerank.clean_lines import parse

HEAD_BYTES = 1 << 16
SUB_BLOCK_BYTES = 8 << 20
SMALLEST_LINE_BYTES = len("0,1\n")

Ids = npt.NDArray[np.uint32] | npt.NDArray[np.int64]


@dataclass(frozen=True)
class EdgeFormat:
    """How the lines of one file are to be read.

    `body` is the offset of the first byte that can belong to an edge. `values` is the number of
    fields after the two ids (MatrixMarket only); they are not used. A symmetric file lists each
    edge once and means both directions.
    """

    kind: str
    delimiter: str | None
    body: int = 0
    values: int = 0
    symmetric: bool = False
    vertices: int | None = None
    entries: int | None = None


@dataclass
class EdgeChunk:
    """Some edges: `sources` and `destinations`, equally long, uint32 or (past 2^32) int64.

    `largest` is the largest id, -1 in an empty chunk.
    """

    sources: Ids
    destinations: Ids
    largest: int

    def __len__(self) -> int:
        return len(self.sources)


def formats(uris: list[str]) -> dict[str, EdgeFormat]:
    """Look at the head of every file. DataError where a file holds no edge or is not understood."""
    return {uri: sniff(uri) for uri in uris}


def sniff(uri: str) -> EdgeFormat:
    """The format of one file, from its first lines."""
    head = _head(uri)
    if not head.strip(b"\xef\xbb\xbf\r\n\t "):
        raise DataError("no edges: the file is empty", uri=uri)
    if head.startswith(b"%%MatrixMarket"):
        return _matrix_market(uri, head)
    bom = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    for start, number, line in _lines(head, bom):
        if not line.strip() or line[:1] in b"#%":
            continue
        delimiter = "," if b"," in line else None
        fields = line.split(b",") if delimiter else line.split()
        if len(fields) != 2:
            raise DataError(
                f"expected 2 columns (source and destination), found {len(fields)}",
                uri=uri,
                line=number,
            )
        header = delimiter == "," and not any(_begins_like_a_number(field) for field in fields)
        body = start + len(line) + 1 if header else bom
        return EdgeFormat("csv" if delimiter else "snap", delimiter, body=body)
    # Nothing but comments in the head: what follows them is SNAP text or nothing.
    return EdgeFormat("snap", None, body=bom)


def _head(uri: str) -> bytes:
    entry = storage.look(uri)
    split = Split(uri, 0, min(HEAD_BYTES, entry.size), entry.size, entry.version)
    for block in storage.read_blocks(split, HEAD_BYTES):
        return block.data.tobytes()
    return b""


def _begins_like_a_number(field: bytes) -> bool:
    return field.strip(b" \t\"'")[:1] in b"0123456789+-." and bool(field.strip(b" \t\"'"))


def _lines(head: bytes, start: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """(offset, number from 1, line without its end) of each line of the head."""
    for number, line in enumerate(head[start:].split(b"\n"), start=1):
        yield start, number, line.rstrip(b"\r")
        start += len(line) + 1


def _matrix_market(uri: str, head: bytes) -> EdgeFormat:
    banner = head.split(b"\n", 1)[0].decode("ascii", "replace").lower().split()
    if len(banner) != 5 or banner[1] != "matrix" or banner[2] != "coordinate":
        raise DataError("expected '%%MatrixMarket matrix coordinate …'", uri=uri, line=1)
    fields = {"pattern": 0, "real": 1, "integer": 1, "complex": 2}
    if banner[3] not in fields:
        raise DataError(f"unknown MatrixMarket field '{banner[3]}'", uri=uri, line=1)
    if banner[4] not in ("general", "symmetric", "skew-symmetric", "hermitian"):
        raise DataError(f"unknown MatrixMarket symmetry '{banner[4]}'", uri=uri, line=1)
    for start, number, line in _lines(head):
        if number == 1 or not line.strip() or line.startswith(b"%"):
            continue
        sizes = line.split()
        if len(sizes) != 3 or not all(size.isdigit() for size in sizes):
            raise DataError("expected 'rows columns entries'", uri=uri, line=number)
        rows, columns, entries = map(int, sizes)
        return EdgeFormat(
            "mtx",
            None,
            body=start + len(line) + 1,
            values=fields[banner[3]],
            symmetric=banner[4] != "general",
            vertices=max(rows, columns),
            entries=entries,
        )
    raise DataError("no line 'rows columns entries' after the comments", uri=uri)


def read(split: Split, form: EdgeFormat) -> Iterator[EdgeChunk]:
    """The edges of one split, as they stand in the file."""
    for block in storage.read_blocks(split):
        data, offset = block.data, block.offset
        if offset < form.body:
            data, offset = data[form.body - offset :], form.body
        start = 0
        while start < len(data):
            chunk, read = _read_narrow(Block(data[start:], offset + start), form, split)
            yield chunk
            start += read
            if start < len(data):
                stop = _line_end(data, start + SUB_BLOCK_BYTES)
                yield _read_any(Block(data[start:stop], offset + start), form, split)
                start = stop


def _line_end(data: npt.NDArray[np.uint8], position: int) -> int:
    """The end of the line that holds byte `position`."""
    while position < len(data):
        found = np.flatnonzero(data[position : position + 4096] == 10)
        if len(found):
            return position + int(found[0]) + 1
        position += 4096
    return len(data)


def _buffers(block: Block, kind: type) -> tuple[Ids, Ids]:
    """Room for as many edges as there can be; what is not filled never becomes memory."""
    capacity = len(block.data) // SMALLEST_LINE_BYTES + 1
    return np.empty(capacity, kind), np.empty(capacity, kind)


def _read_narrow(block: Block, form: EdgeFormat, split: Split) -> tuple[EdgeChunk, int]:
    """Clean lines with ids below 2^32, and how many bytes they are: perhaps not all."""
    columns = _buffers(block, np.uint32)
    count, read, largest = parse(
        block.data, *columns, form.delimiter == ",", form.values > 0, 2**32 - 1
    )
    chunk = EdgeChunk(columns[0][:count], columns[1][:count], int(largest))
    _check_matrix_ids(chunk, Block(block.data[: int(read)], block.offset), form, split)
    return chunk, int(read)


def _read_any(block: Block, form: EdgeFormat, split: Split) -> EdgeChunk:
    """A wide id, or something that only the slow reader can judge."""
    columns = _buffers(block, np.int64)
    count, stopped, largest = parse(
        block.data, *columns, form.delimiter == ",", form.values > 0, 10**18
    )
    chunk = EdgeChunk(columns[0][:count].copy(), columns[1][:count].copy(), int(largest))
    if stopped < len(block.data):
        rest = Block(block.data[stopped:], block.offset + int(stopped))
        chunk = _joined(chunk, _read_slowly(rest, form, split))
    _check_matrix_ids(chunk, block, form, split)
    return chunk


def _joined(first: EdgeChunk, second: EdgeChunk) -> EdgeChunk:
    return EdgeChunk(
        np.concatenate([first.sources, second.sources]),
        np.concatenate([first.destinations, second.destinations]),
        max(first.largest, second.largest),
    )


def _dialect(form: EdgeFormat) -> delimited.Dialect:
    return delimited.Dialect(delimiter=form.delimiter, header=False, comment=b"#%")


def _read_slowly(block: Block, form: EdgeFormat, split: Split) -> EdgeChunk:
    fields = [("source", pa.int64()), ("destination", pa.int64())]
    fields += [(f"value {number + 1}", pa.float64()) for number in range(form.values)]
    table = delimited.read(block, _dialect(form), pa.schema(fields), split)
    sources, destinations = (table.column(place).to_numpy() for place in (0, 1))
    for name, column in (("source", sources), ("destination", destinations)):
        if len(column) and column.min() < 0:
            row = int(np.argmax(column < 0))
            line = delimited.line_of_row(block, _dialect(form), split, row)
            raise DataError(f"negative id {column[row]}", uri=split.uri, line=line, column=name)
    largest = max(
        (int(column.max()) for column in (sources, destinations) if len(column)), default=-1
    )
    return EdgeChunk(sources, destinations, largest)


def _check_matrix_ids(chunk: EdgeChunk, block: Block, form: EdgeFormat, split: Split) -> None:
    if form.vertices is None:
        return
    for name, ids in (("row", chunk.sources), ("column", chunk.destinations)):
        outside = (ids < 1) | (ids > form.vertices)
        if outside.any():
            row = int(np.argmax(outside))
            line = delimited.line_of_row(block, _dialect(form), split, row)
            raise DataError(
                f"id {ids[row]} lies outside the declared 1 … {form.vertices}",
                uri=split.uri,
                line=line,
                column=name,
            )
