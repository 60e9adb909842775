"""Trips of Parquet, as the city publishes them: the same bits as from CSV; wrong rows named."""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv
from pyarrow import parquet
from studykit.errors import DataError
from studytest import running
from taxi import made_up
from taxi import read
from taxi import sample
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.sample import Sample


def table(path: Path) -> pa.Table:
    """A CSV's columns: times in microseconds, numbers as Arrow finds them."""
    found = csv.read_csv(path)
    for place, field in enumerate(found.schema):
        if pa.types.is_timestamp(field.type):
            found = found.set_column(place, field.name, found[place].cast(pa.timestamp("us")))
    return found


def write(path: Path, columns: pa.Table, group: int = 700) -> Path:
    parquet.write_table(columns, path, row_group_size=group)
    return path


def same(one: Any, other: Any) -> bool:
    return (
        (one.rows, one.rejects.tolist()) == (other.rows, other.rejects.tolist())
        and np.array_equal(np.concatenate(one.points, 1), np.concatenate(other.points, 1))
        and np.array_equal(sampled(one), sampled(other))
    )


def sampled(trips: Any) -> Any:
    return Sample.of([trips.sample], SAMPLE_SIZE).points


@pytest.fixture(scope="module")
def text(tmp_path_factory) -> Path:
    return made_up(tmp_path_factory.mktemp("trips") / "trips.csv", 3000)


@pytest.mark.parametrize("split_size", [1, 1 << 30])
def test_the_trips_are_those_of_the_text(tmp_path, text, split_size):
    path = write(tmp_path / "trips", table(text))
    assert same(read(path, split_size), read(text))


def test_real_trips_are_those_of_the_text(tmp_path):
    text = sample("2015-01")
    assert same(read(write(tmp_path / "trips.parquet", table(text))), read(text))


NAMES_OF_2009 = {
    "tpep_pickup_datetime": "Trip_Pickup_DateTime",
    "tpep_dropoff_datetime": "Trip_Dropoff_DateTime",
    "trip_distance": "Trip_Distance",
    "pickup_longitude": "Start_Lon",
    "pickup_latitude": "Start_Lat",
    "dropoff_longitude": "End_Lon",
    "dropoff_latitude": "End_Lat",
    "total_amount": "Total_Amt",
}


def test_the_names_of_2009_and_its_times_as_text(tmp_path, text):
    columns = table(text)
    for place in (1, 2):
        times = columns[place].cast(pa.timestamp("s")).cast(pa.string())
        columns = columns.set_column(place, columns.schema.names[place], times)
    names = [NAMES_OF_2009.get(name, name) for name in columns.schema.names]
    path = write(tmp_path / "trips.parquet", columns.rename_columns(names).select(names[::-1]))
    assert same(read(path), read(text))


@pytest.mark.parametrize("kind", ["s", "ms", "us", "ns"])
def test_times_of_any_unit(tmp_path, text, kind):
    columns = table(text)
    name = columns.schema.names[1]
    columns = columns.set_column(1, name, columns[1].cast(pa.timestamp(kind)))
    assert same(read(write(tmp_path / "trips.parquet", columns)), read(text))


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("pickup_longitude", float("nan"), "nan"),
        ("total_amount", None, "a missing value"),
        ("tpep_pickup_datetime", None, "a missing value"),
    ],
)
def test_a_wrong_row_is_named(tmp_path, text, column, value, said):
    columns = table(text)
    values = columns[column].to_pylist()
    values[1000] = value
    place = columns.schema.names.index(column)
    whole = columns.set_column(place, column, pa.array(values, columns[place].type))
    path = write(tmp_path / "trips.parquet", whole)
    with pytest.raises(DataError, match=said) as caught:
        read(path)
    found = caught.value
    assert (found.place, found.column) == ("row 1001 (row group 1)", column)


def test_trips_without_coordinates_are_refused(tmp_path):
    now = [datetime.datetime(2016, 7, 1)]
    columns = {"tpep_pickup_datetime": now, "tpep_dropoff_datetime": now, "trip_distance": [1.0],
               "PULocationID": [1], "DOLocationID": [2], "total_amount": [5.0]}  # fmt: skip
    path = write(tmp_path / "trips.parquet", pa.table(columns))
    with pytest.raises(DataError, match="location ids") as caught:
        read(path)
    assert caught.value.uri == str(path)


def test_polars_reads_every_row(tmp_path, text):
    done = running.call(
        "taxi_clustering.peers", "polars", "--data", write(tmp_path / "trips", table(text)),
        "--workers", 1, "--json", "--results", tmp_path / "results",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    assert done.record["check"]["detail"] == {"rows": 3000, "expected": 3000}
