"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m synthetic_classifiers.peers sklearn --size tiny --workers 2 --algorithm knn

Each is one process with workers × threads threads. scikit-learn trains and predicts what is its
own: logistic regression, the forest, kNN; of XGBoost and LightGBM the plain engine is the library
itself. polars does one step, the reading.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from studykit import columnar, storage
from studykit.errors import ResourceError
from studykit.records import Check
from studykit.run import Outcome, Run
from studysweep import peers

from synthetic_classifiers import evaluation, samples
from synthetic_classifiers.layout import Features, Labels
from synthetic_classifiers.oracle_table import split_rows
from synthetic_classifiers.study import STUDY

OF_SKLEARN = ("logistic-regression", "random-forest", "knn")


def _read(run: Run, files: list[str]) -> tuple[Features, Labels]:
    """By polars: float32[samples, features], int32[samples]."""
    import polars as pl

    asked = run.parameters.asked
    tables = []
    for uri in files:
        form, path = samples.sniff(uri, asked), storage.local_path(uri)
        types: dict[Any, Any] = dict.fromkeys(form.features, pl.Float32)
        types[form.label] = pl.Int32
        read = (
            pl.read_parquet(path, columns=list(types))
            if columnar.is_parquet(uri)
            else pl.read_csv(path, columns=list(types), schema_overrides=types)
        )
        tables.append(read.select(list(types)).cast(types))
    whole = pl.concat(tables)
    names = whole.columns[:-1]
    return whole.select(names).to_numpy(order="c"), whole[whole.columns[-1]].to_numpy()


def with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars  # noqa: F401

        files = peers.local_files(run)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        features, labels = _read(run, files)
    bodies = [(uri, samples.sniff(uri, run.parameters.asked).body) for uri in files]
    rows = len(labels)
    quality = {"rows": rows, "features": features.shape[1]}
    return peers.step(run, quality, lambda: peers.check_rows(run, rows, bodies))


def with_sklearn(run: Run) -> Outcome:
    parameters, threads = run.parameters, run.options.worker_count * run.options.threads
    if parameters.algorithm not in OF_SKLEARN:
        raise ResourceError(f"scikit-learn is compared on {', '.join(OF_SKLEARN)} only")
    with run.phase("start", "importing scikit-learn"):
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.neighbors import KNeighborsClassifier

        files = peers.local_files(run)
        seed = run.options.seed % 2**32
        models = {
            "logistic-regression": lambda: LogisticRegression(
                C=1 / parameters.l2 if parameters.l2 else np.inf, max_iter=1000
            ),
            "random-forest": lambda: RandomForestClassifier(
                parameters.trees, random_state=seed, n_jobs=threads
            ),
            "knn": lambda: KNeighborsClassifier(parameters.neighbours, n_jobs=threads),
        }

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        features, labels = _read(run, files)
        tests = split_rows(len(labels), run.options.seed)
        train, test = features[~tests], features[tests]

    with run.phase("compute", f"training and predicting by scikit-learn: {parameters.algorithm}"):
        model = models[parameters.algorithm]().fit(train, labels[~tests])
        probabilities = model.predict_proba(test)
    quality = {
        "rows": len(labels),
        f"accuracy_{parameters.algorithm}": evaluation.accuracy(labels[tests], probabilities)[
            "accuracy"
        ],
    }
    # It is what the engines' answers are held to.
    return peers.step(run, quality, Check)


PEERS: dict[str, Callable[[Run], Outcome]] = {"polars": with_polars, "sklearn": with_sklearn}


main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
