"""An independent, slower answer, and the check against it.

Nothing of the kernel is used: files are read by pyarrow, ids found by sorting, duplicates dropped
by sorting pairs. Up to `FULL_BYTES` of input the whole vector is computed again by plain power
iteration and compared. Above, one independent pass applies the PageRank equation once to the given
ranks: the L1 distance r between ranks and result bounds the distance to the true ranks by
r / (1 - d), because the equation contracts by d (Langville & Meyer 2006, section 4.6).
"""

import io
import re
from collections.abc import Callable
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv
from pyarrow import parquet
from studykit import storage
from studykit.errors import CheckError
from studykit.records import Check
from studykit.run import Run

from twitter_pagerank.ranking import Ranking

FULL_BYTES = 100_000_000
READ_BYTES = 64_000_000
PARQUET_ROWS = 4_000_000
EDGES_PER_PASS = 150_000_000
LARGEST_TABLE = 1 << 30
ROUNDING = 1e-12

Ids = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def check(run: Run, ranking: Ranking) -> Check:
    """Compare a ranking with the oracle: vertices, edges, sum, and the ranks themselves."""
    parameters = run.parameters
    detail: dict[str, object] = {"sum_of_ranks": float(ranking.ranks.sum())}
    passed = abs(float(ranking.ranks.sum()) - 1.0) < 1e-9 and bool((ranking.ranks > 0).all())
    # The last iteration moved by less than the tolerance, so the answer is this close to the true.
    allowed = parameters.tolerance * parameters.damping / (1 - parameters.damping) + ROUNDING
    if run.dataset.bytes <= FULL_BYTES:
        name = "power iteration over sorted pairs"
        sources, destinations = _all_edges(run)
        ids, ranks, edges = power_iteration(sources, destinations, parameters.damping)
        detail |= {"vertices": len(ids), "edges": edges}
        passed &= edges == ranking.edges and np.array_equal(ids, ranking.ids)
        if passed:
            detail["l1_distance"] = float(np.abs(ranks - ranking.ranks).sum())
            passed &= detail["l1_distance"] <= allowed
    else:
        name = "PageRank equation applied once"
        residual, edges = equation_residual(run, ranking)
        detail |= {
            "edges": edges,
            "l1_residual": residual,
            "bound": residual / (1 - parameters.damping),
        }
        passed &= edges == ranking.edges
        passed &= residual <= parameters.tolerance + ROUNDING
    detail["allowed"] = allowed
    return Check(passed=passed, oracle=name, detail=detail)


def power_iteration(
    sources: Ids, destinations: Ids, damping: float, tolerance: float = 1e-14, most: int = 1000
) -> tuple[Ids, Floats, int]:
    """Edges int64[m] (any order, duplicates allowed) → (ids ascending, ranks, distinct edges)."""
    ids = np.unique(np.concatenate([sources, destinations]))
    n = len(ids)
    pairs = np.unique(np.searchsorted(ids, sources) * n + np.searchsorted(ids, destinations))
    tail, head = np.divmod(pairs, n)
    degree = np.bincount(tail, minlength=n)
    ranks = np.full(n, 1.0 / n)
    for _ in range(most):
        flow = ranks[tail] / degree[tail]
        new = np.bincount(head, weights=flow, minlength=n) + ranks[degree == 0].sum() / n
        new = (1 - damping) / n + damping * new
        distance = np.abs(new - ranks).sum()
        ranks = new
        if distance < tolerance:
            break
    return ids, ranks, len(pairs)


def equation_residual(run: Run, ranking: Ranking) -> tuple[float, int]:
    """(L1 distance of the ranks to one application of the equation, distinct edges).

    Edges are taken by ranges of their source, as many ranges as memory asks for; a range holds
    all edges of its sources, so its duplicates and out-degrees are complete.
    """
    from scipy import sparse  # Every engine's start would wait for it.

    n, damping = len(ranking.ids), run.parameters.damping
    passes = ranking.lines // EDGES_PER_PASS + 1
    number = _numbering(ranking.ids)
    incoming, dangling, edges = np.zeros(n), 0.0, 0
    occurs = np.zeros(n, bool)
    for turn in range(passes):
        low, high = turn * n // passes, (turn + 1) * n // passes
        tails, heads = [], []
        for sources, destinations in read_edges(run):
            tail = number(sources)
            chosen = slice(None) if passes == 1 else (tail >= low) & (tail < high)
            tails.append(tail[chosen] - low)
            heads.append(number(destinations[chosen]))
        pairs = np.concatenate(tails), np.concatenate(heads)
        tails.clear()
        heads.clear()
        links = sparse.coo_array(
            (np.ones(len(pairs[0]), np.float32), pairs), shape=(high - low, n)
        ).tocsr()  # Adds up duplicates: each entry is one distinct edge.
        edges += links.nnz
        links.data[:] = 1
        degree = np.diff(links.indptr)
        occurs[low:high] |= degree > 0
        occurs[links.indices] = True
        ranks = ranking.ranks[low:high]
        incoming += links.T @ (ranks / np.maximum(degree, 1))
        dangling += float(ranks[degree == 0].sum())
    if not occurs.all():
        raise CheckError(f"{int((~occurs).sum())} ranked vertices do not occur in the input")
    expected = (1 - damping) / n + damping * (incoming + dangling / n)
    return float(np.abs(expected - ranking.ranks).sum()), edges


def _numbering(ids: Ids) -> Callable[[Ids], npt.NDArray[np.int32]]:
    """ids ascending → a function from some of them to their places, int32."""

    def search(some: Ids) -> npt.NDArray[np.int32]:
        places = np.minimum(np.searchsorted(ids, some), len(ids) - 1)
        return np.where(ids[places] == some, places, -1).astype(np.int32)

    def complete(places: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        if len(places) and places.min() < 0:
            raise CheckError("a vertex of the input has no rank")
        return places

    if ids[-1] >= LARGEST_TABLE:
        return lambda some: complete(search(some))
    table = np.full(int(ids[-1]) + 2, -1, np.int32)
    table[ids] = np.arange(len(ids), dtype=np.int32)
    return lambda some: complete(table[np.minimum(some, len(table) - 1)])


def _all_edges(run: Run) -> tuple[Ids, Ids]:
    parts = list(read_edges(run))
    return np.concatenate([s for s, _ in parts]), np.concatenate([d for _, d in parts])


def read_edges(run: Run) -> Iterator[tuple[Ids, Ids]]:
    """(sources, destinations) int64, block by block, by a reader that is not the study's."""
    for uri in storage.list_files(run.dataset.uri):
        if _first_bytes(uri) == b"PAR1":
            for sources, destinations in _of_parquet(uri):
                reverse = run.parameters.reverse
                yield (destinations, sources) if reverse else (sources, destinations)
            continue
        symmetric, first = False, True
        for block in _text_blocks(uri):
            if first and block.startswith(b"%%MatrixMarket"):
                symmetric = b"general" not in block.split(b"\n", 1)[0].lower()
                block = re.sub(rb"\A(?:%[^\n]*\n|\s*\n)*[^\n]*\n", b"", block)
            elif first:
                block = re.sub(
                    rb"\A(?:\xef\xbb\xbf)?(?:(?:[#%][^\n]*|\s*)\n)*[A-Za-z\"][^\n]*,[^\n]*\n",
                    b"",
                    block,
                )
            first = False
            sources, destinations = _parse(block.removeprefix(b"\xef\xbb\xbf"))
            if run.parameters.reverse:
                sources, destinations = destinations, sources
            yield sources, destinations
            if symmetric:
                yield destinations, sources


def _first_bytes(uri: str) -> bytes:
    with storage.open_input(uri) as file:
        return file.read(4)


def _of_parquet(uri: str) -> Iterator[tuple[Ids, Ids]]:
    with storage.open_input(uri) as file:
        for batch in parquet.ParquetFile(file).iter_batches(PARQUET_ROWS):
            sources, destinations = (column.cast(pa.int64()) for column in batch.columns)
            yield sources.to_numpy(), destinations.to_numpy()


def _text_blocks(uri: str) -> Iterator[bytes]:
    with storage.open_inflated(uri) as file:
        rest = b""
        while data := file.read(READ_BYTES):
            end = data.rfind(b"\n") + 1
            if end:
                yield rest + data[:end]
            rest = data[end:] if end else rest + data
        if rest:
            yield rest


def _parse(block: bytes) -> tuple[Ids, Ids]:
    if b"#" in block or b"%" in block:
        block = re.sub(rb"(?m)^[#%][^\n]*\n?", b"", block)
    if b"," not in block[:4096]:
        block = re.sub(rb"[ \t]+", b",", re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", block))
    if not block.strip():
        return np.empty(0, np.int64), np.empty(0, np.int64)
    columns = block[: block.index(b"\n") + 1 or None].count(b",") + 1 if b"\n" in block else 2
    names = ["source", "destination", *(f"value{i}" for i in range(columns - 2))]
    types = {"source": pa.int64(), "destination": pa.int64()}
    table = csv.read_csv(
        io.BytesIO(block),
        read_options=csv.ReadOptions(column_names=names),
        convert_options=csv.ConvertOptions(column_types=types, include_columns=names[:2]),
    )
    return table["source"].to_numpy(), table["destination"].to_numpy()
