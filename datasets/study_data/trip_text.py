"""Taxi trips as text, as the city's commission writes them: times, coordinates, money.

Coordinates are float32 written with up to 15 decimals, which is exact but for the last digits:
so are the real ones.
"""

import numba
import numpy as np

from study_data.trip_figures import CENTRE, METRES_PER_DEGREE

GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: splitmix64's step."""
LONGEST_ROW = 240
"""Bytes; about 157 are the rule."""
COMMA, NEWLINE, POINT, MINUS, ZERO, COLON, BLANK = 44, 10, 46, 45, 48, 58, 32
PASSENGERS = np.array([46400, 55771, 58458, 59703, 63242, 65536], np.int64)
"""Of 65,536 trips, those with at most 1 … 6 passengers."""


@numba.njit(nogil=True, cache=True)
def mix(value):  # type: ignore[no-untyped-def]
    """splitmix64's output function."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def _digits(text, at, number, width):  # type: ignore[no-untyped-def]
    """`width` digits of a number that is not negative, with zeros before it."""
    for place in range(at + width - 1, at - 1, -1):
        rest = number // 10
        text[place] = ZERO + number - rest * 10
        number = rest
    return at + width


@numba.njit(nogil=True, cache=True)
def _integer(text, at, number):  # type: ignore[no-untyped-def]
    width, bound = 1, 10
    while number >= bound:
        width += 1
        bound *= 10
    return _digits(text, at, number, width)


@numba.njit(nogil=True, cache=True)
def _fraction(text, at, digits, width):  # type: ignore[no-untyped-def]
    """A point and `width` decimals, without zeros at the end; nothing where all are zero."""
    if digits == 0:
        return at
    text[at] = POINT
    at = _digits(text, at + 1, digits, width)
    while text[at - 1] == ZERO:
        at -= 1
    return at


@numba.njit(nogil=True, cache=True)
def _money(text, at, cents):  # type: ignore[no-untyped-def]
    if cents < 0:
        text[at] = MINUS
        at, cents = at + 1, -cents
    at = _integer(text, at, cents // 100)
    at = _fraction(text, at, cents % 100, 2)
    text[at] = COMMA
    return at + 1


@numba.njit(nogil=True, cache=True)
def _coordinates(text, at, east, north):  # type: ignore[no-untyped-def]
    """'longitude,latitude,' of metres around the centre; '0,0,' where there are none."""
    if np.isnan(east):
        text[at], text[at + 1], text[at + 2], text[at + 3] = ZERO, COMMA, ZERO, COMMA
        return at + 4
    longitude = -np.float64(np.float32(CENTRE[0] + east / METRES_PER_DEGREE[0]))
    latitude = np.float64(np.float32(CENTRE[1] + north / METRES_PER_DEGREE[1]))
    # A float32 is whole in steps of 2^-17 between 64 and 128, of 2^-18 between 32 and 64; these
    # have as many decimals, written as whole numbers by powers of 5.
    steps = np.int64(longitude * 131072.0)
    text[at] = MINUS
    at = _integer(text, at + 1, steps >> 17)
    at = _fraction(text, at, ((steps & 131071) * 762939453125 + 50) // 100, 15)
    text[at] = COMMA
    steps = np.int64(latitude * 262144.0)
    at = _integer(text, at + 1, steps >> 18)
    at = _fraction(text, at, ((steps & 262143) * 3814697265625 + 500) // 1000, 15)
    text[at] = COMMA
    return at + 1


@numba.njit(nogil=True, cache=True)
def _time(text, at, seconds):  # type: ignore[no-untyped-def]
    """Seconds since the first of January 2015 as 'YYYY-MM-DD hh:mm:ss,', up to February."""
    day = seconds // 86400
    at = _digits(text, at, 2015, 4)
    text[at] = MINUS
    at = _digits(text, at + 1, 1 + day // 31, 2)
    text[at] = MINUS
    at = _digits(text, at + 1, 1 + day % 31, 2)
    text[at] = BLANK
    at = _digits(text, at + 1, seconds // 3600 % 24, 2)
    text[at] = COLON
    at = _digits(text, at + 1, seconds // 60 % 60, 2)
    text[at] = COLON
    at = _digits(text, at + 1, seconds % 60, 2)
    text[at] = COMMA
    return at + 1


@numba.njit(nogil=True, cache=True)
def write_row(text, at, bits, begin, place, numbers, money, card):  # type: ignore[no-untyped-def]
    """Write a trip at `at`; returns where it ends.

    place: metres of both ends. numbers: miles, seconds. money: cents of fare, extra, tip, toll and
    total. bits: random ones, for what no study reads.
    """
    text[at] = ZERO + 1 + ((bits >> np.uint64(32)) & np.uint64(1))
    text[at + 1] = COMMA
    at = _time(text, at + 2, begin)
    at = _time(text, at, begin + np.int64(numbers[1]))
    drawn, passengers = np.int64(bits >> np.uint64(48)), 1
    while drawn >= PASSENGERS[passengers - 1]:
        passengers += 1
    text[at], text[at + 1] = ZERO + passengers, COMMA
    hundredths = np.int64(numbers[0] * 100.0)
    at = _integer(text, at + 2, hundredths // 100)
    text[at] = POINT
    at = _digits(text, at + 1, hundredths % 100, 2)
    text[at] = COMMA
    at = _coordinates(text, at + 1, place[0], place[1])
    text[at], text[at + 1] = ZERO + 1, COMMA
    text[at + 2], text[at + 3] = 78, COMMA  # N: sent at once
    at = _coordinates(text, at + 4, place[2], place[3])
    text[at], text[at + 1] = ZERO + (1 if card else 2), COMMA
    at = _money(text, at + 2, money[0])
    at = _money(text, at, money[1])
    at = _money(text, at, 50)
    at = _money(text, at, money[2])
    at = _money(text, at, money[3])
    at = _money(text, at, 30)
    at = _money(text, at, money[4])
    text[at - 1] = NEWLINE
    return at
