"""What a trial of Ray Tune does with a job: has Ray Train train it, and reports what it left."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ray import tune
from ray.train import RunConfig, ScalingConfig

from hyperparameter_tuning.jobs import Job, Report

REPORT, STATE = "report.json", "state"


def trained(
    loop: Callable[[dict[str, Any]], tuple[Report, bytes]],
    config: dict[str, Any],
    *,
    job: Job,
    workers: int,
    threads: int,
    folder: str,
) -> tuple[Report, bytes]:
    """By Ray Train's XGBoostTrainer, on so many workers; what the first one returns."""
    # Here, because networks need none of it.
    from ray.train.xgboost import XGBoostTrainer

    trainer = XGBoostTrainer(
        loop,
        train_loop_config={"job": job, **config},
        scaling_config=ScalingConfig(num_workers=workers, resources_per_worker={"CPU": threads}),
        run_config=RunConfig(name=f"trial-{job.trial}", storage_path=folder),
    )
    found: tuple[Report, bytes] = trainer.fit().return_value
    return found


def tell(report: Report, state: bytes, folder: str) -> None:
    """Within a trial: its result, from below a folder of all trials."""
    with tempfile.TemporaryDirectory(dir=folder) as own:
        (Path(own) / STATE).write_bytes(state)
        (Path(own) / REPORT).write_text(json.dumps(asdict(report)))
        tune.report({"score": report.scores[-1]}, checkpoint=tune.Checkpoint.from_directory(own))


def read(checkpoint: tune.Checkpoint) -> tuple[Report, bytes]:
    with checkpoint.as_directory() as folder:
        told = json.loads((Path(folder) / REPORT).read_text())
        return Report(**told), (Path(folder) / STATE).read_bytes()
