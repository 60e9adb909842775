"""What the paper ran, kept as it was: classifiers that nothing was distributed of.

Giannouchou et al. (2024), Python Scaling Frameworks, and the code it refers to. The table is read
by pandas and divided by `train_test_split(test_size=0.2, random_state=42)`; then

- Ray: two equal trials of Ray Tune, each of which fits a model to all training rows, which lie in
  the object store. The paper's clock holds `tune.run` alone (here `compute`), reading is outside;
- torch: every rank reads the table, takes the first of as many parts as there are ranks, divides
  that, and fits a model of its own to it: all ranks the same model. The clock holds starting the
  ranks, reading and dividing too.

So one engine's time is that of one model on all rows, twice side by side, the other's that of
reading and of one model on a third of them. LightGBM is given no objective, so that it fits the
class's number by least squares; what it says is rounded, and the test part is evaluated after
every round. Logistic regression is solved by L-BFGS on Ray, by SAGA with 1,000 iterations on
torch. The forest and the neighbours use one thread.

`plain` fits one model to all rows, as one of Ray's trials does.
"""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from studykit import columnar, storage
from studykit.errors import UsageError
from studykit.phases import Phases
from studykit.records import Check
from studykit.run import Outcome, Run

from synthetic_classifiers import evaluation
from synthetic_classifiers.layout import Features, Labels
from synthetic_classifiers.training import Answer

SEED = 42
TEST_SHARE = 0.2
TREES, NEIGHBOURS, ROUNDS = 10, 5, 100
SOLVER_OF_RAY, SOLVER_OF_TORCH = "lbfgs", "saga"
SAGA_ITERATIONS = 1000

Parts = tuple[Features, Features, Labels, Labels]
"""Training and test features, training and test labels."""
Baseline = Callable[[Run], Answer]
"""The exact method in one process."""


def read(run: Run) -> tuple[Features, Labels]:
    """The table by pandas. UsageError where it is no local, plain file."""
    form = run.parameters.asked
    tables = []
    for uri in storage.list_files(run.dataset.uri):
        if not storage.is_local(uri):
            raise UsageError("--method published reads local files only")
        path = storage.local_path(uri)
        tables.append(pd.read_parquet(path) if columnar.is_parquet(uri) else pd.read_csv(path))
    table = pd.concat(tables)
    features = table[list(form.features)] if form.features else table.drop(columns=form.label)
    return features.to_numpy(np.float64), table[form.label].to_numpy()


def divided(features: Features, labels: Labels) -> Parts:
    found: Parts = tuple(
        train_test_split(features, labels, test_size=TEST_SHARE, random_state=SEED)
    )
    return found


def fit(algorithm: str, parts: Parts, threads: int, solver: str) -> float:
    """Fit to the training part; the accuracy on the test part."""
    train, test, train_labels, test_labels = parts
    with warnings.catch_warnings():
        # The paper's code goes on with coefficients that have not converged.
        warnings.simplefilter("ignore")
        found = MODELS[algorithm](train, test, train_labels, test_labels, threads, solver)
    return float((found == test_labels).mean())


def _xgboost(train: Any, test: Any, labels: Any, _: Any, threads: int, solver: str) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(n_jobs=threads).fit(train, labels).predict(test)


def _lightgbm(train: Any, test: Any, labels: Any, rest: Any, threads: int, solver: str) -> Any:
    import lightgbm

    data = lightgbm.Dataset(train, labels)
    model = lightgbm.train(
        {"num_threads": threads, "verbose": -1},
        data,
        ROUNDS,
        valid_sets=[lightgbm.Dataset(test, rest, reference=data)],
    )
    return np.rint(model.predict(test))


def _logistic(train: Any, test: Any, labels: Any, _: Any, threads: int, solver: str) -> Any:
    more = {"max_iter": SAGA_ITERATIONS} if solver == SOLVER_OF_TORCH else {}
    return LogisticRegression(solver=solver, **more).fit(train, labels).predict(test)


def _forest(train: Any, test: Any, labels: Any, _: Any, threads: int, solver: str) -> Any:
    return RandomForestClassifier(TREES, random_state=SEED).fit(train, labels).predict(test)


def _knn(train: Any, test: Any, labels: Any, _: Any, threads: int, solver: str) -> Any:
    return KNeighborsClassifier(NEIGHBOURS).fit(train, labels).predict(test)


MODELS: dict[str, Callable[..., npt.NDArray[Any]]] = {
    "xgboost": _xgboost,
    "lightgbm": _lightgbm,
    "logistic-regression": _logistic,
    "random-forest": _forest,
    "knn": _knn,
}


def outcome(
    run: Run, rows: int, rows_of_a_model: int, accuracies: dict[str, list[float]], exact: Baseline
) -> Outcome:
    """The published answer: of each classifier the accuracies of all its models, and their distance
    from the exact one's, which is found after the clock has stopped."""
    quality: dict[str, Any] = {
        "rows": rows,
        "rows_of_a_model": rows_of_a_model,
        "models": {name: len(found) for name, found in accuracies.items()},
        "accuracies": accuracies,
    }
    for name, found in accuracies.items():
        quality[f"accuracy_{name}"] = float(np.mean(found))
    return Outcome(
        quality=quality,
        check=lambda: _distance(run, accuracies, exact),
        write=_refuse,
        bytes_read=run.dataset.bytes,
    )


def _distance(run: Run, accuracies: dict[str, list[float]], exact: Baseline) -> Check:
    answer = exact(dataclasses.replace(run, phases=Phases(), quiet=True, engine="plain"))
    detail = {}
    for name, one in answer.trained.items():
        right = evaluation.accuracy(answer.labels, one.probabilities)["accuracy"]
        mine = float(np.mean(accuracies[name]))
        detail[name] = {"accuracy": mine, "exact_accuracy": right, "difference": mine - right}
    return Check(passed=None, oracle="the exact method on plain", detail=detail)


def _refuse(uri: str) -> dict[str, str]:
    raise UsageError(f"--out {uri}: the published models are not handed back")
