"""A comparison: engines × sizes × workers × stores × split sizes × methods, resumable, in rounds.

Round 1 runs every cell once, then round 2 runs every cell once, so that a drift of the machine
meets all engines alike (A,B,C,A,B,C). Innermost are the engines of one setting, whose times are
divided by each other. A cell whose record exists is finished: the same command goes on where an
interrupted one stopped, and tries again what failed or ran out of time.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from studykit import cli, machine, storage
from studykit.options import Study
from studykit.records import DatasetInfo, Record

from studysweep import cells, ratio_table, ratios, reuse
from studysweep.cells import Cell
from studysweep.planning import SweepOptions, plan_cells

Charts = Callable[[list[Record], str], Sequence[str]]
"""Records, folder of the report → the files that were drawn, the one to open first."""


def compare_command(
    study: Study, *, charts: Charts | None = None, peers: Sequence[str] = ()
) -> Callable[[], None]:
    """The `:compare` command of a study. `peers` are the names that `<package>.peers` knows."""

    def body(asked: SweepOptions, parameters: Any) -> None:
        with cli.manners(asked.debug):
            plan = list(plan_cells(study, peers, asked, parameters))
            if asked.dry_run:
                print_plan(plan, fresh=asked.fresh)
                return
            rows = ratios.summarise(run_cells(plan, asked.pause, fresh=asked.fresh))
            print_ratios(rows, as_json=asked.json)
            if charts is not None:
                folder = asked.out or storage.join(asked.results, study.name, "report")
                for uri in charts([record for row in rows for record in row.records], folder)[:1]:
                    cli.console.print(f"report: {uri}", markup=False)

    known = f" --peers {','.join(peers)}" if peers else ""
    example = f"python -m {study.package}.compare --size tiny --workers 1,2 --repeats 3{known}"
    doc = f"Compare the engines of {study.name} in interleaved rounds.\n\nExample: {example}"
    return cli.application(cli.typer_command((SweepOptions, study.parameters), body, doc=doc))


def run_cells(plan: Sequence[Cell], pause: float = 0.0, *, fresh: bool = False) -> list[Record]:
    """Run what is not finished, or with `fresh` all; one record per cell, in the plan's order."""
    kept = [None if fresh else cell.finished() for cell in plan]
    waiting = sum(record is None for record in kept)
    cli.console.print(f"{len(plan)} cells, {len(plan) - waiting} finished before", style="dim")
    # Data that is missing is made here, before the first clock runs.
    inputs = _located(plan) if waiting else {}
    if fresh:
        # At once, so that after an interruption the sweep goes on without asking for it again.
        for cell in plan:
            cell.forget()
    _say_what_differs(plan, kept, inputs)
    found: list[Record] = []
    with _progress() as progress:
        task = progress.add_task("", total=len(plan))
        for cell, record in zip(plan, kept, strict=True):
            if record is None:
                progress.update(task, description=cell.label)
                time.sleep(pause)
                record = cells.run(cell, inputs[_input_of(cell)])
                progress.console.print(_result(cell, record), markup=False, style="dim")
            found.append(record)
            progress.advance(task)
    return found


Inputs = dict[tuple[str | None, str | None], DatasetInfo]
"""{(size, store): the input}."""


def _input_of(cell: Cell) -> tuple[str | None, str | None]:
    return cell.options.size, cell.options.store


def _located(plan: Sequence[Cell]) -> Inputs:
    inputs: Inputs = {}
    for cell in plan:
        if _input_of(cell) not in inputs:
            inputs[_input_of(cell)] = cell.study.locate(cell.options, cell.parameters)
    return inputs


def _say_what_differs(
    plan: Sequence[Cell],
    kept: Sequence[Record | None],
    inputs: Inputs,
) -> None:
    reused = [record for record in kept if record is not None]
    if reused:
        data = {info.uri: info for info in inputs.values()}
        said = reuse.said(plan[0].study, reused, data, machine.commit())
        if said is not None:
            cli.console.print(said, markup=False, style="yellow")


def print_plan(plan: Sequence[Cell], *, fresh: bool = False) -> None:
    """One line per cell: is it finished, and the command that runs it."""
    for cell in plan:
        record = None if fresh else cell.finished()
        state = "to run" if record is None else f"{record.status}, kept"
        print(f"{state:14} {cell.label}\n{'':14} {cell.shown}")


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
            where = f"{row.name} {first.method}, {first.workers} × {first.threads}"
            console.print(f"{row.status}: {where}: {row.reason}", markup=False)


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
