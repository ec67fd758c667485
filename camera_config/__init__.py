"""Which cameras exist, where they stand and what they watch: a site folder, read strictly into frozen values.

In: a folder of `site.toml`, `cameras.csv`, `places.geojson`, `rules.toml`, `teams.toml`, `secrets.toml`. Out: a `Site`, already
cross-checked, or one `SiteError` that lists everything wrong. Read `site.py` first.
`district.py` makes the demo sub-district and `demo_scenes.py` says what its cameras show; import those two by name.
"""

from camera_config.entry import SiteError
from camera_config.load import load_site
from camera_config.schedule import Schedule, Window
from camera_config.site import (
    Camera,
    Checkpoint,
    CompoundKind,
    Credential,
    Name,
    Place,
    PlaceKind,
    Point,
    Rule,
    Site,
    Team,
    TeamKind,
)
from camera_config.write import write_site

__all__ = [
    "Camera",
    "Checkpoint",
    "CompoundKind",
    "Credential",
    "Name",
    "Place",
    "PlaceKind",
    "Point",
    "Rule",
    "Schedule",
    "Site",
    "SiteError",
    "Team",
    "TeamKind",
    "Window",
    "load_site",
    "write_site",
]
