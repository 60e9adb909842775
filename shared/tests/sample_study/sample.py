"""The sample study as a test has it: its orders, its cells, its results."""

from pathlib import Path
from typing import Any

from studykit.records import Record
from studysweep import planning, sweep
from studysweep.cells import Cell

from sample_study import study


class Sample:
    """A folder of orders for the engines, and one of their results."""

    def __init__(self, home: Path) -> None:
        self.home, self.results = home, str(home / "results")

    def tell(self, engine: str, *words: str) -> None:
        (self.home / f"{engine}.orders").write_text(" ".join(words))

    def plan(self, parameters: Any = None, **asked: Any) -> list[Cell]:
        options = planning.SweepOptions(
            **{"repeats": 1, "workers": "1", **asked}, results=self.results
        )
        own = parameters or study.Parameters()
        return list(planning.plan_cells(study.STUDY, ("quick",), options, own))

    def run(self, *, fresh: bool = False, **asked: Any) -> list[Record]:
        return sweep.run_cells(self.plan(**asked), fresh=fresh)

    @property
    def log(self) -> list[str]:
        log = self.home / "log"
        return log.read_text().splitlines() if log.exists() else []

    def started(self, kind: str) -> list[int]:
        return [int(path.name.split("-")[1]) for path in self.home.glob(f"{kind}-*")]
