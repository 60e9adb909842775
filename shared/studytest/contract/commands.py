"""What a person sees who asks for help, for a plan, or for what cannot be: one line, exit code."""

from pathlib import Path

import pytest

from studytest import running
from studytest.contract.of_study import OfStudy

DATA_SETS_OF = """
import importlib, sys

for name in sys.argv[1:]:
    importlib.import_module(name)
for name, module in list(sys.modules.items()):
    if name.startswith("study_data.") and {"DATASET", "DATASETS"} & vars(module).keys():
        print(name)
"""
WRONG = {
    "size and data": (("--size", "tiny", "--data", "x.csv"), "exclude"),
    "an unknown size": (("--size", "huge"), "huge"),
    "an unknown method": (("--method", "magic"), "magic"),
    "an unknown device": (("--device", "tpu"), "tpu"),
    "no size": (("--split-size", "many"), "many"),
    "bad rows": (("--bad-rows", "drop"), "refuse or skip"),
    "no share": (("--bad-rows", "skip", "--bad-rows-limit", "5"), "1% or 0.01"),
}


class Commands(OfStudy):
    @pytest.mark.quick
    def test_help_shows_an_example_that_works(self, engine: str, tmp_path: Path) -> None:
        shown = self.call(engine, "--help").stdout
        example = next(line for line in shown.splitlines() if "Example:" in line)
        module, *argv = example.split("python -m ", 1)[1].replace("│", " ").split()
        assert module == self.case.module(engine)
        finished = running.call(
            module, *argv, "--dry-run", "--oversubscribe", "--results", tmp_path
        )
        assert finished.code == 0, finished.stderr

    @pytest.mark.quick
    def test_a_dry_run_touches_nothing(self, engine: str, tmp_path: Path) -> None:
        size = self.case.large_size
        finished = self.call(
            engine, "--size", size, "--workers", 1, "--dry-run",
            "--store", tmp_path / "store", "--results", tmp_path / "results",
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        assert f"{self.case.study.dataset}/{size}" in finished.stderr
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.quick
    def test_more_workers_than_cores(self, engine: str, data: Path) -> None:
        line = self.refused(engine, 4, "--data", data, "--workers", 999)
        assert "999 workers × 1 threads ask for 999 cores" in line and "available" in line

    @pytest.mark.quick
    def test_more_memory_than_there_is(self, engine: str, data: Path) -> None:
        line = self.refused(engine, 4, "--data", data, "--workers", 1, "--memory-limit", "900TB")
        assert "900,000,000,000,000" in line and "available" in line

    @pytest.mark.quick
    def test_a_gpu_is_for_torch_with_one_for_every_worker(self, engine: str, data: Path) -> None:
        argv = ("--data", data, "--workers", 77, "--oversubscribe", "--device", "cuda")
        if engine == "torch":
            line = self.refused(engine, 4, *argv)
            assert "77 GPUs" in line and "available" in line
        else:
            assert "only the torch engine" in self.refused(engine, 2, *argv)

    @pytest.mark.quick
    def test_a_cluster_that_is_not_there(self, joinable: str, data: Path, tmp_path: Path) -> None:
        address = {"ray": "127.0.0.1:9", "dask": "tcp://127.0.0.1:9"}[joinable]
        line = self.refused(
            joinable, 4, "--data", data, "--workers", 1, "--address", address,
            "--results", tmp_path,
        )  # fmt: skip
        assert "127.0.0.1:9" in line

    @pytest.mark.quick
    @pytest.mark.parametrize("wrong", WRONG)
    def test_wrong_usage_is_exit_2(self, wrong: str) -> None:
        argv, word = WRONG[wrong]
        assert word in self.refused(self.case.engines[0], 2, "--workers", 1, *argv)

    @pytest.mark.quick
    def test_wrong_usage_of_this_study_is_exit_2(self, wrong_usage: int) -> None:
        argv, word = self.case.wrong_usage[wrong_usage]
        finished = self.call(self.case.engines[0], "--workers", 1, *argv)
        assert finished.code == 2, finished.stderr
        assert word in finished.stderr
        assert "Traceback" not in finished.stderr

    @pytest.mark.quick
    def test_an_unknown_option_is_exit_2(self, engine: str) -> None:
        assert self.call(engine, "--sise", "tiny").code == 2

    @pytest.mark.quick
    def test_the_data_of_other_studies_is_not_imported(self) -> None:
        modules = [self.case.module(self.case.engines[0])]
        modules += [f"{self.case.study.package}.compare"] if self.case.has("compare") else []
        done = running.finish(running.start_python("-c", DATA_SETS_OF, *modules))
        assert done.stdout.split() == [f"study_data.{self.case.data_module}"], done.stderr
