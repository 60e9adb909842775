"""CPU-seconds that a search may use: jobs are asked for while some are left, the last one shorter.

What a job will cost is told from the trial's own epochs, else from all so far. So what is used
comes out within half an epoch of a job of what was given, once one epoch's cost is known.
"""

from dataclasses import dataclass

from hyperparameter_tuning.jobs import Trial
from hyperparameter_tuning.register import Register


@dataclass
class Budget:
    cpu_seconds: float | None
    """None: as much as the search wants."""
    epoch_cpu_seconds: float | None = None
    """Of one epoch, where that is known before the first report."""
    _promised: float = 0.0

    def require_end(self, trials: int | None) -> None:
        """ValueError where neither this nor a number of trials ends a search."""
        if trials is None and self.cpu_seconds is None:
            raise ValueError("neither a number of trials nor a budget: it would never end")

    def begin(self) -> None:
        """Before the jobs of one `ask`."""
        self._promised = 0.0

    def granted(self, register: Register, trial: Trial | None, epochs: int) -> int:
        """How many of these epochs can be paid for; the jobs granted since `begin` are."""
        if self.cpu_seconds is None:
            return epochs
        left = self.cpu_seconds - register.cpu_seconds - self._promised
        if left <= 0:
            return 0
        cost = self._epoch(register, trial)
        if cost is None:
            return epochs
        granted = min(epochs, round(left / cost)) if cost > 0 else epochs
        self._promised += granted * cost
        return granted

    def _epoch(self, register: Register, trial: Trial | None) -> float | None:
        if trial is not None and trial.epochs:
            return trial.cpu_seconds / trial.epochs
        epochs = sum(report.epochs for report in register.reports)
        return register.cpu_seconds / epochs if epochs else self.epoch_cpu_seconds
