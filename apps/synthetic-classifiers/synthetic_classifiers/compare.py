"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/synthetic-classifiers:compare -- --size 1gb --algorithm xgboost \
        --workers 1,2 --repeats 5
    ./pants run apps/synthetic-classifiers:compare -- --size 100mb --algorithm knn --peers sklearn

The records go to `results/`, the report to `results/synthetic-classifiers/report/index.html`. The
same command again continues an interrupted run, and draws anew where all is finished.
"""

from collections.abc import Collection

from study_data import published
from study_data.published import PublishedRow
from studykit.records import Record
from studyreport import charts, page, paper, points
from studyreport.bars import Figure
from studysweep import sweep

from synthetic_classifiers.peers import PEERS
from synthetic_classifiers.study import ALGORITHMS, ALL, STUDY

STEPS = ("train", "predict")
WORTH = "What the answers are worth; the paper's data changed its concept every 300,000 rows"


def draw(records: list[Record], folder: str) -> list[str]:
    """The report; of the paper's figures those of the classifiers that were run."""
    asked = {str(record.parameters["algorithm"]) for record in records}
    names = [name for name in ALGORITHMS if {name, ALL} & asked]
    figures = papers(names)
    rows = points.drawable(records)
    drawn = charts.common(records, figures) | {
        "seconds_by_classifier": charts.bars(
            rows,
            {f"{step} {name} (s)": seconds(f"{step} {name}") for step in STEPS for name in names},
            "Seconds of every classifier, of the slowest worker",
        ),
        "accuracy": charts.bars(
            rows,
            {f"Accuracy of {name} on the test samples": accuracy(name) for name in names},
            WORTH,
            paper.against_size(figures, "accuracy", "Accuracy in the paper"),
        ),
    }
    return [page.write(folder, STUDY.name, records, drawn)]


def papers(algorithms: Collection[str]) -> list[PublishedRow]:
    return [row for row in published.rows(STUDY.name) if row["dataset_or_task"] in algorithms]


def seconds(step: str) -> Figure:
    return lambda record: record.worker_phases.get(step, {}).get("max")


def accuracy(name: str) -> Figure:
    return lambda record: record.quality.get(f"accuracy_{name}")


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
