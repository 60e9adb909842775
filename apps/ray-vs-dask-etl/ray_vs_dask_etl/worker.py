"""What a worker does with one split: no engine, one thread.

Every engine places these functions on its workers and brings back what they return.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from studykit import compiling
from studykit.partials import Partial, partial
from studykit.storage import Split
from studykit.text.bad_rows import BadRows

from ray_vs_dask_etl import clean_lines, regression, rows, softmax
from ray_vs_dask_etl.aggregation import Bins, Group
from ray_vs_dask_etl.regression import Cached, Floats, Loaded, Margins, Sums
from ray_vs_dask_etl.rows import Columns, RowFormat
from ray_vs_dask_etl.scaling import Scaling

Scalar = TypeVar("Scalar", bound=np.generic)


def aggregate(split: Split, form: RowFormat, columns: Columns) -> Partial[list[Group]]:
    """One group per category, of the rows of a split."""
    bad = BadRows()
    return replace(partial("load", _aggregate, split, form, columns, bad), bad=bad)


def _aggregate(split: Split, form: RowFormat, columns: Columns, bad: BadRows) -> list[Group]:
    bins = Bins(len(columns.categories), len(columns.values))
    for chunk in rows.read(split, form, columns, ids=False, bad=bad):
        bins.add(chunk.values, chunk.codes)
    return bins.groups()


def scale(split: Split, form: RowFormat, columns: Columns) -> Scaling:
    """That of a split's first rows: by a worker, whose kernels are compiled."""
    return Scaling.of(rows.first(split, form, columns))


def cache(
    split: Split, form: RowFormat, columns: Columns, seed: int, scaling: Scaling
) -> Partial[Cached]:
    """The rows of a split, parsed, scaled and divided into training and test rows."""
    bad = BadRows()
    kept = partial("load", _cache, split, form, columns, seed, scaling, bad)
    return replace(kept, bad=bad)


def _cache(
    split: Split, form: RowFormat, columns: Columns, seed: int, scaling: Scaling, bad: BadRows
) -> Cached:
    none = np.empty((len(columns.values), 0)), np.empty(0, np.uint8)
    parts = [divided(np.empty(0, np.int64), *none, columns, seed, scaling)]
    for chunk in rows.read(split, form, columns, bad=bad):
        parts.append(divided(chunk.ids, chunk.values, chunk.codes, columns, seed, scaling))
    return _joined(parts)


def divided(
    ids: rows.Ids, values: Floats, codes: rows.Codes, columns: Columns, seed: int, scaling: Scaling
) -> Cached:
    count = len(values)
    features = np.empty(values.shape, np.float32)
    rest = np.empty(values.shape if scaling.wide else (count, 0), np.float32)
    divided = np.empty(len(codes), np.uint8)
    moments = np.zeros((len(columns.categories), 1 + 2 * count))
    extremes = np.empty((2, count, 2))
    # Copies: out of a store they cannot be written to, which is another compiled type.
    train = softmax.divide(
        ids, values, codes, np.uint64(seed % 2**64), scaling.factors.copy(), scaling.offsets.copy(),
        features, rest, divided, moments, extremes,
    )  # fmt: skip
    size = features.nbytes + rest.nbytes + divided.nbytes
    known = Loaded(len(codes), int(train), size, moments, *extremes)
    return Cached(features, rest, divided, known)


def _joined(parts: list[Cached]) -> Cached:
    """All parts' training rows, then all parts' test rows."""

    def joined(arrays: Iterable[npt.NDArray[Scalar]]) -> npt.NDArray[Scalar]:
        known = list(zip(arrays, parts, strict=True))
        pieces = [array[..., : part.train] for array, part in known]
        pieces += [array[..., part.train :] for array, part in known]
        return np.concatenate(pieces, axis=-1)

    return Cached(
        joined(part.features for part in parts),
        joined(part.rest for part in parts),
        joined(part.codes for part in parts),
        Loaded.total(part.known for part in parts),
    )


def describe(cached: Partial[Cached]) -> Partial[Loaded]:
    """What the driver has to know of it."""
    return cached.of(cached.result.known)


def evaluate(cached: Partial[Cached], theta: Floats, second: bool) -> Partial[Sums]:
    """`regression.evaluate` of a cached part."""
    return partial("compute", regression.evaluate, cached.result, theta, second)


def margins(
    cached: Partial[Cached], theta: Floats, classes: rows.Codes, granted: float
) -> Partial[Margins]:
    """`regression.margins` of a cached part."""
    return partial("compute", regression.margins, cached.result, theta, classes, granted)


def correct(cached: Partial[Cached], theta: Floats, classes: rows.Codes) -> Partial[int]:
    """`regression.correct` of a cached part."""
    return partial("compute", regression.correct, cached.result, theta, classes)


def warm_up() -> None:
    """Compile, or load from the cache, every kernel: its time belongs to `start`."""
    compiling.warm_up(_meet_every_kernel)


def _meet_every_kernel() -> None:
    """Every kernel on two rows, with every kind of array that it meets in a run."""
    columns = Columns("id", ("x", "y"), "category", ("A", "B"))
    form = RowFormat(("id", "x", "y", "category"), 0)
    data = np.frombuffer(b"1,0.5,0.25,A\n2,0.12345678901234567,1e3,B\n", np.uint8)
    ids, values, codes = np.empty(4, np.int64), np.empty((2, 4)), np.empty(4, np.uint8)
    roles = form.roles(columns)
    count, _ = clean_lines.parse(data, 0, 4, roles, *columns.tables, ids, values, codes)
    ids, codes = ids[:count], codes[:count]
    theta, classes, scaling = (
        np.zeros((1, 3)),
        np.arange(2, dtype=np.uint8),
        Scaling.of(values[:, :count]),
    )
    for some in (values[:, :count], values[:, :count].copy()):
        Bins(2, 2).add(some, codes)
        cached = divided(ids, some, codes, columns, 0, scaling)
    for writeable in (True, False):  # As they are here, and as they come out of a store.
        for array in (cached.features, cached.rest, cached.codes):
            array.flags.writeable = writeable
        for second in (False, True):
            regression.evaluate(cached, theta, second)
        regression.margins(cached, theta, classes, 0.0)
        regression.correct(cached, theta, classes)
