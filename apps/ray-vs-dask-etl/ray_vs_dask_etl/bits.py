"""Machine instructions that Numba has no name for: bits of a double, the upper half of a product.

Each is written in LLVM's terms and compiles to one instruction.
"""

from typing import Any

from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

_WORD, _WIDE = ir.IntType(64), ir.IntType(128)


def _bits_of(context, number):  # type: ignore[no-untyped-def]
    """A double's 64 bits as they are, uint64."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], _WORD)

    return types.uint64(types.float64), generate


def _double_of(context, bits):  # type: ignore[no-untyped-def]
    """The double that has these bits."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.uint64), generate


def _high_product(context, a, b):  # type: ignore[no-untyped-def]
    """The upper 64 bits of the product of two uint64."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        factors = [builder.zext(argument, _WIDE) for argument in arguments]
        product = builder.lshr(builder.mul(*factors), ir.Constant(_WIDE, 64))
        return builder.trunc(product, _WORD)

    return types.uint64(types.uint64, types.uint64), generate


bits_of: Any = intrinsic(_bits_of)
double_of: Any = intrinsic(_double_of)
high_product: Any = intrinsic(_high_product)
