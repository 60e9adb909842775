"""Lesions and features that were made for a test: with a signal, without, with images repeated."""

import numpy as np
from lesion_classification.layout import Lesions


def made(groups=60, of_group=2, width=32, signal=1.0, own=0.0, shuffled=False, seed=0):
    """Lesions, and features float32[n, width], of groups of as many images.

    `signal`: how far the labels' features are from each other; `own`: how far a group's are from
    others', by which an image is known again.
    """
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), of_group)
    label = random.permutation(np.arange(groups) % 2 == 1)
    labels = label[group]
    features = random.normal(size=(len(group), width))
    features += signal * labels[:, None] * random.choice([-1, 1], width)
    features += own * random.normal(size=(groups, width))[group]
    if shuffled:
        labels = random.permutation(label)[group]
    return lesions(labels, group, random), features.astype(np.float32)


def lesions(labels, groups, random=None):
    labels, groups = np.asarray(labels, bool), np.asarray(groups, np.int64)
    random = random or np.random.default_rng(0)
    count = len(labels)
    return Lesions(
        folder="images",
        paths=[f"{number}.jpg" for number in range(count)],
        labels=labels,
        groups=groups,
        group_names=[f"lesion {group}" for group in range(groups.max(initial=-1) + 1)],
        numbers={"age": random.integers(20, 90, count).astype(np.float64)},
        categories={
            "sex": random.choice(["female", "male"], count).tolist(),
            "localization": random.choice(["back", "chest", "face", "scalp"], count).tolist(),
        },
        rows=count,
    )
