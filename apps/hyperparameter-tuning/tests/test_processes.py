"""What every study keeps: signals, limits, killed workers, launch scripts; nothing is left."""

from case import CASE
from studytest.contract import Processes


class TestProcesses(Processes):
    case = CASE
