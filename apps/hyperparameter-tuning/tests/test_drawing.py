"""Charts of a search: what is on them, and that they can be drawn at their limits."""

import copy
import io

import found
import numpy as np
import pytest
from hyperparameter_tuning import drawing, drawing_lineage
from hyperparameter_tuning.drawing_lineage import BEST, GIVEN_UP
from PIL import Image


@pytest.fixture(scope="module")
def quality():
    return found.populations()[1]


def values(chart):
    return [point for data in chart.to_dict()["datasets"].values() for point in data]


def drawn(chart):
    with Image.open(io.BytesIO(drawing.png(chart))) as picture:
        return np.asarray(picture.convert("L")).min() < 80


def test_the_best_of_every_search_rises_with_its_cpu_seconds(quality):
    points = values(drawing.best_so_far(quality))
    for name in ("pbt", "random"):
        curve = [(one["seconds"], one["score"]) for one in points if one.get("search") == name]
        assert curve == [(cpu, score) for cpu, _, score in quality["searches"][name]["best_so_far"]]
        assert curve == sorted(curve) and len(curve) > 2


def test_chance_is_drawn_where_scores_are_accuracies(quality):
    assert {"chance": 0.1, "shown": "chance"} in values(drawing.best_so_far(quality))
    of_losses = values(drawing.best_so_far(found.depths()[1]))
    assert not any("chance" in point for point in of_losses)


def test_every_trial_crosses_every_axis(quality):
    points = values(drawing.parallel_coordinates(quality))
    lines = [point for point in points if "trial" in point]
    axes = {"learning_rate", "batch_size", "dropout", "score"}
    assert {(point["trial"], point["axis"]) for point in lines} == {
        (trial, axis) for trial in range(8) for axis in axes
    }
    assert all(0 <= point["place"] <= 1 for point in lines)
    best = quality["best"]
    assert {point["trial"] for point in lines if point["best"]} == {best["trial"]}
    assert {one["place"] for one in lines if one["best"] and one["axis"] == "score"} == {1.0}


def test_places_on_an_axis_are_of_logarithms_where_it_spans_much():
    assert drawing.place(1e-3, [1e-4, 1e-3, 1e-2]) == pytest.approx(0.5)
    assert drawing.place(3, [1, 3, 5]) == 0.5
    assert drawing.place(7, [7]) == 0.5


def test_the_lineage_has_every_copy_and_ends_at_the_best(quality):
    points = values(drawing_lineage.lineage(quality))
    copies = {(one["source"], one["trial"], one["from"]) for one in points if "source" in one}
    assert copies == {
        (step["copied_from"], trial["trial"], step["epochs"][0])
        for trial in quality["trials"]
        for step in trial["history"]
        if step["copied_from"] is not None
    }
    assert copies
    best = [one for one in points if "source" not in one and one["kind"] == BEST]
    # The best model was trained for all epochs, by one trial at a time.
    assert sorted(round(one["to"]) for one in best) == [2, 4, 6, 8]
    given_up = {one["trial"] for one in points if one["kind"] == GIVEN_UP}
    assert {trial for _, trial, _ in copies} <= given_up


def test_hyperparameters_stand_at_every_epoch_of_a_job(quality):
    points = values(drawing_lineage.over_time(quality))
    rates = {(one["trial"], one["epoch"], one["value"]) for one in points}
    for trial in quality["trials"]:
        for step in trial["history"]:
            for epoch in step["epochs"]:
                for value in step["configuration"].values():
                    assert (trial["trial"], epoch, value) in rates


def test_one_trial_alone_can_be_drawn(quality):
    _, alone = found.populations(trials=1, epochs=4)
    assert drawn(drawing.parallel_coordinates(alone))
    assert drawn(drawing.best_so_far(alone))
    assert drawn(drawing_lineage.over_time(alone))
    assert not drawing_lineage.copied(alone)


def test_trials_without_a_score_are_left_out(quality):
    without = copy.deepcopy(quality)
    other = next(one for one in without["trials"] if one["trial"] != without["best"]["trial"])
    other["score"] = None
    lines = values(drawing.parallel_coordinates(without))
    assert other["trial"] not in {point.get("trial") for point in lines}
