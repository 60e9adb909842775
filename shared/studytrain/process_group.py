"""One group of the ranks of a training, and sums over it.

    address = listen(host)                  # by every rank; the driver then tells all to all
    join(Meeting(addresses, key), rank)
    all_reduce(tensor)
    leave()

A process is in one group at a time; it can leave it and join another. Where there is one rank
there is no group, and nothing is sent.

Every rank has a connection to every other, and the thread that computes is the one that sends and
receives. torch's own group for CPUs, gloo, leaves that to threads which wait for a core while all
of them compute: two ranks on two cores took 2 to 3 ms for a sum of 150 KB, and take 0.2 ms here.
"""

import contextlib
import selectors
import socket
import struct
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from studykit.errors import StudyError
from torch import Tensor

TIMEOUT = 60.0
"""Seconds. A rank whose process dies is noticed at once, by its connections; one whose host is cut
off, after so long. Ranks wait for each other within a step, of which all have the same share."""
GREETING_TIMEOUT = 5.0
"""For who has connected to say who it is."""
Address = tuple[str, int]
"""Host and port at which a rank listens."""


class PeerLost(StudyError):
    """Another rank of the group is gone, or cannot be reached."""


@dataclass(frozen=True)
class Meeting:
    """Where the ranks listen, in their order; 16 bytes by which they know each other."""

    addresses: Sequence[Address]
    key: bytes


@dataclass
class Traffic:
    """What this process has spent on its groups: seconds, bytes sent."""

    seconds: float = 0.0
    bytes: int = 0


traffic = Traffic()


@dataclass
class _Group:
    """This process' place in it; its connection to each of the others."""

    rank: int = 0
    size: int = 1
    connections: dict[int, socket.socket] = field(default_factory=dict)


_group = _Group()
_listening: list[socket.socket] = []
"""Between `listen` and `join`: one."""


def rank() -> int:
    return _group.rank


def world_size() -> int:
    return _group.size


def listen(host: str) -> Address:
    """At this address of this host; returns it with a free port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, 0), family=family, backlog=128)
    _listening.append(listening)
    return host, listening.getsockname()[1]


def join(meeting: Meeting, rank: int) -> None:
    """Return once connected to all. PeerLost if one cannot be reached, or does not come."""
    (listening,) = _listening
    _group.rank, _group.size = rank, len(meeting.addresses)
    with _losses():
        for other, address in enumerate(meeting.addresses[:rank]):
            connection = socket.create_connection(address, TIMEOUT)
            _group.connections[other] = connection
            connection.sendall(meeting.key + struct.pack("!I", rank))
        until = time.monotonic() + TIMEOUT
        while len(_group.connections) < _group.size - 1:
            listening.settimeout(max(until - time.monotonic(), 0.001))
            connection, _ = listening.accept()
            newcomer = _greeted(connection, meeting.key)
            if newcomer is None:
                connection.close()
            else:
                _group.connections[newcomer] = connection
        for connection in _group.connections.values():
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setblocking(False)
    _stop_listening()


def leave() -> None:
    """Close the connections, where there are any; the others lose this rank."""
    _stop_listening()
    for connection in _group.connections.values():
        connection.close()
    _group.connections.clear()
    _group.rank, _group.size = 0, 1


def all_reduce(tensor: Tensor) -> Tensor:
    """The sum over all ranks, in place, to the same bits on every one of them.

    `tensor` lies in one block, on the CPU. Each rank sums a part of it, in the order of the ranks.
    PeerLost where one of them is gone; this one has then left the group too.
    """
    me, ranks = rank(), world_size()
    if ranks == 1:
        return tensor
    began = time.monotonic()
    parts = tensor.view(-1).tensor_split(ranks)
    others = sorted(_group.connections)
    received = {other: torch.empty_like(parts[me]) for other in others}
    # Of more than two floats the sum is rounded once; of two it is so anyway.
    wide = torch.float64 if ranks > 2 and tensor.is_floating_point() else tensor.dtype
    with _losses():
        _exchange({one: parts[one] for one in others}, received)
        first, *more = (parts[me] if one == me else received[one] for one in range(ranks))
        total = first.to(wide)
        for part in more:
            total += part
        parts[me].copy_(total)
        _exchange(dict.fromkeys(others, parts[me]), {one: parts[one] for one in others})
    traffic.seconds += time.monotonic() - began
    traffic.bytes += tensor.nbytes + (ranks - 2) * parts[me].nbytes
    return tensor


def _exchange(sent: Mapping[int, Tensor], received: Mapping[int, Tensor]) -> None:
    """Send and receive at once, for as long as anything is left of either."""
    out = {other: _bytes(part) for other, part in sent.items() if len(part)}
    into = {other: _bytes(part) for other, part in received.items() if len(part)}
    with contextlib.closing(selectors.PollSelector()) as selector:
        for other, connection in _group.connections.items():
            _watch(selector, connection, other, out, into)
        while out or into:
            ready = selector.select(TIMEOUT)
            if not ready:
                raise TimeoutError(f"nothing heard within {TIMEOUT:.0f} s")
            for key, events in ready:
                connection, other = _group.connections[key.data], key.data
                if events & selectors.EVENT_WRITE:
                    _rest(out, other, connection.send(out[other]))
                if events & selectors.EVENT_READ:
                    count = connection.recv_into(into[other])
                    if not count:
                        raise ConnectionResetError(f"rank {other} has closed its connection")
                    _rest(into, other, count)
                _watch(selector, connection, other, out, into)


def _watch(
    selector: selectors.BaseSelector,
    connection: socket.socket,
    other: int,
    out: Mapping[int, memoryview],
    into: Mapping[int, memoryview],
) -> None:
    """For what is left of a connection's two directions."""
    events = selectors.EVENT_WRITE * (other in out) | selectors.EVENT_READ * (other in into)
    known = selector.get_map().get(connection)
    if known is None and events:
        selector.register(connection, events, other)
    elif known is not None and not events:
        selector.unregister(connection)
    elif known is not None and known.events != events:
        selector.modify(connection, events, other)


def _rest(parts: dict[int, memoryview], other: int, count: int) -> None:
    parts[other] = parts[other][count:]
    if not parts[other]:
        del parts[other]


def _bytes(part: Tensor) -> memoryview:
    return part.view(torch.uint8).numpy().data


def _greeted(connection: socket.socket, key: bytes) -> int | None:
    """The rank that has connected; None where it is somebody else."""
    connection.settimeout(GREETING_TIMEOUT)
    with contextlib.suppress(OSError):
        said = connection.recv(len(key) + 4, socket.MSG_WAITALL)
        if len(said) == len(key) + 4 and said.startswith(key):
            return int(struct.unpack("!I", said[len(key) :])[0])
    return None


def _stop_listening() -> None:
    while _listening:
        _listening.pop().close()


@contextlib.contextmanager
def _losses() -> Iterator[None]:
    """Who has lost a rank leaves, and so is lost by the others at once."""
    try:
        yield
    except OSError as error:
        leave()
        raise PeerLost(f"another rank of the training is gone: {error}") from error
