"""Columns of a table of text, picked by their names, each of its own type."""

import re
from pathlib import Path

import delimited_files
import pyarrow as pa
import pytest
from delimited_files import CSV, read
from studykit.errors import DataError
from studykit.text import arrow_csv, delimited

path = delimited_files.path

TRIPS = (
    b'id,started,distance,"payment, kind",count\n'
    b'7,2024-01-01 00:00:00,1.5,"card, or ""other""",3\n'
    b"8,2024-01-02 12:30:00, 2e1 ,cash,\n"
)
TRIP_NAMES = ["id", "started", "distance", "payment, kind", "count"]


@pytest.mark.parametrize("split_size", [40, 1000])
@pytest.mark.parametrize("whole", [True, False])
def test_columns_are_picked_by_name(
    path: Path, split_size: int, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert delimited.header_names(TRIPS.splitlines()[0]) == TRIP_NAMES
    if not whole:
        monkeypatch.setattr(arrow_csv, "read", lambda *_: None)
    schema = pa.schema(
        [
            ("payment, kind", pa.string()),
            ("distance", pa.float64()),
            ("started", pa.timestamp("us")),
            ("count", pa.int32()),
        ]
    )
    text = TRIPS.replace(b"cash,\n", b"cash,-4\n")
    rows = read(path, text, CSV, schema, TRIP_NAMES, split_size, header=True)
    assert [row[:2] + row[3:] for row in rows] == [
        ('card, or "other"', 1.5, 3),
        ("cash", 20.0, -4),
    ]
    assert [str(row[2]) for row in rows] == ["2024-01-01 00:00:00", "2024-01-02 12:30:00"]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("distance", pa.int64(), "line 2, column distance: '1.5' is not an integer"),
        ("started", pa.float64(), "line 2, column started: '2024-01-01 00:00:00' is not a double"),
        ("distance", pa.timestamp("s"), "column distance: '1.5' is not a timestamp"),
        ("count", pa.int8(), "line 3, column count: a missing value"),
        ("fare", pa.int8(), "no column 'fare'; the file has: 'id', 'started', 'distance'"),
    ],
)
def test_a_column_of_another_type_is_named(
    path: Path, name: str, kind: pa.DataType, reason: str
) -> None:
    with pytest.raises(DataError, match=re.escape(reason)):
        read(path, TRIPS, CSV, pa.schema([(name, kind)]), TRIP_NAMES, header=True)


def test_a_column_that_is_there_twice_cannot_be_picked(path: Path) -> None:
    with pytest.raises(DataError, match="column 'a' twice; the file has: 'a', 'b', 'a'"):
        schema = pa.schema([("a", pa.int64())])
        read(path, b"a,b,a\n1,2,3\n", CSV, schema, ["a", "b", "a"], header=True)
