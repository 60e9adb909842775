"""The oracle's quick way: rows of plain numbers and times, sign by sign, all of a piece or none.

Plain is a time such as 2015-01-26 12:36:58, and a number of digits m with d of them behind the
point, which is m / 10^d: the nearest double where m is at most 2^53 (Clinger 1990), and else within
two units in the last place, which is nanometres of a coordinate. A number of that length next to
one of the rules' bounds makes the piece not plain, like anything else: empty fields, quotes,
blanks, exponents, CRLF.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from taxi_clustering.oracle_arrow import Header

UNUSED = -1
TIMES = ("from", "to")
NEWLINE, RETURN, QUOTE, NUL, MINUS, POINT = 10, 13, 34, 0, 45, 46
ZERO = np.uint8(48)
_0, _1, _10 = np.uint64(0), np.uint64(1), np.uint64(10)
MOST_DIGITS, EXACT = np.uint64(18), np.uint64(2**53)
POWERS = 10.0 ** np.arange(19)
TIME = np.frombuffer(b"0000-00-00 00:00:00", np.uint8)
NEXT_TO = 1e-12
BOUNDS = np.array([-74.15, -73.7004, 40.5774, 40.9176, 23, 1000])


def read(text: bytes, header: Header) -> dict[str, npt.NDArray[Any]] | None:
    """{what: its values}, as of `oracle_arrow.read`; None where the piece is not plain."""
    names = [*TIMES, *(what for what in header.places if what not in TIMES)]
    fields = np.full(header.fields, UNUSED)
    for number, what in enumerate(names):
        fields[header.places[what]] = number
    room = len(text) // header.fields + 1  # What is not used costs no memory.
    times = np.empty((len(TIMES), room), np.int64)
    numbers = np.empty((len(names) - len(TIMES), room))
    signs = np.frombuffer(text, np.uint8)
    rows = _read(signs, ord(header.delimiter), fields, times, numbers)
    if rows < 0:
        return None
    return {what: column[:rows] for what, column in zip(names, [*times, *numbers], strict=True)}


@numba.njit(nogil=True, inline="always")
def _two(text, i, place):  # type: ignore[no-untyped-def]
    """The number that two digits are."""
    at = i + np.uint64(place)
    return 10 * np.int64(text[at] - ZERO) + np.int64(text[at + _1] - ZERO)


@numba.njit(nogil=True, inline="always")
def _moment(text, i):  # type: ignore[no-untyped-def]
    """Microseconds since 1970 of the 19 signs from i on; -1 where they are none after 1970."""
    for place in range(len(TIME)):
        sign = text[i + np.uint64(place)]
        if TIME[place] == ZERO:
            if np.uint8(sign - ZERO) > 9:
                return -1
        elif sign != TIME[place]:
            return -1
    year, month = 100 * _two(text, i, 0) + _two(text, i, 2), _two(text, i, 5)
    day, hour = _two(text, i, 8), _two(text, i, 11)
    minute, second = _two(text, i, 14), _two(text, i, 17)
    if year < 1970 or not 1 <= month <= 12 or day < 1 or hour > 23 or minute > 59 or second > 59:
        return -1
    leap = (year % 4 == 0 and year % 100 != 0) or year % 400 == 0
    if day > (30 + (month + month // 8) % 2 if month != 2 else 28 + leap):
        return -1
    # Days before the month, as if February had 30; then those that it has not.
    days = 30 * (month - 1) + (month + month // 8) // 2 - (0 if month < 3 else 2 - leap) + day - 1
    before = year - 1
    days += 365 * (year - 1970) + before // 4 - before // 100 + before // 400 - 477
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000


@numba.njit(nogil=True, cache=True)
def _read(text, delimiter, fields, times, numbers):  # type: ignore[no-untyped-def]
    """Rows read, -1 where one is not plain. Positions are unsigned: quicker, none is below 0."""
    i, size, rows = _0, np.uint64(len(text)), 0
    while i < size:
        for place in range(len(fields)):
            field = fields[place]
            if field == UNUSED:
                while i < size and text[i] != delimiter and text[i] != NEWLINE:
                    if text[i] == QUOTE or text[i] == RETURN or text[i] == NUL:
                        return -1
                    i += _1
            elif field < len(times):
                moment = _moment(text, i) if i + np.uint64(len(TIME)) <= size else -1
                if moment < 0:
                    return -1
                times[field, rows] = moment
                i += np.uint64(len(TIME))
            else:
                negative = i < size and text[i] == MINUS
                i += _1 if negative else _0
                begin, number = i, _0
                while i < size and np.uint8(text[i] - ZERO) <= 9:
                    number = _10 * number + np.uint64(text[i] - ZERO)
                    i += _1
                digits, decimals = i - begin, _0
                if digits > _0 and i < size and text[i] == POINT:
                    i += _1
                    point = i
                    while i < size and np.uint8(text[i] - ZERO) <= 9:
                        number = _10 * number + np.uint64(text[i] - ZERO)
                        i += _1
                    decimals = i - point
                    digits = digits + decimals if decimals > _0 else _0
                if digits == _0 or digits > MOST_DIGITS:
                    return -1
                value = np.float64(number) / POWERS[decimals]
                value = -value if negative else value
                if number > EXACT:
                    for bound in BOUNDS:
                        if abs(value - bound) < NEXT_TO:
                            return -1
                numbers[field - len(times), rows] = value
            last = place == len(fields) - 1
            if i == size and not last:
                return -1
            if i < size and text[i] != (NEWLINE if last else delimiter):
                return -1
            i += _1
        rows += 1
    return rows
