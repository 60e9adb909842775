"""The head of a MatrixMarket file: its banner, and how many rows, columns and entries follow.

Blanks and blank lines may stand anywhere, letters in either case, comments behind the banner; a
banner of one % (networkrepository.com writes that) is taken too.
Format: https://math.nist.gov/MatrixMarket/formats.html
"""

import re

from studykit.errors import DataError
from studykit.text.lines import Line

from twitter_pagerank.edge_format import COMMENT, EdgeFormat, Reading

VALUES = {"pattern": 0, "real": 1, "integer": 1, "complex": 2}
"""{field of the banner: how many values follow the two ids of a line}; they are not used."""
SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")

_BANNER = re.compile(rb"\s*%%?MatrixMarket\b", re.IGNORECASE)


def has_banner(line: Line) -> bool:
    return _BANNER.match(line.text) is not None


def read_head(uri: str, head: list[Line], reading: Reading) -> EdgeFormat:
    """`head` begins with the banner. DataError for what is no square matrix by coordinates."""
    if reading.columns or reading.delimiter_given:
        raise DataError(
            "MatrixMarket says itself how its lines are made: leave out --columns and --delimiter",
            uri=uri,
        )
    field, symmetry = _of_banner(uri, head[0])
    for line in head[1:]:
        if line.text.strip() and line.text.lstrip()[:1] not in COMMENT:
            break
    else:
        raise DataError("no line 'rows columns entries' after the comments", uri=uri)
    sizes = line.text.split()
    if len(sizes) != 3 or not all(size.isdigit() for size in sizes):
        raise DataError("expected 'rows columns entries'", uri=uri, line=line.number)
    rows, columns, entries = map(int, sizes)
    if rows != columns:
        raise DataError(
            f"a matrix of {rows} rows and {columns} columns is not square, so no graph of one kind"
            " of vertex: give rows and columns ids of their own, and write the edges as a table",
            uri=uri,
            line=line.number,
        )
    values = tuple(f"value {number + 1}" for number in range(VALUES[field]))
    return EdgeFormat(
        "mtx",
        None,
        body=line.stop,
        names=("row", "column", *values),
        undirected="" if symmetry == "general" else f"MatrixMarket {symmetry}",
        vertices=rows,
        entries=entries,
    )


def _of_banner(uri: str, line: Line) -> tuple[str, str]:
    """(field, symmetry)."""
    words = line.text.decode("ascii", "replace").lower().split()
    if len(words) != 5 or words[1:3] != ["matrix", "coordinate"]:
        expected = "expected '%%MatrixMarket matrix coordinate', a field and a symmetry"
        raise DataError(expected, uri=uri, line=line.number)
    field, symmetry = words[3:]
    if field not in VALUES:
        problem = f"unknown MatrixMarket field {field!r}: one of {', '.join(VALUES)}"
        raise DataError(problem, uri=uri, line=line.number)
    if symmetry not in SYMMETRIES:
        problem = f"unknown MatrixMarket symmetry {symmetry!r}: one of {', '.join(SYMMETRIES)}"
        raise DataError(problem, uri=uri, line=line.number)
    return field, symmetry
