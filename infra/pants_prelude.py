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


def every_resolve():
    """For code that every study and the tools use."""
    return parametrize(*resolves())  # noqa: F821 - a symbol of BUILD files
