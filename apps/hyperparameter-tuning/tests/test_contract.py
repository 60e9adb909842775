"""What every study keeps: command line, input, records, answers, comparison."""

from case import CASE
from studytest.contract import Contract


class TestContract(Contract):
    case = CASE
