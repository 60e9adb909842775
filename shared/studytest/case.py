"""What a study says of itself, once, to join the contract that all studies keep.

Everything that is general is derived from its `Study`; the rest is valid input and its answer, what
is wrong input, and the options with which a run goes on until a test ends it.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studykit.options import Study
from studykit.records import PLAIN

Quality = Mapping[str, Any]
Argv = Sequence[object]


@dataclass(frozen=True)
class Damage:
    """Input that is refused: what the file holds, and all that the one line of the error says."""

    content: bytes
    said: tuple[str, ...]
    file_name: str = ""
    """Where the ending matters; else that of the valid input."""
    argv: Argv = ()
    out: str = ""
    """The name for --out that these options want; else the study's first."""


@dataclass(frozen=True)
class StudyCase:
    study: Study
    write: Callable[[Path], Path]
    """Folder → a file of valid text input there, of more than ten splits of `split_size`."""
    same: Callable[[Quality, Quality], None]
    """Asserts that the answer in the first record's `quality` is that in the second's, which comes
    from one plain process: to the last bit, where the kernel promises it."""
    rows: Callable[[Quality], int]
    """Rows of the input, as the record's `quality` has them."""
    launch: Path
    """The folder of the launch scripts."""
    data_module: str
    """Of `study_data`: the one that makes the input."""
    large_size: str
    """A named size that nobody makes by the way."""

    endless: Argv
    """With the valid input, iterates until the test ends it."""
    working: str
    """In the line that is said when that begins."""
    long: Argv
    """With the valid input, iterates long enough for a worker to be killed, and is done."""

    damages: Mapping[str, Damage]
    damaged: Callable[[Path], tuple[Path, str]]
    """Folder → a file of many splits that is damaged in the middle, what its error says."""
    damaged_split_size: str
    wrong_usage: Sequence[tuple[Argv, str]]
    """(options, a word of the error) of this study alone."""

    outs: tuple[str, ...]
    """Names for --out, one for each kind of file; engines take them by turns."""
    written: Callable[[Path, Quality], None]
    """Asserts that what was written is the answer."""

    imports: tuple[str, ...] = ()
    """Modules that take long to import, which a run imports when it needs them: a test that starts
    several runs does it once for all."""
    unconverged: Argv | None = None
    """With the valid input, stops before there is an answer; None where nothing has to converge."""
    answer_options: Argv = ()
    """Under which the answer is found, where the study's own defaults are not for tests."""
    split_size: str = "10kb"
    versions: tuple[str, ...] = ("numpy",)
    """Distributions that a run of any engine cannot do without."""
    worker_phases: frozenset[str] = frozenset({"load", "compute"})
    again_from_the_input: bool = True
    """On Ray: a run whose actors hold state begins anew where one of them dies."""
    charts: frozenset[str] = field(default=frozenset())
    """Files of the report that a comparison of plain and polars draws, beside index.html."""
    report_says: str = ""

    @property
    def engines(self) -> tuple[str, ...]:
        """Those that are here: a copy of the study may have been made for some of them."""
        return tuple(name for name in self.study.engines if self.has(f"run_{name}"))

    def of_engines(self, *cells: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """Those whose first word is an engine that is here."""
        return [cell for cell in cells if cell[0] in self.engines]

    @property
    def frameworks(self) -> tuple[str, ...]:
        return tuple(name for name in self.engines if name != PLAIN)

    @property
    def scripted(self) -> tuple[str, ...]:
        """Engines with a launch script."""
        return tuple(name for name in self.frameworks if (self.launch / f"{name}.sh").is_file())

    def modules(self, name: str) -> tuple[str, ...]:
        """The module of the study's package with this name, where it is here."""
        return (f"{self.study.package}.{name}",) if self.has(name) else ()

    def module(self, engine: str) -> str:
        return f"{self.study.package}.run_{engine}"

    def has(self, module: str) -> bool:
        """Whether the study's package has this module here."""
        return importlib.util.find_spec(f"{self.study.package}.{module}") is not None

    def mark_of_workers(self, engine: str) -> str:
        """In the command line of every worker process of an engine."""
        return {"ray": "ray::RayWorker", "torch": self.module("torch"), "dask": "spawn_main"}[
            engine
        ]
