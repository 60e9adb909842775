"""Reading a table of lesions, whatever its layout: CSV, Parquet or a spreadsheet, and its images.

    lesions = lesions.read("data/lesions")          # a folder with a table and the images
    lesions = lesions.read("midas.xlsx", "images")

What a row of a table comes to is said by `table_rows`, which file its image is by `image_files`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from studykit import storage
from studykit.errors import DataError

from lesion_classification import image_files, table_rows
from lesion_classification.image_files import ImageFiles
from lesion_classification.layout import Column as Column
from lesion_classification.layout import Dropped, Layout, Row
from lesion_classification.layout import Groups as Groups
from lesion_classification.layout import Labels as Labels
from lesion_classification.layout import Lesions as Lesions
from lesion_classification.table_rows import Placed

TABLES = ("metadata.csv", "metadata.parquet")
"""The table's name in a folder of images, where it is not the one table there."""
IMAGES = "images"


def read(uri: str, images: str | None = None) -> Lesions:
    """The table at a URI, or in the folder there; its images in the folder `images`, or beside it.

    DataError where a row is wrong, an image comes twice, or nothing is left of the table."""
    tables = tables_in(uri)
    table = tables[0] if len(tables) == 1 else storage.absolute(uri)
    layout, placed = _joined(tables)
    dropped: dict[str, int] = {}
    rows: list[tuple[Row, str]] = []
    for row, place in placed:
        if isinstance(row, Dropped):
            dropped[row.reason] = dropped.get(row.reason, 0) + 1
        else:
            rows.append((row, place))
    if not rows:
        what = "; ".join(f"{count} dropped: {why}" for why, count in dropped.items())
        raise DataError(f"no rows to be used{': ' + what if what else ''}", uri=table)
    folder = _folder_of(tables[0], images)
    sizes = _sizes(folder, rows, table)
    used = [row for row, _ in rows]
    _require_classes(used, table)
    return _lesions(layout, used, dropped, folder, sizes)


def _sizes(folder: str, rows: Sequence[tuple[Row, str]], table: str) -> dict[str, int]:
    """{path: bytes} of each row's image. DataError where two rows have the same one."""
    files = ImageFiles(folder, [row.image for row, _ in rows])
    sizes: dict[str, int] = {}
    seen: dict[str, str] = {}
    for row, place in rows:
        path, size = files.find(row.image)
        if path in seen:
            reason = f"image {row.image!r} stands in {seen[path]} already"
            raise DataError(reason, uri=table, place=place)
        seen[path], sizes[path] = place, size
    return sizes


def tables_in(uri: str) -> list[str]:
    """The table itself, or the one of a folder, or its parts, where there is nothing else.

    DataError where there is none, or one cannot be told from another."""
    place = storage.absolute(uri)
    files = storage.list_files(place)
    if files == [place]:
        return files
    # What Excel leaves beside a workbook while it is open is no table.
    tables = [
        file
        for file in files
        if not file.lower().endswith(image_files.PICTURES)
        and not file.rpartition("/")[2].startswith("~$")
    ]
    # The manifest of made data begins with `_`, which no list shows.
    named = [file for file in tables if file.rpartition("/")[2] in TABLES]
    known = [file for file in tables if file.lower().endswith(table_rows.ENDINGS)]
    if len(tables) == len(files) and not named:
        return tables
    chosen = named or known
    if len(chosen) != 1:
        what = f"tables ({', '.join(table_rows.ENDINGS)}) in this folder: name one by --data"
        raise DataError(f"{len(chosen)} {what}" if chosen else f"no data: no {what}", uri=place)
    return chosen


def _joined(tables: Sequence[str]) -> tuple[Layout, list[Placed]]:
    """The rows of all parts, which must be of one layout."""
    layout, placed = table_rows.read(tables[0])
    for table in tables[1:]:
        other, more = table_rows.read(table)
        if other != layout:
            reason = f"has the columns of {other.name}, {tables[0]} those of {layout.name}"
            raise DataError(reason, uri=table)
        placed += [(row, f"{place} of {table.rpartition('/')[2]}") for row, place in more]
    return layout, placed


def _folder_of(table: str, images: str | None) -> str:
    if images is not None:
        return storage.absolute(images)
    beside = table.rpartition("/")[0]
    inner = storage.join(beside, IMAGES)
    return inner if storage.exists(inner) else beside


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
