"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m digits_knn_cnn.peers sklearn-brute --size tiny --workers 2

Each is one process with workers × threads threads. scikit-learn's `KNeighborsClassifier` finds the
neighbours by brute force or in a k-d tree, once for the largest k, with so many jobs; the rows are
read as the study reads them. Of equal distances it takes any: 1 % of its predictions may differ
from the oracle's. polars does one step, the reading.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit import columnar, storage
from studykit.errors import ResourceError
from studykit.options import Options
from studykit.run import Outcome, Run
from studysweep import peers

from digits_knn_cnn import csv_rows, outcome, searching, study, voting, worker
from digits_knn_cnn.native import TIES
from digits_knn_cnn.searching import Queries
from digits_knn_cnn.study import STUDY, Parameters


def with_sklearn(run: Run, algorithm: str) -> Outcome:
    parameters, threads = run.parameters, run.options.worker_count * run.options.threads
    with run.phase("start", "importing scikit-learn"):
        from sklearn.neighbors import KNeighborsClassifier

        worker.warm_up()

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        loaded = worker.load(source.splits, source.formats, threads)
        counts = searching.counts_of([worker.describe(loaded)])
        train_rows = searching.training_rows(run, counts, source.formats)
        part = worker.place(loaded, counts, source.formats, run.options.seed)
        asked = Queries.of(train_rows, [worker.queries(part)])
        train, (pixels,) = part.result.train, asked.batches(1, most=train_rows + len(asked))

    with run.phase("compute", f"searching by {run.engine}"):
        model = KNeighborsClassifier(parameters.neighbours, algorithm=algorithm, n_jobs=threads)
        model.fit(train.pixels.astype(np.float64), train.labels)
        found: npt.NDArray[np.int64] = model.kneighbors(
            pixels.astype(np.float64), return_distance=False
        )
        predicted = voting.votes(train.labels[found])
    return outcome.of_answer(run, asked.answer([predicted]), allowed=TIES)


def with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars as pl

        files = peers.local_files(run)
        tables = [file for file in files if columnar.is_parquet(file)]

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        rows = sum(
            len(
                pl.read_parquet(storage.local_path(file))
                if file in tables
                else pl.read_csv(storage.local_path(file), infer_schema_length=1000)
            )
            for file in files
        )
    bodies = [(file, 0 if file in tables else _body(run, file)) for file in files]
    return peers.step(run, {"rows": rows}, lambda: peers.check_rows(run, rows, bodies))


def _body(run: Run, file: str) -> int:
    return csv_rows.sniff(file, run.parameters.resolution, run.parameters.max_pixel).body


PEERS: dict[str, Callable[[Run], Outcome]] = {
    "polars": with_polars,
    "sklearn-brute": partial(with_sklearn, algorithm="brute"),
    "sklearn-kd-tree": partial(with_sklearn, algorithm="kd_tree"),
}


def validate(options: Options, parameters: Any) -> None:
    peers.refuse_to_write(options, parameters)
    if isinstance(parameters, Parameters) and parameters.model != "knn":
        raise ResourceError("peers are compared on --model knn only")


main = peers.entry_point(STUDY, PEERS, validate=validate)

if __name__ == "__main__":
    main()
