"""Digits as users of Ray read them: Ray Data for the neighbours, Ray Train for the networks.

- `map_batches` of a class: each of its actors holds scikit-learn's classifier with all training
  rows, and blocks of queries come to whichever is free.
- `TorchTrainer`: a loop of torch on every worker, gradients averaged by DistributedDataParallel.
"""

import logging
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import ray
from studykit import processes
from studykit.errors import UsageError
from studykit.run import Outcome, Run

from digits_knn_cnn import loading, native
from digits_knn_cnn.layout import Digits, Pixels
from digits_knn_cnn.native import Classifier, Learned
from digits_knn_cnn.searching import Queries
from digits_knn_cnn.voting import Predictions


def knn(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Data"):
        # Here, because it takes a second or more, which only who asks for it shall wait.
        import ray.data  # noqa: F401
    return native.knn(run, predict)


class Held:
    """An actor's classifier."""

    def __init__(self, train: "ray.ObjectRef[Digits]", most: int) -> None:
        self._classifier = Classifier(ray.get(train), most)

    def __call__(self, batch: dict[str, Pixels]) -> dict[str, npt.NDArray[np.uint8]]:
        return {"predicted": self._classifier.predict(batch["data"]).T}


def predict(run: Run, train: Digits, asked: Queries) -> list[Predictions]:
    options = run.options
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    # A block is what one actor is given at once.
    found = ray.data.from_numpy(asked.batches(options.worker_count)).map_batches(
        Held,
        fn_constructor_args=(ray.put(train), run.parameters.neighbours),
        batch_size=None,
        num_cpus=options.threads,
        compute=ray.data.ActorPoolStrategy(size=options.worker_count),
    )
    batches = found.iter_batches(batch_size=None)
    return [np.ascontiguousarray(batch["predicted"].T) for batch in batches]


def network(run: Run) -> Outcome:
    with run.phase("start", "importing Ray Train and torch"):
        from ray.train import RunConfig, ScalingConfig
        from ray.train.torch import TorchTrainer

        from digits_knn_cnn import native_training

    class Trainer(TorchTrainer):  # type: ignore[misc]
        def _register_sigint_handler(self, controller: Any) -> None:
            """Ctrl-C stays with the run: Ray Train's handler would end it as if all were well."""

    options, asked = run.options, run.parameters
    own = max(asked.batch_size // options.worker_count, 1)
    if asked.model == "resnet18" and own < 2:
        raise UsageError(
            f"--batch-size {asked.batch_size}: a worker has {own} picture of it, of which batch"
            f" norm has no variance; give {2 * options.worker_count} or more"
        )
    train, tests = loading.read_parts(run)
    settings = native_training.Asked(asked.model, own, asked.epochs, options.seed)
    with (
        processes.temporary_folder("study-ray-train-") as folder,
        run.phase("start", f"Ray Train starts {options.worker_count} workers, which train"),
    ):
        trainer = Trainer(
            on_every_worker,
            train_loop_config={
                "settings": settings,
                "parts": [ray.put((train, tests))],
                "threads": options.threads,
            },
            scaling_config=ScalingConfig(
                num_workers=options.worker_count, resources_per_worker={"CPU": options.threads}
            ),
            run_config=RunConfig(name="digits", storage_path=folder),
        )
        learned, seconds = trainer.fit().return_value
    # The loop's own clock, gradients exchanged within it; the rest is Ray Train's.
    run.phases.add("start", -seconds)
    run.phases.add("compute", seconds)
    return native.network(run, train, tests, learned)


def on_every_worker(config: dict[str, Any]) -> tuple[Learned, float]:
    """The loop; what the first worker returns is the trainer's result, with its seconds."""
    import ray.train.torch
    import torch

    from digits_knn_cnn import native_training

    torch.set_num_threads(config["threads"])
    train, tests = ray.get(config["parts"][0])
    began = time.monotonic()
    learned = native_training.learn(
        config["settings"],
        train,
        tests,
        lambda figures: ray.train.report(dict(figures)),
        ray.train.torch.prepare_model,
        ray.train.torch.prepare_data_loader,
    )
    return learned, time.monotonic() - began
