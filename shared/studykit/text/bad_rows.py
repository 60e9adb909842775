"""Rows that cannot be read: the first one ends the run, or all are left out, counted and shown.

The one idea: a reader judges every line by itself and raises at a wrong one; the lines around it
are given to it again, by halves, until the wrong one is alone. So the same lines are left out
however the text was cut, and who reads clean text pays nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from studykit.errors import DataError
from studykit.options import BAD_ROWS_SKIP, Options
from studykit.storage.reading import line_numbers
from studykit.storage.splitting import Block

SHOWN_ROWS = 10

_NEWLINE = ord("\n")
_VALUES = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|(?<![\w.])-?[0-9][0-9.,]*""")
"""What is in a reason as it stands in the file: quoted by `repr`, or a number."""

Rows = TypeVar("Rows")
Take = Callable[[DataError, int], None]
"""Is told what is wrong with the line that begins at a byte of its file, or with the row of that
number, from 0, of one that has no lines; raises, or goes on."""


@dataclass(frozen=True)
class BadRow:
    """One of the lines that were left out; `offset` is its first byte in the file.

    Of a file that has no lines it is a row: its number from 0, and in words its `place`.
    """

    uri: str
    offset: int
    column: int | str | None
    reason: str
    place: str | None = None


@dataclass
class BadRows:
    """{what is wrong: with how many rows}, and the first of them, in the files' order.

    `mended` of them could be read all the same, the others were left out.
    """

    reasons: dict[str, int] = field(default_factory=dict)
    first: list[BadRow] = field(default_factory=list)
    mended: int = 0

    @property
    def count(self) -> int:
        return sum(self.reasons.values())

    @property
    def skipped(self) -> int:
        return self.count - self.mended

    def take(self, error: DataError, offset: int) -> None:
        """Remember a line that is left out; `error` says what is wrong with it."""
        # Behind a colon stands what to do about it.
        reason = _VALUES.sub("…", error.reason).split(": ")[0]
        if error.column is not None:
            reason = f"column {error.column}: {reason}"
        self.reasons[reason] = self.reasons.get(reason, 0) + 1
        row = BadRow(error.uri or "", offset, error.column, error.reason, error.place)
        self.first.append(row)
        self.first[:] = _first(self.first)

    def mend(self, uri: str, reason: str, offsets: Sequence[int], count: int = 1) -> None:
        """Remember rows that are read all the same, and the first bytes of the first of them."""
        self.reasons[reason] = self.reasons.get(reason, 0) + count
        self.mended += count
        self.first[:] = _first(self.first + [BadRow(uri, at, None, reason) for at in offsets])

    def __add__(self, other: "BadRows") -> "BadRows":
        reasons = dict(self.reasons)
        for reason, count in other.reasons.items():
            reasons[reason] = reasons.get(reason, 0) + count
        first = _first(self.first + other.first)
        return BadRows(reasons, first, self.mended + other.mended)

    @classmethod
    def total(cls, parts: Iterable["BadRows"]) -> "BadRows":
        return reduce(lambda one, other: one + other, parts, cls())


def _first(rows: list[BadRow]) -> list[BadRow]:
    return sorted(rows, key=lambda row: (row.uri, row.offset))[:SHOWN_ROWS]


def refuse(error: DataError, offset: int) -> None:
    """`Take`: the first wrong line ends the run."""
    reason = f"{error.reason} (--bad-rows skip leaves such rows out)"
    refuse_all(DataError(reason, uri=error.uri, column=error.column, place=error.place), offset)


def refuse_all(error: DataError, offset: int) -> None:
    """`Take` of a study that leaves no rows out."""
    uri, place = error.uri or "", error.place
    line = line_numbers(uri, [offset])[0] if place is None else None
    raise DataError(error.reason, uri=uri, line=line, column=error.column, place=place)


def read_rows(block: Block, read: Callable[[Block], Rows], take: Take) -> Iterator[Rows]:
    """What `read` makes of whole lines, piece by piece, without those that it refuses.

    `read` raises a DataError, without a line, where one of its lines is wrong; `take` is told.
    """
    try:
        rows = read(block)
    except DataError as error:
        begins = np.flatnonzero(block.data[:-1] == _NEWLINE) + 1
        if len(begins) == 0:
            take(error, block.offset)
            return
    else:
        yield rows
        return
    half = int(begins[len(begins) // 2])
    yield from read_rows(Block(block.data[:half], block.offset), read, take)
    yield from read_rows(Block(block.data[half:], block.offset + half), read, take)


def accepted(options: Options, bad: BadRows, rows: int) -> dict[str, Any]:
    """What `quality` says of what was wrong with rows, beside `rows` that were read.

    Nothing where none may be; DataError where they are more than --bad-rows-limit.
    """
    if options.bad_rows != BAD_ROWS_SKIP:
        return {}
    share = bad.skipped / max(rows + bad.skipped, 1)
    shown = _described(bad)
    if share > options.bad_rows_share:
        raise DataError(
            f"{bad.skipped:,} of {rows + bad.skipped:,} rows cannot be read ({share:.2%}), more"
            f" than --bad-rows-limit {options.bad_rows_limit}: mend the file, or raise the limit;"
            f" the first: {shown[0]['reason']}",
            uri=shown[0]["file"],
            line=shown[0].get("line"),
            place=shown[0].get("place"),
        )
    return {
        "bad_rows": {
            "rows": bad.count,
            "skipped": bad.skipped,
            "share": share,
            "reasons": dict(sorted(bad.reasons.items(), key=lambda item: (-item[1], item[0]))),
            "first": shown,
        }
    }


def _described(bad: BadRows) -> list[dict[str, Any]]:
    """The first rows with the numbers of their lines, which are counted only now."""
    described = []
    for uri in dict.fromkeys(row.uri for row in bad.first):
        rows = [row for row in bad.first if row.uri == uri]
        offsets = [row.offset for row in rows if row.place is None]
        numbers = iter(line_numbers(uri, offsets) if offsets else [])
        for row in rows:
            where = {"line": next(numbers)} if row.place is None else {"place": row.place}
            column = "" if row.column is None else f"column {row.column}: "
            described.append({"file": uri, **where, "reason": column + row.reason})
    return described
