"""An interrupt in the first seconds of an entry point, in which it imports its libraries."""

import os
import signal
from pathlib import Path

import pytest
from studykit.records import PLAIN

from studytest import running
from studytest.contract.of_study import OfStudy

LIBRARIES = {PLAIN: "typer", "ray": "ray", "torch": "torch", "dask": "distributed"}
"""{engine: what its entry point imports}; a stand-in for it is never done."""
AS_A_LIBRARY = """
import signal, sys

hook = sys.excepthook
__import__(sys.argv[1])
assert sys.excepthook is hook
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""
NEVER_DONE = """
import sys, threading

print("importing", file=sys.stderr, flush=True)
threading.Event().wait()
"""


class Importing(OfStudy):
    @pytest.mark.parametrize(
        ("number", "codes", "said"),
        # By Python's own end of a process a signal has no code but its number, which a shell
        # calls 143.
        [(signal.SIGINT, [130], "interrupted\n"), (signal.SIGTERM, [143, -signal.SIGTERM], "")],
    )
    def test_an_interrupt_while_importing_is_one_line(
        self, engine: str, number: signal.Signals, codes: list[int], said: str, tmp_path: Path
    ) -> None:
        (tmp_path / f"{LIBRARIES[engine]}.py").write_text(NEVER_DONE)
        path = os.pathsep.join([str(tmp_path), running.environment()["PYTHONPATH"]])
        process = running.start(self.case.module(engine), PYTHONPATH=path)
        running.wait_for_line(process, "importing")
        finished = running.interrupt(process, number)
        assert finished.code in codes
        assert finished.stderr == said

    def test_a_study_that_is_imported_leaves_handlers_alone(self) -> None:
        package = self.case.study.package
        finished = running.finish(running.start_python("-c", AS_A_LIBRARY, package))
        assert finished.code == 0, finished.stderr
