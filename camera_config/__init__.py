"""Which cameras exist, where they stand and what they watch: a site folder, read strictly into frozen values.

In: a folder of `site.toml`, `cameras.csv`, `places.geojson` and the files of `load.FILES`. Out: a `Site`, already
cross-checked, or one `SiteError` that lists everything wrong. Read `site.py` first.
`coverage.py` works out what the cameras see of the ground; import it and its neighbours by name.
`district.py` makes the demo sub-district and `demo_scenes.py` says what its cameras show; import those two by name.
"""

from camera_config.dispatch_rules import Automatic, DispatchRules, Matter, Minimum, Need, Rest
from camera_config.entry import SiteError
from camera_config.load import load_site
from camera_config.rotation import Rotation
from camera_config.round_rules import Inspection, OpensIncident, Order, RoundRules, Route, Starts, Times
from camera_config.rule_kinds import HEALTH_KINDS, RULE_KINDS, Direction
from camera_config.schedule import Schedule, Window
from camera_config.site import (
    Camera,
    Checkpoint,
    CompoundKind,
    Credential,
    Holiday,
    Mask,
    MaskKind,
    Name,
    Outline,
    Place,
    PlaceKind,
    Point,
    Rule,
    Site,
    Team,
    TeamKind,
    TravelMode,
    Way,
)
from camera_config.write import write_site

__all__ = [
    "HEALTH_KINDS",
    "RULE_KINDS",
    "Automatic",
    "Camera",
    "Checkpoint",
    "CompoundKind",
    "Credential",
    "Direction",
    "DispatchRules",
    "Holiday",
    "Inspection",
    "Mask",
    "MaskKind",
    "Matter",
    "Minimum",
    "Name",
    "Need",
    "OpensIncident",
    "Order",
    "Outline",
    "Place",
    "PlaceKind",
    "Point",
    "Rest",
    "Rotation",
    "RoundRules",
    "Route",
    "Rule",
    "Schedule",
    "Site",
    "SiteError",
    "Starts",
    "Team",
    "TeamKind",
    "Times",
    "TravelMode",
    "Way",
    "Window",
    "load_site",
    "write_site",
]
