"""Seeded rows `id,x,y,category`: x and y uniform on [0, 1), a category of four; CSV with a header.

The one idea: row i is a pure function of (seed, i). Its three random words are splitmix64 of the
seed and a counter (Steele, Lea and Flood 2014, "Fast Splittable Pseudorandom Number Generators"),
so any thread can write any row, the file has the same bytes whatever the number of threads or the
size of a chunk, and a smaller file is the beginning of a larger one.

Rows like those of Mpoympalos and Spentzou (2025), section II.A: NumPy's uniform numbers, four
categories at random, ids that count up. x and y are 53-bit uniform doubles, cut off behind 15
decimals, the digits that every double keeps. Sizes bear the paper's numbers and are GB of 10⁹
bytes; what the paper calls GB are MiB ÷ 1,000, and its rows have 49.9 bytes, not 47: its "8.57"
has 180,000,000 rows, ours 180,850,000.

`signal` S, 0 … 1, is the share of rows whose category says in which quarter of the unit square
(x, y) lies (A, B below, C, D above; A, C left, B, D right). With 0 the categories are noise, as in
the paper; with S no rule is right more often than in S + (1 - S) / 4 of the rows.
"""

import functools
from collections.abc import Generator

import numba
import numpy as np
from studykit import machine
from studykit.errors import UsageError
from studykit.storage.ahead import in_turn

from study_data.dataset import Dataset, Size
from study_data.decimal_digits import write_digits
from study_data.splitmix import mixed, uniform

HEADER = b"id,x,y,category\n"
DECIMALS = 15
CHUNK_ROWS = 1 << 18
LONGEST_ROW = 20 + 2 * (3 + DECIMALS) + 3
"""Bytes: an id of 64 bits, two numbers with their commas, a comma, a letter and a newline."""
WORDS_PER_ROW = 4


def blocks(
    rows: int,
    seed: int = 0,
    *,
    signal: float = 0.0,
    threads: int | None = None,
    chunk_rows: int = CHUNK_ROWS,
) -> Generator[memoryview, None, None]:
    """The file's bytes in order. Memory stays at a few chunks, whatever the size of the file."""
    yield memoryview(HEADER)

    def block(start: int) -> memoryview:
        return _block(start, min(start + chunk_rows, rows), seed, signal)

    yield from in_turn(range(0, rows, chunk_rows), block, threads or machine.cores())


def _block(start: int, stop: int, seed: int, signal: float) -> memoryview:
    text = np.empty((stop - start) * LONGEST_ROW, np.uint8)
    length = _fill(text, start, stop, np.uint64(mixed(seed)), signal)
    return text[:length].data


@numba.njit(nogil=True, cache=True)
def _write_fraction(text, at, number):  # type: ignore[no-untyped-def]
    """`0.` and the decimals of a number in [0, 1)."""
    text[at] = 48
    text[at + 1] = 46
    return write_digits(text, at + 2, np.uint64(number * 10.0**DECIMALS), DECIMALS)


@numba.njit(nogil=True, cache=True)
def _fill(text, start, stop, key, signal):  # type: ignore[no-untyped-def]
    """Write the rows start … stop - 1; returns how many bytes they take."""
    at, digits, bound = 0, 1, 10
    for row in range(start, stop):
        while row >= bound:
            digits += 1
            bound *= 10
        counter = np.uint64(row) * np.uint64(WORDS_PER_ROW)
        x = uniform(key, counter + np.uint64(1))
        y = uniform(key, counter + np.uint64(2))
        draw = uniform(key, counter + np.uint64(3))
        if draw < signal:
            category = (2 if y >= 0.5 else 0) + (1 if x >= 0.5 else 0)
        else:
            category = int((draw - signal) / (1 - signal) * 4)
        at = write_digits(text, at, row, digits)
        text[at] = 44
        at = _write_fraction(text, at + 1, x)
        text[at] = 44
        at = _write_fraction(text, at + 1, y)
        text[at] = 44
        text[at + 1] = 65 + category
        text[at + 2] = 10
        at += 3
    return at


def bytes_of(rows: int) -> int:
    """Length of the file in bytes: only the ids differ in length, one digit more from 10, 100 …"""
    digits = rows + sum(max(rows - 10**power, 0) for power in range(1, 20))
    return len(HEADER) + digits + rows * (2 * (2 + DECIMALS) + 5)


ROWS = {
    "tiny": 45_700,
    "100mb": 2_198_000,
    "1gb": 21_513_000,
    "4.26gb": 90_870_000,
    "4.68gb": 99_810_000,
    "8.57gb": 180_850_000,
    "9.42gb": 198_560_000,
    "100gb": 2_063_000_000,
}
SHA256 = {
    "tiny": "01d146d3f59ef2c5810be2cab0e9c594846e88a7330ceb6a434579ad64918bd6",
    "100mb": "99f016eaaea18db94cd4f8d5a7b73ee182222521feac47a979992caec7572711",
    "1gb": "8e0d3ae3a9d44135c93b04456371684c6724e0bdc4db462d20946d77771180b0",
    "4.26gb": "eb9b6f41ca68467e5f5fdd2e3699d920586abe02b03f9cc5d43e464ec296a30e",
    "4.68gb": "6cbc5397cd09d631124716b21455517bff42132eed21fc5b425604a6c6ac9883",
    "8.57gb": "a603714db3c61ecc32c33196e6f52e66ece92971182b896b6ec4c0a48cd65c0d",
    "9.42gb": "29cd12673128957f70c5ab6d67e332aa8d117db9a43a50c54b25d3e8052c49bf",
    "100gb": "800cbc7fb1d9a96d055a143030eb988e73913a4a487e8e356c3861a852e65072",
}


def dataset(signal: float = 0.0) -> Dataset:
    """The rows with a signal of this strength: `uniform-rows`, or `uniform-rows-signal-S`."""
    if not 0 <= signal <= 1:
        raise UsageError(f"--signal {signal:g}: must lie between 0 and 1")
    return Dataset(
        name="uniform-rows" if signal == 0 else f"uniform-rows-signal-{signal:g}",
        title="rows of two uniform numbers and a category of four",
        licence="Apache-2.0 (made by this project's generator)",
        source="study_data/uniform_rows.py",
        schema="CSV with header: id,x,y,category (id from 0; x, y in [0, 1); A, B, C or D)",
        columns={"id": "int64", "x": "double", "y": "double", "category": "string"},
        sizes={
            size: Size(rows, bytes_of(rows), SHA256.get(size) if signal == 0 else None)
            for size, rows in ROWS.items()
        },
        make=functools.partial(blocks, signal=signal),
        prefixes=True,
    )


DATASET = dataset()
