"""A sweep: what it plans, what it runs, what it finds again, and what is left where it is ended."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sample_study.sample import Sample
from sample_study.study import Parameters
from studykit import records
from studysweep import cells, children, sweep
from studytest import running

pytest_plugins = "sample_study.fixtures"


def test_every_round_runs_all_cells_once_with_the_engines_of_a_setting_side_by_side(
    called: Sample,
) -> None:
    called.run(repeats=2, size="tiny,big", workers="1")
    assert called.log == [
        f"{engine} {size} 1 {number} done"
        for number in (1, 2)
        for size in ("tiny", "big")
        for engine in ("plain", "alpha")
    ]


def test_stores_are_interleaved_and_each_cell_is_found_again(called: Sample) -> None:
    stores = ["/one", "/two"]
    found = called.run(repeats=2, store="/one,/two")
    assert [(record.round, record.engine, record.dataset.uri) for record in found] == [
        (number, engine, f"{store}/numbers/tiny")
        for number in (1, 2)
        for store in stores
        for engine in ("plain", "alpha")
    ]
    assert called.run(repeats=2, store="/one,/two") == found
    assert called.run(repeats=2, store="/two") == [
        one for one in found if "/two" in one.dataset.uri
    ]
    assert len(called.log) == 8


def test_records_carry_their_round_and_come_in_the_order_of_the_plan(called: Sample) -> None:
    found = called.run(repeats=2)
    assert [(record.engine, record.repeat, record.round) for record in found] == [
        ("plain", 1, 1),
        ("alpha", 1, 1),
        ("plain", 2, 2),
        ("alpha", 2, 2),
    ]


def test_a_peer_runs_in_the_same_rounds_and_is_found_again(sample: Sample) -> None:
    found = sample.run(peers="quick")
    assert [(record.engine, record.method, record.round) for record in found] == [
        ("plain", "exact", 1),
        ("alpha", "exact", 1),
        ("quick", "peer", 1),
    ]
    assert all(cell.finished() for cell in sample.plan(peers="quick"))


def test_the_studys_own_parameters_reach_the_cells(called: Sample) -> None:
    plan = called.plan(Parameters(tolerance=0.25), engines="alpha")
    assert [record.parameters["tolerance"] for record in sweep.run_cells(plan)] == [0.25]


@pytest.mark.parametrize("status", ["done", "wrong", "unchecked"])
def test_a_finished_cell_is_not_run_again(called: Sample, status: str) -> None:
    called.tell("alpha", status)
    before = called.run()
    after = called.run()
    assert after == before
    assert len(called.log) == 2


def test_a_failed_cell_is_tried_again_and_the_others_are_not(called: Sample) -> None:
    called.tell("alpha", "fail", "done")
    assert [record.status for record in called.run()] == ["done", "failed"]
    assert [record.status for record in called.run()] == ["done", "done"]
    assert [line.split()[0] for line in called.log] == ["plain", "alpha", "alpha"]


def test_fresh_runs_all_again_and_goes_on_after_an_interruption(
    called: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    called.run()
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(cells, "run", interrupted)
        called.run(fresh=True)
    assert [record.status for record in called.run()] == ["done", "done"]
    assert [line.split()[0] for line in called.log] == ["plain", "alpha"] * 2


def test_more_rounds_continue_where_fewer_stopped(called: Sample) -> None:
    called.run(repeats=1)
    called.run(repeats=2)
    assert [line.split()[3] for line in called.log] == ["1", "1", "2", "2"]


def test_a_child_that_dies_without_a_record_leaves_one_with_its_last_words(sample: Sample) -> None:
    sample.tell("alpha", "crash")
    failed = sample.run()[1]
    assert (failed.status, failed.error) == ("failed", "the last words")
    assert failed.dataset.uri == "/numbers/tiny"
    assert records.read(sample.plan()[1].path) == failed


def test_the_commands_own_line_of_an_error_counts_whatever_a_framework_says_after_it(
    called: Sample,
) -> None:
    called.tell("alpha", "noise")
    assert called.run()[1].error == "columns differ"


def test_a_child_that_ends_well_without_a_record_has_failed(called: Sample) -> None:
    called.tell("alpha", "vanish")
    assert called.run()[1].status == "failed"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("refuse", "asked for 9 cores, 2 available"),
        ("refuse-late", "asked for 9 GPUs, 0 available"),
    ],
    ids=["before-the-run", "in-the-run"],
)
def test_what_the_machine_cannot_give_is_skipped_with_the_reason(
    called: Sample, word: str, reason: str
) -> None:
    called.tell("alpha", word)
    record = called.run()[1]
    assert (record.status, record.error) == ("skipped", reason)
    called.run()
    assert len(called.log) == 2


def test_a_cluster_that_did_not_start_is_tried_again(called: Sample) -> None:
    called.tell("alpha", "busy", "done")
    record = called.run()[1]
    assert (record.status, record.error) == ("failed", "the cluster did not start")
    assert [record.status for record in called.run()] == ["done", "done"]
    assert [line.split()[0] for line in called.log] == ["plain", "alpha", "alpha"]


def test_a_killed_child_is_recorded_and_its_workers_do_not_outlive_it(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.5)
    sample.tell("alpha", "orphan")
    plan = sample.plan(engines="alpha")
    record = sweep.run_cells(plan)[0]
    assert (record.status, record.error) == ("failed", "killed by SIGKILL")
    assert [pid for pid in sample.started("worker") if psutil.pid_exists(pid)] == []


def test_a_child_that_hangs_past_its_limit_is_killed_with_its_workers(
    sample: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.5)
    sample.tell("alpha", "hang")
    plan = sample.plan(engines="alpha", timeout=8.0)
    record = sweep.run_cells(plan)[0]
    assert (record.status, record.error) == ("timeout", "not done within --timeout 8 s")
    assert len(sample.started("worker")) == 1
    assert [pid for pid in sample.started("worker") if psutil.pid_exists(pid)] == []
    assert plan[0].finished() is None


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"]
)
def test_an_interrupted_sweep_leaves_no_process_and_continues(
    called: Sample, number: signal.Signals, code: int
) -> None:
    called.tell("alpha", "hang")
    script = "from studysweep import children; children.GRACE_SECONDS = 1.0\n"
    script += "from sample_study import compare; compare.main()"
    command = [sys.executable, "-c", script, "--repeats", "1", "--workers", "1"]
    command += ["--results", called.results]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    _wait_for(lambda: bool(called.started("hanging")), process)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == code
    children = called.started("worker") + called.started("hanging")
    assert len(children) == 2
    assert [pid for pid in children if psutil.pid_exists(pid)] == []
    assert [path.parent.name for path in Path(called.results).rglob("*-r?.json")] == ["plain"]
    called.tell("alpha", "done")
    assert [record.status for record in called.run()] == ["done", "done"]
    assert [line.split()[0] for line in called.log] == ["plain", "alpha", "alpha"]


def test_the_command_prints_the_ratios_as_json_alone(called: Sample) -> None:
    printed = _compare(called, "--repeats", "2", "--workers", "1", "--json")
    rows = json.loads(printed.stdout)
    assert [(row["engine"], row["runs"]) for row in rows] == [("plain", 2), ("alpha", 2)]
    assert rows[1]["ratio_to_plain"] == {
        "median": pytest.approx(4 / 3),
        "low": pytest.approx(4 / 3),
        "high": pytest.approx(4 / 3),
        "count": 2,
    }


def test_a_failed_cell_stays_in_the_printed_table(called: Sample) -> None:
    called.tell("alpha", "fail")
    said = _compare(called, "--repeats", "1", "--workers", "1").stderr
    assert "0/1" in said
    assert "failed: alpha exact, 1 × 1: no luck" in said


def test_dry_run_names_the_cells_and_runs_none(called: Sample) -> None:
    called.run(engines="plain")
    printed = _compare(called, "--repeats", "1", "--workers", "1", "--dry-run").stdout
    assert "done, kept     round 1: tiny, 1 × 1, plain exact" in printed
    assert "to run         round 1: tiny, 1 × 1, alpha exact" in printed
    assert len(called.log) == 1


def test_dry_run_of_a_fresh_sweep_finds_nothing_and_removes_nothing(called: Sample) -> None:
    called.run()
    printed = _compare(called, "--repeats", "1", "--workers", "1", "--dry-run", "--fresh").stdout
    assert printed.count("to run") == 2
    assert [cell.finished() is None for cell in called.plan()] == [False, False]


def _compare(sample: Sample, *options: str) -> running.Finished:
    done = running.call("sample_study.compare", "--pause", 0, "--results", sample.results, *options)
    assert done.code == 0, done.stderr
    return done


def _wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    while not condition():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
