"""Refuse import circles inside a study: `published → run_plain → published` and their like.

Imports inside functions count too: they start later, and are read the same way.
"""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


def imports(module: Path) -> set[str]:
    """The modules of its own package that a module imports, wherever in it."""
    package, found = module.parent.name, set()
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == package:
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and f"{node.module}".startswith(f"{package}."):
            found.add(f"{node.module}".split(".")[1])
        elif isinstance(node, ast.Import):
            own = [name.name for name in node.names if name.name.startswith(f"{package}.")]
            found |= {name.split(".")[1] for name in own}
    return found


def circle(package: Path) -> list[str]:
    """Modules of which each imports the next, the last one the first; empty without a circle."""
    graph = {module.stem: imports(module) for module in package.glob("*.py")}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        # graphlib names them from the imported to the importing.
        return list(reversed(error.args[1]))
    return []


def main(root: Path) -> int:
    packages = [path.parent for path in sorted(root.glob("apps/*/*/study.py"))]
    found = {package: circle(package) for package in packages}
    for package, modules in found.items():
        if modules:
            print(f"{package.relative_to(root)}: {' → '.join(modules)}")
    return 1 if any(found.values()) or not packages else 0


if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parents[1]))
