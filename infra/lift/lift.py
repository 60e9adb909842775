"""Copy one study out of this repository, with everything it depends on, to work alone.

    ./pants run infra:lift -- twitter-pagerank ../my-course-project

The files are those of Pants' own dependency graph, so what is missing there is missing in the copy
and its tests say so. The new folder needs neither Pants nor this repository: `uv run` or
`pip install -e .` read its pyproject.toml.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from studykit.cli import console
from studykit.cli import manners
from studykit.errors import UsageError

from lift import graph
from lift import project

ROOT = Path(__file__).resolve().parents[2]
WRITTEN_ABOVE = """\
This is a copy of one study, lifted out of the repository it was written in. It works alone:

```
uv run pytest                       # everything in this folder at the versions of the lock
```

or, without uv, in a virtual environment of CPython 3.11:

```
pip install -r requirements.lock && pip install --no-deps -e .
pytest                              # the commands below then need no `uv run`
```

"""


def lift(root: Path, app: str, target: Path) -> list[Path]:
    """Write the study `app` of the repository at `root` to `target`; returns what was copied.

    The folder appears complete or not at all.
    """
    known = studies(root)
    if app not in known:
        raise UsageError(f"no study '{app}' here; there are: {', '.join(known)}")
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and is not an empty folder")
    places = {path: project.place(path, app) for path in graph.files(root, app)}
    copied = {path: place for path, place in places.items() if place is not None}
    modules = {
        address: module
        for address, module in graph.modules(root).items()
        if Path(*module.split(".")).with_suffix(".py") in copied.values()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lift-") as unfinished:
        folder = Path(unfinished) / target.name
        for path, place in copied.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, folder / place)
            if place.suffix in (".py", ".md", ".sh"):
                text = project.rewrite((root / path).read_text("utf-8"), app, modules)
                (folder / place).write_text(project.relink(text, path, copied), "utf-8")
        finish(root, app, folder, sorted(copied.values()))
        folder.rename(target)
    return sorted(copied.values())


def studies(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("apps/*/requirements.lock"))


def finish(root: Path, app: str, target: Path, files: list[Path]) -> None:
    """Write what the repository has once for all studies, or not at all."""
    study = root / "apps" / app
    named = project.requirements(study / "requirements.txt")
    (target / "requirements.txt").write_text(named.replace(f"apps/{app}/", ""), "utf-8")
    shutil.copyfile(study / "requirements.lock", target / "requirements.lock")
    shutil.copyfile(root / "LICENSE", target / "LICENSE")
    packages = sorted(
        {
            ".".join(path.parent.parts)
            for path in files
            if path.name == "__init__.py" and path.parts[0] != "tests"
        }
    )
    lock = (study / "requirements.lock").read_text("utf-8")
    settings = project.pyproject(app, packages, named, lock)
    (target / "pyproject.toml").write_text(settings, "utf-8")
    readme = target / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else f"# {app}\n"
    title, _, rest = text.partition("\n")
    readme.write_text(f"{title}\n\n{WRITTEN_ABOVE}{rest.lstrip()}", "utf-8")
    (target / ".gitignore").write_text("__pycache__/\n.venv/\n*.egg-info/\n/results/\n", "utf-8")


def command(
    study: Annotated[str, typer.Argument(help="The folder below apps/ to lift out.")],
    target: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
) -> None:
    """Copy one study out of this repository, with all it depends on, to work alone."""
    with manners(debug=False):
        console.print(f"Asking Pants what {study} depends on ...")
        written = lift(ROOT, study, target)
        shown = os.path.relpath(target)
        console.print(f"{len(written)} files in {shown}. Try it: cd {shown} && uv run pytest")


if __name__ == "__main__":
    typer.run(command)
