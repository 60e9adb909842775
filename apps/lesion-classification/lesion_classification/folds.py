"""Which fold an image is tested in.

`grouped`: all images of a lesion in the same one, so that none is tested by a network that has seen
another picture of it; as many images of each label in every fold as can be. Groups are dealt the
largest first, each to where its images are wanted most; those of one size in an order of the seed
(the way of scikit-learn's StratifiedGroupKFold).

`published`: by image, as the paper has it, KFold(10, shuffle=True, random_state=21). Images of one
lesion fall on both sides, which makes the answer look better than it is.
"""

import numpy as np
import numpy.typing as npt
from studykit.errors import DataError

from lesion_classification.layout import Groups, Labels

GROUPED, PUBLISHED = "grouped", "published"
PUBLISHED_SEED = 21

Folds = npt.NDArray[np.int64]
"""int64[n]: the number of the fold that tests an image."""


def made(kind: str, labels: Labels, groups: Groups, count: int, seed: int) -> Folds:
    """DataError where the data is too little for so many."""
    if kind == PUBLISHED:
        return published(labels, count)
    return grouped(labels, groups, count, seed)


def grouped(labels: Labels, groups: Groups, count: int, seed: int) -> Folds:
    """`groups` are numbers from 0. DataError where a fold would test no image of a label."""
    _require_both(labels)
    there = np.unique(groups).size
    if there < count:
        raise DataError(f"{count} folds need as many lesions or records: there are {there}")
    for label, name in ((True, "malignant"), (False, "benign")):
        of_label = np.unique(groups[labels == label]).size
        if of_label < count:
            raise DataError(
                f"{count} folds need as many lesions or records with images that are {name}:"
                f" there are {of_label}"
            )
    folds = _dealt(_counted(labels, groups), count, seed)[groups]
    _require_tested(labels, folds, count)
    return folds


def _counted(labels: Labels, groups: Groups) -> npt.NDArray[np.int64]:
    """int64[groups, 2]: images of each label."""
    return np.bincount(2 * groups + labels, minlength=2 * (groups.max() + 1)).reshape(-1, 2)


def _dealt(images: npt.NDArray[np.int64], count: int, seed: int) -> Folds:
    """The fold of every group, of its images by label.

    Each goes where the sum of squares of the labels' shares grows least: squares of sums are least
    where sums are equal, and (s + a)² − s² = a (2 s + a).
    """
    shares = images / images.sum(axis=0)
    order = np.random.default_rng(seed % 2**64).permutation(len(images))
    order = order[np.argsort(-images[order].max(axis=1), kind="stable")]
    held = np.zeros((count, 2))
    fold_of = np.zeros(len(images), np.int64)
    for group in order:
        own = shares[group]
        chosen = int(np.argmin((own * (2 * held + own)).sum(axis=1)))
        held[chosen] += own
        fold_of[group] = chosen
    return fold_of


def published(labels: Labels, count: int) -> Folds:
    """The folds of scikit-learn's KFold(count, shuffle=True, random_state=21)."""
    _require_both(labels)
    rows = len(labels)
    if rows < count:
        raise DataError(f"{count} folds need as many images: there are {rows}")
    order = np.arange(rows)
    np.random.RandomState(PUBLISHED_SEED).shuffle(order)
    folds = np.empty(rows, np.int64)
    for fold, own in enumerate(np.array_split(order, count)):
        folds[own] = fold
    for fold in range(count):
        if np.unique(labels[folds != fold]).size < 2:
            raise DataError(f"all but fold {fold + 1} of {count} have one label only")
    return folds


def _require_both(labels: Labels) -> None:
    """DataError where nothing is to be told apart."""
    if not len(labels):
        raise DataError("no image that can be used")
    if np.unique(labels).size < 2:
        only = "malignant" if labels[0] else "benign"
        raise DataError(f"one class only: all {len(labels):,} images are {only}")


def _require_tested(labels: Labels, folds: Folds, count: int) -> None:
    tested = np.bincount(2 * folds + labels, minlength=2 * count).reshape(-1, 2)
    if not tested.all():
        raise DataError(
            f"{count} folds cannot each have images of both labels: most are of few lesions"
        )


def shared_groups(folds: Folds, groups: Groups) -> int:
    """Groups that are on both sides of some fold: whose images are not all in one."""
    pairs = np.unique(np.stack([groups, folds]), axis=1)
    return int((np.unique(pairs[0], return_counts=True)[1] > 1).sum())
