"""Plain lines, the commonest of the clean ones: two ids, one byte between them, one line end.

An id's digits are read eight at a time, as the bytes of one word, so that no branch depends on
how many there are (D. Lemire, "Quickly parsing eight digits", 2018). Where the next line begins is
known only when the ends of this one are found, and a processor waits for that: two places of the
text are therefore read in turns, neither of which waits for the other.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

MOST_DIGITS = 16
WINDOW_BYTES = np.uint64(1 << 13)
"""How far apart the two places are: what they read and write stays in the nearest cache."""
LOOKED_AT = np.uint64(2 * (MOST_DIGITS + 1) + 1 + 8)
"""Bytes from the start of a line that may be looked at, beyond its end too."""
SHORTEST_LINE = np.uint64(len("0,1\n"))

_0, _1, _3, _8 = np.uint64(0), np.uint64(1), np.uint64(3), np.uint64(8)
_ASCII_ZEROS = np.uint64(0x3030303030303030)
_LOW_SEVEN, _HIGHEST = np.uint64(0x7F7F7F7F7F7F7F7F), np.uint64(0x8080808080808080)
_PAST_NINE = np.uint64(0x7676767676767676)
_ZERO = np.uint8(48)
_POWERS = 10 ** np.arange(9, dtype=np.uint64)
_NEWLINE, _RETURN, _SPACE, _TAB = 10, 13, 32, 9


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(context: Any, word: Any) -> Any:
    """Zeros behind the last one of a number, 64 where there is no one: one instruction."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return word(word), code


@intrinsic  # type: ignore[untyped-decorator]
def _word(context: Any, address: Any) -> Any:
    """The 8 bytes at an address as a number, the first one lowest."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pointer = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(address), code


@numba.njit(nogil=True, inline="always")
def _byte(address):  # type: ignore[no-untyped-def]
    return np.uint8(_word(address))  # type: ignore[call-arg]


@numba.njit(nogil=True, inline="always")
def _digits(address):  # type: ignore[no-untyped-def]
    """The number with which the 8 bytes there begin → (its value, how many digits: 0 … 8)."""
    word = _word(address) ^ _ASCII_ZEROS  # type: ignore[call-arg]
    # The highest bit of every byte that is no digit: of one above 9.
    others = (((word & _LOW_SEVEN) + _PAST_NINE) | word) & _HIGHEST
    digits = _trailing_zeros(others) >> _3
    # Zeros go before the digits (where there is none, what comes of it is not used); then
    # neighbours are joined: digits, pairs of digits, fours of digits.
    word <<= np.uint64(64) - (digits << _3)
    word = (word * np.uint64(10) + (word >> np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    word = (word * np.uint64(100) + (word >> np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (word * np.uint64(10000) + (word >> np.uint64(32))) & np.uint64(0xFFFFFFFF), digits


@numba.njit(nogil=True, inline="always")
def _id(address):  # type: ignore[no-untyped-def]
    """The id there → (its value, the address behind its first 16 digits)."""
    value, digits = _digits(address)
    address += digits
    if np.uint8(_byte(address) - _ZERO) <= 9:  # Rare, unlike fewer than 8 digits: well predicted.
        more, digits = _digits(address)
        value = value * _POWERS[digits] + more
        address += digits
    return value, address


@numba.njit(nogil=True, inline="always")
def _line(address, delimiter, end, newline):  # type: ignore[no-untyped-def]
    """The line there → (whether it is plain, its ids, how many bytes it is).

    It is to end in the byte `end`, and in a newline that stands `newline` bytes behind that one.
    """
    source, separator = _id(address)
    destination, stop = _id(separator + _1)
    plain = (
        (separator > address)
        & (stop > separator + _1)
        & (_byte(separator) == delimiter)
        & (_byte(stop) == end)
        & (_byte(stop + newline) == _NEWLINE)
    )
    return plain, source, destination, stop + newline + _1 - address


@numba.njit(nogil=True)
def _form(data, i, delimiter):  # type: ignore[no-untyped-def]
    """How the line at i is made → (its delimiter, the end's first byte, the newline behind that).

    Where `delimiter` is 0, any blank, it is the line's first one.
    """
    while i < np.uint64(data.size) and data[i] != _NEWLINE:
        if delimiter == 0 and (data[i] == _SPACE or data[i] == _TAB):
            delimiter = data[i]
        i += _1
    returned = data[i - _1] == _RETURN
    end = np.uint8(_RETURN) if returned else np.uint8(_NEWLINE)
    return delimiter if delimiter else np.uint8(_SPACE), end, np.uint64(returned)


@numba.njit(nogil=True)
def _behind_line(data, i):  # type: ignore[no-untyped-def]
    while i < np.uint64(data.size) and data[i] != _NEWLINE:
        i += _1
    return i + _1


@numba.njit(nogil=True)
def _move_up(ids, place, since, count):  # type: ignore[no-untyped-def]
    for k in range(count):
        ids[place + k] = ids[since + k]


@numba.njit(nogil=True, cache=True)
def parse(data, start, sources, destinations, first, delimiter, widest):  # type: ignore[no-untyped-def]
    """The plain lines from `start` on, where a line begins; stops before one that is not.

    Writes ids from place `first` on; the columns have room for as many `SHORTEST_LINE`s as `data`
    could be. The last two windows of `data` are left to others, and so are windows with an id past
    `widest`. Returns (where it stopped, the place behind the last id, the largest id or 0).
    """
    n, text, i = np.uint64(data.size), np.uint64(data.ctypes.data), np.uint64(start)
    count, largest = np.uint64(first), _0
    while True:
        begin, before = i, count
        middle = _behind_line(data, begin + WINDOW_BYTES)
        if middle + WINDOW_BYTES > n:
            return i, count, largest
        between, end, newline = _form(data, middle, delimiter)
        # The second place writes behind all that the first can write, and is moved up at the end.
        second, behind, largest_here, largest_behind = middle, _0, _0, _0
        room = count + (middle - begin) // SHORTEST_LINE + _1
        plain = True
        while plain and i < middle:
            if second + LOOKED_AT > n:
                plain = False
                break
            plain, source, destination, length = _line(text + i, between, end, newline)
            plain_behind, source_behind, destination_behind, length_behind = _line(
                text + second, between, end, newline
            )
            plain &= plain_behind
            if plain:
                sources[count], destinations[count] = source, destination
                sources[room + behind] = source_behind
                destinations[room + behind] = destination_behind
                largest_here = max(largest_here, source, destination)
                largest_behind = max(largest_behind, source_behind, destination_behind)
                count += _1
                behind += _1
                i += length
                second += length_behind
        if max(largest_here, largest_behind) > np.uint64(widest):
            return begin, before, largest
        largest = max(largest, largest_here)
        if not plain:
            return i, count, largest
        largest = max(largest, largest_behind)
        _move_up(sources, count, room, behind)
        _move_up(destinations, count, room, behind)
        count += behind
        i = second
