"""From the type of a Parquet column to the wanted one: the same values exactly, or refused.

The one idea: Arrow's safe casts refuse what they would change; what they do not see is looked at
before (floats that may stand for several whole numbers, decimals, which are rounded once to the
nearest double as text is).
"""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

SHOWN_CHARACTERS = 40

LABELS = pa.dictionary(pa.int32(), pa.string())
"""The wanted type of a column of few different texts."""

_WHOLE_BITS = {16: 11, 32: 24, 64: 53}
"""{bits of a float: of the whole numbers that it holds, each}."""


class WrongValue(Exception):
    """A value that does not fit. Which one is known where it is alone: see `rows.read`."""


def is_possible(kind: pa.DataType, wanted: pa.DataType) -> bool:
    """Whether values of a type can be what is wanted; each may still not fit."""
    if types.is_dictionary(kind):
        return is_possible(kind.value_type, wanted)
    if types.is_null(kind) or kind == wanted:
        return True
    if types.is_integer(wanted) or types.is_floating(wanted):
        return bool(types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind))
    if types.is_timestamp(wanted):
        if types.is_timestamp(kind):
            return (kind.tz is None) == (wanted.tz is None)
        return wanted.tz is None and _is_text(kind)
    if types.is_string(wanted):
        return _is_text(kind)
    if types.is_dictionary(wanted):
        return _is_text(kind) or bool(types.is_integer(kind) or types.is_boolean(kind))
    return False


def _is_text(kind: pa.DataType) -> bool:
    """Some writers do not say that their bytes are text."""
    return any(
        test(kind)
        for test in (
            types.is_string, types.is_large_string, types.is_string_view,
            types.is_binary, types.is_large_binary, types.is_binary_view,
        )
    )  # fmt: skip


def convert(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    """The same values, nulls too, as the wanted type. WrongValue where one does not fit."""
    kind = array.type
    if kind == wanted:
        return array
    if types.is_dictionary(wanted):
        return _labels(array)
    if types.is_dictionary(kind):
        return convert(array.dictionary_decode(), wanted)
    if types.is_integer(wanted) and types.is_floating(kind):
        _require_whole(array)
    if types.is_floating(wanted) and types.is_decimal(kind):
        array = array.cast(pa.string())
    return _cast(array, wanted)


def _cast(array: pa.Array, wanted: pa.DataType) -> pa.Array:
    try:
        return array.cast(wanted)
    except pa.ArrowInvalid:
        raise WrongValue(f"{shown(array[0])} does not fit {wanted}") from None


def _require_whole(array: pa.Array) -> None:
    """A float beyond these may be what another whole number was rounded to."""
    largest = 2.0 ** _WHOLE_BITS[array.type.bit_width]
    if pc.any(pc.greater(pc.abs(array.cast(pa.float64())), largest)).as_py():
        raise WrongValue(f"{shown(array[0])} is a float that may have been rounded")


def _labels(array: pa.Array) -> pa.Array:
    if types.is_dictionary(array.type) and array.dictionary.null_count:
        array = array.dictionary_decode()
    if not types.is_dictionary(array.type):
        array = array.dictionary_encode()
    try:
        names = array.dictionary.cast(pa.string())
    except pa.ArrowInvalid:
        # A dictionary may have more than this part of its rows needs.
        return _labels(_cast(array.dictionary_decode(), pa.string()))
    return pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), names)


def shown(value: Any) -> str:
    """An Arrow scalar in a message; never bytes that are no text."""
    if types.is_dictionary(value.type):
        value = value.value
    if value.is_valid and _is_text(value.type):
        text = repr(value.cast(pa.binary()).as_py().decode("utf-8", "replace"))
    else:
        text = str(value.cast(pa.string()).as_py())
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"
