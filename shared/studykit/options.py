"""The options that every entry point of every study shares, and what a configuration is.

Options are two frozen dataclasses of `Annotated` fields: `Options` here and the study's own
`parameters`. `cli.py` builds commands from both, a sweep the command lines of its cells.
"""

import dataclasses
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from studykit import machine
from studykit.errors import ResourceError, UsageError
from studykit.records import DatasetInfo

_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)},
}


DEVICES = ("auto", "cpu", "cuda")
GPU_ENGINES = ("torch",)
"""Engines that can compute on a GPU; the others compute on the CPU whatever there is."""
BAD_ROWS_REFUSE, BAD_ROWS_SKIP = BAD_ROWS = ("refuse", "skip")


def parse_size(text: str) -> int:
    """'30MB', '4GiB', '1.5gb' or plain bytes → bytes. UsageError where it is none of these."""
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-z]*)\s*", text.lower())
    if not match or match[2] not in _UNITS or float(match[1]) <= 0:
        raise UsageError(f"'{text}' is not a size: write for example 30MB, 4GiB or 1000000")
    return int(float(match[1]) * _UNITS[match[2]])


def parse_share(text: str) -> float:
    """'1%' or 0.01 → 0.01. UsageError where it is neither, or not between nothing and all.

    A bare number from 1 on is refused: nobody knows whether it means per cent.
    """
    match = re.fullmatch(r"\s*([0-9]+(?:\.[0-9]+)?|\.[0-9]+)\s*(%?)\s*", text)
    share = float(match[1]) / (100 if match[2] else 1) if match else -1.0
    if not 0 <= share <= 1 or (match and not match[2] and share == 1):
        raise UsageError(f"'{text}' is not a share: write for example 1% or 0.01, at most 100%")
    return share


@dataclass(frozen=True)
class Options:
    """The common options, in the order in which `--help` shows them."""

    size: Annotated[str | None, typer.Option(help="Named size from the catalogue (tiny).")] = None
    data: Annotated[
        str | None, typer.Option(metavar="URI", help="Your own file, folder or pattern instead.")
    ] = None
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URI", envvar="STUDY_STORE", help="Where generated data sets are kept."
        ),
    ] = None
    out: Annotated[
        str | None, typer.Option(metavar="URI", help="Write the answer here; format by ending.")
    ] = None
    workers: Annotated[
        int | None, typer.Option(min=1, help="Worker processes in all (the cores).")
    ] = None
    threads: Annotated[int, typer.Option(min=1, help="Threads in each worker.")] = 1
    oversubscribe: Annotated[
        bool, typer.Option("--oversubscribe", help="Permit workers × threads > cores.")
    ] = False
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Budget of the whole run, as in 4GiB.")
    ] = None
    device: Annotated[str, typer.Option(help="Where torch computes: auto, cpu or cuda.")] = "auto"
    address: Annotated[
        str | None, typer.Option(help="An existing cluster; default: a private local one.")
    ] = None
    nodes: Annotated[
        int | None, typer.Option(min=1, help="Hosts on which a launch script has started this.")
    ] = None
    method: Annotated[str, typer.Option(help="exact, native or published.")] = "exact"
    seed: Annotated[int, typer.Option(help="Seed of the algorithm.")] = 42
    data_seed: Annotated[int, typer.Option(help="Seed of the data generator.")] = 0
    split_size: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Bytes per split, as in 30MB.")
    ] = None
    bad_rows: Annotated[
        str, typer.Option(help="Rows that cannot be read: refuse the file, or skip them.")
    ] = BAD_ROWS_REFUSE
    bad_rows_limit: Annotated[
        str, typer.Option(metavar="SHARE", help="Of all rows, those that --bad-rows skip may skip.")
    ] = "1%"
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Give up after this long.")
    ] = None
    results: Annotated[str, typer.Option(metavar="URI", help="Where records go.")] = "results"
    json: Annotated[
        bool, typer.Option("--json", help="Print the record, alone, on standard output.")
    ] = False
    check: Annotated[bool, typer.Option(help="Verify against the oracle (never timed).")] = True
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be read, made and run.")
    ] = False
    profile: Annotated[
        bool, typer.Option("--profile", help="Save the engine's own timeline beside the record.")
    ] = False
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Open the engine's dashboard on loopback.")
    ] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False

    @property
    def worker_count(self) -> int:
        """Workers in all: what was asked for, else what a launcher started, else the cores."""
        launched = os.environ.get("WORLD_SIZE")
        return self.workers or (int(launched) if launched else machine.cores() // self.threads) or 1

    @property
    def named_store(self) -> str | None:
        """The store, where it is another than that which the environment makes the default."""
        return None if self.store == os.environ.get("STUDY_STORE") else self.store

    @property
    def split_bytes(self) -> int | None:
        return None if self.split_size is None else parse_size(self.split_size)

    @property
    def memory_limit_bytes(self) -> int | None:
        return None if self.memory_limit is None else parse_size(self.memory_limit)

    @property
    def bad_rows_share(self) -> float:
        return parse_share(self.bad_rows_limit)


@dataclass(frozen=True)
class Study:
    """What the shared machinery has to know about a study, and nothing more."""

    name: str
    package: str
    engines: tuple[str, ...]
    dataset: str
    parameters: type[Any]
    locate: Callable[["Options", Any], DatasetInfo]
    """(options, the study's own parameters) → the input; makes a data set of the catalogue that is
    not there yet."""
    validate: Callable[["Options", Any], None] = lambda options, parameters: None
    """(options, the study's own parameters): refuses by UsageError what cannot work."""
    task: str | None = None
    """The field of `parameters` that says what is to be done, in a study of several tasks."""
    methods: tuple[str, ...] = ("exact",)
    skips_bad_rows: bool = False
    """Whether its reader can leave out rows that cannot be read, for --bad-rows skip."""
    made: Callable[["Options", Any], str] | None = None
    """(options, the study's own parameters) → data set and size to be read, "name/size", where
    these parameters have a say in it; else it is `dataset` of --size."""
    packages: tuple[str, ...] = ("numpy", "numba", "pyarrow")
    """Distributions whose versions belong in the record."""


def recorded(options: Options) -> dict[str, Any]:
    """Common options that a record has among the study's own parameters."""
    names = ["seed", "data_seed", "split_size", "device", "memory_limit", "address"]
    if options.bad_rows != BAD_ROWS_REFUSE:
        # Not otherwise: records from before there was a choice stay those of their runs.
        names += ["bad_rows", "bad_rows_limit"]
    found = {name: getattr(options, name) for name in names}
    if options.nodes is not None:
        # Where a launch script has started a cluster for this run is no choice.
        found |= {"nodes": options.nodes, "address": None}
    return found


def configuration(study: Study, engine: str, options: Options, parameters: Any) -> dict[str, Any]:
    """What makes a run this run and no other, as plain JSON values: the input of its hash."""
    if options.data is not None:
        data = options.data
    elif study.made is not None:
        data = study.made(options, parameters)
    else:
        data = f"{study.dataset}/{options.size or 'tiny'}"
    if options.data is None and options.named_store is not None:
        # Not otherwise: the default store is a place of each machine, and no choice.
        data += f" in {options.named_store}"
    return {
        "study": study.name,
        "engine": engine,
        "data": data,
        "workers": options.worker_count,
        "threads": options.threads,
        "oversubscribe": options.oversubscribe,
        "method": options.method,
        "check": options.check,
        **recorded(options),
        "parameters": dataclasses.asdict(parameters),
    }


def validate(study: Study, engine: str, options: Options, parameters: Any) -> None:
    """Refuse what cannot work, before anything is read, made or started."""
    if options.size and options.data:
        raise UsageError("--size and --data exclude each other: give one of them")
    if options.method not in study.methods:
        raise UsageError(
            f"--method {options.method}: {study.name} knows {', '.join(study.methods)}"
        )
    if options.device not in DEVICES:
        raise UsageError(f"--device {options.device}: choose auto, cpu or cuda")
    if options.device == "cuda" and engine not in GPU_ENGINES:
        raise UsageError("--device cuda: only the torch engine computes on a GPU")
    if options.bad_rows not in BAD_ROWS:
        raise UsageError(f"--bad-rows {options.bad_rows}: choose {' or '.join(BAD_ROWS)}")
    parse_share(options.bad_rows_limit)
    if options.bad_rows == BAD_ROWS_SKIP:
        if not study.skips_bad_rows:
            raise UsageError(f"--bad-rows skip: {study.name} reads whole files or none")
        if options.method != study.methods[0]:
            raise UsageError(f"--bad-rows skip: --method {study.methods[0]} only")
    if options.split_bytes is not None and options.split_bytes < 1:
        raise UsageError("--split-size must be at least one byte")
    if options.address is None and "RANK" not in os.environ:
        _validate_local_resources(options)
    study.validate(options, parameters)


def _validate_local_resources(options: Options) -> None:
    asked, available = options.worker_count * options.threads, machine.cores()
    if asked > available and not options.oversubscribe:
        raise ResourceError(
            f"{options.worker_count} workers × {options.threads} threads ask for {asked} cores,"
            f" {available} available: lower --workers, or add --oversubscribe"
        )
    budget, memory = options.memory_limit_bytes, machine.memory_bytes()
    if budget is not None and budget > memory:
        raise ResourceError(
            f"--memory-limit asks for {budget:,} bytes of memory, {memory:,} available"
        )
    if options.device == "cuda" and machine.gpus() < options.worker_count:
        raise ResourceError(
            f"--device cuda asks for {options.worker_count} GPUs (one per worker),"
            f" {machine.gpus()} available: use --device cpu"
        )


def choose(option: str, value: object, known: Sequence[object]) -> None:
    """UsageError unless a value is one of those that an option knows."""
    if value not in known:
        raise UsageError(f"--{option} {value}: choose {', '.join(map(str, known))}")
