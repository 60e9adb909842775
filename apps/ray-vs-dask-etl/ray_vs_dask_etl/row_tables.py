"""Reading rows of Parquet: the same columns by the same names, only those that are asked for."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from studykit import columnar
from studykit.columnar import RowGroups, Rows
from studykit.text import bad_rows
from studykit.text.bad_rows import Take

UNKNOWN = -1

Part = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.uint8]]


def schema(id_: str | None, values: Sequence[str], category: str) -> pa.Schema:
    """What each column is read as; without a name no ids are read."""
    ids = [] if id_ is None else [(id_, pa.int64())]
    return pa.schema(
        [*ids, *((name, pa.float64()) for name in values), (category, columnar.LABELS)]
    )


def read(
    split: RowGroups,
    id_: str | None,
    values: Sequence[str],
    category: str,
    categories: Sequence[str],
    most: int,
    take: Take = bad_rows.refuse,
) -> Iterator[Part]:
    """Ids int64[n], numbers float64[columns, n], codes uint8[n], at most so many rows at a time.

    Without a name the ids are empty. A part is valid until the next one is asked for. `take` is
    told of rows that are wrong, and raises or goes on.
    """
    room, no_ids = np.empty((len(values), most)), np.empty(0, np.int64)

    def converted(rows: Rows) -> Part:
        numbers = room[:, : len(rows)]
        for place, name in enumerate(values):
            numbers[place] = rows.numbers(name)
            finite = np.isfinite(numbers[place])
            if not finite.all():
                row = int(np.argmin(finite))
                raise rows.error(row, name, f"{numbers[place, row]} is not a finite number")
        # A copy, which can be written to: what cannot is another compiled type.
        ids = no_ids if id_ is None else rows.numbers(id_).copy()
        return ids, numbers, _codes(rows, category, categories)

    yield from columnar.read(split, schema(id_, values, category), converted, take, most)


def _codes(rows: Rows, category: str, categories: Sequence[str]) -> npt.NDArray[np.uint8]:
    """A batch has few different texts, each of which is looked up once."""
    labels = rows[category]
    # Not by Arrow's `index_in`: an Arrow array made of a list imports pandas, half a second.
    codes = {name.encode(): code for code, name in enumerate(categories)}
    names = labels.dictionary.cast(pa.binary()).to_pylist()
    table = np.array([codes.get(name, UNKNOWN) for name in names], np.int16)
    places = columnar.as_numpy(labels.indices)
    if UNKNOWN in table:
        unknown = table.take(places) == UNKNOWN
        if unknown.any():
            row = int(np.argmax(unknown))
            reason = f"is none of {', '.join(categories)} (--categories)"
            raise rows.error(row, category, f"{columnar.shown(labels[row])} {reason}")
    return table.astype(np.uint8).take(places)
