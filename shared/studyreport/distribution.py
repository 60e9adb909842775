"""How values are spread over many decades: ranks, degrees, sizes."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from studyreport import panels, theme
from studyreport.points import Point


def distribution(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    title: str,
    value_title: str,
    count_title: str,
) -> Any | None:
    """(value, how many are at least that) on two logarithmic axes: a power law is a line."""
    points: list[Point] = [
        {"series": name, "value": value, "count": count}
        for name, pairs in series.items()
        for value, count in pairs
        if value > 0 and count > 0
    ]
    if not points:
        return None
    values, counts = ([point[name] for point in points] for name in ("value", "count"))
    counted = ",d" if min(counts) >= 1 else ".6~g"
    x_scale = panels.logarithmic(min(values), max(values), ".0e")
    y_scale = panels.logarithmic(min(counts), max(counts), counted)
    lines = (
        alt.Chart(alt.InlineData(values=points))
        .mark_line(strokeWidth=2.2)
        .encode(
            x=alt.X("value:Q", title=value_title, **x_scale),
            y=alt.Y("count:Q", title=count_title, **y_scale),
            color=panels.colour(panels.series_in(points), legend=len(series) > 1),
            strokeDash=panels.dashes(panels.series_in(points)),
            tooltip=["series:N", alt.Tooltip("value:Q", format=".3e"), "count:Q"],
        )
        .properties(width=2 * panels.WIDTH, height=int(1.4 * panels.HEIGHT))
    )
    return theme.styled(lines, title)
