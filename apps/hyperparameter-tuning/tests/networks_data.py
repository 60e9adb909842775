"""Pictures that a small network learns to tell apart within an epoch or two, and jobs on them."""

import numpy as np
from hyperparameter_tuning.jobs import Job
from hyperparameter_tuning.picture_parts import Pictures


def striped(rows, seed=0):
    """Three classes: stripes down, across, and none; of any phase, in noise."""
    rng = np.random.default_rng(seed)
    labels = np.arange(rows) % 3
    phase = rng.integers(0, 6, rows)[:, None]
    wave = 50 * np.where((np.arange(32) + phase) % 6 < 3, 1, -1)
    shown = np.zeros((rows, 32, 32))
    shown[labels == 0] = wave[labels == 0][:, None, :]
    shown[labels == 1] = wave[labels == 1][:, :, None]
    noise = rng.normal(128, 20, (rows, 32, 32, 3))
    pixels = np.clip(shown[:, :, :, None] + noise, 0, 255).astype(np.uint8)
    return Pictures(pixels, labels.astype(np.int64), ["down", "across", "none"])


def job(number=0, *, rate=3e-3, batch=32, dropout=0.25, epochs=1, parent=None, first=0, seed=5):
    configuration = {"learning_rate": rate, "batch_size": batch, "dropout": dropout}
    return Job(number, number, configuration, parent, first, epochs, seed)
