"""./pants: a launcher on PATH is used, never itself, and what is missing is said in one line."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Finished = subprocess.CompletedProcess[str]
TOOLS = ("awk", "bash", "cat", "df", "dirname", "env", "ln", "ls", "mkdir", "rm")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder with nothing but the script, and a PATH with nothing but the commands it calls."""
    folder = tmp_path / "checkout"
    (folder / "infra").mkdir(parents=True)
    for name in ("pants", "infra/bootstrap.sh"):
        shutil.copy(ROOT / name, folder / name)
    commands = tmp_path / "commands"
    commands.mkdir()
    for name in TOOLS:
        (commands / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    return folder


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/bash\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def call(checkout: Path, *path: Path, arguments: tuple[str, ...] = ("list", "a b")) -> Finished:
    home = checkout.parent
    before = [str(folder) for folder in path]
    return subprocess.run(
        [str(checkout / "pants"), *arguments],
        env={"HOME": str(home), "PATH": os.pathsep.join([*before, str(home / "commands")])},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_a_launcher_on_the_path_gets_every_argument_and_its_exit_code_is_passed_on(
    checkout: Path, tmp_path: Path
) -> None:
    executable(tmp_path / "launcher" / "pants", 'printf "launched:%s\\n" "$@"; exit 7')
    finished = call(checkout, tmp_path / "launcher")
    assert finished.returncode == 7
    assert finished.stdout.splitlines() == ["launched:list", "launched:a b"]


def test_the_script_itself_on_the_path_is_no_launcher(checkout: Path, tmp_path: Path) -> None:
    executable(tmp_path / "launcher" / "pants", "echo launched")
    finished = call(checkout, checkout, tmp_path / "launcher")
    assert (finished.returncode, finished.stdout) == (0, "launched\n")


def test_a_stand_in_of_pyenv_is_no_launcher(checkout: Path, tmp_path: Path) -> None:
    executable(tmp_path / "shims" / "pants", "echo shim; exit 127")
    executable(tmp_path / "launcher" / "pants", "echo launched")
    finished = call(checkout, tmp_path / "shims", tmp_path / "launcher")
    assert (finished.returncode, finished.stdout) == (0, "launched\n")


@pytest.mark.parametrize("how", ["exec ", ""])
def test_a_launcher_that_only_calls_the_script_again_does_not_go_round_in_circles(
    checkout: Path, tmp_path: Path, how: str
) -> None:
    executable(tmp_path / "launcher" / "pants", f'{how}"{checkout}/pants" "$@"')
    finished = call(checkout, tmp_path / "launcher")
    assert finished.returncode == 1
    assert "CPython 3.9" in finished.stderr.splitlines()[-1]


def test_without_cpython_39_one_line_says_what_is_needed(checkout: Path) -> None:
    finished = call(checkout)
    assert finished.returncode == 1
    said = [line for line in finished.stderr.splitlines() if line.startswith("error: ")]
    assert len(said) == 1
    assert "CPython 3.9" in said[0]
    assert "python3.9 or uv" in said[0]


def test_a_python39_that_does_not_run_is_passed_over(checkout: Path, tmp_path: Path) -> None:
    executable(tmp_path / "shims" / "python3.9", "echo 'command not found' >&2; exit 127")
    finished = call(checkout, tmp_path / "shims")
    assert finished.returncode == 1
    assert "CPython 3.9" in finished.stderr.splitlines()[-1]


def test_the_first_run_says_beforehand_what_it_takes(checkout: Path, tmp_path: Path) -> None:
    executable(tmp_path / "launcher" / "pants", "echo launched >&2")
    first = call(checkout, tmp_path / "launcher").stderr
    assert "about 20 GB" in first
    assert first.index("minutes") < first.index("launched")
    (tmp_path / ".cache/pants/named_caches/pex_root/installed_wheel_zips").mkdir(parents=True)
    assert call(checkout, tmp_path / "launcher").stderr == "launched\n"


def test_a_failed_installation_leaves_nothing_half_made(checkout: Path, tmp_path: Path) -> None:
    pretend = 'case "$1" in -c) exit 0;; esac; mkdir -p "$3/bin"; ln -s /bin/false "$3/bin/python"'
    executable(tmp_path / "python" / "python3.9", pretend)
    finished = call(checkout, tmp_path / "python")
    assert finished.returncode == 1
    assert "could not install Pants" in finished.stderr
    assert list((tmp_path / ".cache" / "study-pants").iterdir()) == []


@pytest.fixture
def installed(checkout: Path, tmp_path: Path) -> Path:
    """Pants as if it had been installed before: it prints what it is told by the environment."""
    tools = tmp_path / ".cache/study-pants/2.17.1"
    executable(tools / "bin/pants", 'env | grep ^PANTS_; printf "argument:%s\\n" "$@"')
    executable(tools / "bin/python", f'[ "$*" = "-m pip config list" ] && cat "{tmp_path}/pip"')
    (tools / "pex.sha256").write_text("abc|123\n")
    executable(tmp_path / "commands/python3.11", "exit 0")
    for name in ("grep", "sort"):
        (tmp_path / "commands" / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    (tmp_path / "pip").write_text("")
    return checkout


def told(checkout: Path) -> dict[str, str]:
    finished = call(checkout)
    assert finished.returncode == 0, finished.stderr
    assert "argument:a b" in finished.stdout
    pairs = [line.partition("=") for line in finished.stdout.splitlines()]
    return {name: value for name, _, value in pairs}


def test_pants_is_told_of_the_pex_tool_that_was_built_here(installed: Path, tmp_path: Path) -> None:
    variables = told(installed)
    path = tmp_path / ".cache/study-pants/2.17.1/pex.pex"
    assert variables["PANTS_PEX_CLI_URL_TEMPLATE"] == f"file://{path}"
    assert "'v2.1.137|linux_x86_64|abc|123'" in variables["PANTS_PEX_CLI_KNOWN_VERSIONS"]
    assert "PANTS_PYTHON_REPOS_INDEXES" not in variables


def test_pips_settings_reach_pants_and_the_environment_wins_over_the_files(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "pip").write_text(
        ":env:.index-url='https://mine.example/simple'\n"
        "global.cert='/certificates.pem'\n"
        "global.extra-index-url='\\nhttps://a.example\\nhttps://b.example'\n"
        "global.find-links='/wheels'\n"
        "global.index-url='https://file.example/simple'\n"
    )
    variables = told(installed)
    assert variables["PANTS_PYTHON_REPOS_INDEXES"] == (
        "['https://mine.example/simple', 'https://a.example', 'https://b.example']"
    )
    assert variables["PANTS_PYTHON_REPOS_FIND_LINKS"] == "['file:///wheels']"
    assert variables["PANTS_CA_CERTS_PATH"] == "/certificates.pem"


def test_an_extra_index_comes_on_top_of_the_default_one(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "pip").write_text("global.extra-index-url='https://a.example'\n")
    assert told(installed)["PANTS_PYTHON_REPOS_INDEXES"] == "+['https://a.example']"
