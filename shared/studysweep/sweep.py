"""A comparison: engines × sizes × workers × split sizes × methods, several times over, resumable.

Round 1 runs every cell once, then round 2 runs every cell once, so that a drift of the machine
meets all engines alike (A,B,C,A,B,C). Innermost are the engines of one setting, whose times are
divided by each other. A cell whose record exists is finished: the same command goes on where an
interrupted one stopped, and tries again what failed or ran out of time.
"""

import dataclasses
import json
import shlex
import sys
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn
from rich.progress import MofNCompleteColumn
from rich.progress import Progress
from rich.progress import SpinnerColumn
from rich.progress import TextColumn
from rich.progress import TimeElapsedColumn
from studykit import cli
from studykit import machine
from studykit import storage
from studykit.errors import UsageError
from studykit.options import Options
from studykit.options import Study
from studykit.options import parse_size
from studykit.records import PEER
from studykit.records import Record

from studysweep import cells
from studysweep import ratio_table
from studysweep import ratios
from studysweep.cells import Cell

Charts = Callable[[list[Record], str], Sequence[str]]
"""Records, folder of the report → the files that were drawn, the one to open first."""

PAUSE_SECONDS = 5.0
"""A virtual machine gives freed memory back to its host within seconds and pays to get it again. A
process that starts at once is spared that by whoever ended before it; engines start too slowly for
it. After a rest none has this advantage."""


@dataclass(frozen=True)
class SweepOptions:
    """What `:compare` takes beside the study's own parameters. Lists are separated by commas."""

    repeats: Annotated[int, typer.Option(min=1, help="Rounds; each is a process of its own.")] = 5
    size: Annotated[str | None, typer.Option(help="Named sizes (tiny).")] = None
    data: Annotated[
        str | None, typer.Option(metavar="URI", help="Your own file or folder instead.")
    ] = None
    workers: Annotated[str | None, typer.Option(help="Numbers of workers (1, cores).")] = None
    threads: Annotated[int, typer.Option(min=1, help="Threads in each worker.")] = 1
    split_size: Annotated[str | None, typer.Option(help="Bytes per split, as in 1MB,30MB.")] = None
    engines: Annotated[str | None, typer.Option(help="Engines (all of the study).")] = None
    methods: Annotated[str, typer.Option(help="exact, native, published.")] = "exact"
    peers: Annotated[str, typer.Option(help="Libraries to time beside the engines.")] = ""
    oversubscribe: Annotated[
        bool, typer.Option("--oversubscribe", help="Permit workers × threads > cores.")
    ] = False
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Budget of each run, as in 4GiB.")
    ] = None
    seed: Annotated[int, typer.Option(help="Seed of the algorithm.")] = 42
    data_seed: Annotated[int, typer.Option(help="Seed of the data generator.")] = 0
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Limit of each run.")
    ] = None
    pause: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Rest before each run.")
    ] = PAUSE_SECONDS
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URI", envvar="STUDY_STORE", help="Where generated data sets are kept."
        ),
    ] = None
    results: Annotated[str, typer.Option(metavar="URI", help="Where records go.")] = "results"
    out: Annotated[
        str | None,
        typer.Option(metavar="URI", help="Folder of the report (RESULTS/<study>/report)."),
    ] = None
    json: Annotated[bool, typer.Option("--json", help="Print the ratios on standard output.")] = (
        False
    )
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the cells only.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False


def compare_command(
    study: Study, *, charts: Charts | None = None, peers: Sequence[str] = ()
) -> Callable[[], None]:
    """The `:compare` command of a study. `peers` are the names that `<package>.peers` knows."""

    def body(asked: SweepOptions, parameters: Any) -> None:
        with cli.manners(asked.debug):
            plan = list(plan_cells(study, peers, asked, parameters))
            if asked.dry_run:
                print_plan(plan)
                return
            rows = ratios.summarise(run_cells(plan, asked.pause))
            print_ratios(rows, as_json=asked.json)
            if charts is not None:
                folder = asked.out or storage.join(asked.results, study.name, "report")
                for uri in charts([record for row in rows for record in row.records], folder)[:1]:
                    cli.console.print(f"report: {uri}", markup=False)

    known = f" --peers {','.join(peers)}" if peers else ""
    example = f"python -m {study.package}.compare --size tiny --workers 1,2 --repeats 3{known}"
    doc = f"Compare the engines of {study.name} in interleaved rounds.\n\nExample: {example}"
    return cli.application(cli.typer_command((SweepOptions, study.parameters), body, doc=doc))


def plan_cells(
    study: Study, peers: Sequence[str], asked: SweepOptions, parameters: Any
) -> Iterator[Cell]:
    """All cells in the order in which they run. UsageError before the first where one is wrong."""
    engines = _chosen("engines", asked.engines, study.engines)
    methods = _chosen("methods", asked.methods, study.methods)
    libraries = _chosen("peers", asked.peers, peers) if asked.peers else []
    if asked.data is not None and asked.size is not None:
        raise UsageError("--size and --data exclude each other: give one of them")
    sizes = [None] if asked.data is not None else _list("size", asked.size or "tiny")
    splits = [None] if asked.split_size is None else _list("split-size", asked.split_size)
    for split in splits:
        _ = split is None or parse_size(split)
    setting: list[Cell] = []
    for size in sizes:
        for workers in _worker_counts(asked):
            common = _options(asked, size, workers)
            for split in splits:
                for engine in engines:
                    for method in methods:
                        options = dataclasses.replace(common, split_size=split, method=method)
                        setting.append(Cell(study, engine, options, parameters, 1))
            for peer in libraries:
                options = dataclasses.replace(common, method=PEER)
                setting.append(Cell(study, peer, options, parameters, 1, peer=True))
    for number in range(1, asked.repeats + 1):
        for cell in setting:
            yield dataclasses.replace(cell, round=number)


def run_cells(plan: Sequence[Cell], pause: float = 0.0) -> list[Record]:
    """Run what is not finished; one record per cell, in the order of the plan."""
    waiting = sum(cell.finished() is None for cell in plan)
    cli.console.print(f"{len(plan)} cells, {len(plan) - waiting} finished before", style="dim")
    inputs: dict[str | None, Any] = {}
    if waiting:
        for cell in plan:
            # Data that is missing is made here, before the first clock runs.
            if cell.options.size not in inputs:
                inputs[cell.options.size] = cell.study.locate(cell.options, cell.parameters)
    found: list[Record] = []
    with _progress() as progress:
        task = progress.add_task("", total=len(plan))
        for cell in plan:
            record = cell.finished()
            if record is None:
                progress.update(task, description=cell.label)
                time.sleep(pause)
                record = cells.run(cell, inputs[cell.options.size])
                progress.console.print(_result(cell, record), markup=False, style="dim")
            found.append(record)
            progress.advance(task)
    return found


def print_plan(plan: Sequence[Cell]) -> None:
    """One line per cell: is it finished, and the command that runs it."""
    for cell in plan:
        record = cell.finished()
        state = "to run" if record is None else f"{record.status}, kept"
        print(f"{state:14} {cell.label}\n{'':14} {shlex.join(['python', *cell.command[1:]])}")


def print_ratios(rows: Sequence[ratios.Row], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(ratio_table.as_json(rows), indent=2))
    # What is no terminal has no width of its own: a log keeps every row on one line.
    terminal = sys.stderr.isatty()
    console = Console(stderr=True, highlight=False, width=None if terminal else 200)
    console.print(ratio_table.as_table(rows))
    for row in rows:
        if row.reason:
            first = row.first
            where = f"{first.engine} {first.method}, {first.workers} × {first.threads}"
            console.print(f"{row.status}: {where}: {row.reason}", markup=False)


def _options(asked: SweepOptions, size: str | None, workers: int) -> Options:
    shared = {field.name for field in dataclasses.fields(Options)}
    kept = {field.name for field in dataclasses.fields(SweepOptions)} & shared
    kept -= {"size", "workers", "split_size", "out", "json", "dry_run"}
    return Options(
        size=size, workers=workers, **{name: getattr(asked, name) for name in sorted(kept)}
    )


def _worker_counts(asked: SweepOptions) -> list[int]:
    most = max(1, machine.cores() // asked.threads)
    if asked.workers is None:
        return sorted({1, most})
    try:
        counts = [int(text) for text in _list("workers", asked.workers)]
    except ValueError:
        counts = [0]
    if min(counts) < 1:
        raise UsageError(f"--workers {asked.workers}: give numbers of workers, as in 1,2,4")
    return counts


def _list(option: str, text: str) -> list[str]:
    items = list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))
    if not items:
        raise UsageError(f"--{option}: the list is empty")
    return items


def _chosen(option: str, text: str | None, known: Sequence[str]) -> list[str]:
    items = list(known) if text is None else _list(option, text)
    for item in items:
        if item not in known:
            choice = ", ".join(known) or "none"
            raise UsageError(f"--{option} {item}: this study has {choice}")
    return items


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
        console=cli.console,
        transient=True,
    )


def _result(cell: Cell, record: Record) -> str:
    if record.status in ("failed", "timeout", "skipped"):
        return f"{cell.label}: {record.status}: {ratios.Row((record,)).reason}"
    return f"{cell.label}: {record.status}, {ratios.answer_seconds(record):.2f} s"
