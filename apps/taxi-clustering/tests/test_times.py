"""Times in every form: those of the calendar, on New York's clock; what is none is none."""

import datetime
import zoneinfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from taxi_clustering import oracle_arrow, oracle_rows, times

NEW_YORK = zoneinfo.ZoneInfo("America/New_York")
EPOCH = datetime.datetime(1970, 1, 1)
ANY = st.datetimes(min_value=datetime.datetime(1, 1, 1))
ZONED_YEARS = st.datetimes(datetime.datetime(1967, 1, 2), datetime.datetime(2100, 1, 1))


def microseconds(moment: datetime.datetime) -> int:
    return (moment - EPOCH) // datetime.timedelta(microseconds=1)


def read(*texts: str) -> list[int]:
    return times.read_column(pa.array(texts)).tolist()


@settings(max_examples=200, deadline=None)
@given(ANY)
def test_the_usual_form_is_read_alike_both_ways(moment):
    text = f"{moment:%4Y-%m-%d %H:%M:%S}"
    expected = microseconds(moment.replace(microsecond=0))
    assert times.read_usual(np.frombuffer(text.encode(), np.uint8), 0) == expected
    assert read(text) == [expected]


def american(moment: datetime.datetime) -> str:
    half = "AM" if moment.hour < 12 else "PM"
    clock = f"{moment.hour % 12 or 12:02}:{moment:%M:%S}"
    return f"{moment:%m/%d}/{moment:%4Y} {clock} {half}"


FORMS = {
    "usual": lambda m: f"{m:%4Y-%m-%d %H:%M:%S}",
    "T": lambda m: f"{m:%4Y-%m-%dT%H:%M:%S}",
    "AM or PM": american,
    "one digit each": lambda m: (
        f"{m.month}/{m.day}/{m:%4Y} {m.hour % 12 or 12}:{m:%M:%S} {'ap'[m.hour >= 12]}m"
    ),
    "milliseconds": lambda m: f"{m:%4Y-%m-%d %H:%M:%S}.000",
    "nanoseconds": lambda m: f"{m:%4Y-%m-%d %H:%M:%S}.000000999",
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, deadline=None)
@given(moment=ANY.map(lambda moment: moment.replace(microsecond=0)))
@example(moment=datetime.datetime(2015, 1, 26, 0, 5))
@example(moment=datetime.datetime(2015, 1, 26, 12, 36, 58))
@example(moment=datetime.datetime(2016, 2, 29, 23, 59, 59))
def test_every_form_is_the_same_time(form, moment):
    text = FORMS[form](moment)
    assert read(text, text) == [microseconds(moment)] * 2
    assert oracle_rows._time(text) == microseconds(moment)


@settings(max_examples=200, deadline=None)
@given(moment=ZONED_YEARS, minutes=st.integers(-12 * 60, 12 * 60))
@example(moment=datetime.datetime(2015, 3, 8, 6, 59, 59), minutes=0)
@example(moment=datetime.datetime(2015, 3, 8, 7, 0), minutes=0)
@example(moment=datetime.datetime(2015, 11, 1, 5, 59, 59), minutes=0)
@example(moment=datetime.datetime(2015, 11, 1, 6, 0), minutes=0)
@example(moment=datetime.datetime(1974, 1, 6, 7, 0), minutes=0)
@example(moment=datetime.datetime(1975, 2, 23, 6, 59), minutes=0)
@example(moment=datetime.datetime(2006, 10, 29, 6, 0), minutes=0)
def test_a_time_with_a_zone_is_turned_to_new_yorks_clock(moment, minutes):
    aware = moment.replace(tzinfo=datetime.timezone(datetime.timedelta(minutes=minutes)))
    expected = microseconds(aware.astimezone(NEW_YORK).replace(tzinfo=None))
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    forms = [f"{moment.isoformat()}{sign}{hours:02}:{rest:02}",
             f"{moment.isoformat(' ')}{sign}{hours:02}{rest:02}",
             f"{moment.isoformat(' ')} {sign}{hours:02}:{rest:02}"]  # fmt: skip
    if minutes == 0:
        forms += [f"{moment.isoformat()}Z", f"{moment.isoformat(' ')} UTC"]
    assert read(*forms) == [expected] * len(forms)
    assert {oracle_rows._time(form) for form in forms} == {expected}


@pytest.mark.parametrize(
    "text",
    [
        "", "2015", "2015-01", "2015-01-26T", "2015-02-29 10:00:00", "2015-13-01 10:00:00",
        "2015-01-26 24:00:00", "2015-01-26 10:60:00", "2015-01-26 10:00:60", "0000-01-26 10:00:00",
        "01/26/2015 12:36:58", "26/01/2015 12:36:58", "01/26/2015", "01/26/15 01:00:00 PM",
        "13/01/2015 01:00:00 PM", "01/26/2015 13:00:00 PM", "01/26/2015 00:30:00 AM",
        "2015-01-26 10:00:00.", "2015-01-26 10:00:00.1234567890", "2015-01-26 10:00:00 EST",
        "2015-01-26 10:00:00+5", "2015-01-26 10:00:00+15:00", "2015-01-26 10:00:00+05:60",
        "2015-01-26 10:00:00+05:", "1966-01-26 10:00:00Z", "2015-01-26 10:00:00 x", "1422275818",
        "2015-01-26 10", "20150126 100000", "2015-1-26 10:00:00", "2015-01-26Z", "\u0662015-01-26",
    ],
)  # fmt: skip
def test_what_is_no_time_is_none_for_reader_and_oracle(text):
    assert read(text) == [times.NO_TIME]
    assert oracle_rows._time(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2015-01-26 9:05:00", "2015-01-26 09:05:00"),
        ("2015-01-26 10:30", "2015-01-26 10:30:00"),
        ("2015-01-26", "2015-01-26 00:00:00"),
        ("01/26/2015 9:05 pm", "2015-01-26 21:05:00"),
        ("2015-01-26 09:05:00PM", "2015-01-26 21:05:00"),
        ("2015-01-26 10:00:00.25", "2015-01-26 10:00:00.250000"),
        ("2015-07-01T04:00:00Z", "2015-07-01 00:00:00"),
        ("2015-01-26 10:00:00-05", "2015-01-26 10:00:00"),
    ],
)
def test_shorter_forms(text, expected):
    found = microseconds(datetime.datetime.fromisoformat(expected))
    assert read(text) == [found]
    assert oracle_rows._time(text) == found


def test_arrow_reads_whole_columns_of_one_form_for_the_oracle():
    """Were it to give up, every check would go line by line."""
    moment = datetime.datetime(2015, 7, 1, 0, 5, 6)
    for text in (FORMS["usual"](moment), FORMS["T"](moment), american(moment),
                 FORMS["milliseconds"](moment), "2015-07-01T04:05:06Z",
                 "2015-07-01 06:05:06.000000+02:00"):  # fmt: skip
        assert oracle_arrow._times(pa.array([text, text])).tolist() == [microseconds(moment)] * 2
    with pytest.raises(pa.ArrowInvalid):
        oracle_arrow._times(pa.array([american(moment), "2015-07-01 00:05:06"]))
