"""The launch scripts of hosts that share no memory: what they send each other, and how much."""

from case import CASE
from studytest import launching, running
from studytest.contract.answers import PlainAnswer


class TestLaunch(PlainAnswer):
    case = CASE

    def test_hosts_that_share_no_memory_send_each_other_what_they_need(
        self, scripted, data, plain, tmp_path
    ):
        hosts = launching.hosts_file(tmp_path, "localhost\nlocalhost\n")
        finished = running.finish(
            launching.launch(
                CASE.launch / f"{scripted}.sh", "--hosts", hosts, "--data", data, "--json",
                "--results", tmp_path / "results", *CASE.answer_options,
                python=launching.python_on_hosts_of_its_own(tmp_path),
            )
        )  # fmt: skip
        assert finished.code == 0, finished.stderr
        record = finished.record
        CASE.same(record["quality"], plain.quality)
        edges = record["quality"]["edges"] + record["quality"]["duplicate_edges"]
        sent = 8 * record["quality"]["vertices"] * record["quality"]["iterations"]
        assert record["bytes_sent"] == 8 * edges // 2 + sent
