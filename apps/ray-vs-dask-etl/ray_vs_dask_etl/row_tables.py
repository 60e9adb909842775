"""Reading rows of Parquet: the same columns by the same names, only those that are asked for."""

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit import columnar
from studykit.columnar import RowGroups
from studykit.columnar import Rows

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
) -> Iterator[Part]:
    """Ids int64[n], numbers float64[columns, n], codes uint8[n], at most so many rows at a time.

    Without a name the ids are empty. A part is valid until the next one is asked for.
    """
    room, no_ids = np.empty((len(values), most)), np.empty(0, np.int64)
    for rows in columnar.read(split, schema(id_, values, category), most):
        numbers = room[:, : len(rows)]
        for place, name in enumerate(values):
            numbers[place] = rows[name].to_numpy()
            finite = np.isfinite(numbers[place])
            if not finite.all():
                row = int(np.argmin(finite))
                raise rows.error(row, name, f"{numbers[place, row]} is not a finite number")
        # A copy, which can be written to: what cannot is another compiled type.
        ids = no_ids if id_ is None else rows[id_].to_numpy().copy()
        yield ids, numbers, _codes(rows, category, categories)


def _codes(rows: Rows, category: str, categories: Sequence[str]) -> npt.NDArray[np.uint8]:
    """A batch has few different texts, each of which is looked up once."""
    labels = rows[category]
    known = pc.index_in(labels.dictionary, pa.array(categories, pa.string())).fill_null(-1)
    codes = known.to_numpy()[labels.indices.to_numpy()] if len(known) else np.empty(0, np.int32)
    if codes.min(initial=0) < 0:
        row = int(np.argmin(codes))
        reason = f"is none of {', '.join(categories)} (--categories)"
        raise rows.error(row, category, f"{columnar.shown(labels[row])} {reason}")
    return codes.astype(np.uint8)
