"""A seeded graph of who follows whom, as CSV lines `source,destination` without a header.

The one idea: row i is a pure function of (seed, number of rows, i). Its random numbers are
splitmix64 of the seed and a counter (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom
Number Generators"), so any thread can write any row and the file has the same bytes whatever the
number of threads or the size of a chunk.

The edges are R-MAT's (Chakrabarti, Zhan and Faloutsos 2004, "R-MAT: A Recursive Model for Graph
Mining"): the adjacency matrix is halved in both directions again and again, and an edge falls
into one of the four quadrants with fixed probabilities. A little noise of each level's own takes
the steps out of the degree distribution (Seshadhri, Pinar and Kolda 2011, "An In-Depth Study of
Stochastic Kronecker Graphs"). Slots are then scrambled, so that the popular are not the small
ids, and spread over Twitter's range of ids.

Like the Twitter of Kwak, Lee, Park and Moon 2010 ("What is Twitter, a Social Network or a News
Media?": 41.65 million users, 1.47 billion edges, ids up to 61,578,415): the range of ids, of which
many are unused also at full size, edges per user, heavy tails on both sides with the followers'
heavier, users who follow nobody.
Unlike it: lines come in random order, some edges occur twice and a few users follow themselves,
few edges are returned (22 % of Twitter's pairs are), there are no communities, and a smaller file
is a smaller graph of the same density and not a piece of the large one.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from studykit import machine
from studykit.storage.ahead import in_turn

from study_data.dataset import Dataset, Size

MAX_ID = 61_578_415
"""The largest user id in the follower graph of Kwak et al."""
EDGES_PER_POSITION = 28
"""Not every position is drawn: with 28 edges to each, 29 to 39 fall to each that occurs."""
QUADRANTS = (0.53, 0.19, 0.23, 0.05)
"""R-MAT's probabilities that (source half, destination half) are (0, 0), (0, 1), (1, 0), (1, 1).

The usual ones are 0.57, 0.19, 0.19 and 0.05. These make followers more skewed than followed, as
on Twitter (most followers 2,997,469, most followed 770,155), and lead to fewer edges
that occur twice.
"""
NOISE = 0.05
CHUNK_ROWS = 1 << 19
LONGEST_ROW = 18
"""Bytes: two ids of 8 digits, a comma and a newline."""
GOLDEN = 0x9E3779B97F4A7C15
"""2^64 divided by the golden ratio: splitmix64's step."""
FRACTION_BITS = 12
"""Positions are spread over the ids in fixed point, so that no two share an id."""

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Plan:
    """What all rows of one file share."""

    key: int
    levels: int
    thresholds: npt.NDArray[np.uint32]
    """(levels, 3): where a 16-bit random number passes on to the next quadrant.

    Four levels use one random word, so their number is rounded up by levels that draw nothing.
    """
    positions: int
    scramble: tuple[int, int]
    """Odd multipliers."""


def plan(rows: int, seed: int) -> Plan:
    positions = min(max(rows // EDGES_PER_POSITION, 2), MAX_ID)
    levels = (positions - 1).bit_length()
    key = _mixed(seed)
    drawn = [_mixed(key + counter) for counter in range(1, levels + 3)]
    a, b, c, d = QUADRANTS
    noise = NOISE * (2 * np.array(drawn[2:], np.float64) / 2**64 - 1)
    shares = np.stack([a - 2 * noise * a / (a + d), b + noise, c + noise], axis=1)
    thresholds = np.full((-(-levels // 4) * 4, 3), 65536, np.uint32)
    thresholds[:levels] = np.round(shares.cumsum(axis=1) * 65536)
    return Plan(key, levels, thresholds, positions, (drawn[0] | 1, drawn[1] | 1))


def _mixed(value: int) -> int:
    """A whole number of any size → 64 random bits, by splitmix64's output function.

    Not by the compiled `_mix`: Ctrl-C is lost in a main thread that is loading compiled code.
    """
    value = value * GOLDEN % 2**64
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value >> 31)


def blocks(
    rows: int, seed: int = 0, *, threads: int | None = None, chunk_rows: int = CHUNK_ROWS
) -> Generator[memoryview, None, None]:
    """The file's bytes in order. Memory stays at a few chunks, whatever the size of the file."""
    shape = plan(rows, seed)

    def block(start: int) -> memoryview:
        return _block(shape, start, min(start + chunk_rows, rows))

    yield from in_turn(range(0, rows, chunk_rows), block, threads or machine.cores())


def _block(shape: Plan, start: int, stop: int) -> memoryview:
    text = np.empty((stop - start) * LONGEST_ROW, np.uint8)
    length = _fill(
        text,
        start,
        stop,
        np.uint64(shape.key),
        shape.thresholds,
        shape.levels,
        shape.positions,
        np.uint64(shape.scramble[0]),
        np.uint64(shape.scramble[1]),
    )
    return text[:length].data


@numba.njit(nogil=True, cache=True)
def _mix(value):  # type: ignore[no-untyped-def]
    """splitmix64's output function."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@numba.njit(nogil=True, cache=True)
def _id(slot, levels, positions, step, first, second):  # type: ignore[no-untyped-def]
    """Slot → scrambled slot → position → id. Slots are 0..2^levels-1, ids 1..MAX_ID."""
    mask = (np.uint64(1) << np.uint64(levels)) - np.uint64(1)
    half = np.uint64((levels + 1) // 2)
    slot = (slot * first) & mask
    slot ^= slot >> half
    slot = (slot * second) & mask
    slot ^= slot >> half
    position = (slot * np.uint64(positions)) >> np.uint64(levels)
    room = step - (np.uint64(1) << np.uint64(FRACTION_BITS))
    jitter = (_mix(position ^ first) >> np.uint64(64 - FRACTION_BITS)) * room
    place = position * step + (jitter >> np.uint64(FRACTION_BITS))
    return (place >> np.uint64(FRACTION_BITS)) + np.uint64(1)


@numba.njit(nogil=True, cache=True)
def _write_number(text, at, number):  # type: ignore[no-untyped-def]
    """Decimal digits at `at`; returns where they end. Ids have at most 8, most have 8."""
    rest = np.uint32(number)
    digits = 8
    if rest < np.uint32(10_000_000):
        digits = 1
        bound = np.uint32(10)
        while rest >= bound:
            digits += 1
            bound *= np.uint32(10)
    for place in range(at + digits - 1, at - 1, -1):
        shorter = rest // np.uint32(10)
        text[place] = np.uint8(48 + rest - shorter * np.uint32(10))
        rest = shorter
    return at + digits


@numba.njit(nogil=True, cache=True)
def _fill(  # type: ignore[no-untyped-def]
    text, start, stop, key, thresholds, levels, positions, first, second
):
    """Write rows start..stop; `thresholds` has a multiple of four levels, see `plan`."""
    step = (np.uint64(MAX_ID) << np.uint64(FRACTION_BITS)) // np.uint64(positions)
    unused = np.uint64(thresholds.shape[0] - levels)
    at = 0
    for row in range(start, stop):
        source = np.uint64(0)
        destination = np.uint64(0)
        for word in range(thresholds.shape[0] // 4):
            counter = np.uint64(row) * np.uint64(8) + np.uint64(word + 1)
            bits = _mix(key + counter * np.uint64(GOLDEN))
            for part in range(4):
                draw = np.uint32(bits & np.uint64(0xFFFF))
                bits >>= np.uint64(16)
                level = 4 * word + part
                low = draw >= thresholds[level, 1]
                right = (draw >= thresholds[level, 0]) ^ low ^ (draw >= thresholds[level, 2])
                source = (source << np.uint64(1)) | np.uint64(low)
                destination = (destination << np.uint64(1)) | np.uint64(right)
        source >>= unused
        destination >>= unused
        at = _write_number(text, at, _id(source, levels, positions, step, first, second))
        text[at] = 44
        at = _write_number(text, at + 1, _id(destination, levels, positions, step, first, second))
        text[at] = 10
        at += 1
    return at


DATASET = Dataset(
    name="follower-graph",
    title="who follows whom, generated (R-MAT) with Twitter's density and skew",
    licence="Apache-2.0 (made by this project's generator)",
    source="study_data/follower_graph.py",
    schema="CSV without header: source,destination (whole numbers, 1 to 61,578,415)",
    columns={"source": "int64", "destination": "int64"},
    sizes={
        "tiny": Size(
            115_000,
            2_010_177,
            "128a7474708552713e03cf9e067af2041b832fa1f8b51a51738de0f48d66f031",
        ),
        "100mb": Size(
            5_677_000,
            99_996_389,
            "682bf61edda45b2ae63dfce45771401c754428446f69eb795497679c0e805d25",
        ),
        "1gb": Size(
            56_720_000,
            999_996_966,
            "6c4f2069b781382987890ba011b2fdd343a78d148691bc6b6b8e07a34f799e50",
        ),
        "2.5gb": Size(
            141_800_000,
            2_500_124_777,
            "f6bcdb37db0715390f7bc1010796345735f5f530cc194113484d91f87afa61d9",
        ),
        "5gb": Size(
            283_500_000,
            4_998_839_236,
            "aaff72301780ebc273b43e0e45114cec28ea355fc930907ad96736498b48af1e",
        ),
        "10gb": Size(
            567_000_000,
            9_995_398_885,
            "4bc6e7252ae14aae640f2bbe31b7cc25556abce034662f73b2959a16ff734742",
        ),
        "24.66gb": Size(
            1_398_000_000,
            24_650_514_620,
            "ab51922b32dfd1b7932890065e35ef0a65e8dd25cc2cc367481375e79daa9553",
        ),
    },
    make=blocks,
)
