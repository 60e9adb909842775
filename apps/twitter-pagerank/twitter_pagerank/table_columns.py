"""Which columns of a table are source and destination: by name, by number, or the only two."""

from collections.abc import Sequence

from studykit.errors import DataError

from twitter_pagerank import vertex_ids
from twitter_pagerank.edge_format import Reading

Titles = Sequence[str] | None
"""The names of all columns, where there is a header."""

_SOURCES = ("source", "src", "from", "fromnodeid", "startid", "sourceid")
_TARGETS = ("target", "dst", "dest", "destination", "to", "tonodeid", "endid", "targetid")


def is_header(row: Sequence[str], reading: Reading) -> bool:
    """Whether the first line of a table holds names: no numbers where ids would be."""
    asked = reading.columns or ()
    named = [name for name in asked if not name.isdecimal()]
    if named and all(name in row for name in named):
        return True
    chosen = [field for number, field in enumerate(row, 1) if str(number) in asked] or row
    return any(chosen) and not any(map(vertex_ids.is_number, chosen))


def places(
    uri: str, line: int | None, titles: Titles, columns: int, reading: Reading
) -> tuple[int, int]:
    """Of source and destination among the columns, from 0. DataError where they are not there.

    `line` is that of the header, or the first.
    """
    if reading.columns is not None:
        source, destination = (
            _place(uri, line, titles, columns, asked) for asked in reading.columns
        )
        if source == destination:
            raise DataError(f"--columns names column {source + 1} twice", uri=uri, line=line)
        return source, destination
    if columns == 2:
        first, second = ("".join(filter(str.isalnum, name.lower())) for name in titles or "12")
        if first in _TARGETS and second in _SOURCES:
            raise DataError(
                f"the header has the target first ({', '.join(map(repr, titles or ()))}): say which"
                " column is the source and which the destination, by --columns",
                uri=uri,
                line=line,
            )
        return 0, 1
    problem = f"expected 2 columns (source and destination), found {columns}"
    if columns > 2:
        titles = titles or ()
        listed = f" ({', '.join(map(repr, titles))})" if titles else ""
        named = [title for title in titles if title and titles.count(title) == 1]
        example = ",".join(named[:2] if len(named) > 1 else ("1", "2"))
        problem += f"{listed}: choose two by name or number, as in --columns '{example}'"
    raise DataError(problem, uri=uri, line=line)


def _place(uri: str, line: int | None, titles: Titles, columns: int, asked: str) -> int:
    if titles is not None and titles.count(asked) == 1:
        return titles.index(asked)
    if asked.isdecimal() and 1 <= int(asked) <= columns and asked not in (titles or ()):
        return int(asked) - 1
    if titles is None:
        has = f"there is no header, so columns have numbers, 1 … {columns}"
    elif asked in titles:
        has = f"that name is there more than once: give a number, 1 … {columns}"
    else:
        has = f"there are {', '.join(map(repr, titles))}"
    raise DataError(f"--columns: no column {asked!r}; {has}", uri=uri, line=line)


def names(titles: Titles, columns: int, reading: Reading) -> tuple[str, ...]:
    """Of all columns, for records and errors; their numbers where names are not all different."""
    if columns == 2 and reading.columns is None:
        return "source", "destination"
    if titles is not None and all(titles) and len(set(titles)) == columns:
        return tuple(titles)
    return tuple(str(number + 1) for number in range(columns))
