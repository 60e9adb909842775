"""The head of a table of edges: comments that say something, delimiter, header, columns.

The one idea: the right delimiter is the one that leaves lines beginning with two numbers, and a
header is a first line without numbers.
"""

import re
from collections.abc import Sequence

from studykit.errors import DataError
from studykit.text import dialects
from studykit.text.lines import Line

from twitter_pagerank import table_columns, vertex_ids
from twitter_pagerank.edge_format import COMMENT, DELIMITERS, EdgeFormat, Reading

SAMPLED_LINES = 100
TAB = "\t"

# The first line that makes Excel take a delimiter.
_SEPARATOR = re.compile(rb'"?sep=.{1,2}"?', re.IGNORECASE)
# http://konect.cc/networks: the first line says sym, asym or bip.
_KONECT = re.compile(rb"%\s*(sym|bip)(\s|$)")
# https://snap.stanford.edu/data: a line among the first ones.
_UNDIRECTED_GRAPH = re.compile(rb"[#%]\s*undirected\s+graph\b", re.IGNORECASE)
# The first line of data in files of graphs that are no tables.
_OTHER_FORMATS = {
    "a network of Pajek": re.compile(rb"\*(vertices|network|arcs|edges)\b", re.IGNORECASE),
    "GML": re.compile(rb"graph\s*(\[|$)", re.IGNORECASE),
    "DOT, of Graphviz": re.compile(rb"(strict\s+)?(di)?graph\b.*\{"),
    "a graph of DIMACS": re.compile(rb"(c\s.*|p\s+[a-z]+\s+\d+\s+\d+\s*)"),
}
_AROUND_A_SIGN = re.compile(r"[\"']?\d+[\"']?\s*([^\d\s\"'.]+)\s*[\"']?\d+[\"']?")


def is_data(line: Line) -> bool:
    """Whether a line of the head is neither blank nor a comment, nor Excel's `sep=;`."""
    text = line.text.strip()
    return bool(text) and text[:1] not in COMMENT and not _SEPARATOR.fullmatch(text)


def read_head(uri: str, head: list[Line], reading: Reading) -> EdgeFormat:
    """Of lines up to some edges, where the file has any. DataError for what is no table."""
    data = [line for line in head if is_data(line)]
    undirected = _undirected(uri, head[: head.index(data[0])] if data else head)
    if not data:
        return EdgeFormat("text", None, body=head[0].start, undirected=undirected)
    data = data[:SAMPLED_LINES]
    _refuse_other_formats(uri, data)
    delimiter = _delimiter(uri, data, reading)
    rows = [_fields(line, delimiter) for line in data]
    header = table_columns.is_header(rows[0], reading)
    columns = _count_columns(uri, data[0], rows, header, delimiter)
    titles = _titles(data[0], rows[0], columns) if header else None
    places = table_columns.places(uri, data[0].number, titles, columns, reading)
    return EdgeFormat(
        "csv" if delimiter == "," else "text",
        delimiter,
        body=data[0].stop if header else data[0].start,
        header=header,
        names=table_columns.names(titles, columns, reading),
        places=places,
        undirected=undirected,
        first=None if header else _first(data[0], rows[0]),
        notes=_notes(uri, titles, rows, places, bool(undirected) or reading.undirected),
    )


def _refuse_other_formats(uri: str, data: Sequence[Line]) -> None:
    """DIMACS alone may begin with comments (`c`), which could be a table's `c d` otherwise."""
    first, words = data[0].text.strip(), {line.text.strip()[:2] for line in data}
    for name, begins in _OTHER_FORMATS.items():
        if begins.match(first) and (name != "a graph of DIMACS" or b"p " in words):
            reason = f"looks like {name}, which is no table: write its edges as two columns"
            raise DataError(reason, uri=uri, line=data[0].number)


def _undirected(uri: str, comments: Sequence[Line]) -> str:
    """What the comments before the first edge say of the direction."""
    filled = [line for line in comments if line.text.strip()]
    if filled and (said := _KONECT.match(filled[0].text.strip())):
        if said[1] == b"sym":
            return "KONECT % sym"
        raise DataError(
            "KONECT's % bip: two kinds of vertices that have the same ids, so no graph of one kind:"
            " give each kind ids of its own, and write the edges without that line",
            uri=uri,
            line=filled[0].number,
        )
    if any(_UNDIRECTED_GRAPH.match(line.text.strip()) for line in filled):
        return "SNAP # Undirected graph"
    return ""


def _fields(line: Line, delimiter: str | None) -> list[str]:
    """Without blanks and quotes around them."""
    text = line.text.decode("utf-8", "replace")
    try:
        fields = dialects.fields_of(text, dialects.Dialect(delimiter))
    except dialects.WrongLine:  # Whoever reads the line says so.
        fields = text.split(delimiter)
    return [field.strip(' \t"') for field in fields]


def _delimiter(uri: str, data: Sequence[Line], reading: Reading) -> str | None:
    def evidence(delimiter: str | None) -> tuple[int, int, bool]:
        """How many lines begin with two numbers; how many fields, two a line, are numbers."""
        rows = [row for line in data if len(row := _fields(line, delimiter)) > 1]
        numbers = [[vertex_ids.is_number(field) for field in row] for row in rows]
        leading = sum(row[0] and row[1] for row in numbers)
        return leading, sum(min(sum(row), 2) for row in numbers), bool(rows)

    found = max(reading.delimiters, key=evidence)
    if not evidence(found)[2]:
        raise DataError(_no_delimiter(data[0], reading), uri=uri, line=data[0].number)
    if found == TAB and not reading.delimiter_given and _is_pair_between_blanks(data):
        return None
    return found


def _is_pair_between_blanks(data: Sequence[Line]) -> bool:
    """Two columns between tabs are two between blanks, of which there may be any number."""
    for line in data:
        fields = _fields(line, None)
        numbers = any(map(vertex_ids.is_number, fields))
        if len(fields if numbers else _fields(line, TAB)) > 2 or (numbers and len(fields) < 2):
            return False
    return True


def _no_delimiter(line: Line, reading: Reading) -> str:
    text = line.text.decode("utf-8", "replace").strip()
    shown = dialects.shown(text)
    if reading.delimiter_given:
        given = reading.delimiters[0] or "blanks"
        return f"--delimiter {given!r}: not in {shown}, where two columns are needed"
    between, blank = _AROUND_A_SIGN.match(text), dialects.odd_blank(text)
    if blank is not None:
        remedy = blank
    elif between is None:
        remedy = "two columns are needed, source and destination"
    elif len(between[1]) == 1 and between[1].isascii() and not between[1].isalpha():
        remedy = f"name it, as in --delimiter '{between[1]}'"
    else:
        remedy = f"replace {dialects.shown(between[1])} by a comma"
    return f"no delimiter ({', '.join(DELIMITERS)}) in {shown}: {remedy}"


def _count_columns(
    uri: str, line: Line, rows: Sequence[Sequence[str]], header: bool, delimiter: str | None
) -> int:
    """Of the lines. DataError where the first one has others than all the rest."""
    first, others = len(rows[0]), {len(row) for row in rows[1:]}
    if header and delimiter is None and others:
        return len(rows[1])  # Names may have blanks in them.
    if len(others) != 1 or first in others:
        return first
    (other,) = others
    if header or (len(rows) > 2 and other > 1):
        names = f"{first} name{'s' * (first != 1)}" if header else f"columns: {first}"
        raise DataError(
            f"{names}, but {other} in each line after it; where it is neither header nor edge,"
            f" leave it out by --skip-lines {line.number}",
            uri=uri,
            line=line.number,
        )
    return first


def _titles(line: Line, row: list[str], columns: int) -> list[str] | None:
    """The names of the columns, where the header has one for each; those with blanks by tabs."""
    return next((found for found in (row, _fields(line, TAB)) if len(found) == columns), None)


def _first(line: Line, row: Sequence[str]) -> tuple[int, int, int] | None:
    """`vertices edges`, or `rows columns entries`, as far as one line can tell."""
    if len(row) in (2, 3) and all(field.isdecimal() and len(field) < 20 for field in row):
        *vertices, edges = map(int, row)
        return line.number, max(vertices), edges
    return None


def _notes(
    uri: str,
    titles: Sequence[str] | None,
    rows: Sequence[Sequence[str]],
    places: tuple[int, int],
    undirected: bool,
) -> tuple[str, ...]:
    """Gephi writes of every edge whether it is directed: said, because the column is not read."""
    for place, title in enumerate(titles or ()):
        said = {row[place].lower() for row in rows[1:] if place < len(row)}
        unread = title.lower() == "type" and place not in places
        if unread and said == {"undirected"} and not undirected:
            return (f"{uri}: column {title} says undirected: --undirected takes it so",)
    return ()
