"""Boosting as users of Ray write it: Ray Data reads, Ray Train's trainers train.

Every worker is given a share of the blocks, and calls the library, which exchanges by itself:
`XGBoostTrainer` starts XGBoost's tracker, `LightGBMTrainer` says which worker listens where. The
last fifth of the rows tests: Ray Data has no seeded hash, and a shuffle would move all rows.
"""

import logging
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import ray
import ray.data
from ray.train import RunConfig, ScalingConfig
from ray.train.lightgbm import (
    LightGBMTrainer,
    get_network_params,
    normalize_pandas_for_lightgbm,
)
from ray.train.xgboost import XGBoostTrainer
from studykit import columnar, processes, storage
from studykit.errors import UsageError
from studykit.run import Run

from synthetic_classifiers import lightgbm_trees, xgboost_trees
from synthetic_classifiers.dividing import Division
from synthetic_classifiers.layout import Probabilities
from synthetic_classifiers.model import Model, Trained
from synthetic_classifiers.training import Answer

TEST_SHARE = 0.2


def answered(run: Run) -> Answer:
    parameters = run.parameters
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False
    with run.phase("load", f"Ray Data reads {run.dataset.bytes:,} bytes"):
        table = read(run).materialize()
        rows = table.count()
        train, test = table.split_at_indices([rows - int(rows * TEST_SHARE)])
        tests = test.to_pandas()
    labels = tests.pop(parameters.label).to_numpy(np.int32)
    trained = {}
    with run.phase("compute", f"Ray Train trains on {run.options.worker_count} workers"):
        for name in parameters.algorithms:
            run.progress(name)
            trained[name] = _trained(run, name, train, tests)
    counts = np.bincount(labels, minlength=parameters.classes)
    counted = table.groupby(parameters.label).count().to_pandas()
    counts[counted[parameters.label]] = counted["count()"]
    return Answer(
        division=Division((), (), rows, rows - len(labels)),
        class_counts=counts,
        features=list(tests.columns),
        rows=np.arange(rows - len(labels), rows),
        labels=labels,
        trained=trained,
    )


def read(run: Run) -> "ray.data.Dataset":
    """By Ray Data. UsageError where it is no local, plain file."""
    paths = []
    for uri in storage.list_files(run.dataset.uri):
        if not storage.is_local(uri) or storage.compression(uri):
            raise UsageError(f"--method native reads local, plain files only, not {uri}")
        paths.append(storage.local_path(uri))
    asked = run.parameters.asked
    tabular = columnar.is_parquet(storage.absolute(paths[0]))
    table = ray.data.read_parquet(paths) if tabular else ray.data.read_csv(paths)
    return table.select_columns([*asked.features, asked.label]) if asked.features else table


class _Xgboost(XGBoostTrainer):  # type: ignore[misc]
    def _register_sigint_handler(self, controller: Any) -> None:
        """Ctrl-C stays with the run: Ray Train's handler would end it as if all were well."""


class _Lightgbm(LightGBMTrainer):  # type: ignore[misc]
    def _register_sigint_handler(self, controller: Any) -> None:
        """As above."""


def _trained(run: Run, name: str, train: "ray.data.Dataset", tests: pd.DataFrame) -> Trained:
    options, parameters = run.options, run.parameters
    trainer, loop, predict = WAYS[name]
    began = time.monotonic()
    with processes.temporary_folder("study-ray-train-") as folder:
        content: bytes = (
            trainer(
                loop,
                train_loop_config={
                    "label": parameters.label,
                    "classes": parameters.classes,
                    "rounds": parameters.boosting_rounds,
                    "threads": options.threads,
                },
                datasets={"train": train},
                scaling_config=ScalingConfig(
                    num_workers=options.worker_count, resources_per_worker={"CPU": options.threads}
                ),
                run_config=RunConfig(name="classifiers", storage_path=folder),
            )
            .fit()
            .return_value
        )
    trained = time.monotonic()
    features = tests.to_numpy(np.float32)
    probabilities = predict(content, features, options.worker_count * options.threads)
    model = Model(predict=lambda team: [], content=content)
    return Trained(name, model, probabilities, trained - began, time.monotonic() - trained)


def _share(
    config: dict[str, Any], normalized: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
) -> tuple[pd.DataFrame, pd.Series]:
    """What a worker was given."""
    table = normalized(ray.train.get_dataset_shard("train").materialize().to_pandas())
    return table, table.pop(config["label"])


def xgboost_loop(config: dict[str, Any]) -> bytes:
    import xgboost

    table, labels = _share(config)
    asked = {
        **xgboost_trees.objective(config["classes"]),
        "nthread": config["threads"],
        "tree_method": "hist",
    }
    booster = xgboost.train(asked, xgboost.DMatrix(table, labels), config["rounds"])
    return bytes(booster.save_raw("ubj"))


def lightgbm_loop(config: dict[str, Any]) -> bytes:
    import lightgbm

    table, labels = _share(config, normalize_pandas_for_lightgbm)
    asked = {
        **lightgbm_trees.objective(config["classes"]),
        "num_threads": config["threads"],
        "tree_learner": "data_parallel",
        "pre_partition": True,
        "verbose": -1,
        **get_network_params(),
    }
    text: str = lightgbm.train(
        asked, lightgbm.Dataset(table, labels), config["rounds"]
    ).model_to_string()
    return text.encode()


Way = tuple[Any, Callable[[dict[str, Any]], bytes], Callable[[bytes, Any, int], Probabilities]]
WAYS: dict[str, Way] = {
    "xgboost": (_Xgboost, xgboost_loop, xgboost_trees.predict),
    "lightgbm": (_Lightgbm, lightgbm_loop, lightgbm_trees.predict),
}
"""The trainer, its loop, the predictions of the model that it hands back."""
