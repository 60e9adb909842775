"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m twitter_pagerank.peers polars --size tiny --workers 2

polars (https://pola.rs) reads the same edges into two integer columns with workers × threads
threads: the bar for the engines' `load`, of which reading is the first step only. Its answer is
checked too: as many rows as the data set has lines of edges.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

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

from twitter_pagerank import edges
from twitter_pagerank.study import STUDY
from twitter_pagerank.study import Parameters


@dataclass(frozen=True)
class Peer:
    name: Annotated[str, typer.Argument(help="Library: polars.")] = "polars"


def read_with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        machine.pin_threads(run.options.worker_count * run.options.threads)
        import polars

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        forms = edges.formats(storage.list_files(run.dataset.uri))
        other = [uri for uri, form in forms.items() if form.kind != "csv"]
        if other or not all(map(storage.is_local, forms)):
            raise ResourceError(f"polars is compared on local CSV files only: {run.dataset.uri}")
        tables = [
            polars.read_csv(
                storage.local_path(uri),
                has_header=form.body > len(b"\xef\xbb\xbf"),
                schema={"source": polars.Int64, "destination": polars.Int64},
            )
            for uri, form in forms.items()
        ]
        rows = sum(table.height for table in tables)

    return Outcome(
        quality={"edges": rows},
        check=lambda: _check_rows(run, rows, list(forms)),
        write=_refuse_to_write,
        bytes_read=run.dataset.bytes,
    )


def _check_rows(run: Run, rows: int, uris: list[str]) -> Check:
    """Against the catalogue's count; for the user's own data, against the lines of the files."""
    expected, oracle = run.dataset.rows, "rows in the catalogue"
    if expected is None:
        expected = sum(lines.count_filled(uri, edges.sniff(uri).body) for uri in uris)
        oracle = "lines of the files"
    return Check(
        passed=rows == expected, oracle=oracle, detail={"rows": rows, "expected": expected}
    )


def _refuse_to_write(uri: str) -> dict[str, str]:
    raise UsageError(f"--out {uri}: a peer reads the data and has no ranks to write")


READERS: dict[str, Callable[[Run], Outcome]] = {"polars": read_with_polars}


def _run(peer: Peer, options: Options, parameters: Parameters) -> None:
    with cli.manners(options.debug, options.timeout):
        if peer.name not in READERS:
            raise UsageError(f"{peer.name}: known peers are {', '.join(READERS)}")
        if options.out is not None:
            _refuse_to_write(options.out)
        asked = dataclasses.replace(options, method=PEER)
        raise typer.Exit(execute(STUDY, peer.name, asked, parameters, READERS[peer.name]))


main = cli.application(
    cli.typer_command(
        (Peer, Options, Parameters),
        _run,
        doc="Time a library on this study's data.\n\n"
        "Example: python -m twitter_pagerank.peers polars --size tiny --workers 2",
    )
)

if __name__ == "__main__":
    main()
