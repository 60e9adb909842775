"""The processor, as Linux describes it in files; what no file says is null."""

import json
from pathlib import Path

import pytest
from studykit import machine, processor
from studykit.processor import Cache

X86 = """\
processor\t: 0
model name\t: A Processor @ 2.10GHz
flags\t\t: fpu sse sse2 ssse3 sse4_1 avx avx2 avx512f f16c fma amx_tile aes smep vmx

processor\t: 1
model name\t: Another
flags\t\t: neon
"""
ARM = "processor\t: 0\nBogoMIPS\t: 50.00\nFeatures\t: fp asimd aes sve asimdhp sme smei16i64\n"


def file(folder: Path, text: str) -> Path:
    (folder / "cpuinfo").write_text(text)
    return folder / "cpuinfo"


def cache(folder: Path, index: int, level: int, kind: str, size: str, sharing: str) -> None:
    described = folder / f"index{index}"
    described.mkdir()
    values = {"level": level, "type": kind, "size": size, "shared_cpu_list": sharing}
    for name, value in values.items():
        (described / name).write_text(f"{value}\n")


def test_x86_has_a_name_and_its_vector_extensions(tmp_path: Path) -> None:
    cpuinfo = file(tmp_path, X86)
    assert processor.name(cpuinfo) == "A Processor @ 2.10GHz"
    wanted = "amx_tile avx avx2 avx512f f16c fma sse sse2 sse4_1 ssse3"
    assert processor.vector_extensions(cpuinfo) == wanted.split()


def test_arm_has_features_and_no_name_of_its_own(tmp_path: Path) -> None:
    cpuinfo = file(tmp_path, ARM)
    assert processor.vector_extensions(cpuinfo) == ["asimd", "asimdhp", "sme", "smei16i64", "sve"]
    assert processor.name(cpuinfo)


def test_caches_come_by_level_with_how_many_processors_share_them(tmp_path: Path) -> None:
    cache(tmp_path, 0, 3, "Unified", "307200K", "0-3,8")
    cache(tmp_path, 1, 1, "Instruction", "32K", "0")
    cache(tmp_path, 2, 1, "Data", "48K", "0")
    cache(tmp_path, 10, 2, "Unified", "2048K", "0-1")
    cache(tmp_path, 4, 4, "Unified", "0K", "0")
    (tmp_path / "index5").mkdir()
    assert processor.caches(tmp_path) == [
        Cache(1, "data", 48 << 10, 1),
        Cache(1, "instruction", 32 << 10, 1),
        Cache(2, "unified", 2 << 20, 2),
        Cache(3, "unified", 300 << 20, 5),
    ]


def test_what_the_system_does_not_say_is_null(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing"
    monkeypatch.setattr("platform.processor", lambda: "arm")
    assert processor.describe(missing, missing) == {
        "processor": "arm",
        "caches": None,
        "vector_extensions": None,
    }
    file(tmp_path, "Features\t: \n")
    assert processor.vector_extensions(tmp_path / "cpuinfo") is None


def test_one_line_shows_what_is_known(tmp_path: Path) -> None:
    cache(tmp_path, 0, 1, "Data", "48K", "0")
    cache(tmp_path, 2, 2, "Unified", "512K", "0")
    cache(tmp_path, 3, 3, "Unified", "307200K", "0-1")
    known = processor.describe(file(tmp_path, X86), tmp_path)
    wanted = "A Processor @ 2.10GHz, L2 0.5 MiB, L3 300 MiB for 2, avx512f"
    assert processor.shown(json.loads(json.dumps(known))) == wanted
    assert processor.shown({"processor": "Old", "cores": 2}) == "Old"
    assert processor.shown({}) == "Processor not recorded"


@pytest.mark.skipif(not processor.CPUINFO.exists(), reason="Linux alone has /proc/cpuinfo")
def test_this_machine_is_described() -> None:
    described = machine.describe()
    assert described["processor"] == processor.name()
    assert described["vector_extensions"] == processor.vector_extensions()
    assert {"sse2", "asimd", "neon", "vsx"} & set(described["vector_extensions"])
    assert described["caches"] is None or all(c["bytes"] > 0 for c in described["caches"])
