"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/lesion-classification:compare -- --size 1gb --algorithm xgboost \
        --workers 1,2 --repeats 5
    ./pants run apps/lesion-classification:compare -- --size 100mb --algorithm knn --peers sklearn

The records go to `results/`, the report to `results/lesion-classification/report/index.html`. The
same command again continues an interrupted run, and draws anew where all is finished.
"""

from study_data import published
from study_data.published import PublishedRow
from studykit.records import Record
from studyreport import charts, page
from studysweep import sweep

from lesion_classification.peers import PEERS
from lesion_classification.study import ALGORITHMS, ALL, STUDY

QUALITY = {f"accuracy_{name}": f"Accuracy of {name} on the test samples" for name in ALGORITHMS}


def draw(records: list[Record], folder: str) -> list[str]:
    """The report; of the paper's figures those of the classifiers that were run."""
    paper = papers({str(record.parameters["algorithm"]) for record in records})
    drawn = charts.common(records, paper) | {"quality": charts.quality(records, QUALITY)}
    return [page.write(folder, STUDY.name, records, drawn)]


def papers(algorithms: set[str]) -> list[PublishedRow]:
    return [
        row
        for row in published.rows(STUDY.name)
        if ALL in algorithms or row["dataset_or_task"] in algorithms
    ]


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
