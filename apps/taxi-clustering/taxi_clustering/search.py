"""The search for the best centres: seeds, iterations, restarts. It asks for sums and never adds up.

Every engine drives it the same way, so that they differ in nothing but how sums are had:

    while not search.done:
        search.advance(sums of all points assigned to search.centres)
"""

from dataclasses import dataclass

from taxi_clustering import kernel
from taxi_clustering.kernel import Centres, Floats
from taxi_clustering.trips import Points


@dataclass(frozen=True)
class Found:
    """Where one restart ended: no centre is `movement` metres or more from its trips' mean."""

    centres: Centres
    sums: Floats
    iterations: int
    movement: float


class Search:
    """`sample` float32[2, n] seeds the centres and gives new places to those without a trip."""

    def __init__(
        self,
        sample: Points,
        *,
        clusters: int,
        seed: int,
        restarts: int,
        tolerance: float,
        max_iterations: int,
    ) -> None:
        self.steps = 0
        self._found: Found | None = None
        self._sample, self._clusters, self._seed = sample, clusters, seed
        self._restarts, self._tolerance, self._most = restarts, tolerance, max_iterations
        self._restart, self._iterations, self.movement = 0, 0, float("inf")
        self.centres = kernel.seeds(sample, clusters, seed, restart=0)

    @property
    def done(self) -> bool:
        return self._restart == self._restarts

    def advance(self, sums: Floats) -> None:
        """From the sums of `centres`, float64[k, 3], to the next centres, or the next restart."""
        following = kernel.next_centres(sums, self.centres, self._sample)
        self.movement = kernel.movement(self.centres, following)
        self.steps += 1
        self._iterations += 1
        if self.movement >= self._tolerance and self._iterations < self._most:
            self.centres = following
            return
        found = Found(self.centres, sums, self._iterations, self.movement)
        if self._found is None or self._rank(found) > self._rank(self._found):
            self._found = found
        self._restart, self._iterations = self._restart + 1, 0
        if not self.done:
            self.centres = kernel.seeds(self._sample, self._clusters, self._seed, self._restart)

    def _rank(self, found: Found) -> tuple[bool, float]:
        """What stands still comes before what does not; then the lower inertia."""
        return found.movement < self._tolerance, kernel.explained(found.sums)

    @property
    def best(self) -> Found:
        """Of the restarts, the first of the best."""
        assert self._found is not None, "not done"
        return self._found

    def __str__(self) -> str:
        return (
            f"restart {self._restart + 1} of {self._restarts}, iteration {self._iterations},"
            f" centres moved {self.movement:.1f} m"
        )
