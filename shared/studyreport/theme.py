"""How every chart looks, and how it is kept: the same colour for the same engine everywhere.

Colours are Okabe and Ito's set (https://jfly.uni-koeln.de/color/), told apart with any kind of
colour vision, and a darker one for what computed on a GPU; what is dashed or hatched is the
paper's own method, whose answer is another one.
"""

import json
from collections.abc import Iterable
from typing import Any

import altair as alt
import vl_convert
from studykit import storage

Chart = alt.TopLevelMixin

ENGINE_COLOURS = {
    "plain": "#6E6E6E",
    "ray": "#0072B2",
    "torch": "#D55E00",
    "torch on cuda": "#882255",
    "dask": "#009E73",
}
OTHER_COLOURS = ("#CC79A7", "#E69F00", "#56B4E9", "#8C6D31")
LIMIT_COLOUR = "#000000"
PHASE_COLOURS = {
    "start": "#BDBDBD",
    "load": "#56B4E9",
    "compute": "#E69F00",
    "communicate": "#CC79A7",
    "write": "#009E73",
}
METHOD_DASHES = {"exact": [1, 0], "native": [9, 3], "published": [4, 4], "peer": [2, 2]}
LIMIT_DASH = [1, 3]
LIMIT = "limit of this machine"

PNG_SCALE = 2.0
"""Pixels of the PNG per pixel of the page, so that it stays sharp in print."""


def engine_colours(engines: Iterable[str]) -> dict[str, str]:
    """A colour for each engine; peers take the remaining ones in the order of their names."""
    named = list(dict.fromkeys(engines))
    others = sorted(engine for engine in named if engine not in ENGINE_COLOURS)
    colours = {name: OTHER_COLOURS[at % len(OTHER_COLOURS)] for at, name in enumerate(others)}
    return {engine: ENGINE_COLOURS.get(engine) or colours[engine] for engine in named}


def series_name(engine: str, method: str) -> str:
    """`engine` is that of a row: with the device, where that is not the CPU."""
    return engine if method == "exact" else f"{engine}, {method}"


def colour_of(series: str) -> str:
    """The colour of one series by itself; peers in one chart are told apart by `engine_colours`."""
    return engine_colours([series.partition(", ")[0]])[series.partition(", ")[0]]


def dash_of(series: str) -> list[int]:
    """Dashes tell the methods apart, as colours tell the engines."""
    if series == LIMIT:
        return LIMIT_DASH
    method = series.rpartition(", ")[2]
    return METHOD_DASHES.get(method, METHOD_DASHES["exact"])


def hatching(stripes: int = 24, slant: float = 0.12) -> dict[str, Any]:
    """A fill of slanted white stripes. Vega has no hatching; a gradient with hard edges is one.

    `slant` is the stripes' lean in a bar as wide as it is high; a wide bar's lean more.
    """
    stops = []
    for stripe in range(stripes):
        begin, end = stripe / stripes, (stripe + 1) / stripes
        middle = (begin + end) / 2
        for offset, opacity in ((begin, 0), (middle, 0), (middle, 0.7), (end, 0.7)):
            stops.append({"offset": round(offset, 4), "color": f"rgba(255,255,255,{opacity})"})
    # Long enough that the corner farthest from the origin is the gradient's end.
    length = (1 + slant) / (1 + slant**2)
    vector = {"x1": 0, "y1": 0, "x2": length, "y2": slant * length}
    return {"gradient": "linear", "stops": stops, **vector}


def styled(chart: Any, title: str, subtitle: str | list[str] = "") -> Any:
    """The finished look, set once on the outermost chart."""
    text: dict[str, Any] = {"text": title}
    if subtitle:
        text["subtitle"] = subtitle
    return (
        chart.properties(title=alt.TitleParams(**text))
        .configure(
            font="Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif",
            background="white",
            padding=16,
        )
        .configure_title(
            fontSize=16, anchor="start", offset=16, subtitleFontSize=12, subtitleColor="#555555"
        )
        .configure_axis(
            labelFontSize=11,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor="#E6E6E6",
        )
        .configure_legend(
            labelFontSize=12, title=None, orient="bottom", symbolSize=120, labelLimit=300, offset=14
        )
        .configure_view(stroke="#CCCCCC")
        .configure_concat(spacing=36)
    )


def spec(chart: Any) -> dict[str, Any]:
    """The chart as Vega-Lite, with a menu that only offers what works without a network."""
    described: dict[str, Any] = chart.to_dict()
    actions = {"export": True, "source": False, "compiled": False, "editor": False}
    described["usermeta"] = {"embedOptions": {"actions": actions, "renderer": "svg"}}
    return described


def save(chart: Any, stem: str) -> list[str]:
    """Write STEM.html (opens offline), STEM.png and STEM.svg; return the three URIs."""
    described = spec(chart)
    contents = {
        f"{stem}.html": vl_convert.vegalite_to_html(json.dumps(described), bundle=True).encode(),
        f"{stem}.png": vl_convert.vegalite_to_png(described, scale=PNG_SCALE),
        f"{stem}.svg": vl_convert.vegalite_to_svg(described).encode(),
    }
    for uri, content in contents.items():
        storage.write_bytes(uri, content)
    return list(contents)
