"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/digits-knn-cnn:compare -- --size 100mb --workers 1,2 --repeats 5 \
        --peers sklearn-brute,sklearn-kd-tree

The records go to `results/`, the report to `results/digits-knn-cnn/report/index.html`. The same
command again continues an interrupted run, and draws anew where all is finished.
"""

from typing import Any

import altair as alt
from study_data import published
from studykit.records import Record
from studyreport import charts, page
from studysweep import sweep

from digits_knn_cnn.peers import PEERS
from digits_knn_cnn.study import STUDY


def draw(records: list[Record], folder: str) -> list[str]:
    """The report; of the paper's figures those of the models that were run."""
    models = {str(record.parameters["model"]) for record in records}
    paper = [row for row in published.rows(STUDY.name) if row["dataset_or_task"] in models]
    drawn = charts.common(records, paper) | {"accuracy_by_k": accuracy(records)}
    return [page.write(folder, STUDY.name, records, drawn)]


def accuracy(records: list[Record]) -> alt.Chart:
    """Accuracy against k, of both parts. Exact answers are the same on all engines: one's."""
    rows: list[dict[str, Any]] = []
    found = next((one.quality for one in records if "test_accuracy_by_k" in one.quality), {})
    for part in ("test", "train"):
        for k, value in found.get(f"{part}_accuracy_by_k", {}).items():
            rows.append({"k": int(k), "accuracy": value, "part": part})
    return (
        alt.Chart(alt.Data(values=rows))
        .mark_line(point=True)
        .encode(
            alt.X("k:Q").title("neighbours k").axis(tickMinStep=1, format="d"),
            alt.Y("accuracy:Q").title("accuracy (share)").scale(zero=False),
            alt.Color("part:N"),
        )
        .properties(title="Accuracy by k")
    )


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
