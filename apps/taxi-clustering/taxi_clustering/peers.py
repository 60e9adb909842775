"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m taxi_clustering.peers polars --size tiny --workers 2

polars (https://pola.rs) reads the eight columns that the study needs, times as text: the bar for
the engines' `load`, which also judges every trip. scikit-learn runs `STEPS` iterations of its own
Lloyd's from the engine's seeds, over the same points (read by this study's reader): the bar for
`compute` per iteration. Both use workers × threads threads, and both answers are checked.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from studykit import cli
from studykit import machine
from studykit import storage
from studykit.errors import ResourceError
from studykit.errors import UsageError
from studykit.execution import execute
from studykit.options import Options
from studykit.records import PEER
from studykit.records import Check
from studykit.run import Outcome
from studykit.run import Run
from studykit.text import lines

from taxi_clustering import clustering
from taxi_clustering import study
from taxi_clustering import trips
from taxi_clustering import worker as workers
from taxi_clustering.clustering import Totals
from taxi_clustering.kernel import Centres
from taxi_clustering.sample import SAMPLE_SIZE
from taxi_clustering.study import STUDY
from taxi_clustering.study import Parameters
from taxi_clustering.worker import Worker

STEPS = 10
INERTIA_SHARE = 0.02
"""Given float32, scikit-learn adds up in float32: its inertia of 12 million points is 0.5 % low."""


@dataclass(frozen=True)
class Peer:
    name: Annotated[str, typer.Argument(help="Library: polars or sklearn.")] = "polars"


def read_with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        machine.pin_threads(run.options.worker_count * run.options.threads)
        import polars

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        forms = trips.formats(storage.list_files(run.dataset.uri))
        if not all(map(storage.is_local, forms)):
            raise ResourceError(f"polars is compared on local files only: {run.dataset.uri}")
        tables = []
        for uri, form in forms.items():
            names = [form.names[column] for column in form.columns]
            kinds = [polars.String] * 2 + [polars.Float64] * 6
            tables.append(
                polars.read_csv(
                    storage.local_path(uri),
                    columns=names,
                    schema_overrides=dict(zip(names, kinds, strict=True)),
                )
            )
        rows = sum(table.height for table in tables)

    return Outcome(
        quality={"rows_read": rows},
        check=lambda: _check_rows(run, rows, list(forms)),
        write=_refuse_to_write,
        bytes_read=run.dataset.bytes,
    )


def _check_rows(run: Run, rows: int, uris: list[str]) -> Check:
    """Against the catalogue's count; for the user's own data, against the lines of the files."""
    expected, oracle = run.dataset.rows, "rows in the catalogue"
    if expected is None:
        expected = sum(lines.count_filled(uri, trips.sniff(uri).body) for uri in uris)
        oracle = "lines of the files"
    return Check(
        passed=rows == expected, oracle=oracle, detail={"rows": rows, "expected": expected}
    )


def cluster_with_sklearn(run: Run) -> Outcome:
    threads = run.options.worker_count * run.options.threads
    with run.phase("start", "importing scikit-learn"):
        machine.pin_threads(threads)
        from sklearn.cluster import KMeans

        workers.warm_up()
        worker = Worker(threads)

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
    return Outcome(
        quality={
            "rows_read": loaded.rows,
            "rows_kept": loaded.kept,
            "inertia": inertia,
            "iterations": int(fitted.n_iter_),
        },
        check=lambda: _check_inertia(worker, seeds, fitted.cluster_centers_, inertia),
        write=_refuse_to_write,
        bytes_read=run.dataset.bytes,
    )


def _check_inertia(worker: Worker, seeds: Centres, found: Centres, inertia: float) -> Check:
    """What it says of its centres by this study's kernel, and that they beat the seeds."""
    expected, before = worker.score(found.astype(np.float32)), worker.score(seeds)
    return Check(
        passed=abs(inertia - expected) <= INERTIA_SHARE * expected and expected < before,
        oracle="inertia of its centres, by this study's kernel",
        detail={"inertia": inertia, "expected": expected, "of_the_seeds": before},
    )


def _refuse_to_write(uri: str) -> dict[str, str]:
    raise UsageError(f"--out {uri}: a peer does one step of the study and has no map to write")


PEERS: dict[str, Callable[[Run], Outcome]] = {
    "polars": read_with_polars,
    "sklearn": cluster_with_sklearn,
}


def _run(peer: Peer, options: Options, parameters: Parameters) -> None:
    with cli.manners(options.debug, options.timeout):
        if peer.name not in PEERS:
            raise UsageError(f"{peer.name}: known peers are {', '.join(PEERS)}")
        if options.out is not None:
            _refuse_to_write(options.out)
        asked = dataclasses.replace(options, method=PEER)
        raise typer.Exit(execute(STUDY, peer.name, asked, parameters, PEERS[peer.name]))


main = cli.application(
    cli.typer_command(
        (Peer, Options, Parameters),
        _run,
        doc="Time a library on this study's data.\n\n"
        "Example: python -m taxi_clustering.peers polars --size tiny --workers 2",
    )
)

if __name__ == "__main__":
    main()
