"""The oracle's quick way: a piece of text by Arrow's CSV reader, all rows or none of them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
NEW_YORKS = rf"^{DAY}[ T]{CLOCK}(\.[0-9]{{1,6}})?$"
ZONED = rf"^{DAY}[ T]{CLOCK}(\.[0-9]{{1,6}})?(Z|[+-][0-9]{{2}}:[0-9]{{2}})$"
AMERICAN = r"^([0-9]{2})/([0-9]{2})/([0-9]{4}) ((?:0[1-9]|1[0-2]):[0-9]{2}:[0-9]{2}) [AP]M$"
PARQUET_ROWS = 100_000
HALF_A_DAY = 12 * 3600 * 10**6
FIRST_ZONED = -94_608_000 * 10**6
"""1967, in microseconds from 1970."""


@dataclass(frozen=True)
class Header:
    """How many fields a line has, what is between them, and where `oracle_rows.COLUMNS` stand."""

    fields: int
    delimiter: str
    places: dict[str, int]


def read(text: bytes, header: Header) -> dict[str, npt.NDArray[Any]] | None:
    """{what: its values}, or None where a line is not as plain as Arrow wants it."""
    names = [str(place) for place in range(header.fields)]
    kinds = {
        str(place): pa.string() if what in ("from", "to") else pa.float64()
        for what, place in header.places.items()
    }
    try:
        table = csv.read_csv(
            pa.py_buffer(text),
            csv.ReadOptions(column_names=names, block_size=len(text)),
            csv.ParseOptions(delimiter=header.delimiter),
            csv.ConvertOptions(column_types=kinds, include_columns=list(kinds), null_values=[]),
        )
        found = {}
        for what, place in header.places.items():
            column = table[str(place)].combine_chunks()
            found[what] = _times(column) if what in ("from", "to") else column.to_numpy()
    except pa.ArrowInvalid:
        return None
    return found if all(np.isfinite(column).all() for column in found.values()) else None


def _times(texts: pa.Array) -> npt.NDArray[np.int64]:
    """Microseconds since 1970 on New York's clock. ArrowInvalid where not all have one form."""
    added: Any = 0
    if _all_match(texts, NEW_YORKS):
        moments = texts.cast(pa.timestamp("us"))
    elif _all_match(texts, AMERICAN):
        added = np.where(pc.ends_with(texts, "PM").to_numpy(zero_copy_only=False), HALF_A_DAY, 0)
        texts = pc.replace_substring_regex(texts, AMERICAN, r"\3-\1-\2 \4")
        moments = pc.replace_substring(texts, " 12:", " 00:").cast(pa.timestamp("us"))
    elif _all_match(texts, ZONED):
        moments = texts.cast(pa.timestamp("us", "UTC"))
        if len(moments) and pc.min(moments.cast(pa.int64())).as_py() < FIRST_ZONED:
            raise pa.ArrowInvalid("before the zone's summer time was what it is")
        moments = pc.local_timestamp(moments.cast(pa.timestamp("us", "America/New_York")))
    else:
        raise pa.ArrowInvalid("times of another form")
    return moments.cast(pa.int64()).to_numpy() + added


def _all_match(texts: pa.Array, form: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(texts, form)).as_py())


def text_of_parquet(
    stream: Any, places_of: Callable[[Sequence[str]], dict[str, int]]
) -> Iterator[bytes]:
    """The rows as lines of CSV, some at a time, the first with a header: read as any text then.

    `places_of` finds the columns by their names.
    """
    with parquet.ParquetFile(stream) as file:
        names = file.schema_arrow.names
        wanted = [names[place] for place in places_of(names).values()]
        header = ",".join(wanted).encode() + b"\n"
        for batch in file.iter_batches(PARQUET_ROWS, columns=wanted):
            written = pa.BufferOutputStream()
            options = csv.WriteOptions(include_header=False, quoting_style="none")
            csv.write_csv(batch.select(wanted), written, options)
            yield header + written.getvalue().to_pybytes()
            header = b""
