"""The frame of a study's peers: libraries that a user would otherwise pick, timed beside engines.

A peer is one plain process with workers × threads threads. What it does is a function of the
study's, of a `Run`; what lies around it is here: the command, its validation, threads and memory.
A peer does a whole study, or one step of it: then it has no answer to write.
"""

import dataclasses
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

import numpy as np
import typer
from studykit import cli, columnar, machine, storage
from studykit import options as common
from studykit.errors import ResourceError, UsageError
from studykit.execution import execute
from studykit.options import Options, Study
from studykit.records import PEER, Check
from studykit.run import Outcome, Run
from studykit.text import lines

Peers = Mapping[str, Callable[[Run], Outcome]]
"""{name of the library: what it does}."""
COUNTED_BYTES = 1 << 26
"""At a time, of a file whose lines are counted."""


def refuse_to_write(options: Options, parameters: Any) -> None:
    """The validation of peers that do one step: UsageError where an answer is to be written."""
    if options.out is not None:
        _refuse(options.out)


def entry_point(
    study: Study,
    peers: Peers,
    *,
    validate: Callable[[Options, Any], None] = refuse_to_write,
) -> Callable[[], None]:
    """The main of `<package>.peers`: a name and the options of an engine; runs that library.

    `validate` refuses, beside what an engine would be refused, what these peers cannot do.
    """
    names = list(peers)

    def compute(run: Run) -> Outcome:
        outcome = peers[run.engine](run)
        outcome.devices = ["cpu"]  # One process, whatever its threads.
        return outcome

    @dataclasses.dataclass(frozen=True)
    class Peer:
        name: Annotated[str, typer.Argument(help=f"Library: {', '.join(names)}.")] = names[0]

    def run(peer: Peer, options: Options, parameters: Any) -> None:
        with cli.manners(options.debug):
            if peer.name not in peers:
                raise UsageError(f"{peer.name}: known peers are {', '.join(names)}")
            asked = dataclasses.replace(options, method=study.methods[0])
            common.validate(study, peer.name, asked, parameters)
            validate(options, parameters)
            machine.pin_threads(options.worker_count * options.threads)
            asked = dataclasses.replace(options, method=PEER)
            limit = options.memory_limit_bytes
            sys.exit(execute(study, peer.name, asked, parameters, compute, memory_limit=limit))

    example = f"python -m {study.package}.peers {names[0]} --size tiny --workers 2"
    doc = f"Time a library on the data of {study.name}.\n\nExample: {example}"
    return cli.application(cli.typer_command((Peer, Options, study.parameters), run, doc=doc))


def local_files(run: Run) -> list[str]:
    """URIs of the data. ResourceError where a library could not read them as plain local files."""
    uris = storage.list_files(run.dataset.uri)
    if not all(map(storage.is_local, uris)):
        raise ResourceError(f"{run.engine} is compared on local files only: {run.dataset.uri}")
    if any(map(storage.compression, uris)):
        raise ResourceError(f"{run.engine} is compared on plain files only: {run.dataset.uri}")
    return uris


def step(run: Run, quality: dict[str, Any], check: Callable[[], Check]) -> Outcome:
    """The outcome of one step of the study."""
    return Outcome(quality=quality, check=check, write=_refuse, bytes_read=run.dataset.bytes)


def check_rows(run: Run, rows: int, bodies: Iterable[tuple[str, int]]) -> Check:
    """Against the catalogue's count; for the user's own data, against the lines of the files.

    `bodies` are the files, each with the offset in bytes of its first row.
    """
    expected, oracle = run.dataset.rows, "rows in the catalogue"
    if expected is None:
        expected = sum(count_filled(uri, body) for uri, body in bodies)
        oracle = "lines of the files"
    detail = {"rows": rows, "expected": expected}
    return Check(passed=rows == expected, oracle=oracle, detail=detail)


def count_filled(uri: str, body: int) -> int:
    """How many lines from byte `body` of a file on are not empty; of Parquet, its rows."""
    if columnar.is_parquet(uri):
        return columnar.row_count(uri)
    count = 0
    for split in storage.splits(uri, COUNTED_BYTES):
        for block in lines.blocks_from(split, body):
            filled = (block.data != ord("\n")) & (block.data != ord("\r"))
            # Blocks are whole lines: a line begins at the block's first byte or after an end.
            count += int(np.count_nonzero(filled[1:] & ~filled[:-1])) + int(filled[0])
    return count


def _refuse(uri: str) -> Mapping[str, str]:
    raise UsageError(f"--out {uri}: a peer does one step and has no answer to write")
