"""The kernel beside NumPy and scikit-learn; sums that no cut changes; seeds and lonely centres."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_samples
from taxi import MONTHS, cluster, made_up, points_of, read, sample
from taxi_clustering import city, kernel, quality
from taxi_clustering.device import DeviceWorker
from taxi_clustering.search import Search
from taxi_clustering.worker import Worker


def random_points(count: int, seed: int = 0) -> kernel.Points:
    """Around a few places, on the grid."""
    random = np.random.default_rng(seed)
    middles = random.uniform(-19_000, 19_000, (2, 9))
    points = middles[:, random.integers(9, size=count)] + random.normal(0, 900, (2, count))
    return (np.rint(points * city.GRID) / city.GRID).astype(np.float32)


def squares(points: kernel.Points, centres: kernel.Centres) -> np.ndarray:
    return ((points.T[:, None].astype(float) - centres[None].astype(float)) ** 2).sum(axis=2)


def added_up(parts: list[np.ndarray], centres: kernel.Centres) -> tuple[list[kernel.Floats], float]:
    """The sums of every part by a worker of its own, and the inertia of all."""
    sums, inertia = [], Fraction()
    for part in parts:
        worker = Worker()
        worker.points = [np.ascontiguousarray(part)]
        sums.append(worker.step(centres))
        inertia += worker.score(centres)
        worker.close()
    return sums, float(inertia)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 5000])
@pytest.mark.parametrize("clusters", [1, 7, 40])
def test_sums_are_those_of_the_nearest_centres(count, clusters):
    points, centres = random_points(count), random_points(clusters, seed=1).T.copy()
    (sums,), inertia = added_up([points], centres)
    near = squares(points, centres)
    label = near.argmin(axis=1)
    expected = [[(label == c).sum(), *points[:, label == c].sum(axis=1, dtype=float)]
                for c in range(clusters)]  # fmt: skip
    assert np.array_equal(sums, expected)
    assert np.array_equal(kernel.labels(points, centres), label)
    assert inertia == pytest.approx(near.min(axis=1).sum(), rel=1e-6)


def test_ties_go_to_the_first_centre():
    points = np.array([[0.0, 2.0], [0.0, 0.0]], np.float32)
    centres = np.array([[1, 0], [-1, 0], [1, 0]], np.float32)
    assert kernel.labels(points, centres).tolist() == [0, 0]


@settings(max_examples=60, deadline=None)
@given(
    cuts=st.lists(st.integers(0, 3000), max_size=6),
    order=st.randoms(use_true_random=False),
    clusters=st.integers(1, 50),
)
def test_sums_are_the_same_to_the_last_bit_however_points_are_cut(cuts, order, clusters):
    points, centres = random_points(3000), random_points(clusters, seed=2).T.copy()
    (whole,), inertia = added_up([points], centres)
    parts, in_parts = added_up(np.split(points, sorted(cuts), axis=1), centres)
    order.shuffle(parts)
    assert np.array_equal(kernel.combine(parts), whole)
    assert in_parts == inertia


def test_a_centre_without_trips_goes_to_the_farthest_sampled_trip():
    centres = np.array([[0, 0], [100, 0], [9_000, 9_000]], np.float32)
    sums = np.array([[2.0, 20.0, 0.0], [1.0, 110.0, 0.0], [0.0, 0.0, 0.0]])
    drawn = np.array([[5.0, 15.0, 110.0, 100.0], [0.0, 0.0, 0.0, 800.0]], np.float32)
    found = kernel.next_centres(sums, centres, drawn)
    assert found.tolist() == [[10, 0], [110, 0], [100, 800]]


def test_two_centres_without_trips_go_to_two_places():
    centres = np.zeros((3, 2), np.float32)
    sums = np.array([[3.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    drawn = np.array([[0.0, 500.0, -400.0], [0.0, 0.0, 0.0]], np.float32)
    found = kernel.next_centres(sums, centres, drawn)
    assert sorted(found[1:].tolist()) == [[-400, 0], [500, 0]]


def test_seeds_are_different_sampled_trips_and_repeat_with_the_seed():
    drawn = np.repeat(random_points(60), 5, axis=1)
    first = kernel.seeds(drawn, 60, seed=42, restart=0)
    assert len(np.unique(first, axis=0)) == 60
    assert {tuple(place) for place in first.tolist()} <= {tuple(p) for p in drawn.T.tolist()}
    assert np.array_equal(first, kernel.seeds(drawn, 60, seed=42, restart=0))
    assert not np.array_equal(first, kernel.seeds(drawn, 60, seed=42, restart=1))
    assert not np.array_equal(first, kernel.seeds(drawn, 60, seed=1, restart=0))


def drive(search: Search, points: kernel.Points) -> Search:
    worker = Worker()
    worker.points = [points]
    while not search.done:
        search.advance(worker.step(search.centres))
    worker.close()
    return search


def search_of(points: kernel.Points, **values: object) -> Search:
    given = {"clusters": 9, "seed": 42, "restarts": 1, "tolerance": 0.5, "max_iterations": 500}
    return drive(Search(points, **{**given, **values}), points)  # type: ignore[arg-type]


def test_the_answer_is_where_the_next_step_leaves_it():
    points = random_points(4000)
    found = search_of(points).best
    label = squares(points, found.centres).argmin(axis=1)
    means = np.array([points[:, label == c].mean(axis=1, dtype=float) for c in range(9)])
    assert np.hypot(*(means - found.centres).T).max() < 0.5
    assert found.movement < 0.5


def test_the_best_restart_is_the_answer():
    points = random_points(4000)
    given = {"clusters": 25, "seed": 42, "restarts": 1, "tolerance": 0.5, "max_iterations": 500}
    alone = []
    for number in range(6):
        one = Search(points, **given)  # type: ignore[arg-type]
        one.centres = kernel.seeds(points, 25, 42, number)
        best = drive(one, points).best
        alone.append((added_up([points], best.centres)[1], best.centres))
    together = search_of(points, clusters=25, restarts=6)
    lowest = min(alone, key=lambda one: one[0])
    assert max(one[0] for one in alone) > 1.01 * lowest[0]
    assert np.array_equal(together.best.centres, lowest[1])


def test_an_answer_that_still_moves_comes_after_one_that_does_not():
    points = random_points(4000)
    search = search_of(points, max_iterations=2, restarts=3)
    assert search.best.movement >= 0.5
    assert search.steps == 6


@pytest.mark.parametrize("month", MONTHS)
def test_the_inertia_is_that_of_scikit_learn(month):
    """Best of 10 restarts ≤ 1.02 × the median of its best of 10, 5 seeds; hubs have a centre."""
    found = read(sample(month))
    points = points_of(found).T.astype(float)
    theirs = [KMeans(40, n_init=10, random_state=s).fit(points).inertia_ for s in range(5)]
    search, inertia = cluster(found, restarts=10)
    assert inertia <= 1.02 * np.median(theirs)
    distances = city.hub_distances(search.best.centres.astype(float))
    assert max(distances.values()) < 500, distances


@pytest.mark.parametrize("parts", [2, 3, 7])
def test_centres_do_not_depend_on_the_number_of_workers(tmp_path, parts):
    found = read(made_up(tmp_path / "trips.csv", 3000))
    one, inertia = cluster(found, clusters=15)
    many, inertia_of_many = cluster(found, clusters=15, parts=parts)
    assert np.array_equal(one.best.centres, many.best.centres)
    assert one.best.sums.tolist() == many.best.sums.tolist()
    assert inertia_of_many == inertia


@pytest.mark.parametrize("clusters", [2, 9, 30])
def test_silhouettes_are_those_of_scikit_learn(clusters):
    points, centres = random_points(700), random_points(clusters, seed=3).T.copy()
    label = kernel.labels(points, centres)
    if len(np.unique(label)) < 2:
        pytest.fail("the places of this test no longer fall into two clusters")
    expected = silhouette_samples(points.T.astype(float), label)
    found = quality.silhouettes(points, centres)
    assert np.sort(found) == pytest.approx(np.sort(expected), abs=1e-9)


def test_the_interval_is_that_of_a_mean():
    points, centres = random_points(2000), random_points(5, seed=3).T.copy()
    scores, found = quality.silhouettes(points, centres), quality.assess(points, centres)
    half = 1.96 * scores.std(ddof=1) / 2000**0.5
    assert found["silhouette"] == pytest.approx(scores.mean())
    assert found["silhouette_interval"] == pytest.approx(
        [scores.mean() - half, scores.mean() + half]
    )


def test_one_cluster_has_no_silhouette():
    found = quality.assess(random_points(50), np.zeros((1, 2), np.float32))
    assert (found["silhouette"], found["silhouette_interval"]) == (None, None)


def test_hub_distances_are_those_of_the_sphere():
    """Penn Station to Grand Central and JFK to LaGuardia, by the haversine formula."""
    stations = city.to_metres(*np.array([city.HUBS["Penn Station"], city.HUBS["JFK"]]).T)
    found = city.hub_distances(stations)
    assert [found["Penn Station"], found["JFK"]] == pytest.approx([0, 0])
    for hub, start in (("Grand Central", "Penn Station"), ("LaGuardia", "Penn Station")):
        (a, b), (c, d) = np.radians(city.HUBS[start]), np.radians(city.HUBS[hub])
        chord = np.sin((d - b) / 2) ** 2 + np.cos(b) * np.cos(d) * np.sin((c - a) / 2) ** 2
        sphere = 2 * 6_371_008.8 * np.arcsin(np.sqrt(chord))
        assert found[hub] == pytest.approx(sphere, rel=0.003)


def test_degrees_and_metres_are_each_others_way_back():
    places = np.array([[-74.15, 40.5774], [-73.7004, 40.9176], [-73.98, 40.75]])
    assert city.to_degrees(city.to_metres(*places.T)) == pytest.approx(places, abs=1e-12)


@pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param(
            "cuda",
            marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU: not tried"),
        ),
    ],
)
def test_the_iteration_on_a_device_is_the_same_iteration(device):
    points, centres = random_points(20_000), random_points(40, seed=1).T.copy()
    there, here = DeviceWorker(device, 1), Worker(1)
    for worker in (there, here):
        worker.points = [np.ascontiguousarray(points[:, :9_000]), points[:, 9_000:].copy()]
    assert np.array_equal(there.step(centres), here.step(centres))
    assert there.score(centres) == here.score(centres)
    for worker in (there, here):
        worker.close()


def test_cells_count_every_trip_once(tmp_path):
    found = read(made_up(tmp_path / "trips.csv", 500))
    worker = Worker(2)
    worker.points = list(found.points)
    cells = worker.density()
    worker.close()
    assert cells.sum() == found.kept
    longitude, latitude = city.to_degrees(points_of(found).T.astype(float)).T
    expected = np.histogram2d(
        latitude, longitude, bins=cells.shape, range=(city.LATITUDES, city.LONGITUDES)
    )[0]
    # A trip on the line between two cells may be counted beside it.
    assert np.abs(cells - expected).sum() <= 2
