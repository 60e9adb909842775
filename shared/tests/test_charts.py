"""What is drawn, and what must not be: the data of the charts."""

import json
import re
from typing import Any

import pytest
import synthetic
from studykit.records import Check, Record, Status
from studyreport import charts, theme
from synthetic import PAPER

TIMES = [charts.time_vs_workers, charts.time_vs_size]


def points(chart: Any) -> list[dict[str, Any]]:
    """All values that a chart carries: equal data of several layers is in the chart once."""
    return [point for values in chart.to_dict()["datasets"].values() for point in values]


def series(chart: Any) -> set[str]:
    return {point["series"] for point in points(chart) if "series" in point}


def text(chart: Any) -> str:
    return json.dumps(chart.to_dict(), ensure_ascii=False)


@pytest.mark.parametrize("draw", TIMES)
@pytest.mark.parametrize("status", ["wrong", "unchecked", "failed", "timeout", "skipped"])
def test_a_time_without_a_right_answer_is_in_no_chart(draw: Any, status: Status) -> None:
    records = synthetic.sweep(engines=("plain", "torch"))
    records += [synthetic.record("ray", round=number, status=status) for number in (1, 2)]
    assert series(draw(records)) == {"plain", "torch", theme.LIMIT}


def test_a_done_run_whose_check_says_nothing_is_not_drawn() -> None:
    records = synthetic.sweep(engines=("plain",))
    records.append(synthetic.record("ray", check=Check(passed=None)))
    assert series(charts.time_vs_workers(records)) == {"plain", theme.LIMIT}


def test_hidden_rounds_do_not_move_the_median_of_the_others() -> None:
    rounds: list[tuple[int, float, Status]]
    rounds = [(1, 1.0, "done"), (2, 900.0, "wrong"), (3, 3.0, "done")]
    records = [
        synthetic.record("plain", round=number, phases={"load": seconds}, status=status)
        for number, seconds, status in rounds
    ]
    drawn = [
        point for point in points(charts.time_vs_workers(records)) if point["series"] == "plain"
    ]
    assert [(point["value"], point["low"], point["high"]) for point in drawn] == [(2.0, 1.0, 3.0)]


def test_nothing_to_show_gives_no_chart() -> None:
    failed = [synthetic.record("plain", status="failed")]
    drawings = [charts.time_vs_workers, charts.time_vs_size, charts.time_vs_split_size]
    drawings += [charts.speedup, charts.efficiency, charts.phases, charts.peak_memory]
    assert [draw(failed) for draw in drawings] == [None] * len(drawings)
    assert charts.quality(failed, {"iterations": "Iterations"}) is None


def test_the_published_method_is_drawn_dashed_and_hatched_under_its_own_name() -> None:
    records = synthetic.sweep()
    records += [synthetic.record("ray", method="published", workers=2)]
    times = charts.time_vs_workers(records)
    assert "ray, published" in series(times)
    assert theme.dash_of("ray, published") != theme.dash_of("ray")
    assert '"gradient"' in text(charts.phases(records))
    assert '"gradient"' not in text(charts.phases(synthetic.sweep()))


def test_every_chart_of_times_has_the_plain_process_and_the_limit() -> None:
    records = synthetic.sweep()
    records += [synthetic.record(engine, split_size="1MB") for engine in ("plain", "ray")]
    for draw in (charts.time_vs_workers, charts.time_vs_size, charts.time_vs_split_size):
        assert {"plain", theme.LIMIT} <= series(draw(records))


def test_a_peer_that_only_reads_is_in_the_phases_and_not_among_the_answers() -> None:
    engines = synthetic.sweep()
    records = [*engines, synthetic.record("polars", method="peer")]
    assert "polars, peer" in series(charts.phases(records))
    assert series(charts.time_vs_workers(records)) == series(charts.time_vs_workers(engines))


def test_each_size_is_a_panel_with_its_workers_along_the_axis() -> None:
    drawn = points(charts.time_vs_workers(synthetic.sweep(sizes=(0.1, 1.0), workers=(1, 2))))
    places = {(point["panel"], point["x"]) for point in drawn}
    assert places == {("100 MB", 1), ("100 MB", 2), ("1 GB", 1), ("1 GB", 2)}


def test_split_sizes_are_an_axis_of_one_chart_and_not_extra_points_in_the_others() -> None:
    records = synthetic.sweep(sizes=(1.0,), workers=(1,))
    records += [synthetic.record("plain", split_size=size) for size in ("1MB", "30MB")]
    split = [point["x"] for point in points(charts.time_vs_split_size(records))]
    assert set(split) == {1.0, 30.0}
    drawn = points(charts.time_vs_workers(records))
    assert len([point for point in drawn if point["series"] == "plain"]) == 1


def _on_both_devices() -> list[Record]:
    records = synthetic.sweep(sizes=(1.0,))
    return records + [
        synthetic.record("torch", workers=workers, round=number, device="cuda")
        for workers in (1, 2)
        for number in (1, 2, 3)
    ]


def test_a_gpu_is_a_series_of_its_own_in_every_chart() -> None:
    records = _on_both_devices()
    drawn = charts.common(records, []) | {"quality": charts.quality(records, {"iterations": "N"})}
    shown = {name: series(chart) for name, chart in drawn.items() if chart is not None}
    assert len(shown) == 7
    assert all({"torch", "torch on cuda"} <= names for names in shown.values())


def test_a_gpu_has_a_colour_of_its_own() -> None:
    engines = ["plain", "ray", "torch", "torch on cuda", "dask", "polars", "duckdb"]
    assert len(set(theme.engine_colours(engines).values())) == len(engines)
    assert theme.colour_of("torch on cuda, published") == theme.colour_of("torch on cuda")


def test_speed_up_on_a_gpu_is_over_fewer_gpus() -> None:
    records = [
        synthetic.record("torch", workers=workers, device=device, phases={"compute": seconds})
        for workers, device, seconds in (
            (1, "cpu", 100.0), (2, "cpu", 50.0), (1, "cuda", 6.0), (2, "cuda", 4.0),
        )
    ]  # fmt: skip
    faster = {
        p["series"]: p["value"]
        for p in points(charts.speedup(records))
        if p.get("x") == 2 and "series" in p
    }
    assert faster == {"torch": 2.0, "torch on cuda": 1.5}


def test_the_limit_is_that_of_the_cores_and_not_beside_a_gpu_alone() -> None:
    records = [synthetic.record("torch", workers=1, device="cuda")]
    assert series(charts.time_vs_workers(records)) == {"torch on cuda"}


def test_the_common_charts_come_by_name_in_the_order_of_the_page() -> None:
    assert list(charts.common([], [])) == [
        "time_against_workers",
        "time_against_size",
        "time_against_split_size",
        "phases",
        "speed_up",
        "efficiency",
        "peak_memory",
    ]


def test_speed_up_and_efficiency_are_taken_within_rounds() -> None:
    times = {1: (8.0, 80.0), 2: (5.0, 40.0)}
    records = [
        synthetic.record("ray", workers=workers, round=number, phases={"compute": seconds})
        for workers, seconds_of_rounds in times.items()
        for number, seconds in enumerate(seconds_of_rounds, start=1)
    ]
    faster = [p for p in points(charts.speedup(records)) if p.get("x") == 2 and "series" in p]
    worth = [p for p in points(charts.efficiency(records)) if p.get("x") == 2 and "series" in p]
    assert [(p["low"], p["value"], p["high"]) for p in faster] == [(1.6, 1.8, 2.0)]
    assert [(p["low"], p["value"], p["high"]) for p in worth] == [(0.8, 0.9, 1.0)]


def test_one_number_of_workers_has_no_speed_up() -> None:
    assert charts.speedup(synthetic.sweep(workers=(2,))) is None


def test_phases_are_stacked_in_the_order_of_a_run() -> None:
    run = synthetic.record("ray", phases={"compute": 3.0, "start": 1.0, "check": 99.0, "load": 2.0})
    drawn = points(charts.phases([run]))
    ends = [(point["phase"], point["begin"], point["end"]) for point in drawn]
    assert ends == [("start", 0.0, 1.0), ("load", 1.0, 3.0), ("compute", 3.0, 6.0)]


def test_memory_shows_all_processes_and_the_driver_beside() -> None:
    run = synthetic.record(
        "ray", peak_memory_bytes=3_000_000_000, driver_rss_delta_bytes=200_000_000
    )
    assert sorted(point["value"] for point in points(charts.peak_memory([run]))) == [0.2, 3.0]


def test_quality_is_found_in_the_answer_or_in_the_check() -> None:
    runs = [synthetic.record("ray", method="published"), synthetic.record("plain")]
    shared = points(charts.quality(runs, {"top_10_overlap": "Shared"}))
    assert [(point["series"], point["value"]) for point in shared] == [("ray, published", 0.3)]
    iterations = points(charts.quality(runs, {"iterations": "Iterations"}))
    assert {point["value"] for point in iterations} == {20.0}


@pytest.mark.parametrize("draw", TIMES)
def test_the_papers_figures_stand_beside_with_the_unit_of_their_axis(draw: Any) -> None:
    drawn = draw(synthetic.sweep(), PAPER)
    assert "In the paper, by processes" in text(drawn)
    assert "In the paper, by nodes" in text(drawn)
    theirs = {point["value"] for point in points(drawn) if "label" in point}
    assert theirs == {row["value"] for row in PAPER}


def test_the_papers_axis_counts_what_the_paper_counted() -> None:
    titles = re.findall(
        r'"title": "(Workers|Nodes|Processes)"',
        text(charts.time_vs_workers(synthetic.sweep(sizes=(1.0,)), PAPER)),
    )
    assert set(titles) == {"Workers", "Nodes", "Processes"}


def test_a_run_of_the_paper_that_did_not_end_is_no_point() -> None:
    failed = {**PAPER[0], "value": "out of memory"}
    drawn = points(charts.time_vs_workers(synthetic.sweep(), [failed, *PAPER[1:]]))
    assert len([point for point in drawn if "label" in point]) == len(PAPER) - 1


def test_names_at_the_ends_of_lines_do_not_lie_on_each_other() -> None:
    close = [{**row, "value": 500.0 + place} for place, row in enumerate(PAPER)]
    drawn = points(charts.time_vs_workers(synthetic.sweep(), close))
    torch = sorted(
        point["label_at"]
        for point in drawn
        if point.get("label_at") and point["label"].startswith("torch")
    )
    assert len(torch) == 2
    assert torch[1] - torch[0] >= 0.05 * 500


def test_engines_keep_their_colour_whatever_else_is_drawn() -> None:
    alone = theme.engine_colours(["torch"])["torch"]
    assert theme.engine_colours(["plain", "ray", "torch", "polars"])["torch"] == alone
    together = theme.engine_colours(["plain", "ray", "torch", "dask", "polars", "duckdb"])
    assert len(set(together.values())) == 6


def test_a_distribution_leaves_out_what_a_logarithm_cannot_show() -> None:
    titles = {"title": "Spread", "value_title": "Rank", "count_title": "Vertices"}
    drawn = charts.distribution({"plain": [(1e-3, 1.0), (0.0, 7.0)]}, **titles)
    assert [point["value"] for point in points(drawn)] == [1e-3]
    assert charts.distribution({"plain": [(0.0, 1.0)]}, **titles) is None
