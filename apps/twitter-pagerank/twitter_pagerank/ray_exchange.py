"""What the actors exchange: edges once, sums and contributions in every iteration.

An actor's methods take and return arrays; the functions here, the driver's, see references to them
only. Within a host contributions are in one window, which its actors share, and are not sent.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from studykit.engines import host_memory
from studykit.engines.host_memory import Hosts

from twitter_pagerank import windows
from twitter_pagerank import worker as workers
from twitter_pagerank.kernel import Buckets, Floats
from twitter_pagerank.worker import Parcel, Worker


class RayWorker(Worker):
    """A worker whose arguments arrive one by one: Ray fetches references only at the top level."""

    def ready(self) -> str:
        workers.warm_up()
        return host_memory.place()

    def scatter_to(self, cuts: Sequence[int], own: int) -> Any:
        """A parcel for every owner, but None for its own, which stays here."""
        parcels: list[Parcel | None] = list(self.scatter(cuts))
        self._kept, parcels[own] = parcels[own], None
        return parcels if len(parcels) > 1 else None  # As num_returns wants it.

    def build_from(
        self, first_bucket: int, stop_bucket: int, *parcels: Parcel | None
    ) -> npt.NDArray[np.uint32]:
        """`Worker.build`, from what `scatter_to` of all workers has for this one."""
        kept = self.__dict__.pop("_kept")
        whole = [kept if parcel is None else parcel for parcel in parcels]
        return self.build(whole, first_bucket, stop_bucket)

    def open_window(self) -> str:
        self._shared = windows.shared_window(self.vertices.count)
        return self._shared.name

    def start_in(self, window: str, out_degree: npt.NDArray[np.uint32]) -> Floats:
        return self.start(out_degree, windows.attach_window(window))

    def sent(self) -> Floats:
        return self.outgoing

    def receive(self, firsts: Sequence[int], *sent: Floats) -> None:
        """Put into the window what workers of other hosts have sent, by their first vertices."""
        for first, part in zip(firsts, sent, strict=True):
            self.contributions(first, first + len(part))[:] = part

    def step_from(self, *sums_and_arrivals: Floats | None) -> Floats:
        """`Worker.step` from the sums of all workers, once all has arrived (None) that is to."""
        return self.step(np.concatenate([sums for sums in sums_and_arrivals if sums is not None]))

    def answer(self) -> tuple[npt.NDArray[np.int64], Floats, int, dict[str, float]]:
        ids = self.vertices.ids(self.rows.first, self.rows.stop)
        return ids, self.ranks, self.edges, self.phases.seconds


def exchange_edges(actors: Sequence[Any], cuts: list[int]) -> list[tuple[Any, ...]]:
    """Let all scatter their edges; for every owner, references to what each of them has for it."""
    scattered = [
        actor.scatter_to.options(num_returns=len(actors)).remote(cuts, own)
        for own, actor in enumerate(actors)
    ]
    # A single reference comes without a list.
    return list(zip(*scattered, strict=True)) if len(actors) > 1 else [tuple(scattered)]


class Exchange:
    """What an iteration exchanges: contributions with other hosts; the sums are the driver's."""

    def __init__(
        self, actors: Sequence[Any], hosts: Hosts, buckets: Buckets, cuts: list[int]
    ) -> None:
        self._actors, self._hosts = actors, hosts
        self._firsts = [buckets.first_vertex(cut) for cut in cuts]

    def start(self, out_degree: Any) -> list[Any]:
        """`Worker.start` of all, in windows of their hosts."""
        leaders = [self._hosts.leader(index) for index in range(len(self._actors))]
        windows = {leader: self._actors[leader].open_window.remote() for leader in set(leaders)}
        return [
            actor.start_in.remote(windows[leader], out_degree)
            for actor, leader in zip(self._actors, leaders, strict=True)
        ]

    def contributions(self) -> list[Any]:
        """Let the first actor of every host write down what the others send; done when these are.

        Within a host there is nothing to send.
        """
        if not self._hosts.others:
            return []
        sent = [actor.sent.remote() for actor in self._actors]
        written = []
        for leader in self._hosts.leaders:
            foreign = self._hosts.elsewhere(leader)
            firsts = [self._firsts[index] for index in foreign]
            arriving = [sent[index] for index in foreign]
            written.append(self._actors[leader].receive.remote(firsts, *arriving))
        return written
