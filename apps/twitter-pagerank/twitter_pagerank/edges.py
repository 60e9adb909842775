"""Reading edges: tables of any delimiter, SNAP text, MatrixMarket, Parquet; a file or a folder.

The one idea: almost every line is two runs of digits, which a compiled loop reads fast
(clean_lines.py). Where it stops, the slow reader of `studykit.text.delimited` goes on, which reads
what is unusual but right (quotes, blanks around numbers) and names the line of what is wrong.
How a file's lines are made is looked up in its first ones: matrix_market.py, table_head.py.

Formats: https://snap.stanford.edu/data (text), https://math.nist.gov/MatrixMarket/formats.html
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar, pages
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import arrow_csv, bad_rows, delimited, lines
from studykit.text.bad_rows import BadRows, Take
from studykit.text.lines import Line

from twitter_pagerank import edge_tables, matrix_market, table_head, vertex_ids
from twitter_pagerank.clean_lines import ANY_BLANKS, parse
from twitter_pagerank.edge_format import COMMENT, EdgeFormat, Reading
from twitter_pagerank.vertex_ids import WrongId

AS_IT_IS = Reading()
LARGEST_HEAD_BYTES = 1 << 30
SUB_BLOCK_BYTES = 8 << 20
NARROW = 2**32 - 1
MOST_LINES = 1 << 16
"""Judged at once where some may be left out: one first, and more while all are right."""
SMALLEST_LINE_BYTES = len("0,1\n")

Ids = npt.NDArray[np.uint32] | npt.NDArray[np.int64]


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


def formats(uris: list[str], reading: Reading = AS_IT_IS) -> dict[str, EdgeFormat]:
    """Look at the head of every file. DataError where a file holds no edge or is not understood."""
    return {uri: sniff(uri, reading) for uri in uris}


def sniff(uri: str, reading: Reading = AS_IT_IS) -> EdgeFormat:
    """The format of one file, from its first lines and what the user says of it."""
    form = edge_tables.look(uri, reading) if columnar.is_parquet(uri) else _of_text(uri, reading)
    form = dataclasses.replace(form, skip_bad=reading.skip_bad)
    return dataclasses.replace(form, undirected="--undirected") if reading.undirected else form


def _of_text(uri: str, reading: Reading) -> EdgeFormat:
    head = _head(uri, reading.skip_lines)
    filled = [line for line in head if line.text.strip()]
    if not filled:
        behind = f" behind {reading.skip_lines} lines" if reading.skip_lines else ""
        raise DataError(f"no edges: the file is empty{behind}", uri=uri)
    if matrix_market.has_banner(filled[0]):
        return matrix_market.read_head(uri, filled, reading)
    return table_head.read_head(uri, head, reading)


def _head(uri: str, skipped: int) -> list[Line]:
    """Lines from behind the skipped ones up to data, however long the comments before it are."""
    size, stop = lines.HEAD_BYTES, -1
    while True:
        head = lines.head(uri, size)
        wanted = head[skipped:]
        if any(map(table_head.is_data, wanted)) or not head or head[-1].stop == stop:
            return wanted
        size, stop = min(16 * size, LARGEST_HEAD_BYTES), head[-1].stop


def read(split: Split, form: EdgeFormat, bad: BadRows | None = None) -> Iterator[EdgeChunk]:
    """The edges of one split, as they stand in the file; lines that are left out go to `bad`."""
    bad = BadRows() if bad is None else bad
    take = bad.take if form.skip_bad else bad_rows.refuse
    if isinstance(split, RowGroups):
        yield from (EdgeChunk(*part) for part in edge_tables.read(split, form.ends, take))
        return
    for block in lines.blocks_from(split, form.body):
        data, offset, start, few = block.data, block.offset, 0, 1
        while start < len(data):
            if _may_be_clean(form):
                chunk, read = _clean(Block(data[start:], offset + start), np.uint32, form, NARROW)
                if _outside(chunk, form) is None:
                    yield chunk
                else:
                    wrong = Block(data[start : start + read], offset + start)
                    yield from _judged(wrong, form, split, take)
                start += read
            if start < len(data):
                # Where lines may be left out, the compiled loop goes on behind the next one.
                stop = lines.line_end(data, start + SUB_BLOCK_BYTES)
                stop = lines.line_end(data, start, few) if form.skip_bad else stop
                before = bad.count
                yield from _judged(Block(data[start:stop], offset + start), form, split, take)
                few = min(2 * few, MOST_LINES) if bad.count == before else 1
                start = stop


def _judged(block: Block, form: EdgeFormat, split: Split, take: Take) -> Iterator[EdgeChunk]:
    """The edges of whole lines, of which some may be wrong."""
    return bad_rows.read_rows(block, lambda some: _read_any(some, form, split), take)


def flow(
    split: Split, form: EdgeFormat, reverse: bool, bad: BadRows | None = None
) -> tuple[list[EdgeChunk], int]:
    """The edges of one split as rank flows, and how many lines they were.

    Turned where the file's point against it (`reverse`); both ways, but for self-loops, where the
    file is undirected.
    """
    chunks, count = [], 0
    for chunk in read(split, form, bad):
        count += len(chunk)
        turned = EdgeChunk(chunk.destinations, chunk.sources, chunk.largest)
        chunks.append(turned if reverse and not form.undirected else chunk)
        if form.undirected:
            there = chunk.sources != chunk.destinations
            back = chunk.destinations[there], chunk.sources[there]
            chunks.append(EdgeChunk(*back, chunk.largest))
    return chunks, count


def _may_be_clean(form: EdgeFormat) -> bool:
    """Whether the compiled loop knows such lines: two ids, perhaps a number behind them."""
    pair = len(form.names) == 2
    return pair or (form.delimiter is None and len(form.names) == 3 and form.places == (0, 1))


def _clean(block: Block, kind: type, form: EdgeFormat, widest: int) -> tuple[EdgeChunk, int]:
    """The clean lines with which a block begins, and how many bytes they are: perhaps not all."""
    # Room for as many edges as there can be; what is not filled never becomes memory.
    capacity = len(block.data) // SMALLEST_LINE_BYTES + 1
    columns: tuple[Ids, Ids] = pages.empty((capacity,), kind), pages.empty((capacity,), kind)
    delimiter = ANY_BLANKS if form.delimiter is None else np.uint8(ord(form.delimiter))
    count, read, largest = parse(block.data, *columns, delimiter, len(form.names) > 2, widest)
    source, destination = (columns[place][:count] for place in form.places)
    return EdgeChunk(source, destination, int(largest)), int(read)


def _read_any(block: Block, form: EdgeFormat, split: Split) -> EdgeChunk:
    """A wide id, further columns, or something that only the slow reader can judge."""
    if _may_be_clean(form):
        clean, stopped = _clean(block, np.int64, form, 10**18)
        chunk = EdgeChunk(clean.sources.copy(), clean.destinations.copy(), clean.largest)
    else:
        chunk, stopped = EdgeChunk(np.empty(0, np.int64), np.empty(0, np.int64), -1), 0
    if stopped < len(block.data):
        rest = Block(block.data[stopped:], block.offset + stopped)
        chunk = _joined(chunk, _read_slowly(rest, form, split))
    outside = _outside(chunk, form)
    if outside is not None:
        reason, name = outside
        raise DataError(reason, uri=split.uri, column=name)
    return chunk


def _joined(first: EdgeChunk, second: EdgeChunk) -> EdgeChunk:
    if not len(first):
        return second
    return EdgeChunk(
        np.concatenate([first.sources, second.sources]),
        np.concatenate([first.destinations, second.destinations]),
        max(first.largest, second.largest),
    )


def _dialect(form: EdgeFormat) -> delimited.Dialect:
    return delimited.Dialect(form.delimiter, comment=COMMENT)


def _read_slowly(block: Block, form: EdgeFormat, split: Split) -> EdgeChunk:
    """By Arrow as integers, and where they are not all plain, as text that is looked at."""
    names, ends = list(form.names), form.ends
    integers = pa.schema([(name, pa.int64()) for name in ends])
    table = arrow_csv.read(block.data.tobytes(), _dialect(form), integers, names)
    columns = [] if table is None else [table.column(name).to_numpy() for name in ends]
    if table is None or any(len(column) and column.min() < 0 for column in columns):
        text = pa.schema([(name, pa.string()) for name in ends])
        table = delimited.read(block, _dialect(form), text, split, names)
        columns = _ids_of_text(table, split)
    largest = max((int(column.max()) for column in columns if len(column)), default=-1)
    kind = np.uint32 if largest < 2**32 else np.int64
    return EdgeChunk(columns[0].astype(kind), columns[1].astype(kind), largest)


def _ids_of_text(table: pa.Table, split: Split) -> list[npt.NDArray[np.int64]]:
    """Two columns of text → of ids. DataError where a field is none: whose line is wrong is known
    where that is the only one."""
    columns = []
    for name in table.column_names:
        try:
            columns.append(vertex_ids.parse(table.column(name)))
        except WrongId as wrong:
            raise DataError(str(wrong), uri=split.uri, column=name) from None
    return columns


def _outside(chunk: EdgeChunk, form: EdgeFormat) -> tuple[str, str] | None:
    """What is wrong, and in which column, where an id is none of those that a matrix declares."""
    if form.vertices is None:
        return None
    for name, ids in (("row", chunk.sources), ("column", chunk.destinations)):
        outside = (ids < 1) | (ids > form.vertices)
        if outside.any():
            wrong = ids[int(np.argmax(outside))]
            return f"id {wrong} lies outside the declared 1 … {form.vertices}", name
    return None
