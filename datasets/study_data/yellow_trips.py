"""Seeded taxi trips as CSV lines with the columns of New York's yellow taxis in January 2015.

The one idea: row i is a pure function of (seed, i), so any thread can write any row, the file has
the same bytes whatever the number of threads, and a smaller file is the beginning of a larger one.
Only additions, multiplications, divisions and square roots are used, which every machine rounds
the same.

The figures below were fitted on 70,018 real trips of January 2015, January 2016 and February 2016:
where trips begin (a mixture of 40 Gaussians), quantiles of their miles, of their speed beside the
usual one for so many miles, and of the tips; the hours of the day; fares by least squares; and how
often something is wrong with a row. No trip is carried over.

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
from study_data.trip_text import GOLDEN, LONGEST_ROW, mix, write_row

HEADER = (
    b"VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,"
    b"pickup_longitude,pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,"
    b"dropoff_latitude,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    b"improvement_surcharge,total_amount\n"
)
CHUNK_ROWS = 1 << 17
WORDS_PER_ROW = 8

CENTRE = (-73.93, 40.75)
METRES_PER_DEGREE = (84_237.5, 111_195.08)
"""Of longitude, at the centre, and of latitude."""
BOX = (-74.15, -73.7004, 40.5774, 40.9176)
UPTOWN = (0.485, 0.8745)
"""East and north of a step along Manhattan's avenues."""

PICKUPS = np.array(
    [
        (4859, -5296, -979, 396, -132, 525), (4188, -3369, 1107, 345, 22, 393),
        (3963, -3915, 303, 307, 14, 332), (3111, -4742, 921, 353, 162, 310),
        (3108, -4762, -2048, 440, 58, 443), (3023, -4245, 1604, 390, -186, 284),
        (2960, -2447, 3038, 351, 355, 417), (2852, -6121, -1993, 281, 103, 462),
        (2687, -4207, -762, 363, 147, 357), (2655, -5177, 1002, 447, 37, 476),
        (2560, -2750, 1992, 460, 329, 326), (2486, -5633, -2938, 444, 197, 364),
        (2225, -4728, -234, 272, -52, 377), (2191, -1834, 3334, 303, 44, 532),
        (2158, -6808, -4000, 328, 267, 489), (2138, -2138, 1814, 455, 600, 236),
        (1991, -3440, 4155, 535, 932, 387), (1885, -4416, 2656, 242, 79, 460),
        (1747, -4853, -3215, 398, 276, 303), (1670, -3910, 4192, 375, 726, 161),
        (1623, -5259, 39, 143, -42, 88), (1497, -4180, 4063, 1316, 2386, 54),
        (1374, -6345, -1001, 177, -15, 247), (852, 12573, -11617, 251, -36, 141),
        (760, 4831, 2663, 127, -14, 26), (696, -1291, 5831, 655, -43, 1109),
        (631, -6214, -106, 152, 9, 227), (598, 5593, 2184, 92, -70, 44),
        (584, -6563, -4958, 254, 189, 110), (465, -4899, -6880, 664, -71, 975),
        (435, 11816, -11683, 75, -77, 213), (278, -2244, -3846, 449, 148, 470),
        (255, -1839, -6552, 1705, 855, 1799), (208, 629, 1692, 641, 425, 705),
        (198, 3193, 912, 1190, 797, 1168), (182, -1047, 108, 686, 651, 452),
        (160, -2826, -5361, 3170, 358, 4838), (115, 8437, -5280, 2797, -4022, 2263),
        (84, 933, 10011, 2575, 768, 2349), (84, 532, -684, 451, -59, 32),
    ],
    np.float64,
)  # fmt: skip
"""Weight of 65,536; metres east and north of the centre; the factor of its covariance in metres:
east, and north by east's and by its own random number."""

SHARES = np.array(
    [
        0, 66, 328, 1311, 4096, 8192, 12288, 16384, 20480, 24576, 28672, 32768, 36864, 40960,
        45056, 49152, 53248, 57344, 61440, 63570, 64881, 65470, 65536,
    ],
    np.float64,
)  # fmt: skip
"""Of 65,536 trips, those below the quantiles of the next three tables."""
MILES = np.array(
    [
        0.01, 0.1, 0.2, 0.4, 0.57, 0.7, 0.87, 1.0, 1.13, 1.3, 1.5, 1.67, 1.9, 2.2, 2.53, 3.05,
        3.81, 5.3, 9.01, 13.0, 18.4, 22.5, 41.5,
    ]
)  # fmt: skip
HASTE = np.array(
    [
        0.005, 0.203, 0.333, 0.438, 0.557, 0.651, 0.724, 0.785, 0.841, 0.894, 0.947, 1.0, 1.056,
        1.116, 1.183, 1.259, 1.349, 1.477, 1.688, 1.915, 2.311, 3.096, 5.344,
    ]
)  # fmt: skip
"""Speed beside the usual one."""
TIPS = np.array(
    [
        0.0, 0.0, 0.0, 0.0, 0.083, 0.118, 0.15, 0.182, 0.2, 0.21, 0.214, 0.219, 0.222, 0.227,
        0.234, 0.245, 0.262, 0.28, 0.32, 0.348, 0.404, 0.909, 7.024,
    ]
)  # fmt: skip
"""Shares of the fare, where it is paid by card."""
USUAL = np.array(
    [
        (0.0, 6.95), (0.4, 8.0), (0.75, 8.85), (1.2, 9.38), (1.7, 10.04), (2.4, 10.97),
        (3.7, 13.1), (6.1, 17.06), (9.62, 22.27), (14.2, 25.22), (18.47, 28.02), (50.0, 48.0),
    ]
)  # fmt: skip
"""Miles, and the median miles per hour of such trips."""
HOURS = np.cumsum(
    [37, 27, 20, 15, 10, 10, 21, 36, 46, 45, 44, 48, 51, 48, 52, 50, 47, 55, 62, 63, 58, 54, 55, 46]
).astype(np.float64)
"""Of 1,000 trips, those that begin before the end of each hour of the day."""

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
def _normal(bits):  # type: ignore[no-untyped-def]
    """Nearly normal: the sum of four uniform numbers, 16 bits each, scaled to variance 1."""
    total = bits & np.uint64(65535)
    for _ in range(3):
        bits >>= np.uint64(16)
        total += bits & np.uint64(65535)
    return (np.float64(total) / 65536.0 - 2.0) * 1.7320508075688772


@numba.njit(nogil=True, cache=True)
def _pickup(words, place):  # type: ignore[no-untyped-def]
    """place[0], place[1]: metres east and north of a point drawn from the mixture."""
    drawn = np.float64(words[0] & np.uint64(65535))
    component = 0
    while drawn >= PICKUPS[component, 0]:
        drawn -= PICKUPS[component, 0]
        component += 1
    first, second = _normal(words[1]), _normal(words[2])
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
