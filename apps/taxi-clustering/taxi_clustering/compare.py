"""Compare the engines of this study, polars and scikit-learn in one interleaved run.

    ./pants run apps/taxi-clustering:compare -- --size 1.99gb --workers 1,2 --peers polars,sklearn

The records go to `results/`, the report to `results/taxi-clustering/report/index.html`. The same
command again continues an interrupted run, and draws anew where all is finished.
"""

from typing import Any

from study_data import published
from studykit.records import Record
from studyreport import charts, page, points
from studysweep import sweep

from taxi_clustering.peers import PEERS
from taxi_clustering.study import STUDY

QUALITY = {
    "silhouette": "Silhouette of the final clusters (sample of 20,000)",
    "silhouette_of_local_clusterings": "Mean silhouette of the blocks' own clusters",
    "inertia": "Inertia over all trips (m²)",
    "inertia_penalty": "Inertia above the exact method's (share)",
    "trips_clustered": "Trips that were clustered (share)",
}


def draw(records: list[Record], folder: str) -> list[str]:
    paper = published.rows(STUDY.name)
    drawn = charts.common(records, paper) | {
        "quality": charts.quality(records, QUALITY),
        "time_of_an_iteration": time_of_an_iteration(records),
    }
    return [page.write(folder, STUDY.name, records, drawn)]


def iteration_seconds(record: Record) -> float | None:
    """Compute and communicate of one iteration, its share of seeding and sorting included."""
    steps = record.quality.get("iterations")
    seconds = record.phases.get("compute", 0.0) + record.phases.get("communicate", 0.0)
    return seconds / steps if steps else None


def time_of_an_iteration(records: list[Record]) -> Any | None:
    """Every engine's iteration beside scikit-learn's over the same points."""
    rows = points.drawable(records, peers=True)
    return charts.bars(rows, {"Seconds": iteration_seconds}, "Time of one iteration")


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
