"""The contributions of all vertices, once on every host, however many of its workers read them.

These gather at random: copies would push each other out of the processor's cache (two on one chip
took 1.4 to 1.8 times as long an iteration as two that share).
"""

import numpy as np
from studykit.engines import host_memory
from studykit.engines.host_memory import Shared

from twitter_pagerank.kernel import Floats


def shared_window(vertices: int) -> Shared:
    """Contributions of all vertices, twice: an iteration reads one half and writes the other."""
    return Shared(2 * 8 * vertices)


def attach_window(name: str) -> Floats:
    """float64[2, vertices]"""
    return host_memory.attach(name, np.float64).reshape(2, -1)


def private_window(vertices: int) -> Floats:
    """For the workers of one process: float64[2, vertices]."""
    return np.empty((2, vertices))
