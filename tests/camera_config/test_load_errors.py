"""Every way in which a site folder can be wrong, and the sentence that says so: file:line, key, value, and what is allowed."""

import os
from pathlib import Path

import pytest

from camera_config import SiteError, load_site
from camera_config.gcj02 import gcj02_from_wgs84
from tests.camera_config.small_site import FILES, write_small_site

_ROW = "c0001,东门,East gate,yard,cell-1,121.9020,30.6010,4.5,90,15,70,rtsp://10.0.0.11/sub,rtsp://10.0.0.11/main,door,true"
_HUGE = "9" * 5000
_LONG = "x" * 2001
_GCJ = "{:.4f},{:.4f}".format(*gcj02_from_wgs84(121.9003, 30.6003))
_GCJ_NEAR = "{:.4f},{:.4f}".format(*gcj02_from_wgs84(121.9011, 30.6029))
_HEADER = FILES["cameras.csv"].splitlines()[0]

# file, what is replaced, by what, and the fragments of the message
CASES: list[tuple[str, str, str, tuple[str, ...]]] = [
    # site.toml
    ("site.toml", "Asia/Shanghai", "Asia/Nowhere", ("site.toml:4: timezone:", "IANA", "'Asia/Nowhere'")),
    ("site.toml", "Asia/Shanghai", "Asia", ("site.toml:4: timezone:", "'Asia'")),
    ("site.toml", "Asia/Shanghai", "../../etc/passwd", ("site.toml:4: timezone:", "expected a name")),
    ("site.toml", '"small"', '"Small One"', ("site.toml:1: id:", "a-z, 0-9", "'Small One'")),
    ("site.toml", 'id = "small"', "", ("site.toml:1: id: missing",)),
    ("site.toml", '"small"', '""', ("site.toml:1: id: expected a text", "''")),
    ("site.toml", '"small"', "7", ("site.toml:1: id: expected a text, got 7",)),
    ("site.toml", 'id = "small"', 'id = "small"\ncolour = 1', ("site.toml:2: colour: unknown key", "allowed are", "timezone")),
    ("site.toml", 'id = "small"', 'id = "small"\ntimezome = 1', ("did you mean 'timezone'?",)),
    (
        "site.toml",
        'id = "small"',
        'id = "small"\nallow_files = "yes"',
        ("site.toml:2: allow_files: expected true or false, got 'yes'",),
    ),
    ("site.toml", '"小街道"', '"小\\u0007街"', ("site.toml:2: name_zh: expected no control characters",)),
    ("site.toml", '"小街道"', '"\\u202eevil"', ("site.toml:2: name_zh: expected no control characters",)),
    ("site.toml", '"小街道"', '"-rf"', ("site.toml:2: name_zh: expected a text that does not begin with '-', got '-rf'",)),
    ("site.toml", '"小街道"', '"' + "长" * 201 + '"', ("site.toml:2: name_zh: expected at most 200 characters, found 201",)),
    ("site.toml", 'name_zh = "小街道"\nname_en = "Small Sub-district"', "", ("name_zh: missing", "name_en")),
    ("site.toml", '"small"', "small", ("site.toml:1: not valid TOML",)),
    ("site.toml", 'timezone = "Asia/Shanghai"', "timezone = [", ("not valid TOML",)),
    ("site.toml", '"small"', _HUGE, ("site.toml:", "not valid TOML")),
    ("site.toml", '"small"', "[" * 5000, ("site.toml", "not valid TOML")),
    # cameras.csv: the table
    ("cameras.csv", "hfov_deg", "fov", ("cameras.csv:1: fov: unknown key", "cameras.csv:1: hfov_deg: column missing")),
    ("cameras.csv", "name_zh,name_en", "name_en,name_en", ("cameras.csv:1: name_en: expected each column once",)),
    ("cameras.csv", _HEADER, _HEADER.replace(",", ";"), ("cameras.csv:1: expected columns separated by commas",)),
    ("cameras.csv", ",door,true", ",door", ("cameras.csv:2: expected 15 fields as in the header, got 14",)),
    ("cameras.csv", "东门", '"东门', ("cameras.csv:3: not valid CSV",)),
    ("cameras.csv", "东门", '"东"门', ("cameras.csv:2: not valid CSV",)),
    ("cameras.csv", "东门", "x" * 140_000, ("cameras.csv:2: not valid CSV", "field limit")),
    ("cameras.csv", FILES["cameras.csv"], _HEADER, ("cameras.csv:1: expected at least one camera",)),
    ("cameras.csv", FILES["cameras.csv"], "", ("cameras.csv:1: id: column missing",)),
    # cameras.csv: values
    ("cameras.csv", "c0002", "c0001", ("cameras.csv:3: id: expected each id once, got 'c0001' again (first in line 2)",)),
    ("cameras.csv", "c0002", "C 2", ("cameras.csv:3: id: expected 1 to 64 of a-z", "'C 2'")),
    ("cameras.csv", "c0002", "", ("cameras.csv:3: id: missing",)),
    ("cameras.csv", "东门,East gate", ",", ("cameras.csv:2: name_zh: missing",)),
    ("cameras.csv", "东门", '"a\nb"', ("cameras.csv:2: name_zh: expected no control characters",)),
    (
        "cameras.csv",
        "c0001,东门,East gate,yard",
        "c0001,东门,East gate,yrad",
        ("cameras.csv:2: compound:", "such as yard", "'yrad'"),
    ),
    (
        "cameras.csv",
        "yard,cell-1,121.9020",
        "cell-1,cell-1,121.9020",
        ("cameras.csv:2: compound: expected the id of a compound",),
    ),
    ("cameras.csv", "cell-1,121.9020", "cell-9,121.9020", ("cameras.csv:2: grid_cell:", "such as cell-1", "'cell-9'")),
    ("cameras.csv", "121.9020", "1e3", ("cameras.csv:2: lon: expected a number from -180 to 180, got '1e3'",)),
    ("cameras.csv", "121.9020", "nan", ("cameras.csv:2: lon: expected a number", "'nan'")),
    ("cameras.csv", "121.9020", "1_2", ("cameras.csv:2: lon: expected a number", "'1_2'")),
    ("cameras.csv", "121.9020", "121°54′", ("cameras.csv:2: lon: expected a number",)),
    ("cameras.csv", "121.9020", "", ("cameras.csv:2: lon: missing; expected a number from -180 to 180",)),
    ("cameras.csv", "121.9020,30.6010", "121.9500,30.6010", ("cameras.csv:2: lon: expected a point inside the sub-district",)),
    (
        "cameras.csv",
        "121.9020,30.6010",
        _GCJ_NEAR,
        ("cameras.csv:2: lon: expected a point in or near compound yard", "GCJ-02", "121.9011"),
    ),
    ("cameras.csv", "30.6010,4.5", "99,4.5", ("cameras.csv:2: lat: expected a number from -90 to 90, got '99'",)),
    ("cameras.csv", "4.5,90", "0,90", ("cameras.csv:2: height_m: expected a number from 0.5 to 300, got '0'",)),
    ("cameras.csv", "4.5,90", "4.5,361", ("cameras.csv:2: azimuth_deg: expected a number from 0 to 360, got '361'",)),
    ("cameras.csv", "90,15,70", "90,91,70", ("cameras.csv:2: tilt_deg: expected a number from -90 to 90, got '91'",)),
    ("cameras.csv", "90,15,70", "90,15,181", ("cameras.csv:2: hfov_deg: expected a number from 1 to 180, got '181'",)),
    ("cameras.csv", "door,true", "door,yes", ("cameras.csv:2: enabled: expected true or false, got 'yes'",)),
    ("cameras.csv", ",door,", ",gate,", ("cameras.csv:2: credential:", "such as door", "'gate'")),
    # URLs
    ("cameras.csv", "rtsp://10.0.0.11/sub", "", ("cameras.csv:2: url_sub: missing",)),
    (
        "cameras.csv",
        "rtsp://10.0.0.11/sub",
        "ftp://10.0.0.11/",
        ("cameras.csv:2: url_sub:", "rtsp://, rtsps://", "'ftp://10.0.0.11/'"),
    ),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "10.0.0.11/sub", ("cameras.csv:2: url_sub:", "begins with rtsp://")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp:///sub", ("cameras.csv:2: url_sub:", "a host")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://h:99999/", ("cameras.csv:2: url_sub:", "Port out of range")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://[::1/", ("cameras.csv:2: url_sub:", "Invalid IPv6 URL")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://h/a b", ("cameras.csv:2: url_sub:", "no space")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "-i rtsp://h/", ("cameras.csv:2: url_sub:", "does not begin with '-'")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://h/\x07", ("cameras.csv:2: url_sub:", "no control characters")),
    (
        "cameras.csv",
        "rtsp://10.0.0.11/sub",
        "rtsp://h/" + _LONG,
        ("cameras.csv:2: url_sub: expected at most 2000 characters, found 2010",),
    ),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "file:///etc/passwd", ("cameras.csv:2: url_sub:", "allow_files = true")),
    (
        "cameras.csv",
        "rtsp://10.0.0.11/main",
        "rtsp://a:hunter2@h/",
        ("cameras.csv:2: url_main:", "without user and password", "secrets.toml"),
    ),
    (
        "cameras.csv",
        "rtsp://10.0.0.11/main",
        "rtsp://a:12/3@h/",  # a password with a slash: its host would be "a", its port 12
        ("cameras.csv:2: url_main:", "without user and password", "got 'rtsp://…@h/'"),
    ),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://h/?user=a&password=hunter2", ("cameras.csv:2: url_sub:", "secrets.toml")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "a:hunter2@10.0.0.11//x", ("cameras.csv:2: url_sub:", "got '…@10.0.0.11//x'")),
    ("cameras.csv", "rtsp://10.0.0.11/sub", "rtsp://a:hunter2@h/\x07", ("cameras.csv:2: url_sub:", "no control characters")),
    ("cameras.csv", "4.5,90", "rtsp://a:hunter2@h/,90", ("cameras.csv:2: height_m: expected a number", "got 'rtsp://…@h/'")),
    ("rules.toml", '["c0001", "c0002"]', '["c1", ["rtsp://a:hunter2@h/"]]', ("rules.toml:16: rule.camera:", "//…@h/")),
    # both files of cameras, unknown files
    ("cameras.toml", "", "", ("cameras.toml:1: expected either cameras.csv or cameras.toml, found both",)),
    ("rule.toml", "", "", ("rule.toml:1: unknown file; did you mean rules.toml?",)),
    # places.geojson: the file
    ("places.geojson", "FeatureCollection", "Feature", ("places.geojson:1: type: expected a FeatureCollection",)),
    ("places.geojson", '"features": [', '"features": [7,', ("places.geojson:2: features[0]: expected a Feature", "got 7")),
    (
        "places.geojson",
        '"features"',
        '"crs": "EPSG:4490", "features"',
        ("places.geojson:1: crs: expected longitude and latitude in WGS-84",),
    ),
    ("places.geojson", '"features"', '"colour": 1, "features"', ("places.geojson:1: colour: unknown key",)),
    ("places.geojson", "]}\n", "", ("places.geojson:16: not valid JSON",)),
    ("places.geojson", "121.9021, 30.6011", "NaN, 30.6011", ("places.geojson:15: expected numbers, found NaN",)),
    ("places.geojson", "121.9021, 30.6011", "-Infinity, 30.6011", ("places.geojson:15: expected numbers, found -Infinity",)),
    ("places.geojson", FILES["places.geojson"], "[1]", ("places.geojson:1: expected a GeoJSON FeatureCollection, got [1]",)),
    ("places.geojson", FILES["places.geojson"], "NaN", ("places.geojson:1: expected numbers, found NaN",)),
    ("places.geojson", FILES["places.geojson"], "[" * 100_000, ("places.geojson: not valid JSON: nested too deeply",)),
    ("places.geojson", "121.9021, 30.6011", _HUGE + ", 1", ("places.geojson: not valid JSON: a number with too many digits",)),
    # places.geojson: properties
    (
        "places.geojson",
        '"id": "house"',
        '"id": "yard"',
        ("places.geojson:12: yard: id: expected each id once", "first in line 6"),
    ),
    ("places.geojson", '"id": "house", ', "", ("places.geojson:12: id: missing",)),
    (
        "places.geojson",
        '"building"',
        '"bilding"',
        ("places.geojson:12: house: kind: expected one of sub_district, community", "'bilding'"),
    ),
    ("places.geojson", '"kind": "building", ', "", ("places.geojson:12: house: kind: missing; expected one of",)),
    (
        "places.geojson",
        '"parent": "cell-1"',
        '"parent": "cell-7"',
        ("places.geojson:12: house: parent:", "'cell-7'", "no place of this file"),
    ),
    (
        "places.geojson",
        '"parent": "cell-1"',
        '"parent": "top"',
        ("house: parent: expected the id of a grid_cell or compound", "which is a sub_d"),
    ),
    ("places.geojson", '"parent": "top"', '"parent": "west"', ("places.geojson:4: west: parent:", "which is a community")),
    (
        "places.geojson",
        '"name_en": "Small"',
        '"name_en": "Small", "parent": "x"',
        ("places.geojson:2: top: parent: expected none",),
    ),
    ("places.geojson", '"parent": "top"', '"parent": "top", "colour": 3', ("places.geojson:4: west: colour: unknown key",)),
    (
        "places.geojson",
        '"residential"',
        '"palace"',
        ("places.geojson:6: yard: compound_kind: expected one of residential", "'palace'"),
    ),
    ("places.geojson", ',\n  "compound_kind": "residential"', "", ("places.geojson:6: yard: compound_kind: missing",)),
    (
        "places.geojson",
        '"parent": "top"',
        '"parent": "top", "households": 3',
        ("west: households: expected only on a grid_cell",),
    ),
    (
        "places.geojson",
        '"households": 310',
        '"households": 3.5',
        ("cell-1: households: expected a whole number from 0 to 100000, got 3.5",),
    ),
    ("places.geojson", '"households": 310', '"households": true', ("cell-1: households: expected a whole number",)),
    ("places.geojson", '"kind": "community"', '"kind": "sub_district"', ("west: parent: expected none",)),
    ("places.geojson", '"sub_district"', '"community"', ("top: parent: missing",)),
    (
        "places.geojson",
        '"key_node": true',
        '"key_node": "yes"',
        ("places.geojson:14: point-1: key_node: expected true or false",),
    ),
    ("places.geojson", '"grid_cell": "cell-1"', '"grid_cell": "cell-3"', ("places.geojson:14: point-1: grid_cell:", "'cell-3'")),
    # places.geojson: geometry
    ("places.geojson", "121.9021, 30.6011", "121.9021", ("places.geojson:14: point-1: geometry: expected pairs of two numbers",)),
    ("places.geojson", "121.9021, 30.6011", "121.9021, 30.6011, 7.0", ("places.geojson:14: point-1: geometry: expected pairs",)),
    (
        "places.geojson",
        "121.9021, 30.6011",
        "1e400, 30.6011",
        ("point-1: geometry: expected numbers within [-180 to 180, -90 to 90]",),
    ),
    (
        "places.geojson",
        "121.9021, 30.6011",
        "121.9921, 30.6011",
        ("places.geojson:14: point-1: geometry: expected a point inside the sub",),
    ),
    ("places.geojson", "121.9021, 30.6011", "30.6011, 89.9", ("point-1: geometry: expected a point inside the sub-district",)),
    ("places.geojson", '"type": "Point"', '"type": "MultiPoint"', ("point-1: geometry: expected a Point, got 'MultiPoint'",)),
    ("places.geojson", "[121.903, 30.6025], [121.902, 30.602]]]", "[121.903, 30.6025]]]", ("house: geometry:", "at least 3")),
    (
        "places.geojson",
        "[121.903, 30.6025], [121.902, 30.602]]]",
        "[121.903, 30.6025], [121.902, 30.6021]]]",
        ("house: geometry:", "closed"),
    ),
    (
        "places.geojson",
        "[121.903, 30.6025], [121.902",
        "[121.904, 30.602], [121.902",
        ("places.geojson:12: house: geometry:", "cross"),
    ),
    (
        "places.geojson",
        "[121.905, 30.6], [121.905, 30.61]",
        "[121.905, 30.61], [121.905, 30.6]",
        ("west: geometry:", "Self-intersection"),
    ),
    (
        "places.geojson",
        "[[[121.902, 30.602]",
        "[[], [[121.902, 30.602]",
        ("house: geometry: expected an outline without holes, got 1 holes",),
    ),
    ("places.geojson", "[[[121.902, 30.602]", "[7, [[121.902, 30.602]", ("house: geometry: expected an outline without holes",)),
    (
        "places.geojson",
        "[[121.902, 30.602], [121.903",
        "[[191.902, 30.602], [121.903",
        ("house: geometry: expected numbers within",),
    ),
    (
        "places.geojson",
        "[[121.902, 30.602], [121.903",
        "[[true, 30.602], [121.903",
        ("house: geometry: expected numbers within",),
    ),
    (
        "places.geojson",
        "[[[121.902, 30.602], [121.903, 30.602], [121.903, 30.6025], [121.902, 30.602]]]",
        "[]",
        ("expected one Polygon",),
    ),
    (
        "places.geojson",
        "[[[121.902, 30.602], [121.903, 30.602], [121.903, 30.6025], [121.902, 30.602]]]",
        "[[[121.952, 30.602], [121.953, 30.602], [121.953, 30.6025], [121.952, 30.602]]]",
        ("places.geojson:12: house: geometry: expected an outline within or across that of its parent cell-1",),
    ),
    # rules.toml
    ("rules.toml", 'camera = "c0001"', 'camera = "c0009"', ("rules.toml:2: rule.camera:", "such as c0001, c0002", "'c0009'")),
    ("rules.toml", '["c0001", "c0002"]', '["c0001", "c0007"]', ("rules.toml:16: rule.camera:", "'c0007'")),
    (
        "rules.toml",
        '["c0001", "c0002"]',
        '["c0001", "c0001"]',
        ("rules.toml:16: rule.camera: expected each id once, got c0001 twice",),
    ),
    ("rules.toml", '["c0001", "c0002"]', "[]", ("rules.toml:16: rule.camera: expected a list of ids, got []",)),
    ("rules.toml", '["c0001", "c0002"]', "[7]", ("rules.toml:16: rule.camera: expected 1 to 64 of a-z", "got 7")),
    ("rules.toml", 'camera = "c0001"\n', "", ("rules.toml:1: rule.camera: missing",)),
    ("rules.toml", '"yard-night"', '"no-entry"', ("rules.toml:17: rule.name: expected each name once for a camera",)),
    (
        "rules.toml",
        'kind = "intrusion"\nzone = [\n',
        'kind = "crowding"\nzone = [\n',
        ("rules.toml:4: rule.kind: expected one of intrusion",),
    ),
    ("rules.toml", "severity = 1", "severity = 5", ("rules.toml:12: rule.severity: expected a whole number from 1 to 4, got 5",)),
    ("rules.toml", "severity = 1", "severity = 1.5", ("rules.toml:12: rule.severity:", "got 1.5")),
    ("rules.toml", "severity = 1", "sevrity = 1", ("rules.toml:12: rule.sevrity: unknown key; did you mean 'severity'?",)),
    (
        "rules.toml",
        "[0.4, 0.9]",
        "[0.4, 1.9]",
        ("rules.toml:5: rule.zone: expected numbers within [0 to 1, 0 to 1], got [0.4, 1.9]",),
    ),
    ("rules.toml", "[0.4, 0.9]", "[0.4, nan]", ("rules.toml:5: rule.zone: expected numbers within",)),
    ("rules.toml", "  [0.4, 0.5],\n", "", ("rules.toml:5: rule.zone: expected an outline of at least 3",)),
    ("rules.toml", "[0.9, 0.5], [0.9, 0.9]", "[0.9, 0.9], [0.9, 0.5]", ("rules.toml:19: rule.zone:", "Self-intersection")),
    (
        "rules.toml",
        "[0.9, 0.5], [0.9, 0.9], [0.5, 0.9]",
        "[0.6, 0.5], [0.9, 0.5]",
        ("rules.toml:19: rule.zone:", "does not cross or touch"),
    ),
    (
        "rules.toml",
        "zone = [[0.5, 0.5], [0.9, 0.5], [0.9, 0.9], [0.5, 0.9]]",
        'zone = "all"',
        ("rule.zone: expected a list of [x, y]",),
    ),
    (
        "rules.toml",
        '["person", "vehicle"]',
        '["persn"]',
        ("rules.toml:21: rule.labels: expected a list of some of person, vehicle",),
    ),
    ("rules.toml", '["person", "vehicle"]', '"person"', ("rules.toml:21: rule.labels: expected a list",)),
    ("rules.toml", "22:00-06:00", "22:00", ("rules.toml:13: rule.schedule: expected 'always'", "'22:00'")),
    ("rules.toml", "22:00-06:00", "22:00-25:00", ("rules.toml:13: rule.schedule: expected times 00:00 to 24:00",)),
    ("rules.toml", "22:00-06:00", "mxn 22:00-23:00", ("rules.toml:13: rule.schedule: expected weekdays",)),
    ("rules.toml", "dwell_s = 2.5", "dwell_s = -1", ("rules.toml:22: rule.dwell_s: expected a number from 0 to 3600, got -1",)),
    ("rules.toml", "dead_time_s = 60", "dead_time_s = inf", ("rules.toml:23: rule.dead_time_s:", "got inf")),
    (
        "rules.toml",
        "min_score = 0.7",
        "min_score = 70",
        ("rules.toml:24: rule.min_score: expected a number from 0 to 1, got 70",),
    ),
    ("rules.toml", 'zone_en = "Yard"\n', "", ("rules.toml:15: rule.zone_zh: missing",)),
    ("rules.toml", '[[rule]]\ncamera = "c0001"', '[rule]\ncamera = "c0001"', ("rules.toml:15: not valid TOML",)),
    ("rules.toml", FILES["rules.toml"], "[rule]\n", ("rules.toml:1: rule: expected [[rule]] with two brackets",)),
    ("rules.toml", FILES["rules.toml"], "rule = [7]", ("rules.toml:1: rule: expected a table, got 7",)),
    ("rules.toml", FILES["rules.toml"], "\n[rules]\n", ("rules.toml:2: rules: unknown key; expected only [[rule]]",)),
    # teams.toml
    ("teams.toml", '["cell-1"]', '["cell-5"]', ("teams.toml:6: team.grid_cells:", "such as cell-1", "'cell-5'")),
    ("teams.toml", 'grid_cells = ["cell-1"]\n', "", ("teams.toml:1: team.grid_cells: missing",)),
    (
        "teams.toml",
        '"property_guard"',
        '"guards"',
        ("teams.toml:5: team.kind: expected one of police_post, property_guard, volunteer",),
    ),
    ("teams.toml", '"mon-fri 08:00-18:00"', '"daily"', ("teams.toml:7: team.shift: expected 'always'", "'daily'")),
    ("teams.toml", 'shift = "mon-fri 08:00-18:00"\n', "", ("teams.toml:1: team.shift: missing",)),
    ("teams.toml", "[121.9022, 30.6012]", "[30.6012, 121.9022]", ("teams.toml:8: team.home: expected numbers within",)),
    (
        "teams.toml",
        "[121.9022, 30.6012]",
        "[12.9022, 30.6012]",
        ("teams.toml:8: team.home: expected a point inside the sub-district",),
    ),
    (
        "teams.toml",
        "[121.9022, 30.6012]",
        f"[{_GCJ.replace(',', ', ')}]",
        ("teams.toml:8: team.home:", "if it is GCJ-02", "121.9003"),
    ),
    ("teams.toml", "members = 3", "members = 0", ("teams.toml:9: team.members: expected a whole number from 1 to 500, got 0",)),
    ("teams.toml", "members = 3", f"members = {10**400}", ("teams.toml:9: team.members: expected a whole number",)),
    ("teams.toml", FILES["teams.toml"], FILES["teams.toml"] * 2, ("teams.toml:11: team.id: expected each id once",)),
    # secrets.toml
    ("secrets.toml", "[door]\n", "", ("secrets.toml:1: name: expected tables such as [door-cameras]",)),
    ("secrets.toml", 'user = "viewer"\n', "", ("secrets.toml:1: door.user: missing",)),
    ("secrets.toml", 'password = "s3cret-word"', "password = 7", ("secrets.toml:3: door.password: expected a text\n",)),
    (
        "secrets.toml",
        'password = "s3cret-word"',
        'password_env = "NOT_SET"',
        ("secrets.toml:3: door.password_env:", "NOT_SET, which is not set"),
    ),
    (
        "secrets.toml",
        'user = "viewer"',
        'user = "viewer"\npassword_env = "X"',
        ("secrets.toml:3: door.password_env: expected either",),
    ),
    ("secrets.toml", "user =", "usr =", ("secrets.toml:2: door.usr: unknown key; did you mean 'user'?",)),
    ("secrets.toml", "[door]", "[Door 1]", ("secrets.toml:1: not valid TOML",)),
    ("secrets.toml", "[door]", '["Door 1"]', ("secrets.toml:1: name: expected 1 to 64 of a-z",)),
]


def _problems(folder: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(folder, {})
    text = str(caught.value)
    assert "s3cret" not in text
    assert "hunter2" not in text
    return text + "\n"


@pytest.mark.parametrize(("file", "old", "new", "fragments"), CASES, ids=[f"{c[0]}-{i}" for i, c in enumerate(CASES)])
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, file: str, old: str, new: str, fragments: tuple[str, ...]) -> None:
    write_small_site(tmp_path)
    path = tmp_path / file
    before = path.read_text("utf-8") if path.exists() else ""
    assert old in before
    path.write_text(before.replace(old, new, 1), "utf-8")
    text = _problems(tmp_path)
    assert len(text) < 3000, "a message stays readable"
    for fragment in fragments:
        assert fragment in text


# Whole files that are no text: bytes, and the fragments of the message.
BYTES: list[tuple[str, bytes, tuple[str, ...]]] = [
    ("cameras.csv", FILES["cameras.csv"].encode("gb18030"), ("cameras.csv:2: expected UTF-8, found byte 0x", "CSV UTF-8")),
    ("cameras.csv", FILES["cameras.csv"].encode("utf-16"), ("cameras.csv:1: expected UTF-8, found UTF-16",)),
    ("places.geojson", b"\xff", ("places.geojson:1: expected UTF-8",)),
    ("rules.toml", b"\n\n\xe9\n", ("rules.toml:3: expected UTF-8",)),
]


@pytest.mark.parametrize(("file", "data", "fragments"), BYTES)
def test_files_that_are_no_utf8_are_refused(tmp_path: Path, file: str, data: bytes, fragments: tuple[str, ...]) -> None:
    (write_small_site(tmp_path) / file).write_bytes(data)
    text = _problems(tmp_path)
    for fragment in fragments:
        assert fragment in text


@pytest.mark.parametrize("file", ["site.toml", "cameras.csv", "places.geojson"])
def test_missing_files_are_named(tmp_path: Path, file: str) -> None:
    (write_small_site(tmp_path) / file).unlink()
    assert f"{file}: expected a file here, found none" in _problems(tmp_path)


def test_a_file_of_gigabytes_is_refused_without_reading_it(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    with (tmp_path / "places.geojson").open("wb") as file:
        file.truncate(5 << 30)
    assert "places.geojson: expected at most 67108864 bytes, found 5368709120" in _problems(tmp_path)


def test_a_pipe_in_place_of_a_file_is_refused_without_waiting(tmp_path: Path) -> None:
    (write_small_site(tmp_path) / "rules.toml").unlink()
    os.mkfifo(tmp_path / "rules.toml")
    assert "rules.toml: expected a regular file" in _problems(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_secrets_others_may_read_are_refused(tmp_path: Path, mode: int) -> None:
    path = write_small_site(tmp_path) / "secrets.toml"
    path.chmod(mode)
    text = _problems(tmp_path)
    assert f"secrets.toml:1: expected a file only its owner may read (mode 0600), found mode {mode:04o}" in text
    assert "credential" not in text, "that the login is unknown is not blamed on the camera"


def test_a_cell_of_another_compound_is_refused(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    places = FILES["places.geojson"]
    start, end = (
        places.index('{"type": "Feature", "properties": {"id": "yard"'),
        places.index('{"type": "Feature", "properties": {"id": "cell-1"'),
    )
    second = places[start:end].replace('"yard"', '"yard-2"')
    (tmp_path / "places.geojson").write_text(places[:end] + second + places[end:], "utf-8")
    (tmp_path / "cameras.csv").write_text(
        FILES["cameras.csv"].replace("c0002,车库,Car park,yard", "c0002,车库,Car park,yard-2"), "utf-8"
    )
    assert "cameras.csv:3: grid_cell: expected a grid_cell of compound yard-2, got cell-1 of yard" in _problems(tmp_path)


def test_two_sub_districts_or_none_are_refused(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    places = FILES["places.geojson"]
    extra = '"kind": "sub_district", "name_zh": "西社区", "name_en": "West"}'
    two = places.replace('"kind": "community", "name_zh": "西社区", "name_en": "West", "parent": "top"}', extra)
    (tmp_path / "places.geojson").write_text(two, "utf-8")
    assert "west: kind: expected one sub_district, got another (first is 'top')" in _problems(tmp_path)
    none = places.replace(
        '"kind": "sub_district", "name_zh": "小街道", "name_en": "Small"', '"kind": "community", "name_zh": "x", "parent": "west"'
    )
    (tmp_path / "places.geojson").write_text(none, "utf-8")
    assert "expected one feature of kind sub_district in the file, found none" in _problems(tmp_path)


def test_several_wrong_rows_are_told_each(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    bad = [_ROW.replace("c0001", f"c1{i:03d}").replace("121.9020", "191") for i in range(9)]
    (tmp_path / "cameras.csv").write_text(FILES["cameras.csv"] + "\n".join(bad), "utf-8")
    text = _problems(tmp_path)
    assert [f"cameras.csv:{line}: lon:" in text for line in range(4, 13)] == [True] * 9
    assert len(text.splitlines()) == 9
