"""What a study consists of, asked of Pants once: targets, their files, and what depends on what."""

import json
import os
import posixpath
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studykit.errors import StudyError

ENTRY = "run_"
"""The file of an engine's entry point is `run_` and the engine's name."""


@dataclass(frozen=True)
class Target:
    """A target as a BUILD file names it, or one of those that Pants makes of it, a file each."""

    address: str
    kind: str
    sources: tuple[str, ...]
    dependencies: tuple[str, ...]
    declared: tuple[str, ...]
    """Of the dependencies those that a BUILD file names: what no import shows."""
    requirements: tuple[str, ...]

    @property
    def is_generator(self) -> bool:
        """Whether Pants makes others of it, which stand in its place: `python_sources`, `files`."""
        return self.kind.endswith("s")

    @property
    def is_command(self) -> bool:
        """Whether `./pants run` starts it by its name."""
        return (
            self.kind == "python_source"
            and ":" in self.address
            and "@" not in self.address
            and not self.address.startswith(self.sources)
        )


class Graph:
    """All targets, by address, of what `./pants peek ::` has said."""

    def __init__(self, said: str) -> None:
        self.targets = {found["address"]: _target(found) for found in json.loads(said)}

    def study(self, app: str) -> set[str]:
        """The addresses of what stands below the study's folder."""
        return {one for one in self.targets if one.startswith((f"apps/{app}:", f"apps/{app}/"))}

    def commands(self) -> dict[str, str]:
        """{address: module} of everything that `./pants run` starts by its name."""
        return {
            target.address: module_of(target.sources[0])
            for target in self.targets.values()
            if target.is_command
        }

    def engines(self, app: str) -> dict[str, str]:
        """{engine: address} of the study's entry points."""
        return {
            module.rpartition(".")[2].removeprefix(ENTRY): address
            for address, module in self.commands().items()
            if address in self.study(app) and module.rpartition(".")[2].startswith(ENTRY)
        }

    def whole(self, app: str) -> set[str]:
        """Every target of the study, with all that they depend on."""
        return self._closure(self.study(app))

    def part(self, app: str, left: Collection[str], unused: Collection[str] = ()) -> set[str]:
        """The same without the targets in `left` and what only they need, and without tests that
        use what has its place at one of `unused`.

        What depends on them is left behind too; a test only where it imports what is: of the
        entry points that it starts as children it gets those that there are.
        """
        own = self.study(app)
        tests = {one for one in own if self.targets[one].kind == "python_test"}
        roots = {
            one for one in own if self.targets[one].is_command or self.targets[one].kind == "file"
        }
        without = {one for one in roots if self._closure({one}) & set(left)}
        kept = self._closure(roots - without)
        behind = set(left) | self._closure(one for root in left for one in self._imported(root))
        behind = {one for one in behind - kept if self.targets[one].kind == "python_source"}
        behind |= {one for one in without if self.targets[one].kind == "file"}
        behind |= {one for one in self.targets if one.startswith(tuple(unused))}
        # What tests share they are given whole: of it, too, goes what could not be imported.
        support = {one for one in own if f"{app}/tests/" in one} - tests
        behind |= {one for one in support if self._closure(self._imported(one)) & behind}
        for test in tests:
            if not self._closure(self._imported(test)) & behind:
                kept |= self._closure({test}, behind)
        return kept

    def files(self, addresses: Iterable[str]) -> list[str]:
        """The files of these targets, sorted; with a module comes the `__init__` of its package,
        which Pants leaves out where it is empty."""
        found = {file for one in addresses for file in self.targets[one].sources}
        inits = {posixpath.join(posixpath.dirname(file), "__init__.py") for file in found}
        known = {file for target in self.targets.values() for file in target.sources}
        return sorted(found | inits & known)

    def requirements(self, addresses: Iterable[str]) -> set[str]:
        """What these targets use of the package index, as requirements.txt names it."""
        return {named for one in addresses for named in self.targets[one].requirements}

    def _closure(self, roots: Iterable[str], without: Collection[str] = ()) -> set[str]:
        """The roots and all that they depend on, not beyond what is in `without`."""
        found: set[str] = set()
        waiting = list(roots)
        while waiting:
            address = waiting.pop()
            if address not in found and address not in without:
                found.add(address)
                waiting += self.targets[address].dependencies
        return found

    def _imported(self, address: str) -> set[str]:
        """What a target depends on by the imports in its file alone."""
        return set(self.targets[address].dependencies) - set(self._declared(address))

    def _declared(self, address: str) -> Iterator[str]:
        for named in self.targets[address].declared:
            yield named
            if named in self.targets and self.targets[named].is_generator:
                yield from self.targets[named].dependencies


def module_of(path: str) -> str:
    """`apps/x/package/run_ray.py` as Python names it below its source root."""
    return ".".join(below_source_root(path).with_suffix("").parts)


def below_source_root(path: str) -> Path:
    """A file's place below its source root: /apps/*, /shared, /datasets, /infra or /tests."""
    parts = Path(path).parts
    return Path(*parts[2 if parts[0] == "apps" else 1 :])


def _target(found: dict[str, Any]) -> Target:
    address = str(found["address"])
    # `apps/x/tests/test_it.py:../tests` is of the BUILD file in apps/x.
    folder, _, name = address.partition(":")
    if folder in (found.get("sources") or ()):
        folder = posixpath.normpath(posixpath.join(folder, "..", posixpath.dirname(name)))
    declared = found.get("dependencies_raw") or ()
    return Target(
        address,
        found["target_type"],
        # What only stands for its files has none of its own.
        () if found["target_type"].endswith("s") else tuple(found.get("sources") or ()),
        tuple(found.get("dependencies") or ()),
        tuple(f"{folder}{named}" if named.startswith(":") else named for named in declared),
        tuple(found.get("requirements") or ()),
    )


def peek(root: Path) -> str:
    """What the Pants of the repository at `root` says of all its targets."""
    # The caller is itself started by Pants, which otherwise waits for that run to end.
    environment = {**os.environ, "PANTS_CONCURRENT": "true", "PANTS_LEVEL": "warn"}
    asked = subprocess.run(
        [str(root / "pants"), "peek", "::"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    if asked.returncode:
        sys.stderr.write(asked.stderr)
        raise StudyError(f"./pants peek :: ended with {asked.returncode}")
    return asked.stdout
