"""The oracle's own judgement of single lines, where some that are wrong are skipped.

An edge is a line of as many fields as the table has columns, quotes in order, with two whole
numbers 0 … 2^63 - 1 for its ends; 1.0 is 1, up to 2^53.
"""

import csv
import re

LARGEST, LARGEST_FLOAT = 2**63 - 1, 2**53
_QUOTED = re.compile(r'"[ \t]*([^"]*?)[ \t]*"')
_WHOLE = re.compile(r"([0-9]{1,40})(\.0*)?")


def ends(
    line: bytes, delimiter: str, columns: int, places: tuple[int, int], most: int | None
) -> tuple[int, int] | None:
    """Source and destination; None where the line is no edge. `most`: ids are 1 … most."""
    text = line.decode(errors="surrogateescape")
    if text.endswith("\n"):
        text = text[:-2] if text.endswith("\r\n") else text[:-1]
    found = None if "\0" in text or "\r" in text else fields(text, delimiter)
    if found is None or len(found) != columns:
        return None
    source, destination = (_id(found[place]) for place in places)
    if source is None or destination is None:
        return None
    if most is not None and not (1 <= source <= most and 1 <= destination <= most):
        return None
    return source, destination


def fields(text: str, delimiter: str) -> list[str] | None:
    """None where quotes do not match; blanks around them are no part of a field."""
    if not delimiter:
        return re.split("[ \t]+", text.strip(" \t"))
    if '"' in text:
        sign, blanks = re.escape(delimiter), "[ ]*" if delimiter == "\t" else "[ \t]*"
        quoted = rf'(\A|{sign}){blanks}("(?:[^"]|"")*"){blanks}(?={sign}|\Z)'
        text = re.sub(quoted, r"\1\2", text)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration):
        return None


def _id(field: str) -> int | None:
    text = field.strip(" \t")
    quoted = _QUOTED.fullmatch(text)
    number = _WHOLE.fullmatch(quoted[1] if quoted else text)
    if number is None:
        return None
    value = int(number[1])
    return value if value <= (LARGEST_FLOAT if number[2] else LARGEST) else None
