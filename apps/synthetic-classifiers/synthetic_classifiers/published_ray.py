"""The paper's classifiers on Ray: two equal trials of Ray Tune, each on all rows."""

import logging
import os
from typing import Any

import ray
from studykit import processes
from studykit.run import Outcome, Run

from synthetic_classifiers import published
from synthetic_classifiers.published import Baseline

TRIALS = 2


def classifiers(run: Run, exact: Baseline) -> Outcome:
    with run.phase("start", "importing Ray Tune"):
        # Ctrl-C stays with the run: Tune's handler would end it as if all were well.
        os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
        # Nor does it print tables among the lines of the run.
        os.environ["RAY_AIR_NEW_OUTPUT"] = "0"
        from ray import tune

        logging.getLogger("ray.tune").setLevel(logging.ERROR)

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        features, labels = published.read(run)
        parts = [ray.put(part) for part in published.divided(features, labels)]

    accuracies = {}
    with run.phase("compute", f"{TRIALS} trials of each classifier"):
        for name in run.parameters.algorithms:
            run.progress(name)
            config = {"algorithm": name, "parts": parts, "threads": run.options.threads}
            accuracies[name] = _trials(tune, config)
    return published.outcome(run, len(labels), len(labels), accuracies, exact)


def _trials(tune: Any, config: dict[str, Any]) -> list[float]:
    """The accuracy of every trial."""
    with processes.temporary_folder("study-ray-tune-") as folder:
        found = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(trial, given=config), {"cpu": config["threads"]}
            ),
            tune_config=tune.TuneConfig(num_samples=TRIALS),
            run_config=tune.RunConfig(name="classifiers", storage_path=folder, verbose=0),
        ).fit()
        return [float(one.metrics["accuracy"]) for one in found]


def trial(config: dict[str, Any], given: dict[str, Any]) -> dict[str, float]:
    """What Tune calls, in a process of its own."""
    train, test, train_labels, test_labels = ray.get(given["parts"])
    parts = train, test, train_labels, test_labels
    fitted = published.fit(given["algorithm"], parts, given["threads"], published.SOLVER_OF_RAY)
    return {"accuracy": fitted}
