"""What the copied study needs beside its files: a pyproject.toml and commands in their new form."""

import json
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)\s*(;[^\\]+)?", re.MULTILINE)
INCLUDED = re.compile(r"^-r +(\S+)[^\n]*\n", re.MULTILINE)
ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==.*\n(?:[ #].*\n)*", re.MULTILINE)
VIA = re.compile(r"^[ #]*([A-Za-z0-9._-]+)(?:\[[^]]*\])?[ \t]*$", re.MULTILINE)
REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(\[[^]]*\])?")


def requirements(path: Path) -> str:
    """What a requirements.txt names, with what it includes by `-r` in the place of that line."""

    def included(found: re.Match[str]) -> str:
        return requirements(path.parent / found[1])

    return INCLUDED.sub(included, path.read_text("utf-8"))


def only(named: str, wanted: Collection[str]) -> str:
    """The lines of a requirements.txt that name one of `wanted`, without headings of nothing."""
    names = _names(wanted)
    kept = [line for line in named.splitlines() if not (_names([line]) - names)]
    return re.sub(r"\n\n(?:#.*\n)+(?=\n|\Z)", "\n", "\n".join(kept) + "\n")


def needed(lock: str, wanted: Collection[str]) -> str:
    """The part of a lock that `wanted` need: `# via` says of each entry who wants it."""
    entries = [(normal(entry[1]), entry[0]) for entry in ENTRY.finditer(lock)]
    reached = _names(wanted)
    via: dict[str, set[str]] = {name: set() for name, _ in entries}
    for name, entry in entries:
        via[name] |= {normal(parent) for parent in VIA.findall(entry.partition("# via")[2])}
    while more := {name for name in via.keys() - reached if via[name] & reached}:
        reached |= more
    return "".join(entry for name, entry in entries if name in reached)


def pins(lock: str) -> list[str]:
    """Every `name==version ; marker` of a hashed lock, without the hashes."""
    return [
        f"{name}=={version}" + (f" {marker.strip()}" if marker else "")
        for name, version, marker in PIN.findall(lock)
    ]


def direct(named: str, lock: str) -> list[str]:
    """The requirements that are named, at the versions of the lock."""
    locked: dict[str, list[tuple[str, str]]] = {}
    for name, version, marker in PIN.findall(lock):
        locked.setdefault(normal(name), []).append((version, marker.strip()))
    lines = []
    for line in named.splitlines():
        found = REQUIREMENT.match(line)
        if found:
            name, extras = found[1], found[2] or ""
            lines += [
                f"{name}{extras}=={version}" + (f" {marker}" if marker else "")
                for version, marker in locked[normal(name)]
            ]
    return lines


def _names(requirements: Iterable[str]) -> set[str]:
    """The distributions named by lines of a requirements.txt; others name none."""
    found = (REQUIREMENT.match(line) for line in requirements)
    return {normal(one[1]) for one in found if one}


def normal(name: str) -> str:
    """A distribution's name as the index compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pyproject(app: str, packages: Iterable[str], named: str, lock: str) -> str:
    """The lifted study as a project of its own; `uv run` and `pip install -e .` both read it."""
    return f"""\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"

[project]
name = {json.dumps(app)}
version = "0.1.0"
description = "The study {app}, lifted out of the repository it was written in."
readme = "README.md"
requires-python = "==3.11.*"
license = "Apache-2.0"
license-files = ["LICENSE"]
dependencies = [
{_lines(direct(named, lock))}
]

[tool.setuptools]
packages = [
{_lines(packages)}
]

[tool.setuptools.package-data]
"*" = ["*.csv", "*.json", "py.typed"]

[tool.pytest.ini_options]
testpaths = ["tests"]
markers = ["quick: one start of each engine at most"]

# What is not named above, at the versions of requirements.lock.
[tool.uv]
constraint-dependencies = [
{_filled(pins(lock))}
]
"""


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"  {json.dumps(item)}," for item in items)


def _filled(items: Iterable[str]) -> str:
    """As many on a line as have room."""
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > 94:
            lines.append("")
        lines[-1] += f" {json.dumps(item)},"
    return "\n".join(f" {line}" for line in lines)


def rewrite(text: str, app: str, modules: Mapping[str, str]) -> str:
    """Turn `./pants run apps/x:ray -- X` into `uv run python -m package.run_ray X`, and the like.

    A command of a target that is not in `modules` (it stays behind) is left as it is.
    """

    def started(found: re.Match[str]) -> str:
        module = modules.get(found["target"])
        return f"uv run python -m {module}" if module else found[0]

    text = re.sub(r"(?:\./)?\bpants run (?P<target>[\w./:-]+[\w-])(?: --(?= ))?", started, text)
    tests = rf"(?:\./)?\bpants test (?:apps/{re.escape(app)}:[\w:-]*|::)(?: --(?= ))?"
    text = re.sub(tests, "uv run pytest", text)
    return text.replace(f"apps/{app}/", "")


def said_of(target: str) -> str:
    """What a README calls a target: `:ray`, or the path of a launch script."""
    name = target.rpartition(":")[2]
    engine = name.removeprefix("launch-")
    return f":{name}" if engine == name else f"launch/{engine}.sh"


def without(text: str, app: str, left: Collection[str]) -> str:
    """A Markdown text without the commands of the targets in `left` and without the rows of tables
    that are about one of them alone."""
    names = [target.rpartition(":")[2] for target in left]
    if not names:
        return text
    one = "|".join(map(re.escape, names))
    script = "|".join(re.escape(name.removeprefix("launch-")) for name in names)
    command = rf"^.*apps/{re.escape(app)}(?::(?:{one})|/launch/(?:{script})\.sh)\b.*\n"
    code = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
    text = code.sub(lambda found: re.sub(command, "", found[0], flags=re.MULTILINE), text)
    return re.sub(rf"^\| (?:{one}) \|.*\n", "", text, flags=re.MULTILINE)


def relink(text: str, path: str, places: Mapping[str, Path]) -> str:
    """Point the relative links of `path`, if it is Markdown, to where their targets went.

    `places` is {path in the repository: path in the lifted project}. A link to a file that stays
    behind loses its target and keeps its words.
    """

    def moved(found: re.Match[str]) -> str:
        words, link, anchor = found["words"], found["link"], found["anchor"] or ""
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(path), link))
        if aim not in places:
            return words
        new = posixpath.relpath(places[aim].as_posix(), places[path].parent.as_posix())
        return f"[{words}]({new}{anchor})"

    if not path.endswith(".md"):
        return text
    pattern = r"\[(?P<words>[^]]+)\]\((?P<link>[^)#:\s]+)(?P<anchor>#[^)]*)?\)"
    return re.sub(pattern, moved, text)


def place(path: str, app: str) -> Path | None:
    """Where a file of the repository lies in the lifted project; None for Pants' own files, and for
    requirements, which are written anew."""
    parts = Path(path).parts
    written_anew = parts[-1].startswith(("BUILD", "requirements."))
    if written_anew or parts[0] not in ("apps", "shared", "datasets"):
        return None
    if parts[0] == "apps":
        return Path(*parts[2:]) if parts[1] == app else None
    if parts[-1].endswith((".py", ".csv", ".json", ".typed")):
        return Path(*parts[1:])
    return Path(*parts)
