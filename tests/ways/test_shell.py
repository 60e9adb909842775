"""The shell of infra/: bash can read it, and shellcheck, where it is installed, has no warning."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INFRA = Path(__file__).resolve().parents[2] / "infra"
NOT_SEEN = "SC2034,SC2154,SC2164"
"""Names that a file which is sourced has from the other, or gives to it; and its `set -e`."""


def is_shell(path: Path) -> bool:
    if path.suffix in (".sh", ".sbatch"):
        return True
    return not path.suffix and b"bash" in path.read_bytes()[:40].partition(b"\n")[0]


SCRIPTS = sorted(path for path in INFRA.rglob("*") if path.is_file() and is_shell(path))
NAMES = [str(path.relative_to(INFRA)) for path in SCRIPTS]


def test_the_scripts_are_found() -> None:
    assert {"servers.sh", "s3/s3", "slurm/ray.sbatch", "slurm/by-srun/ssh"} <= set(NAMES)


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_bash_can_read_it(script: Path) -> None:
    done = subprocess.run(["bash", "-n", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("script", SCRIPTS, ids=NAMES)
def test_shellcheck_has_no_warning(script: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("no shellcheck here: infra's shell is only parsed")
    options = ("--shell=bash", "--severity=warning", "--external-sources", f"--exclude={NOT_SEEN}")
    done = subprocess.run(
        ["shellcheck", *options, script.name], cwd=script.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_a_server_is_running_while_it_becomes_its_program_and_not_once_it_has_ended(
    tmp_path: Path,
) -> None:
    """Of either the kernel shows no command line."""
    script = f"""
        source {INFRA}/servers.sh
        folder={tmp_path}
        launch "$folder" server a-mark bash -c 'sleep 60; exit' a-mark
        tr() {{ if [ -e "$folder/seen" ]; then command tr "$@"; else touch "$folder/seen"; fi; }}
        is_running "$folder" server && [ -e "$folder/seen" ] && echo running
        end "$folder" server
        [ -e "$folder/server.pid" ] || echo ended
        echo "$1" >"$folder/server.pid"
        printf a-mark >"$folder/server.mark"
        is_running "$folder" server || echo not running
    """
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # Over, and not asked for its code.
        done = subprocess.run(
            ["bash", "-c", script, "-", str(ended.pid)], capture_output=True, text=True
        )
        assert (done.stdout, done.stderr) == ("running\nended\nnot running\n", "")
