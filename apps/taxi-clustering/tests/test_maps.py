"""The answer as files: what each ending gives, and that the picture is the right way up."""

import csv
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from studykit.errors import UsageError
from studykit.options import Options
from taxi_clustering import city, drawing, maps, study
from taxi_clustering.clustering import Clustering, Totals
from taxi_clustering.sample import Sample
from taxi_clustering.study import Parameters


@pytest.fixture
def clustering() -> Clustering:
    places = np.array([city.HUBS["JFK"], city.HUBS["LaGuardia"], city.HUBS["Penn Station"]])
    centres = city.to_metres(*places.T).astype(np.float32)
    density = np.zeros((city.DENSITY_CELLS, city.DENSITY_CELLS), np.int64)
    density[10, 200] = 50  # in the south-east
    totals = Totals(rows=70, kept=60, rejects={}, sample=Sample.empty())
    return Clustering.of(centres, np.array([10, 30, 20]), 1.0, totals, density)


def test_the_busiest_cluster_comes_first(clustering):
    assert clustering.trips.tolist() == [30, 20, 10]
    assert clustering.degrees[0] == pytest.approx(city.HUBS["LaGuardia"], abs=1e-6)


@pytest.mark.parametrize("name", ["c.csv", "c.geojson", "m.html", "m.png"])
def test_one_file_by_its_ending(clustering, tmp_path, name):
    written = maps.write(clustering, str(tmp_path / name))
    assert list(written.values()) == [str(tmp_path / name)]
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_unknown_ending_is_refused():
    with pytest.raises(UsageError, match=r"\.geojson.*folder"):
        study.validate(Options(out="map.xlsx"), Parameters())
    for good in (None, "map.png", "hdfs://host:9000/answer", "answer/", "./answer", "a.b/answer"):
        study.validate(Options(out=good), Parameters())
    assert tuple(maps.FORMS) == study.ENDINGS


def test_only_maps_need_the_density():
    assert not maps.wanted(None) and not maps.wanted("c.csv") and not maps.wanted("c.geojson")
    assert maps.wanted("m.html") and maps.wanted("m.png") and maps.wanted("answer/")


def test_csv_and_geojson_say_the_same(clustering):
    rows = list(csv.DictReader(maps.as_csv(clustering).decode().splitlines()))
    features = json.loads(maps.as_geojson(clustering))["features"]
    assert [int(row["trips"]) for row in rows] == [30, 20, 10]
    for row, feature in zip(rows, features, strict=True):
        assert feature["geometry"]["type"] == "Point"
        assert feature["geometry"]["coordinates"] == [
            float(row["longitude"]), float(row["latitude"])
        ]  # fmt: skip
        assert feature["properties"]["trips"] == int(row["trips"])


def test_the_page_needs_nothing_from_elsewhere(clustering):
    page = maps.as_page(clustering).decode()
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert re.findall(r"<title>(\d)\. (\d+) trips", page) == [("1", "30"), ("2", "20"), ("3", "10")]
    radii = [float(r) for r in re.findall(r'<circle [^>]* r="([0-9.]+)"', page)]
    assert radii == pytest.approx([13 * (n / 30) ** 0.5 for n in (30, 20, 10)], abs=0.06)


def test_the_online_map_says_what_to_do_without_a_network(clustering):
    page = maps.as_folium(clustering).decode()
    assert page.count("L.circleMarker(") == 3
    assert "cannot be reached" in page and "map.html" in page


def test_the_density_is_north_up_and_dark_where_trips_are(clustering):
    picture = drawing.png(clustering.density)
    width, height = struct.unpack(">II", picture[16:24])
    assert (width, height) == (city.DENSITY_CELLS, city.DENSITY_CELLS)
    start = picture.index(b"IDAT")
    length = struct.unpack(">I", picture[start - 4 : start])[0]
    lines = np.frombuffer(zlib.decompress(picture[start + 4 : start + 4 + length]), np.uint8)
    pixels = lines.reshape(height, width + 1)[:, 1:]
    assert np.argwhere(pixels > 0).tolist() == [[height - 1 - 10, 200]]
    assert pixels.max() == 255


def test_the_png_is_the_drawing(clustering, tmp_path):
    maps.write(clustering, str(tmp_path / "m.png"))
    content = Path(tmp_path / "m.png").read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (2 * drawing.WIDTH, 2 * (drawing.HEIGHT + drawing.HEADER))
