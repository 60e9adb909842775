"""What is kept of a search, what is refused of it, on every store."""

import json
import math
import pathlib
import shutil

import pytest
from hyperparameter_tuning.jobs import DIVERGED, Job, Report
from hyperparameter_tuning.pbt import PopulationBasedTraining
from hyperparameter_tuning.search_log import SearchFolder, require_num_to_keep
from hyperparameter_tuning.searching import run_search
from studykit import storage
from studykit.errors import DataError, UsageError
from studytest import fake_stores
from toys import SPACE, Killed, Toy

folder = fake_stores.folder
HEADER = {"study": "cifar10", "data": "abc", "seed": 3, "depths": (1, 5)}
JOB = Job(0, 0, {"learning_rate": 0.1 + 0.2, "batch_size": 32}, None, 0, 2, 7)
REPORT = Report(0, [0.5, math.nan], {"loss": [1.0, math.inf]}, 2, 0.25, 0.5, DIVERGED)


def search(seed=3):
    return PopulationBasedTraining(SPACE, seed=seed, trials=4, epochs=8, interval=2)


def log_in(uri, *, resume, header=HEADER, name="pbt"):
    return SearchFolder(str(uri), header, resume=resume).log(name)


@pytest.fixture(scope="module")
def cut(tmp_path_factory):
    """The folder of a search that was killed at its tenth report."""
    where = tmp_path_factory.mktemp("cut") / "s"
    with pytest.raises(Killed):
        run_search(search(), Toy(killed_after=10), log_in(where, resume=False))
    return where


@pytest.fixture
def killed(cut, tmp_path):
    """A copy of it to be damaged."""
    return pathlib.Path(shutil.copytree(cut, tmp_path / "s"))


def resume(where, seed=3):
    return run_search(search(seed), Toy(), log_in(where, resume=True))


def test_a_report_comes_back_to_the_last_bit_from_every_store(folder):
    log_in(folder, resume=False).keep(JOB, REPORT, b"state", 1.5)
    log = log_in(folder, resume=True)
    kept = log.told[0]
    assert kept.job == JOB and type(kept.job.configuration["batch_size"]) is int
    assert kept.report.scores[0] == 0.5 and math.isnan(kept.report.scores[1])
    assert kept.report.status == DIVERGED and kept.wall_seconds == 1.5
    assert log.state(0) == b"state"
    log.forget(0)
    log.forget(0)
    assert log_in(folder, resume=True).told.keys() == {0}


def test_so_many_states_of_each_trial_are_kept_and_those_needed(tmp_path):
    for keep in (1, 2):
        where = tmp_path / str(keep)
        done = run_search(search(), Toy(), log_in(where, resume=False), num_to_keep=keep)
        left = {int(path.stem) for path in (where / "pbt").glob("*.state")}
        latest = {step.job for trial in done.search.trials for step in trial.history[-keep:]}
        assert left == latest | done.search.needed()
        assert len(list((where / "pbt").glob("*.json"))) == 16


def test_to_keep_none_is_refused():
    with pytest.raises(UsageError, match="--num-to-keep 0"):
        require_num_to_keep(0)
    with pytest.raises(UsageError, match="--num-to-keep 0"):
        run_search(search(), Toy(), num_to_keep=0)


def test_a_search_that_is_over_is_replayed_and_computes_nothing(tmp_path):
    first = run_search(search(), Toy(), log_in(tmp_path, resume=False))
    again = Toy()
    second = run_search(search(), again, log_in(tmp_path, resume=True))
    assert again.computed == [] and second.replayed == 16
    assert second.best_state == first.best_state
    assert second.best_so_far == first.best_so_far
    assert second.wall_seconds == first.wall_seconds


def test_the_clock_goes_on_from_the_last_report(killed):
    content = max((killed / "pbt").glob("*.json"), key=lambda path: int(path.stem))
    before = json.loads(content.read_text())["content"]["wall_seconds"]
    done = resume(killed)
    assert done.wall_seconds >= before
    assert [wall for _, wall, _ in done.best_so_far] == sorted(
        wall for _, wall, _ in done.best_so_far
    )


def test_what_a_killed_write_left_is_not_there(killed):
    """A state without its report, and a hidden file that was to become one."""
    (killed / "pbt" / "10.state").write_bytes(b"half")
    (killed / "pbt" / ".10.json.123-0011aabb.tmp").write_bytes(b'{"format": "stu')
    assert resume(killed).best_state == run_search(search(), Toy()).best_state


def damage_flip(path: pathlib.Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def damage_half(path: pathlib.Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def damage_empty(path: pathlib.Path) -> None:
    path.write_bytes(b"")


def damage_noise(path: pathlib.Path) -> None:
    path.write_bytes(bytes(range(256)))


@pytest.mark.parametrize("name", ["search.json", "pbt/3.json", "pbt/9.json", "pbt/9.state"])
@pytest.mark.parametrize("damage", [damage_flip, damage_half, damage_empty, damage_noise])
def test_a_damaged_file_is_named_and_not_loaded(killed, name, damage):
    damage(killed / name)
    with pytest.raises(DataError, match=name) as raised:
        resume(killed)
    assert raised.value.exit_code == 2


def test_any_character_of_a_report_counts(tmp_path):
    """A digit of a score, a bracket, a name: none can be another, but for blanks."""
    log_in(tmp_path, resume=False).keep(JOB, REPORT, b"state", 1.5)
    path = tmp_path / "pbt" / "0.json"
    content = path.read_bytes()
    for at in range(0, len(content), 3):
        other = b"7" if content[at : at + 1] != b"7" else b"8"
        path.write_bytes(content[:at] + other + content[at + 1 :])
        if content[at : at + 1].isspace():
            continue
        with pytest.raises(DataError, match=r"pbt/0\.json"):
            log_in(tmp_path, resume=True)


def test_a_report_of_another_job_or_search_is_named(killed, tmp_path):
    shutil.copy(killed / "pbt" / "2.json", killed / "pbt" / "3.json")
    with pytest.raises(DataError, match=r"pbt/3\.json: the report of job 2"):
        resume(killed)
    other = tmp_path / "other"
    with pytest.raises(Killed):
        run_search(search(), Toy(killed_after=5), log_in(other, resume=False, header={"seed": 3}))
    shutil.copy(other / "pbt" / "3.json", killed / "pbt" / "3.json")
    with pytest.raises(DataError, match=r"pbt/3\.json: the report of another search"):
        resume(killed)


@pytest.mark.parametrize("name", ["study", "data", "seed", "depths"])
def test_a_folder_of_other_parameters_is_refused_by_name(killed, name):
    with pytest.raises(DataError, match=rf"search\.json: a search of {name} .* this run is of 5"):
        log_in(killed, resume=True, header=HEADER | {name: 5})


def test_a_folder_of_a_search_that_asks_otherwise_is_refused(killed):
    """The header is the caller's: one that forgot the seed does no harm."""
    with pytest.raises(DataError, match=r"pbt/0\.json: the report of another job"):
        resume(killed, seed=4)


def test_a_search_is_neither_overwritten_nor_resumed_from_nothing(killed, tmp_path):
    with pytest.raises(UsageError, match="--resume"):
        log_in(killed, resume=False)
    with pytest.raises(DataError, match="no search to resume"):
        log_in(tmp_path / "nothing", resume=True)
    assert not storage.exists(str(tmp_path / "nothing"))


def test_searches_of_one_folder_keep_apart(killed):
    log = log_in(killed, resume=True, name="random")
    assert log.told == {}
    log.keep(JOB, REPORT, b"other", 0.0)
    assert log_in(killed, resume=True, name="random").state(0) == b"other"
    assert len(log_in(killed, resume=True).told) == 10
