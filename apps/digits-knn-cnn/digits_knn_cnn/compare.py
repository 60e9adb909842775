"""Compare the engines of this study, and the libraries that do the same, in one interleaved run.

    ./pants run apps/digits-knn-cnn:compare -- --size 100mb --workers 1,2 --repeats 5 \
        --peers sklearn-brute,sklearn-kd-tree

The records go to `results/`, the report to `results/digits-knn-cnn/report/index.html`. The same
command again continues an interrupted run, and draws anew where all is finished.
"""

from typing import Any

from study_data import published
from studykit.records import PLAIN, Record
from studyreport import charts, page, points, theme
from studysweep import ratios, sweep

from digits_knn_cnn import drawing, paper
from digits_knn_cnn.peers import PEERS
from digits_knn_cnn.study import STUDY


def draw(records: list[Record], folder: str) -> list[str]:
    """The report; of the paper's figures those of the models that were run."""
    models = dict.fromkeys(str(record.parameters["model"]) for record in records)
    tasks = {paper.TASKS[model] for model in models}
    rows = [row for row in published.rows(STUDY.name) if row["dataset_or_task"] in tasks]
    drawn = charts.common(records, rows) | {
        "accuracy_by_k": accuracy(records),
        "loss_by_epoch": by_epoch(records, "loss", drawing.LOSS, "Loss by epoch"),
        "accuracy_by_epoch": by_epoch(
            records, "test_accuracy", drawing.SHARE, "Accuracy on the test pictures by epoch"
        ),
        "share_of_communication": share_of_communication(records),
    }
    for model in models:
        drawn[f"papers_times_{model}"] = papers_times(records, model)
    return [page.write(folder, STUDY.name, records, drawn)]


def accuracy(records: list[Record]) -> Any | None:
    """Accuracy against k, of both parts. Exact answers are the same on all engines: one's."""
    found = (one.quality for one in _exact(records) if "test_accuracy_by_k" in one.quality)
    quality = next(found, None)
    return None if quality is None else drawing.accuracy(quality)


def by_epoch(records: list[Record], figure: str, y_title: str, title: str) -> Any | None:
    """A line for each model and method. Exact steps are the same on all engines: one's."""
    series: dict[str, dict[int, float]] = {}
    for record in records:
        values = record.quality.get(f"{figure}_by_epoch")
        if values is not None:
            name = theme.series_name(str(record.parameters["model"]), record.method)
            series.setdefault(name, dict(enumerate(values, start=1)))
    if not series:
        return None
    return theme.styled(drawing.lines(series, "Epoch", y_title), title)


def share_of_communication(records: list[Record]) -> Any | None:
    """Against workers, a line for each engine, method and data. Plain exchanges nothing."""
    rows = [row for row in points.drawable(records) if row.first.engine != PLAIN]
    series: dict[str, dict[int, float]] = {}
    for point in points.intervals(rows, communicated):
        line = series.setdefault(f"{point['series']}, {point['data']}", {})
        line[point["workers"]] = point["value"]
    if not series:
        return None
    drawn = drawing.lines(series, "Workers", "Communication (share of the time to the answer)")
    return theme.styled(drawn, "What workers spend on exchanging", "Medians of the rounds.")


def communicated(record: Record) -> float | None:
    whole = ratios.answer_seconds(record)
    return record.phases.get("communicate", 0.0) / whole if whole else None


def papers_times(records: list[Record], model: str) -> Any | None:
    """The medians of the smallest data, without start-up, beside the paper's."""
    of_model = [record for record in _exact(records) if record.parameters["model"] == model]
    rows = [row for row in points.drawable(of_model) if row.seconds is not None]
    if not rows:
        return None
    least = min(row.dataset.bytes for row in rows)
    here = {
        f"{row.first.engine}, {points.workers_label(row.first.workers)}": row.seconds.median
        for row in rows
        if row.dataset.bytes == least and row.seconds is not None
    }
    return drawing.times(here, paper.times(model))


def _exact(records: list[Record]) -> list[Record]:
    return [record for record in records if record.method == "exact"]


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
