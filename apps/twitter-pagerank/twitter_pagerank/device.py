"""The same iteration on a GPU: rows as a sparse matrix of torch, one product an iteration.

Everything up to the rows is the CPU's work. Per-bucket sums are added up by the reshaped vector,
not by atomics, so a GPU too gives the same answer twice; its last bits may differ from the CPU's.
"""

import numpy as np
import numpy.typing as npt
import torch

from twitter_pagerank import kernel
from twitter_pagerank.kernel import Floats
from twitter_pagerank.rows import Rows
from twitter_pagerank.worker import Worker


class DeviceWorker(Worker):
    """A worker that keeps its rows, ranks and degrees on a device of torch ('cuda', or 'cpu')."""

    def __init__(self, device: str, threads: int, damping: float) -> None:
        super().__init__(threads, damping)
        self._device = torch.device(device)

    def start(self, out_degree: npt.NDArray[np.uint32], window: Floats | None = None) -> Floats:
        sums = super().start(out_degree, window)
        with self.phases("compute"):
            self._matrix = matrix(self.rows, self.vertices.count).to(self._device)
            self._degrees = torch.from_numpy(self._degree.astype(np.float64)).to(self._device)
            self._ranks = torch.from_numpy(self.ranks).to(self._device)
        return sums

    def step(self, sums: Floats) -> Floats:
        with self.phases("compute"):
            contribution = torch.from_numpy(self._window[self._turn]).to(self._device)
            self._turn = 1 - self._turn
            base = kernel.base_rank(sums, self.vertices.count, self.damping)
            ranks = base + self.damping * (self._matrix @ contribution)
            dangling = torch.where(self._degrees == 0, ranks, 0.0)
            mine = torch.stack(
                [self._per_bucket(dangling), self._per_bucket((ranks - self._ranks).abs())], dim=1
            )
            self._ranks = ranks
            result = torch.where(self._degrees == 0, 0.0, ranks / self._degrees.clamp(min=1))
            self.ranks, self.outgoing[:] = ranks.cpu().numpy(), result.cpu().numpy()
            return mine.cpu().numpy()

    def _per_bucket(self, values: torch.Tensor) -> torch.Tensor:
        owned = self.rows.stop_bucket - self.rows.first_bucket
        width = 1 << self.buckets.shift
        padded = torch.nn.functional.pad(values, (0, owned * width - len(values)))
        return padded.view(owned, width).sum(dim=1)


def matrix(rows: Rows, vertices: int) -> torch.Tensor:
    """Rows → a sparse matrix float64[rows, vertices] of ones, in compressed rows."""
    offsets, sources = rows.compressed()
    return torch.sparse_csr_tensor(
        torch.from_numpy(offsets),
        torch.from_numpy(sources.astype(np.int64)),
        torch.ones(len(sources), dtype=torch.float64),
        size=(rows.stop - rows.first, vertices),
        check_invariants=True,
    )
