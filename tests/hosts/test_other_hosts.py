"""Launch scripts and hosts that are reached by SSH; the stand-in for it starts commands here, with
nothing of this session's environment and a folder of its own for temporary files."""

import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from studykit import records
from studytest import leftovers, running

ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ROOT / "apps/twitter-pagerank/launch"
PYTHON = Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name
"""This process's own, where it really is."""
OTHER = "127.0.0.2"
"""Not a name of this machine's, but an address that leads here."""
LINES = "1,2\n2,1\n" * 100
VERTICES = 5000
MANY_LINES = "".join(f"{vertex},{vertex % VERTICES + 1}\n" for vertex in range(1, VERTICES + 1))
"""Ranks of that many are more than a pipe takes at a time."""
LONG = ("--damping", "0.99", "--tolerance", "1e-13", "--max-iterations", 5000)
ENDLESS = ("--no-check", "--damping", "0.999999999", "--max-iterations", 1_000_000_000)
"""With these what 3 has goes to and fro between 1 and 2."""

SSH = """\
#!/bin/sh
for command; do :; done
command=$(printf %s "$command" | sed "s#/tmp/study-#{folder}/study-#g;{changes}")
python3 -c 'import os; os.set_blocking(1, False)' # As ssh does.
exec env -i PATH="$PATH" HOME={folder} {mark} TMPDIR={folder} sh -c "$command"
"""
Other = Callable[..., Path]


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    """(what else is another word there, for `sed`) → the other host's folder of temporary files, of
    a short name, because sockets lie in it."""
    (tmp_path / "bin").mkdir()
    folder = Path(tempfile.mkdtemp(prefix="o-", dir="/tmp"))
    mark = f"{leftovers.MARK}={running.environment()[leftovers.MARK]}"
    script = tmp_path / "bin/ssh"
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")

    def prepared(*changes: str) -> Path:
        script.write_text(SSH.format(folder=folder, mark=mark, changes=";".join(changes)))
        script.chmod(0o755)
        return folder

    yield prepared
    shutil.rmtree(folder)


def begin(
    engine: str, tmp_path: Path, hosts: list[str], lines: str, *options: object
) -> "subprocess.Popen[str]":
    (tmp_path / "hosts.txt").write_text("\n".join(hosts))
    (tmp_path / "edges.csv").write_text(lines)
    argv = (
        "bash", LAUNCH / f"{engine}.sh", "--hosts", tmp_path / "hosts.txt", "--json",
        "--data", tmp_path / "edges.csv", "--results", tmp_path / "results", *options,
    )  # fmt: skip
    return subprocess.Popen(
        [str(word) for word in argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=running.environment(STUDY_PYTHON=str(PYTHON)),
        start_new_session=True,
    )


def launch(
    engine: str, tmp_path: Path, hosts: list[str], lines: str, *options: object
) -> running.Finished:
    return running.finish(begin(engine, tmp_path, hosts, lines, *options))


@pytest.mark.parametrize("hosts", [[f"{OTHER}:2"], ["localhost", OTHER]])
def test_the_code_of_a_torch_rank_comes_back(
    tmp_path: Path, other: Other, hosts: list[str]
) -> None:
    folder = other()
    with leftovers.nothing_left():
        finished = launch("torch", tmp_path, hosts, "1,2\n" * 1000 + "3,x\n")
    assert finished.code == 2, finished.stderr
    assert "line 1001" in finished.error
    (record,) = (tmp_path / "results").rglob("*.json")
    assert records.read(str(record)).status == "failed"
    assert any(host.partition(":")[0] in finished.error for host in hosts)
    assert list(folder.iterdir()) == []


def test_a_record_is_fetched_where_beats_came_late(tmp_path: Path, other: Other) -> None:
    """Of a machine that was too busy for them as its run ended."""
    folder = other("s#missing=0#missing=2#", "s#sleep [^;]*; remove#sleep 2; remove#")
    with leftovers.nothing_left():
        finished = launch("torch", tmp_path, [OTHER], "1,2\n" * 1000 + "3,x\n")
    assert finished.code == 2, finished.stderr
    assert len(list((tmp_path / "results").rglob("*.json"))) == 1, finished.stderr
    assert list(folder.iterdir()) == []


def test_a_torch_run_leaves_no_file_and_says_who_speaks(tmp_path: Path, other: Other) -> None:
    folder = other()
    finished = launch("torch", tmp_path, ["localhost", OTHER], MANY_LINES, "--top", VERTICES)
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["workers"] == 2
    assert len(record["quality"]["top"]) == VERTICES
    said = finished.stderr.splitlines()
    assert said and all(line.startswith(("localhost: ", f"{OTHER}: ")) for line in said), said
    assert list(folder.iterdir()) == []


def test_a_ray_cluster_leaves_no_file(tmp_path: Path, other: Other) -> None:
    folder = other()
    finished = launch("ray", tmp_path, ["localhost", OTHER], LINES)
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["hosts"] == 2
    assert list(folder.iterdir()) == []


def test_a_host_without_the_code_and_its_python_gets_the_one_and_has_the_other(
    tmp_path: Path, other: Other
) -> None:
    """Nothing of this folder is there, nor this Python; an environment was made before."""
    folder = other(f"s#{ROOT}#/nowhere#g", f"s#{PYTHON}#/nowhere/python#g")
    lock = (LAUNCH.parent / "requirements.lock").read_bytes()
    count = subprocess.run(["cksum"], input=lock, capture_output=True, check=True).stdout.decode()
    made = folder / f".cache/study-environments/twitter-pagerank-{'-'.join(count.split())}"
    (made / "bin").mkdir(parents=True)
    # A link would make it an environment of its own, without libraries.
    (made / "bin/python").write_text(f'#!/bin/sh\nexec {PYTHON} "$@"\n')
    (made / "bin/python").chmod(0o755)
    (made / "complete").touch()
    finished = launch("torch", tmp_path, ["localhost", OTHER], LINES)
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["workers"] == 2
    assert [path.name for path in folder.iterdir()] == [".cache"]


def test_a_host_that_can_have_no_environment_is_a_missing_resource(
    tmp_path: Path, other: Other
) -> None:
    folder = other(f"s#{PYTHON}#/nowhere/python#g", "s#python3.11#python3.of-no-host#g")
    finished = launch("torch", tmp_path, [OTHER], LINES)
    assert finished.code == 4, finished.stderr
    assert f"{OTHER}: no environment for twitter-pagerank" in finished.error
    assert "python3.of-no-host" in finished.error
    assert not list(folder.rglob("*"))


def test_a_node_that_ends_is_told_by_its_name(tmp_path: Path, other: Other) -> None:
    other("s#--log-style#--no-option#")
    with leftovers.nothing_left():
        finished = launch("ray", tmp_path, ["localhost", OTHER], LINES)
    assert finished.code == 4, finished.stderr
    assert f"{OTHER} ended with code 2: " in finished.error and "--no-option" in finished.error


def test_what_is_not_ready_in_time_is_told_with_its_last_words() -> None:
    done = launched("""
        JOIN_SECONDS=1
        said 0 ready 1 && exit
        start localhost bash -c 'echo starting; exec sleep 60'
        await 0 said 0 ready 1
    """)
    assert done.returncode == 4
    assert done.stderr == "error: localhost was not ready in 1 s: starting\n"


def test_a_node_that_is_lost_is_told_with_its_last_words() -> None:
    done = launched("""
        until_told='echo at work; read -r _ <"$1"; echo no more; exit 7'
        start localhost bash -c "$until_told" - "$scratch/alive"
        start localhost bash -c 'echo at work; exec sleep 60'
        for index in 0 1; do await $index said $index "at work" 1; done
        joined=yes
        echo >&$alive
        while runs 0; do sleep 0.1; done
        exit 3
    """)
    assert done.returncode == 3
    assert done.stderr == "localhost ended with code 7: no more\n"


def test_what_outlives_the_others_ends_when_they_have(tmp_path: Path) -> None:
    server = f"trap 'cat {tmp_path}/ended >&2; exit' TERM; echo ready; while :; do sleep 0.1; done"
    client = f"trap 'sleep 1; echo client ended >{tmp_path}/ended; exit' TERM; echo ready"
    done = launched(f"""
        outlives=1
        on localhost bash -c {shlex.quote(server)} >"$scratch/log-0" &
        note localhost
        await 0 said 0 ready 1
        start localhost bash -c {shlex.quote(client)}"; while :; do sleep 0.1; done"
        await 1 said 1 ready 1
    """)
    assert (done.returncode, done.stderr) == (0, "client ended\n")


def launched(commands: str) -> "subprocess.CompletedProcess[str]":
    """A launch script of its own, on this machine."""
    script = f"app=twitter-pagerank; source {ROOT}/shared/launch/hosts.sh; {commands}"
    with leftovers.nothing_left():
        return subprocess.run(
            ["bash", "-c", script, LAUNCH / "ray.sh"],
            env=running.environment(STUDY_PYTHON=str(PYTHON)),
            capture_output=True,
            text=True,
            timeout=60,
        )


def test_machines_that_stood_still_have_lost_nobody(tmp_path: Path, other: Other) -> None:
    """As one whose processor was away for longer than a host that is cut off is waited for: what
    waits there goes on first, and nothing that it waits for can have come."""
    folder = other("s# 5 <# 2 <#")  # Six beats are waited for 2 s each.
    with leftovers.nothing_left():
        process = begin("torch", tmp_path, ["localhost", OTHER], f"3,1\n{LINES}", *ENDLESS)
        running.wait_for_line(process, "iterating")
        below = running.command_lines(process.pid)
        (waiting,) = (
            one
            for one, words in below.items()
            if words[:1] == ["bash"] and "missing=0" in " ".join(words)
        )
        assert below[waiting][-1] == "2"
        everything = [psutil.Process(process.pid), *below]
        send(signal.SIGSTOP, *everything)
        time.sleep(14)
        for one in [waiting, *everything]:
            send(signal.SIGCONT, one)
            time.sleep(0.1)
        time.sleep(10)
        assert process.poll() is None
        process.terminate()
        finished = running.finish(process)
    assert finished.code == 143, finished.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_ray_node_that_ends_comes_back(
    tmp_path: Path, other: Other, number: signal.Signals
) -> None:
    """There is no other core for its worker, which waits for it. `ray start` notices the first of
    these ends alone."""
    folder = other()
    with leftovers.nothing_left():
        process = begin("ray", tmp_path, ["localhost", OTHER], f"3,1\n{LINES}", *LONG)
        running.wait_for_line(process, "iterating")
        raylet = raylet_of(folder)
        raylet.send_signal(number)
        finished = running.finish(process)
    assert finished.code == 0, finished.stderr
    record = json.loads(finished.stdout)
    assert record["check"]["passed"] is True
    assert record["quality"]["attempts"] == 2
    assert list(folder.iterdir()) == []


def test_a_ray_node_that_is_lost_ends_the_run_and_is_named(tmp_path: Path, other: Other) -> None:
    """Where it does not come back: the workers would wait for its core for ever."""
    folder = other()
    with leftovers.nothing_left():
        process = begin("ray", tmp_path, ["localhost", OTHER], f"3,1\n{LINES}", *ENDLESS)
        running.wait_for_line(process, "iterating")
        raylet = raylet_of(folder)
        running.kill_tree(raylet.parent().ppid())
        finished = running.finish(process, 120)
    assert finished.code == 4, finished.stderr
    found = r"the Ray cluster has lost .+ \(.*health.*\): of the 2 cores .+ 1 are left"
    assert re.search(found, finished.error), finished.error
    assert list(folder.iterdir()) == []


def send(number: signal.Signals, *processes: psutil.Process) -> None:
    """To those that are still there: some sleep for a moment only."""
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(number)


def raylet_of(folder: Path) -> psutil.Process:
    """Of the other host; what it forks has its name for a moment, too."""
    named = (
        one
        for one in psutil.process_iter(["name", "cmdline"])
        if one.info["name"] == "raylet" and str(folder) in " ".join(one.info["cmdline"] or ())
    )
    return min(named, key=psutil.Process.create_time)


def test_a_comparison_runs_an_engine_on_hosts_beside_one_process_here(
    tmp_path: Path, other: Other
) -> None:
    other()
    (tmp_path / "hosts.txt").write_text(f"localhost\n{OTHER}\n")
    (tmp_path / "edges.csv").write_text(LINES)
    finished = running.run(
        "twitter_pagerank.compare", "--data", tmp_path / "edges.csv", "--hosts",
        tmp_path / "hosts.txt", "--engines", "plain,torch", "--repeats", 1, "--pause", 0, "--json",
        "--results", tmp_path / "results", STUDY_PYTHON=str(PYTHON),
    )  # fmt: skip
    assert finished.code == 0, finished.stderr
    rows = json.loads(finished.stdout)
    found = [(row["engine"], row["nodes"], row["workers"], row["status"]) for row in rows]
    assert found == [
        ("plain", None, 1, "done"),
        ("torch", 2, 2, "done"),
    ]
    assert all(row["ratio_to_plain"] for row in rows)


def test_a_host_that_cannot_be_reached_is_a_missing_resource(tmp_path: Path, other: Other) -> None:
    other()
    (tmp_path / "bin/ssh").write_text("#!/bin/sh\necho no route >&2\nexit 255\n")
    finished = launch("torch", tmp_path, [OTHER], "1,2\n")
    assert finished.code == 4
    assert f"{OTHER} cannot be reached: no route" in finished.error
