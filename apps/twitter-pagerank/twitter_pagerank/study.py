"""twitter-pagerank: what every engine of this study is asked.

Vertices are the ids that occur, duplicate edges count once, self-loops stay, damping 0.85,
uniform teleport, dangling mass spread uniformly, ranks sum to 1.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer
from study_data import follower_graph, stores
from studykit import cutting, tables
from studykit.cutting import Input
from studykit.errors import DataError, UsageError
from studykit.options import BAD_ROWS_SKIP, Options, Study
from studykit.records import DatasetInfo
from studykit.run import Run
from studykit.text import bad_rows
from studykit.text.bad_rows import BadRows

from twitter_pagerank import edges
from twitter_pagerank.edge_format import EdgeFormat, Reading
from twitter_pagerank.worker import Loaded

NO_EDGES = "no edges: nothing but a header, comments or blank lines"


@dataclass(frozen=True)
class Parameters:
    """Options of this study alone."""

    tolerance: Annotated[
        float, typer.Option(help="Stop when the L1 distance of two iterations is below this.")
    ] = 1e-8
    max_iterations: Annotated[int, typer.Option(min=1, help="Not converged by then is exit 3.")] = (
        200
    )
    damping: Annotated[float, typer.Option(help="Probability of following a link.")] = 0.85
    reverse: Annotated[
        bool, typer.Option("--reverse", help="The file's edges point against the flow of rank.")
    ] = False
    undirected: Annotated[
        bool, typer.Option("--undirected", help="Every edge counts both ways.")
    ] = False
    columns: Annotated[
        str | None,
        typer.Option(metavar="SOURCE,DESTINATION", help="Of a table: names, or numbers from 1."),
    ] = None
    delimiter: Annotated[
        str | None,
        typer.Option(metavar="SIGN", help="Between columns: one sign, comma, tab, blanks …"),
    ] = None
    skip_lines: Annotated[int, typer.Option(min=0, help="Of every file, not read.")] = 0
    top: Annotated[int, typer.Option(min=1, help="Vertices in the table of the highest.")] = 10

    @property
    def reading(self) -> Reading:
        """What was said of the files. UsageError where it cannot be."""
        return Reading.of(self.columns, self.delimiter, self.skip_lines, self.undirected)


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    return stores.input_of(options, follower_graph.DATASET)


def validate(options: Options, parameters: Parameters) -> None:
    if not 0 < parameters.damping < 1:
        raise UsageError(f"--damping {parameters.damping:g}: must lie between 0 and 1")
    if not parameters.tolerance > 0:
        raise UsageError(f"--tolerance {parameters.tolerance:g}: must be above 0")
    if parameters.reverse and parameters.undirected:
        raise UsageError("--reverse and --undirected exclude each other: give one of them")
    _ = parameters.reading
    tables.require_ending(options.out)


STUDY = Study(
    name="twitter-pagerank",
    package="twitter_pagerank",
    engines=("plain", "ray", "torch"),
    dataset=follower_graph.DATASET.name,
    parameters=Parameters,
    locate=locate,
    validate=validate,
    methods=("exact", "published"),
    skips_bad_rows=True,
    packages=("numpy", "numba", "pyarrow", "ray", "torch", "torch-ppr", "polars"),
)


def cut_input(run: Run, split_bytes: int | None = None) -> Input[EdgeFormat]:
    """`split_bytes` is the method's own size of a piece, where it has one."""
    skip_bad = run.options.bad_rows == BAD_ROWS_SKIP
    reading: Reading = replace(run.parameters.reading, skip_bad=skip_bad)
    return cutting.cut(run, lambda uris: edges.formats(uris, reading), split_bytes)


@dataclass(frozen=True)
class Totals:
    """Over all workers: edges, the largest id; and of every file its edges as they stand there,
    and what is known of it from its head."""

    edges: int
    largest: int
    lines: dict[str, int]
    formats: dict[str, EdgeFormat]
    skipped: dict[str, Any]
    """What `quality` says of lines that cannot be read, where they may be skipped."""

    @classmethod
    def of(cls, run: Run, loaded: list[Loaded], source: Input[EdgeFormat]) -> "Totals":
        """Add up what the workers read. DataError for no edge, or not as many as declared."""
        lines = {uri: sum(part.lines.get(uri, 0) for part in loaded) for uri in source.formats}
        bad = BadRows.total(part.bad for part in loaded)
        skipped = bad_rows.accepted(run.options, bad, sum(lines.values()))
        for uri, form in source.formats.items():
            # Which file the bad ones are of is not counted: the others may be as many too few.
            enough = range(lines[uri], lines[uri] + bad.count + 1)
            if form.entries is not None and form.entries not in enough:
                raise DataError(f"{form.entries} entries declared, {lines[uri]} found", uri=uri)
        edges = sum(part.edges for part in loaded)
        if edges == 0:
            raise DataError(NO_EDGES, uri=source.splits[0].uri)
        return cls(edges, max(part.largest for part in loaded), lines, source.formats, skipped)
