"""A repository of one study, for the tests of infra:lift: its files, and what its Pants says."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

FILES = {
    "BUILD": "",
    "LICENSE": "A licence",
    "apps/ranks/BUILD": "",
    "apps/ranks/README.md": "# Ranks\n\nRun `./pants run apps/ranks:ray -- --size tiny`.\n"
    "```sh\n./pants run apps/ranks:torch -- --size tiny\n./pants run apps/ranks:ray\n"
    "apps/ranks/launch/torch.sh\n./pants run apps/ranks:compare -- --size tiny\n```\n"
    "| engine | keeps |\n|---|---|\n| ray | this |\n| torch | that |\n\n"
    "[kernel](ranks/run_ray.py), [kit](../../shared/studykit/storage.py#size), "
    "[top](../../README.md), [web](https://ray.io).\n",
    "apps/ranks/requirements.txt": "# why\n-r ../../shared/requirements.txt\n\n"
    "# The engines.\nray[default]  # an engine\ntorch\n\n# Drawn.\nsmall_thing>=1\n",
    "apps/ranks/requirements.lock": (
        "aiohttp==3.0 \\\n    --hash=sha256:00\n    # via ray\n"
        "cuda==13 ; sys_platform == 'linux' \\\n    --hash=sha256:04\n    # via\n    #   torch\n"
        "numpy==2.4 \\\n    --hash=sha256:03\n"
        "    # via\n    #   -r apps/ranks/requirements.txt\n    #   torch\n"
        "ray==2.60.0 \\\n    --hash=sha256:01\n    # via -r apps/ranks/requirements.txt\n"
        "small-thing==1.5 ; python_full_version < '3.12' \\\n    --hash=sha256:02\n"
        "torch==2.15 \\\n    --hash=sha256:05\n"
    ),
    "apps/ranks/ranks/__init__.py": "",
    "apps/ranks/ranks/run_plain.py": '"""./pants run apps/ranks:plain"""\n',
    "apps/ranks/ranks/run_ray.py": '"""./pants run apps/ranks:ray -- --size tiny"""\n',
    "apps/ranks/ranks/run_torch.py": "",
    "apps/ranks/ranks/exchange.py": "",
    "apps/ranks/ranks/compare.py": "",
    "apps/ranks/launch/ray.sh": "#!/bin/sh\nexec true\n",
    "apps/ranks/launch/torch.sh": "#!/bin/sh\nexec true\n",
    "apps/ranks/tests/test_ranks.py": "def test_it(): pass\n",
    "apps/ranks/tests/test_exchange.py": "def test_it(): pass\n",
    "apps/other/requirements.lock": "",
    "shared/BUILD": "",
    "shared/requirements.txt": "numpy  # arrays\n",
    "shared/studykit/__init__.py": "",
    "shared/studykit/storage.py": "SIZE = 1\n",
    "shared/studylaunch/node.py": "",
    "datasets/study_data/__init__.py": "",
    "datasets/study_data/published.csv": "study\n",
}


def target(
    address: str,
    kind: str = "python_source",
    source: str | None = None,
    *dependencies: str,
    declared: Sequence[str] = (),
    requirements: Sequence[str] = (),
) -> dict[str, Any]:
    """A target as `./pants peek` describes it."""
    return {
        "address": address,
        "target_type": kind,
        "sources": [source] if source else None,
        "dependencies": [*dependencies],
        "dependencies_raw": [*declared] or None,
        "requirements": [*requirements],
    }


def module(name: str, *dependencies: str) -> dict[str, Any]:
    path = f"apps/ranks/ranks/{name}.py"
    return target(f"{path}:../ranks", "python_source", path, *dependencies)


def entry(name: str, file: str, *dependencies: str) -> dict[str, Any]:
    path = f"apps/ranks/ranks/{file}.py"
    return target(f"apps/ranks:{name}", "python_source", path, *dependencies)


def launcher(engine: str) -> dict[str, Any]:
    path = f"apps/ranks/launch/{engine}.sh"
    beside = "shared/studylaunch/node.py@resolve=ranks"
    return target(f"apps/ranks:launch-{engine}", "file", path, f"apps/ranks:{engine}", beside)


def file_of_tests(name: str, *imported: str) -> dict[str, Any]:
    path = f"apps/ranks/tests/{name}.py"
    started = [":ray", ":torch", ":launch-ray", ":launch-torch"]
    children = [f"apps/ranks{name}" for name in started]
    return target(f"{path}:../tests", "python_test", path, *children, *imported, declared=started)


def requirement(line: str) -> dict[str, Any]:
    return target(f"apps/ranks:requirements#{line}", "python_requirement", requirements=[line])


KIT = "shared/studykit/storage.py@resolve=ranks"
TARGETS = [
    target("apps/ranks:ranks", "python_sources"),
    *(requirement(line) for line in ("ray[default]", "numpy", "torch", "small_thing>=1", "pytest")),
    module("__init__"),
    module("exchange"),
    entry("plain", "run_plain", KIT),
    entry("ray", "run_ray", KIT, "apps/ranks:requirements#ray[default]"),
    entry(
        "torch", "run_torch", "apps/ranks/ranks/exchange.py:../ranks",
        "apps/ranks:requirements#torch",
    ),
    entry("compare", "compare", PUBLISHED := "datasets/study_data/published.csv:../resources",
          "apps/ranks:requirements#small_thing>=1", "apps/ranks:requirements#pytest"),
    launcher("ray"),
    launcher("torch"),
    file_of_tests("test_ranks", KIT, "apps/ranks:requirements#pytest"),
    file_of_tests("test_exchange", "apps/ranks/ranks/exchange.py:../ranks"),
    target("apps/ranks/README.md:documents", "file", "apps/ranks/README.md"),
    target("shared/studykit/__init__.py@resolve=ranks", source="shared/studykit/__init__.py"),
    target(
        KIT, "python_source", "shared/studykit/storage.py",
        "shared/studykit/__init__.py@resolve=ranks", "apps/ranks:requirements#numpy",
    ),
    target(
        PUBLISHED, "resource", "datasets/study_data/published.csv",
        "datasets/study_data/__init__.py@resolve=ranks",
    ),
    target(
        "shared/studylaunch/node.py@resolve=ranks", source="shared/studylaunch/node.py"
    ),
    target(
        "datasets/study_data/__init__.py@resolve=ranks", source="datasets/study_data/__init__.py"
    ),
    target("datasets:data", source="datasets/study_data/data.py"),
]  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one study, whose ./pants answers from what is written here."""
    root = tmp_path / "repository"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for script in root.glob("apps/ranks/launch/*.sh"):
        script.chmod(0o755)
    (root / "peek").write_text(json.dumps(TARGETS))
    (root / "pants").write_text('#!/bin/sh\n[ "$1" = peek ] && exec cat peek\n')
    (root / "pants").chmod(0o755)
    return root
