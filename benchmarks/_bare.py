"""A page with nothing but MapLibre: the site's buildings and a view polygon of each camera, in a box as large as the page's map.

What it reaches is what the machine can do at most; a map with names, signs and people at work is compared with it.
"""

from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import FloatRect, Page, Route

__all__ = ["open_bare_map"]

LIBRARY = Path(__file__).parents[1] / "dashboard" / "web" / "node_modules" / "maplibre-gl" / "dist"
FOLDER = "/bare/"

_PAGE = """<!doctype html>
<meta charset="utf-8">
<link rel="stylesheet" href="maplibre-gl.css">
<div id="map" style="position: absolute; left: {x}px; top: {y}px; width: {width}px; height: {height}px"></div>
<script type="module">
import {{ Map, setWorkerUrl }} from "./maplibre-gl.mjs";
setWorkerUrl(new URL("maplibre-gl-worker.mjs", import.meta.url).href);
const site = await (await fetch("/api/v1/site")).json();
const of = (features) => ({{ type: "geojson", data: {{ type: "FeatureCollection", features }} }});
const view = ({{ geometry, properties }}) => {{
  const [lon, lat] = geometry.coordinates;
  const at = (deg) => [lon + 3.4e-4 * Math.sin(deg * Math.PI / 180), lat + 2.9e-4 * Math.cos(deg * Math.PI / 180)];
  const half = properties.hfov_deg / 2;
  const edge = [-half, 0, half].map((deg) => at(properties.azimuth_deg + deg));
  const ring = [[lon, lat], ...edge, [lon, lat]];
  return {{ type: "Feature", geometry: {{ type: "Polygon", coordinates: [ring] }}, properties: {{}} }};
}};
const map = new Map({{
  container: "map",
  bounds: site.bounds,
  fitBoundsOptions: {{ padding: 28 }},
  attributionControl: false,
  renderWorldCopies: false,
  style: {{
    version: 8,
    sources: {{
      buildings: of(site.places.features.filter((one) => one.properties.kind === "building")),
      views: of(site.cameras.features.map(view)),
    }},
    layers: [
      {{ id: "ground", type: "background", paint: {{ "background-color": "#0b0e12" }} }},
      {{ id: "buildings", type: "fill", source: "buildings", paint: {{ "fill-color": "#232b36" }} }},
      {{ id: "views", type: "fill", source: "views", paint: {{ "fill-color": "#b8c4d2", "fill-opacity": 0.16 }} }},
    ],
  }},
}});
map.once("idle", () => (document.body.dataset.state = "ready"));
</script>
"""


def open_bare_map(page: Page, url: str, box: FloatRect) -> None:
    """Show it on `page`, which has a session on the server at `url`; returns when it is drawn."""
    html = _PAGE.format(**box)

    def answer(route: Route) -> None:
        name = urlsplit(route.request.url).path.removeprefix(FOLDER)
        if name:
            route.fulfill(path=LIBRARY / name)
        else:
            route.fulfill(body=html, content_type="text/html")

    page.route(f"**{FOLDER}**", answer)
    page.goto(url + FOLDER)
    page.locator("body[data-state=ready]").wait_for(state="attached", timeout=90_000)
