"""What every study keeps: signals, limits, killed workers, launch scripts; nothing is left."""

from case import CASE, RanksApart
from studytest.contract import Processes


class TestProcesses(RanksApart, Processes):
    case = CASE
