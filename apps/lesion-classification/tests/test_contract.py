"""What every study keeps: command line, input, records, answers, comparison."""

from case import CASE, RanksApart
from studytest.contract import Contract


class TestContract(RanksApart, Contract):
    case = CASE
