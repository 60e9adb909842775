"""The oracle's quick way: lines of plain numbers and short categories, all of a piece or none.

A decimal of digits m with d of them behind the point is m / 10^d. Both are exact as doubles up to
2^53 and 10^22, so that the division rounds once, to the nearest double (Clinger 1990). A line with
anything else (quotes, blanks, exponents, more digits, CRLF) makes the piece not plain.
"""

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt

NEWLINE, RETURN, QUOTE, NUL, MINUS, POINT = 10, 13, 34, 0, 45, 46
ZERO = np.uint8(48)
_0, _1, _8, _10 = np.uint64(0), np.uint64(1), np.uint64(8), np.uint64(10)
MOST_DIGITS, EXACT = np.uint64(18), np.uint64(2**53)
MOST_SIGNS = 8
"""Of a category, packed into 64 bits."""
POWERS = 10.0 ** np.arange(19)

UNUSED, ID, CATEGORY, VALUE = 0, 1, 2, 3
"""What a field is; value number i is VALUE + i."""

Plain = tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], npt.NDArray[np.int64]]


def read(text: bytes, delimiter: str, fields: Sequence[int], names: Sequence[str]) -> Plain | None:
    """Ids, values float64[values, rows] and categories' places in `names`; None where not plain."""
    packed = [name.encode() for name in names]
    if max(map(len, packed)) > MOST_SIGNS or any(set(name) & set(b'"\0\r\n') for name in packed):
        return None
    labels = np.array([int.from_bytes(name, "big") for name in packed], np.uint64)
    room = len(text) // len(fields) + 1  # What is not used costs no memory.
    ids, codes = np.empty((2, room), np.int64)
    values = np.empty((max(fields) - VALUE + 1, room))
    signs = np.frombuffer(text, np.uint8)
    rows = _read(signs, ord(delimiter), np.array(fields), labels, ids, values, codes)
    return None if rows < 0 else (ids[:rows], values[:, :rows], codes[:rows])


@numba.njit(nogil=True, cache=True)
def _read(text, delimiter, fields, labels, ids, values, codes):  # type: ignore[no-untyped-def]
    """Rows read, -1 where one is not plain. Positions are unsigned: quicker, none is below 0."""
    i, size, rows = _0, np.uint64(len(text)), 0
    while i < size:
        for place in range(len(fields)):
            field = fields[place]
            if field < VALUE and field != ID:
                begin, packed = i, _0
                while i < size and text[i] != delimiter and text[i] != NEWLINE:
                    if text[i] == QUOTE or text[i] == RETURN or text[i] == NUL:
                        return -1
                    packed = packed << _8 | np.uint64(text[i])
                    i += _1
                if field == CATEGORY:
                    code = 0
                    while code < len(labels) and labels[code] != packed:
                        code += 1
                    if code == len(labels) or i - begin > _8:
                        return -1
                    codes[rows] = code
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
                whole = -np.int64(number) if negative else np.int64(number)
                if field == ID:
                    if decimals > _0:
                        return -1
                    ids[rows] = whole
                else:
                    if number > EXACT or (negative and number == _0):  # -0 is no whole number.
                        return -1
                    values[field - VALUE, rows] = whole / POWERS[decimals]
            last = place == len(fields) - 1
            if i == size and not last:
                return -1
            if i < size and text[i] != (NEWLINE if last else delimiter):
                return -1
            i += _1
        rows += 1
    return rows
