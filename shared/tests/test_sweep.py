"""A small study whose engines do what files tell them: write a record, fail, hang, be killed."""

import importlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
import synthetic
from studykit import records
from studykit.errors import UsageError
from studysweep import cells
from studysweep import children
from studysweep import ratios
from studysweep import sweep

STUDY = '''
import dataclasses, os, signal, subprocess, sys, time
from pathlib import Path
from typing import Annotated
import typer
from studykit import cli, options, records; from studysweep import sweep
from studykit.errors import ResourceError
from studykit.records import Check, DatasetInfo, Record

HOME = Path(__file__).parent.parent

@dataclasses.dataclass(frozen=True)
class Parameters:
    tolerance: Annotated[float, typer.Option(help="When to stop.")] = 0.5

def locate(asked, parameters):
    return DatasetInfo(name="numbers", uri=asked.data or f"/numbers/{asked.size}", bytes=10**6)

STUDY = options.Study(
    name="sample", package="sample_study", engines=("plain", "alpha"), dataset="numbers",
    parameters=Parameters, locate=locate, methods=("exact", "published"),
)

def orders(engine):
    """The next word in the engine's file; the last one stays."""
    path = HOME / f"{engine}.orders"
    words = path.read_text().split() if path.exists() else ["done"]
    if len(words) > 1:
        path.write_text(" ".join(words[1:]))
    return words[0]

def write(asked, engine, parameters, status):
    repeat, number = cli.repeat_from_environment()
    configuration = options.configuration(STUDY, engine, asked, parameters)
    records.write(Record(
        study="sample", engine=engine, method=asked.method, dataset=locate(asked, parameters),
        parameters={"tolerance": parameters.tolerance, "split_size": asked.split_size},
        workers=asked.worker_count, threads=asked.threads, repeat=repeat, round=number,
        status=status, check=Check(passed=status == "done"), wall_seconds=3.0,
        phases={"start": 1.0, "load": 1.0, "compute": 2.0 if engine == "plain" else 3.0},
        config_hash=records.config_hash(configuration)), asked.results)

def body(engine, asked, parameters):
    word = orders(engine)
    with open(HOME / "log", "a") as log:
        log.write(f"{engine} {asked.size} {asked.workers} {os.environ['STUDY_ROUND']} {word}\\n")
    if word in ("hang", "orphan"):
        # A worker in a session of its own, as engines start them.
        worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                                  start_new_session=True)
        (HOME / f"worker-{worker.pid}").touch()
        if word == "orphan":
            os.kill(os.getpid(), signal.SIGKILL)
        (HOME / f"hanging-{os.getpid()}").touch()
        while True:
            try:
                time.sleep(600)
            except BaseException:
                pass
    if word == "crash":
        print("first line\\nthe last words", file=sys.stderr)
        os._exit(7)
    if word == "noise":
        print("error: columns differ\\nstack trace", file=sys.stderr)
        os._exit(2)
    if word == "refuse":
        raise ResourceError("asked for 9 cores, 2 available")
    if word == "refuse-late":
        write(asked, engine, parameters, "failed")
        raise ResourceError("no cluster")
    if word == "vanish":
        return 0
    write(asked, engine, parameters, word)
    return 0
'''
ENGINE = """
import functools
from studykit import cli
from sample_study import study
main = cli.entry_point(study.STUDY, "{engine}", functools.partial(study.body, "{engine}"))
if __name__ == "__main__":
    main()
"""
PEERS = """
import dataclasses, sys
from studykit import options
from sample_study import study
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
asked = options.Options(size=words.get("--size"), workers=int(words["--workers"]),
                        results=words["--results"], method=words["--method"])
study.write(asked, sys.argv[1], study.Parameters(), "done")
"""
COMPARE = """
from studysweep import sweep
from sample_study import study
main = sweep.compare_command(study.STUDY, peers=("quick",))
if __name__ == "__main__":
    main()
"""


class Sample:
    """The study in a folder, and what it is told to do."""

    def __init__(self, home: Path) -> None:
        self.home, self.results = home, str(home / "results")
        package = home / "sample_study"
        package.mkdir()
        files = {"__init__": "", "study": STUDY, "compare": COMPARE, "peers": PEERS}
        files |= {f"run_{engine}": ENGINE.format(engine=engine) for engine in ("plain", "alpha")}
        for name, text in files.items():
            (package / f"{name}.py").write_text(text)

    def tell(self, engine: str, *words: str) -> None:
        (self.home / f"{engine}.orders").write_text(" ".join(words))

    @property
    def study(self) -> Any:
        return importlib.import_module("sample_study.study")

    def plan(self, **asked: Any) -> list[cells.Cell]:
        study = self.study
        options = sweep.SweepOptions(
            **{"repeats": 1, "workers": "1", **asked}, results=self.results
        )
        return list(sweep.plan_cells(study.STUDY, ("quick",), options, study.Parameters()))

    def run(self, **asked: Any) -> list[records.Record]:
        return sweep.run_cells(self.plan(**asked))

    @property
    def log(self) -> list[str]:
        log = self.home / "log"
        return log.read_text().splitlines() if log.exists() else []

    def started(self, kind: str) -> list[int]:
        return [int(path.name.split("-")[1]) for path in self.home.glob(f"{kind}-*")]


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sample:
    made = Sample(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.startswith("sample_study")]:
        monkeypatch.delitem(sys.modules, name)
    return made


def test_every_round_runs_all_cells_once_with_the_engines_of_a_setting_side_by_side(
    sample: Sample,
) -> None:
    sample.run(repeats=2, size="tiny,big", workers="1")
    assert sample.log == [
        f"{engine} {size} 1 {number} done"
        for number in (1, 2)
        for size in ("tiny", "big")
        for engine in ("plain", "alpha")
    ]


def test_records_carry_their_round_and_come_in_the_order_of_the_plan(sample: Sample) -> None:
    found = sample.run(repeats=2)
    assert [(record.engine, record.repeat, record.round) for record in found] == [
        ("plain", 1, 1),
        ("alpha", 1, 1),
        ("plain", 2, 2),
        ("alpha", 2, 2),
    ]


def test_a_cell_is_engine_size_workers_split_and_method(sample: Sample) -> None:
    plan = sample.plan(size="tiny,big", split_size="1MB,2MB", methods="exact,published")
    assert len(plan) == 2 * 2 * 2 * 2
    assert len({cell.path for cell in plan}) == len(plan)


def test_a_peer_is_a_cell_of_each_size_and_workers_whatever_the_splits(sample: Sample) -> None:
    plan = sample.plan(split_size="1MB,2MB", peers="quick", workers="1,2", oversubscribe=True)
    peers = [cell for cell in plan if cell.peer]
    assert [cell.options.workers for cell in peers] == [1, 2]
    assert peers[0].command[1:4] == ["-m", "sample_study.peers", "quick"]


def test_a_peer_runs_in_the_same_rounds_and_is_found_again(sample: Sample) -> None:
    found = sample.run(peers="quick")
    assert [(record.engine, record.method) for record in found] == [
        ("plain", "exact"),
        ("alpha", "exact"),
        ("quick", "peer"),
    ]
    assert all(cell.finished() for cell in sample.plan(peers="quick"))


def test_the_studys_own_parameters_reach_the_cells(sample: Sample) -> None:
    study = sample.study
    options = sweep.SweepOptions(repeats=1, workers="1", engines="alpha", results=sample.results)
    plan = list(sweep.plan_cells(study.STUDY, (), options, study.Parameters(tolerance=0.25)))
    assert [record.parameters["tolerance"] for record in sweep.run_cells(plan)] == [0.25]


@pytest.mark.parametrize("status", ["done", "wrong", "unchecked"])
def test_a_finished_cell_is_not_run_again(sample: Sample, status: str) -> None:
    sample.tell("alpha", status)
    before = sample.run()
    after = sample.run()
    assert after == before
    assert len(sample.log) == 2


def test_a_skipped_cell_is_not_run_again(sample: Sample) -> None:
    sample.tell("alpha", "refuse")
    sample.run()
    sample.run()
    assert len(sample.log) == 2


def test_a_failed_cell_is_tried_again_and_the_others_are_not(sample: Sample) -> None:
    sample.tell("alpha", "crash", "done")
    assert [record.status for record in sample.run()] == ["done", "failed"]
    assert [record.status for record in sample.run()] == ["done", "done"]
    assert [line.split()[0] for line in sample.log] == ["plain", "alpha", "alpha"]


def test_more_rounds_continue_where_fewer_stopped(sample: Sample) -> None:
    sample.run(repeats=1)
    sample.run(repeats=2)
    assert [line.split()[3] for line in sample.log] == ["1", "1", "2", "2"]


def test_a_child_that_dies_without_a_record_leaves_one_with_its_last_words(sample: Sample) -> None:
    sample.tell("alpha", "crash")
    failed = sample.run()[1]
    assert (failed.status, failed.error) == ("failed", "the last words")
    assert failed.dataset.uri == "/numbers/tiny"
    assert records.read(sample.plan()[1].path) == failed


def test_the_commands_own_line_of_an_error_counts_whatever_a_framework_says_after_it(
    sample: Sample,
) -> None:
    sample.tell("alpha", "noise")
    assert sample.run()[1].error == "columns differ"


def test_a_child_that_ends_well_without_a_record_has_failed(sample: Sample) -> None:
    sample.tell("alpha", "vanish")
    assert sample.run()[1].status == "failed"


@pytest.mark.parametrize("word", ["refuse", "refuse-late"])
def test_what_the_machine_cannot_give_is_skipped_with_the_reason(sample: Sample, word: str) -> None:
    sample.tell("alpha", word)
    record = sample.run()[1]
    assert record.status == "skipped"
    if word == "refuse":
        assert record.error == "asked for 9 cores, 2 available"


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
    sample: Sample, number: signal.Signals, code: int
) -> None:
    sample.tell("alpha", "hang")
    script = "from studysweep import children; children.GRACE_SECONDS = 1.0\n"
    script += "from sample_study import compare; compare.main()"
    command = [sys.executable, "-c", script, "--repeats", "1", "--workers", "1"]
    command += ["--results", sample.results]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
    _wait_for(lambda: bool(sample.started("hanging")), process)
    process.send_signal(number)
    process.communicate()
    assert process.returncode == code
    children = sample.started("worker") + sample.started("hanging")
    assert len(children) == 2
    assert [pid for pid in children if psutil.pid_exists(pid)] == []
    assert [path.parent.name for path in Path(sample.results).rglob("*-r?.json")] == ["plain"]
    sample.tell("alpha", "done")
    assert [record.status for record in sample.run()] == ["done", "done"]
    assert [line.split()[0] for line in sample.log] == ["plain", "alpha", "alpha"]


def test_the_command_prints_the_ratios_as_json_alone(sample: Sample) -> None:
    printed = _compare(sample, "--repeats", "2", "--workers", "1", "--json")
    rows = json.loads(printed.stdout)
    assert [(row["engine"], row["runs"]) for row in rows] == [("plain", 2), ("alpha", 2)]
    assert rows[1]["ratio_to_plain"] == {
        "median": pytest.approx(4 / 3),
        "low": pytest.approx(4 / 3),
        "high": pytest.approx(4 / 3),
        "count": 2,
    }


def test_a_failed_cell_stays_in_the_printed_table(sample: Sample) -> None:
    sample.tell("alpha", "crash")
    said = _compare(sample, "--repeats", "1", "--workers", "1").stderr
    assert "0/1" in said
    assert "failed: alpha exact, 1 × 1: the last words" in said


def test_dry_run_names_the_cells_and_runs_none(sample: Sample) -> None:
    sample.run(engines="plain")
    printed = _compare(sample, "--repeats", "1", "--workers", "1", "--dry-run").stdout
    assert "done, kept     round 1: tiny, 1 × 1, plain exact" in printed
    assert "to run         round 1: tiny, 1 × 1, alpha exact" in printed
    assert len(sample.log) == 1


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"engines": "gamma"}, "--engines gamma: this study has plain, alpha"),
        ({"methods": "native"}, "--methods native: this study has exact, published"),
        ({"peers": "slow"}, "--peers slow: this study has quick"),
        ({"workers": "1,none"}, "--workers 1,none: give numbers of workers, as in 1,2,4"),
        ({"size": ","}, "--size: the list is empty"),
        ({"split_size": "1MB,big"}, "'big' is not a size"),
        ({"size": "tiny", "data": "x.csv"}, "--size and --data exclude each other"),
    ],
)
def test_a_wrong_list_is_refused_before_anything_runs(
    sample: Sample, asked: dict[str, str], reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        sample.plan(**asked)


def test_ratios_are_taken_within_a_round_before_the_median() -> None:
    plain, ray = [1.0, 10.0, 100.0], [3.0, 20.0, 110.0]
    found = [
        synthetic.record(engine, round=number, phases={"load": seconds})
        for engine, times in (("plain", plain), ("ray", ray))
        for number, seconds in enumerate(times, start=1)
    ]
    row = ratios.summarise(found)[1]
    # The ratio of the medians is 2 as well; that of round 1 with round 3 would be 110.
    assert row.to_plain == ratios.Interval(2.0, 1.1, 3.0, 3)
    assert row.seconds == ratios.Interval(20.0, 3.0, 110.0, 3)


def test_a_round_without_a_right_answer_has_no_ratio() -> None:
    found = [synthetic.record("plain", round=number, phases={"load": 1.0}) for number in (1, 2, 3)]
    found += [
        synthetic.record("ray", round=1, phases={"load": 2.0}),
        synthetic.record("ray", round=2, phases={"load": 50.0}, status="wrong"),
        synthetic.record("ray", round=3, phases={"load": 4.0}),
    ]
    row = ratios.summarise(found)[1]
    assert row.to_plain == ratios.Interval(3.0, 2.0, 4.0, 2)
    assert row.status == "done 2, wrong 1"
    assert row.reason == "wrong on purpose"


def test_loading_is_compared_with_the_peers_and_peers_with_no_whole_run() -> None:
    found = [
        synthetic.record("plain", phases={"load": 3.0, "compute": 1.0}),
        synthetic.record("polars", method="peer", phases={"load": 1.5}),
    ]
    plain, polars = ratios.summarise(found)
    assert plain.load_to_peers == {"polars": ratios.Interval(2.0, 2.0, 2.0, 1)}
    assert polars.phases_to_plain["load"].median == 0.5
    assert polars.to_plain is None


@pytest.mark.parametrize(
    ("size", "label"),
    [(640, "640 B"), (2_000_000, "2 MB"), (999_960_000, "1 GB"), (24_660_000_000, "24.7 GB")],
)
def test_sizes_read_as_people_say_them(size: int, label: str) -> None:
    assert ratios.size_label(size) == label


def _compare(sample: Sample, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "sample_study.compare",
        "--pause",
        "0",
        "--results",
        sample.results,
        *options,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def _wait_for(condition: Callable[[], bool], process: "subprocess.Popen[bytes]") -> None:
    while not condition():
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.05)
