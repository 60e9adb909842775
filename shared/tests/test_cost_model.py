"""The model finds the coefficients that made its data, and says when it cannot."""

import itertools
from typing import Any

import numpy as np
import pytest
import synthetic
from hypothesis import given
from hypothesis import strategies as st
from studykit.records import Record
from studyreport import cost_model, prediction
from studyreport.cost_model import CostModel, TooFewCells

TRUE = {
    "start_seconds": 2.0,
    "start_seconds_per_worker": 0.25,
    "load_seconds_per_byte": 4e-9,
    "compute_seconds_per_byte": 2e-10,
    "message_seconds": 1e-3,
    "communicate_seconds_per_byte": 3e-11,
    "worker_bytes": 2e8,
    "shared_bytes_per_byte": 1.5,
    "copied_bytes_per_byte": 0.1,
}
MACHINE = {"cores": 2, "memory_bytes": 24_000_000_000}
ITERATIONS = 50


def measured(
    gigabytes: float, workers: int, engine: str = "ray", truth: dict[str, float] | None = None
) -> Record:
    """A record whose phases and memory follow the model exactly."""
    true = {**TRUE, **(truth or {})}
    size, others = gigabytes * 1e9, workers - 1
    phases = {
        "start": true["start_seconds"] + true["start_seconds_per_worker"] * workers,
        "load": true["load_seconds_per_byte"] * size / workers,
        "compute": ITERATIONS * true["compute_seconds_per_byte"] * size / workers,
        "communicate": ITERATIONS
        * (
            true["message_seconds"] * others
            + true["communicate_seconds_per_byte"] * size * others / workers
        ),
    }
    memory = true["worker_bytes"] * workers + true["shared_bytes_per_byte"] * size
    memory += true["copied_bytes_per_byte"] * size * workers
    return synthetic.record(
        engine,
        gigabytes=gigabytes,
        workers=workers,
        phases=phases,
        quality={"iterations": ITERATIONS},
        peak_memory_bytes=int(memory),
        machine=MACHINE,
    )


def fitted(**truth: float) -> CostModel:
    cells = itertools.product((0.1, 1.0, 2.5), (1, 2, 4))
    records = [measured(*cell, truth=truth) for cell in cells]
    (model,) = cost_model.fit_all(records)
    assert isinstance(model, CostModel)
    return model


def test_the_coefficients_that_made_the_data_are_found() -> None:
    model = fitted()
    assert {name: getattr(model, name) for name in TRUE} == pytest.approx(TRUE, rel=1e-4)


@pytest.mark.parametrize("zero", ["start_seconds_per_worker", "message_seconds"])
def test_a_term_that_is_not_in_the_data_is_zero(zero: str) -> None:
    assert getattr(fitted(**{zero: 0.0}), zero) == pytest.approx(0.0, abs=1e-9)


def test_the_largest_cell_is_left_out_and_predicted() -> None:
    model = fitted()
    assert (model.left_out.bytes, model.left_out.workers) == (2.5e9, 4)
    assert all(cell != model.left_out for cell in model.measured)
    assert model.error_on_left_out == pytest.approx(0.0, abs=1e-6)


def test_the_error_is_that_of_the_prediction_on_the_cell_left_out() -> None:
    sizes, workers = (0.1, 1.0, 2.5), (1, 2)
    records = [measured(*cell) for cell in itertools.product(sizes, workers)]
    slow = {name: 2 * seconds for name, seconds in records[-1].phases.items()}
    records[-1] = records[-1].model_copy(update={"phases": slow})
    (model,) = cost_model.fit_all(records)
    assert isinstance(model, CostModel)
    assert model.error_on_left_out == pytest.approx(-0.5, rel=1e-3)
    assert "the prediction is 50% too low" in prediction.sentences(model)[0]


@pytest.mark.parametrize(
    ("sizes", "workers", "reason"),
    [
        ((1.0,), (1, 2, 4), "two data sizes"),
        ((0.1, 1.0, 2.5), (2,), "two numbers of workers"),
        ((0.1, 1.0), (1, 2), "two cells of more than one worker"),
    ],
)
def test_too_few_cells_are_said_and_not_fitted(
    sizes: tuple[float, ...], workers: tuple[int, ...], reason: str
) -> None:
    (model,) = cost_model.fit_all([measured(*c) for c in itertools.product(sizes, workers)])
    assert isinstance(model, TooFewCells)
    assert reason in model.reason


def test_a_gpu_has_a_model_of_its_own() -> None:
    cells = itertools.product((0.1, 1.0, 2.5), (1, 2, 4))
    on_cpu = [measured(*cell, engine="torch") for cell in cells]
    on_cuda = [
        record.model_copy(
            update={
                "devices": ["cuda NVIDIA H100"] * record.workers,
                "phases": {name: seconds / 4 for name, seconds in record.phases.items()},
            }
        )
        for record in on_cpu
    ]
    slow, fast = cost_model.fit_all([*on_cpu, *on_cuda])
    assert isinstance(slow, CostModel) and isinstance(fast, CostModel)
    assert (slow.engine, fast.engine) == ("torch", "torch on cuda")
    assert fast.seconds(1e9, 2) == pytest.approx(slow.seconds(1e9, 2) / 4)


def test_one_process_is_not_predicted_onto_many_machines() -> None:
    cells = itertools.product((0.1, 1.0, 2.5), (1, 2, 4))
    assert cost_model.fit_all([measured(*cell, engine="plain") for cell in cells]) == []


def test_communication_overtakes_compute_where_the_two_curves_cross() -> None:
    model = fitted(message_seconds=0.0)
    # compute ÷ workers < volume × (workers − 1) ÷ workers  ⇔  workers > 1 + 2e-10 ÷ 3e-11
    assert model.overtaken_at(1e12) == 8


def test_without_communication_nothing_is_overtaken() -> None:
    model = fitted(message_seconds=0.0, communicate_seconds_per_byte=0.0)
    assert model.overtaken_at(1e13) is None


def test_memory_is_enough_from_the_first_number_of_workers_that_holds_the_data() -> None:
    model = fitted(copied_bytes_per_byte=0.0)
    # 12 GB a worker, 0.2 of them its own: 1.5 bytes for each of 10^12, over 11.8 GB
    assert model.fits_from(1e12) == int(np.ceil(1.5e12 / 11.8e9))
    assert model.fits_from(1e9) == 1


def test_what_every_worker_holds_of_the_whole_runs_out_however_many_there_are() -> None:
    model = fitted()
    assert model.fits_from(1e13) is None
    assert "memory runs out first" in prediction.sentences(model)[-1]
    assert "every worker holds" in prediction.sentences(model)[-1]


def test_the_curves_reach_ten_terabytes_and_a_thousand_workers() -> None:
    chart = prediction.chart([fitted()])
    assert chart is not None
    datasets = chart.to_dict()["datasets"].values()
    values = [value for data in datasets for value in data if "volume" in value]
    assert {value["volume"] for value in values} == {"2.5 GB", "100 GB", "1 TB", "10 TB"}
    assert max(value["workers"] for value in values) == 1000
    last = next(v for v in values if v["volume"] == "10 TB" and v["workers"] == 1000)
    assert last["each"] == "10 GB"


def test_every_predicted_line_is_dashed() -> None:
    chart = prediction.chart([fitted()])
    assert chart is not None
    lines = [layer for layer in _layers(chart.to_dict()) if layer["mark"]["type"] == "line"]
    assert lines
    assert all(line["mark"]["strokeDash"] for line in lines)


def test_nothing_fitted_draws_nothing() -> None:
    assert prediction.chart([]) is None


@given(
    truth=st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), min_size=3, max_size=3),
    seed=st.integers(0, 1000),
)
def test_nonnegative_least_squares_recovers_what_made_the_data(
    truth: list[float], seed: int
) -> None:
    terms = np.random.default_rng(seed).uniform(0.5, 2.0, (8, 3))
    found = cost_model.nonnegative_least_squares(terms, terms @ np.array(truth))
    np.testing.assert_allclose(found, truth, atol=1e-5)


@given(seed=st.integers(0, 1000))
def test_nonnegative_least_squares_is_no_worse_than_any_point_of_a_grid(seed: int) -> None:
    generator = np.random.default_rng(seed)
    terms, measured_values = generator.normal(size=(6, 2)), generator.normal(size=6)
    found = cost_model.nonnegative_least_squares(terms, measured_values)
    assert (found >= 0).all()
    error = np.sum((terms @ found - measured_values) ** 2)
    for point in itertools.product(np.linspace(0, 2, 21), repeat=2):
        assert error <= np.sum((terms @ np.array(point) - measured_values) ** 2) + 1e-9


def _layers(node: dict[str, Any]) -> list[dict[str, Any]]:
    if "mark" in node:
        return [node]
    inside = [part for name in ("concat", "vconcat", "layer") for part in node.get(name, [])]
    return [layer for part in inside for layer in _layers(part)]
