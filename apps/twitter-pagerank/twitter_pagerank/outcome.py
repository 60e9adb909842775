"""What an engine hands back: the answer with everything that follows from it."""

from collections.abc import Mapping, Sequence

from studykit import limits
from studykit.run import Outcome, Run

from twitter_pagerank import input_facts, oracle
from twitter_pagerank import ranking as rankings
from twitter_pagerank.ranking import Ranking
from twitter_pagerank.study import Parameters, Totals

BYTES_PER_EDGE_OF_AN_ITERATION = 4
"""What an iteration must at least stream: each edge's source, once."""


def exact(
    run: Run,
    ranking: Ranking,
    totals: Totals,
    worker_phases: Sequence[Mapping[str, float]],
    bytes_sent: int = 0,
) -> Outcome:
    """Of a ranking of what `totals` are of. `worker_phases` are the seconds of every worker."""
    parameters: Parameters = run.parameters
    quality = ranking.quality(parameters) | input_facts.of(totals, ranking.ids, parameters)
    for note in quality["notes"]:
        run.say(f"note: {note}")
    unconverged = None
    if not ranking.residual < parameters.tolerance:
        unconverged = (
            f"not converged: L1 distance {ranking.residual:.3g} after {ranking.iterations}"
            f" iterations, --tolerance {parameters.tolerance:g}: raise --max-iterations"
        )
    return Outcome(
        quality=quality,
        check=lambda: oracle.check(run, ranking),
        write=lambda uri: rankings.write(ranking.ids, ranking.ranks, uri),
        limit=lambda: limits.streaming(
            run,
            "read the input once, stream the edges once an iteration",
            ranking.iterations * ranking.edges * BYTES_PER_EDGE_OF_AN_ITERATION,
        ),
        unconverged=unconverged,
        summary=[rankings.top_table(quality["top"])],
        worker_phases=worker_phases,
        bytes_read=run.dataset.bytes,
        bytes_sent=bytes_sent,
    )


def bytes_sent(ranking: Ranking, workers: int, receivers: int) -> int:
    """Bytes that cross between workers: edges once, and contributions to other hosts each time.

    From the sizes of what is exchanged, 8 bytes an edge key and a contribution, for an even share.
    `receivers` is how many times a contribution is sent: none on one host, where all see it.
    """
    edges = 8 * ranking.lines * (workers - 1) // workers
    return edges + 8 * len(ranking.ids) * receivers * ranking.iterations
