"""Reading a table of lesions, whatever its layout: CSV, Parquet or a spreadsheet, and its images.

    lesions = lesions.read("data/lesions")          # a folder with a table and the images
    lesions = lesions.read("midas.xlsx", "images")

The one idea: a table is columns of text; whose columns it has is its layout (`made`, `ham`,
`midas`), and the layout says what a row comes to. What is wrong is named by file, line and column.
"""

import functools
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from studykit import columnar, storage
from studykit.errors import DataError
from studykit.storage import Block, Split
from studykit.storage.folders import find_sizes
from studykit.text import bad_rows, delimited, lines

from lesion_classification import ham, made, midas, spreadsheets
from lesion_classification.layout import Column as Column
from lesion_classification.layout import Dropped, Layout, Row, WrongValue
from lesion_classification.layout import Groups as Groups
from lesion_classification.layout import Labels as Labels
from lesion_classification.layout import Lesions as Lesions

LAYOUTS = (made.LAYOUT, midas.LAYOUT, ham.LAYOUT)
TABLES = ("metadata.csv", "metadata.parquet")
"""The table's name in a folder of images, where it is not the one table there."""
ENDINGS = (".csv", ".parquet", spreadsheets.ENDING)
IMAGES = "images"
PICTURES = (".jpg", ".jpeg", ".png")

Placed = tuple[Row | Dropped, str]
"""A row, and the words that say where it stands."""


def read(uri: str, images: str | None = None) -> Lesions:
    """The table at a URI, or in the folder there; its images in the folder `images`, or beside it.

    DataError where a row is wrong, an image comes twice, or nothing is left of the table."""
    table = table_in(uri)
    layout, placed = _rows(table)
    dropped: dict[str, int] = {}
    rows: list[Row] = []
    seen: dict[str, str] = {}
    for row, place in placed:
        if isinstance(row, Dropped):
            dropped[row.reason] = dropped.get(row.reason, 0) + 1
            continue
        if row.image in seen:
            reason = f"{place}: image {row.image!r} stands in {seen[row.image]} already"
            raise DataError(reason, uri=table)
        seen[row.image] = place
        rows.append(row)
    if not rows:
        what = "; ".join(f"{count} dropped: {why}" for why, count in dropped.items())
        raise DataError(f"no rows to be used{': ' + what if what else ''}", uri=table)
    _require_classes(rows, table)
    folder = _folder_of(table, images)
    return _lesions(layout, rows, dropped, folder, _found(folder, rows))


def table_in(uri: str) -> str:
    """The table itself, or the one of a folder. DataError where that is not one."""
    place = storage.absolute(uri)
    files = storage.list_files(place)
    if files == [place]:
        return place
    tables = [file for file in files if file.lower().endswith(ENDINGS)]
    # The manifest of made data begins with `_`, which no list shows.
    named = [file for file in tables if file.rpartition("/")[2] in TABLES]
    chosen = named or tables
    if len(chosen) != 1:
        reason = f"{len(chosen)} tables ({', '.join(ENDINGS)})" if chosen else "no data: no table"
        raise DataError(f"{reason} in this folder: name one by --data", uri=place)
    return chosen[0]


def _folder_of(table: str, images: str | None) -> str:
    if images is not None:
        return storage.absolute(images)
    beside = table.rpartition("/")[0]
    inner = storage.join(beside, IMAGES)
    return inner if storage.exists(inner) else beside


def _found(folder: str, rows: Sequence[Row]) -> dict[str, int]:
    """The path below the folder, and the bytes, of each row's image.

    Of one that is not there its name and -1: who opens it says what is wrong."""
    base = storage.absolute(folder).rstrip("/") + "/"
    below = find_sizes(folder) if storage.exists(folder) else {}
    by_name = {
        uri.rpartition("/")[2]: (uri.removeprefix(base), size)
        for uri, size in below.items()
        if uri.lower().endswith(PICTURES)
    }
    return dict(by_name.get(row.image, (row.image, -1)) for row in rows)


def _require_classes(rows: Sequence[Row], uri: str) -> None:
    malignant = sum(row.malignant for row in rows)
    if malignant in (0, len(rows)):
        kind = "malignant" if malignant else "benign"
        raise DataError(
            f"all {len(rows)} images are {kind}: one class only, nothing to tell apart", uri=uri
        )


def _lesions(
    layout: Layout,
    rows: Sequence[Row],
    dropped: Mapping[str, int],
    folder: str,
    sizes: Mapping[str, int],
) -> Lesions:
    names = {name: number for number, name in enumerate(dict.fromkeys(row.lesion for row in rows))}
    return Lesions(
        folder,
        list(sizes),
        np.array([row.malignant for row in rows]),
        np.array([names[row.lesion] for row in rows], np.int64),
        list(names),
        {
            name: np.array([row.numbers[place] for row in rows])
            for place, name in enumerate(layout.numbers)
        },
        {
            name: [row.categories[place] for row in rows]
            for place, name in enumerate(layout.categories)
        },
        len(rows) + sum(dropped.values()),
        dropped,
        sizes,
    )


def _rows(uri: str) -> tuple[Layout, list[Placed]]:
    if spreadsheets.is_spreadsheet(uri):
        return _of_texts(uri, list(spreadsheets.rows(uri)))
    if columnar.is_parquet(uri):
        with storage.open_input(uri) as file:
            table = parquet.read_table(file)
        texts = {name: _texts(table.column(name)) for name in table.column_names}
        rows = [
            (number, {name: column[number - 1] for name, column in texts.items()})
            for number in range(1, table.num_rows + 1)
        ]
        return _of_texts(uri, rows, table.column_names)
    return _of_csv(uri)


def _texts(column: pa.ChunkedArray) -> list[str]:
    return ["" if text is None else text for text in column.cast(pa.string()).to_pylist()]


def _of_texts(
    uri: str, rows: Sequence[tuple[int, Mapping[str, str]]], columns: Sequence[str] = ()
) -> tuple[Layout, list[Placed]]:
    if not rows:
        raise DataError("no rows: nothing but a header", uri=uri)
    layout = layout_of(list(columns or rows[0][1]), uri)
    placed: list[Placed] = []
    for number, values in rows:
        place = f"row {number}"
        try:
            placed.append((layout.row(_complete(values, layout)), place))
        except WrongValue as wrong:
            raise DataError(wrong.reason, uri=uri, place=place, column=wrong.column) from None
    return layout, placed


def _complete(values: Mapping[str, str], layout: Layout) -> Mapping[str, str]:
    return {name: values.get(name, "") for name in layout.columns}


def _of_csv(uri: str) -> tuple[Layout, list[Placed]]:
    header = lines.first_filled(uri)
    if header is None:
        raise DataError("no rows: the file is empty", uri=uri)
    try:
        names = delimited.header_names(header.text)
    except DataError as error:
        raise DataError(error.reason, uri=uri, line=header.number) from None
    layout = layout_of(names, uri, header.number)
    schema = pa.schema([(name, pa.string()) for name in layout.columns])
    placed: list[Placed] = []

    def read(split: Split, block: Block) -> list[Row | Dropped]:
        table = delimited.read(block, delimited.Dialect(), schema, split, names)
        columns = [column.to_pylist() for column in table.columns]
        found: list[Row | Dropped] = []
        for values in zip(*columns, strict=True):
            try:
                found.append(layout.row(dict(zip(layout.columns, values, strict=True))))
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
