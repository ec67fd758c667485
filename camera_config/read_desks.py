"""`desks.toml`: the referral desks."""

from collections.abc import Collection
from pathlib import Path

from base import ConfigError
from camera_config.desks import FEEDBACK_MIN, RECEIPT_MIN, Desk, DeskKind
from camera_config.entry import Entry, Found, Problems, shown, text_problem
from camera_config.read_tables import read_schedule, table_list
from camera_config.schedule import ALWAYS
from camera_config.site import Place, PlaceKind

__all__ = ["DESK_KEYS", "check_desks", "read_desks"]

DESK_KEYS = (
    "id",
    "name_zh",
    "name_en",
    "kind",
    "opening_hours",
    "receipt_min",
    "feedback_min",
    "users",
    "responsible",
    "places",
)
LONGEST_MIN = 60 * 24 * 92
_MOST_USERS = 50
_SERVED = (PlaceKind.COMMUNITY, PlaceKind.COMPOUND, PlaceKind.GRID_CELL)


def read_desks(path: Path, problems: Problems) -> tuple[Found[Desk], ...]:
    """The desks of `desks.toml`, noting what is wrong; a missing file means none."""
    if not path.exists():
        return ()
    try:
        return tuple(_desk(entry) for _, entry in table_list(path, ("desk",), problems))
    except ConfigError as error:
        problems.add_error(path, error)
        return ()


def check_desks(desks: Collection[Found[Desk]], places: Collection[Found[Place]]) -> None:
    """Note desks that are there twice, and places that the site does not have."""
    kinds = {found.id: found.value.kind if found.value else None for found in places}
    seen: set[str] = set()
    for desk in desks:
        if desk.id and desk.id in seen:
            desk.entry.refuse("id", f"expected each id once, got {shown(desk.id)} again")
        seen.add(desk.id)
        for place in desk.value.places if desk.value else ():
            if kinds.get(place, PlaceKind.BUILDING) not in (*_SERVED, None):
                desk.entry.refuse("places", f"expected ids of communities, compounds or grid cells, got {shown(place)}")


def _desk(entry: Entry) -> Found[Desk]:
    entry.only(DESK_KEYS)
    hours = read_schedule(entry, "opening_hours", ALWAYS)
    if entry.ok and not hours.windows:
        entry.refuse("opening_hours", "expected some hours: with 'never' no limit would ever be reached")
    desk = Desk(
        id=entry.id(),
        name=entry.name(),
        kind=entry.choice("kind", DeskKind),
        opening_hours=hours,
        receipt_min=entry.number("receipt_min", 1, LONGEST_MIN, RECEIPT_MIN),
        feedback_min=entry.number("feedback_min", 1, LONGEST_MIN, FEEDBACK_MIN),
        users=_users(entry),
        responsible=entry.text("responsible", "", 200),
        places=() if entry.value("places") is None else entry.ids("places"),
    )
    return Found(entry, desk.id, desk if entry.ok else None)


def _users(entry: Entry) -> tuple[str, ...]:
    """Names with which people sign in."""
    value = entry.value("users")
    if value is None:
        return ()
    names = (
        [each for each in value if isinstance(each, str) and each and not text_problem(each, 200)]
        if isinstance(value, list)
        else []
    )
    if not names or not isinstance(value, list) or len(names) < len(value) or len(set(names)) < len(names):
        entry.refuse("users", f"expected a list of names of users, each once, got {shown(value)}")
    elif len(names) > _MOST_USERS:
        entry.refuse("users", f"expected at most {_MOST_USERS} names, got {len(names)}")
    return tuple(names)
