"""What a comparison is asked, and the cells that follow from it, in the order in which they run."""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from studykit import machine
from studykit.errors import StorageError, UsageError
from studykit.options import DEVICES, GPU_ENGINES, Options, Study, parse_size
from studykit.records import PEER, PLAIN

from studysweep.cells import Cell

DEFAULT_STORE = "file"
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
    hosts: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Hosts, one `host[:slots]` a line: the engines run there, by their launch scripts;"
            " one plain process here is what they are divided by.",
        ),
    ] = None
    nodes: Annotated[
        str | None,
        typer.Option(help="Of those hosts so many, from the first on, as in 1,2,3 (all)."),
    ] = None
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
    device: Annotated[
        str, typer.Option(help="Where torch computes: auto, cpu or cuda; the others on the CPU.")
    ] = "cpu"
    seed: Annotated[int, typer.Option(help="Seed of the algorithm.")] = 42
    data_seed: Annotated[int, typer.Option(help="Seed of the data generator.")] = 0
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Limit of each run.")
    ] = None
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Run all again, whatever was finished before.")
    ] = False
    pause: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="Rest before each run.")
    ] = PAUSE_SECONDS
    store: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            envvar="STUDY_STORE",
            help="Where generated data sets are kept; of several each, and file is the default.",
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
    _require_device(asked.device, engines)
    places = _places(asked)
    stores = _stores(asked)
    setting: list[Cell] = []
    for size in sizes:
        for (workers, nodes), store in itertools.product(places, stores):
            common = dataclasses.replace(_options(asked, size, workers, store), nodes=nodes)
            hosts, chosen = None if nodes is None else asked.hosts, engines
            if asked.hosts is not None:
                # The one process runs here, the others on the hosts.
                chosen = [name for name in engines if (name == PLAIN) == (nodes is None)]
            for split in splits:
                for engine in chosen:
                    for method in methods:
                        device = asked.device if engine in GPU_ENGINES else "cpu"
                        options = dataclasses.replace(
                            common, split_size=split, method=method, device=device
                        )
                        setting.append(Cell(study, engine, options, parameters, 1, hosts=hosts))
            for peer in libraries if nodes is None else ():
                options = dataclasses.replace(common, method=PEER, device="cpu")
                setting.append(Cell(study, peer, options, parameters, 1, peer=True))
    for number in range(1, asked.repeats + 1):
        for cell in setting:
            yield dataclasses.replace(cell, round=number)


def _options(asked: SweepOptions, size: str | None, workers: int, store: str | None) -> Options:
    shared = {field.name for field in dataclasses.fields(Options)}
    kept = {field.name for field in dataclasses.fields(SweepOptions)} & shared
    kept -= {"size", "workers", "nodes", "store", "split_size", "out", "json", "dry_run"}
    same = {name: getattr(asked, name) for name in sorted(kept)}
    return Options(size=size, workers=workers, store=store, **same)


def _stores(asked: SweepOptions) -> list[str | None]:
    """Where the data sets are kept; None stands for the default, which is `file`."""
    if asked.store is None:
        return [None]
    stores = _list("store", asked.store)
    if asked.data is not None and len(stores) > 1:
        raise UsageError("--store and --data exclude each other: --data lies in one place")
    return [None if store == DEFAULT_STORE else store for store in stores]


def _require_device(device: str, engines: Sequence[str]) -> None:
    if device not in DEVICES:
        raise UsageError(f"--device {device}: choose {', '.join(DEVICES)}")
    if device == "cuda" and not set(engines) & set(GPU_ENGINES):
        raise UsageError(f"--device cuda: on a GPU computes only {', '.join(GPU_ENGINES)}")


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


def _places(asked: SweepOptions) -> list[tuple[int, int | None]]:
    """(workers, hosts on which a launch script starts them, or None for this machine)."""
    if asked.hosts is None:
        if asked.nodes is not None:
            raise UsageError("--nodes needs --hosts, a file of them")
        return [(workers, None) for workers in _worker_counts(asked)]
    if asked.workers is not None:
        raise UsageError("--workers and --hosts exclude each other: the hosts' slots are workers")
    slots = _slots(asked.hosts)
    try:
        counts = [int(text) for text in _list("nodes", asked.nodes or str(len(slots)))]
    except ValueError:
        counts = [0]
    if min(counts) < 1 or max(counts) > len(slots):
        raise UsageError(f"--nodes {asked.nodes}: {asked.hosts} has {len(slots)} hosts")
    # One process, with as many threads as a host has workers, as far as there are cores here.
    alone = min(slots[0], max(1, machine.cores() // asked.threads))
    return [(alone, None), *((sum(slots[:count]), count) for count in counts)]


def _slots(path: str) -> list[int]:
    """Workers of each host, as the launch scripts read the file, which say what is wrong in it."""
    try:
        lines = Path(path).read_text("utf-8").splitlines()
    except OSError as error:
        raise StorageError(f"{path}: cannot be read: {error.strerror}") from None
    named = [line.partition("#")[0].strip() for line in lines]
    found = [re.fullmatch(r"[A-Za-z0-9._-]+(?::([1-9][0-9]*))?", name) for name in named if name]
    if not found or None in found:
        raise UsageError(f"{path}: expected host[:slots] in every line")
    return [int(one[1] or 1) for one in found if one is not None]


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
