"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/ray-vs-dask-etl:compare -- --size 1gb --workers 1,2 --repeats 5 \
        --peers polars,duckdb,pyarrow
    ./pants run apps/ray-vs-dask-etl:compare -- --size 1gb --task logistic-regression --signal 0.5

The records go to `results/`, the report to `results/ray-vs-dask-etl/report/index.html`. The same
command again continues an interrupted run, and draws anew where all is finished.
"""

from study_data import published
from study_data.published import PublishedRow
from studykit.records import Record
from studyreport import charts, page
from studysweep import sweep

from ray_vs_dask_etl import paper_tables
from ray_vs_dask_etl.peers import PEERS
from ray_vs_dask_etl.study import STUDY

QUALITY = {
    "mean_relative_error": "Error of the means (relative to the oracle)",
    "accuracy": "Accuracy on the test rows (share; 0.25 is chance)",
    "accuracy_one_vs_rest": "Accuracy of one model for each category (share)",
    "iterations": "Iterations",
}


def draw(records: list[Record], folder: str) -> list[str]:
    """The report; of the paper's figures those of the tasks that were run."""
    paper = of_tasks({str(record.parameters["task"]) for record in records})
    drawn = charts.common(records, paper) | {
        "quality": charts.quality(records, QUALITY),
        "papers_tables": paper_tables.chart(paper),
    }
    return [page.write(folder, STUDY.name, records, drawn)]


def of_tasks(tasks: set[str]) -> list[PublishedRow]:
    return [row for row in published.rows(STUDY.name) if row["dataset_or_task"] in tasks]


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
