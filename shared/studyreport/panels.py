"""Points → panels: lines with intervals, bars, the legend and the page's arrangement of panels."""

import math
from collections.abc import Sequence
from typing import Any

import altair as alt

from studyreport import theme
from studyreport.points import Point

WIDTH, HEIGHT = 280, 220
BAR_BAND = 30
BAR_SHARE = 0.68
COLUMNS = 3
LOGARITHMIC_FROM = 15
"""A linear axis hides the small values where the largest is this many times the smallest."""

DECADES_WITH_STEPS = 2.2
FEW_TICKS = alt.Axis(tickCount=6)


def series_in(points: Sequence[Point]) -> list[str]:
    """Names of all series in the order of the legend: plain, the engines, peers, the limit."""

    order_of = {engine: place for place, engine in enumerate(theme.ENGINE_COLOURS)}

    def order(name: str) -> tuple[bool, int, str]:
        engine = name.split(",")[0]
        known = order_of.get(engine, len(order_of))
        return name == theme.LIMIT, known, name

    return sorted({str(point["series"]) for point in points}, key=order)


def colour(series: Sequence[str], *, legend: bool = True) -> alt.Color:
    engines = theme.engine_colours(name.split(",")[0] for name in series if name != theme.LIMIT)
    colours = [engines.get(name.split(",")[0], theme.LIMIT_COLOUR) for name in series]
    scale = alt.Scale(domain=list(series), range=colours)
    shown = alt.Legend(symbolType="stroke") if legend else None
    return alt.Color("series:N", scale=scale, legend=shown)


def dashes(series: Sequence[str]) -> alt.StrokeDash:
    shapes = [theme.dash_of(name) for name in series]
    return alt.StrokeDash("series:N", scale=alt.Scale(domain=list(series), range=shapes))


def line_panel(
    points: Sequence[Point],
    series: Sequence[str],
    title: str,
    *,
    x_title: str,
    y_title: str,
    logarithmic_x: bool = False,
) -> Any:
    """Medians joined by lines, each with its interval. All panels of a chart get one `series`."""
    base = alt.Chart(alt.InlineData(values=list(points)))
    hue = colour(series)
    y = alt.Y("value:Q", title=y_title, **value_scale(points))
    lines = base.mark_line(strokeWidth=2.2).encode(
        x=_x_axis(points, x_title, logarithmic_x), y=y, color=hue, strokeDash=dashes(series)
    )
    measured = base.transform_filter(alt.datum.series != theme.LIMIT)
    ranges = measured.mark_rule(strokeWidth=1.6).encode(x="x:Q", y="low:Q", y2="high:Q", color=hue)
    dots = measured.mark_point(size=46, filled=True, opacity=1).encode(
        x="x:Q", y="value:Q", color=hue, tooltip=_tooltip(x_title)
    )
    layers = lines + ranges + dots
    if len({point["x"] for point in points}) == 1:
        # A line through one place cannot be seen: the limit is a dash there.
        limit = base.transform_filter(alt.datum.series == theme.LIMIT)
        layers += limit.mark_tick(orient="horizontal", size=40, thickness=2, color="black").encode(
            x="x:Q", y="value:Q"
        )
    if has_published(points):
        layers += (
            measured.transform_filter("datum.published")
            .mark_point(size=46, fill="white", strokeWidth=2, opacity=1)
            .encode(x="x:Q", y="value:Q", color=hue, tooltip=_tooltip(x_title))
        )
    return sized(layers, title)


def labelled_panel(
    points: Sequence[Point],
    title: str,
    *,
    x_title: str,
    y_title: str,
    subtitle: Sequence[str] = (),
) -> Any:
    """Lines with their names written at their ends, in place of a legend: `label`, `label_at`."""
    base = alt.Chart(alt.InlineData(values=list(points)))
    hue = alt.Color("colour:N", scale=None)
    y = alt.Y("value:Q", title=y_title, scale=alt.Scale(zero=True, nice=True))
    lines = base.mark_line(strokeWidth=2.2, point=alt.OverlayMarkDef(size=46)).encode(
        x=_x_axis(points, x_title, False),
        y=y,
        color=hue,
        detail="label:N",
        tooltip=["label:N", alt.Tooltip("x:Q", title=x_title), alt.Tooltip("value:Q")],
    )
    names = (
        base.transform_filter("isValid(datum.label_at)")
        .mark_text(align="left", dx=8, fontSize=10)
        .encode(x="x:Q", y="label_at:Q", color=hue, text="label:N")
    )
    return sized(lines + names, title, subtitle=subtitle)


def ideal_line(points: Sequence[Point]) -> Any:
    return (
        alt.Chart(alt.InlineData(values=list(points)))
        .mark_line(color="#999999", strokeDash=[2, 4], strokeWidth=1.5)
        .encode(x="x:Q", y="value:Q")
    )


def interval_bars(points: Sequence[Point], x_title: str) -> Any:
    """A bar per series with its interval; the published method's is hatched."""
    coloured = [{**point, "colour": theme.colour_of(str(point["series"]))} for point in points]
    base = alt.Chart(alt.InlineData(values=coloured)).encode(y=series_axis(points))
    bars = base.mark_bar(height={"band": BAR_SHARE}).encode(
        x=alt.X("value:Q", title=x_title, axis=FEW_TICKS),
        color=alt.Color("colour:N", scale=None),
        tooltip=["series:N", alt.Tooltip("value:Q", format=".4~f"), "rounds:Q"],
    )
    ranges = base.mark_rule(strokeWidth=1.6, color="#222222").encode(x="low:Q", x2="high:Q")
    layers = bars + ranges
    return layers + hatched(base, x="value:Q") if has_published(points) else layers


def has_published(points: Sequence[Point]) -> bool:
    return any(point.get("published") for point in points)


def hatched(base: Any, **position: Any) -> Any:
    """White stripes over the bars of the published method, one gradient to a bar."""
    return (
        base.transform_filter("datum.published")
        .mark_bar(height={"band": BAR_SHARE}, fill=theme.hatching())
        .encode(**position)
    )


def series_axis(points: Sequence[Point]) -> alt.Y:
    return alt.Y("series:N", title=None, sort=series_in(points), axis=alt.Axis(labelLimit=200))


def bar_panel(layers: Any, points: Sequence[Point], title: str) -> Any:
    height = BAR_BAND * len({point["series"] for point in points})
    return sized(layers, title, width=int(1.4 * WIDTH), height=height)


def sized(
    layers: Any,
    title: str,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    subtitle: Sequence[str] = (),
) -> Any:
    below: Any = list(subtitle) or alt.Undefined
    heading = alt.TitleParams(title, subtitle=below, fontSize=13, frame="group", offset=8)
    return layers.properties(width=width, height=height, title=heading)


def arranged(panels: Sequence[Any], beside: Sequence[Any] = (), columns: int = COLUMNS) -> Any:
    """Panels in rows, then those of the paper; each has axes of its own, all share one legend."""
    blocks = [_block(block, columns) for block in (panels, beside) if block]
    return blocks[0] if len(blocks) == 1 else alt.vconcat(*blocks)


def _block(panels: Sequence[Any], columns: int) -> Any:
    if len(panels) == 1:
        return panels[0]
    return alt.concat(*panels, columns=2 if len(panels) == 4 else columns)


def value_scale(points: Sequence[Point]) -> dict[str, Any]:
    """Scale and axis of `value`: from zero, or logarithmic where small values would vanish."""
    values = [float(point[name]) for point in points for name in ("low", "high")]
    positive = [value for value in values if value > 0]
    if not positive or max(positive) / min(positive) < LOGARITHMIC_FROM:
        return {"scale": alt.Scale(zero=True, nice=True)}
    return logarithmic(min(positive), max(positive))


def logarithmic(low: float, high: float, number_format: str = ".6~g") -> dict[str, Any]:
    """Scale and axis with round numbers: 1, 2, 5 over few decades, powers of ten over many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if math.log10(high / low) < DECADES_WITH_STEPS else (1,)
    begin, end = low / 1.25, high * 1.25
    ticks = [step * 10.0**decade for decade in decades for step in steps]
    ticks = [float(f"{tick:.6g}") for tick in ticks if begin <= tick <= end]
    scale = alt.Scale(type="log", nice=False, domain=[begin, end])
    return {
        "scale": scale,
        "axis": alt.Axis(values=ticks, format=number_format, labelOverlap=False),
    }


def _x_axis(points: Sequence[Point], title: str, logarithmic: bool) -> alt.X:
    places = sorted({float(point["x"]) for point in points})
    if logarithmic or (places[0] > 0 and places[-1] / places[0] > LOGARITHMIC_FROM):
        scale = alt.Scale(type="log", nice=False, padding=24)
    else:
        scale = alt.Scale(nice=False, zero=False, padding=24)
    return alt.X("x:Q", title=title, scale=scale, axis=alt.Axis(values=places, format=".6~g"))


def _tooltip(x_title: str) -> list[alt.Tooltip]:
    names = {"value": "median", "low": "smallest", "high": "largest"}
    return [
        alt.Tooltip("series:N", title="series"),
        alt.Tooltip("x:Q", title=x_title),
        *(alt.Tooltip(f"{name}:Q", title=names[name], format=".3~f") for name in names),
        alt.Tooltip("rounds:Q", title="rounds"),
    ]
