"""Ports for servers that have to be told theirs before they start."""

import contextlib
import socket


def free(count: int = 1) -> list[int]:
    """So many of this machine, all different, that nobody listens at."""
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)
        ]
        return [int(server.getsockname()[1]) for server in servers]
