"""The tables of the papers, read out of their texts: {what a cell is of: the number printed}."""

import re
from collections.abc import Callable, Iterator

from paper_text import Numbers, Row, Table, above, below, matching

Reader = Callable[[list[Row]], Numbers]

ENGINES = {"Ray": "ray", "PyTorch": "torch"}
MODELS = {
    "LightGBM": "lightgbm",
    "XGBoost": "xgboost",
    "LR": "logistic-regression",
    "RF": "random-forest",
    "Knn": "knn",
}
BASELINES = ("", "-", "_", "-1")
"""What the text has in place of a baseline's speed-up and efficiency."""
SHORTENED = {"20,898.7": 20898.74, "10,661.6": 10661.62}
"""Two cells of narrow columns that end in the text before their last digit."""
UNSIGNED = {("table V", "29.36"): -29.36, ("table VI", "2.56"): -2.56}
"""Memory that shrank: section III.D calls both negative, the tables have no sign."""

RUN = ("wall_s", "driver_memory_mb", "speedup_printed", "efficiency_printed")
REGRESSION_RUN = (*RUN[:2], "accuracy", "training_s", *RUN[2:])
XGBOOST_TRIAL = (
    "max_depth", "iterations", "trial_s", "train_logloss", "train_error", "valid_logloss"
)  # fmt: skip
CNN_TRIAL = ("learning_rate", "dropout", "accuracy", "iterations", "trial_s")


def silhouettes(rows: list[Row]) -> Numbers:
    """Paper 1, table I."""
    metric = "silhouette_of_local_clusterings"
    return {
        (engine, "nyc-yellow-taxi", float(size), int(nodes), metric): float(cell)
        for size, nodes, *cells in rows[1:]
        for engine, cell in zip(("torch", "ray"), cells, strict=True)
    }


def folds(engine: str) -> Reader:
    """Paper 1, tables II and III."""
    metrics = ("accuracy", "precision", "recall", "roc_auc")
    return lambda rows: {
        (engine, "mra-midas", float(size), int(nodes), metric): float(cell)
        for size, nodes, *cells in rows[1:]
        for metric, cell in zip(metrics, cells, strict=True)
    }


def classifier(model: str) -> Reader:
    """Paper 2, tables 1 to 5: a heading line says which numbers follow."""

    def numbers(rows: list[Row]) -> Numbers:
        found: Numbers = {}
        metric = ""
        for name, *cells in rows:
            if "Time" in (name, *cells):
                metric = "wall_s"
            elif "Accuracy" in (name, *cells):
                metric = "accuracy"
            elif name in ENGINES:
                for size, cell in zip((1.0, 2.0), cells, strict=True):
                    found[ENGINES[name], model, size, 3, metric] = float(cell)
        return found

    return numbers


def accuracies(rows: list[Row]) -> Numbers:
    """Paper 2, table 6."""
    return {
        ("any", MODELS[name], size, None, "accuracy"): float(cell)
        for name, *cells in rows
        if name in MODELS
        for size, cell in zip((1.0, 2.0), cells, strict=True)
    }


def runs(place: str, engine: str, task: str, size: float) -> Reader:
    """Paper 3, tables I to VI. Cells of narrow columns are broken: `26,108.6 8`."""
    metrics = RUN if task == "etl" else REGRESSION_RUN

    def numbers(rows: list[Row]) -> Numbers:
        found: Numbers = {}
        for workers, *broken in rows[1:]:
            cells = [cell.replace(" ", "") for cell in broken]
            cells += [""] * (len(metrics) - len(cells))
            for metric, cell in zip(metrics, cells, strict=True):
                baseline = metric in RUN[2:] and cell in BASELINES
                if not baseline and (place, cell) not in UNSIGNED:
                    value = SHORTENED.get(cell) or float(cell.replace(",", ""))
                    found[engine, task, size, int(workers), metric] = value
        return found

    return numbers


def with_and_without_ray(task: str) -> Reader:
    """Paper 4, tables 1 and 2."""

    def in_cell(name: str, cell: str) -> Iterator[tuple[str, float]]:
        if name == "Resources Utilization":
            for count, unit in re.findall(r"(\d+) (CPU|GPU)s", cell):
                yield f"{unit.lower()}s", int(count)
            return
        (count,) = re.findall(r"\d+(?:\.\d+)?", cell)
        if name == "Execution Time":
            yield "wall_s", 60 * float(count)
        elif name == "Accuracy":
            yield "accuracy", float(count) / 100
        else:
            yield ("epochs_total" if name == "Epochs" else "trials"), int(count)

    return lambda rows: {
        (engine, task, None, 1, metric): value
        for name, *cells in rows[1:]
        for engine, cell in zip(("plain", "ray"), cells, strict=True)
        for metric, value in in_cell(name, cell)
    }


def trials(task: str, metrics: tuple[str, ...]) -> Reader:
    """Paper 4, figures 3 and 4: what is on the screen, a line to a trial, and durations."""

    def numbers(rows: list[Row]) -> Numbers:
        found: Numbers = {}
        for line, *cells in rows:
            if running := re.search(r"(?:(\d+):)?(\d+)(?::|min )(\d+(?:\.\d+)?)s?$", line):
                hours, minutes, seconds = (float(part or 0) for part in running.groups())
                value = 3600 * hours + 60 * minutes + seconds
                found["ray", task, None, 1, "tune_running_s"] = value
            elif executing := re.search(r"execution time: ([\d.]+) seconds", line):
                found["ray", task, None, 1, "execution_s"] = float(executing[1])
            else:
                trial = f"{task}, trial {int(line.rpartition('_')[2])}"
                for metric, cell in zip(metrics, cells[-len(metrics) :], strict=True):
                    found["ray", trial, None, 1, metric] = float(cell)
        return found

    return numbers


def neighbours(rows: list[Row]) -> Numbers:
    """Paper 5, table 2."""
    metrics = ("train_accuracy", "test_accuracy", "precision", "recall", "f1")
    return {
        ("any", f"knn k={k}", None, None, metric): float(cell)
        for k, *cells in rows[1:]
        for metric, cell in zip(metrics, cells, strict=True)
    }


def dask_and_ray(rows: list[Row]) -> Numbers:
    """Paper 5, table 3: engines above, workers below them."""
    engines = ["dask"] * 3 + ["ray"] * 3
    names = {"KNN for Clas.": "knn", "ResNet18": "resnet18"}
    return {
        (engine, names[name], None, int(workers), "wall_s"): float(cell)
        for name, *cells in rows[2:]
        for engine, workers, cell in zip(engines, rows[1][1:], cells, strict=True)
    }


def _of_paper_3(number: int, engine: str, task: str, size: float) -> Table:
    place = f"table {('I', 'II', 'III', 'IV', 'V', 'VI')[number]}"
    return Table(below(r"^Worke ?rs\t", number), runs(place, engine, task, size))


TABLES: dict[tuple[int, str], Table] = {
    (1, "table I"): Table(below(r"^Table I\b"), silhouettes),
    (1, "table II"): Table(below(r"^Table II\b"), folds("torch")),
    (1, "table III"): Table(below(r"^Table III\b"), folds("ray")),
    (2, "table 1"): Table(above(r"^Table 1:"), classifier("lightgbm")),
    (2, "table 2"): Table(above(r"^Table 2:"), classifier("xgboost")),
    (2, "table 3"): Table(above(r"^Table 3:"), classifier("logistic-regression")),
    (2, "table 4"): Table(above(r"^Table 4:"), classifier("random-forest")),
    (2, "table 5"): Table(above(r"^Table 5:"), classifier("knn")),
    (2, "table 6"): Table(above(r"^Table 6:"), accuracies),
    (3, "table I"): _of_paper_3(0, "dask", "etl", 8.57),
    (3, "table II"): _of_paper_3(1, "dask", "etl", 4.26),
    (3, "table III"): _of_paper_3(2, "ray", "etl", 9.42),
    (3, "table IV"): _of_paper_3(3, "ray", "etl", 4.68),
    (3, "table V"): _of_paper_3(4, "dask", "logistic-regression", 9.42),
    (3, "table VI"): _of_paper_3(5, "dask", "logistic-regression", 4.68),
    (4, "table 1"): Table(below(r"^Table 1:"), with_and_without_ray("breast-cancer xgboost")),
    (4, "table 2"): Table(below(r"^Table 2:"), with_and_without_ray("cifar10 cnn")),
    (4, "figure 3"): Table(
        matching(r"Running for:|XGBoostTrainer_"), trials("breast-cancer xgboost", XGBOOST_TRIAL)
    ),
    (4, "figure 4"): Table(
        matching(r".*Total running time:|Total execution time:|Cifar10Model_"),
        trials("cifar10 cnn", CNN_TRIAL),
    ),
    (5, "table 2"): Table(below(r"^Table 2:"), neighbours),
    (5, "table 3"): Table(below(r"^Table 3:"), dask_and_ray),
}
"""By paper and place: every table of results, and the two figures that show printed text."""
