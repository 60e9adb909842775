"""What is read of a file: pandas' rows, rule by rule; every header of the years; every damage."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studykit.errors import DataError
from taxi import HEADER, MONTHS, made_up, pandas_rules, points_of, read, row, sample, write_trips
from taxi_clustering import city, clean_rows, clustering, oracle, oracle_rows, trips
from taxi_clustering.sample import Sample

GOOD = row()


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("split_size", [1 << 30, 300_000])
def test_real_rows_are_kept_and_rejected_as_by_pandas(month, split_size):
    path = sample(month)
    broken, found = pandas_rules(path), read(path, split_size)
    assert found.rows == len(broken)
    assert trips.by_rule(found.rejects) == {rule: int(broken[rule].sum()) for rule in broken}
    assert found.kept == int((~broken.any(axis=1)).sum())


def test_real_pickups_are_where_the_file_says():
    path = sample("2016-02")
    table = pd.read_csv(path)[~pandas_rules(path).any(axis=1)]
    expected = city.to_metres(table["pickup_longitude"], table["pickup_latitude"])
    # Half a step of the grid each way.
    assert np.abs(points_of(read(path)).T - expected).max() <= 0.5 / city.GRID + 1e-9


@pytest.mark.parametrize(
    ("broken", "rules"),
    [
        (row(), []),
        (row(pickup=(-74.15, 40.5774), dropoff=(-73.7004, 40.9176)), []),  # bounds are inside
        (row(pickup=(-74.15000000000002, 40.75)), ["pickup_location"]),
        (row(pickup=(-73.98, 40.91760000000001)), ["pickup_location"]),
        (row(pickup=(0, 0), dropoff=(0, 0)), ["pickup_location", "dropoff_location"]),
        (row(dropoff=(-73.70039999999999, 40.75)), ["dropoff_location"]),
        (row(end="2015-01-15 10:00:00"), ["duration", "speed"]),
        (row(end="2015-01-15 10:00:00", miles=0), ["duration", "distance", "speed"]),
        (row(end="2015-01-15 09:59:00"), ["duration", "speed"]),
        (row(end="2015-01-15 22:00:00"), ["duration"]),
        (row(end="2015-01-15 21:59:59"), []),
        (row(miles=".50"), []),
        (row(miles=0), ["distance"]),
        (row(miles=23, end="2015-01-15 12:00:00"), ["distance"]),
        (row(miles=9.07), ["speed"]),  # 45.35 mph over 12 minutes
        (row(miles=9.06), []),
        (row(total=0), ["total"]),
        (row(total=-3.5), ["total"]),
        (row(total=1000), ["total"]),
        (row(total=999.99), []),
    ],
)
@pytest.mark.parametrize("blank", ["", " "], ids=["compiled reader", "exact reader"])
def test_each_rule_is_counted_by_itself(tmp_path, broken, rules, blank):
    path = write_trips(tmp_path / "trips.csv", [broken + blank, GOOD])
    found = read(path)
    assert [rule for rule, count in trips.by_rule(found.rejects).items() if count] == rules
    assert found.kept == (1 if rules else 2)
    (batch,) = oracle_rows.batches_for(str(path), False, False, lambda batch: batch)
    by_numpy = oracle.rules_broken(batch.columns)
    assert found.rejects.tolist() == [*by_numpy.sum(axis=1).tolist(), 0]


HEADERS = {
    "2009": "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,"
    "Start_Lon,Start_Lat,Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,"
    "surcharge,mta_tax,Tip_Amt,Tolls_Amt,Extra,Total_Amt",
    "2014": "vendor_id, pickup_datetime, dropoff_datetime, passenger_count, trip_distance,"
    " pickup_longitude, pickup_latitude, rate_code, store_and_fwd_flag, dropoff_longitude,"
    " dropoff_latitude, payment_type, fare_amount, surcharge, mta_tax, tip_amount, tolls_amount,"
    " extra, total_amount",
    "2015": HEADER,
    "2016": HEADER.replace("RateCodeID", "RatecodeID"),
    "spaced": HEADER.replace("_", " ").title(),
    "quoted": ",".join(f'"{name}"' for name in HEADER.split(",")),
}


@pytest.mark.parametrize("year", HEADERS)
def test_the_headers_of_all_years_are_understood(tmp_path, year):
    found = read(write_trips(tmp_path / "trips.csv", [GOOD, row(total=0)], HEADERS[year]))
    assert (found.rows, found.kept) == (2, 1)


FORMS = {
    "plain": lambda text: text,
    "CRLF": lambda text: text.replace(b"\n", b"\r\n"),
    "byte order mark": lambda text: b"\xef\xbb\xbf" + text,
    "blank lines": lambda text: b"\n" + text.replace(b"\n", b"\r\n\r\n", 1) + b"\n\n",
    "no newline at the end": lambda text: text.removesuffix(b"\n"),
    "quotes": lambda text: text.replace(b",N,", b',"N",'),
    "quoted numbers": lambda text: text.replace(b",2.5,", b',"2.5",'),
    "blanks around numbers": lambda text: text.replace(b",2.5,", b", 2.5 ,"),
    "an exponent": lambda text: text.replace(b",2.5,", b",25e-1,"),
    "many digits": lambda text: text.replace(b"40.75,", b"40.750000000000000000000000000,"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("compressed", [False, True], ids=["text", "gzip"])
def test_every_form_of_a_file_gives_the_same_trips(tmp_path, form, compressed):
    rows = [row(pickup=(-73.98 + 0.001 * i, 40.75)) for i in range(20)]
    plain = write_trips(tmp_path / "plain.csv", rows)
    content = FORMS[form](plain.read_bytes())
    path = tmp_path / ("trips.csv.gz" if compressed else "trips.csv")
    path.write_bytes(gzip.compress(content) if compressed else content)
    found, expected = read(path, 500), read(plain)
    assert found.rows == 20
    assert np.array_equal(points_of(found), points_of(expected))


def bad(**values: object) -> bytes:
    return row(**values).encode()  # type: ignore[arg-type]


BAD_ROWS = {
    "a field too many": (bad() + b",", "expected 19 columns, found 20"),
    "two fields too many": (bad() + b",,", "expected 19 columns, found 21"),
    "a field too few": (bad().rsplit(b",", 1)[0], "expected 19 columns, found 18"),
    "shifted to the right": (b"1," + bad(), "expected 19 columns, found 20"),
    "NaN": (bad(pickup=("nan", 40.75)), r"a missing value \('nan'\)"),
    "infinity": (bad(dropoff=(-73.9, "inf")), "no finite number"),
    "no coordinate": (bad(pickup=("", 40.75)), "missing value"),
    "no number": (bad(total="twelve"), "'twelve' is no finite number"),
    "thousands": (bad().replace(b",12.3", b',"1,012.3"'), "'1,012.3' is no finite number"),
    "a decimal comma": (bad().replace(b",12.3", b',"12,3"'), "'12,3' is no finite number: write"),
    "no such day": (bad(begin="2015-02-30 10:00:00"), "is no time"),
    "no such hour": (bad(end="2015-01-15 24:00:00"), "is no time"),
    "no time": (bad(end=""), "missing value"),
    "another calendar": (bad(begin="15/01/2015 10:00"), "is no time"),
    "a NUL byte": (bad().replace(b"N", b"\0"), "NUL"),
    "an open quote": (bad().replace(b"N", b'"N'), "quote"),
    "a second header": (HEADER.encode(), "is no time"),
}


@pytest.mark.parametrize("damage", BAD_ROWS)
@pytest.mark.parametrize("split_size", [1 << 20, 200])
def test_a_wrong_row_is_named_with_its_line(tmp_path, damage, split_size):
    text, reason = BAD_ROWS[damage]
    path = tmp_path / "trips.csv"
    path.write_bytes(f"{HEADER}\n{GOOD}\n{GOOD}\n".encode() + text + f"\n{GOOD}\n".encode())
    with pytest.raises(DataError, match=reason) as caught:
        read(path, split_size)
    assert (caught.value.uri, caught.value.line) == (str(path), 4)


def test_a_truncated_last_line_is_named(tmp_path):
    path = tmp_path / "trips.csv"
    path.write_text(f"{HEADER}\n{GOOD}\n{GOOD[:80]}")
    with pytest.raises(DataError) as caught:
        read(path)
    assert caught.value.line == 3


BAD_HEADERS = {
    "location ids": (
        "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
        "RatecodeID,store_and_fwd_flag,PULocationID,DOLocationID,total_amount",
        "location ids.*June 2016",
    ),
    "no header": (GOOD, "no header"),
    "a missing column": (HEADER.replace("total_amount", "sum"), "no column for the total amount"),
    "a column twice": (HEADER.replace("extra", "Trip_Distance"), "two columns for the trip"),
    "another table": ("source,destination", "no column for the pickup time"),
}


@pytest.mark.parametrize("damage", BAD_HEADERS)
def test_a_header_without_the_columns_is_refused(tmp_path, damage):
    header, reason = BAD_HEADERS[damage]
    path = write_trips(tmp_path / "trips.csv", [GOOD], header)
    with pytest.raises(DataError, match=reason) as caught:
        trips.sniff(str(path))
    assert caught.value.uri == str(path)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf\r\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    path = tmp_path / "trips.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match="empty"):
        trips.sniff(str(path))


def test_files_of_a_folder_may_have_different_headers(tmp_path):
    write_trips(tmp_path / "a.csv", [GOOD], HEADERS["2009"])
    write_trips(tmp_path / "b.csv", [GOOD, GOOD], HEADERS["2016"])
    assert read(tmp_path).kept == 3


@settings(max_examples=400, deadline=None)
@given(
    whole=st.integers(0, 10**6), decimals=st.text("0123456789", max_size=13), minus=st.booleans()
)
def test_numbers_are_rounded_as_python_rounds_them(whole, decimals, minus):
    text = f"{'-' if minus else ''}{whole}{'.' if decimals else ''}{decimals}"
    digits = int(f"{whole}{decimals}")
    quotient = clean_rows.quotient(np.uint64(digits), len(decimals))
    assert (-quotient if minus else quotient) == float(text)


@settings(max_examples=300, deadline=None)
@given(st.floats(-74.3, -73.5), st.integers(13, 17))
def test_coordinates_are_rounded_as_python_rounds_them(value, decimals):
    text = f"{-value:.{decimals}f}"
    digits = int(text.replace(".", ""))
    assert clean_rows.quotient(np.uint64(digits), decimals) == float(text)


def test_the_sample_does_not_depend_on_the_splits(tmp_path, monkeypatch):
    monkeypatch.setattr(clustering, "SAMPLE_SIZE", 150)
    path = made_up(tmp_path / "trips.csv", 1000)
    samples = [Sample.of([read(path, size).sample], 150) for size in (1 << 20, 5_000, 700)]
    assert len(samples[0]) == 150
    for other in samples[1:]:
        assert np.array_equal(samples[0].keys, other.keys)
        assert np.array_equal(samples[0].points, other.points)
    other_seed = Sample.of([read(path, seed=7).sample], 150)
    assert not np.array_equal(samples[0].points, other_seed.points)


def test_the_sample_is_spread_like_the_trips(tmp_path, monkeypatch):
    """Of 4,000 trips in two towns, 3 : 1, a sample of 400 has 300 ± 5 standard errors (43)."""
    monkeypatch.setattr(clustering, "SAMPLE_SIZE", 400)
    places = [
        (-73.98, 40.75 + 1e-5 * i) if i % 4 else (-73.8, 40.65 + 1e-5 * i) for i in range(4000)
    ]
    path = write_trips(tmp_path / "trips.csv", [row(pickup=place) for place in places])
    found = Sample.of([read(Path(path)).sample], 400)
    west = int((found.points[0] < 0).sum())
    assert abs(west - 300) < 43
