"""infra:lift: what lands in the lifted project, and when it refuses."""

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

import lift_repository
import pytest
from lift import graph, lift, project
from lift_repository import FILES
from studykit.errors import StudyError, UsageError

repository = lift_repository.repository


def copy(root: Path, target: Path, engines: Sequence[str] = (), lean: bool = False) -> set[str]:
    """Lift it; the files of the copy."""
    lift.lift(root, graph.Graph(graph.peek(root)), "ranks", target, engines, lean)
    return {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}


WRITTEN = {".gitignore", "LICENSE", "pyproject.toml", "requirements.lock", "requirements.txt"}


def test_the_files_of_the_graph_land_where_their_imports_find_them(
    repository: Path, tmp_path: Path
) -> None:
    found = copy(repository, tmp_path / "copy")
    assert found == WRITTEN | {
        "README.md",
        "launch/ray.sh",
        "launch/torch.sh",
        "ranks/__init__.py",
        "ranks/compare.py",
        "ranks/exchange.py",
        "ranks/run_plain.py",
        "ranks/run_ray.py",
        "ranks/run_torch.py",
        "study_data/__init__.py",
        "study_data/published.csv",
        "studykit/__init__.py",
        "studykit/storage.py",
        "studylaunch/node.py",
        "tests/test_exchange.py",
        "tests/test_ranks.py",
    }
    assert os.access(tmp_path / "copy/launch/ray.sh", os.X_OK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "repository"]
    lock = (tmp_path / "copy/requirements.lock").read_text()
    assert lock == FILES["apps/ranks/requirements.lock"]


def test_what_an_engine_or_the_comparison_alone_needs_stays_behind_with_it(
    repository: Path, tmp_path: Path
) -> None:
    whole = copy(repository, tmp_path / "whole")
    torch = {"launch/torch.sh", "ranks/run_torch.py", "ranks/exchange.py", "tests/test_exchange.py"}
    assert copy(repository, tmp_path / "ray", ["ray"]) == whole - torch
    beside = {"ranks/compare.py", "study_data/__init__.py", "study_data/published.csv"}
    beside |= {"launch/ray.sh", "launch/torch.sh", "studylaunch/node.py"}
    assert copy(repository, tmp_path / "lean", lean=True) == whole - beside
    both = copy(repository, tmp_path / "both", ["ray"], lean=True)
    assert both == whole - torch - beside


def test_a_part_has_only_the_requirements_that_it_needs(repository: Path, tmp_path: Path) -> None:
    copy(repository, tmp_path / "copy", ["plain", "ray"], lean=True)
    named = (tmp_path / "copy/requirements.txt").read_text()
    assert named == "# why\nnumpy  # arrays\n\n# The engines.\nray[default]  # an engine\n"
    lock = (tmp_path / "copy/requirements.lock").read_text()
    assert project.pins(lock) == ["aiohttp==3.0", "numpy==2.4", "ray==2.60.0"]
    assert lock.count("--hash=") == 3
    settings = tomllib.loads((tmp_path / "copy/pyproject.toml").read_text())
    assert settings["project"]["dependencies"] == ["numpy==2.4", "ray[default]==2.60.0"]


def test_the_readme_of_a_part_says_what_stayed_behind_and_has_no_command_of_it(
    repository: Path, tmp_path: Path
) -> None:
    copy(repository, tmp_path / "copy", ["ray"], lean=True)
    readme = (tmp_path / "copy/README.md").read_text()
    assert "not in this copy: `:torch`, `:compare`, `launch/ray.sh`, `launch/torch.sh`." in readme
    assert "```sh\nuv run python -m ranks.run_ray\n```" in readme
    assert "| ray | this |\n\n" in readme and "| torch |" not in readme


def test_an_unknown_engine_is_refused_with_the_names_of_those_there_are(
    repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no engine 'dask'; there are: plain, ray, torch"):
        copy(repository, tmp_path / "copy", ["dask"])
    assert not (tmp_path / "copy").exists()


def test_pyproject_names_the_packages_and_the_locked_versions(
    repository: Path, tmp_path: Path
) -> None:
    copy(repository, tmp_path / "copy")
    settings = tomllib.loads((tmp_path / "copy/pyproject.toml").read_text())
    assert settings["project"]["name"] == "ranks"
    assert settings["project"]["requires-python"] == "==3.11.*"
    assert settings["project"]["dependencies"] == [
        "numpy==2.4",
        "ray[default]==2.60.0",
        "torch==2.15",
        "small_thing==1.5 ; python_full_version < '3.12'",
    ]
    assert settings["tool"]["setuptools"]["packages"] == ["ranks", "study_data", "studykit"]
    assert settings["tool"]["uv"]["constraint-dependencies"] == [
        "aiohttp==3.0",
        "cuda==13 ; sys_platform == 'linux'",
        "numpy==2.4",
        "ray==2.60.0",
        "small-thing==1.5 ; python_full_version < '3.12'",
        "torch==2.15",
    ]


def test_the_requirements_of_all_studies_stand_where_they_were_included(
    repository: Path, tmp_path: Path
) -> None:
    copy(repository, tmp_path / "copy")
    lines = (tmp_path / "copy/requirements.txt").read_text().splitlines()
    assert lines[:3] == ["# why", "numpy  # arrays", ""]
    assert lines[-1] == "small_thing>=1"


def test_commands_take_their_new_form_in_the_readme_and_in_docstrings(
    repository: Path, tmp_path: Path
) -> None:
    copy(repository, tmp_path / "copy")
    readme = (tmp_path / "copy/README.md").read_text()
    assert readme.startswith("# Ranks\n")
    assert "Run `uv run python -m ranks.run_ray --size tiny`." in readme
    assert "uv run pytest" in readme
    docstring = '"""uv run python -m ranks.run_ray --size tiny"""\n'
    assert (tmp_path / "copy/ranks/run_ray.py").read_text() == docstring


def test_links_lead_to_what_was_lifted_and_others_keep_their_words(
    repository: Path, tmp_path: Path
) -> None:
    copy(repository, tmp_path / "copy")
    last = (tmp_path / "copy/README.md").read_text().splitlines()[-1]
    assert last == (
        "[kernel](ranks/run_ray.py), [kit](studykit/storage.py#size), top, [web](https://ray.io)."
    )


@pytest.mark.parametrize(
    ("command", "lifted"),
    [
        ("./pants run apps/ranks:ray", "uv run python -m ranks.run_ray"),
        ("pants run apps/ranks:ray -- --help", "uv run python -m ranks.run_ray --help"),
        ("./pants run datasets:data -- list", "./pants run datasets:data -- list"),
        ("./pants test apps/ranks:: -- -k loops", "uv run pytest -k loops"),
        ("./pants test apps/ranks:tests", "uv run pytest"),
        ("./pants test ::", "uv run pytest"),
        ("apps/ranks/launch/ray.sh --size tiny", "launch/ray.sh --size tiny"),
    ],
)
def test_each_form_of_a_command(command: str, lifted: str) -> None:
    assert project.rewrite(command, "ranks", {"apps/ranks:ray": "ranks.run_ray"}) == lifted


def test_a_folder_with_something_in_it_is_refused_and_left_alone(
    repository: Path, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        copy(repository, tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    copy(repository, tmp_path / "empty")
    assert (tmp_path / "empty/pyproject.toml").exists()


def test_an_unknown_study_is_refused_with_the_names_of_those_there_are(
    repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no study 'rank' here; there are: other, ranks"):
        lift.lift(repository, graph.Graph(graph.peek(repository)), "rank", tmp_path / "copy")
    assert UsageError.exit_code == 2
    assert not (tmp_path / "copy").exists()


def test_where_pants_fails_nothing_is_written(repository: Path, tmp_path: Path) -> None:
    (repository / "pants").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(StudyError, match="ended with 1"):
        copy(repository, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_pants_is_asked_once_where_its_answer_is_kept(repository: Path, tmp_path: Path) -> None:
    kept = tmp_path / "graph.json"
    first = lift.asked(repository, kept)
    (repository / "pants").write_text("#!/bin/sh\nexit 1\n")
    assert lift.asked(repository, kept).targets == first.targets
    with pytest.raises(StudyError, match="ended with 1"):
        lift.asked(repository, tmp_path / "another.json")
    assert not (tmp_path / "another.json").exists()
