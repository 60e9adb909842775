"""One copy on every host of what all its workers read: memory that they share.

The training samples of all workers, in the order of their numbers, for the forest and the nearest
neighbours. Every worker writes its own into its host's copy, in which their places are known
beforehand; only what lies on other hosts is sent, once to each. And arrays that one worker made for
all of its host.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.engines import host_memory
from studykit.engines.host_memory import Hosts, Shared

from synthetic_classifiers import team
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Features, Labels
from synthetic_classifiers.team import Team
from synthetic_classifiers.worker import Worker

ALIGNMENT = 64
"""Bytes: a line of the cache."""

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Block:
    """Arrays in a host's shared memory: {name: (offset, shape, dtype)}."""

    name: str
    places: Mapping[str, tuple[int, tuple[int, ...], str]]

    def attach(self) -> Arrays:
        data = host_memory.attach(self.name, np.uint8)
        return {
            name: np.ndarray(shape, dtype, data, offset)
            for name, (offset, shape, dtype) in self.places.items()
        }


def room(shapes: Mapping[str, tuple[tuple[int, ...], str]]) -> tuple[Shared, Block]:
    """Shared memory for arrays of these shapes and dtypes, zero at first."""
    places, end = {}, 0
    for name, (shape, dtype) in shapes.items():
        places[name] = (end, shape, dtype)
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        end += -(-size // ALIGNMENT) * ALIGNMENT
    shared = Shared(max(end, 1))
    return shared, Block(shared.name, places)


def put(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Shared, Block]:
    """Copies of these arrays in shared memory."""
    shared, block = room({name: (one.shape, one.dtype.str) for name, one in arrays.items()})
    for name, array in block.attach().items():
        array[...] = arrays[name]
    return shared, block


def share_training_samples(team_: Team, division: Division, columns: int) -> Hosts:
    """After it every worker has `host_features` and `host_labels`. Returns who shares memory."""
    hosts = Hosts(team_.on_all(place))
    if len(hosts.places) == 1:
        team_.on_all(_own)
        return hosts
    blocks = team_.on_all(_make_room, hosts, division.train_rows, columns)
    team_.on_all(_write_own, hosts, blocks)
    if hosts.others:
        team_.bring(hosts, _give, _take)
    team_.on_all(_release)
    return hosts


def place(worker: Worker) -> str:
    return host_memory.place()


def _own(worker: Worker) -> None:
    """Of one worker: its training samples are all there are, in order."""
    worker.host_features, worker.host_labels = worker.train.features, worker.train.labels


def _make_room(worker: Worker, hosts: Hosts, rows: int, columns: int) -> Block | None:
    if hosts.leader(worker.number) != worker.number:
        return None
    shared, block = room({"features": ((rows, columns), "<f4"), "labels": ((rows,), "<i4")})
    worker.kept["host copy"] = shared
    return block


def _write_own(worker: Worker, hosts: Hosts, blocks: Sequence[Block]) -> None:
    arrays = blocks[hosts.leader(worker.number)].attach()
    worker.host_features, worker.host_labels = arrays["features"], arrays["labels"]
    _write(worker, _give(worker))


Given = tuple[list[int], list[int], Features, Labels]
"""Where runs of training samples begin in the whole, how long each is, and the samples."""


def _give(worker: Worker) -> Given:
    return worker.starts, worker.lengths, worker.train.features, worker.train.labels


def _take(worker: Worker, given: Sequence[Given]) -> None:
    for one in given:
        _write(worker, one)


def _write(worker: Worker, given: Given) -> None:
    starts, lengths, features, labels = given
    end = 0
    for start, length in zip(starts, lengths, strict=True):
        begin, end = end, end + length
        worker.host_features[start : start + length] = features[begin:end]
        worker.host_labels[start : start + length] = labels[begin:end]


def _release(worker: Worker) -> None:
    """All have mapped it: the memory ends with the last of them."""
    shared = worker.kept.pop("host copy", None)
    if shared is not None:
        shared.close()


def share_arrays(team_: Team, hosts: Hosts, make: team.Step, *arguments: Any) -> list[Any]:
    """Arrays that every worker makes, `make(worker, *arguments) -> Arrays`, for all of its host.

    After it `worker.kept[\"arrays\"]` is a list of those of its host's workers, in their order.
    """
    if len(hosts.places) == 1:
        return team_.on_all(_keep, make, *arguments)
    blocks = team_.on_all(_put, make, *arguments)
    team_.on_all(_attach, hosts, blocks)
    return team_.on_all(_release_arrays)


def _keep(worker: Worker, make: team.Step, *arguments: Any) -> None:
    worker.kept["arrays"] = [make(worker, *arguments)]


def _put(worker: Worker, make: team.Step, *arguments: Any) -> Block:
    worker.kept["shared arrays"], block = put(make(worker, *arguments))
    return block


def _attach(worker: Worker, hosts: Hosts, blocks: Sequence[Block]) -> None:
    here = hosts.places[worker.number]
    worker.kept["arrays"] = [
        block.attach() for place, block in zip(hosts.places, blocks, strict=True) if place == here
    ]


def _release_arrays(worker: Worker) -> None:
    worker.kept.pop("shared arrays").close()
