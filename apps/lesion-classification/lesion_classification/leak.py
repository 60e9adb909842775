"""What it is worth that a network has seen another picture of the lesion that it is tested on.

The same features, the same training, the other folds: by image as published, where the answer's are
by lesion, and the other way round. What published folds score higher is the leak.
"""

import dataclasses
import functools
from typing import Any

from studykit.errors import DataError

from lesion_classification import cross_validation, folds, metrics
from lesion_classification.cross_validation import Data, FoldResult


class Leak:
    """Trains when it is first asked, once; `kind` is that of the folds of `data`."""

    def __init__(self, kind: str, data: Data, results: list[FoldResult], threads: int) -> None:
        self.kind, self._data, self._results = kind, data, results
        self._threads = threads
        self.other_kind = folds.GROUPED if kind == folds.PUBLISHED else folds.PUBLISHED

    @functools.cached_property
    def other(self) -> tuple[Data, list[FoldResult]] | None:
        """The other folds, and what came of them; None where the data is too little for them."""
        of, lesions = self._data, self._data.lesions
        try:
            assigned = folds.made(
                self.other_kind, lesions.labels, lesions.groups, of.count, of.settings.seed
            )
        except DataError:
            return None
        data = dataclasses.replace(of, folds=assigned)
        return data, cross_validation.train_folds(range(data.count), data, self._threads)

    @functools.cached_property
    def figures(self) -> dict[str, Any]:
        """`{name}_grouped`, `{name}_published` and `{name}_leak` of each figure, and for each
        kind of folds how many lesions were on both sides."""
        if self.other is None:
            return {"leak": "the data is too little for the other folds"}
        found = {
            self.kind: cross_validation.quality(self._results, self._data),
            self.other_kind: cross_validation.quality(self.other[1], self.other[0]),
        }
        leak = metrics.difference(found[folds.GROUPED], found[folds.PUBLISHED])
        told: dict[str, Any] = {f"{name}_leak": value for name, value in leak.items()}
        for kind, quality in found.items():
            told[f"groups_shared_by_{kind}_folds"] = quality["groups_shared_by_folds"]
            for name in metrics.NAMES:
                told[f"{name}_{kind}"] = quality[name]
                told[f"{name}_{kind}_std"] = quality[f"{name}_std"]
        return told
