"""What there is to be learned in the rows of synthetic_classes.py, drawn from a seed alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from studykit.errors import UsageError

from study_data.splitmix import mixed, uniform


@dataclass(frozen=True)
class Shape:
    """In scikit-learn's terms; its defaults are the paper's choice."""

    features: int = 10
    informative: int = 5
    redundant: int = 5
    classes: int = 2
    clusters_per_class: int = 2
    separation: float = 1.0
    flip: float = 0.01

    def __post_init__(self) -> None:
        clusters = self.classes * self.clusters_per_class
        if min(self.informative, self.classes - 1, self.clusters_per_class) < 1:
            raise UsageError("there must be one informative feature, two classes, one cluster each")
        if self.redundant < 0 or self.informative + self.redundant > self.features:
            raise UsageError(
                f"{self.informative} informative and {self.redundant} redundant features are more"
                f" than {self.features}"
            )
        if clusters > 2**self.informative:
            raise UsageError(
                f"{clusters} clusters have no corner each in {self.informative} dimensions:"
                " more informative features, or fewer classes or clusters"
            )
        if not 0 <= self.flip <= 1:
            raise UsageError(f"a share of {self.flip:g} of flipped labels lies outside 0 … 1")

    @property
    def words(self) -> int:
        """Random words of a row: its cluster, its label, a normal number for what is no sum."""
        return 2 + self.features - self.redundant


PAPERS = Shape()


@dataclass(frozen=True)
class Concept:
    """centres: float64[clusters, informative]; matrices: float64[clusters, informative,
    informative]; sums: float64[informative, redundant]; order: int64[features], of each column
    which feature it has: informative, redundant, noise."""

    centres: npt.NDArray[np.float64]
    matrices: npt.NDArray[np.float64]
    sums: npt.NDArray[np.float64]
    order: npt.NDArray[np.int64]

    @classmethod
    def of(cls, shape: Shape, seed: int, number: int = 0) -> "Concept":
        """The `number`th of a file. Nothing of NumPy's random numbers, which may change."""
        drawn = _drawn(mixed(mixed(seed) ^ mixed(number + 1)))
        count, n = shape.classes * shape.clusters_per_class, shape.informative
        corners: dict[tuple[bool, ...], None] = {}
        while len(corners) < count:
            corners.setdefault(tuple(next(drawn) < 0.5 for _ in range(n)))
        centres = np.where(np.array(list(corners)), shape.separation, -shape.separation)
        matrices = [2 * next(drawn) - 1 for _ in range(count * n * n)]
        sums = [2 * next(drawn) - 1 for _ in range(n * shape.redundant)]
        order = np.argsort([next(drawn) for _ in range(shape.features)])
        return cls(
            centres.astype(np.float64),
            np.array(matrices).reshape(count, n, n),
            np.array(sums).reshape(n, shape.redundant),
            order.astype(np.int64),
        )


def _drawn(key: int) -> Iterator[float]:
    """Uniform numbers, without end."""
    counter = 0
    while True:
        counter += 1
        yield float(uniform(np.uint64(key), np.uint64(counter)))
