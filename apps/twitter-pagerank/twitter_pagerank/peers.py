"""Libraries that a user would otherwise pick, timed in the same interleaved rounds as the engines.

    python -m twitter_pagerank.peers polars --size tiny --workers 2

polars (https://pola.rs) reads the same edges into two integer columns with workers × threads
threads: the bar for the engines' `load`, of which reading is the first step only. Its answer is
checked too: as many rows as the data set has lines of edges.
"""

from studykit import storage
from studykit.errors import ResourceError
from studykit.run import Outcome, Run
from studysweep import peers

from twitter_pagerank import edges
from twitter_pagerank.study import STUDY


def read_with_polars(run: Run) -> Outcome:
    with run.phase("start", "importing polars"):
        import polars

    with run.phase("load", f"reading {run.dataset.bytes:,} bytes"):
        forms = edges.formats(peers.local_files(run), run.parameters.reading)
        plain = run.parameters.reading == edges.AS_IT_IS
        kinds = {form.kind for form in forms.values()}
        if not plain or not kinds <= {"csv", "parquet"}:
            raise ResourceError(f"polars is compared on local CSV or Parquet: {run.dataset.uri}")
        tables = [
            polars.read_parquet(storage.local_path(uri), columns=list(form.ends))
            if form.kind == "parquet"
            else polars.read_csv(
                storage.local_path(uri),
                has_header=form.header,
                schema={"source": polars.Int64, "destination": polars.Int64},
            )
            for uri, form in forms.items()
        ]
        rows = sum(table.height for table in tables)

    bodies = [(uri, form.body) for uri, form in forms.items()]
    return peers.step(run, {"edges": rows}, lambda: peers.check_rows(run, rows, bodies))


PEERS = {"polars": read_with_polars}

main = peers.entry_point(STUDY, PEERS)

if __name__ == "__main__":
    main()
