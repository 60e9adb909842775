"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m taxi_clustering.peers polars --size tiny --workers 2

polars (https://pola.rs) reads the eight columns that the study needs, of CSV the times as text: the
bar for the engines' `load`, which also judges every trip. scikit-learn runs `STEPS` iterations of
its own Lloyd's from the engine's seeds, over the same points (read by this study's reader): the bar
for `compute` per iteration. Both use workers × threads threads, and both answers are checked.
"""

import numpy as np
from studykit import columnar, storage
from studykit.records import Check
from studykit.run import Outcome, Run
from studysweep import peers

from taxi_clustering import clustering, study, trips
from taxi_clustering import worker as workers
from taxi_clustering.clustering import Totals
from taxi_clustering.kernel import Centres
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.study import STUDY
from taxi_clustering.worker import Worker

STEPS = 10
INERTIA_SHARE = 0.02
"""Given float32, scikit-learn adds up in float32: its inertia of 12 million points is 0.5 % low."""


def read_with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        forms = trips.formats(peers.local_files(run))
        tables = []
        for uri, form in forms.items():
            names = form.wanted
            if columnar.is_parquet(uri):
                tables.append(polars.read_parquet(storage.local_path(uri), columns=names))
                continue
            kinds = [polars.String] * 2 + [polars.Float64] * 6
            tables.append(
                polars.read_csv(
                    storage.local_path(uri),
                    columns=names,
                    separator=form.delimiter,
                    schema_overrides=dict(zip(names, kinds, strict=True)),
                )
            )
        rows = sum(table.height for table in tables)

    bodies = [(uri, form.body) for uri, form in forms.items()]
    return peers.step(run, {"rows_read": rows}, lambda: peers.check_rows(run, rows, bodies))


def cluster_with_sklearn(run: Run) -> Outcome:
    with run.phase("start", "importing scikit-learn"):
        from sklearn.cluster import KMeans

        workers.warm_up()
        worker = Worker(run.options.worker_count * run.options.threads)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = worker.load(source.splits, source.formats, SAMPLE_SIZE, run.options.seed)
        seeds = clustering.search(run, Totals.of(run, [loaded])).centres
        points = np.concatenate(worker.points, axis=1).T.copy()

    with run.phase("compute", f"{STEPS} iterations"):
        fitted = KMeans(
            len(seeds), init=seeds, n_init=1, max_iter=STEPS, tol=0, algorithm="lloyd"
        ).fit(points)

    inertia = float(fitted.inertia_)
    quality = {
        "rows_read": loaded.rows,
        "rows_kept": loaded.kept,
        "inertia": inertia,
        "iterations": int(fitted.n_iter_),
    }
    return peers.step(
        run, quality, lambda: _check_inertia(worker, seeds, fitted.cluster_centers_, inertia)
    )


def _check_inertia(worker: Worker, seeds: Centres, found: Centres, inertia: float) -> Check:
    """What it says of its centres by this study's kernel, and that they beat the seeds."""
    expected, before = (float(worker.score(c)) for c in (found.astype(np.float32), seeds))
    return Check(
        passed=abs(inertia - expected) <= INERTIA_SHARE * expected and expected < before,
        oracle="inertia of its centres, by this study's kernel",
        detail={"inertia": inertia, "expected": expected, "of_the_seeds": before},
    )


PEERS = {"polars": read_with_polars, "sklearn": cluster_with_sklearn}

main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
