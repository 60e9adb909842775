"""Reading follower edges: CSV, SNAP text, MatrixMarket and Parquet, one file or a folder.

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
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block
from studykit.storage import Split
from studykit.text import delimited
from studykit.text import lines
from studykit.text.lines import Line

from twitter_pagerank import edge_tables
from twitter_pagerank.clean_lines import parse

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
    columns: tuple[str, str] = ("", "")
    """Names of source and destination (Parquet only)."""


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
    if columnar.is_parquet(uri):
        return EdgeFormat("parquet", None, columns=edge_tables.columns(uri))
    head = lines.head(uri)
    if not any(line.text.strip() for line in head):
        raise DataError("no edges: the file is empty", uri=uri)
    if head[0].text.startswith(b"%%MatrixMarket"):
        return _matrix_market(uri, head)
    for line in head:
        if not line.text.strip() or line.text[:1] in b"#%":
            continue
        delimiter = "," if b"," in line.text else None
        fields = line.text.split(b",") if delimiter else line.text.split()
        if len(fields) != 2:
            raise DataError(
                f"expected 2 columns (source and destination), found {len(fields)}",
                uri=uri,
                line=line.number,
            )
        header = delimiter == "," and not any(_begins_like_a_number(field) for field in fields)
        body = line.stop if header else head[0].start
        return EdgeFormat("csv" if delimiter else "snap", delimiter, body=body)
    # Nothing but comments in the head: what follows them is SNAP text or nothing.
    return EdgeFormat("snap", None, body=head[0].start)


def _begins_like_a_number(field: bytes) -> bool:
    return field.strip(b" \t\"'")[:1] in b"0123456789+-." and bool(field.strip(b" \t\"'"))


def _matrix_market(uri: str, head: list[Line]) -> EdgeFormat:
    banner = head[0].text.decode("ascii", "replace").lower().split()
    if len(banner) != 5 or banner[1] != "matrix" or banner[2] != "coordinate":
        raise DataError("expected '%%MatrixMarket matrix coordinate …'", uri=uri, line=1)
    fields = {"pattern": 0, "real": 1, "integer": 1, "complex": 2}
    if banner[3] not in fields:
        raise DataError(f"unknown MatrixMarket field '{banner[3]}'", uri=uri, line=1)
    if banner[4] not in ("general", "symmetric", "skew-symmetric", "hermitian"):
        raise DataError(f"unknown MatrixMarket symmetry '{banner[4]}'", uri=uri, line=1)
    for line in head:
        if not line.text.strip() or line.text.startswith(b"%"):
            continue
        sizes = line.text.split()
        if len(sizes) != 3 or not all(size.isdigit() for size in sizes):
            raise DataError("expected 'rows columns entries'", uri=uri, line=line.number)
        rows, columns, entries = map(int, sizes)
        return EdgeFormat(
            "mtx",
            None,
            body=line.stop,
            values=fields[banner[3]],
            symmetric=banner[4] != "general",
            vertices=max(rows, columns),
            entries=entries,
        )
    raise DataError("no line 'rows columns entries' after the comments", uri=uri)


def read(split: Split, form: EdgeFormat) -> Iterator[EdgeChunk]:
    """The edges of one split, as they stand in the file."""
    if isinstance(split, RowGroups):
        yield from (EdgeChunk(*part) for part in edge_tables.read(split, form.columns))
        return
    for block in lines.blocks_from(split, form.body):
        data, offset, start = block.data, block.offset, 0
        while start < len(data):
            chunk, read = _read_narrow(Block(data[start:], offset + start), form, split)
            yield chunk
            start += read
            if start < len(data):
                stop = lines.line_end(data, start + SUB_BLOCK_BYTES)
                yield _read_any(Block(data[start:stop], offset + start), form, split)
                start = stop


def flow(split: Split, form: EdgeFormat, reverse: bool) -> tuple[list[EdgeChunk], int]:
    """The edges of one split as rank flows, and how many lines they were.

    Turned where the file's point against it (`reverse`), both ways where the file is symmetric.
    """
    chunks, count = [], 0
    for chunk in read(split, form):
        count += len(chunk)
        turned = EdgeChunk(chunk.destinations, chunk.sources, chunk.largest)
        chunks.append(turned if reverse and not form.symmetric else chunk)
        if form.symmetric:
            mirrored = chunk.destinations.copy(), chunk.sources.copy()
            chunks.append(EdgeChunk(*mirrored, chunk.largest))
    return chunks, count


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
    return delimited.Dialect(form.delimiter, comment=b"#%")


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
