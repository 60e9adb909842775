"""Rows of trips as nearly all of them stand in the files, by a compiled loop: text → kept pickups.

The one idea: one pass over the bytes. A row's eight values never leave the registers: they are
judged by the rules of the ETL at once, and only the pickup of a kept trip is stored. The loop
stops at the first row that is anything but plain; `trips` then goes on with the slow, exact
reader, whose rows are judged by the same function, so that both ways give the same bits.

Bounds: Alexiadis et al. (2025), Comparing Ray and PyTorch, section V.A.
"""

import numba
import numpy as np
import numpy.typing as npt

from taxi_clustering import times
from taxi_clustering.city import (
    CENTRE_LATITUDE,
    CENTRE_LONGITUDE,
    GRID,
    LATITUDES,
    LONGITUDES,
    METRES_PER_LATITUDE,
    METRES_PER_LONGITUDE,
)
from taxi_clustering.times import NO_TIME, SECOND

MINUTE = 60e6
"""Microseconds."""
MOST_MINUTES = 720.0
MOST_MILES = 23.0
MOST_MPH = 45.31
MOST_TOTAL = 1000.0

WEST, EAST = LONGITUDES
SOUTH, NORTH = LATITUDES
SKIPPED, PICKUP_TIME, DROPOFF_TIME, FIRST_NUMBER = -1, 0, 1, 2
"""Roles of a column; the numbers' are those of `columns.ROLES` from FIRST_NUMBER on."""
MOST_DIGITS, MOST_DECIMALS = 19, 22
"""Of a number whose digits fit 64 bits, and whose power of ten is exact."""
NEWLINE, RETURN, POINT, MINUS = 10, 13, 46, 45

POWERS = np.array([10.0**power for power in range(MOST_DECIMALS + 1)])


def plain_bytes(delimiter: str) -> npt.NDArray[np.bool_]:
    """Bytes that may be skipped unseen: no delimiter, no quote, no line end, nothing but ASCII."""
    return np.array([32 <= byte < 127 and chr(byte) not in (delimiter, '"') for byte in range(256)])


@numba.njit(nogil=True, cache=True)
def mix(value):  # type: ignore[no-untyped-def]
    """splitmix64's output function: 64 bits → 64 bits as if drawn (Steele et al. 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(nogil=True, cache=True, inline="always")
def judge(moments, numbers, rejects):  # type: ignore[no-untyped-def]
    """Whether a trip is kept; each broken rule is counted, whatever the others say.

    moments: microseconds, int64[2]. numbers: float64[6] in the order of `columns.ROLES`.
    """
    minutes = (moments[1] - moments[0]) / MINUTE
    miles = numbers[0]
    # No time at all is no speed; comparisons with what is no number are false.
    mph = 60.0 * miles / minutes if minutes != 0.0 else np.nan
    pickup = WEST <= numbers[1] <= EAST and SOUTH <= numbers[2] <= NORTH
    dropoff = WEST <= numbers[3] <= EAST and SOUTH <= numbers[4] <= NORTH
    duration = 0.0 < minutes < MOST_MINUTES
    distance = 0.0 < miles < MOST_MILES
    speed = 0.0 <= mph <= MOST_MPH
    total = 0.0 < numbers[5] < MOST_TOTAL
    rejects[0] += not pickup
    rejects[1] += not dropoff
    rejects[2] += not duration
    rejects[3] += not distance
    rejects[4] += not speed
    rejects[5] += not total
    return pickup and dropoff and duration and distance and speed and total


@numba.njit(nogil=True, cache=True, inline="always")
def keep(moments, numbers, seed, kept, points, keys):  # type: ignore[no-untyped-def]
    """Store a kept trip's pickup in metres, and the key that decides whether it is sampled.

    The key is made of the trip's own values: so the sample does not depend on file or place.
    """
    east = np.rint((numbers[1] - CENTRE_LONGITUDE) * METRES_PER_LONGITUDE * GRID)
    north = np.rint((numbers[2] - CENTRE_LATITUDE) * METRES_PER_LATITUDE * GRID)
    points[0, kept] = east / GRID
    points[1, kept] = north / GRID
    place = np.uint64(np.int64(east)) + (np.uint64(np.int64(north)) << np.uint64(32))
    begin, end = moments[0] // SECOND, moments[1] // SECOND
    length = np.uint64(end - begin) + (np.uint64(numbers[5] * 100.0) << np.uint64(32))
    keys[kept] = mix(mix(mix(seed + place) + np.uint64(begin)) + length)


@numba.njit(nogil=True, cache=True)
def judge_all(moments, numbers, seed, rejects, points, keys, kept):  # type: ignore[no-untyped-def]
    """Rows that another reader read: moments int64[n, 2], numbers float64[n, 6] → trips kept.

    Those go behind the `kept` that are there; returned is how many there are then.
    """
    for row in range(moments.shape[0]):
        if judge(moments[row], numbers[row], rejects):
            keep(moments[row], numbers[row], seed, kept, points, keys)
            kept += 1
    return kept


@numba.njit(nogil=True, cache=True, inline="always")
def quotient(digits, decimals):  # type: ignore[no-untyped-def]
    """digits / 10^decimals, rounded to the nearest as `float` rounds it.

    More digits than a float holds: one step of Newton's, its remainder taken exactly (Dekker
    1971, A floating-point technique for extending the available precision).
    """
    power = POWERS[decimals]
    high = np.float64(digits)
    if digits <= np.uint64(1 << 53):
        return high / power
    low = np.float64(np.int64(digits - np.uint64(high)))
    first = high / power
    split = first * 134217729.0
    first_high = split - (split - first)
    first_low = first - first_high
    split = power * 134217729.0
    power_high = split - (split - power)
    power_low = power - power_high
    product = first * power
    error = first_high * power_high - product
    error += first_high * power_low + first_low * power_high
    error += first_low * power_low
    return first + ((high - product) - error + low) / power


@numba.njit(nogil=True, cache=True)
def parse(  # type: ignore[no-untyped-def]
    data, at, roles, delimiter, plain, seed, lenient, mended, rejects, points, keys, kept
):
    """Rows of whole lines from byte `at` on → (rows read, trips kept, byte where it stopped).

    `data` ends with a newline, or nothing is read of its last line. roles: int64[columns]; plain:
    bool[256], of `plain_bytes`. Kept trips go behind the `kept` that are there, and are counted
    with them. Where it is `lenient`, fields too many at the end of a row may be empty; `mended`,
    int64[1 + n], has the number of such rows and the first bytes of the first.
    """
    moments, numbers = np.empty(2, np.int64), np.empty(6)
    stop = data.size
    while stop > 0 and data[stop - 1] != NEWLINE:
        stop -= 1
    rows, last = 0, roles.size - 1
    while at < stop:
        begin = at
        if data[at] == NEWLINE:
            at += 1
            continue
        for column in range(roles.size):
            role = roles[column]
            if role == SKIPPED:
                while plain[data[at]]:
                    at += 1
            elif role < FIRST_NUMBER:
                moment = times.read_usual(data, at) if at + 20 <= stop else NO_TIME
                if moment != NO_TIME and (data[at + 19] == delimiter or data[at + 19] <= RETURN):
                    at += 19
                else:
                    moment, at = times.read(data, at, stop)
                    if moment == NO_TIME:
                        return rows, kept, begin
                moments[role] = moment
            else:
                negative = data[at] == MINUS
                at += negative
                first, digits, decimals = at, np.uint64(0), 0
                digit = np.uint8(data[at] - 48)
                while digit <= 9:
                    digits = digits * np.uint64(10) + np.uint64(digit)
                    at += 1
                    digit = np.uint8(data[at] - 48)
                count = at - first
                if data[at] == POINT:
                    at += 1
                    first = at
                    digit = np.uint8(data[at] - 48)
                    while digit <= 9:
                        digits = digits * np.uint64(10) + np.uint64(digit)
                        at += 1
                        digit = np.uint8(data[at] - 48)
                    decimals = at - first
                    count += decimals
                if count == 0 or count > MOST_DIGITS:
                    return rows, kept, begin
                value = quotient(digits, decimals)
                numbers[role - FIRST_NUMBER] = -value if negative else value
            if column < last:
                if data[at] != delimiter:
                    return rows, kept, begin
                at += 1
        surplus = lenient and data[at] == delimiter
        while surplus and data[at] == delimiter:
            at += 1
        if data[at] == RETURN:
            at += 1
        if data[at] != NEWLINE:
            return rows, kept, begin
        at += 1
        rows += 1
        if surplus:
            if mended[0] + 1 < mended.size:
                mended[mended[0] + 1] = begin
            mended[0] += 1
        if judge(moments, numbers, rejects):
            keep(moments, numbers, seed, kept, points, keys)
            kept += 1
    return rows, kept, at
