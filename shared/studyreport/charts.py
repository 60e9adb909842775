"""Every chart of a study from its records; each function returns None where nothing can be drawn.

Only times whose answer was checked are drawn (and the `published` method's, dashed or hatched).
A point is the median over the rounds, its bar reaches from the smallest to the largest.
"""

from collections.abc import Sequence
from typing import Any

from studykit.records import Record

from studyreport.bars import bars, peak_memory, phases, quality
from studyreport.distribution import distribution
from studyreport.paper import Published
from studyreport.times import efficiency, speedup, time_vs_size, time_vs_split_size, time_vs_workers

__all__ = [
    "bars",
    "common",
    "distribution",
    "efficiency",
    "peak_memory",
    "phases",
    "quality",
    "speedup",
    "time_vs_size",
    "time_vs_split_size",
    "time_vs_workers",
]


def common(records: Sequence[Record], paper: Published) -> dict[str, Any]:
    """What every study draws, in the order of its page: {file name without ending: chart}."""
    return {
        "time_against_workers": time_vs_workers(records, paper),
        "time_against_size": time_vs_size(records, paper),
        "time_against_split_size": time_vs_split_size(records),
        "phases": phases(records),
        "speed_up": speedup(records),
        "efficiency": efficiency(records),
        "peak_memory": peak_memory(records, paper),
    }
