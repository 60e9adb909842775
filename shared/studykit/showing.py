"""What a person sees of a run: what would be done, and what was."""

import dataclasses
from typing import Any

from rich.table import Table
from rich.text import Text

from studykit import cli, records
from studykit.options import Options, Study, configuration
from studykit.records import Record
from studykit.run import Outcome


def print_plan(study: Study, engine: str, options: Options, parameters: Any) -> None:
    asked = configuration(study, engine, options, parameters)
    table = Table(title=f"{study.name} on {engine}: what would be done", show_header=False)
    table.add_row("read", asked["data"])
    if options.data is None:
        table.add_row("made first, if missing, in", options.store or "the user's cache folder")
    table.add_row("run", f"{options.method}, {options.worker_count} workers × {options.threads}")
    for name, value in dataclasses.asdict(parameters).items():
        table.add_row(name.replace("_", " "), str(value))
    table.add_row("answer", options.out or "not kept (--out URI)")
    hashed = records.config_hash(asked)
    path = records.path_of(options.results, study.name, engine, hashed, 0)
    table.add_row("record", path)
    cli.console.print(table)


def report(record: Record, outcome: Outcome, uri: str, options: Options) -> None:
    if options.json:
        print(record.model_dump_json(indent=2))
    for part in outcome.summary:
        cli.console.print(part)
    _print_bad_rows(record.quality.get("bad_rows"))
    table = Table(title=f"{record.study} on {record.engine}: {record.status}", show_header=False)
    for name, seconds in record.phases.items():
        table.add_row(name, f"{seconds:8.2f} s")
    table.add_row("wall (without check)", f"{record.wall_seconds:8.2f} s")
    if record.limit is not None:
        table.add_row("limit of this machine", f"{record.limit.seconds:8.2f} s")
    table.add_row("peak memory", f"{(record.peak_memory_bytes or 0) / 1e6:8.0f} MB")
    cli.console.print(table)
    for name, where in {**record.outputs, "record": uri}.items():
        cli.console.print(f"{name}: {where}", markup=False)


def _print_bad_rows(skipped: dict[str, Any] | None) -> None:
    """What was wrong with rows under --bad-rows skip, where that is anything."""
    if not skipped or not skipped["rows"]:
        return
    title = (
        f"{skipped['rows']:,} bad rows, {skipped['skipped']:,} of them skipped"
        f" ({skipped['share']:.2%} of all)"
    )
    reasons = Table(title=title, show_header=False)
    for reason, count in skipped["reasons"].items():
        reasons.add_row(f"{count:,}", Text(reason))
    cli.console.print(reasons)
    for row in skipped["first"]:
        place = row.get("place") or f"line {row['line']}"
        where = f"{row['file']}, {place}: {row['reason']}"
        cli.console.print(f"bad row: {where}", markup=False)
