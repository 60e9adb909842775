"""The rows of a table of lesions: CSV, Parquet or a spreadsheet, in any layout that is known.

The one idea: a table is columns of text; whose columns it has is its layout (`made`, `ham`,
`midas`), and the layout says what a row comes to. What is wrong is named by file, line and column.
"""

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from studykit import columnar, storage
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.text import bad_rows, delimited, lines

from lesion_classification import ham, made, midas, spreadsheets
from lesion_classification.layout import Dropped, Layout, Row, WrongValue

LAYOUTS = (made.LAYOUT, midas.LAYOUT, ham.LAYOUT)
ENDINGS = (".csv", ".parquet", spreadsheets.ENDING)

Placed = tuple[Row | Dropped, str]
"""A row, and the words that say where it stands."""
Values = Mapping[str, str]


def read(uri: str) -> tuple[Layout, list[Placed]]:
    """DataError where it is no table of lesions, has no rows, or a row is wrong."""
    if spreadsheets.is_spreadsheet(uri):
        return _placed(uri, spreadsheets.rows(uri))
    if columnar.is_parquet(uri):
        return _of_parquet(uri)
    return _of_csv(uri)


def layout_of(columns: Sequence[str], uri: str, line: int | None = None) -> Layout:
    """The layout of which a table has all columns. DataError says what the nearest one lacks."""
    lacking = [[name for name in one.columns if name not in columns] for one in LAYOUTS]
    for layout, missing in zip(LAYOUTS, lacking, strict=True):
        if not missing:
            return layout
    shares = [len(gone) / len(one.columns) for gone, one in zip(lacking, LAYOUTS, strict=True)]
    nearest = int(np.argmin(shares))
    raise DataError(
        f"no column {', '.join(map(repr, lacking[nearest]))}, which a table of"
        f" {LAYOUTS[nearest].name} has; known are {', '.join(one.name for one in LAYOUTS)}",
        uri=uri,
        line=line,
    )


def _placed(uri: str, rows: Iterable[tuple[int, Values]]) -> tuple[Layout, list[Placed]]:
    """Of rows by their numbers, all with the same columns, which may be left out at the end."""
    layout: Layout | None = None
    placed: list[Placed] = []
    for number, values in rows:
        if layout is None:
            layout = layout_of(list(values), uri)
            columns = layout.read_of(values)
        place = f"row {number}"
        try:
            placed.append((layout.row({name: values.get(name, "") for name in columns}), place))
        except WrongValue as wrong:
            raise DataError(wrong.reason, uri=uri, place=place, column=wrong.column) from None
    if layout is None:
        raise DataError("no rows: nothing but a header", uri=uri)
    return layout, placed


def _of_parquet(uri: str) -> tuple[Layout, list[Placed]]:
    try:
        with storage.open_input(uri) as file:
            names = parquet.read_schema(file).names
            layout = layout_of(names, uri)
            table = parquet.read_table(file, columns=list(layout.read_of(names)))
        texts = {name: _texts(table.column(name)) for name in table.column_names}
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"is no Parquet that can be read: {error}", uri=uri) from error
    rows = (dict(zip(texts, values, strict=True)) for values in zip(*texts.values(), strict=True))
    return _placed(uri, enumerate(rows, 1))


def _texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    return ["" if text is None else text for text in column.cast(pa.string()).to_pylist()]


def _of_csv(uri: str) -> tuple[Layout, list[Placed]]:
    names, header = delimited.header(uri)
    layout = layout_of(names, uri, header.number)
    wanted = layout.read_of(names)
    schema = pa.schema([(name, pa.string()) for name in wanted])
    placed: list[Placed] = []

    def read(split: Split, block: Block) -> list[Row | Dropped]:
        table = delimited.read(block, delimited.Dialect(), schema, split, names)
        columns = [column.to_pylist() for column in table.columns]
        found: list[Row | Dropped] = []
        for values in zip(*columns, strict=True):
            try:
                found.append(layout.row(dict(zip(wanted, values, strict=True))))
            except WrongValue as wrong:
                raise DataError(wrong.reason, uri=uri, column=wrong.column) from None
        return found

    for split in storage.splits(uri, storage.size(uri) + 1):
        for block in lines.blocks_from(split, header.stop):
            rows = bad_rows.read_rows(block, functools.partial(read, split), bad_rows.refuse_all)
            found = itertools.chain.from_iterable(rows)
            placed += [(row, f"row {place}") for place, row in enumerate(found, len(placed) + 1)]
    if not placed:
        raise DataError("no rows: nothing but a header or blank lines", uri=uri)
    return layout, placed
