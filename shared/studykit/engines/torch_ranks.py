"""torch.distributed as a rank sees it: who it is, the group it joins, where all of them compute.

Ranks talk over gloo, whose messages are arrays of the host's memory.
"""

import contextlib
import datetime
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
import torch.distributed as dist
from torch.profiler import ProfilerActivity, profile

from studykit import cli, processes
from studykit.engines.collectives import gather_objects
from studykit.errors import ResourceError, StudyError, UsageError
from studykit.options import Options
from studykit.run import Run

GROUP_TIMEOUT_SECONDS = 1800
"""Longest wait of one rank for another: a rank may parse far longer than its siblings. A rank that
dies is noticed by its launcher within a moment, not by this."""


EXIT_FILE = "exit-code"
"""In the folder of a launcher: where the rank that fails first leaves its code."""
MEETING = "STUDY_MEETING"
"""Environment variable: the file by which ranks forked on one host find each other; no port."""


def become(number: int, count: int, folder: str) -> None:
    """Make this process rank `number` of `count`, all on this host, as torchrun would."""
    ranks = {"RANK": number, "LOCAL_RANK": number, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count}
    os.environ |= {name: str(value) for name, value in ranks.items()}
    os.environ |= {MEETING: f"{folder}/meeting", cli.EXIT_FILE: f"{folder}/{EXIT_FILE}"}


def cause(codes: Mapping[int, int]) -> str:
    """What to say of ranks (their exit codes) that ended without a word."""
    for number, code in codes.items():
        if code < 0 and code != -signal.SIGTERM:
            return f"rank {number} was killed by signal {-code}; others were stopped"
    number, code = next((number, code) for number, code in codes.items() if code)
    return f"rank {number} ended with exit code {code} without saying why"


def is_rank() -> bool:
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def rank() -> int:
    return int(os.environ.get("RANK", "0"))


def local_rank() -> int:
    return int(os.environ.get("LOCAL_RANK", "0"))


def hosts() -> int:
    """Launchers that have joined, one on each host, however many ranks each of them started."""
    return int(os.environ.get("GROUP_WORLD_SIZE", "1"))


def share_of_host(options: Options) -> int | None:
    """Of --memory-limit, what this host's ranks may take, in bytes."""
    limit, world = options.memory_limit_bytes, int(os.environ["WORLD_SIZE"])
    return None if limit is None else limit * int(os.environ["LOCAL_WORLD_SIZE"]) // world


@contextlib.contextmanager
def group(options: Options) -> Iterator[None]:
    """Join the process group of all ranks; leave it in any case."""
    torch.set_num_threads(options.threads)
    world = int(os.environ["WORLD_SIZE"])
    if options.workers is not None and options.workers != world:
        raise UsageError(f"--workers {options.workers}, but the launcher started {world} ranks")
    with _ended_at_once():
        meeting = os.environ.get(MEETING)
        dist.init_process_group(
            "gloo",
            init_method=None if meeting is None else f"file://{meeting}",
            rank=rank(),
            world_size=world,
            timeout=datetime.timedelta(seconds=GROUP_TIMEOUT_SECONDS),
        )
    try:
        dist.barrier()
        yield
    except RuntimeError as error:
        if "gloo" not in str(error):
            raise
        if cli.EXIT_FILE in os.environ:
            raise SystemExit(1) from None  # The launcher knows which rank was lost, and says so.
        raise StudyError("lost another rank: the error of that one says why") from error
    # Not after an error: the others would see the connection close, and say that, before this
    # rank has said what went wrong.
    dist.destroy_process_group()


@contextlib.contextmanager
def _ended_at_once() -> Iterator[None]:
    """While it waits for a rank that has failed, torch lets no handler of Python's run, and its
    launcher would wait 30 s; there is nothing to clean up yet."""
    previous = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def agreed_device(options: Options) -> tuple[str, list[str]]:
    """Where all ranks compute ('cpu' or 'cuda'), and what each of them has for it.

    A GPU for every rank, or the CPU for all: one slow rank would set the pace. ResourceError where
    cuda was asked for and not every rank has a GPU.
    """
    mine = torch.cuda.device_count() > local_rank()
    names = gather_objects(torch.cuda.get_device_name(local_rank()) if mine else None)
    found = [f"cuda {name}" for name in names if name is not None]
    if options.device == "cuda" and len(found) < len(names):
        raise ResourceError(
            f"--device cuda asks for {len(names)} GPUs (one per worker), {len(found)} available"
        )
    if options.device == "cpu" or len(found) < len(names):
        return "cpu", ["cpu"] * len(names)
    torch.cuda.set_device(local_rank())
    return "cuda", found


@contextlib.contextmanager
def profiled(run: Run) -> Iterator[None]:
    """With --profile, the operators and collectives of every rank, in Chrome's format."""
    if not run.options.profile:
        yield
        return
    with profile(activities=[ProfilerActivity.CPU]) as profiler:
        yield
    with processes.temporary_folder("study-trace-") as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        traces = gather_objects(path.read_bytes())
    run.profiles |= {f"trace-rank-{rank}.json": trace for rank, trace in enumerate(traces)}


def host_peak(run: Run) -> int:
    """Peak memory in bytes of this host's ranks and their agent, from its first rank; else 0."""
    if run.sampler is None or local_rank() != 0:
        return 0
    run.sampler.sample()
    return run.sampler.peak_bytes
