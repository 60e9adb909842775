"""Reading rows of CSV with a header, or of Parquet: an id, numbers and a category, by their names.

The one idea: almost every line is plain, and a compiled loop reads those (clean_lines.py) straight
out of the split's bytes, a few thousand rows at a time, which stay in the cache until the kernel
has used them. What the loop will not judge goes line by line through the exact reader of
`studykit.text.delimited`, which reads what is unusual but right (quotes, blanks, more digits than a
double keeps) and names the line of what is wrong.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, lines
from studykit.text.bad_rows import BadRows
from studykit.text.dialects import DELIMITERS

from ray_vs_dask_etl import row_tables
from ray_vs_dask_etl.clean_lines import CATEGORY, FIRST_VALUE, ID, SKIPPED, parse

CHUNK_VALUES = 1 << 15
"""Numbers of a chunk: 256 KB, a share of a core's second cache."""
TABLE_ROWS = 1 << 16
"""Of Parquet, decoded at once."""
FIRST_BYTES = 1 << 18
"""Looked at before all are read."""
MOST_LINES_AT_ONCE = 1 << 16
"""Given to the exact reader, which gets a line or two first and more while they come often."""
RARE = 1000
"""Clean lines from one that is not to the next, from which a call of the exact reader pays off."""
MOST_CATEGORIES = 256
NO_ROWS = "no rows: nothing but a header or blank lines"

Ids = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Columns:
    """What is read: the names of the id, of the numbers and of the category, and what that knows.

    A row's code is the place of its category in `categories`.
    """

    id: str
    values: tuple[str, ...]
    category: str
    categories: tuple[str, ...]

    @cached_property
    def tables(self) -> tuple[npt.NDArray[np.int16], Codes, npt.NDArray[np.int64]]:
        """What `clean_lines.parse` compares a category with."""
        encoded = [name.encode() for name in self.categories]
        single = np.full(256, -1, np.int16)
        labels = np.zeros((len(encoded), max(map(len, encoded))), np.uint8)
        for code, name in enumerate(encoded):
            labels[code, : len(name)] = list(name)
            if len(name) == 1:
                single[name[0]] = code
        # What has quotes in it is written otherwise than it is: for the exact reader.
        lengths = [-1 if b'"' in name else len(name) for name in encoded]
        single[ord('"')] = -1
        return single, labels, np.array(lengths)


@dataclass(frozen=True)
class RowFormat:
    """How one file is laid out: the names in its header, and where its first row can begin."""

    names: tuple[str, ...]
    body: int
    skip_bad: bool = False
    """Whether rows that cannot be read are left out, or end the run."""

    def roles(self, columns: Columns) -> npt.NDArray[np.int64]:
        known = {columns.id: ID, columns.category: CATEGORY}
        known |= {name: FIRST_VALUE + place for place, name in enumerate(columns.values)}
        return np.array([known.get(name, SKIPPED) for name in self.names])


@dataclass
class Chunk:
    """Some rows: ids int64[n], values float64[columns, n], codes uint8[n]; views, soon reused."""

    ids: Ids
    values: Values
    codes: Codes

    def __len__(self) -> int:
        return len(self.codes)


def formats(uris: Sequence[str], columns: Columns, skip_bad: bool = False) -> dict[str, RowFormat]:
    """Look at the head of every file. DataError where a column that is wanted is not there."""
    return {uri: replace(sniff(uri, columns), skip_bad=skip_bad) for uri in uris}


def sniff(uri: str, columns: Columns) -> RowFormat:
    """The layout of one file, from its first line that is not blank, or from its schema."""
    if columnar.is_parquet(uri):
        names = columnar.schema(uri).names
        _require_names(names, columns, uri, None)
        wanted = row_tables.schema(columns.id, columns.values, columns.category)
        columnar.require(uri, wanted)
        return RowFormat(tuple(names), 0)
    names, header = delimited.header(uri)
    _require_names(names, columns, uri, header.number)
    return RowFormat(tuple(names), header.stop)


def _require_names(names: Sequence[str], columns: Columns, uri: str, line: int | None) -> None:
    for name in (columns.id, *columns.values, columns.category):
        if names.count(name) != 1:
            problem = f"column {name!r} twice" if name in names else f"no column {name!r}"
            remedy = _remedy(names, columns)
            if f"/{name}=" in uri:
                remedy = f"names of folders as {name}=… are not read: write the column to the files"
            raise DataError(
                f"{problem} in the header {','.join(names)[:80]!r} ({remedy})", uri=uri, line=line
            )


def _remedy(names: Sequence[str], columns: Columns) -> str:
    """Where the header has all that is wanted, but not between commas."""
    wanted = {columns.id, *columns.values, columns.category}
    for sign, delimiter in DELIMITERS.items():
        if len(names) == 1 and wanted <= {name.strip(' "') for name in names[0].split(sign)}:
            return f"it has {delimiter} between the names: commas are read, and points in numbers"
    return "--columns names others"


def first(split: Split, form: RowFormat, columns: Columns) -> Values:
    """The numbers of a split's first rows, float64[columns, rows]; perhaps of none."""
    split = split if isinstance(split, RowGroups) else split.cut(FIRST_BYTES)[0]
    for chunk in read(split, form, columns, ids=False):
        return chunk.values.copy()
    return np.empty((len(columns.values), 0))


def read(
    split: Split, form: RowFormat, columns: Columns, ids: bool = True, bad: BadRows | None = None
) -> Iterator[Chunk]:
    """The rows of one split, chunk by chunk; a chunk is valid until the next one is asked for.

    Without `ids` Parquet's are not read, and empty. Rows that are left out are noted in `bad`.
    """
    bad = BadRows() if bad is None else bad
    take = bad.take if form.skip_bad else bad_rows.refuse
    if isinstance(split, RowGroups):
        id_ = columns.id if ids or form.skip_bad else None
        wanted = (id_, columns.values, columns.category, columns.categories, TABLE_ROWS)
        for part in row_tables.read(split, *wanted, take):
            yield Chunk(*part)
        return
    most = max(CHUNK_VALUES // len(columns.values), 1)
    room = Chunk(
        np.empty(most, np.int64), np.empty((len(columns.values), most)), np.empty(most, np.uint8)
    )
    roles = form.roles(columns)

    def slowly(some: Block) -> Chunk:
        return _read_slowly(some, form, columns, split)

    for block in lines.blocks_from(split, form.body):
        data, position = block.data, 0
        unclean, clean = 1, 0
        while position < len(data):
            rows, stopped = parse(
                data, position, most, roles, *columns.tables, room.ids, room.values, room.codes
            )
            if rows:
                yield Chunk(room.ids[:rows], room.values[:, :rows], room.codes[:rows])
            position, clean = int(stopped), clean + rows
            if rows < most and position < len(data):
                # One line that is not clean costs one line; a file of them, few calls.
                unclean = 1 if clean >= RARE else min(max(2 * unclean, 1), MOST_LINES_AT_ONCE)
                clean, before = 0, bad.count
                end = lines.line_end(data, position, unclean)
                rest = Block(data[position:end], block.offset + position)
                yield from bad_rows.read_rows(rest, slowly, take)
                position, unclean = end, 0 if bad.count > before else unclean


def _read_slowly(block: Block, form: RowFormat, columns: Columns, split: Split) -> Chunk:
    schema = pa.schema(
        [(columns.id, pa.int64())]
        + [(name, pa.float64()) for name in columns.values]
        + [(columns.category, pa.string())]
    )
    dialect = delimited.Dialect()
    table = delimited.read(block, dialect, schema, split, list(form.names))

    def refuse(wrong: npt.NDArray[np.bool_], column: str, reason: str) -> None:
        if wrong.any():
            value = table.column(column)[int(np.argmax(wrong))].as_py()
            missing = isinstance(value, str) and not value.strip()
            problem = f"a missing value, {value!r}" if missing else f"{value!r} {reason}"
            raise DataError(problem, uri=split.uri, column=column)

    values = np.empty((len(columns.values), table.num_rows))
    for place, name in enumerate(columns.values):
        values[place] = table.column(name).to_numpy()
        refuse(~np.isfinite(values[place]), name, "is not a finite number")
    known = pa.array(columns.categories)
    codes = pc.index_in(table.column(columns.category), known)
    unknown = codes.is_null().to_numpy()
    refuse(unknown, columns.category, f"is none of {', '.join(columns.categories)} (--categories)")
    ids = table.column(columns.id).to_numpy()
    return Chunk(ids.copy(), values, codes.to_numpy().astype(np.uint8))
