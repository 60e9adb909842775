"""Where a process is reached by others."""

import socket


def towards(host: str) -> str:
    """The address that this host has on the way to another one. Nothing is sent."""
    family, kind, protocol, _, other = socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as way:
        way.connect(other)
        return str(way.getsockname()[0])
