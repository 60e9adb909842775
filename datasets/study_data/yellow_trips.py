"""Seeded taxi trips as CSV lines with the columns of New York's yellow taxis in January 2015.

The one idea: row i is a pure function of (seed, i), so any thread can write any row, the file has
the same bytes whatever the number of threads, and a smaller file is the beginning of a larger one.
Only additions, multiplications, divisions and square roots are used, which every machine rounds
the same.

Trips have the figures of real ones (`trip_figures`): fares too were fitted to those, by least
squares, and something is wrong with a row as often.

Unlike real trips: where one ends depends on where it begins by the distance alone, in directions
that know Manhattan but no destination; days and hours are alike in speed; Gaussians know no
streets and no rivers.

Random numbers: splitmix64 (Steele, Lea and Flood 2014).
"""

from collections.abc import Generator

import numba
import numpy as np
import numpy.typing as npt
from studykit import machine
from studykit.storage.ahead import in_turn

from study_data.dataset import Dataset, Size
from study_data.splitmix import normal
from study_data.trip_figures import (
    BOX,
    CENTRE,
    HASTE,
    HOURS,
    METRES_PER_DEGREE,
    MILES,
    PICKUPS,
    SHARES,
    TIPS,
    UPTOWN,
    USUAL,
)
from study_data.trip_text import GOLDEN, LONGEST_ROW, mix, write_row

HEADER = (
    b"VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    b"pickup_longitude,pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,"
    b"dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    b"improvement_surcharge,total_amount\n"
)
CHUNK_ROWS = 1 << 17
WORDS_PER_ROW = 8

Bytes = npt.NDArray[np.uint8]


def blocks(
    rows: int, seed: int = 0, *, threads: int | None = None, chunk_rows: int = CHUNK_ROWS
) -> Generator[memoryview, None, None]:
    """The file's bytes in order. Memory stays at a few chunks, whatever the size of the file."""
    yield memoryview(HEADER)

    def block(start: int) -> memoryview:
        return _block(seed, start, min(start + chunk_rows, rows))

    yield from in_turn(range(0, rows, chunk_rows), block, threads or machine.cores())


def _block(seed: int, start: int, stop: int) -> memoryview:
    text = np.empty((stop - start) * LONGEST_ROW, np.uint8)
    key = np.uint64(mix(np.uint64((seed + 1) * GOLDEN % 2**64)))
    return text[: _fill(text, start, stop, key)].data


@numba.njit(nogil=True, cache=True)
def _quantile(table, bits):  # type: ignore[no-untyped-def]
    """The value of a table below which a share of 32 random bits / 2^32 lies."""
    share = np.float64(bits) / 65536.0
    place = 0
    while share >= SHARES[place + 1]:
        place += 1
    part = (share - SHARES[place]) / (SHARES[place + 1] - SHARES[place])
    return table[place] + (table[place + 1] - table[place]) * part


@numba.njit(nogil=True, cache=True)
def _pickup(words, place):  # type: ignore[no-untyped-def]
    """place[0], place[1]: metres east and north of a point drawn from the mixture."""
    drawn = np.float64(words[0] & np.uint64(65535))
    component = 0
    while drawn >= PICKUPS[component, 0]:
        drawn -= PICKUPS[component, 0]
        component += 1
    first, second = normal(words[1]), normal(words[2])
    chosen = PICKUPS[component]
    place[0] = chosen[1] + chosen[3] * first
    place[1] = chosen[2] + chosen[4] * first + chosen[5] * second


@numba.njit(nogil=True, cache=True)
def _dropoff(words, miles, place):  # type: ignore[no-untyped-def]
    """place[2], place[3]: as far away as the miles reach, rather along Manhattan than across.

    A crow flies a mile where a taxi drives 1.31. Who would leave the box turns, or ends nearer.
    """
    metres = miles * 1609.344 / 1.31
    t = np.float64(words[3] & np.uint64(0xFFFFFF)) / 16777216.0
    t *= t
    along, across = (1.0 - t * t) / (1.0 + t * t), 2.0 * t / (1.0 + t * t)
    turn = np.int64(words[3] >> np.uint64(24)) & 3
    for attempt in range(1, 17):
        first, second = metres * (along if turn & 1 else -along), metres * across
        second = second if turn & 2 else -second
        place[2] = place[0] + first * UPTOWN[0] + second * UPTOWN[1]
        place[3] = place[1] + first * UPTOWN[1] - second * UPTOWN[0]
        longitude = CENTRE[0] + place[2] / METRES_PER_DEGREE[0]
        latitude = CENTRE[1] + place[3] / METRES_PER_DEGREE[1]
        if BOX[0] < longitude < BOX[1] and BOX[2] < latitude < BOX[3]:
            break
        turn = (turn + 1) & 3
        if attempt % 4 == 0:
            metres *= 0.5


@numba.njit(nogil=True, cache=True)
def _spoil(words, place, numbers):  # type: ignore[no-untyped-def]
    """What is wrong with some rows, as often as with real ones, of 65,536.

    numbers: miles, seconds, total's sign. A place without a fix has the coordinates 0, 0.
    """
    drawn = words[6] & np.uint64(65535)
    if drawn < 960 + 146:  # no fix at the beginning
        place[0] = np.nan
    if drawn < 960 or 1106 <= drawn < 1198:  # nor at the end, or there alone
        place[2] = np.nan
    elif 1198 <= drawn < 1370:  # out of town: Newark and beyond
        place[2] -= 35_000.0
    elif 1370 <= drawn < 1390:
        place[0] -= 35_000.0
    drawn = (words[6] >> np.uint64(16)) & np.uint64(65535)
    if drawn < 66:  # started and stopped at once
        numbers[0], numbers[1] = 0.0, 0.0
    elif drawn < 369:  # never left
        numbers[0], numbers[1] = 0.0, 1.0 + np.float64(drawn - np.uint64(66)) * 0.2
    elif drawn < 447:  # the meter ran on for a day
        numbers[1] = 86_400.0 - np.float64(drawn - np.uint64(368)) * 13.0
    elif drawn < 502:  # the clock was late
        numbers[1] = np.float64(drawn - np.uint64(446))
    drawn = (words[6] >> np.uint64(32)) & np.uint64(65535)
    if drawn < 22:  # paid back
        numbers[2] = -1.0
    elif drawn < 30:
        numbers[2] = 0.0


@numba.njit(nogil=True, cache=True)
def _fill(text, start, stop, key):  # type: ignore[no-untyped-def]
    """Write rows start..stop; returns the length of the text."""
    words, place = np.empty(WORDS_PER_ROW, np.uint64), np.empty(4)
    numbers, money = np.empty(3), np.empty(5, np.int64)
    at = 0
    for row in range(start, stop):
        for number in range(WORDS_PER_ROW):
            counter = np.uint64(row) * np.uint64(WORDS_PER_ROW) + np.uint64(number + 1)
            words[number] = mix(key + counter * np.uint64(GOLDEN))
        miles = _quantile(MILES, words[4] >> np.uint64(32))
        leg = 0
        while miles >= USUAL[leg + 1, 0]:
            leg += 1
        slope = (USUAL[leg + 1, 1] - USUAL[leg, 1]) / (USUAL[leg + 1, 0] - USUAL[leg, 0])
        mph = USUAL[leg, 1] + slope * (miles - USUAL[leg, 0])
        mph *= _quantile(HASTE, words[4] & np.uint64(0xFFFFFFFF))
        if mph > 32.0:  # Who is fast already has less to gain.
            mph = 32.0 + (mph - 32.0) * 0.5
        numbers[0], numbers[1], numbers[2] = miles, miles / mph * 3600.0, 1.0
        _pickup(words, place)
        _dropoff(words, miles, place)
        _spoil(words, place, numbers)
        # Cents: fare in half dollars, extra, tip, toll, all with the fixed ones.
        fare = 2.93 + 2.268 * numbers[0] + 0.2098 * min(numbers[1] / 60.0, 120.0)
        money[0] = np.int64(fare * 2.0) * 50
        drawn = (words[6] >> np.uint64(48)) & np.uint64(65535)
        money[1] = 0 if drawn < 34300 else 50 if drawn < 55700 else 100
        card = (words[7] & np.uint64(65535)) < 42686
        share = _quantile(TIPS, words[7] >> np.uint64(32)) if card else 0.0
        money[2] = np.int64(np.float64(money[0]) * share)
        money[3] = 554 if ((words[7] >> np.uint64(16)) & np.uint64(65535)) < 2869 else 0
        money[4] = np.int64(numbers[2]) * (money[0] + money[1] + 50 + money[2] + money[3] + 30)
        within = np.float64(words[5] & np.uint64(0xFFFFFFFF)) / 4294967296.0 * HOURS[-1]
        hour = 0
        while within >= HOURS[hour]:
            hour += 1
        day = (words[5] >> np.uint64(32)) % np.uint64(31)
        second = (words[5] >> np.uint64(40)) % np.uint64(3600)
        begin = (np.int64(day) * 24 + hour) * 3600 + np.int64(second)
        at = write_row(text, at, words[3], begin, place, numbers, money, card)
    return at


KINDS = dict.fromkeys(("VendorID", "passenger_count", "RateCodeID", "payment_type"), "int64") | {
    "tpep_pickup_datetime": "timestamp[us]",
    "tpep_dropoff_datetime": "timestamp[us]",
    "store_and_fwd_flag": "string",
}
"""Of the columns that are not numbers with a fraction."""

DATASET = Dataset(
    name="yellow-trips",
    title="yellow taxi trips in New York, generated with the marginals of real months",
    licence="Apache-2.0 (made by this project's generator)",
    source="study_data/yellow_trips.py",
    schema="CSV with the header of the yellow trip records of January 2015: 19 columns",
    columns={name: KINDS.get(name, "double") for name in HEADER.decode().strip().split(",")},
    sizes={
        "tiny": Size(
            12_800,
            2_002_424,
            "b463d26d26f906bef298c215adb558369c2e1e847860ed07c8fd7716f5c7f784",
        ),
        "100mb": Size(
            639_600,
            100_013_654,
            "78f888994fed7353ed354885f0ab24c181412cda61dba446d1d8c08e7369bc9d",
        ),
        "1.99gb": Size(
            12_720_000,
            1_989_243_112,
            "901affdd7a224c26c3a548f4f0c77013ef4d37f645d6d3fe747a79269a49865a",
        ),
        "3.7gb": Size(
            23_650_000,
            3_698_603_555,
            "183a6c2461d92b6bd74f2f0a10ca2bb29280c47fbf73d225c0a9e11a6b958095",
        ),
        "5.48gb": Size(
            35_030_000,
            5_478_312_595,
            "e59379e16fe226cf714e1abc4a56aa0401e5caca05b0cb886f7a86b616b1d2ea",
        ),
    },
    make=blocks,
    prefixes=True,
)
