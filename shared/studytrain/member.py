"""A process of a training: one rank, its place in the group, and what the study trains in it."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import torch

from studytrain import allocator, checkpoints, process_group
from studytrain.checkpoints import Checkpoint, Figures, Packed, Setting
from studytrain.process_group import Address, Meeting


class Rank(Protocol):
    """What a study trains, on one rank. All ranks are asked the same, at once."""

    def epoch(self, number: int) -> Figures:
        """Train one epoch, counted from 1; its figures, the same on every rank."""

    def state(self) -> dict[str, Any]:
        """Model and optimizer, equal on all ranks."""

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from there."""

    def answer(self) -> Any:
        """This rank's share of what the trained model answers."""


@dataclass(frozen=True)
class Report:
    """What one rank says of an epoch; rank 0 adds the checkpoint after it."""

    figures: Figures
    seconds: dict[str, float]
    bytes_sent: int
    checkpoint: Packed | None


class Member:
    """The driver calls `do` by the names of the other methods; engines say where this is."""

    def __init__(self, number: int, count: int, threads: int) -> None:
        self._number, self._count, self._threads = number, count, threads
        self._rank: Rank | None = None

    def host(self) -> str:
        """An address of this host at which the other ranks reach it."""
        return "127.0.0.1"

    def do(self, method: str, *arguments: Any) -> Any:
        # Of the thread that calls; another library may have set it, and other threads may call.
        torch.set_num_threads(self._threads)
        return getattr(self, method)(*arguments)

    def prepare(self, imports: Callable[[], object]) -> None:
        """What takes seconds once in a process, and is no part of the training."""
        allocator.keep_freed_memory()
        imports()

    def listen(self) -> Address:
        """Leave the group before; say where the others find this rank of the next."""
        process_group.leave()
        return process_group.listen(self.host())

    def join(self, meeting: Meeting) -> None:
        process_group.join(meeting, self._number)

    def build(self, make: Callable[..., Rank], *arguments: Any) -> None:
        self._rank = make(*arguments)

    def restore(self, content: Packed) -> None:
        self._built.restore(dict(checkpoints.unpacked(content).state))

    def epoch(self, of: Mapping[str, Setting], history: Sequence[Figures]) -> Report:
        """The epoch that follows the history."""
        before, began = replace(process_group.traffic), time.monotonic()
        figures = self._built.epoch(len(history) + 1)
        wall = time.monotonic() - began
        communicate = process_group.traffic.seconds - before.seconds
        checkpoint = None
        if self._number == 0:
            state = self._built.state()
            checkpoint = checkpoints.packed(Checkpoint(of, [*history, figures], state))
        return Report(
            figures,
            {"compute": wall - communicate, "communicate": communicate},
            process_group.traffic.bytes - before.bytes,
            checkpoint,
        )

    def answer(self) -> Any:
        return self._built.answer()

    def leave(self) -> None:
        self._rank = None
        process_group.leave()

    @property
    def _built(self) -> Rank:
        if self._rank is None:
            raise RuntimeError("asked before it was built")
        return self._rank
