"""Columns of the table as numbers for a network: numbers standardised, texts one-hot.

What a column is scaled by, and which texts it may hold, is fitted on some rows (in honest folds
those that are trained on) and applied to any. A text that was not among them has no column: it is
zeros, as scikit-learn's OneHotEncoder(handle_unknown="ignore") has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lesion_classification.layout import Lesions

Rows = npt.NDArray[np.int64]
Matrix = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Encoding:
    """`numbers` {column: (mean, standard deviation)}, `categories` {column: its texts, sorted}."""

    numbers: Mapping[str, tuple[float, float]]
    categories: Mapping[str, Sequence[str]]

    @classmethod
    def fitted(cls, lesions: Lesions, rows: Rows) -> "Encoding":
        """On some of the lesions. A number that is always the same is not scaled."""
        numbers = {}
        for name, column in lesions.numbers.items():
            of_rows = column[rows]
            numbers[name] = float(of_rows.mean()), float(of_rows.std()) or 1.0
        categories = {
            name: sorted({column[row] for row in rows})
            for name, column in lesions.categories.items()
        }
        return cls(numbers, categories)

    @property
    def columns(self) -> list[str]:
        """'age', …, 'sex=female', …: what the columns of `encoded` are."""
        texts = [f"{name}={text}" for name, seen in self.categories.items() for text in seen]
        return [*self.numbers, *texts]

    def encoded(self, lesions: Lesions) -> Matrix:
        """float32[n, columns] of all of them."""
        found = np.zeros((len(lesions), len(self.columns)), np.float32)
        for at, (name, (mean, deviation)) in enumerate(self.numbers.items()):
            found[:, at] = (lesions.numbers[name] - mean) / deviation
        first = len(self.numbers)
        for name, seen in self.categories.items():
            places = {text: first + at for at, text in enumerate(seen)}
            for row, text in enumerate(lesions.categories[name]):
                if text in places:
                    found[row, places[text]] = 1.0
            first += len(seen)
        return found
