"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m hyperparameter_tuning.peers sklearn --size tiny --workers 2

`sklearn` is its GridSearchCV over XGBoost's own classifier, so many folds at a time as there are
workers: the same trees, the same folds, judged on the same rows. polars does one step, the reading.
"""

from collections.abc import Callable

from studykit import columnar
from studykit.errors import CheckError, ResourceError
from studykit.records import Check
from studykit.run import Outcome, Run
from studykit.text import delimited
from studysweep import peers

from hyperparameter_tuning import diagnosis_table, searches
from hyperparameter_tuning.paper import BREAST_CANCER
from hyperparameter_tuning.study import STUDY


def with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars as pl

        _require_trees(run)
        files = peers.local_files(run)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        names = list(diagnosis_table.FEATURES)
        tables = [
            pl.read_parquet(uri) if columnar.is_parquet(uri) else pl.read_csv(uri) for uri in files
        ]
        features = pl.concat([table.select(names).cast(pl.Float32) for table in tables])
    quality = {"rows": features.height}
    bodies = [
        (uri, 0 if columnar.is_parquet(uri) else delimited.header(uri, "diagnoses")[1].stop)
        for uri in files
    ]
    return peers.step(run, quality, lambda: peers.check_rows(run, features.height, bodies))


def with_sklearn(run: Run) -> Outcome:
    options, asked = run.options, run.parameters
    with run.phase("start", "importing scikit-learn and XGBoost"):
        from sklearn.model_selection import GridSearchCV
        from xgboost import XGBClassifier

        from hyperparameter_tuning import boosting
        from hyperparameter_tuning.of_diagnoses import Diagnosis

        _require_trees(run)
        peers.local_files(run)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        parts = Diagnosis.read(run).parts
        train = parts.train
    with run.phase("compute", "searching by GridSearchCV"):
        depths = list(dict.fromkeys(searches.depths(asked.axes)))
        search = GridSearchCV(
            XGBClassifier(
                n_estimators=asked.most_epochs, max_bin=len(train) + 1, n_jobs=options.threads
            ),
            {"max_depth": depths},
            scoring="neg_log_loss",
            cv=boosting.folds(train.labels, options.seed),
            n_jobs=options.worker_count,
        ).fit(train.features, train.labels)
        accuracy = float((search.predict(parts.test.features) == parts.test.labels).mean())
    quality = {"rows": len(train) + len(parts.test), "accuracy": accuracy}

    def check() -> Check:
        best = max(
            boosting.BoostingTrainer(train, options.seed).train(
                searches.grid(asked.axes, seed=0, epochs=asked.most_epochs).ask(), {}
            ),
            key=lambda one: one[0].scores[-1],
        )[0].scores[-1]
        detail = {"score": float(search.best_score_), "expected": best}
        if abs(search.best_score_ - best) > 1e-6:
            raise CheckError(f"best score: expected {best:.8f}, got {search.best_score_:.8f}")
        return Check(passed=True, oracle="the grid of this study", detail=detail)

    return peers.step(run, quality, check)


def _require_trees(run: Run) -> None:
    if run.parameters.study != BREAST_CANCER:
        raise ResourceError(f"{run.engine} is compared on --study {BREAST_CANCER} only")


PEERS: dict[str, Callable[[Run], Outcome]] = {"polars": with_polars, "sklearn": with_sklearn}

main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
