"""A Slurm cluster of this machine alone: its own programs, configuration, ports, key and folders,
so that a Slurm that is installed here neither knows of it nor is touched.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from studytest import ports

NODES = ("127.0.0.2", "127.0.0.3")
"""Their names are addresses, so that each can be reached by its name without a name server."""
PROGRAMS = Path(__file__).resolve().parents[2] / "infra/slurm/programs"
DAEMONS = ("munged", "slurmctld", "slurmd")
COMMANDS = ("sbatch", "srun", "scontrol", "scancel")
START_SECONDS = 30

CONFIGURATION = """\
ClusterName=ways
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SwitchType=switch/none
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
# Jobs do not wait long for a node that has just become free, nor do nodes for those that end.
SchedulerParameters=sched_interval=1
KillWait=20
ReturnToService=2
{nodes}
PartitionName=all Nodes=ALL Default=YES State=UP MaxTime=INFINITE
"""
NODE = (
    "NodeName={name} NodeHostname={host} NodeAddr={name} Port={port}"
    " CPUs=1 RealMemory=2000 State=UNKNOWN"
)


@contextlib.contextmanager
def running() -> Iterator[dict[str, str]]:
    """The variables by which Slurm's commands find it; skips by name where it cannot be."""
    fetched = subprocess.run([PROGRAMS, "fetch"], capture_output=True, text=True)
    if fetched.returncode == 4:
        pytest.skip(fetched.stderr.strip().splitlines()[-1])
    assert fetched.returncode == 0, fetched.stderr
    folder = Path(tempfile.mkdtemp(prefix="study-slurm-"))
    started: list[subprocess.Popen[bytes]] = []
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    variables = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
    try:
        configure(folder)
        started.append(mounted(folder))
        socket_of_munge = folder / "munge.socket"
        files = ["key", "pid", "log", "seed"]
        munge = [f"--{name}-file={folder}/munge.{name}" for name in files]
        munged = ["munged", "--force", "--foreground", f"--socket={socket_of_munge}", *munge]
        started.append(daemon(folder, "munged", munged, variables))
        wait_until(socket_of_munge.exists, folder)
        started.append(daemon(folder, "slurmctld", ["slurmctld", "-D"], variables))
        for name in NODES:
            started.append(daemon(folder, name, ["slurmd", "-D", "-N", name], variables))
        wait_until(lambda: idle(variables) == len(NODES), folder)
        yield variables
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)
        shutil.rmtree(folder)


def configure(folder: Path) -> None:
    host = socket.gethostname()
    port, *others = ports.free(1 + len(NODES))
    lines = [NODE.format(name=n, host=host, port=p) for n, p in zip(NODES, others, strict=True)]
    text = CONFIGURATION.format(folder=folder, host=host, port=port, nodes="\n".join(lines))
    (folder / "slurm.conf").write_text(text)
    (folder / "state").mkdir()
    (folder / "munge.key").write_bytes(secrets.token_bytes(1024))
    (folder / "munge.key").chmod(0o600)


def mounted(folder: Path) -> subprocess.Popen[bytes]:
    """A process that sees Slurm's programs; each has a script in `bin` that runs it there."""
    holder = subprocess.Popen(
        [PROGRAMS, "run", "sh", "-c", "echo mounted; exec sleep infinity"], stdout=subprocess.PIPE
    )
    assert holder.stdout is not None and holder.stdout.readline() == b"mounted\n"
    (folder / "bin").mkdir()
    for place, names in {"/usr/sbin": DAEMONS, "/usr/bin": COMMANDS}.items():
        for name in names:
            script = folder / "bin" / name
            enter = f'nsenter --target {holder.pid} --mount --wdns="$PWD"'
            script.write_text(f'#!/bin/sh\nexec {enter} {place}/{name} "$@"\n')
            script.chmod(0o755)
    return holder


def daemon(
    folder: Path, name: str, argv: list[str], variables: dict[str, str]
) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.out").open("wb") as log:
        return subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **variables},
            start_new_session=True,
        )


def idle(variables: dict[str, str]) -> int:
    """Nodes that wait for a job."""
    shown = subprocess.run(
        ["scontrol", "--oneliner", "show", "nodes"],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )
    return shown.stdout.count(" State=IDLE ")


def wait_until(found: Callable[[], bool], folder: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not found():
        if time.monotonic() > deadline:
            said = "\n".join(f"{path.name}: {path.read_text()}" for path in folder.glob("*.out"))
            raise AssertionError(f"Slurm did not start:\n{said}")
        time.sleep(0.1)
