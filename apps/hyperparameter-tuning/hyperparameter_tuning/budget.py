"""CPU-seconds that a search may use: jobs are asked for while some are left, the last one shorter.

What an epoch will cost is taken to be what the dearest did so far: batches of another size, or
fewer networks trained as one, cost more. So what is used comes out within half of such an epoch of
what was given: where less was spent than foretold, jobs are asked for once more.
"""

from dataclasses import dataclass

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

    def granted(self, register: Register, epochs: int) -> int:
        """How many of these epochs can be paid for; the jobs granted since `begin` are."""
        if self.cpu_seconds is None:
            return epochs
        left = self.cpu_seconds - register.cpu_seconds - self._promised
        if left <= 0:
            return 0
        cost = self._epoch(register)
        if cost is None:
            return epochs
        granted = min(epochs, round(left / cost)) if cost > 0 else epochs
        self._promised += granted * cost
        return granted

    def _epoch(self, register: Register) -> float | None:
        known = [one.cpu_seconds / one.epochs for one in register.reports if one.epochs]
        return max(known, default=self.epoch_cpu_seconds)
