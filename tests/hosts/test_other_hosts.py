"""Launch scripts and hosts that are reached by SSH; the stand-in for it starts commands here, with
nothing of this session's environment and a folder of its own for temporary files."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from studytest import leftovers, running

LAUNCH = next(
    folder / "apps/twitter-pagerank/launch"
    for folder in Path(__file__).resolve().parents
    if (folder / "apps/twitter-pagerank/launch").is_dir()
)
OTHER = "127.0.0.2"
"""Not a name of this machine's, but an address that leads here."""

SSH = """\
#!/bin/sh
for command; do :; done
command=$(printf %s "$command" | sed "s#/tmp/ray-#{folder}/ray-#g")
exec env -i PATH="$PATH" HOME="$HOME" {mark} TMPDIR={folder} sh -c "$command"
"""


@pytest.fixture
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The other host's folder of temporary files, of a short name, because sockets lie in it."""
    (tmp_path / "bin").mkdir()
    folder = Path(tempfile.mkdtemp(prefix="o-", dir="/tmp"))
    mark = f"{leftovers.MARK}={running.environment()[leftovers.MARK]}"
    script = tmp_path / "bin/ssh"
    script.write_text(SSH.format(folder=folder, mark=mark))
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")
    yield folder
    shutil.rmtree(folder)


def launch(engine: str, tmp_path: Path, hosts: list[str], lines: str) -> running.Finished:
    (tmp_path / "hosts.txt").write_text("\n".join(hosts))
    (tmp_path / "edges.csv").write_text(lines)
    argv = (
        "bash", LAUNCH / f"{engine}.sh", "--hosts", tmp_path / "hosts.txt", "--json",
        "--data", tmp_path / "edges.csv", "--results", tmp_path / "results",
    )  # fmt: skip
    return running.finish(
        subprocess.Popen(
            [str(word) for word in argv],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=running.environment(STUDY_PYTHON=sys.executable),
            start_new_session=True,
        )
    )


@pytest.mark.parametrize("hosts", [[f"{OTHER}:2"], ["localhost", OTHER]])
def test_the_code_of_a_torch_rank_comes_back(tmp_path: Path, other: Path, hosts: list[str]) -> None:
    with leftovers.nothing_left():
        finished = launch("torch", tmp_path, hosts, "1,2\n" * 1000 + "3,x\n")
    assert finished.code == 2, finished.stderr
    assert "line 1001" in finished.error
    assert list(other.iterdir()) == []


def test_a_torch_run_leaves_no_file(tmp_path: Path, other: Path) -> None:
    finished = launch("torch", tmp_path, ["localhost", OTHER], "1,2\n2,1\n" * 100)
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["workers"] == 2
    assert list(other.iterdir()) == []


def test_a_ray_cluster_leaves_no_file(tmp_path: Path, other: Path) -> None:
    finished = launch("ray", tmp_path, ["localhost", OTHER], "1,2\n2,1\n" * 100)
    assert finished.code == 0, finished.stderr
    assert json.loads(finished.stdout)["hosts"] == 2
    assert list(other.iterdir()) == []


def test_a_host_that_cannot_be_reached_is_a_missing_resource(tmp_path: Path, other: Path) -> None:
    (tmp_path / "bin/ssh").write_text("#!/bin/sh\nexit 255\n")
    finished = launch("torch", tmp_path, [OTHER], "1,2\n")
    assert finished.code == 4
    assert OTHER in finished.error
