"""How the lines of a text file are made: delimiter, comments, quotes; a line's fields.

The one idea: what cannot be told apart with certainty is refused by `WrongLine`, not guessed.
"""

import csv
import functools
import re
import unicodedata
from dataclasses import dataclass

from studykit.errors import DataError
from studykit.storage.reading import LONGEST_LINE_BYTES

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "pipes"}
SHOWN_CHARACTERS = 40  # of a value, in a message

_NUMBER_BEGINS = re.compile(r"[+-]?\.?[0-9]")
_BLANKS = re.compile(r"[ \t]+")
_BLANK_AT_QUOTE = re.compile(r'[ \t]"|"[ \t]')
_MISSING = ("nan", "na", "n/a", "<na>", "null", "none", "nil", "\\n", "-", "?")
"""As pandas, R, databases and people write it, in small letters."""

_NOT_CLOSED = "a quote that is not closed in its line"

csv.field_size_limit(LONGEST_LINE_BYTES)  # It would refuse a field of more than 128 KB.


@dataclass(frozen=True)
class Dialect:
    """How the lines of a file are made.

    `delimiter` None means runs of blanks and tabs, and no quotes. A line that begins with a byte
    of `comment`, behind blanks or not, is no data.
    """

    delimiter: str | None = ","
    comment: bytes = b""


class WrongLine(Exception):
    """What is wrong with a line, before its number is known."""


def shown(text: str) -> str:
    """A value or a name in a message, so that its blanks are seen, and that it is empty."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…")


def wrong_count(text: str, found: int, expected: int, dialect: Dialect) -> WrongLine:
    """What is wrong with a line of too few or too many fields, and by what it has as many as it
    should, where another delimiter makes it so."""
    reason = f"expected {expected} columns, found {found}"
    fitting = [
        name
        for sign, name in DELIMITERS.items()
        if sign != dialect.delimiter and text.count(sign) == expected - 1 > 0
    ]
    return WrongLine(f"{reason}; between {fitting[0]} they are {expected}" if fitting else reason)


def header_names(line: bytes) -> list[str]:
    """The names in the header of a CSV file. DataError (the caller knows the file) where it cannot
    be read."""
    try:
        return [name.strip() for name in fields_of(line.decode("utf-8", "replace"), Dialect())]
    except WrongLine as wrong:
        raise DataError(f"the header: {wrong}") from None


def text_of(line: bytes) -> str:
    """A line without its end. WrongLine for bytes that no line of text has."""
    if b"\0" in line:
        raise WrongLine("a NUL byte")
    line = line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line
    if b"\r" in line:
        raise WrongLine("a carriage return inside the line")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise WrongLine(
            "a byte that is not UTF-8 text (in Latin-1? iconv -f LATIN1 -t UTF-8 FILE > NEW)"
        ) from None


def fields_of(text: str, dialect: Dialect) -> list[str]:
    """The fields of a line, without their quotes. WrongLine where the quotes do not match.

    Blanks around quotes are no part of a field, as in `"1" , "2"`.
    """
    if dialect.delimiter is None:
        return _BLANKS.split(text.strip(" \t"))
    if '"' not in text:
        return text.split(dialect.delimiter)
    if _BLANK_AT_QUOTE.search(text):
        text = _quoted_between_blanks(dialect.delimiter).sub(r"\1\2", text)
    try:
        return next(csv.reader([text], delimiter=dialect.delimiter, strict=True))
    except csv.Error as error:
        # It says "',' expected after '"'", or that the text has come to an end.
        behind = "expected after" in str(error)
        raise WrongLine("text behind a closing quote" if behind else _NOT_CLOSED) from None


@functools.cache
def _quoted_between_blanks(delimiter: str) -> re.Pattern[str]:
    """A whole field in quotes, with what stands before it and the blanks around it."""
    blanks, sign = "[ ]*" if delimiter == "\t" else r"[ \t]*", re.escape(delimiter)
    return re.compile(rf'(\A|{sign}){blanks}("[^"]*(?:""[^"]*)*"){blanks}(?={sign}|\Z)')


def odd_blank(text: str) -> str | None:
    """What to say of a blank in a value that only looks like one, or is not seen at all."""
    for sign in text:
        if not sign.isascii() and (sign.isspace() or unicodedata.category(sign) == "Cf"):
            name = unicodedata.name(sign, "a blank").lower()
            return f"it has a {name} (U+{ord(sign):04X}) in it, which is no blank here: remove it"
    return None


def is_missing(text: str) -> bool:
    """Whether a field without the blanks around it stands for a value that is not there."""
    return not text or text.lower() in _MISSING


def is_header(fields: list[str]) -> bool:
    """Whether a line holds names: something, and nothing that begins like a number."""
    return any(fields) and not any(_NUMBER_BEGINS.match(field) for field in fields)
