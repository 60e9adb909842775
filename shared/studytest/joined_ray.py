"""Runs of one process that share a Ray, and its actors too.

To start a Python for every actor costs more than a run on a small input. What starting and dying
do to a run is tried elsewhere (the contract); here runs differ in nothing but their input.
"""

import contextlib
import importlib
import os
from collections import Counter
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any
from unittest import mock

from studykit.options import Options

from studytest import running


@contextlib.contextmanager
def joined(address: str) -> Iterator[None]:
    """Within the block `ray_cluster.cluster` is the Ray at this address, joined once, and an actor
    of a run is that of the run before, made anew by its class in the same process."""
    with contextlib.ExitStack() as stack:
        # Ray reads of it while it is imported.
        stack.enter_context(mock.patch.dict(os.environ, running.environment()))
        # Where no tool sees it: what imports Ray is left out of a copy of a study without it.
        ray, ray_cluster = map(importlib.import_module, ("ray", "studykit.engines.ray_cluster"))
        kept = _Kept(ray)
        # While a process ends, a thread of Ray's that writes to its log can crash it.
        with mock.patch.dict(os.environ, RAY_BACKEND_LOG_LEVEL="error"):
            stack.enter_context(ray_cluster.cluster(Options(workers=1, address=address)))
        stack.enter_context(mock.patch.object(ray_cluster, "cluster", kept.run))
        stack.enter_context(mock.patch.object(ray, "remote", kept.remote))
        yield


class _Kept:
    def __init__(self, ray: Any) -> None:
        self._get, self._remote = ray.get, ray.remote
        self._actors: dict[str, list[Any]] = {}
        self._taken: Counter[str] = Counter()

    @contextlib.contextmanager
    def run(self, options: Options, *_: object) -> Iterator[None]:
        """In place of `ray_cluster.cluster`."""
        self._taken.clear()
        yield

    def remote(self, *function: Any, **options: Any) -> Any:
        """In place of `ray.remote`: of a class with options it makes actors that are kept."""
        if function:
            return self._remote(*function)

        def of(work: Any) -> Any:
            made = self._remote(**options)(work)
            if not isinstance(work, type):
                return made
            kind = f"{work} {options}"
            return SimpleNamespace(remote=lambda *args: self._actor(kind, made.remote, args))

        return of

    def _actor(self, kind: str, start: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        actors, place = self._actors.setdefault(kind, []), self._taken[kind]
        self._taken[kind] += 1
        if place == len(actors):
            actors.append(start(*args))
        else:
            self._get(actors[place].__ray_call__.remote(_made_anew, *args))
        return actors[place]


def _made_anew(actor: Any, *args: Any) -> None:
    actor.__dict__.clear()
    actor.__init__(*args)
