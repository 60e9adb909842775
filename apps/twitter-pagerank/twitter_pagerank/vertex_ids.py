"""Fields of text → vertex ids, and what a field is that is none.

An id is a whole number 0 … 2^63 - 1, in quotes or not. `1.0` is 1: pandas writes whole numbers so
where a column once had a gap. Above 2^53 such a number has lost digits, and is refused.
"""

import re

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from studykit.text.dialects import is_missing, odd_blank, shown

LARGEST = 2**63 - 1
LARGEST_EXACT_FLOAT = 2**53

_NUMBER_THEM = "ids are whole numbers: number the vertices first, as pandas.factorize does"
_UUID = re.compile(r"[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}", re.IGNORECASE)
_FLOAT = re.compile(r"[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)


class WrongId(Exception):
    """What a field is that is no id."""


def is_number(field: str) -> bool:
    """Whether a field is written as a number of any kind, with a decimal comma too."""
    return _FLOAT.fullmatch(field) is not None


def parse(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Strings [n] → ids int64[n]. WrongId where one is none."""
    if not len(column):
        return np.empty(0, np.int64)
    fields = column.combine_chunks()
    text = pc.replace_substring_regex(
        pc.utf8_trim(fields, characters=" \t"),
        pattern=r'^"[ \t]*([^"]*?)[ \t]*"$',
        replacement=r"\1",
    )
    good = pc.match_substring_regex(text, pattern=r"^[0-9]+(\.0*)?$").to_numpy(zero_copy_only=False)
    if not good.all():
        raise WrongId(described(fields[int(np.argmin(good))].as_py()))
    digits = pc.replace_substring_regex(text, pattern=r"\..*$", replacement="")
    try:
        ids = digits.cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid:
        bare = [digit.lstrip("0") or "0" for digit in digits.to_pylist()]
        values = [int(digit) if len(digit) < 20 else LARGEST + 1 for digit in bare]
        if max(values) > LARGEST:
            wrong = values.index(max(values))
            raise WrongId(described(fields[wrong].as_py())) from None
        ids = np.array(values, np.int64)
    rounded = ids > LARGEST_EXACT_FLOAT
    if rounded.any():
        rounded &= pc.match_substring(text, pattern=".").to_numpy(zero_copy_only=False)
        if rounded.any():
            raise WrongId(described(fields[int(np.argmax(rounded))].as_py()))
    return ids


def described(field: str) -> str:
    """What a field is that is no id, and what to do."""
    text, quoted = field.strip(' \t"'), shown(field)
    if is_missing(text):
        return "a missing value" + (f": {quoted}" if field else "")
    if (blank := odd_blank(text)) is not None and not any(map(str.isalpha, text)):
        return f"{quoted} is no whole number: {blank}"
    if _UUID.fullmatch(text):
        return f"{quoted} is a UUID; {_NUMBER_THEM}"
    if text.isascii() and text.isdigit():
        return f"{quoted} does not fit: ids are whole numbers 0 … 2^63 - 1"
    if re.fullmatch(r"-[0-9]+(\.0*)?", text):
        return f"negative id {quoted}: ids are whole numbers 0 … 2^63 - 1"
    if re.fullmatch(r"[0-9]+\.0*", text):
        return f"{quoted} has been a float and lost digits above 2^53: write ids as whole numbers"
    if re.fullmatch(r"[0-9]{1,3}([,' _][0-9]{3})+", text):
        return f"{quoted} has thousands separators: write ids as digits alone"
    if re.fullmatch(r"[0-9]+([,;| ][0-9]+)+", text) and not re.fullmatch(r"[0-9]+,0+", text):
        return f"{quoted} is no whole number: of several ids, write each edge in a line of its own"
    if re.fullmatch(r"'[^']*'", text):
        return f"{quoted} has single quotes around it: leave them out, or write double ones"
    if is_number(text) and text.lstrip("+").isdigit():
        return f"{quoted} has a sign: write ids as digits alone"
    if is_number(text):
        return f"{quoted} is a float: ids are whole numbers 0 … 2^63 - 1"
    if text[0].isalpha() or text[0] in "_@:/<":
        return f"{quoted} is a name; {_NUMBER_THEM}"
    return f"{quoted} is no whole number; {_NUMBER_THEM}"
