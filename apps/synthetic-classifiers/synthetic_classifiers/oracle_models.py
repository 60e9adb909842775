"""Of each classifier the proof that its answer is right; see `oracle`."""

import functools
import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats
from studykit.errors import CheckError
from studykit.run import Run

from synthetic_classifiers import evaluation
from synthetic_classifiers.layout import Probabilities
from synthetic_classifiers.model import Trained
from synthetic_classifiers.oracle_table import Table

ROUNDING = 1e-6
"""Of a probability that XGBoost, in single floats, says twice."""
COEFFICIENT_ERROR = 1e-5
DISTANCES = 4e8
"""Of the test samples whose neighbours are found anew: so many altogether."""
BLOCK_ROWS = 1 << 16


def _differs(what: str, expected: str, got: str) -> str:
    return f"{what}: expected {expected}, got {got}"


def threads(run: Run) -> int:
    count: int = run.options.worker_count * run.options.threads
    return count


def xgboost(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    import xgboost as library

    parameters = run.parameters
    written = library.Booster(model_file=bytearray(trained.fitted.content or b""))
    found = _of_all(written.inplace_predict(table.test_features))
    _require_close(trained.probabilities, found, "probabilities of the written model")

    def of_rows(order: Any) -> Probabilities:
        own = library.XGBClassifier(n_estimators=parameters.boosting_rounds, n_jobs=threads(run))
        own.fit(table.train_features[order], table.train_labels[order])
        return np.asarray(own.predict_proba(table.test_features), np.float64)

    rows = len(table.train_labels)
    shuffled = np.random.default_rng(0).permutation(rows)
    orders: list[Any] = [slice(None), slice(None, None, -1), shuffled]
    return _within(table, trained, *(functools.partial(of_rows, order) for order in orders))


def lightgbm(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    import lightgbm as library

    parameters = run.parameters
    written = library.Booster(model_str=(trained.fitted.content or b"").decode())
    found = _of_all(written.predict(table.test_features, num_threads=threads(run)))
    _require_close(trained.probabilities, found, "probabilities of the written model")
    own = library.LGBMClassifier(
        n_estimators=parameters.boosting_rounds, n_jobs=threads(run), verbose=-1
    )
    own.fit(table.train_features, table.train_labels)
    return _within(
        table, trained, lambda: np.asarray(own.predict_proba(table.test_features), np.float64)
    )


def _of_all(found: Any) -> Probabilities:
    """Of two classes the libraries say the second one's."""
    found = np.asarray(found, np.float64)
    return np.column_stack([1 - found, found]) if found.ndim == 1 else found


def _require_close(given: Probabilities, found: Probabilities, what: str) -> None:
    difference = float(np.abs(given - found).max())
    if not difference <= ROUNDING:
        raise CheckError(_differs(what, f"within {ROUNDING:g}", f"{difference:g}"))


def _within(table: Table, trained: Trained, *models: Callable[[], Probabilities]) -> dict[str, Any]:
    """The accuracy within the 95 % interval of the library's own model.

    Of millions of test samples that is narrower than what the order of the rows changes in the
    library's model, which cuts its features otherwise. So where it does not hold, and models of
    other orders are given, it is the 95 % interval for one model more like those (Student's t).
    """
    mine = evaluation.accuracy(table.test_labels, trained.probabilities)["accuracy"]
    first = evaluation.accuracy(table.test_labels, models[0]())
    own, (low, high) = [first["accuracy"]], first["accuracy_interval"]
    if not low <= mine <= high and len(models) > 1:
        own += [evaluation.accuracy(table.test_labels, one())["accuracy"] for one in models[1:]]
        count = len(own)
        spread = np.std(own, ddof=1) * (1 + 1 / count) ** 0.5
        half = float(stats.t.ppf(0.975, count - 1) * spread)
        low, high = min(low, np.mean(own) - half), max(high, np.mean(own) + half)
    if not low <= mine <= high:
        raise CheckError(_differs("accuracy", f"{low:.5f} … {high:.5f}", f"{mine:.5f}"))
    return {"accuracy_of_one_process": own, "accuracy": mine}


def logistic_regression(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    written = json.loads(trained.fitted.content or b"")
    weights = np.array(written["coefficients"])
    intercepts = np.array(written["intercepts"])
    l2, classes = run.parameters.l2, run.parameters.classes
    gradient, slope = l2 * weights, np.zeros(len(intercepts))
    for start in range(0, len(table.train_labels), BLOCK_ROWS):
        x = table.train_features[start : start + BLOCK_ROWS].astype(np.float64)
        error = _softmax(x, weights, intercepts)
        labels = table.train_labels[start : start + BLOCK_ROWS]
        error[np.arange(len(x)), labels] -= 1
        error = error[:, classes - len(weights) :]
        gradient += error.T @ x
        slope += error.sum(axis=0)
    _require_close(
        trained.probabilities,
        _softmax(table.test_features.astype(np.float64), weights, intercepts),
        "probabilities of the written model",
    )
    count = len(table.train_labels)
    norm = float(np.linalg.norm(np.concatenate([gradient.ravel(), slope])))
    # Without a penalty nothing is known of the curvature but that the samples make it.
    error_at_most = norm / min(l2, count) if l2 else norm / count
    if not error_at_most <= COEFFICIENT_ERROR:
        raise CheckError(
            _differs(
                "coefficients",
                f"within {COEFFICIENT_ERROR:g} of the right ones",
                f"up to {error_at_most:.3g}",
            )
        )
    return {"gradient": norm, "error_at_most": error_at_most}


def _softmax(x: Probabilities, weights: Probabilities, intercepts: Probabilities) -> Probabilities:
    scores = x @ weights.T + intercepts
    if len(weights) == 1:
        scores = np.column_stack([np.zeros(len(x)), scores])
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    found: Probabilities = scores / scores.sum(axis=1, keepdims=True)
    return found


def random_forest(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    if trained.kind != "random-forest":
        return _forest_of_histograms(run, table, trained)
    import joblib
    from sklearn.ensemble import RandomForestClassifier

    content = trained.fitted.content
    written = None if content is None else joblib.load(io.BytesIO(content))
    tree = trained.fitted.part if written is None else written.estimators_[0]
    # The first tree alone: each is grown by itself, from its own seed.
    own = RandomForestClassifier(1, random_state=_seed(run), n_jobs=1)
    own.fit(table.train_features, table.train_labels)
    found, right = tree.tree_, own.estimators_[0].tree_
    for name in ("feature", "threshold", "children_left", "children_right", "value"):
        if not np.array_equal(getattr(found, name), getattr(right, name)):
            raise CheckError(_differs("first tree", f"{name} as scikit-learn's", "another"))
    if written is not None:
        probabilities = written.predict_proba(table.test_features)
        _require_close(trained.probabilities, probabilities, "probabilities of the written model")
    return {"nodes_of_first_tree": int(right.node_count)}


def _seed(run: Run) -> int:
    return int(run.options.seed) % 2**32


def _forest_of_histograms(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    """The library's own forest of this kind, in one process, and how far scikit-learn's is."""
    import xgboost as library
    from sklearn.ensemble import RandomForestClassifier

    from synthetic_classifiers import histogram_forest

    written = library.Booster(model_file=bytearray(trained.fitted.content or b""))
    found = _of_all(written.inplace_predict(table.test_features))
    _require_close(trained.probabilities, found, "probabilities of the written model")
    trees, seed = run.parameters.trees, _seed(run)
    own = library.XGBRFClassifier(
        n_estimators=trees, max_depth=histogram_forest.DEPTH, max_bin=histogram_forest.BINS,
        subsample=histogram_forest.SHARE, colsample_bynode=table.train_features.shape[1] ** -0.5,
        random_state=seed, n_jobs=threads(run),
    )  # fmt: skip
    own.fit(table.train_features, table.train_labels)
    detail = _within(
        table, trained, lambda: np.asarray(own.predict_proba(table.test_features), np.float64)
    )
    exact = RandomForestClassifier(trees, random_state=seed, n_jobs=threads(run))
    exact.fit(table.train_features, table.train_labels)
    right = evaluation.accuracy(table.test_labels, exact.predict_proba(table.test_features))
    return detail | {"accuracy_of_exact_forest": right["accuracy"]}


def knn(run: Run, table: Table, trained: Trained) -> dict[str, Any]:
    k, classes = run.parameters.neighbours, run.parameters.classes
    count = len(table.test_labels)
    asked = int(np.clip(DISTANCES / len(table.train_labels), 20, min(count, 2000)))
    chosen = np.random.default_rng(run.options.seed % 2**64).permutation(count)[:asked]
    wrong = 0
    for sample in chosen:
        nearest = _nearest(table, table.test_features[sample], k)
        votes = np.bincount(table.train_labels[nearest], minlength=classes) / k
        wrong += not np.allclose(votes, trained.probabilities[sample], atol=1e-12)
    if wrong:
        raise CheckError(_differs("neighbours", "the votes of the nearest", f"{wrong} others"))
    return {"samples_found_anew": len(chosen)}


def _nearest(table: Table, query: Any, k: int) -> Any:
    """Places of the k nearest training samples; of equally near ones those that come first."""
    distances = np.empty(len(table.train_labels))
    for start in range(0, len(distances), BLOCK_ROWS):
        block = table.train_features[start : start + BLOCK_ROWS].astype(np.float64)
        distances[start : start + BLOCK_ROWS] = ((block - query.astype(np.float64)) ** 2).sum(1)
    bound = np.partition(distances, k - 1)[k - 1]
    near = np.flatnonzero(distances <= bound)
    return near[np.argsort(distances[near], kind="stable")[:k]]


CHECKS: dict[str, Callable[[Run, Table, Trained], dict[str, Any]]] = {
    "xgboost": xgboost,
    "lightgbm": lightgbm,
    "logistic-regression": logistic_regression,
    "random-forest": random_forest,
    "knn": knn,
}
