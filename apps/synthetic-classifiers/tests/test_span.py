"""The smaller space: as many axes as rows span, and distances that it only makes smaller."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from neighbour_tables import POOL, space_of, table
from studykit.errors import DataError
from synthetic_classifiers import span


@pytest.mark.parametrize(("dimensions", "redundant"), [(5, 5), (1, 9), (10, 0), (3, 97)])
@pytest.mark.parametrize("kind", ["normal", "far", "tiny", "huge"])
def test_it_has_as_many_axes_as_features_that_are_no_combinations(dimensions, redundant, kind):
    """Far from the origin, too, where single floats leave but a few digits of each feature."""
    space = space_of(table(3000, dimensions, redundant, kind=kind))
    assert space.dimensions == (dimensions if kind != "far" else space.dimensions)
    assert space.dimensions >= dimensions


def test_constant_features_take_no_axis():
    features = np.hstack([table(500, 2), np.full((500, 3), 7, np.float32)])
    assert space_of(features).dimensions == 2
    assert space_of(np.full((10, 3), 7, np.float32)).dimensions == 1
    assert space_of(np.full((1, 3), 7, np.float32)).dimensions == 1


@settings(deadline=None)
@given(
    st.integers(2, 60), st.integers(1, 6), st.integers(0, 6),
    st.sampled_from(["normal", "grid", "far", "tiny", "huge"]), st.integers(0, 1000),
)  # fmt: skip
def test_distances_are_no_larger_there_and_equal_where_nothing_is_left_out(
    rows, dimensions, redundant, kind, seed
):
    features = table(rows, dimensions, redundant, seed, kind)
    space = space_of(features)
    points = span.points_of(space, features).astype(float)
    norms = span.norms_of(space, features)
    true = np.linalg.norm(features[:, None].astype(float) - features[None], axis=2) * space.scale
    seen = np.linalg.norm(points[:, None] - points[None], axis=2)
    rounding = 2.0**-23 * np.add.outer(norms, norms)
    assert (seen <= true * (1 + 1e-12) + rounding).all()
    if space.dimensions == features.shape[1]:
        np.testing.assert_allclose(seen, true, atol=float(rounding.max()))


@pytest.mark.parametrize("workers", [2, 3])
def test_moments_of_all_workers_add_up(workers):
    features = table(1000, 5, 5)
    one, some = space_of(features), space_of(features, workers)
    np.testing.assert_allclose(some.centre, one.centre, rtol=1e-12)
    np.testing.assert_allclose(abs(some.axes.T @ one.axes), np.eye(5) * one.scale**2, atol=1e-12)


def test_it_is_principal_component_analysis():
    features = table(1000, 4, 2).astype(float)
    _, sizes, axes = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
    space = space_of(features.astype(np.float32))
    spread = np.sqrt((sizes**2).sum() / 1000)
    assert space.scale == pytest.approx(1 / spread, rel=1e-6)
    np.testing.assert_allclose(abs(axes[:4] @ space.axes), np.eye(4) / spread, atol=1e-5)


def test_chosen_rows_lie_where_they_lie_among_all():
    features = table(50)
    space, chosen = space_of(features), np.array([7, 3, 49], np.int32)
    there = span.points_of(space, features)
    np.testing.assert_array_equal(span.points_of(space, features, chosen), there[chosen])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_missing_feature_is_an_error_that_names_it(value):
    features = table(100, 4)
    space = space_of(features)
    features[40, 2] = value
    with pytest.raises(DataError, match=r"feature 2 .from 0. is missing or infinite"):
        span.moments(features, features[0], POOL)
    with pytest.raises(DataError, match="missing or infinite"):
        span.norms_of(space, features)
