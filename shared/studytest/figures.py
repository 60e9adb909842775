"""Figures of `quality`, compared: but for those that two runs of an answer do not share."""

from typing import Any

import pytest

OF_A_RUN = frozenset(
    {
        "attempts",
        "best_so_far",
        "cpu_seconds",
        "peak_memory_bytes",
        "spilled_bytes",
        "trials_per_cpu_second",
        "wall_seconds",
    }
)


def of_the_answer(quality: Any) -> Any:
    """`quality` without them, however deep they lie."""
    if isinstance(quality, dict):
        return {
            name: of_the_answer(value) for name, value in quality.items() if name not in OF_A_RUN
        }
    if isinstance(quality, list):
        return [of_the_answer(value) for value in quality]
    return quality


def assert_equal(found: Any, expected: Any, where: str) -> None:
    """Equal; numbers within the rounding of another order of sums."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_equal(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for index, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_equal(one, other, f"{where}[{index}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-9), where
    else:
        assert found == expected, where
