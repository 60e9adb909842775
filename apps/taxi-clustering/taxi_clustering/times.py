"""Times as the city, its open-data site and pandas write them → microseconds on New York's clock.

Read are `2015-01-26 12:36:58` (or with a T, without seconds, or the day alone: midnight) and
`01/26/2015 12:36:58 PM`; seconds may have fractions, of which six digits count. A time with `Z`,
`UTC` or an offset (`-05:00`, `-0500`, `-05`) is turned to New York's clock; one without stands on
it. A day behind a month, or the other way round, is anyone's guess without AM or PM: no time.

Summer time: the Uniform Time Act of 1966 with its changes of 1974, 1986 and 2005, as the tz
database has them (rules "US").
"""

import numba
import numpy as np
import numpy.typing as npt
import pyarrow as pa

SECOND = 1_000_000
"""Microseconds."""
HOUR = 3600 * SECOND
DAY = 24 * HOUR
NO_TIME = np.iinfo(np.int64).min
FORMS = "2015-01-26 12:36:58 or 01/26/2015 12:36:58 PM, with or without a zone like -05:00"

FIRST_YEAR_WITH_ZONE = 1967
"""Before, every town had summer times of its own."""
DAYS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


@numba.njit(nogil=True, cache=True, inline="always")
def days_since_1970(year, month, day):  # type: ignore[no-untyped-def]
    """Years begin in March (Hinnant, chrono-compatible algorithms)."""
    shifted = year - (month <= 2)
    day_of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + day_of_year - 719468


@numba.njit(nogil=True, cache=True, inline="always")
def moment(year, month, day, hour, minute, second):  # type: ignore[no-untyped-def]
    """Microseconds since 1970, or NO_TIME where the calendar or the clock has no such time."""
    if year < 1 or year > 9999 or month < 1 or month > 12 or day < 1:
        return NO_TIME
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if day > DAYS[month - 1] + (month == 2 and leap):
        return NO_TIME
    if hour > 23 or minute > 59 or second > 59:
        return NO_TIME
    days = days_since_1970(year, month, day)
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * SECOND


@numba.njit(nogil=True, cache=True, inline="always")
def _pair(data, at):  # type: ignore[no-untyped-def]
    """Two digits at `at` as a number, or something above 99."""
    tens = np.uint8(data[at] - 48)
    ones = np.uint8(data[at + 1] - 48)
    return np.int64(tens) * 10 + ones if tens <= 9 and ones <= 9 else 1000


@numba.njit(nogil=True, cache=True, inline="always")
def read_usual(data, at):  # type: ignore[no-untyped-def]
    """'YYYY-MM-DD hh:mm:ss' in 19 bytes, as nearly all stand in the files; NO_TIME for another."""
    if data[at + 4] != 45 or data[at + 7] != 45 or data[at + 10] != 32:
        return NO_TIME
    if data[at + 13] != 58 or data[at + 16] != 58:
        return NO_TIME
    year = _pair(data, at) * 100 + _pair(data, at + 2)
    month, day = _pair(data, at + 5), _pair(data, at + 8)
    hour, minute, second = _pair(data, at + 11), _pair(data, at + 14), _pair(data, at + 17)
    return moment(year, month, day, hour, minute, second)


@numba.njit(nogil=True, cache=True)
def _sunday(year, month, day):  # type: ignore[no-untyped-def]
    """The first Sunday from a day on, in days since 1970 (which began on a Thursday)."""
    days = days_since_1970(year, month, day)
    return days + (3 - days) % 7


@numba.njit(nogil=True, cache=True)
def in_new_york(moment_utc, year):  # type: ignore[no-untyped-def]
    """A moment of universal time in this year, from 1967 on → New York's clock."""
    if year >= 2007:
        begin, end = _sunday(year, 3, 8), _sunday(year, 11, 1)
    elif year >= 1987:
        begin, end = _sunday(year, 4, 1), _sunday(year, 10, 25)
    else:
        begin, end = _sunday(year, 4, 24), _sunday(year, 10, 25)
        if year == 1974:
            begin = days_since_1970(year, 1, 6)
        elif year == 1975:
            begin = days_since_1970(year, 2, 23)
    # From two in the morning to two in the morning, by the clock before the change.
    summer = begin * DAY + 7 * HOUR <= moment_utc < end * DAY + 6 * HOUR
    return moment_utc - (4 if summer else 5) * HOUR


@numba.njit(nogil=True, cache=True)
def _number(data, at, stop, most):  # type: ignore[no-untyped-def]
    """At most `most` digits at `at` → (their number, the byte behind them)."""
    end = min(at + most, stop)
    value = np.int64(0)
    while at < end:
        digit = np.uint8(data[at] - np.uint8(48))
        if digit > 9:
            break
        value = value * 10 + digit
        at += 1
    return value, at


@numba.njit(nogil=True, cache=True)
def _is(data, at, stop, letter):  # type: ignore[no-untyped-def]
    return at < stop and data[at] == letter


@numba.njit(nogil=True, cache=True)
def read(data, at, stop):  # type: ignore[no-untyped-def]
    """The time at byte `at` of uint8[…] → (microseconds or NO_TIME, the byte behind it)."""
    date, year, american, at = _date(data, at, stop)
    if date == NO_TIME:
        return NO_TIME, at
    clock, midday, end = _clock(data, at, stop)
    if clock == NO_TIME or (american and not midday):
        return NO_TIME, end
    if end == at:
        return date, end
    offset, at = _zone(data, end, stop)
    found = date + clock
    if offset != NO_TIME:
        if year < FIRST_YEAR_WITH_ZONE:
            return NO_TIME, at
        found = in_new_york(found - offset, year)
    return found, at


@numba.njit(nogil=True, cache=True)
def _date(data, at, stop):  # type: ignore[no-untyped-def]
    """(midnight or NO_TIME, year, whether month and day come first, the byte behind)."""
    first, end = _number(data, at, stop, 4)
    if end - at == 4 and _is(data, end, stop, 45):
        month, after = _number(data, end + 1, stop, 2)
        if after != end + 3 or not _is(data, after, stop, 45):
            return NO_TIME, 0, False, after
        day, last = _number(data, after + 1, stop, 2)
        if last != after + 3:
            return NO_TIME, 0, False, last
        return moment(first, month, day, 0, 0, 0), first, False, last
    if 1 <= end - at <= 2 and _is(data, end, stop, 47):
        day, after = _number(data, end + 1, stop, 2)
        if after == end + 1 or not _is(data, after, stop, 47):
            return NO_TIME, 0, True, after
        year, last = _number(data, after + 1, stop, 4)
        if last != after + 5:
            return NO_TIME, 0, True, last
        return moment(year, first, day, 0, 0, 0), year, True, last
    return NO_TIME, 0, False, end


@numba.njit(nogil=True, cache=True)
def _clock(data, at, stop):  # type: ignore[no-untyped-def]
    """(microseconds since midnight or NO_TIME, whether AM or PM was said, the byte behind)."""
    if not (_is(data, at, stop, 32) or _is(data, at, stop, 84)):
        return 0, False, at
    hour, end = _number(data, at + 1, stop, 2)
    if end == at + 1:
        # A blank behind the day is not the study's to judge.
        return (0, False, at) if data[at] == 32 else (NO_TIME, False, at)
    if not _is(data, end, stop, 58):
        return NO_TIME, False, end
    minute, after = _number(data, end + 1, stop, 2)
    if after != end + 3:
        return NO_TIME, False, after
    second, fraction = 0, 0
    if _is(data, after, stop, 58):
        second, last = _number(data, after + 1, stop, 2)
        if last != after + 3:
            return NO_TIME, False, last
        after = last
        if _is(data, after, stop, 46):
            fraction, last = _number(data, after + 1, stop, 6)
            digits = last - after - 1
            if digits == 0:
                return NO_TIME, False, last
            for _ in range(digits, 6):
                fraction *= 10
            _, after = _number(data, last, stop, 3)
    hour, midday, after = _half_of_the_day(data, after, stop, hour)
    if hour < 0 or hour > 23 or minute > 59 or second > 59:
        return NO_TIME, midday, after
    return ((hour * 60 + minute) * 60 + second) * SECOND + fraction, midday, after


@numba.njit(nogil=True, cache=True)
def _half_of_the_day(data, at, stop, hour):  # type: ignore[no-untyped-def]
    """(hour of 24, or -1 where there is none; whether AM or PM was said; the byte behind)."""
    letter = at + _is(data, at, stop, 32)
    if letter + 1 >= stop or data[letter + 1] | 32 != 109:
        return hour, False, at
    half = data[letter] | 32
    if half not in (97, 112):
        return hour, False, at
    if hour < 1 or hour > 12:
        return -1, True, letter + 2
    return hour % 12 + (12 if half == 112 else 0), True, letter + 2


@numba.njit(nogil=True, cache=True)
def _zone(data, at, stop):  # type: ignore[no-untyped-def]
    """(microseconds east of Greenwich, or NO_TIME where no zone is said; the byte behind)."""
    begin = at + _is(data, at, stop, 32)
    if _is(data, begin, stop, 90):
        return 0, begin + 1
    if begin + 2 < stop and data[begin] == 85 and data[begin + 1] == 84 and data[begin + 2] == 67:
        return 0, begin + 3
    if not (_is(data, begin, stop, 43) or _is(data, begin, stop, 45)):
        return NO_TIME, at
    hours, end = _number(data, begin + 1, stop, 2)
    if end != begin + 3:
        return NO_TIME, at
    minutes, last = _number(data, end + _is(data, end, stop, 58), stop, 2)
    if last == end:
        minutes = 0
    elif last - end - _is(data, end, stop, 58) != 2:
        return NO_TIME, at
    if hours > 14 or minutes > 59:
        return NO_TIME, at
    offset = (hours * 60 + minutes) * 60 * SECOND
    return (-offset if data[begin] == 45 else offset), last


@numba.njit(nogil=True, cache=True)
def read_texts(data, offsets):  # type: ignore[no-untyped-def]
    """Of uint8[…], in which a text ends where the next begins → microseconds int64[n], NO_TIME
    where one is no time."""
    found = np.empty(offsets.size - 1, np.int64)
    for row in range(found.size):
        found[row], end = read(data, offsets[row], offsets[row + 1])
        if end != offsets[row + 1]:
            found[row] = NO_TIME
    return found


def read_column(texts: pa.Array) -> npt.NDArray[np.int64]:
    """`read_texts` of strings without blanks around them."""
    if not len(texts):
        return np.empty(0, np.int64)
    whole = texts.cast(pa.large_string())
    _, ends, data = whole.buffers()
    offsets = np.frombuffer(ends, np.int64)[whole.offset :][: len(texts) + 1]
    return read_texts(np.frombuffer(data or b"\0", np.uint8), offsets)
