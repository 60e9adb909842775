"""The paper on Dask: half of the rows come into the client, which does all the rest alone."""

from collections.abc import Sequence

import numpy as np
from distributed import Client
from sklearn.model_selection import train_test_split
from studykit.run import Outcome, Run
from studykit.storage import Split

from digits_knn_cnn import published, study, worker
from digits_knn_cnn.layout import Digits
from digits_knn_cnn.published import Exact
from digits_knn_cnn.worker import Formats

SHARE, TEST_SHARE = 0.5, 0.2


def knn(run: Run, client: Client, exact: Exact) -> Outcome:
    return published.knn(run, *fetched(run, client), exact, plots=True)


def network(run: Run, client: Client, exact: Exact) -> Outcome:
    with run.phase("start", "importing torch"):
        import torch

        from digits_knn_cnn import published_network

        torch.set_num_threads(run.options.threads)
    train, tests = fetched(run, client)
    with run.phase("compute", "training one network in the client, and drawing"):
        trained = [published_network.train(train, tests, run.parameters.epochs)]
        quality = published.averages(train, tests, trained)
        quality["seconds_of_plots"] = published.draw(quality)
    return published.outcome(run, quality, exact)


def fetched(run: Run, client: Client) -> tuple[Digits, Digits]:
    """Half of all rows, read by the cluster, divided anew into training and test part."""
    with run.phase("load", f"fetching half of {run.dataset.bytes:,} bytes"):
        source = study.cut_input(run)
        threads = run.options.threads
        rows = client.submit(half, source.splits, source.formats, threads, pure=False).result()
        parts = train_test_split(np.arange(len(rows)), test_size=TEST_SHARE)
        train, tests = (
            Digits(rows.pixels[part], rows.labels[part], rows.max_pixel) for part in parts
        )
    return train, tests


def half(splits: Sequence[Split], formats: Formats, threads: int) -> Digits:
    """Of all rows, whichever part they belong to, drawn without a seed."""
    parts = worker.read_parts(splits, formats, threads)
    pixels = np.concatenate([part.pixels for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    chosen = np.random.default_rng().permutation(len(labels))[: int(len(labels) * SHARE)]
    return Digits(pixels[chosen], labels[chosen], parts[0].max_pixel)
