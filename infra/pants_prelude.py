"""What BUILD files share.

`every_resolve` lists the resolves of pants.toml, so that a new study is one new line there. Pants
allows no import in a prelude and starts anew when pants.toml changes, so plain reading will do.
"""


def resolves():
    """The names under [python.resolves], in their order."""
    with open("pants.toml") as config:
        section = config.read().partition("\n[python.resolves]\n")[2].partition("\n[")[0]
    lines = [line.partition("#")[0] for line in section.splitlines()]
    return [line.partition("=")[0].strip() for line in lines if "=" in line]


def studies():
    """The resolves that are a study's; the other one is of the tools."""
    return [name for name in resolves() if name != "tools"]


def every_study():
    """For code that every study uses, and the tools do not."""
    return parametrize(*studies())  # noqa: F821 - a symbol of BUILD files


def every_resolve():
    """For code that every study and the tools use."""
    return parametrize(*resolves())  # noqa: F821 - a symbol of BUILD files
