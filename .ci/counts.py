"""Sum the JUnit reports in the folders given, and print `N passed, N failed, N skipped`."""

import sys
from pathlib import Path
from xml.etree import ElementTree


def counts(report: Path) -> tuple[int, int, int]:
    """(passed, failed, skipped) of one report; errors count as failed."""
    suites = list(ElementTree.parse(report).iter("testsuite"))
    tests, failures, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    return tests - failures - errors - skipped, failures + errors, skipped


def main(folders: list[str]) -> int:
    found = [counts(path) for folder in folders for path in Path(folder).rglob("*.xml")]
    passed, failed, skipped = (
        (sum(column) for column in zip(*found, strict=True)) if found else (0, 0, 0)
    )
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
