"""Columns of Parquet as the wanted types: the same values exactly, or the row that does not fit."""

import datetime
import decimal
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from parquet_files import IDS, values, written
from studykit import columnar
from studykit.columnar import LABELS
from studykit.errors import DataError


def one(tmp_path: Path, column: Any, kind: pa.DataType) -> list[Any]:
    """What a column of a file is read as."""
    return values(written(tmp_path / "a.parquet", {"a": column}), pa.schema([("a", kind)]))["a"]


KINDS: dict[str, tuple[Any, pa.DataType, list[Any]]] = {
    "int8": (pa.array([1, -2], pa.int8()), pa.int64(), [1, -2]),
    "uint64": (pa.array([2**63 - 1], pa.uint64()), pa.int64(), [2**63 - 1]),
    "whole floats": (pa.array([1.0, -3.0]), pa.int64(), [1, -3]),
    "whole single floats": (pa.array([2.0**24], pa.float32()), pa.int64(), [2**24]),
    "whole decimals": (pa.array([decimal.Decimal("7.00")]), pa.int64(), [7]),
    "dictionary of ids": (pa.array([5, 6, 5]).dictionary_encode(), pa.int64(), [5, 6, 5]),
    "single floats": (pa.array([0.1], pa.float32()), pa.float64(), [float(np.float32(0.1))]),
    "half floats": (pa.array(np.array([0.5], np.float16)), pa.float64(), [0.5]),
    "integers as floats": (pa.array([2**53, -1]), pa.float64(), [2.0**53, -1.0]),
    "decimals": (pa.array([decimal.Decimal("17.93"), decimal.Decimal("-0.07")]), pa.float64(),
                 [17.93, -0.07]),
    "long decimals": (pa.array([decimal.Decimal("0.1000000000000000055511151231257827")]),
                      pa.float64(), [0.1]),
    "not a number": (pa.array([float("inf")]), pa.float64(), [float("inf")]),
    "text": (pa.array(["A", "B", "A"]), LABELS, ["A", "B", "A"]),
    "large text": (pa.array(["A", "B"], pa.large_string()), LABELS, ["A", "B"]),
    "text in a view": (pa.array(["A", "B"], pa.string_view()), LABELS, ["A", "B"]),
    "text as bytes": (pa.array([b"A", b"B"]), LABELS, ["A", "B"]),
    "dictionary of text": (pa.array(["A", "B"]).dictionary_encode(), LABELS, ["A", "B"]),
    "numbers as labels": (pa.array([3, 1, 3]), LABELS, ["3", "1", "3"]),
    "truths as labels": (pa.array([True, False]), LABELS, ["true", "false"]),
    "milliseconds": (pa.array([1], pa.timestamp("ms")), pa.timestamp("us"),
                     [datetime.datetime(1970, 1, 1, 0, 0, 0, 1000)]),
    "nanoseconds": (pa.array([1000], pa.timestamp("ns")), pa.timestamp("us"),
                    [datetime.datetime(1970, 1, 1, 0, 0, 0, 1)]),
    "times as text": (pa.array(["2009-01-04 02:52:00"]), pa.timestamp("us"),
                      [datetime.datetime(2009, 1, 4, 2, 52)]),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_values_of_another_type_are_the_same_values(tmp_path: Path, name: str) -> None:
    column, kind, right = KINDS[name]
    assert one(tmp_path, column, kind) == right


WRONG: dict[str, tuple[Any, pa.DataType, int, str]] = {
    "a missing value": (pa.array([1, None, 3]), pa.int64(), 2, "a missing value"),
    "missing text": (pa.array(["A", None]), LABELS, 2, "a missing value"),
    "missing of a dictionary": (pa.array(["A", None]).dictionary_encode(), LABELS, 2, "missing"),
    "nothing but missing": (pa.nulls(2), pa.float64(), 1, "a missing value"),
    "a fraction": (pa.array([1.0, 2.5]), pa.int64(), 2, "2.5 does not fit int64"),
    "no number": (pa.array([1.0, float("nan")]), pa.int64(), 2, "nan does not fit int64"),
    "a rounded id": (pa.array([1.0, 2.0**53 + 2]), pa.int64(), 2, "may have been rounded"),
    "a rounded single": (pa.array([3e7], pa.float32()), pa.int64(), 1, "may have been rounded"),
    "a fraction of a decimal": (pa.array([decimal.Decimal("7.5")]), pa.int64(), 1, "7.5 does not"),
    "too large an id": (pa.array([1, 2**63], pa.uint64()), pa.int64(), 2, "9223372036854775808"),
    "more than a double holds": (pa.array([1, 2**53 + 1]), pa.float64(), 2, "9007199254740993"),
    "bytes that are no text": (pa.array([b"A", b"\xff\x1b"]), LABELS, 2, "does not fit string"),
    "part of a microsecond": (pa.array([1000, 1], pa.timestamp("ns")), pa.timestamp("us"), 2, "us"),
    "no time": (pa.array(["2009-01-04 02:52:00", "noon"]), pa.timestamp("us"), 2, "'noon'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_that_does_not_fit_is_named_with_its_row(tmp_path: Path, name: str) -> None:
    column, kind, row, reason = WRONG[name]
    # Good values before and behind, in row groups of their own.
    good = column.slice(0, 1) if row > 1 else column.slice(1, 1)
    if not len(good) or good.null_count:
        good = column.slice(0, 0)
    whole = pa.chunked_array([good, column.slice(row - 1, 1), good], column.type)
    uri = written(tmp_path / "a.parquet", {"a": whole}, row_group_size=1)
    with pytest.raises(DataError) as caught:
        values(uri, pa.schema([("a", kind)]), 1 << 30)
    found = caught.value
    assert (found.uri, found.column) == (uri, "a")
    assert found.place == f"row {1 + len(good)} (row group {len(good)})"
    assert reason in found.reason
    assert str(found).isprintable()
    assert str(pickle.loads(pickle.dumps(found))) == str(found)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array(["1", "2"]), pa.int64()),
        (pa.array([True]), pa.int64()),
        (pa.array(["0.5"]), pa.float64()),
        (pa.array([0.5]), LABELS),
        (pa.array([datetime.date(2015, 1, 1)]), pa.timestamp("us")),
        (pa.array([1], pa.timestamp("us", "UTC")), pa.timestamp("us")),
        (pa.array([[1, 2]]), pa.int64()),
        (pa.array([{"b": 1}]), pa.int64()),
    ],
    ids=str,
)
def test_a_column_of_a_type_that_cannot_fit_is_refused_before_it_is_read(
    tmp_path: Path, column: Any, kind: pa.DataType
) -> None:
    uri = written(tmp_path / "a.parquet", {"a": column})
    with pytest.raises(DataError, match="cannot be read as") as caught:
        columnar.require(uri, pa.schema([("a", kind)]))
    assert caught.value.column == "a"
    assert ("nested" in caught.value.reason) == pa.types.is_nested(column.type)


def test_columns_that_may_have_missing_values_keep_them(tmp_path: Path) -> None:
    uri = written(tmp_path / "a.parquet", {"id": [1, None, 3]})
    assert values(uri, IDS, nullable=["id"]) == {"id": [1, None, 3]}


def test_a_column_that_is_not_there_or_there_twice_is_named_with_all_that_are(
    tmp_path: Path,
) -> None:
    uri = written(tmp_path / "a.parquet", {"key": [1], "b": [2]})
    with pytest.raises(DataError, match="no column 'id'; the file has: key, b"):
        columnar.require(uri, IDS)
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["id", "id"])
    uri = written(tmp_path / "b.parquet", twice)
    with pytest.raises(DataError, match="column 'id' twice"):
        columnar.require(uri, IDS)


@pytest.mark.parametrize("dictionary", [True, False])
def test_rows_around_one_that_does_not_fit_are_read(tmp_path: Path, dictionary: bool) -> None:
    """Also where they share a dictionary with it."""
    names = [b"A", b"\xe9", b"B", b"A", b"\xe9"]
    uri = written(tmp_path / "a.parquet", {"a": pa.array(names)}, use_dictionary=dictionary)
    (split,) = columnar.splits(uri, 1)
    wrong: list[int] = []
    wanted = pa.schema([("a", LABELS)])
    read = columnar.read(split, wanted, lambda rows: rows, lambda error, row: wrong.append(row))
    assert [name for rows in read for name in rows["a"].to_pylist()] == ["A", "B", "A"]
    assert wrong == [1, 4]
