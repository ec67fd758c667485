"""The smallest site folder that has one of everything; the tests break it in one place at a time."""

from pathlib import Path

__all__ = ["FILES", "write_small_site"]

SITE = """\
id = "small"
name_zh = "小街道"
name_en = "Small Sub-district"
timezone = "Asia/Shanghai"
"""

CAMERAS = """\
id,name_zh,name_en,compound,grid_cell,lon,lat,height_m,azimuth_deg,tilt_deg,hfov_deg,url_sub,url_main,credential,enabled
c0001,东门,East gate,yard,cell-1,121.9020,30.6010,4.5,90,15,70,rtsp://10.0.0.11/sub,rtsp://10.0.0.11/main,door,true
c0002,车库,Car park,yard,cell-1,121.9025,30.6015,5,180.5,20,90,rtsp://10.0.0.12:8554/sub,,,false
"""

# Outlines are written out below, so that no line here is too long.
_OUTLINES = {
    "TOP": "[[[121.9, 30.6], [121.91, 30.6], [121.91, 30.61], [121.9, 30.61], [121.9, 30.6]]]",
    "WEST": "[[[121.9, 30.6], [121.905, 30.6], [121.905, 30.61], [121.9, 30.61], [121.9, 30.6]]]",
    "YARD": "[[[121.901, 30.6], [121.904, 30.6], [121.904, 30.603], [121.901, 30.603], [121.901, 30.6]]]",
    "HOUSE": "[[[121.902, 30.602], [121.903, 30.602], [121.903, 30.6025], [121.902, 30.602]]]",
    "CELL": '"parent": "cell-1"',
    "IN": '"grid_cell": "cell-1", "key_node": true',
}
PLACES = """\
{"type": "FeatureCollection", "features": [
{"type": "Feature", "properties": {"id": "top", "kind": "sub_district", "name_zh": "小街道", "name_en": "Small"},
 "geometry": {"type": "Polygon", "coordinates": <TOP>}},
{"type": "Feature", "properties": {"id": "west", "kind": "community", "name_zh": "西社区", "name_en": "West", "parent": "top"},
 "geometry": {"type": "Polygon", "coordinates": <WEST>}},
{"type": "Feature", "properties": {"id": "yard", "kind": "compound", "name_zh": "院", "name_en": "Yard", "parent": "west",
  "compound_kind": "residential"},
 "geometry": {"type": "Polygon", "coordinates": <YARD>}},
{"type": "Feature", "properties": {"id": "cell-1", "kind": "grid_cell", "name_zh": "一格", "name_en": "Cell 1", "parent": "yard",
  "responsible": "post 1", "households": 310},
 "geometry": {"type": "Polygon", "coordinates": <YARD>}},
{"type": "Feature", "properties": {"id": "house", "kind": "building", "name_zh": "一号楼", "name_en": "House", <CELL>},
 "geometry": {"type": "Polygon", "coordinates": <HOUSE>}},
{"type": "Feature", "properties": {"id": "point-1", "kind": "checkpoint", "name_zh": "点", "name_en": "Point", <IN>},
 "geometry": {"type": "Point", "coordinates": [121.9021, 30.6011]}}
]}
"""
for _name, _text in _OUTLINES.items():
    PLACES = PLACES.replace(f"<{_name}>", _text)

RULES = """\
[[rule]]
camera = "c0001"
name = "no-entry"
kind = "intrusion"
zone = [
  [0.1, 0.5],
  [0.4, 0.5],
  [0.4, 0.9]
]
zone_zh = "禁区"
zone_en = "Closed area"
severity = 1
schedule = "22:00-06:00"

[[rule]]
camera = ["c0001", "c0002"]
name = "yard-night"
kind = "intrusion"
zone = [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9], [0.5, 0.9]]
zone_en = "Yard"
labels = ["person", "vehicle"]
dwell_s = 2.5
dead_time_s = 60
min_score = 0.7
"""

TEAMS = """\
[[team]]
id = "guards"
name_zh = "保安"
name_en = "Guards"
kind = "property_guard"
grid_cells = ["cell-1"]
shift = "mon-fri 08:00-18:00"
home = [121.9022, 30.6012]
members = 3
"""

SECRETS = """\
[door]
user = "viewer"
password = "s3cret-word"
"""

FILES = {
    "site.toml": SITE,
    "cameras.csv": CAMERAS,
    "places.geojson": PLACES,
    "rules.toml": RULES,
    "teams.toml": TEAMS,
    "secrets.toml": SECRETS,
}


def write_small_site(folder: Path) -> Path:
    """Write the site into `folder`, its secrets readable by the owner only."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text, "utf-8")
    (folder / "secrets.toml").chmod(0o600)
    return folder
