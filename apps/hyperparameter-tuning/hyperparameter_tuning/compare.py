"""The engines against each other, and against what a user would otherwise take, in one interleaved
run.

    ./pants run apps/hyperparameter-tuning:compare -- --size tiny --workers 1,2 --repeats 5 \
        --peers sklearn

The records go to `results/`, the report to `results/hyperparameter-tuning/report/index.html`. The
same command again continues an interrupted run, and draws anew where all is finished.
"""

from study_data import published
from studykit.records import Record
from studyreport import charts, page
from studysweep import sweep

from hyperparameter_tuning.peers import PEERS
from hyperparameter_tuning.study import STUDY

QUALITY = {"accuracy": "Accuracy of the best model on the test part"}


def draw(records: list[Record], folder: str) -> list[str]:
    """The report, with the paper's figures beside."""
    drawn = charts.common(records, published.rows(STUDY.name)) | {
        "quality": charts.quality(records, QUALITY)
    }
    return [page.write(folder, STUDY.name, records, drawn)]


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
