"""The kernel against a full sort of all distances, by distance and then by the row's number."""

import numpy as np
import pytest
from digits_knn_cnn import nearest
from digits_knn_cnn.nearest import Nearest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_split import parts


def sorted_out(queries, rows, k):
    """Squared distances and numbers of the k nearest, from all of them."""
    asked, there = queries.astype(float), rows.astype(float)
    distances = np.zeros((len(asked), len(there)))
    for pixel in range(rows.shape[1]):
        distances += np.subtract.outer(asked[:, pixel], there[:, pixel]) ** 2
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


def drawn(seed, count, pixels, largest, kind):
    values = np.random.default_rng(seed).integers(0, largest + 1, (count, pixels))
    return values.astype(np.uint8) if kind == "whole" else values / 8 + 0.1


@settings(deadline=None)
@given(
    st.integers(0, 1000), st.integers(1, 40), st.integers(0, 90), st.integers(1, 5),
    st.sampled_from([1, 16, 255]), st.sampled_from(["whole", "fractions"]), st.integers(1, 30),
)  # fmt: skip
def test_the_nearest_are_those_of_a_full_sort(seed, queries, rows, pixels, largest, kind, k):
    """Of few pixels with few values, so that there are many equal distances."""
    asked, there = (
        drawn(seed + n, c, pixels, largest, kind) for n, c in enumerate((queries, rows))
    )
    found = nearest.search(asked, there, k)
    expected = sorted_out(asked, there, k)
    assert found[0].shape == (queries, min(k, rows))
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("kind", ["whole", "fractions"])
@pytest.mark.parametrize("rows", [nearest.ROWS, nearest.ROWS + 1, 3 * nearest.ROWS - 1])
def test_over_the_edges_of_blocks_and_chunks(kind, rows):
    asked, there = drawn(1, nearest.QUERIES + 3, 3, 4, kind), drawn(2, rows, 3, 4, kind)
    for found, expected in zip(
        nearest.search(asked, there, 12), sorted_out(asked, there, 12), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("pixels", "largest"), [(64, 16), (64, 255), (784, 255), (1024, 16)])
def test_distances_are_exact_up_to_the_farthest(pixels, largest):
    """White against black, and one step less: whole numbers that a single float may not tell."""
    there = np.zeros((3, pixels), np.uint8)
    there[1, 0], there[2] = 1, largest
    asked = np.full((1, pixels), largest, np.uint8)
    distances, found = nearest.search(asked, there, 3)
    farthest = pixels * largest**2
    assert found.tolist() == [[2, 1, 0]]
    assert distances.tolist() == [[0, farthest - 2 * largest + 1, farthest]]
    assert nearest.fits_single(asked, there) == (2 * farthest < 2**24)


def test_bytes_among_rows_with_fractions_are_as_near():
    train, tests, _, _ = parts()
    whole = nearest.search(tests, train, 10)
    mixed = nearest.search(tests.astype(np.float64), train, 10)
    for found, expected in zip(mixed, whole, strict=True):
        np.testing.assert_array_equal(found, expected)


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=4), st.integers(1, 20), st.integers(0, 3))
def test_parts_cut_anywhere_are_merged_to_the_whole(cuts, k, seed):
    asked, there = drawn(seed, 20, 2, 3, "whole"), drawn(seed + 1, 60, 2, 3, "whole")
    labels = np.arange(60).astype(np.uint8) % 10
    # Dealt out as splits are: rows of a part need not follow each other.
    owner = np.searchsorted(np.sort(cuts), np.random.default_rng(seed).permutation(60), "right")
    pieces = []
    for own in range(len(cuts) + 1):
        places = np.flatnonzero(owner == own)
        distances, found = nearest.search(asked, there[places], k)
        pieces.append(Nearest(distances, places[found], labels[places[found]]))
    merged = nearest.merge(pieces, k)
    distances, order = sorted_out(asked, there, k)
    np.testing.assert_array_equal(merged.distances, distances)
    np.testing.assert_array_equal(merged.places, order)
    np.testing.assert_array_equal(merged.labels, labels[order])
