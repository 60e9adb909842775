"""Starts of an entry point that cost a fork: for tests of what becomes of a run, not of its start.

To import an engine takes a core some seconds. A process that has done it once forks for every
start, and the fork runs the module as `python -m` does: in a session of its own, with its own
arguments, environment and pipes, to the interpreter's own end. Only what libraries read of the
environment while they are imported is the same for all.
"""

import contextlib
import importlib
import os
import pickle
import runpy
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import IO

from studytest import leftovers, running

LARGEST_REQUEST = 1 << 17
"""Bytes of arguments and environment."""


class Forked:
    """A fork of an entry point, for whom `subprocess.Popen` would be a child."""

    def __init__(
        self, pid: int, stdin: IO[str], stdout: IO[str], stderr: IO[str], code: IO[str]
    ) -> None:
        """`code`: where its exit code will be said."""
        self.pid, self._code = pid, code
        self.stdin, self.stdout, self.stderr = stdin, stdout, stderr
        self._outputs: list[Future[str]] = []
        self.returncode: int | None = None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What its outputs still hold, when it has ended; TimeoutExpired where it does not."""
        if not self._outputs:
            self.stdin.close()
            pool = ThreadPoolExecutor(2)
            self._outputs = [pool.submit(file.read) for file in (self.stdout, self.stderr)]
            pool.shutdown(wait=False)
        if wait(self._outputs, timeout).not_done:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        self.returncode = int(self._code.readline())
        for file in (self.stdout, self.stderr, self._code):
            file.close()
        stdout, stderr = (output.result() for output in self._outputs)
        return stdout, stderr


class Forks:
    """Starts entry points while the block runs; each is imported when it is first asked for.

    `also`: modules that an entry point imports when it runs, and that are imported with it.
    """

    def __init__(self, also: Sequence[str] = ()) -> None:
        self._also = also
        self._importers = contextlib.ExitStack()
        self._connections: dict[str, socket.socket] = {}
        self._started: list[Forked] = []
        self._lock = threading.Lock()

    def __enter__(self) -> "Forks":
        return self

    def __exit__(self, *_: object) -> None:
        # Of a test that failed before it had ended them all.
        for forked in self._started:
            if forked.returncode is None:
                running.kill_tree(forked.pid)
        self._importers.close()

    def start(self, module: str, *argv: object, **variables: str) -> Forked:
        """As `running.start`."""
        with self._lock:
            if module not in self._connections:
                self._connections[module] = self._importers.enter_context(
                    _importer(module, self._also)
                )
        asked = [module, *map(str, argv)], running.environment(**variables)
        # Of standard input, output, error, and of what is said of the fork itself.
        reading, writing = zip(*(os.pipe() for _ in range(4)), strict=True)
        given = [reading[0], *writing[1:]]
        socket.send_fds(self._connections[module], [pickle.dumps(asked)], given)
        for descriptor in given:
            os.close(descriptor)
        stdout, stderr, said = map(os.fdopen, reading[1:])
        pid = said.readline()
        assert pid, f"{module} could not be imported: see standard error"
        stdin = os.fdopen(writing[0], "w")
        self._started.append(Forked(int(pid), stdin, stdout, stderr, said))
        return self._started[-1]


@contextlib.contextmanager
def _importer(module: str, also: Sequence[str]) -> Iterator[socket.socket]:
    """The connection to a process that imports a module and then forks when asked to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "studytest.forking", str(theirs.fileno()), module, *also],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env=running.environment(),
            start_new_session=True,
            preexec_fn=running.heed_interrupts,
        )
        leftovers.kept.add(process.pid)
        theirs.close()
        yield ours
    process.wait()


def _fork_when_asked(connection: socket.socket) -> bool:
    """True in a fork that has become what was asked for; False when nobody will ask again."""
    # Nobody waits for the forks of this process, each of which waits for one of its own.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors, _, _ = socket.recv_fds(connection, LARGEST_REQUEST, 4)
        if not request:
            return False
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            connection.close()
            *streams, status = descriptors
            pid = os.fork()
            if pid == 0:
                os.close(status)
                argv, environment = pickle.loads(request)
                _become(argv, environment, streams)
                return True
            _say_of(pid, status, streams)
        for descriptor in descriptors:
            os.close(descriptor)


def _say_of(pid: int, status: int, streams: list[int]) -> None:
    """Say a child's process id and, once it has ended, its exit code; ends this process."""
    for descriptor in streams:
        os.close(descriptor)
    os.write(status, f"{pid}\n".encode())
    _, ended = os.waitpid(pid, 0)
    os.write(status, f"{os.waitstatus_to_exitcode(ended)}\n".encode())
    os._exit(0)


def _become(argv: list[str], environment: dict[str, str], streams: list[int]) -> None:
    """Be as a new process of these arguments would be."""
    os.setsid()
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    tempfile.tempdir = None  # It may have been looked up.
    sys.argv = argv
    # Whoever runs a module as the main one has not imported it.
    del sys.modules[argv[0]]


if __name__ == "__main__":
    for name in sys.argv[2:]:
        importlib.import_module(name)
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        is_fork = _fork_when_asked(requests)
    if is_fork:
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
