"""How the lines of one file of edges are made, and what its user says of them."""

import csv
from dataclasses import dataclass

from studykit.errors import UsageError

COMMENT = b"#%"
DELIMITERS: dict[str, str | None] = {
    "comma": ",",
    "semicolon": ";",
    "pipe": "|",
    "tab": "\t",
    "blanks": None,
}
"""Those that are looked for, in this order; None stands for runs of blanks and tabs."""
OTHER_NAMES: dict[str, str | None] = {" ": None, "\t": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class Reading:
    """What the user says of the files: nothing, as a rule.

    `columns` are source and destination, by name or by number from 1. `delimiters` are those to
    look for. The first `skip_lines` lines of every file are not read. `undirected`: every edge
    counts both ways. `skip_bad`: lines that cannot be read are left out.
    """

    columns: tuple[str, str] | None = None
    delimiters: tuple[str | None, ...] = tuple(DELIMITERS.values())
    skip_lines: int = 0
    undirected: bool = False
    skip_bad: bool = False

    @classmethod
    def of(
        cls, columns: str | None, delimiter: str | None, skip_lines: int, undirected: bool
    ) -> "Reading":
        """From the options as they were given. UsageError where they say nothing that can be."""
        delimiters = cls.delimiters if delimiter is None else (_delimiter(delimiter),)
        pair = None if columns is None else _pair(columns)
        return cls(pair, delimiters, skip_lines, undirected)

    @property
    def delimiter_given(self) -> bool:
        return len(self.delimiters) == 1


def _pair(columns: str) -> tuple[str, str]:
    try:
        names = [name.strip() for name in next(csv.reader([columns]), [])]
    except csv.Error:  # A line break in it, say.
        names = []
    if len(names) != 2 or names[0] == names[1]:
        raise UsageError(
            f"--columns {columns!r}: name two, as in source,destination or 1,2"
            " (a name with a comma in double quotes: '\"a,b\",c')"
        )
    return names[0], names[1]


def _delimiter(given: str) -> str | None:
    named = DELIMITERS | OTHER_NAMES
    if given in named:
        return named[given]
    if len(given) != 1 or not given.isascii() or not given.isprintable() or given.isalnum():
        raise UsageError(f"--delimiter {given!r}: one sign, or one of {', '.join(DELIMITERS)}")
    if given in "\"'.":
        raise UsageError(f"--delimiter {given!r}: is part of numbers or quotes")
    return given


@dataclass(frozen=True)
class EdgeFormat:
    """How the lines of one file are to be read.

    `kind` is csv (columns between commas), text, mtx or parquet. `delimiter` None means runs of
    blanks and tabs. `body` is the offset of the first byte that can belong to an edge. `names` are
    all columns of a line, `places` those of source and destination among them. `undirected` says
    who says so, "" where the edges have a direction. `first` is the first line of data, where it
    may say, behind its number, how many vertices and edges there are. MatrixMarket declares
    `vertices` and `entries`. `notes` are for the person.
    """

    kind: str
    delimiter: str | None
    body: int = 0
    header: bool = False
    names: tuple[str, ...] = ("source", "destination")
    places: tuple[int, int] = (0, 1)
    undirected: str = ""
    first: tuple[int, int, int] | None = None
    vertices: int | None = None
    entries: int | None = None
    notes: tuple[str, ...] = ()
    skip_bad: bool = False

    @property
    def ends(self) -> tuple[str, str]:
        """The names of the columns that hold sources and destinations."""
        source, destination = self.places
        return self.names[source], self.names[destination]

    @property
    def unused(self) -> list[str]:
        """The columns that say nothing of the edges' ends, such as weights."""
        return [name for place, name in enumerate(self.names) if place not in self.places]
