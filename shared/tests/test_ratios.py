"""What a comparison publishes: medians, and ratios within a round."""

import pytest
import synthetic
from studykit.records import DatasetInfo, Record
from studyreport import points
from studysweep import ratio_table, ratios


def test_ratios_are_taken_within_a_round_before_the_median() -> None:
    plain, ray = [1.0, 10.0, 100.0], [3.0, 20.0, 110.0]
    found = [
        synthetic.record(engine, round=number, phases={"load": seconds})
        for engine, times in (("plain", plain), ("ray", ray))
        for number, seconds in enumerate(times, start=1)
    ]
    row = ratios.summarise(found)[1]
    # The ratio of the medians is 2 as well; that of round 1 with round 3 would be 110.
    assert row.to_plain == ratios.Interval(2.0, 1.1, 3.0, 3)
    assert row.seconds == ratios.Interval(20.0, 3.0, 110.0, 3)


def test_a_round_without_a_right_answer_has_no_ratio() -> None:
    found = [synthetic.record("plain", round=number, phases={"load": 1.0}) for number in (1, 2, 3)]
    found += [
        synthetic.record("ray", round=1, phases={"load": 2.0}),
        synthetic.record("ray", round=2, phases={"load": 50.0}, status="wrong"),
        synthetic.record("ray", round=3, phases={"load": 4.0}),
    ]
    row = ratios.summarise(found)[1]
    assert row.to_plain == ratios.Interval(3.0, 2.0, 4.0, 2)
    assert row.status == "done 2, wrong 1"
    assert row.reason == "wrong on purpose"


def test_loading_is_compared_with_the_peers_and_peers_with_no_whole_run() -> None:
    found = [
        synthetic.record("plain", phases={"load": 3.0, "compute": 1.0}),
        synthetic.record("polars", method="peer", phases={"load": 1.5}),
    ]
    plain, polars = ratios.summarise(found)
    assert plain.load_to_peers == {"polars": ratios.Interval(2.0, 2.0, 2.0, 1)}
    assert polars.phases_to_plain["load"].median == 0.5
    assert polars.to_plain is None


def test_any_number_of_hosts_is_divided_by_the_one_process_beside_them() -> None:
    found = [synthetic.record("plain", workers=2, phases={"load": 6.0})]
    for nodes, seconds in ((1, 9.0), (3, 2.0)):
        record = synthetic.record("ray", workers=2 * nodes, phases={"load": seconds})
        record.parameters["nodes"] = nodes
        found.append(record)
    rows = ratios.summarise(found)
    assert [row.to_plain.median for row in rows if row.to_plain] == [1.0, 1.5, 1 / 3]
    _, cells = ratio_table.cells_of(rows)
    assert [row[1] for row in cells] == ["2 × 1", "2 × 1, nodes 1", "6 × 1, nodes 3"]
    assert [row["nodes"] for row in ratio_table.as_json(rows)] == [None, 1, 3]


def test_ratios_are_taken_within_a_store_and_the_stores_stand_in_the_table() -> None:
    def read(engine: str, store: str, seconds: float) -> Record:
        data = DatasetInfo(name="numbers", uri=f"{store}/numbers/tiny.csv", bytes=2_000_000)
        found = synthetic.record(engine, phases={"load": seconds}, config_hash=store)
        return found.model_copy(update={"dataset": data, "bytes_read": 2_000_000})

    stores = {"/local": (1.0, 3.0), "s3://bucket": (10.0, 20.0)}
    rows = ratios.summarise(
        read(engine, store, seconds)
        for store, times in stores.items()
        for engine, seconds in zip(("plain", "ray"), times, strict=True)
    )
    assert [row.store for row in rows] == ["/local", "/local", "s3://bucket", "s3://bucket"]
    assert [row.to_plain.median for row in rows if row.to_plain] == [1.0, 3.0, 1.0, 2.0]
    headings, cells = ratio_table.cells_of(rows)
    assert headings[-2:] == ["load seconds", "MB read"]
    assert [(row[0], *row[-2:]) for row in cells][-1] == ("2 MB, s3://bucket", "20.0", "2.00")
    last = ratio_table.as_json(rows)[-1]
    assert (last["uri"], last["load_seconds"]["median"]) == ("s3://bucket/numbers/tiny.csv", 20.0)
    assert last["bytes_read"]["median"] == 2_000_000
    panels = {point["data"] for point in points.intervals(rows, ratios.answer_seconds)}
    assert panels == {"2 MB, /local", "2 MB, s3://bucket"}


def test_one_store_is_not_mentioned() -> None:
    (row,) = ratios.summarise([synthetic.record()])
    assert (row.store, row.data_label) == ("", "1 GB")
    assert "load seconds" not in ratio_table.cells_of([row])[0]


@pytest.mark.parametrize(
    ("size", "label"),
    [(640, "640 B"), (2_000_000, "2 MB"), (999_960_000, "1 GB"), (24_660_000_000, "24.7 GB")],
)
def test_sizes_read_as_people_say_them(size: int, label: str) -> None:
    assert ratios.size_label(size) == label


def test_a_time_of_a_gpu_is_a_row_of_its_own_and_divided_by_none_of_the_cpu() -> None:
    found = [synthetic.record("plain", phases={"load": 3.0, "compute": 1.0})]
    found.append(synthetic.record("torch", phases={"load": 4.0, "compute": 4.0}))
    found.append(synthetic.record("torch", phases={"load": 1.0, "compute": 1.0}, device="cuda"))
    found.append(synthetic.record("polars", method="peer", phases={"load": 1.5}))
    rows = {row.name: row for row in ratios.summarise(found)}
    assert list(rows) == ["plain", "torch", "torch on cuda", "polars"]
    assert rows["torch"].to_plain == ratios.Interval(2.0, 2.0, 2.0, 1)
    assert set(rows["torch"].load_to_peers) == {"polars"}
    assert rows["torch on cuda"].to_plain is None
    assert rows["torch on cuda"].phases_to_plain == {}
    assert rows["torch on cuda"].load_to_peers == {}
    assert rows["torch on cuda"].seconds == ratios.Interval(2.0, 2.0, 2.0, 1)


def test_rounds_of_one_cell_that_met_different_devices_are_apart() -> None:
    found = [
        synthetic.record("torch", round=number, phases={"load": seconds}, devices=devices)
        for number, seconds, devices in (
            (1, 9.0, ["cpu"]), (2, 1.0, ["cuda NVIDIA H100"]), (3, 3.0, ["cuda NVIDIA H100"]),
        )
    ]  # fmt: skip
    rows = {row.name: row for row in ratios.summarise(found)}
    assert rows["torch"].seconds == ratios.Interval(9.0, 9.0, 9.0, 1)
    assert rows["torch on cuda"].seconds == ratios.Interval(2.0, 1.0, 3.0, 2)


def test_a_round_that_came_to_no_device_stays_with_its_cell() -> None:
    found = [
        synthetic.record("torch", round=1, status="failed", device="cuda"),
        synthetic.record("torch", round=2, device="cuda"),
        synthetic.record("torch", round=1, status="failed", device="cuda", workers=2),
    ]
    one, two = ratios.summarise(found)
    assert (one.name, one.status) == ("torch on cuda", "failed 1, done 1")
    assert (two.name, two.status) == ("torch on cuda", "failed")


def test_records_that_name_no_device_are_of_the_cpu() -> None:
    (row,) = ratios.summarise([synthetic.record("torch", devices=[])])
    assert (row.name, row.device) == ("torch", "cpu")


def test_the_printed_rows_name_the_device() -> None:
    rows = ratios.summarise([synthetic.record("torch", device="cuda")])
    assert ratio_table.cells_of(rows)[1][0][2] == "torch on cuda"
    (printed,) = ratio_table.as_json(rows)
    assert (printed["engine"], printed["device"]) == ("torch", "cuda")
    assert printed["ratio_to_plain"] is None
