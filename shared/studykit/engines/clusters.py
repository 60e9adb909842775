"""What has to be known of a cluster before any work: does somebody listen, is it large enough?

Ray and Dask let tasks wait for ever where nothing can run them.
"""

import socket

from studykit.errors import BusyError, ResourceError
from studykit.options import Options

CONNECT_SECONDS = 3
"""A cluster that is not there is told from a busy one within the time a person waits."""


def require_listener(address: str, what: str) -> None:
    """`what` is named in the error: 'Ray cluster', 'Dask scheduler'."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdigit():
        raise ResourceError(f"--address {address}: expected HOST:PORT of a {what}")
    try:
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise BusyError(f"no {what} at {address}: {error}") from None


def require_cores(options: Options, available: int, what: str) -> None:
    """ResourceError where the workers and threads asked for need more than there is."""
    asked = options.worker_count * options.threads
    if asked > available:
        raise ResourceError(
            f"{options.worker_count} workers × {options.threads} threads ask for {asked} {what}"
            f" has {available}"
        )
