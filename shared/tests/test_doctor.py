"""The doctor: what is good, what is in the way, and what it says to do."""

import dataclasses
import datetime
import email.utils
import json
import py_compile
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from studydoctor import doctor, remote_doctor
from studydoctor.finding import Finding
from studykit import machine, processor
from studykit.options import Study
from studykit.storage import failures, filesystems
from typer.testing import CliRunner


@dataclass(frozen=True)
class Parameters:
    pass


def study(*packages: str, engines: tuple[str, ...] = ("plain",)) -> Study:
    return Study(
        name="sample",
        package="sample",
        engines=engines,
        dataset="none",
        parameters=Parameters,
        locate=lambda options, parameters: pytest.fail("a doctor makes no data"),
        packages=packages,
    )


def run(given: Study, *argv: str) -> Any:
    command: Any = doctor.command(given)
    return CliRunner().invoke(command, argv)


def one(findings: Any, name: str) -> Finding:
    found: Finding = next(finding for finding in findings if finding.name == name)
    return found


def test_a_machine_on_which_a_run_would_work_is_exit_0() -> None:
    done = run(study("numpy", "pyarrow"))
    assert done.exit_code == 0, done.output
    findings = [Finding(**found) for found in json.loads(run(study("numpy"), "--json").stdout)]
    assert one(findings, "Python").state == "good"
    assert int(one(findings, "cores").found) >= 1
    assert one(findings, "processor").found == processor.shown(machine.describe())
    assert all(finding.fix for finding in findings if finding.state != "good")


def test_a_missing_library_is_exit_4_and_says_how_to_get_it() -> None:
    given = study("numpy", "no-such-library")
    assert run(given).exit_code == 4
    found = one(doctor.examine(given, []), "no-such-library")
    assert (found.state, found.found) == ("bad", "missing")
    assert "requirements.lock" in found.fix


def test_an_engine_that_cannot_be_imported_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor._LIBRARY_OF, "strange", "no_such_module")
    found = one(doctor.examine(study(engines=("strange",)), []), "engine strange")
    assert found.state == "bad" and "no_such_module" in found.found


def test_an_old_python_is_bad(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.python_version", lambda: "3.9.1")
    assert one(doctor.examine(study(), []), "Python").state == "bad"


def test_libraries_that_are_compiled_in_every_process_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library = tmp_path / "library.py"
    library.touch()
    monkeypatch.setattr("numpy.__file__", str(library))
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    found = one(doctor.examine(study(), []), "bytecode of libraries")
    assert (found.state, found.fix) == ("warning", "unset PYTHONDONTWRITEBYTECODE")
    py_compile.compile(str(library))
    assert one(doctor.examine(study(), []), "bytecode of libraries").state == "good"


def test_a_folder_a_file_and_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1,2\n")
    states = [
        next(remote_doctor.examine(str(path))).state
        for path in (tmp_path, tmp_path / "a.csv", tmp_path / "missing")
    ]
    assert states == ["good", "good", "warning"]


def test_a_name_node_that_does_not_answer_is_bad() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    found = next(remote_doctor.examine(f"hdfs://127.0.0.1:{port}/data"))
    assert found.state == "bad" and "NameNode" in found.fix


def test_an_hdfs_without_a_port_needs_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HADOOP_CONF_DIR", raising=False)
    found = next(remote_doctor.examine("hdfs://service/data"))
    assert found.state == "bad" and "HADOOP_CONF_DIR" in found.fix


def test_a_bucket_without_credentials_is_bad(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    found = next(remote_doctor.examine("s3://bucket/data"))
    assert found.state == "bad" and "AWS_ACCESS_KEY_ID" in found.fix


def test_an_unreachable_endpoint_is_bad_and_says_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sEcReT")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setattr(filesystems, "_open_clients", {})
    monkeypatch.setattr(failures, "ATTEMPTS", 1)
    findings = list(remote_doctor.examine("s3://bucket/data"))
    assert findings[-1].state == "bad" and "AWS_ENDPOINT_URL" in findings[-1].fix
    assert "sEcReT" not in json.dumps([dataclasses.asdict(finding) for finding in findings])


@pytest.mark.parametrize(("hours", "state"), [(0, "good"), (1, "bad")])
def test_a_clock_that_is_wrong_is_bad(hours: int, state: str) -> None:
    stated = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=hours)
    answer = {"HTTPHeaders": {"date": email.utils.format_datetime(stated)}}
    assert next(remote_doctor._skew(answer)).state == state
