"""The classifiers of this study, each by all workers: how it is trained, how it predicts.

What a library makes of them stands in a file for each; a file is imported only by who asks for its
classifier, because most libraries take a second.
"""

import importlib
import json
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from studykit.run import Run

from synthetic_classifiers import cuts, host_copy, logistic, logistic_fit, regression, team
from synthetic_classifiers.layout import Features, Probabilities
from synthetic_classifiers.logistic import Floats, Sums
from synthetic_classifiers.model import Data, Model
from synthetic_classifiers.team import Team
from synthetic_classifiers.worker import Worker

MODULES = {
    "xgboost": "xgboost_trees",
    "lightgbm": "lightgbm_trees",
    "random-forest": "random_forest",
    "histogram-forest": "histogram_forest",
    "knn": "neighbours",
}
NEED_ALL = ("random-forest", "knn")
"""Look at all training samples on every host."""
SMALL_FOREST = 2_000_000
"""Nodes, some 150 MB: such a forest is fetched to be checked whole, of a larger one a tree."""


def module_of(algorithm: str) -> ModuleType:
    return importlib.import_module(f"synthetic_classifiers.{MODULES[algorithm]}")


def imported(kinds: Sequence[str]) -> list[ModuleType]:
    """The files of these, and with them the libraries: a second that belongs to `start`."""
    return [module_of(name) for name in kinds if name in MODULES]


def warm_up(kinds: Sequence[str]) -> None:
    """Import the libraries of these, and compile the kernels or load them from the cache."""
    for module in imported(kinds):
        if hasattr(module, "warm_up"):
            module.warm_up()


def logistic_regression(run: Run, team_: Team, data: Data) -> Model:
    parameters = run.parameters

    def sums_at(coefficients: Floats, with_hessian: bool) -> Sums:
        return Sums.total(team_.on_all(regression.sums, coefficients, with_hessian))

    shape = logistic.rows_of(data.classes), data.columns + 1
    fitted = logistic_fit.fit(
        sums_at, shape, parameters.l2, parameters.max_iterations, run.progress
    )
    coefficients = fitted.coefficients
    described = {
        "coefficients": coefficients[:, :-1].tolist(),
        "intercepts": coefficients[:, -1].tolist(),
        "iterations": fitted.iterations,
    }
    return Model(
        predict=lambda team: team.on_all(regression.predict, coefficients),
        content=json.dumps(described, indent=2).encode() + b"\n",
        size=coefficients.nbytes,
        facts=described,
        unconverged=None
        if fitted.converged
        else f"logistic-regression: not converged after {fitted.iterations} iterations: raise"
        " --max-iterations",
    )


def xgboost(run: Run, team_: Team, data: Data) -> Model:
    from synthetic_classifiers import xgboost_trees

    boosting = xgboost_trees.Boosting(rounds=run.parameters.boosting_rounds)
    seed = run.options.seed % 2**31
    found = _cuts(team_, data, seed, boosting.bins)
    tracker = team_.on_all(xgboost_trees.open_tracker)[0]
    content: bytes = team.one(
        team_.on_all(xgboost_trees.train, data.classes, seed, found, tracker, boosting)
    )
    return _of_library("xgboost", content)


def _cuts(team_: Team, data: Data, seed: int, bins: int) -> Features:
    return cuts.quantiles(team_.on_all(cuts.sampled, data.division.train_rows, seed), bins)


def lightgbm(run: Run, team_: Team, data: Data) -> Model:
    from synthetic_classifiers import lightgbm_trees

    boosting = lightgbm_trees.Boosting(rounds=run.parameters.boosting_rounds)
    machines = team_.on_all(lightgbm_trees.claim_port)
    seed = run.options.seed % 2**31
    content: bytes = team.one(
        team_.on_all(lightgbm_trees.train, data.classes, seed, machines, boosting)
    )
    return _of_library("lightgbm", content)


def _of_library(kind: str, content: bytes, facts: dict[str, Any] | None = None) -> Model:
    """What came whole from one worker, and goes to all to predict."""
    return Model(
        predict=lambda team: team.on_all(boosted, kind, content),
        content=content,
        facts=facts or {},
    )


def boosted(worker: Worker, algorithm: str, content: bytes) -> Probabilities:
    """A step: what a library's model says of a worker's test samples."""
    found: Probabilities = module_of(algorithm).predict(
        content, worker.test.features, worker.threads
    )
    return found


def knn(run: Run, team_: Team, data: Data) -> Model:
    from synthetic_classifiers import neighbours

    hosts = data.hosts
    assert hosts is not None
    fitted = neighbours.fitted(
        team_.on_all,
        lambda make, *arguments: host_copy.share_arrays(team_, hosts, make, *arguments),
        hosts.places,
        data.division.train_rows,
        data.tests,
        run.parameters.neighbours,
    )
    return Model(
        predict=lambda team: team.on_all(neighbours.probabilities, fitted, data.classes),
        facts=fitted.facts,
    )


def random_forest(run: Run, team_: Team, data: Data) -> Model:
    from synthetic_classifiers import forest, random_forest

    seed, trees = run.options.seed % 2**32, run.parameters.trees
    facts = random_forest.grown(team_.on_all, seed, trees)

    def fetch(team: Team, whole: bool) -> None:
        if whole or facts["nodes"] <= SMALL_FOREST:
            model.content = forest.model_bytes(random_forest.collected(team.on_all, seed, trees))
        else:
            model.part = team.on_all(random_forest.first_tree)[0]

    model = Model(
        predict=lambda team: random_forest.predicted(team.on_all, data.classes, trees),
        facts=facts,
        fetch=fetch,
    )
    return model


def histogram_forest(run: Run, team_: Team, data: Data) -> Model:
    from synthetic_classifiers import histogram_forest

    trees, seed = run.parameters.trees, run.options.seed % 2**31
    found = _cuts(team_, data, seed, histogram_forest.BINS)
    tracker = team_.on_all(histogram_forest.open_tracker)[0]
    content: bytes = team.one(
        team_.on_all(histogram_forest.train, data.classes, trees, seed, found, tracker)
    )
    return _of_library("histogram-forest", content, {"trees": trees})


CLASSIFIERS: dict[str, Callable[[Run, Team, Data], Model]] = {
    "xgboost": xgboost,
    "lightgbm": lightgbm,
    "logistic-regression": logistic_regression,
    "random-forest": random_forest,
    "histogram-forest": histogram_forest,
    "knn": knn,
}
