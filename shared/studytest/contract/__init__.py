"""What every study keeps, whatever it computes. A study joins by two declarations, each in a file
of its own, which run side by side:

    class TestContract(Contract):
        case = CASE

    class TestProcesses(Processes):
        case = CASE

The tests marked `quick` need one start of each engine at most.
"""

from studytest.contract.answers import Answers
from studytest.contract.bad_rows import BadRows
from studytest.contract.commands import Commands
from studytest.contract.comparison import Comparison
from studytest.contract.inputs import Inputs
from studytest.contract.launch import Launch
from studytest.contract.records import Records
from studytest.contract.starting import Starting


class Contract(Commands, Inputs, Records, Answers, BadRows, Comparison):
    """What a run says, reads, answers and records, in the order in which it says most for the
    least time."""


class Processes(Starting, Launch):
    """What becomes of the processes of a run: signals, limits, killed workers, several hosts."""
