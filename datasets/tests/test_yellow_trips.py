"""The generator: the same bytes however it is run, and trips as often wrong as real ones."""

import csv
import datetime
import hashlib
import io
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_data import yellow_taxi, yellow_trips
from studykit import storage
from studykit.errors import DataError, ResourceError

ROWS = 2_000
TINY = yellow_trips.DATASET.sizes["tiny"]


def text(rows: int, seed: int = 0, *, threads: int = 2, chunk_rows: int = 1 << 16) -> bytes:
    return b"".join(yellow_trips.blocks(rows, seed, threads=threads, chunk_rows=chunk_rows))


@pytest.fixture(scope="module")
def tiny() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text(TINY.rows).decode())))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_rows", [7, 1_024, ROWS - 1, ROWS, ROWS + 1])
def test_bytes_do_not_depend_on_threads_or_chunks(threads: int, chunk_rows: int) -> None:
    assert text(ROWS, threads=threads, chunk_rows=chunk_rows) == text(ROWS, threads=1)


@settings(max_examples=30, deadline=None)
@given(rows=st.integers(0, 300), more=st.integers(0, 300), seed=st.integers(0, 2**70))
def test_a_smaller_file_is_the_beginning_of_a_larger_one(rows: int, more: int, seed: int) -> None:
    assert text(rows + more, seed).startswith(text(rows, seed))


def test_tiny_is_what_the_catalogue_expects() -> None:
    written = text(TINY.rows)
    assert len(written) == TINY.bytes
    assert hashlib.sha256(written).hexdigest() == TINY.sha256


def test_another_seed_gives_other_trips() -> None:
    assert text(ROWS, seed=1) != text(ROWS, seed=2)


def numbers(rows: list[dict[str, str]], column: str) -> npt.NDArray[np.float64]:
    return np.array([float(row[column]) for row in rows])


def minutes(rows: list[dict[str, str]]) -> npt.NDArray[np.float64]:
    ends = [
        [datetime.datetime.fromisoformat(row[f"tpep_{end}_datetime"]) for row in rows]
        for end in ("pickup", "dropoff")
    ]
    return np.array([(b - a).total_seconds() / 60 for a, b in zip(*ends, strict=True)])


def test_every_row_has_the_columns_of_the_header(tiny: list[dict[str, str]]) -> None:
    assert len(tiny) == TINY.rows
    for row in tiny:
        assert None not in row and None not in row.values()
        assert (len(row), row["store_and_fwd_flag"]) == (19, "N")
    assert {row["VendorID"] for row in tiny} == {"1", "2"}
    assert {row["passenger_count"] for row in tiny} == set("123456")


def test_money_adds_up(tiny: list[dict[str, str]]) -> None:
    parts = ["fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount"]
    parts.append("improvement_surcharge")
    sums = np.sum([numbers(tiny, part) for part in parts], axis=0)
    total = numbers(tiny, "total_amount")
    assert np.abs(sums - total)[total > 0].max() < 1e-9


def test_coordinates_are_those_of_a_float32(tiny: list[dict[str, str]]) -> None:
    for column in ("pickup_longitude", "pickup_latitude", "dropoff_longitude", "dropoff_latitude"):
        values = numbers(tiny, column)
        assert np.abs(values - values.astype(np.float32).astype(np.float64)).max() < 1e-15


def test_quantiles_are_those_of_the_real_months(tiny: list[dict[str, str]]) -> None:
    """Of kept trips in the real samples: minutes 6.3, 10.3, 16.4; miles 1.0, 1.67, 3.0; fares 6.5,
    9, 13.5; longitudes -73.9918, -73.9818, -73.9677 (quartiles)."""
    real = {
        "minutes": (minutes(tiny), (6.33, 10.3, 16.38), 0.08),
        "miles": (numbers(tiny, "trip_distance"), (1.0, 1.67, 3.01), 0.05),
        "fares": (numbers(tiny, "fare_amount"), (6.5, 9.0, 13.5), 0.08),
    }
    for values, expected, share in real.values():
        assert np.quantile(values, [0.25, 0.5, 0.75]) == pytest.approx(expected, rel=share)
    located = numbers(tiny, "pickup_longitude")
    located = located[located != 0]
    assert np.quantile(located, [0.25, 0.5, 0.75]) == pytest.approx(
        (-73.9918, -73.9818, -73.9677), abs=0.002
    )


def test_trips_are_as_often_wrong_as_real_ones(tiny: list[dict[str, str]]) -> None:
    """Shares in the real samples: without a fix 1.7 %, a dropoff out of town 0.26 %, no distance
    0.56 %, a day on the meter 0.12 %, no time 0.1 %, nothing paid 0.05 %."""
    duration = minutes(tiny)
    found = {
        "no fix": (numbers(tiny, "pickup_longitude") == 0, 0.017),
        "out of town": (numbers(tiny, "dropoff_longitude") < -74.15, 0.0026),
        "no distance": (numbers(tiny, "trip_distance") == 0, 0.0056),
        "a day": (duration >= 720, 0.0012),
        "no time": (duration <= 0, 0.001),
        "nothing paid": (numbers(tiny, "total_amount") <= 0, 0.00046),
    }
    for name, (wrong, share) in found.items():
        error = 4 * (share / len(tiny)) ** 0.5  # four standard errors
        assert abs(wrong.mean() - share) < error, name
        assert wrong.any(), name


@pytest.fixture
def months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for Kaggle's client that has downloaded the months into this folder."""
    folder = tmp_path / "kaggle"
    folder.mkdir()
    for month in yellow_taxi.MONTHS:
        (folder / f"yellow_tripdata_{month}.csv").write_bytes(text(3))
    stand_in = ModuleType("kagglehub")
    stand_in.dataset_download = lambda handle: str(folder)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "kagglehub", stand_in)
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(folder))
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 10**12)
    return folder


def test_fetched_months_lie_where_the_client_keeps_them(months: Path) -> None:
    assert yellow_taxi.fetch() == str(months)


def test_fetched_months_are_copied_where_a_place_is_given(months: Path, tmp_path: Path) -> None:
    copied = yellow_taxi.fetch(to=str(tmp_path / "store"))
    assert sorted(path.name for path in Path(copied).iterdir()) == [
        f"yellow_tripdata_{month}.csv" for month in yellow_taxi.MONTHS
    ]
    assert (Path(copied) / "yellow_tripdata_2015-01.csv").read_bytes() == text(3)


def test_a_missing_month_is_refused(months: Path) -> None:
    (months / "yellow_tripdata_2016-02.csv").unlink()
    with pytest.raises(DataError, match="2016-02"):
        yellow_taxi.fetch()


def test_months_without_coordinates_are_refused(months: Path) -> None:
    (months / "yellow_tripdata_2016-01.csv").write_text("VendorID,PULocationID\n1,2\n")
    with pytest.raises(DataError, match="coordinates") as caught:
        yellow_taxi.fetch()
    assert caught.value.line == 1


def test_too_little_room_is_said_before_the_download(
    months: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "free_bytes", lambda uri: 5_000_000_000)
    with pytest.raises(ResourceError, match=r"needs 10\.00 GB.*5\.00 GB free"):
        yellow_taxi.fetch()
