"""infra:lift: what lands in the lifted project, and when it refuses."""

import json
import os
import tomllib
from pathlib import Path

import pytest
from lift import lift
from lift import project
from studykit.errors import StudyError
from studykit.errors import UsageError

FILES = {
    "BUILD": "",
    "LICENSE": "A licence",
    "apps/ranks/BUILD": "",
    "apps/ranks/BUILD.python-lockfiles": "",
    "apps/ranks/README.md": "# Ranks\n\nRun `./pants run apps/ranks:ray -- --size tiny`.\n"
    "[kernel](ranks/run_ray.py), [kit](../../shared/studykit/storage.py#size), "
    "[top](../../README.md), [web](https://ray.io).\n",
    "apps/ranks/requirements.txt": "# why\n-r ../../shared/requirements.txt\nsmall_thing>=1\n",
    "apps/ranks/requirements.lock": (
        "aiohttp==3.0 \\\n    --hash=sha256:00\n"
        "ray==2.60.0 \\\n    --hash=sha256:01\n"
        "small-thing==1.5 ; python_full_version < '3.12' \\\n    --hash=sha256:02\n"
    ),
    "apps/ranks/ranks/__init__.py": "",
    "apps/ranks/ranks/run_ray.py": '"""./pants run apps/ranks:ray -- --size tiny"""\n',
    "apps/ranks/launch/ray.sh": "#!/bin/sh\nexec true\n",
    "apps/ranks/tests/test_ranks.py": "def test_it(): pass\n",
    "apps/other/requirements.lock": "",
    "shared/BUILD": "",
    "shared/requirements.txt": "ray[default]  # an engine\n",
    "shared/studykit/__init__.py": "",
    "shared/studykit/storage.py": "SIZE = 1\n",
    "datasets/study_data/__init__.py": "",
    "datasets/study_data/published.csv": "study\n",
}
TARGETS = [
    {"address": "apps/ranks:ray", "sources": ["apps/ranks/ranks/run_ray.py"]},
    {"address": "datasets:data", "sources": ["datasets/study_data/data.py"]},
    {
        "address": "apps/ranks/ranks/__init__.py:../ranks",
        "sources": ["apps/ranks/ranks/__init__.py"],
    },
]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of one study, whose ./pants answers from what is written here."""
    root = tmp_path / "repository"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "apps/ranks/launch/ray.sh").chmod(0o755)
    graph = [name for name in FILES if name.startswith(("apps/ranks/", "shared/", "datasets/"))]
    (root / "filedeps").write_text("\n".join(graph) + "\n")
    (root / "peek").write_text(json.dumps(TARGETS))
    (root / "pants").write_text(
        '#!/bin/sh\nfor word; do case $word in filedeps|peek) exec cat "$word";; esac; done\n'
    )
    (root / "pants").chmod(0o755)
    return root


def test_the_files_of_the_graph_land_where_their_imports_find_them(
    repository: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    lift.lift(repository, "ranks", target)
    found = {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()}
    assert found == {
        ".gitignore",
        "LICENSE",
        "README.md",
        "launch/ray.sh",
        "pyproject.toml",
        "ranks/__init__.py",
        "ranks/run_ray.py",
        "requirements.lock",
        "requirements.txt",
        "study_data/__init__.py",
        "study_data/published.csv",
        "studykit/__init__.py",
        "studykit/storage.py",
        "tests/test_ranks.py",
    }
    assert os.access(target / "launch/ray.sh", os.X_OK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "repository"]


def test_pyproject_names_the_packages_and_the_locked_versions(
    repository: Path, tmp_path: Path
) -> None:
    lift.lift(repository, "ranks", tmp_path / "copy")
    settings = tomllib.loads((tmp_path / "copy/pyproject.toml").read_text())
    assert settings["project"]["name"] == "ranks"
    assert settings["project"]["requires-python"] == "==3.11.*"
    assert settings["project"]["dependencies"] == [
        "ray[default]==2.60.0",
        "small_thing==1.5 ; python_full_version < '3.12'",
    ]
    assert settings["tool"]["setuptools"]["packages"] == ["ranks", "study_data", "studykit"]
    assert settings["tool"]["uv"]["constraint-dependencies"] == [
        "aiohttp==3.0",
        "ray==2.60.0",
        "small-thing==1.5 ; python_full_version < '3.12'",
    ]


def test_the_requirements_of_all_studies_stand_where_they_were_included(
    repository: Path, tmp_path: Path
) -> None:
    lift.lift(repository, "ranks", tmp_path / "copy")
    lines = (tmp_path / "copy/requirements.txt").read_text().splitlines()
    assert lines == ["# why", "ray[default]  # an engine", "small_thing>=1"]


def test_commands_take_their_new_form_in_the_readme_and_in_docstrings(
    repository: Path, tmp_path: Path
) -> None:
    lift.lift(repository, "ranks", tmp_path / "copy")
    readme = (tmp_path / "copy/README.md").read_text()
    assert readme.startswith("# Ranks\n")
    assert "Run `uv run python -m ranks.run_ray --size tiny`." in readme
    assert "uv run pytest" in readme
    docstring = '"""uv run python -m ranks.run_ray --size tiny"""\n'
    assert (tmp_path / "copy/ranks/run_ray.py").read_text() == docstring


def test_links_lead_to_what_was_lifted_and_others_keep_their_words(
    repository: Path, tmp_path: Path
) -> None:
    lift.lift(repository, "ranks", tmp_path / "copy")
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
        lift.lift(repository, "ranks", tmp_path / "full")
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    lift.lift(repository, "ranks", tmp_path / "empty")
    assert (tmp_path / "empty/pyproject.toml").exists()


def test_an_unknown_study_is_refused_with_the_names_of_those_there_are(
    repository: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="no study 'rank' here; there are: other, ranks"):
        lift.lift(repository, "rank", tmp_path / "copy")
    assert UsageError.exit_code == 2
    assert not (tmp_path / "copy").exists()


def test_where_pants_fails_nothing_is_written(repository: Path, tmp_path: Path) -> None:
    (repository / "pants").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(StudyError, match="ended with 1"):
        lift.lift(repository, "ranks", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
