"""The oracle's own reader of edges: everything that the engines read, by other means.

Nothing of edges.py and studykit.text is used. A file that an engine has read holds two ids in
every line, so the layout is the one with which all lines of its beginning do. Blocks of text are
read by Arrow as they are; where that fails (blanks, quotes, 1.0, comments behind blanks), line by
line by Python's csv module.
"""

import contextlib
import csv
import io
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv
from pyarrow import parquet
from studykit import storage
from studykit.errors import CheckError
from studykit.options import BAD_ROWS_SKIP
from studykit.run import Run
from studykit.storage import whole_lines

from twitter_pagerank import oracle_lines
from twitter_pagerank.study import Parameters

READ_BYTES = 64_000_000
PARQUET_ROWS = 4_000_000
LINES_LOOKED_AT = 200

Ids = npt.NDArray[np.int64]

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[-+]?[0-9]+\.")
_KONECT = re.compile(r"\s*%\s*sym(\s|$)")
_SNAP = re.compile(r"\s*[#%]\s*undirected\s+graph\b", re.I)
_BANNER = re.compile(r"\s*%%?MatrixMarket\s", re.I)
_VALUES = {"pattern": 0, "real": 1, "integer": 1, "complex": 2}
_NAMED = {
    **{"comma": ",", "semicolon": ";", "pipe": "|", "tab": "\t", "\\t": "\t"},
    **{"blanks": "", " ": ""},
}


@dataclass(frozen=True)
class Layout:
    """`delimiter` "" means runs of blanks and tabs; `skipped` are the lines before the edges."""

    delimiter: str
    columns: int
    source: int
    destination: int
    both_ways: bool = False
    skipped: int = 0
    most: int | None = None
    """The largest id that a matrix may have."""

    def ends(self, line: bytes) -> tuple[int, int] | None:
        """None where the line is no edge of this layout."""
        places = (self.source, self.destination)
        return oracle_lines.ends(line, self.delimiter, self.columns, places, self.most)


def read(run: Run) -> Iterator[tuple[Ids, Ids]]:
    """(sources, destinations) int64, block by block, as rank flows."""
    parameters: Parameters = run.parameters
    for uri in storage.list_files(run.dataset.uri):
        of_file = _of_parquet if _first_bytes(uri) == b"PAR1" else _of_text
        skip = run.options.bad_rows == BAD_ROWS_SKIP
        for sources, destinations, both_ways in of_file(uri, parameters, skip):
            if parameters.reverse:
                sources, destinations = destinations, sources
            yield sources, destinations
            if both_ways:
                yield destinations, sources


def _first_bytes(uri: str) -> bytes:
    with storage.open_input(uri) as file:
        return file.read(4)


def _of_parquet(uri: str, parameters: Parameters, skip: bool) -> Iterator[tuple[Ids, Ids, bool]]:
    with storage.open_input(uri) as file:
        table = parquet.ParquetFile(file)
        names = table.schema_arrow.names
        asked = _asked(parameters) or names
        chosen = [name if name in names else names[int(name) - 1] for name in asked]
        for batch in table.iter_batches(PARQUET_ROWS, columns=chosen):
            pairs = batch.select(chosen)
            if skip:
                pairs = pairs.filter(pc.and_(*map(_are_ids, pairs.columns)))
            sources, destinations = (column.cast(pa.int64()) for column in pairs.columns)
            yield sources.to_numpy(), destinations.to_numpy(), parameters.undirected


def _are_ids(column: pa.Array) -> pa.Array:
    """Whether values are whole numbers from 0 on; null where one is missing."""
    right = pc.greater_equal(column, 0)
    if pa.types.is_floating(column.type):
        exact = 2.0 ** (53 if column.type == pa.float64() else 24)
        right = pc.and_(right, pc.equal(column, pc.floor(column)))
        right = pc.and_(right, pc.less_equal(column, exact))
    return right


def _of_text(uri: str, parameters: Parameters, skip: bool) -> Iterator[tuple[Ids, Ids, bool]]:
    layout = None
    with storage.open_inflated(uri) as file:
        for block in whole_lines.pieces(file, READ_BYTES):
            if layout is None:
                layout, block = _begin(uri, block, parameters, skip)
            sources, destinations = _skipping(block, layout) if skip else _parse(uri, block, layout)
            yield sources, destinations, layout.both_ways


def _begin(uri: str, block: bytes, parameters: Parameters, skip: bool) -> tuple[Layout, bytes]:
    """The layout of a file from its first block, and what of that are edges."""
    block = block.removeprefix(b"\xef\xbb\xbf")
    lines = _lines(block)
    for _ in range(parameters.skip_lines):
        next(lines, None)
    before: list[str] = []
    data: list[str] = []
    stop = len(block)
    for line, begin in lines:
        if _is_edge(line):
            stop = begin if not data else stop
            data.append(line)
        elif not data and line.strip():
            before.append(line)
        if len(data) == LINES_LOOKED_AT:
            break
    layout = _layout(uri, before, data, parameters, skip)
    both_ways = layout.both_ways or parameters.undirected
    for _ in range(layout.skipped):
        stop = block.find(b"\n", stop) + 1 or len(block)
    return replace(layout, both_ways=both_ways), block[stop:]


def _lines(block: bytes) -> Iterator[tuple[str, int]]:
    """(line, where it begins)"""
    stream, begin = io.BytesIO(block), 0
    for line in stream:
        yield line.decode("utf-8", "replace").rstrip("\r\n"), begin
        begin += len(line)


def _is_edge(line: str) -> bool:
    return bool(line.strip()) and line.lstrip()[0] not in "#%" and not line.startswith("sep=")


def _layout(
    uri: str, before: list[str], data: list[str], parameters: Parameters, skip: bool
) -> Layout:
    """`before` are the comments before the lines of `data`."""
    if before and _BANNER.match(before[0]):
        _, _, _, field, symmetry = before[0].lower().split()
        most = int(data[0].split()[0])
        return Layout("", 2 + _VALUES[field], 0, 1, symmetry != "general", skipped=1, most=most)
    both_ways = bool(before and _KONECT.match(before[0])) or any(map(_SNAP.match, before))
    if not data:
        return Layout("", 2, 0, 1, both_ways)
    given = parameters.delimiter
    for delimiter in ",;|\t" if given is None else ():
        if found := _try(delimiter, data, parameters, skip):
            return replace(found, both_ways=both_ways)
    found = _try("" if given is None else _NAMED.get(given, given), data, parameters, skip)
    if found is None:
        raise CheckError(f"{uri}: the oracle does not know how its lines are made: {data[0]!r}")
    return replace(found, both_ways=both_ways)


def _try(delimiter: str, data: list[str], parameters: Parameters, skip: bool) -> Layout | None:
    """The layout with this delimiter, where every line but a header is an edge with it.

    Where wrong lines are skipped, most of them are enough.
    """
    rows = [oracle_lines.fields(line, delimiter) or line.split(delimiter) for line in data]
    names, columns = [name.strip(' \t"') for name in rows[0]], statistics.mode(map(len, rows[::-1]))
    asked = _asked(parameters) or ["1", "2"]
    if parameters.columns is None and columns != 2:
        return None
    numbers = [int(number) - 1 for number in asked if number.isdecimal()]
    if len(numbers) < 2:
        header = True
    else:
        header = not any(_NUMBER.fullmatch(names[n]) for n in numbers if n < len(names))
    places = []
    for name in asked:
        if header and parameters.columns is not None and names.count(name) == 1:
            places.append(names.index(name))
        elif name.isdecimal() and int(name) <= columns:
            places.append(int(name) - 1)
        else:
            return None
    layout = Layout(delimiter, columns, places[0], places[1], skipped=int(header))
    fits = [layout.ends(line.encode()) is not None for line in data[layout.skipped :]]
    return layout if all(fits) or (skip and 2 * sum(fits) > len(fits)) else None


def _asked(parameters: Parameters) -> list[str]:
    """--columns, one by one; none where it is not given."""
    return [name.strip() for name in next(csv.reader([parameters.columns or ""]), [])]


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
    return [layout.ends(line) for line in lines if _is_edge(line.decode("utf-8", "replace"))]


def _columns(pairs: list[tuple[int, int] | None]) -> tuple[Ids, Ids]:
    table = np.array([pair for pair in pairs if pair is not None], np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _parse_plain(block: bytes, layout: Layout) -> tuple[Ids, Ids]:
    if b"#" in block or b"%" in block:
        block = re.sub(rb"(?m)^[ \t]*[#%][^\n]*\n?", b"", block)
    if not layout.delimiter:
        block = re.sub(rb"[ \t]+", b" ", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", block))
    if not block.strip():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    names = [str(place) for place in range(layout.columns)]
    chosen = [str(layout.source), str(layout.destination)]
    table = arrow_csv.read_csv(
        io.BytesIO(block),
        arrow_csv.ReadOptions(column_names=names),
        arrow_csv.ParseOptions(delimiter=layout.delimiter or " "),
        arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(chosen, pa.int64()), include_columns=chosen, null_values=[]
        ),
    )
    return table[chosen[0]].to_numpy(), table[chosen[1]].to_numpy()
