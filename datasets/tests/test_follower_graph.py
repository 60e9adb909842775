"""The generator: the same bytes however it is run, and a graph as skewed as Twitter's."""

import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from study_data import follower_graph

ROWS = 3_000
TINY = follower_graph.DATASET.sizes["tiny"]


def text(rows: int, seed: int = 0, *, threads: int = 2, chunk_rows: int = 1 << 16) -> bytes:
    return b"".join(follower_graph.blocks(rows, seed, threads=threads, chunk_rows=chunk_rows))


def edges(written: bytes) -> npt.NDArray[np.int64]:
    """(rows, 2): sources and destinations, parsed by NumPy and not by the project's reader."""
    numbers = np.array(written.replace(b"\n", b",").split(b",")[:-1], np.int64)
    return numbers.reshape(-1, 2)


@pytest.fixture(scope="module")
def tiny() -> npt.NDArray[np.int64]:
    return edges(text(TINY.rows))


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("chunk_rows", [5, 1_024, ROWS - 1, ROWS, ROWS + 1])
def test_bytes_do_not_depend_on_threads_or_chunks(threads: int, chunk_rows: int) -> None:
    assert text(ROWS, threads=threads, chunk_rows=chunk_rows) == text(ROWS, threads=1)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 400),
    seed=st.integers(0, 2**70),
    threads=st.integers(1, 4),
    chunk_rows=st.integers(1, 500),
)
def test_every_row_depends_on_seed_size_and_number_alone(
    rows: int, seed: int, threads: int, chunk_rows: int
) -> None:
    written = text(rows, seed, threads=threads, chunk_rows=chunk_rows)
    assert written == text(rows, seed, threads=1)
    found = edges(written)
    assert found.shape == (rows, 2)
    assert found.min() >= 1 and found.max() <= follower_graph.MAX_ID


@pytest.mark.parametrize("value", [0, 1, 2**63, 2**64 - 1, 2**64])
def test_both_forms_of_the_random_function_agree(value: int) -> None:
    compiled = follower_graph._mix(np.uint64(value * follower_graph.GOLDEN % 2**64))
    assert follower_graph._mixed(value) == int(compiled)


def test_tiny_is_what_the_catalogue_expects() -> None:
    written = text(TINY.rows)
    assert len(written) == TINY.bytes
    assert hashlib.sha256(written).hexdigest() == TINY.sha256


def test_another_seed_gives_another_graph() -> None:
    assert text(ROWS, seed=1) != text(ROWS, seed=2)


def test_lines_are_plain_decimal_numbers() -> None:
    written = text(ROWS)
    assert written.endswith(b"\n")
    lines = written.splitlines()
    assert len(lines) == ROWS
    for line in lines:
        source, destination = line.split(b",")
        assert line == b"%d,%d" % (int(source), int(destination))


def test_ids_are_spread_over_twitters_range(tiny: npt.NDArray[np.int64]) -> None:
    ids = np.unique(tiny)
    assert ids[0] >= 1 and ids[-1] <= follower_graph.MAX_ID
    # Each tenth of the range holds a tenth of the ids, give or take a fifth of that.
    tenths = np.histogram(ids, bins=10, range=(1, follower_graph.MAX_ID + 1))[0]
    assert np.all(np.abs(tenths - len(ids) / 10) < 0.2 * len(ids) / 10)


@pytest.mark.parametrize("positions", [2, 3, 1_000, 4_096, 5_000])
def test_no_two_positions_share_an_id(positions: int) -> None:
    shape = follower_graph.plan(positions * follower_graph.EDGES_PER_POSITION, 0)
    assert shape.positions == positions
    step = np.uint64((follower_graph.MAX_ID << follower_graph.FRACTION_BITS) // positions)
    first, second = (np.uint64(odd) for odd in shape.scramble)
    ids = {
        int(follower_graph._id(np.uint64(slot), shape.levels, positions, step, first, second))
        for slot in range(2**shape.levels)
    }
    assert len(ids) == positions


def test_degrees_are_skewed_like_followers(tiny: npt.NDArray[np.int64]) -> None:
    """Measured on tiny: the top 1 % of the vertices hold 24 % of the edges as destinations and
    15 % as sources (49 % and 33 % on 1gb). Uniformly drawn edges would leave them below 2 %."""
    vertices, ends = np.unique(tiny, return_inverse=True)
    ends = ends.reshape(tiny.shape)
    top = len(vertices) // 100
    share = {
        side: np.sort(np.bincount(ends[:, column], minlength=len(vertices)))[-top:].sum()
        / len(tiny)
        for column, side in enumerate(("followed", "followers"))
    }
    assert share["followers"] > 0.20
    assert share["followed"] > 0.12
    assert share["followers"] > share["followed"]


def test_density_dangling_vertices_loops_and_duplicates(tiny: npt.NDArray[np.int64]) -> None:
    """Measured on tiny: 29 edges to a vertex, 1.4 % dangling, 95 loops, 12 % duplicates; on 1gb
    36 edges, 3.8 %, 332 loops and 1.7 %."""
    vertices = np.unique(tiny)
    assert 25 <= len(tiny) / len(vertices) <= 45
    dangling = len(vertices) - len(np.unique(tiny[:, 0]))
    assert 0.005 < dangling / len(vertices) < 0.10
    loops = np.count_nonzero(tiny[:, 0] == tiny[:, 1])
    assert 0 < loops < 0.005 * len(tiny)
    duplicates = len(tiny) - len(np.unique(tiny, axis=0))
    assert 0 < duplicates < 0.15 * len(tiny)
