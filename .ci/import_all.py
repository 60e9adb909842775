"""Import every module of the packages that a lifted study's pyproject.toml names, in its folder."""

import importlib
import pkgutil
import tomllib
from pathlib import Path


def main() -> None:
    settings = tomllib.loads(Path("pyproject.toml").read_text())
    for package in settings["tool"]["setuptools"]["packages"]:
        found = importlib.import_module(package)
        for module in pkgutil.iter_modules(found.__path__, f"{package}."):
            importlib.import_module(module.name)


if __name__ == "__main__":
    main()
