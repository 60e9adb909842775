"""Compare the engines of this study, and polars' reading, in one interleaved run.

    ./pants run apps/twitter-pagerank:compare -- --size 1gb --workers 1,2 --repeats 5 --peers polars

The records go to `results/`, the report to `results/twitter-pagerank/report/index.html`. The same
command again continues an interrupted run, and draws anew where all is finished.
"""

from typing import Any

from study_data import published
from studykit.records import Record
from studyreport import charts, page
from studyreport.theme import series_name
from studysweep import sweep
from studysweep.ratios import publishable

from twitter_pagerank.peers import PEERS
from twitter_pagerank.study import STUDY

QUALITY = {
    "top_10_overlap": "Top 10 shared with the exact answer (share)",
    "top_100_overlap": "Top 100 shared with the exact answer (share)",
}


def draw(records: list[Record], folder: str) -> list[str]:
    paper = published.rows(STUDY.name)
    drawn = charts.common(records, paper) | {
        "quality": charts.quality(records, QUALITY),
        "rank_distribution": rank_distribution(records),
    }
    return [page.write(folder, STUDY.name, records, drawn)]


def rank_distribution(records: list[Record]) -> Any | None:
    """How rank is spread over the vertices of the largest graph, from the records' quantiles."""
    known = [r for r in records if publishable(r) and "rank_quantiles" in r.quality]
    largest = max((record.dataset.bytes for record in known), default=0)
    series = {}
    for record in known:
        if record.dataset.bytes == largest:
            # The checked answer is the same on every engine.
            exact = record.method == "exact"
            name = "exact answer" if exact else series_name(record.engine, record.method)
            shares = record.quality["rank_quantiles"]
            series[name] = [(float(rank), float(share)) for share, rank in shares.items()]
    return charts.distribution(
        series,
        title="How rank is spread over the vertices",
        value_title="Rank",
        count_title="Share of the vertices with at least this rank",
    )


main = sweep.compare_command(STUDY, charts=draw, peers=tuple(PEERS))

if __name__ == "__main__":
    main()
