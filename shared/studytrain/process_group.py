"""One gloo group of the ranks of a training, and sums over it.

    port = open_store(host)                           # by rank 0, which is then told to all
    join(Meeting(host, port, generation), rank, world_size, host_of_this_rank)
    all_reduce(tensor)
    leave()

A process is in one group at a time, torch's default one; it can leave it and join another. Where
there is one rank there is no group, and nothing is sent.
"""

import contextlib
import datetime
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psutil
import torch.distributed as dist

# Here, while there is no group: its functions have the group that there is at its import as a
# default and so keep it, and its store, open. The first optimizer of torch.optim imports it.
import torch.distributed.nn.functional  # noqa: F401
from studykit.errors import StudyError
from torch import Tensor
from torch._C._distributed_c10d import PrefixStore, TCPStore

TIMEOUT = datetime.timedelta(seconds=60)
"""A rank whose process dies is noticed at once, by its connections; one whose host is cut off,
after so long. Ranks wait for each other within a step, of which all have the same share."""
INTERFACE = "GLOO_SOCKET_IFNAME"


class PeerLost(StudyError):
    """Another rank of the group is gone, or cannot be reached."""


@dataclass(frozen=True)
class Meeting:
    """Where the ranks meet: the store of rank 0; which of this driver's groups it is."""

    host: str
    port: int
    generation: int


@dataclass
class Traffic:
    """What this process has spent on its groups: seconds, bytes sent."""

    seconds: float = 0.0
    bytes: int = 0


traffic = Traffic()
_stores: list[TCPStore] = []
"""That of rank 0, while it is in a group."""


def open_store(host: str) -> int:
    """Listen at this address of this host; returns the port, a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, 0), family=family)
    port: int = listening.getsockname()[1]
    # By itself it would listen on every address that this host has.
    _stores[:] = [
        TCPStore(
            host, port, None, True, TIMEOUT,
            wait_for_workers=False, master_listen_fd=listening.detach(),
        )
    ]  # fmt: skip
    return port


def join(meeting: Meeting, rank: int, world_size: int, host: str) -> None:
    """Return once all have joined. `host`: the address of this rank. PeerLost if one does not."""
    interface = _interface(host)
    if interface is not None:
        os.environ.setdefault(INTERFACE, interface)
    with _losses():
        if rank == 0:
            (store,) = _stores
        else:
            store = TCPStore(
                meeting.host, meeting.port, None, False, TIMEOUT, wait_for_workers=False
            )
        dist.init_process_group(
            "gloo",
            store=PrefixStore(f"generation-{meeting.generation}", store),
            rank=rank,
            world_size=world_size,
            timeout=TIMEOUT,
        )


def leave() -> None:
    """Close the connections and the store, where there are any."""
    if dist.is_initialized():
        dist.destroy_process_group()
    _stores.clear()


def rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def world_size() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def all_reduce(tensor: Tensor) -> Tensor:
    """The sum over all ranks, in place. PeerLost where one of them is gone."""
    ranks = world_size()
    if ranks > 1:
        began = time.monotonic()
        with _losses():
            dist.all_reduce(tensor)
        traffic.seconds += time.monotonic() - began
        # A ring: each rank passes on all parts but its own twice, first sums, then results.
        traffic.bytes += 2 * (ranks - 1) * tensor.nbytes // ranks
    return tensor


@contextlib.contextmanager
def _losses() -> Iterator[None]:
    """torch has no class of its own for what gloo says."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "gloo" in str(error).lower():
            raise PeerLost(f"another rank of the training is gone: {error}") from error
        raise


def _interface(host: str) -> str | None:
    """The network interface that has this address; gloo takes the one of the host's name."""
    for name, addresses in psutil.net_if_addrs().items():
        if any(address.address == host for address in addresses):
            return name
    return None
