"""Sum the JUnit reports in the folders given, and print `N passed, N failed, N skipped`.

Before it the matrix of storage, engine × store × fault, a line each: Pants hides what passed.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

OUTCOMES = ("failure", "error", "skipped")


def counts(report: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of one report; errors count as failed."""
    suites = list(ElementTree.parse(report).iter("testsuite"))
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    return tests - failures - errors - skipped, failures + errors, skipped


def matrix(report: Path) -> list[str]:
    """One line for every test of tests/storage in a report: its outcome and its name."""
    return [
        f"{next((child.tag for child in case if child.tag in OUTCOMES), 'passed'):8}"
        f" {case.get('name')}"
        for case in ElementTree.parse(report).iter("testcase")
        if "tests.storage" in f"{case.get('classname')}"
    ]


def main(folders: list[str]) -> int:
    reports = [path for folder in folders for path in sorted(Path(folder).rglob("*.xml"))]
    for line in (line for report in reports for line in matrix(report)):
        print(line)
    found = [counts(path) for path in reports]
    passed, failed, skipped = (
        (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
    )
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
