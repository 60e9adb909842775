"""Figures of `quality` that two runs of the same answer do not share: what it took."""

from typing import Any

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
