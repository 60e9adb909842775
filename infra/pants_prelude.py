"""What BUILD files share.

`every_resolve` lists the resolves of pants.toml, so that a new study is one new line there. Pants
allows no import in a prelude and starts anew when pants.toml changes, so plain reading will do.
"""

# ruff: noqa: F821 - what is defined nowhere here are symbols of BUILD files


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
    return parametrize(*studies())


def every_resolve():
    """For code that every study and the tools use."""
    return parametrize(*resolves())


def kernel_cache(resolve):
    """For tests that compile kernels: pants.toml names it, which no import shows."""
    return f"shared/studytest/kernel_cache.py@resolve={resolve}"


def compiles_kernels(name):
    """Whether a study has numba; a lifted copy of one that has not could not import its cache."""
    with open(f"apps/{name}/requirements.lock") as lock:
        return "\nnumba==" in lock.read()


def study(engines, module_mapping=None, unseen=None):
    """The targets of the study in this folder, whose package has its name with `_` for `-`.

    `unseen`: {engine, or library: what it needs that no import shows}.
    """
    name = build_file_dir().name
    package = name.replace("-", "_")
    entries = {engine: f"{package}/run_{engine}.py" for engine in engines}
    commands = [f":{engine}" for engine in engines]
    launchers = [engine for engine in engines if engine != "plain"]

    __defaults__(all=dict(resolve=name))
    # A study that says nothing here could not even use its own files.
    __dependencies_rules__(
        ("*", "/**", "//shared/**", "//datasets/**", "<python_requirement*>", "<_*>", "!*")
    )
    unseen = unseen or {}
    libraries = {of: dict(dependencies=needs) for of, needs in unseen.items() if of not in engines}
    python_requirements(
        name="requirements", module_mapping=module_mapping or {}, overrides=libraries
    )
    apart = [*entries.values(), f"{package}/compare.py", f"{package}/doctor.py"]
    python_sources(name=package, sources=[f"{package}/*.py", *(f"!{path}" for path in apart)])
    for engine, path in entries.items():
        python_source(name=engine, source=path, dependencies=unseen.get(engine, []))
    # It starts the engines as child processes, and the peers.
    python_source(
        name="compare",
        source=f"{package}/compare.py",
        dependencies=[*commands, f":{package}", *(f":launch-{engine}" for engine in launchers)],
    )
    # It looks for the libraries of all engines.
    python_source(name="doctor", source=f"{package}/doctor.py", dependencies=[":compare"])

    # For who reads and who lifts; nothing imports them.
    files(name="documents", sources=["README.md"])
    # What another host makes an environment from.
    file(name="lock", source="requirements.lock")
    for engine in launchers:
        beside = ["shared/studylaunch/ray_node.py@resolve=" + name] if engine == "ray" else []
        file(
            name=f"launch-{engine}",
            source=f"launch/{engine}.sh",
            dependencies=[
                f"shared:launch-{engine}",
                f":{engine}",
                ":lock",
                *beside,
            ],
        )

    python_source(
        name="benchmarks",
        source="tests/benchmarks/bench_kernel.py",
        dependencies=[":requirements#pytest-benchmark"],
    )
    # `import case` is found by pytest; the engines are started as child processes.
    python_test_utils(name="test_support", sources=["tests/*.py", "!tests/test_*.py"])
    started = [*commands, *(f":launch-{engine}" for engine in launchers), ":compare", ":doctor"]
    support = [":test_support", *([kernel_cache(name)] if compiles_kernels(name) else [])]
    together = dict(dependencies=[*support, *started], timeout=1800)
    contract = ["tests/test_contract.py", "tests/test_processes.py"]
    python_tests(name="contract", sources=contract, **together)
    # In one process: each of its own would cost five seconds, and its libraries once more.
    together |= dict(batch_compatibility_tag=name)
    # `:compare` is not said here: it is imported, and lifting leaves behind what imports it.
    python_tests(
        name="comparison",
        sources=["tests/test_compare.py"],
        **{**together, "dependencies": [*support, *commands]},
    )
    apart = [f"!{path}" for path in (*contract, "tests/test_compare.py")]
    python_tests(name="tests", sources=["tests/test_*.py", *apart], **together)
