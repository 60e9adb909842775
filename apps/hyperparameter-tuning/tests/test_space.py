"""What is drawn and perturbed stays in the space; a space with nothing in it is refused."""

import math

import numpy as np
import pytest
from hyperparameter_tuning.space import NETWORK, NETWORK_DEFAULT, Choice, Space, Uniform
from hypothesis import given
from hypothesis import strategies as st
from studykit.errors import UsageError

finite = st.floats(1e-6, 1e6)


@st.composite
def spaces(draw):
    low, high = sorted(draw(st.tuples(finite, finite)))
    options = draw(st.lists(st.integers(1, 500), min_size=1, max_size=5, unique=True))
    return Space(
        {
            "real": Uniform(low, high, draw(st.booleans())),
            "whole": Choice(tuple(sorted(options))),
        }
    )


@given(spaces(), st.integers(0, 2**32))
def test_whatever_is_drawn_or_perturbed_is_in_the_space(space, seed):
    random = np.random.default_rng(seed)
    configuration = space.sample(random)
    for _ in range(20):
        assert space.contains(configuration)
        configuration, done = space.perturbed(configuration, random)
        assert set(done) == {"real", "whole"}


def test_equal_seeds_draw_equal_configurations_and_others_do_not():
    first, again, other = (NETWORK.sample(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_learning_rates_are_spread_over_decades():
    """log-uniform over 1e-4 … 1e-2: half of them below 1e-3."""
    random = np.random.default_rng(0)
    rates = [NETWORK.sample(random)["learning_rate"] for _ in range(4000)]
    assert np.mean(np.array(rates) < 1e-3) == pytest.approx(0.5, abs=0.03)
    dropouts = [NETWORK.sample(random)["dropout"] for _ in range(4000)]
    assert np.mean(dropouts) == pytest.approx(0.375, abs=0.01)


def test_a_value_is_perturbed_by_a_fifth_or_drawn_anew():
    random = np.random.default_rng(0)
    before = {"learning_rate": 1e-3, "batch_size": 64, "dropout": 0.375}
    seen: dict[str, set[str]] = {name: set() for name in before}
    for _ in range(200):
        after, done = NETWORK.perturbed(before, random)
        for name, how in done.items():
            seen[name].add(how)
        if done["learning_rate"].startswith("×"):
            factor = after["learning_rate"] / before["learning_rate"]
            assert any(math.isclose(factor, one) for one in (0.8, 1.2))
        if done["batch_size"] != "drawn anew":
            assert after["batch_size"] == (32 if "lower" in done["batch_size"] else 128)
    assert seen["learning_rate"] == {"× 0.8", "× 1.2", "drawn anew"}
    assert seen["batch_size"] == {"the next lower", "the next higher", "drawn anew"}


def test_what_would_leave_the_range_is_cut_to_it_and_says_so():
    moved = {Uniform(1.0, 2.0).perturbed(1.9, np.random.default_rng(seed)) for seed in range(20)}
    assert moved == {(1.9 * 0.8, "× 0.8"), (2.0, "× 1.2, cut to 2")}


@pytest.mark.parametrize(
    ("dimensions", "named"),
    [
        ({}, "no hyperparameter"),
        ({"depth": Choice(())}, "depth: there is nothing to choose from"),
        ({"rate": Uniform(2.0, 1.0)}, "rate: there is nothing between 2.0 and 1.0"),
        ({"rate": Uniform(math.nan, 1.0)}, "rate: there is nothing between nan"),
        ({"rate": Uniform(0.0, 1.0, logarithmic=True)}, "rate: 0.0 has no logarithm"),
        ({"depth": Choice((math.inf,))}, "depth: inf is no number"),
    ],
)
def test_a_space_with_nothing_in_it_is_refused(dimensions, named):
    with pytest.raises(UsageError, match=named):
        Space(dimensions)


def test_what_is_outside_is_named():
    assert NETWORK.contains(NETWORK_DEFAULT)
    paper = {"batch_size": 64, "learning_rate": 1e-4, "dropout": 0.0, "decay": 1e-6}
    found = NETWORK.outside(paper)
    assert [one.split(":")[0] for one in found] == ["decay", "dropout"]
    assert NETWORK.outside({"learning_rate": 1e-3, "dropout": 0.3}) == ["batch_size: missing"]
    assert not NETWORK.contains({"learning_rate": 1e-3, "dropout": 0.3, "batch_size": 96})
