"""The driver of a training, which knows no engine: one call to every rank for each epoch.

    with contextlib.closing(RayRanks(count, threads)) as ranks:
        start(ranks, plan)
        build(ranks, plan)
        training = train(ranks, plan)

It holds the history and the last checkpoint. Where a rank dies, new ones begin from that: the order
of an epoch depends on seed and epoch alone, so the result is the same as undisturbed.
"""

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from studykit.errors import StudyError

from studytrain import checkpoints
from studytrain.checkpoints import Figures, Packed, Setting
from studytrain.member import Rank, Report
from studytrain.process_group import Meeting

RESTARTS = 3
"""Of one training. With no more of them, what kills its ranks is likely to kill the next too."""


class RankDied(StudyError):
    """The process of a rank is gone."""


class Ranks(Protocol):
    """An engine's way of placing ranks: a `Member` in a process of its own, for each of them."""

    @property
    def count(self) -> int: ...

    def place(self) -> None:
        """New ranks, in place of those of before; ResourceError where there is no room."""

    def call(self, method: str, *arguments: Any) -> list[Any]:
        """What all ranks return, called at once, in their order.

        RankDied where one is gone; an error of one is raised as it is, without waiting for others.
        """

    def close(self) -> None:
        """Leave nothing of the ranks behind."""


def _nothing(*_: object) -> None: ...


@dataclass(frozen=True)
class Plan:
    """`make(*arguments)` is the study's rank, built in every process; arrays are arguments of
    their own, which engines send best."""

    make: Callable[..., Rank]
    arguments: Sequence[Any]
    of: Mapping[str, Setting]
    epochs: int
    prepare: Callable[[], object] = _nothing
    """Called in every process as it starts: imports what `make` will need."""
    begin: Packed | None = None
    """A checkpoint to be trained on."""
    keep: Callable[[Packed], object] = _nothing
    """Told the checkpoint after every epoch."""
    told: Callable[[Sequence[Figures], float], object] = _nothing
    """Told the history after every epoch, and the seconds left."""
    died: Callable[[RankDied], object] = _nothing
    """Told how a rank has died, and that new ones will be placed."""


@dataclass
class Training:
    """What the driver knows; `seconds` of every rank and by epoch are of this run alone."""

    history: list[Figures]
    checkpoint: Packed | None
    answers: list[Any] = field(default_factory=list)
    seconds: list[dict[str, float]] = field(default_factory=list)
    communicate_by_epoch: list[float] = field(default_factory=list)
    """Of the rank that waited for others the least."""
    bytes_sent: int = 0
    restarts: int = 0

    def add(self, reports: Sequence[Report]) -> None:
        self.history.append(reports[0].figures)
        self.checkpoint = reports[0].checkpoint
        if not self.seconds:
            self.seconds = [{} for _ in reports]
        for spent, report in zip(self.seconds, reports, strict=True):
            for phase, seconds in report.seconds.items():
                spent[phase] = spent.get(phase, 0.0) + seconds
        self.communicate_by_epoch.append(min(one.seconds["communicate"] for one in reports))
        self.bytes_sent += sum(report.bytes_sent for report in reports)


def start(ranks: Ranks, plan: Plan) -> None:
    """Place the ranks, let them import what they will need, and form a group.

    Where one of them dies, all are placed again; RankDied where that happens too often.
    """
    for attempt in range(RESTARTS + 1):
        try:
            _meet(ranks, plan)
            return
        except RankDied:
            if attempt == RESTARTS:
                raise


def _meet(ranks: Ranks, plan: Plan) -> None:
    ranks.place()
    ranks.call("prepare", plan.prepare)
    if ranks.count > 1:
        ranks.call("join", Meeting(ranks.call("listen"), secrets.token_bytes(16)))


def build(ranks: Ranks, plan: Plan) -> None:
    """Give every rank its model and its data; once more, to new ones, where one dies of it."""
    try:
        ranks.call("build", plan.make, *plan.arguments)
    except RankDied as error:
        plan.died(error)
        start(ranks, plan)
        ranks.call("build", plan.make, *plan.arguments)


def train(ranks: Ranks, plan: Plan) -> Training:
    """Train by ranks that have been built. RankDied where they die too often."""
    begun = [] if plan.begin is None else checkpoints.unpacked(plan.begin).history
    training = Training(list(begun), plan.begin)
    whole = True
    while True:
        try:
            if not whole:
                start(ranks, plan)
                build(ranks, plan)
            _train_on(ranks, plan, training)
            return training
        except RankDied as error:
            if training.restarts == RESTARTS:
                reason = f"ranks died {RESTARTS + 1} times; with --memory-limit, of too little"
                raise RankDied(f"{reason}: {error}") from error
            training.restarts += 1
            whole = False
            plan.died(error)


def _train_on(ranks: Ranks, plan: Plan, training: Training) -> None:
    if training.checkpoint is not None:
        ranks.call("restore", training.checkpoint)
    spent: list[float] = []
    while len(training.history) < plan.epochs:
        began = time.monotonic()
        training.add(ranks.call("epoch", dict(plan.of), list(training.history)))
        if training.checkpoint is not None:
            plan.keep(training.checkpoint)
        spent.append(time.monotonic() - began)
        left = plan.epochs - len(training.history)
        plan.told(training.history, left * sum(spent) / len(spent))
    training.answers = ranks.call("answer")
