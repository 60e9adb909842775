"""How the lines of a file are made, for the oracle: found in its first block.

A file that an engine has read holds two ids in every line, so the layout is the one with which all
lines of its beginning do.
"""

import csv
import io
import re
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace

from studykit.errors import CheckError

from twitter_pagerank import oracle_lines
from twitter_pagerank.study import Parameters

LINES_LOOKED_AT = 200

_NUMBER = re.compile(r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?|[-+]?[0-9]+\.")
_KONECT = re.compile(r"\s*%\s*sym(\s|$)")
_SNAP = re.compile(r"\s*[#%]\s*undirected\s+graph\b", re.I)
_BANNER = re.compile(r"\s*%%?MatrixMarket\s", re.I)
_VALUES = {"pattern": 0, "real": 1, "integer": 1, "complex": 2}
_NAMED = {
    **{"comma": ",", "semicolon": ";", "pipe": "|", "tab": "\t", "\\t": "\t"},
    **{"blanks": "", " ": ""},
}


@dataclass(frozen=True)
class Layout:
    """`delimiter` "" means runs of blanks and tabs; `skipped` are the lines before the edges."""

    delimiter: str
    columns: int
    source: int
    destination: int
    both_ways: bool = False
    skipped: int = 0
    most: int | None = None
    """The largest id that a matrix may have."""

    def ends(self, line: bytes) -> tuple[int, int] | None:
        """None where the line is no edge of this layout."""
        places = (self.source, self.destination)
        return oracle_lines.ends(line, self.delimiter, self.columns, places, self.most)


def begin(uri: str, block: bytes, parameters: Parameters, skip: bool) -> tuple[Layout, bytes]:
    """The layout of a file from its first block, and what of that are edges."""
    block = block.removeprefix(b"\xef\xbb\xbf")
    lines = _lines(block)
    for _ in range(parameters.skip_lines):
        next(lines, None)
    before: list[str] = []
    data: list[str] = []
    stop = len(block)
    for line, begin in lines:
        if is_edge(line):
            stop = begin if not data else stop
            data.append(line)
        elif not data and line.strip():
            before.append(line)
        if len(data) == LINES_LOOKED_AT:
            break
    layout = _layout(uri, before, data, parameters, skip)
    both_ways = layout.both_ways or parameters.undirected
    for _ in range(layout.skipped):
        stop = block.find(b"\n", stop) + 1 or len(block)
    return replace(layout, both_ways=both_ways), block[stop:]


def _lines(block: bytes) -> Iterator[tuple[str, int]]:
    """(line, where it begins)"""
    stream, begin = io.BytesIO(block), 0
    for line in stream:
        yield line.decode("utf-8", "replace").rstrip("\r\n"), begin
        begin += len(line)


def is_edge(line: str) -> bool:
    return bool(line.strip()) and line.lstrip()[0] not in "#%" and not line.startswith("sep=")


def _layout(
    uri: str, before: list[str], data: list[str], parameters: Parameters, skip: bool
) -> Layout:
    """`before` are the comments before the lines of `data`."""
    if before and _BANNER.match(before[0]):
        _, _, _, field, symmetry = before[0].lower().split()
        most = int(data[0].split()[0])
        return Layout("", 2 + _VALUES[field], 0, 1, symmetry != "general", skipped=1, most=most)
    both_ways = bool(before and _KONECT.match(before[0])) or any(map(_SNAP.match, before))
    if not data:
        return Layout("", 2, 0, 1, both_ways)
    given = parameters.delimiter
    for delimiter in ",;|\t" if given is None else ():
        if found := _try(delimiter, data, parameters, skip):
            return replace(found, both_ways=both_ways)
    found = _try("" if given is None else _NAMED.get(given, given), data, parameters, skip)
    if found is None:
        raise CheckError(f"{uri}: the oracle does not know how its lines are made: {data[0]!r}")
    return replace(found, both_ways=both_ways)


def _try(delimiter: str, data: list[str], parameters: Parameters, skip: bool) -> Layout | None:
    """The layout with this delimiter, where every line but a header is an edge with it.

    Where wrong lines are skipped, most of them are enough.
    """
    rows = [oracle_lines.fields(line, delimiter) or line.split(delimiter) for line in data]
    names, columns = [name.strip(' \t"') for name in rows[0]], statistics.mode(map(len, rows[::-1]))
    asked = asked_columns(parameters) or ["1", "2"]
    if parameters.columns is None and columns != 2:
        return None
    numbers = [int(number) - 1 for number in asked if number.isdecimal()]
    if len(numbers) < 2:
        header = True
    else:
        header = not any(_NUMBER.fullmatch(names[n]) for n in numbers if n < len(names))
    places = []
    for name in asked:
        if header and parameters.columns is not None and names.count(name) == 1:
            places.append(names.index(name))
        elif name.isdecimal() and int(name) <= columns:
            places.append(int(name) - 1)
        else:
            return None
    layout = Layout(delimiter, columns, places[0], places[1], skipped=int(header))
    fits = [layout.ends(line.encode()) is not None for line in data[layout.skipped :]]
    return layout if all(fits) or (skip and 2 * sum(fits) > len(fits)) else None


def asked_columns(parameters: Parameters) -> list[str]:
    """--columns, one by one; none where it is not given."""
    return [name.strip() for name in next(csv.reader([parameters.columns or ""]), [])]
