"""What a study consists of, asked of Pants: its files, and the modules behind its targets."""

import json
import os
import subprocess
import sys
from pathlib import Path

from studykit.errors import StudyError


def files(root: Path, app: str) -> list[str]:
    """Every file that the study's targets and tests depend on, relative to `root`, sorted."""
    found = _pants(root, "filedeps", "--transitive", f"apps/{app}::")
    return sorted(line for line in found.splitlines() if line)


def modules(root: Path) -> dict[str, str]:
    """{target: module} of everything that `./pants run` can start by name."""
    targets = json.loads(_pants(root, "--filter-target-type=python_source", "peek", "::"))
    named = [target for target in targets if "#" not in target["address"]]
    return {
        target["address"]: module_of(source)
        for target in named
        for source in target["sources"]
        if ":" in target["address"] and not target["address"].startswith(source)
    }


def module_of(path: str) -> str:
    """`apps/x/package/run_ray.py` as Python names it below its source root."""
    return ".".join(below_source_root(path).with_suffix("").parts)


def below_source_root(path: str) -> Path:
    """A file's place below its source root: /apps/*, /shared, /datasets, /infra or /tests."""
    parts = Path(path).parts
    return Path(*parts[2 if parts[0] == "apps" else 1 :])


def _pants(root: Path, *arguments: str) -> str:
    # The caller is itself started by Pants, which otherwise waits for that run to end.
    environment = {**os.environ, "PANTS_CONCURRENT": "true", "PANTS_LEVEL": "warn"}
    asked = subprocess.run(
        [str(root / "pants"), *arguments],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
    )
    if asked.returncode:
        sys.stderr.write(asked.stderr)
        raise StudyError(f"./pants {' '.join(arguments)} ended with {asked.returncode}")
    return asked.stdout
