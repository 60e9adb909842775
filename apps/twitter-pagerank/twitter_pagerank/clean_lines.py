"""The compiled reader of clean lines: two runs of digits, and nothing that needs judging.

Most of them are plain, and those are read by plain_lines.py; blanks in a row, comments, `1.0` and
weights are read byte by byte here. It stops at the first line that is anything else.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from studykit.storage.splitting import Bytes
from studykit.text import lines

from twitter_pagerank import plain_lines

ANY_BLANKS = np.uint8(0)
"""In place of a delimiter: runs of blanks and tabs."""

_NEWLINE, _RETURN, _SPACE, _TAB, _DOT, _HASH, _PERCENT = 10, 13, 32, 9, 46, 35, 37
_ZERO = np.uint8(48)
_0, _1, _10, _18 = np.uint64(0), np.uint64(1), np.uint64(10), np.uint64(18)
_LARGEST_EXACT_FLOAT = np.uint64(2**53)


FEWEST_BYTES, MOST_BYTES = 1 << 13, 1 << 20
"""Read byte by byte before plain lines are looked for again: more, the longer none came."""


def parse(
    data: Bytes,
    sources: npt.NDArray[Any],
    destinations: npt.NDArray[Any],
    delimiter: np.uint8,
    values: bool,
    widest: int,
) -> tuple[int, int, int]:
    """Bytes of whole lines → ids, in columns that have room; stops before a line that is not clean.

    `delimiter` is one byte, or ANY_BLANKS; `values`: a number follows the two ids (between blanks).
    Returns (edges read, offset of the line at which it stopped or the length, largest id or -1).
    """
    start, count, largest, step = 0, 0, -1, len(data) if values else FEWEST_BYTES
    while start < len(data):
        if not values:
            begin, before = start, count
            start, count, found = plain_lines.parse(
                data, begin, sources, destinations, count, delimiter, widest
            )
            largest = max(largest, found) if count > before else largest
            step = FEWEST_BYTES if start - begin > step else min(2 * step, MOST_BYTES)
        stop = lines.line_end(data, start + step)
        more, read, found = _by_bytes(
            data[start:stop], sources[count:], destinations[count:], delimiter, values, widest
        )
        start, count, largest = start + read, count + more, max(largest, found)
        if start < stop:
            break
    return count, start, largest


@numba.njit(nogil=True, inline="always")
def _in_number(byte):  # type: ignore[no-untyped-def]
    return byte == 43 or byte == 45 or byte == 46 or byte == 69 or byte == 101  # + - . E e


@numba.njit(nogil=True)
def _behind_zeros(data, i, number):  # type: ignore[no-untyped-def]
    """From the point of a number such as 1.0 to behind its zeros; not where digits were lost."""
    if number <= _LARGEST_EXACT_FLOAT:
        i += _1
        while i < np.uint64(data.size) and data[i] == _ZERO:
            i += _1
    return i


@numba.njit(nogil=True, cache=True)
def _by_bytes(data, sources, destinations, delimiter, values, widest):  # type: ignore[no-untyped-def]
    """As `parse`. All positions are unsigned: no index is checked for counting from the end."""
    n, i, count, largest = np.uint64(data.size), _0, _0, _0
    while i < n:
        line = i
        c = np.uint8(data[i] - _ZERO)
        if c > 9:
            if data[i] == _NEWLINE:
                i += _1
                continue
            if data[i] == _RETURN and i + _1 < n and data[i + _1] == _NEWLINE:
                i += np.uint64(2)
                continue
            if data[i] == _HASH or data[i] == _PERCENT:
                while i < n and data[i] != _NEWLINE and data[i] != 0:
                    i += _1
                if i < n and data[i] == 0:
                    return count, line, np.int64(largest) if count else np.int64(-1)
                i += _1
                continue
            break
        first, source = i, _0
        while c <= 9:
            source = source * _10 + np.uint64(c)
            i += _1
            if i == n:
                break
            c = np.uint8(data[i] - _ZERO)
        if i == n or i - first > _18 or source > widest:
            i = line
            break
        if data[i] == _DOT:
            i = _behind_zeros(data, i, source)
            if i == n:
                i = line
                break
        if delimiter:
            if data[i] != delimiter:
                i = line
                break
            i += _1
        else:
            if data[i] != _SPACE and data[i] != _TAB:
                i = line
                break
            while i < n and (data[i] == _SPACE or data[i] == _TAB):
                i += _1
        first, destination = i, _0
        while i < n:
            c = np.uint8(data[i] - _ZERO)
            if c > 9:
                break
            destination = destination * _10 + np.uint64(c)
            i += _1
        if i == first or i - first > _18 or destination > widest:
            i = line
            break
        if i < n and data[i] == _DOT:
            i = _behind_zeros(data, i, destination)
        if not delimiter:
            separator = i
            while i < n and (data[i] == _SPACE or data[i] == _TAB):
                i += _1
            if values:
                value = i
                while i < n and (np.uint8(data[i] - _ZERO) <= 9 or _in_number(data[i])):
                    i += _1
                if value == separator or value == i:  # noqa: SIM109  (numba knows no tuple here)
                    i = line
                    break
        if i < n:
            if data[i] == _NEWLINE:
                i += _1
            elif data[i] == _RETURN and i + _1 < n and data[i + _1] == _NEWLINE:
                i += np.uint64(2)
            else:
                i = line
                break
        largest = max(largest, source, destination)
        sources[count] = source
        destinations[count] = destination
        count += _1
    return count, min(i, n), np.int64(largest) if count else np.int64(-1)
