"""The centre of every point is that which looking at all of them gives, squares or not."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from taxi import MONTHS, cluster, made_up, points_of, read, sample
from taxi_clustering import kernel, squares
from taxi_clustering.sample import SAMPLE_SIZE, Sample
from taxi_clustering.search import Search
from taxi_clustering.squares import OF_A_TILE, SIDE, TILE, Squares
from taxi_clustering.worker import Worker

STEP = st.sampled_from([1 / 256, 1 / 4, 4.0, 64.0])
"""Metres: all in four squares; in four tiles; all over the city. Borders are multiples of each."""
PLACE = st.tuples(st.integers(-512, 511), st.integers(-512, 511))
FAR = st.tuples(st.integers(-1500, 1500), st.integers(-1500, 1500))
"""In steps. Squares of such distances are below 2^24: the kernel's float32 are exact."""


def in_squares(points: kernel.Points, threads: int = 2) -> Squares:
    parts = [np.ascontiguousarray(part) for part in np.array_split(points, 5, axis=1)]
    return squares.sort(parts, threads, lambda work, items: [work(item) for item in items])


def candidates(whole: Squares, centres: kernel.Centres) -> list[np.ndarray]:
    """Of every square, the centres that its points have to choose from."""
    every, found = np.arange(len(centres)), []
    few, fewer = np.empty_like(every), np.empty_like(every)
    for start, stop in pairwise(whole.tiles):
        west, south = squares.corner(whole.places[start] // OF_A_TILE * OF_A_TILE)
        count = kernel.filtered(west, south, TILE, centres, every, few)
        for place in whole.places[start:stop]:
            west, south = squares.corner(place)
            left = kernel.filtered(west, south, SIDE, centres, few[:count], fewer)
            found.append(fewer[:left].copy())
    return found


def labels(whole: Squares, centres: kernel.Centres) -> np.ndarray:
    count = whole.points.shape[1]
    found, distance = np.full(count, -1, np.int32), np.empty(count, np.float32)
    for among, (a, b) in zip(candidates(whole, centres), pairwise(whole.first), strict=True):
        east, north = whole.points[:, a:b]
        kernel.nearest(east, north, centres, among, distance[a:b], found[a:b])
    return found


def sums(whole: Squares, centres: kernel.Centres) -> np.ndarray:
    found = np.zeros((len(centres), 3))
    for begin, end in whole.shares(3):
        kernel.add_up(whole, begin, end, centres, found)
    return found


def inertia(whole: Squares, centres: kernel.Centres) -> Fraction:
    shares = [kernel.inertia(whole, *share, centres) for share in whole.shares(3)]
    return sum((kernel.square_metres(*share) for share in shares), Fraction())


def squares_of_distances(points: kernel.Points, centres: kernel.Centres) -> np.ndarray:
    """float32[n, k], rounded as the kernel rounds."""
    east, north = points[0, :, None] - centres[:, 0], points[1, :, None] - centres[:, 1]
    return east * east + north * north


def labels_of_every_point(points: kernel.Points, centres: kernel.Centres) -> np.ndarray:
    """The nearest centre; of several, the first."""
    return squares_of_distances(points, centres).argmin(axis=1)


def sums_of(points: kernel.Points, label: np.ndarray, clusters: int) -> np.ndarray:
    weights = (None, *points.astype(float))
    return np.column_stack([np.bincount(label, w, clusters) for w in weights])


def metres(places: list[tuple[int, int]], step: float) -> np.ndarray:
    return (np.array(places) * step).astype(np.float32)


@settings(max_examples=300, deadline=None)
@given(st.lists(PLACE, min_size=1, max_size=90), st.lists(FAR, min_size=1, max_size=12), STEP)
@example([(0, 0)], [(0, 0)], 64.0)
@example([(-512, -512), (511, 511)] * 3, [(1500, 1500), (-1500, -1500)], 64.0)
@example([(0, 0), (0, 8), (8, 0), (8, 8)], [(0, 0), (8, 8), (8, 8), (0, 0), (0, 16)], 4.0)
@example([(x, y) for x in range(9) for y in range(9)], [(4, 12), (4, -4), (12, 4)], 4.0)
@example([(3, 3)] * 40, [(0, 3), (6, 3), (3, 0), (3, 6), (3, 3), (3, 3)], 1 / 4)
def test_all_of_a_step_is_that_of_whole_numbers(places, centres, step):
    """Every label, sums and inertia; ties, twins, far centres, more centres than places."""
    given_centres = metres(centres, step)
    whole = in_squares(metres(places, step).T)
    exact = np.rint(whole.points.T / step).astype(np.int64)
    assert sorted(map(tuple, exact.tolist())) == sorted(places)
    apart = ((exact[:, None] - np.array(centres)) ** 2).sum(axis=2)
    label = apart.argmin(axis=1)
    assert labels(whole, given_centres).tolist() == label.tolist()
    expected = [[(label == c).sum(), *(exact[label == c].sum(axis=0) * step)]
                for c in range(len(centres))]  # fmt: skip
    assert sums(whole, given_centres).tolist() == expected
    assert inertia(whole, given_centres) == int(apart.min(axis=1).sum()) * Fraction(step) ** 2


def on_the_grid(points: np.ndarray) -> kernel.Points:
    return (np.rint(points * 256) / 256).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 60), st.sampled_from([3, 100, 900, 6000]))
def test_all_of_a_step_is_that_of_every_point(seed, clusters, width):
    """Centres as means are: anywhere, not on the grid of the points."""
    random = np.random.default_rng(seed)
    middles = random.uniform(-18_000, 18_000, (2, 5))
    points = middles[:, random.integers(5, size=2000)] + random.normal(0, width, (2, 2000))
    whole = in_squares(on_the_grid(np.clip(points, -19_000, 19_000)))
    near = whole.points[:, random.integers(2000, size=clusters)]
    centres = (near + random.normal(0, width / 4, near.shape)).T.astype(np.float32)
    assert_like_every_point(whole, centres)


@settings(max_examples=300, deadline=None)
@given(
    st.integers(0, 2**32),
    st.floats(0.01, 15_000),
    st.floats(0, 6.3),
    st.sampled_from([2, 3, 6]),
)
def test_rounding_decides_a_near_tie_as_it_does_for_every_point(seed, apart, turned, clusters):
    """Centres around a corner of squares; points there, and along the lines between them."""
    random = np.random.default_rng(seed)
    place = np.rint(random.uniform(-100, 100, 2)) * SIDE
    angles = turned + np.arange(clusters) * (2 * np.pi / clusters)
    circle = place + apart * np.column_stack([np.cos(angles), np.sin(angles)])
    centres = circle.astype(np.float32)[random.permutation(clusters)]
    between = angles[random.integers(clusters, size=400)] + np.pi / clusters
    away = random.uniform(0, min(apart, 14_000), 400) * random.integers(2, size=400)
    points = place[:, None] + away * np.array([np.cos(between), np.sin(between)])
    assert_like_every_point(in_squares(on_the_grid(points)), centres)


def assert_like_every_point(whole: Squares, centres: kernel.Centres) -> None:
    label = labels_of_every_point(whole.points, centres)
    assert labels(whole, centres).tolist() == label.tolist()
    expected = sums_of(whole.points, label, len(centres))
    assert np.array_equal(sums(whole, centres), expected)
    least = squares_of_distances(whole.points, centres).min(axis=1)
    steps = np.floor(least.astype(float) * kernel.STEPS)
    assert inertia(whole, centres) == Fraction(sum(map(int, steps)), kernel.STEPS)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_points_stand_in_their_squares(tmp_path, threads):
    points = points_of(read(made_up(tmp_path / "trips.csv", 3000)))
    whole = in_squares(points, threads)
    order, expected = np.lexsort(whole.points), points[:, np.lexsort(points)]
    assert np.array_equal(whole.points[:, order], expected)
    assert (np.diff(whole.places) > 0).all()
    assert whole.first[0] == 0
    assert (np.diff(whole.first) > 0).all()
    for place, (a, b), added in zip(whole.places, pairwise(whole.first), whole.metres, strict=True):
        inside = whole.points[:, a:b] - np.array(squares.corner(place))[:, None]
        assert ((inside >= 0) & (inside < SIDE)).all()
        assert added.tolist() == whole.points[:, a:b].sum(axis=1, dtype=float).tolist()
    for (a, b), added in zip(pairwise(whole.tiles), whole.tile_metres, strict=True):
        assert len(set((whole.places[a:b] // OF_A_TILE).tolist())) == 1
        assert added.tolist() == whole.metres[a:b].sum(axis=0).tolist()


def test_the_city_lies_within_reach():
    assert max(map(abs, kernel.BOX)) < squares.REACH


def test_points_off_the_border_are_not_looked_at():
    """Between two centres: those of squares that the line between them touches, no other."""
    random = np.random.default_rng(0)
    whole = in_squares(on_the_grid(random.uniform(-2_000, 2_000, (2, 20_000))))
    centres = np.array([[-990, -510], [1_010, 490]], np.float32)
    for place, among in zip(whole.places, candidates(whole, centres), strict=True):
        # The line: 2 (x - 10) + (y + 10) = 0. Its sign at the corners of a square.
        west, south = squares.corner(place)
        side = [2 * (x - 10) + (y + 10) for x in (west, west + SIDE) for y in (south, south + SIDE)]
        assert (len(among) == 2) == (min(side) <= 0 <= max(side))


@pytest.mark.parametrize("month", [*MONTHS, "made up"])
def test_a_search_is_that_over_every_point(tmp_path, month):
    """Centres, trips and sums of every iteration, to the last bit."""
    path = made_up(tmp_path / "trips.csv", 3000) if month == "made up" else sample(month)
    found = read(path)
    points = points_of(found)
    search = Search(
        Sample.of([found.sample], SAMPLE_SIZE).points,
        clusters=40, seed=42, restarts=2, tolerance=1.0, max_iterations=1000,
    )  # fmt: skip
    while not search.done:
        label = labels_of_every_point(points, search.centres)
        search.advance(sums_of(points, label, 40))
    by_squares, _ = cluster(found, restarts=2, parts=2)
    assert by_squares.steps == search.steps
    assert np.array_equal(by_squares.best.centres, search.best.centres)
    assert np.array_equal(by_squares.best.sums, search.best.sums)


def test_a_worker_keeps_its_points_once():
    points = on_the_grid(np.random.default_rng(1).normal(0, 5_000, (2, 1000)))
    worker = Worker(2)
    worker.points = parts = [np.ascontiguousarray(p) for p in np.array_split(points, 4, axis=1)]
    worker.step(np.zeros((1, 2), np.float32))
    assert (parts, worker.squares().points.shape) == ([], (2, 1000))
    worker.close()


def test_a_worker_without_a_point_adds_nothing():
    worker, centres = Worker(2), np.zeros((3, 2), np.float32)
    assert worker.step(centres).tolist() == [[0.0] * 3] * 3
    assert worker.score(centres) == Fraction()
    assert worker.density().sum() == 0
    worker.close()
