"""The launch scripts of a study on this machine, which may be listed as several hosts."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from studytest import running


def launch(script: Path, *argv: object, python: object = sys.executable) -> "subprocess.Popen[str]":
    """Start a launch script in a session of its own, with this Python on every host."""
    return subprocess.Popen(
        ["bash", str(script), *map(str, argv)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**running.environment(STUDY_PYTHON=str(python)), "HOME": os.environ["HOME"]},
        start_new_session=True,
        preexec_fn=running.heed_interrupts,
    )


def hosts_file(folder: Path, content: str) -> Path:
    path = folder / "hosts.txt"
    path.write_text(content)
    return path


def python_on_hosts_of_its_own(folder: Path) -> Path:
    """A Python whose every start is on a host of a name of its own; skips where that may not be."""
    rename = "hostname host-$$"
    for unshare in (["unshare", "--uts"], ["unshare", "--user", "--map-root-user", "--uts"]):
        tried = shutil.which("unshare") and subprocess.run([*unshare, "sh", "-c", rename])
        if tried and tried.returncode == 0:
            script = folder / "python"
            command = f'{rename} && exec {shlex.quote(sys.executable)} "$@"'
            script.write_text(
                f'#!/bin/sh\nexec {shlex.join(unshare)} sh -c {shlex.quote(command)} python "$@"\n'
            )
            script.chmod(0o755)
            return script
    pytest.skip("no right to unshare: hosts that share no memory are not tried")
