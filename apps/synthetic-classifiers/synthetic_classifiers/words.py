"""Eight bytes of text at once, in a kernel: what Numba has no name for.

Digits: Lemire 2021, "Number Parsing at a Gigabyte per Second", section 4.
"""

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_WORD = ir.IntType(64)
_4, _8, _16, _32 = np.uint64(4), np.uint64(8), np.uint64(16), np.uint64(32)
_HIGH, _LOW = np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x0F0F0F0F0F0F0F0F)
_SIXES, _THREES = np.uint64(0x0606060606060606), np.uint64(0x3333333333333333)
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)


def _word_at(context, data, position):  # type: ignore[no-untyped-def]
    """Of uint8 data, the bytes position … position + 7 as uint64, the first one lowest."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.gep(array.data, [arguments[1]])
        return builder.load(builder.bitcast(pointer, _WORD.as_pointer()), align=1)

    return types.uint64(data, types.uint64), generate


word_at: Any = intrinsic(_word_at)


@numba.njit(nogil=True, inline="always")
def are_digits(word):  # type: ignore[no-untyped-def]
    """Whether each of the eight bytes is a digit: its upper half is 3, and so 6 further on."""
    return (word & _HIGH) | (((word + _SIXES) & _HIGH) >> _4) == _THREES


@numba.njit(nogil=True, inline="always")
def number_of(word):  # type: ignore[no-untyped-def]
    """Of eight digits: pairs, then fours, then all, by a multiplication each."""
    word = ((word & _LOW) * np.uint64(2561)) >> _8
    word = ((word & _PAIRS) * np.uint64(6553601)) >> _16
    return ((word & _FOURS) * np.uint64(42949672960001)) >> _32
