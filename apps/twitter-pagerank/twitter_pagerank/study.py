"""twitter-pagerank: what every engine of this study is asked, and what it returns.

Vertices are the ids that occur, duplicate edges count once, self-loops stay, damping 0.85,
uniform teleport, dangling mass spread uniformly, ranks sum to 1.
"""

import dataclasses
from dataclasses import dataclass
from typing import Annotated
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import typer
from pyarrow import csv
from pyarrow import parquet
from rich.table import Table
from study_data import follower_graph
from study_data import stores
from studykit import machine
from studykit import storage
from studykit import tables
from studykit.errors import DataError
from studykit.errors import UsageError
from studykit.options import Options
from studykit.options import Study
from studykit.records import Check
from studykit.records import DatasetInfo
from studykit.records import Limit
from studykit.run import Outcome
from studykit.run import Run

from twitter_pagerank import edges
from twitter_pagerank import kernel
from twitter_pagerank.edges import EdgeFormat
from twitter_pagerank.worker import Loaded

LARGEST_SPLIT = 64_000_000
SMALLEST_SPLIT = 1 << 16
SPLITS_PER_THREAD = 8
"""So that threads and workers end at about the same time."""
NO_EDGES = "no edges: nothing but a header, comments or blank lines"
BYTES_PER_EDGE_OF_AN_ITERATION = 4
"""What an iteration must at least stream: each edge's source, once."""


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
    top: Annotated[int, typer.Option(min=1, help="Vertices in the table of the highest.")] = 10


def locate(options: Options, parameters: Parameters) -> DatasetInfo:
    return stores.input_of(options, follower_graph.DATASET)


def validate(options: Options, parameters: Parameters) -> None:
    if not 0 < parameters.damping < 1:
        raise UsageError(f"--damping {parameters.damping:g}: must lie between 0 and 1")
    if not parameters.tolerance > 0:
        raise UsageError(f"--tolerance {parameters.tolerance:g}: must be above 0")
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
    packages=("numpy", "numba", "pyarrow", "ray", "torch", "torch-ppr", "polars"),
)


@dataclass(frozen=True)
class Input:
    """The cut input: `splits` in file order, and the format of every file."""

    splits: list[storage.Split]
    formats: dict[str, EdgeFormat]

    def of_worker(self, index: int, workers: int) -> list[storage.Split]:
        """Every workers-th split, so that a slow stretch of a file is shared out."""
        return self.splits[index::workers]


def cut_input(run: Run) -> Input:
    """Look at every file's head and cut it: small pieces, as many as there are threads to feed."""
    options, total = run.options, run.dataset.bytes
    threads = options.worker_count * options.threads
    even = total // (threads * SPLITS_PER_THREAD) + 1
    size = options.split_bytes or min(max(even, SMALLEST_SPLIT), LARGEST_SPLIT)
    if options.method == "published":
        from twitter_pagerank import published

        size = options.split_bytes or published.CHUNK_BYTES
    pieces = storage.splits(run.dataset.uri, size)
    uris = list(dict.fromkeys(piece.uri for piece in pieces))
    return Input(pieces, edges.formats(uris))


@dataclass(frozen=True)
class Totals:
    """Over all workers: edge lines, the largest id."""

    edges: int
    largest: int

    @classmethod
    def of(cls, loaded: list[Loaded], source: Input) -> "Totals":
        """Add up what the workers read. DataError for no edge, or not as many as declared."""
        for uri, form in source.formats.items():
            found = sum(part.lines.get(uri, 0) for part in loaded)
            if form.entries is not None and found != form.entries:
                raise DataError(f"{form.entries} entries declared, {found} found", uri=uri)
        total = cls(sum(part.edges for part in loaded), max(part.largest for part in loaded))
        if total.edges == 0:
            raise DataError(
                "no edges: nothing but a header, comments or blank lines", uri=source.splits[0].uri
            )
        return total


@dataclass(frozen=True)
class Ranking:
    """The answer: ids int64[n] ascending, ranks float64[n] beside them."""

    ids: npt.NDArray[np.int64]
    ranks: npt.NDArray[np.float64]
    edges: int
    lines: int
    iterations: int
    residual: float

    def quality(self, parameters: Parameters) -> dict[str, Any]:
        return {
            "vertices": len(self.ids),
            "edges": self.edges,
            "duplicate_edges": self.lines - self.edges,
            "iterations": self.iterations,
            "residual": self.residual,
            "direction": "destination to source" if parameters.reverse else "source to destination",
            "top": kernel.top(self.ranks, self.ids, parameters.top),
            "rank_quantiles": _quantiles(self.ranks),
        }


def _quantiles(ranks: npt.NDArray[np.float64]) -> dict[str, float]:
    """Ranks at fixed shares of the vertices, highest first: enough to draw the distribution."""
    shares = [10.0**exponent for exponent in np.arange(-7, 0.01, 0.25)]
    shares = [share for share in shares if share * len(ranks) >= 1] or [1.0]
    values = np.quantile(ranks, [1 - share for share in shares], method="higher")
    return {f"{share:.3g}": float(value) for share, value in zip(shares, values, strict=True)}


def outcome(run: Run, ranking: Ranking, **measured: Any) -> Outcome:
    """The answer of an engine with everything that follows from it."""
    from twitter_pagerank import oracle

    parameters: Parameters = run.parameters
    quality = ranking.quality(parameters)
    unconverged = None
    if not ranking.residual < parameters.tolerance:
        unconverged = (
            f"not converged: L1 distance {ranking.residual:.3g} after {ranking.iterations}"
            f" iterations, --tolerance {parameters.tolerance:g}: raise --max-iterations"
        )
    return Outcome(
        quality=quality,
        check=lambda: oracle.check(run, ranking),
        write=lambda uri: {"ranks": write_ranks(ranking.ids, ranking.ranks, uri)},
        limit=lambda: limit(run, ranking),
        unconverged=unconverged,
        summary=[top_table(quality["top"])],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def published_outcome(run: Run, scores: dict[int, float], **measured: Any) -> Outcome:
    """The published ranking, {vertex: score} highest first, and its distance from the exact one."""
    if not scores:
        raise DataError(NO_EDGES, uri=run.dataset.uri)
    ids = np.fromiter(scores, np.int64, len(scores))
    values = np.fromiter(scores.values(), np.float64, len(scores))
    count = run.parameters.top
    top = [
        {"vertex": int(vertex), "rank": float(value)}
        for vertex, value in zip(ids[:count], values[:count], strict=True)
    ]
    return Outcome(
        quality={"top": top},
        assess=lambda: _distance_from_exact(run, ids.tolist()),
        check=lambda: Check(oracle="none: wrong by design, see top_10_overlap and top_100_overlap"),
        write=lambda uri: {"ranks": write_ranks(ids, values, uri)},
        summary=[top_table(top)],
        bytes_read=run.dataset.bytes,
        **measured,
    )


def _distance_from_exact(run: Run, top: list[int]) -> dict[str, float]:
    from twitter_pagerank import published
    from twitter_pagerank import run_plain

    parameters = dataclasses.replace(run.parameters, top=100)
    options = dataclasses.replace(run.options, split_size=None)
    exact = run_plain.exact(Run(run.study, "plain", options, parameters, run.dataset, quiet=True))
    right = [entry["vertex"] for entry in exact.quality["top"]]
    return {f"top_{n}_overlap": published.overlap(top, right, n) for n in (10, 100)}


def write_ranks(ids: npt.NDArray[np.int64], ranks: npt.NDArray[np.float64], uri: str) -> str:
    """Vertex and rank, as .parquet or .csv by the ending of the URI."""
    table = pa.table({"vertex": ids, "rank": ranks})
    with storage.write_atomic(uri) as file:
        if uri.endswith(".csv"):
            csv.write_csv(table, file)
        else:
            parquet.write_table(table, file)
    return storage.absolute(uri)


def limit(run: Run, ranking: Ranking) -> Limit:
    """Reading every byte once, and streaming every edge's source once an iteration."""
    threads = run.options.worker_count * run.options.threads
    cores = min(threads, machine.cores())
    read_rate = machine.read_rate(run.dataset.uri, cores)
    copy_rate = machine.copy_rate(cores)
    streamed = ranking.iterations * ranking.edges * BYTES_PER_EDGE_OF_AN_ITERATION
    return Limit(
        kind="read the input once, stream the edges once an iteration",
        seconds=run.dataset.bytes / read_rate + streamed / copy_rate,
        detail={
            "read_bytes_per_second": read_rate,
            "memory_bytes_per_second": copy_rate,
            "streamed_bytes": streamed,
        },
    )


def top_table(top: list[dict[str, Any]]) -> Table:
    table = Table(title=f"Top {len(top)}")
    table.add_column("place", justify="right")
    table.add_column("vertex", justify="right")
    table.add_column("rank", justify="right")
    for place, entry in enumerate(top, start=1):
        table.add_row(str(place), str(entry["vertex"]), f"{entry['rank']:.6e}")
    return table


def bytes_sent(lines: int, vertices: int, iterations: int, workers: int, receivers: int) -> int:
    """Bytes that cross between workers: edges once, and contributions to other hosts each time.

    From the sizes of what is exchanged, 8 bytes an edge key and a contribution, for an even share.
    `receivers` is how many times a contribution is sent: none on one host, where all see it.
    """
    return 8 * lines * (workers - 1) // workers + 8 * vertices * receivers * iterations
