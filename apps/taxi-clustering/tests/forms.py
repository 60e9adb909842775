"""The same trips written in many ways: a file that any tool may have made of the city's."""

import csv
import datetime
import io
from dataclasses import dataclass
from typing import Literal

from hypothesis import strategies as st

COLUMNS = (
    "pickup time", "dropoff time", "miles", "pickup longitude", "pickup latitude",
    "dropoff longitude", "dropoff latitude", "total",
)  # fmt: skip
NAMES = {
    "2009": (
        "Trip_Pickup_DateTime", "Trip_Dropoff_DateTime", "Trip_Distance", "Start_Lon", "Start_Lat",
        "End_Lon", "End_Lat", "Total_Amt",
    ),
    "2014": (
        "pickup_datetime", "dropoff_datetime", "trip_distance", "pickup_longitude",
        "pickup_latitude", "dropoff_longitude", "dropoff_latitude", "total_amount",
    ),
    "2015": (
        "tpep_pickup_datetime", "tpep_dropoff_datetime", "trip_distance", "pickup_longitude",
        "pickup_latitude", "dropoff_longitude", "dropoff_latitude", "total_amount",
    ),
    "camel case": (
        "tpepPickupDateTime", "tpepDropoffDateTime", "tripDistance", "startLon", "startLat",
        "endLon", "endLat", "totalAmount",
    ),
    "spaced": (
        " Tpep Pickup Datetime", "Tpep-Dropoff-Datetime ", "TRIP DISTANCE", "Pickup Longitude",
        "Pickup Latitude", "Dropoff Longitude", "Dropoff Latitude", "Total Amount",
    ),
}  # fmt: skip
FURTHER = (
    "trip_distance_km", "total_minutes", "pickup_longitude_zone", "", "PULocationID", "2nd driver",
    "total_amount_eur", "dropoff_datetime_utc", "note",
)  # fmt: skip
"""Columns that are nobody's business, with values that look like anything."""
VALUES = ("", "7", "x y", "2015-01-01 10:00:00", "-1.5", "N/A", "a, b; c | d", 'say "no"', "é")
HOUR = datetime.timedelta(hours=1)
TIMES = {
    "city": lambda m: f"{m:%Y-%m-%d %H:%M:%S}",
    "T": lambda m: f"{m:%Y-%m-%dT%H:%M:%S}",
    "open data site": lambda m: f"{m:%m/%d/%Y %I:%M:%S %p}",
    "pandas": lambda m: f"{m:%Y-%m-%d %H:%M:%S}.000000",
    "UTC": lambda m: f"{m + 5 * HOUR:%Y-%m-%d %H:%M:%S} UTC",
    "Z": lambda m: f"{m + 5 * HOUR:%Y-%m-%dT%H:%M:%SZ}",
    "New York's offset": lambda m: f"{m:%Y-%m-%d %H:%M:%S}-05:00",
    "another offset": lambda m: f"{m + 6 * HOUR:%Y-%m-%dT%H:%M:%S}.000+0100",
}
"""Of winter times."""

Trip = tuple[datetime.datetime, datetime.datetime, float, float, float, float, float, float]


def trips(count: int = 40) -> list[Trip]:
    """Trips from four corners of the city; every fifth breaks a rule."""
    corners = [(-73.98, 40.75), (-73.79, 40.65), (-73.87, 40.77), (-74.0, 40.61)]
    made = []
    for number in range(count):
        west, south = corners[number % 4]
        begin = datetime.datetime(2015, 1, 15, 8) + datetime.timedelta(minutes=17 * number)
        end = begin + datetime.timedelta(seconds=600 + 7 * number)
        place = west + 0.0001 * (number // 4), south + 0.00013 * (number // 4)
        miles, total = 2.5 + number / 100, 12.3 if number % 5 else -1.0
        made.append((begin, end, miles, *place, -73.96, 40.77, total))
    return made


@dataclass(frozen=True)
class Form:
    """A way to write them."""

    names: str = "2015"
    time: str = "city"
    delimiter: str = ","
    end: str = "\n"
    quoting: Literal[0, 1, 2, 3] = csv.QUOTE_MINIMAL
    further: tuple[tuple[int, str, str], ...] = ()
    """Where, the column's name, its value."""
    blank_lines: tuple[tuple[int, str], ...] = ()
    """Before which line, of what."""
    byte_order_mark: bool = False
    last_end: bool = True
    blanks: bool = False
    """Around values."""


FORMS = st.builds(
    Form,
    names=st.sampled_from(list(NAMES)),
    time=st.sampled_from(list(TIMES)),
    delimiter=st.sampled_from(",\t;|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_NONNUMERIC, csv.QUOTE_ALL]),
    further=st.lists(
        st.tuples(st.integers(0, 12), st.sampled_from(FURTHER), st.sampled_from(VALUES)),
        max_size=4,
    ).map(tuple),
    blank_lines=st.lists(
        st.tuples(st.integers(0, 41), st.sampled_from(["", " ", "   "])), max_size=4
    ).map(tuple),
    byte_order_mark=st.booleans(),
    last_end=st.booleans(),
    blanks=st.booleans(),
)


def lines(form: Form, made: list[Trip]) -> list[str]:
    """The header and a line for every trip, without line ends."""
    header: list[str] = list(NAMES[form.names])
    rows: list[list[object]] = [[*map(TIMES[form.time], trip[:2]), *trip[2:]] for trip in made]
    if form.blanks:
        rows = [[f" {value}  " for value in row] for row in rows]
    for place, name, value in form.further:
        header.insert(place, name)
        for row in rows:
            row.insert(place, value)
    written = io.StringIO()
    writer = csv.writer(
        written, delimiter=form.delimiter, quoting=form.quoting, lineterminator="\n"
    )
    writer.writerows([header, *rows])
    return written.getvalue().removesuffix("\n").split("\n")


def text(form: Form, made: list[Trip] | None = None) -> bytes:
    """The file."""
    found = lines(form, trips() if made is None else made)
    for place, blank in sorted(form.blank_lines, reverse=True):
        found.insert(place, blank)
    whole = form.end.join(found) + form.end * form.last_end
    return b"\xef\xbb\xbf" * form.byte_order_mark + whole.encode()
