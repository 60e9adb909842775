"""The same iteration on a GPU: points as torch tensors there, a piece of them at a time.

All points are looked at: a GPU has the arithmetic for it. The sums are exact (see `city`), so that
the order in which its atomics add them up does not matter: the centres are those of the CPU, and
the inertia is.
"""

from fractions import Fraction

import numpy as np
import torch

from taxi_clustering import kernel
from taxi_clustering.kernel import Centres, Floats
from taxi_clustering.worker import Worker

PIECE = 1 << 22
"""Points whose distances to one centre are held at once."""


class DeviceWorker(Worker):
    """A worker that keeps its points on a device of torch ('cuda', or 'cpu') as well."""

    def __init__(self, device: str, threads: int) -> None:
        super().__init__(threads)
        self._device = torch.device(device)
        self._there: torch.Tensor | None = None

    def _points(self) -> torch.Tensor:
        if self._there is None:
            whole = np.concatenate([np.empty((2, 0), np.float32), *self.points], axis=1)
            self._there = torch.from_numpy(whole).to(self._device)
        return self._there

    def _nearest(
        self, points: torch.Tensor, centres: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Squared distance to the nearest centre, and which it is (ties: the first)."""
        count = points.shape[1]
        distance = torch.full((count,), torch.inf, dtype=torch.float32, device=self._device)
        label = torch.zeros(count, dtype=torch.int64, device=self._device)
        for number in range(len(centres)):
            east, north = points[0] - centres[number, 0], points[1] - centres[number, 1]
            square = east * east + north * north
            closer = square < distance
            distance = torch.where(closer, square, distance)
            label[closer] = number
        return distance, label

    def step(self, centres: Centres) -> Floats:
        with self.phases("compute"):
            there = torch.from_numpy(np.array(centres)).to(self._device)
            sums = torch.zeros((len(centres), 3), dtype=torch.float64, device=self._device)
            for points in torch.split(self._points(), PIECE, dim=1):
                _, label = self._nearest(points, there)
                weighted = torch.cat([torch.ones_like(points[:1]), points]).T.double()
                sums.index_add_(0, label, weighted)
            return sums.cpu().numpy()  # type: ignore[no-any-return]

    def score(self, centres: Centres) -> Fraction:
        with self.phases("compute"):
            there = torch.from_numpy(np.array(centres)).to(self._device)
            total = Fraction()
            for points in torch.split(self._points(), PIECE, dim=1):
                distance = self._nearest(points, there)[0].double()
                whole = distance.floor()
                steps = ((distance - whole) * kernel.STEPS).long()
                total += kernel.square_metres(int(whole.long().sum()), int(steps.sum()))
            return total
