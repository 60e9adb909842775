"""Copy one study out of this repository, with everything it depends on, to work alone.

    ./pants run infra:lift -- twitter-pagerank ../my-course-project
    ./pants run infra:lift -- twitter-pagerank ../my-course-project --engines plain,ray --lean

The files are those of Pants' own dependency graph, so what is missing there is missing in the copy
and its tests say so. The new folder needs neither Pants nor this repository: `uv run` or
`pip install -e .` read its pyproject.toml.
"""

import os
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer
from studykit.cli import console, manners
from studykit.errors import UsageError

from lift import project
from lift.graph import Graph, peek

ROOT = Path(__file__).resolve().parents[2]
BASELINE = "plain"
"""The engine that always comes along: the others are compared with it."""
NOT_LEAN = ("compare", "doctor", "benchmarks")
"""The targets that a lean copy leaves behind, and the launch scripts, with the peers and whatever
else only they need."""
CONTRACT = ("shared/studytest/contract/", "shared/studytest/case.py")
"""And with the tests of what the study has from shared code: a lean copy has the study's own."""
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
LEFT_BEHIND = """\
What the text below says of these is not in this copy: {}.

"""


def lift(
    root: Path,
    graph: Graph,
    app: str,
    target: Path,
    engines: Collection[str] = (),
    lean: bool = False,
) -> list[Path]:
    """Write the study `app` of the repository at `root` to `target`; returns what was copied.

    With `engines` only these and the baseline; `lean` without `NOT_LEAN`. The folder appears
    complete or not at all.
    """
    known = studies(root)
    if app not in known:
        raise UsageError(f"no study '{app}' here; there are: {', '.join(known)}")
    target = target.resolve()
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} exists and is not an empty folder")
    left = left_behind(graph, app, engines, lean)
    addresses = graph.part(app, left, CONTRACT if lean else ()) if left else graph.whole(app)
    places = {path: project.place(path, app) for path in graph.files(addresses)}
    copied = {path: place for path, place in places.items() if place is not None}
    modules = {
        address: module
        for address, module in graph.commands().items()
        if Path(*module.split(".")).with_suffix(".py") in copied.values()
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".lift-") as unfinished:
        folder = Path(unfinished) / target.name
        for path, place in copied.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, folder / place)
            if place.suffix in (".py", ".md", ".sh"):
                text = (root / path).read_text("utf-8")
                if place.suffix == ".md":
                    text = project.relink(project.without(text, app, left), path, copied)
                (folder / place).write_text(project.rewrite(text, app, modules), "utf-8")
        write_project(root, graph, app, folder, sorted(copied.values()), addresses, left)
        folder.rename(target)
    return sorted(copied.values())


def asked(root: Path, kept: Path | None = None) -> Graph:
    """What depends on what, from the file where it has been kept, else from Pants."""
    if kept is not None and kept.exists():
        return Graph(kept.read_text("utf-8"))
    console.print("Asking Pants what depends on what ...")
    said = peek(root)
    if kept is not None:
        kept.write_text(said, "utf-8")
    return Graph(said)


def studies(root: Path) -> list[str]:
    return sorted(path.parent.name for path in root.glob("apps/*/requirements.lock"))


def left_behind(graph: Graph, app: str, engines: Collection[str], lean: bool) -> list[str]:
    """The targets of the study that were not asked for, as the graph names them."""
    known = graph.engines(app)
    for engine in engines:
        if engine not in known:
            raise UsageError(
                f"{app} has no engine '{engine}'; there are: {', '.join(sorted(known))}"
            )
    left = [
        address
        for engine, address in known.items()
        if engines and engine not in engines and engine != BASELINE
    ]
    if lean:
        names = (*NOT_LEAN, *(f"launch-{engine}" for engine in known))
        left += [f"apps/{app}:{name}" for name in names if f"apps/{app}:{name}" in graph.targets]
    return left


def write_project(
    root: Path,
    graph: Graph,
    app: str,
    target: Path,
    files: list[Path],
    addresses: Collection[str],
    left: Collection[str],
) -> None:
    """Write what the repository has once for all studies, or not at all."""
    study = root / "apps" / app
    named = project.requirements(study / "requirements.txt").replace(f"apps/{app}/", "")
    lock = (study / "requirements.lock").read_text("utf-8")
    if left:
        wanted = graph.requirements(addresses)
        named, lock = project.only(named, wanted), project.needed(lock, wanted)
    (target / "requirements.txt").write_text(named, "utf-8")
    (target / "requirements.lock").write_text(lock, "utf-8")
    shutil.copyfile(root / "LICENSE", target / "LICENSE")
    packages = sorted(
        {
            ".".join(path.parent.parts)
            for path in files
            if path.name == "__init__.py" and path.parts[0] != "tests"
        }
    )
    settings = project.pyproject(app, packages, named, lock)
    (target / "pyproject.toml").write_text(settings, "utf-8")
    readme = target / "README.md"
    text = readme.read_text("utf-8") if readme.exists() else f"# {app}\n"
    title, _, rest = text.partition("\n")
    above = WRITTEN_ABOVE
    if left:
        above += LEFT_BEHIND.format(", ".join(f"`{project.said_of(one)}`" for one in left))
    readme.write_text(f"{title}\n\n{above}{rest.lstrip()}", "utf-8")
    (target / ".gitignore").write_text("__pycache__/\n.venv/\n*.egg-info/\n/results/\n", "utf-8")


def lines(folder: Path) -> int:
    """Of what is there to be read: code, scripts, settings and text."""
    read = [path for path in folder.rglob("*") if path.suffix in (".py", ".sh", ".toml", ".md")]
    return sum(path.read_text("utf-8").count("\n") for path in read)


def command(
    study: Annotated[
        str,
        typer.Argument(
            help="The folder below apps/ to lift out; of several, with commas between them, each"
            " goes into a folder of its own below FOLDER."
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="A folder that does not exist yet, or is empty.")],
    engines: Annotated[
        str, typer.Option(help="Only these, with commas between them; plain always comes along.")
    ] = "",
    lean: Annotated[
        bool,
        typer.Option(
            "--lean",
            help="Without the comparison, its peers, the doctor, benchmarks and launch scripts.",
        ),
    ] = False,
    graph: Annotated[
        Path | None,
        typer.Option(help="For what `./pants peek ::` says: read, or where it is not there, made."),
    ] = None,
) -> None:
    """Copy a study out of this repository, with all it depends on, to work alone."""
    with manners(debug=False):
        known = asked(ROOT, graph)
        wanted = [engine for engine in engines.split(",") if engine]
        several = study.split(",")
        for one in several:
            target = folder / one if several[1:] else folder
            written = lift(ROOT, known, one, target, wanted, lean)
            shown = os.path.relpath(target)
            console.print(
                f"{len(written)} files, {lines(target):,} lines in {shown}."
                f" Try it: cd {shown} && uv run pytest"
            )


if __name__ == "__main__":
    typer.run(command)
