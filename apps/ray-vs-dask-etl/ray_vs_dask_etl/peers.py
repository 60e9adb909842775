"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m ray_vs_dask_etl.peers polars --size tiny --workers 2

Each is one process with workers × threads threads that makes the same table as the ETL: polars'
streaming `scan_csv`, DuckDB's `read_csv`, pyarrow's CSV reader and `group_by`; of Parquet by their
`scan_parquet`, `read_parquet` and data set. Their time is the phase `load`, as the ETL's is; their
answers are checked against the same oracle.
"""

from collections.abc import Callable
from typing import Any

from studykit import columnar, storage
from studykit.errors import ResourceError
from studykit.options import Options
from studykit.run import Outcome, Run
from studysweep import peers

from ray_vs_dask_etl import outcome
from ray_vs_dask_etl.grouping import Groups
from ray_vs_dask_etl.study import STUDY, Parameters


def with_polars(run: Run, files: list[str], threads: int) -> Callable[[], Groups]:
    import polars as pl

    columns = run.parameters.read

    def group_by() -> Groups:
        wanted = [pl.len().alias("count")]
        for name in columns.values:
            column = pl.col(name)
            wanted += [
                column.mean().alias(f"mean_{name}"),
                column.std().alias(f"std_{name}"),
                column.min().alias(f"min_{name}"),
                column.max().alias(f"max_{name}"),
            ]
        types = {name: pl.Float64 for name in columns.values}
        scanned = (
            pl.scan_parquet(files)
            if columnar.is_parquet(files[0])
            else pl.scan_csv(files, schema_overrides=types)
        )
        table = scanned.group_by(pl.col(columns.category).alias("category")).agg(wanted)
        return table.collect(engine="streaming").to_dicts()

    return group_by


def with_duckdb(run: Run, files: list[str], threads: int) -> Callable[[], Groups]:
    import duckdb

    columns = run.parameters.read
    connection = duckdb.connect(config={"threads": threads})
    table_of = "read_parquet(?)" if columnar.is_parquet(files[0]) else "read_csv(?, header = true)"

    def group_by() -> Groups:
        figures = [
            f'{function}("{name}") AS "{figure}_{name}"'
            for name in columns.values
            for figure, function in (
                ("mean", "avg"), ("std", "stddev_samp"), ("min", "min"), ("max", "max"),
            )
        ]  # fmt: skip
        table = connection.execute(
            f'SELECT "{columns.category}" AS category, count(*) AS count, {", ".join(figures)}'
            f" FROM {table_of} GROUP BY ALL",
            [files],
        )
        names = [column[0] for column in table.description]
        return [dict(zip(names, row, strict=True)) for row in table.fetchall()]

    return group_by


def with_pyarrow(run: Run, files: list[str], threads: int) -> Callable[[], Groups]:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import dataset

    pa.set_cpu_count(threads)
    pa.set_io_thread_count(max(threads, 2))
    columns = run.parameters.read
    form = "parquet" if columnar.is_parquet(files[0]) else "csv"

    def group_by() -> Groups:
        rows = dataset.dataset(files, format=form).to_table(
            columns=[*columns.values, columns.category]
        )
        sample = pc.VarianceOptions(ddof=1)
        wanted: list[Any] = [([], "count_all")]
        wanted += [
            (name, function, *([sample] if function == "stddev" else []))
            for name in columns.values
            for function in ("mean", "stddev", "min", "max")
        ]
        table = rows.group_by(columns.category).aggregate(wanted)
        renamed = {columns.category: "category", "count_all": "count"}
        for name in columns.values:
            renamed |= {f"{name}_{figure}": f"{figure}_{name}" for figure in ("mean", "min", "max")}
            renamed[f"{name}_stddev"] = f"std_{name}"
        return table.rename_columns(renamed).to_pylist()

    return group_by


LIBRARIES: dict[str, Callable[[Run, list[str], int], Callable[[], Groups]]] = {
    "polars": with_polars,
    "duckdb": with_duckdb,
    "pyarrow": with_pyarrow,
}


def compute(run: Run) -> Outcome:
    threads = run.options.worker_count * run.options.threads
    with run.phase("start", f"importing {run.engine}"):
        files = [storage.local_path(uri) for uri in peers.local_files(run)]
        group_by = LIBRARIES[run.engine](run, files, threads)

    with run.phase("load", f"reading and aggregating {run.dataset.bytes:,} bytes"):
        groups = group_by()
    return outcome.of_others(run, groups)


def validate(options: Options, parameters: Parameters) -> None:
    if parameters.task != "etl":
        raise ResourceError("peers are compared on the ETL only")


PEERS = dict.fromkeys(LIBRARIES, compute)

main = peers.entry_point(STUDY, PEERS, validate=validate)

if __name__ == "__main__":
    main()
