"""One thing that `doctor` looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """`bad` is in the way of a run, `warning` of a fast one; `fix` says what to do about it."""

    name: str
    state: Literal["good", "warning", "bad"]
    found: str
    fix: str = ""


def good(name: str, found: str) -> Finding:
    return Finding(name, "good", found)


def warning(name: str, found: str, fix: str) -> Finding:
    return Finding(name, "warning", found, fix)


def bad(name: str, found: str, fix: str) -> Finding:
    return Finding(name, "bad", found, fix)
