"""The answer as files: a table, GeoJSON, maps. `--out` names one by its ending, or a folder.

`map.html` opens without a network; `map_online.html` is by folium, whose script and tiles come from
the network, and says so where they cannot.
"""

import csv
import io
import json
from collections.abc import Callable

from studykit import storage
from studykit.tables import ending

from taxi_clustering import city, drawing
from taxi_clustering.clustering import Clustering

PNG_SCALE = 2.0
"""Pixels of the PNG per pixel of the page, so that it stays sharp in print."""
OFFLINE_NOTE = (
    "The map's script (Leaflet) and its tiles come from the network, which cannot be reached:"
    " map.html shows the same centres without it."
)


def wanted(uri: str | None) -> bool:
    """Whether what is to be written shows where the trips are."""
    return uri is not None and ending(uri) in (".html", ".png", "")


def write(clustering: Clustering, uri: str) -> dict[str, str]:
    """Write one file, or all of them into a folder; returns {what it is: where it is}."""
    if ending(uri):
        wanted_files = {"centres" if ending(uri) in (".csv", ".geojson") else "map": uri}
        forms = {name: FORMS[ending(uri)] for name in wanted_files}
    else:
        wanted_files = {name: storage.join(uri, name) for name in FOLDER}
        forms = FOLDER
    for name, target in wanted_files.items():
        storage.write_bytes(target, forms[name](clustering))
    return {name: storage.absolute(target) for name, target in wanted_files.items()}


def as_csv(clustering: Clustering) -> bytes:
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["cluster", "longitude", "latitude", "trips"])
    for place, (longitude, latitude) in enumerate(clustering.degrees.tolist()):
        table.writerow([place + 1, repr(longitude), repr(latitude), int(clustering.trips[place])])
    return text.getvalue().encode()


def as_geojson(clustering: Clustering) -> bytes:
    """RFC 7946: points in longitude and latitude."""
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": coordinates},
            "properties": {"cluster": place + 1, "trips": int(clustering.trips[place])},
        }
        for place, coordinates in enumerate(clustering.degrees.tolist())
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, indent=1).encode()


def as_page(clustering: Clustering) -> bytes:
    """One HTML file that opens offline; the wheel zooms, dragging moves."""
    return PAGE.replace("DRAWING", drawing.svg(clustering)).encode()


def as_png(clustering: Clustering) -> bytes:
    import vl_convert

    return bytes(vl_convert.svg_to_png(drawing.svg(clustering), scale=PNG_SCALE))


def as_folium(clustering: Clustering) -> bytes:
    import folium

    drawn = folium.Map([city.CENTRE_LATITUDE, city.CENTRE_LONGITUDE], zoom_start=11)
    largest = int(clustering.trips.max())
    for place, (longitude, latitude) in enumerate(clustering.degrees.tolist()):
        count = int(clustering.trips[place])
        folium.CircleMarker(
            [latitude, longitude],
            radius=3 + 15 * (count / largest) ** 0.5,
            tooltip=f"{place + 1}. {count:,} trips",
            color=drawing.CIRCLE_COLOUR,
            weight=1,
            fill=True,
            fill_opacity=0.6,
        ).add_to(drawn)
    note = f"<p id='offline'>{OFFLINE_NOTE}</p>"
    hide = "<script>if (window.L) document.getElementById('offline').remove()</script>"
    page = drawn.get_root()
    assert isinstance(page, folium.Figure)
    page.html.add_child(folium.Element(note + hide))
    return bytes(page.render().encode())


FORMS: dict[str, Callable[[Clustering], bytes]] = {
    ".csv": as_csv,
    ".geojson": as_geojson,
    ".html": as_page,
    ".png": as_png,
}
FOLDER: dict[str, Callable[[Clustering], bytes]] = {
    "centres.csv": as_csv,
    "centres.geojson": as_geojson,
    "map.html": as_page,
    "map.png": as_png,
    "map_online.html": as_folium,
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taxi pickups in clusters</title>
<style>
body { margin: 0; } svg { display: block; margin: auto; max-width: 100%; height: 98vh; }
circle:hover { fill-opacity: 1; stroke: black; }
</style>
DRAWING
<script>
const svg = document.querySelector("svg"), box = svg.viewBox.baseVal;
const whole = [box.width, box.height];
function scale() { return Math.max(box.width / svg.clientWidth, box.height / svg.clientHeight); }
svg.addEventListener("wheel", event => {
  event.preventDefault();
  const point = new DOMPoint(event.clientX, event.clientY)
    .matrixTransform(svg.getScreenCTM().inverse());
  const to = Math.min(1.25 ** Math.sign(event.deltaY), whole[0] / box.width);
  box.x = point.x - (point.x - box.x) * to; box.y = point.y - (point.y - box.y) * to;
  box.width *= to; box.height *= to;
  if (box.width > 0.999 * whole[0]) { box.x = 0; box.y = 0; }
}, { passive: false });
svg.addEventListener("pointermove", event => {
  if (!event.buttons) return;
  box.x -= event.movementX * scale(); box.y -= event.movementY * scale();
});
</script>
</html>
"""
