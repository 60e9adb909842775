"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/lesion-classification:compare -- --size data_1 --weights random \
        --workers 1,2 --repeats 5 --peers torchvision

The records go to `results/`, the report to `results/lesion-classification/report/index.html`. The
same command again continues an interrupted run, and draws anew where all is finished.
"""

from study_data import published
from studykit.records import Record
from studyreport import charts, page, paper
from studysweep import sweep

from lesion_classification.peers import PEERS
from lesion_classification.study import STUDY

QUALITY = {
    "auc": "AUC, mean over the folds",
    "accuracy": "Accuracy, mean over the folds",
    "f1": "F1, mean over the folds",
}
OF_THE_PAPER = {"roc_auc": "AUC in the paper", "accuracy": "Accuracy in the paper"}
"""Its tables II and III; of folds in which pictures of one lesion train and test."""


def draw(records: list[Record], folder: str) -> list[str]:
    """The report, with the paper's figures beside."""
    figures = published.rows(STUDY.name)
    beside = [
        panel
        for metric, title in OF_THE_PAPER.items()
        for panel in paper.against_workers(figures, metric, title)
    ]
    drawn = charts.common(records, figures) | {"quality": charts.quality(records, QUALITY, beside)}
    return [page.write(folder, STUDY.name, records, drawn)]


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
