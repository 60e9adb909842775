"""The oracle's own reader of edges: everything that the engines read, by other means.

Nothing of edges.py and studykit.text is used. Blocks of text are read whole, one by every core:
sign by sign where they are all digits (oracle_digits.py), else by Arrow as they are; where that
fails (blanks, quotes, 1.0, comments behind blanks), line by line by Python's csv module.
"""

import contextlib
import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from studykit import machine, storage
from studykit.errors import CheckError
from studykit.options import BAD_ROWS_SKIP
from studykit.run import Run
from studykit.storage import whole_lines

from twitter_pagerank import oracle_digits
from twitter_pagerank.oracle_layout import Layout, asked_columns, begin, is_edge
from twitter_pagerank.study import Parameters

READ_BYTES = 4_000_000
PARQUET_ROWS = 1_000_000

Ids = npt.NDArray[np.int64]
Block = tuple[Ids, Ids, bool]
"""Sources and destinations as they stand in the file, and whether edges count both ways."""
Made = TypeVar("Made")


def read_for(run: Run, use: Callable[[Ids, Ids], Made]) -> Iterator[Made]:
    """What `use` makes of sources and destinations, int64, block by block, as rank flows.

    Several threads call it.
    """

    def work(block: Callable[[], Block]) -> Made:
        sources, destinations, both_ways = block()
        if run.parameters.reverse:
            sources, destinations = destinations, sources
        if both_ways:
            ends = np.concatenate([sources, destinations]), np.concatenate([destinations, sources])
            return use(*ends)
        return use(sources, destinations)

    return whole_lines.over(work, _blocks(run), machine.cores())


def _blocks(run: Run) -> Iterator[Callable[[], Block]]:
    """What reads a block of the input, for every block."""
    parameters: Parameters = run.parameters
    skip = run.options.bad_rows == BAD_ROWS_SKIP
    for uri in storage.list_files(run.dataset.uri):
        of_file = _of_parquet if _first_bytes(uri) == b"PAR1" else _of_text
        yield from of_file(uri, parameters, skip)


def _first_bytes(uri: str) -> bytes:
    with storage.open_input(uri) as file:
        return file.read(4)


def _of_parquet(uri: str, parameters: Parameters, skip: bool) -> Iterator[Callable[[], Block]]:
    with storage.open_input(uri) as file:
        table = parquet.ParquetFile(file)
        names = table.schema_arrow.names
        asked = asked_columns(parameters) or names
        chosen = [name if name in names else names[int(name) - 1] for name in asked]
        for batch in table.iter_batches(PARQUET_ROWS, columns=chosen):
            yield partial(_of_batch, batch.select(chosen), parameters.undirected, skip)


def _of_batch(pairs: Any, undirected: bool, skip: bool) -> Block:
    if skip:
        pairs = pairs.filter(pc.and_(*map(_are_ids, pairs.columns)))
    sources, destinations = (column.cast(pa.int64()) for column in pairs.columns)
    return sources.to_numpy(), destinations.to_numpy(), undirected


def _are_ids(column: pa.Array) -> pa.Array:
    """Whether values are whole numbers from 0 on; null where one is missing."""
    right = pc.greater_equal(column, 0)
    if pa.types.is_floating(column.type):
        exact = 2.0 ** (53 if column.type == pa.float64() else 24)
        right = pc.and_(right, pc.equal(column, pc.floor(column)))
        right = pc.and_(right, pc.less_equal(column, exact))
    return right


def _of_text(uri: str, parameters: Parameters, skip: bool) -> Iterator[Callable[[], Block]]:
    layout = None
    with storage.open_inflated(uri) as file:
        for block in whole_lines.pieces(file, READ_BYTES):
            if layout is None:
                layout, block = begin(uri, block, parameters, skip)
            yield partial(_of_block, uri, block, layout, skip)


def _of_block(uri: str, block: bytes, layout: Layout, skip: bool) -> Block:
    pairs = _of_digits(block, layout)
    if pairs is None:
        pairs = _skipping(block, layout) if skip else _parse(uri, block, layout)
    return *pairs, layout.both_ways


def _of_digits(block: bytes, layout: Layout) -> tuple[Ids, Ids] | None:
    """None where lines are more than two numbers, or numbers have a limit."""
    if layout.columns != 2 or layout.most is not None:
        return None
    found = oracle_digits.pairs(block, layout.delimiter.encode() or b" ")
    return None if found is None else (found[layout.source], found[layout.destination])


def _parse(uri: str, block: bytes, layout: Layout) -> tuple[Ids, Ids]:
    try:
        return _parse_plain(block, layout)
    except pa.ArrowInvalid:
        pairs = _by_lines(block, layout)
        if None in pairs:
            raise CheckError(f"{uri}: not every line is an edge for the oracle") from None
        return _columns(pairs)


def _skipping(block: bytes, layout: Layout) -> tuple[Ids, Ids]:
    """The edges, without the lines that are none."""
    doubtful = any(mark in block for mark in (b'"', b"\0", b"0x", b"0X", b"-"))
    if not doubtful and block.count(b"\r") == block.count(b"\r\n") and layout.most is None:
        with contextlib.suppress(pa.ArrowInvalid):
            return _parse_plain(block, layout)
    return _columns(_by_lines(block, layout))


def _by_lines(block: bytes, layout: Layout) -> list[tuple[int, int] | None]:
    lines = io.BytesIO(block)
    return [layout.ends(line) for line in lines if is_edge(line.decode("utf-8", "replace"))]


def _columns(pairs: list[tuple[int, int] | None]) -> tuple[Ids, Ids]:
    table = np.array([pair for pair in pairs if pair is not None], np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _parse_plain(block: bytes, layout: Layout) -> tuple[Ids, Ids]:
    if b"#" in block or b"%" in block:
        block = re.sub(rb"(?m)^[ \t]*[#%][^\n]*\n?", b"", block)
    if not layout.delimiter:
        block = re.sub(rb"[ \t]+", b" ", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", block))
    if not block or block.isspace():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    names = [str(place) for place in range(layout.columns)]
    chosen = [str(layout.source), str(layout.destination)]
    table = arrow_csv.read_csv(
        pa.py_buffer(block),
        arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=len(block)),
        arrow_csv.ParseOptions(delimiter=layout.delimiter or " "),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(chosen, pa.int64()), include_columns=chosen, null_values=[]
        ),
    )
    return table[chosen[0]].to_numpy(), table[chosen[1]].to_numpy()
