"""Photos on both databases: evidence that is deleted when its time has come, kept by a hold, and found when it was changed."""

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from base import DeniedError, SimulatedClock, TransitionError
from camera_config.retention_rules import Keep, RetentionRules
from camera_config.site import Site
from camera_config.time_limits import Category
from patrol import Actor, Happening, Incident, Origin, Report, Step
from storage import Hold, NewPhoto, Photo, Store
from storage.database import Database
from storage.integrity import check_integrity
from storage.schema import downgrade, upgrade
from tests.patrol.small_site import LI, command, small_site, team_actor
from tests.storage.test_retention import run

RULES = RetentionRules(pictures=Keep(2, 10), events=Keep(5, 20), incidents=Keep(10, 40), pictures_max_gb=1.0)
PATROL = team_actor("t1")


@pytest.fixture
def site() -> Site:
    return replace(small_site(), retention=RULES)


def reported(store: Store, clock: SimulatedClock) -> tuple[Incident, str]:
    name = str(uuid.uuid4())
    report = Report(name, Origin.PATROL, Category.FACILITY, 3, PATROL, clock.now_s(), "lamp", grid_cell="g1")
    return store.report(report), name


def add(store: Store, incident: Incident, command_id: str, at_s: float, jpeg: bytes = b"jpeg", by: Actor = PATROL) -> Photo:
    return store.photos.add(NewPhoto(str(uuid.uuid4()), incident.id, command_id, at_s, jpeg, 64, 48), by)


def test_a_photo_is_a_line_of_the_history_and_outlasts_a_restart(
    open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    store = open_store()
    incident, name = reported(store, clock)
    clock.advance(10)
    new = NewPhoto(str(uuid.uuid4()), incident.id, name, clock.now_s() - 5, b"jpeg", 64, 48)
    photo = store.photos.add(new, PATROL)
    assert store.photos.add(new, PATROL) == photo
    assert photo.sha256 == hashlib.sha256(b"jpeg").hexdigest()
    store.close()
    store = open_store()
    assert store.photos.of_incident(incident.id) == [photo]
    assert store.photos.jpeg(photo.id) == b"jpeg"
    opened, line = store.history(incident.id)
    assert (line.step, line.text, line.at_s, line.version) == (Happening.PHOTO, photo.sha256, photo.at_s, 2)
    assert opened.command == photo.command
    with pytest.raises(DeniedError):
        add(store, incident, name, clock.now_s(), by=team_actor("t2"))
    with pytest.raises(TransitionError, match="send that first"):
        add(store, incident, "", clock.now_s())
    # A decision that was queued before the photo arrived is still good: a photo decides nothing.
    assert store.apply(command(incident, Step.ACKNOWLEDGE, LI, clock.now_s())).work == "acknowledged"
    database = Database(url)
    with database.reader.connect() as reader:
        assert check_integrity(reader).is_sound
    with database.writer.connect() as connection, connection.begin():
        connection.execute(text("UPDATE photo_jpegs SET jpeg = :other"), {"other": b"another"})
    with database.reader.connect() as reader:
        found = check_integrity(reader)
    database.close()
    assert (found.is_sound, found.differences) == (
        False,
        (f"photo {photo.id} is not the picture whose SHA-256 the history of its incident holds",),
    )


def test_photos_go_with_the_pictures_unless_they_are_held(store: Store, clock: SimulatedClock) -> None:
    photos = []
    for _ in range(3):
        incident, name = reported(store, clock)
        photos.append(add(store, incident, name, clock.now_s()))
        current = store.incident(incident.id)
        assert current is not None
        if len(photos) < 3:  # the third stays open
            store.apply(command(current, Step.CLOSE, LI, clock.now_s()))
    store.retention.add_hold(Hold(str(uuid.uuid4()), photos[0].incident, "case", LI.name, clock.now_s()), LI)
    assert run(store, clock, 9.5) == {}
    assert run(store, clock, 1) == {"photo_jpegs": 1}
    assert [store.photos.jpeg(photo.id) for photo in photos] == [b"jpeg", None, b"jpeg"]
    known = store.photos.photo(photos[1].id)
    assert known == replace(photos[1], picture_bytes=None)
    assert run(store, clock, 40)["photos"] == 1
    assert store.photos.photo(photos[1].id) is None


def test_photos_count_as_pictures_and_go_last_when_there_are_too_many(url: str, clock: SimulatedClock, site: Site) -> None:
    store = Store.open(url, clock, replace(site, retention=replace(RULES, pictures_max_gb=1e-9)))  # one byte
    try:
        incident, name = reported(store, clock)
        photo = add(store, incident, name, clock.now_s())
        current = store.incident(incident.id)
        assert current is not None
        store.apply(command(current, Step.CLOSE, LI, clock.now_s()))
        assert run(store, clock, 1) == {}
        assert run(store, clock, 1.5) == {"photo_jpegs": 1}
        assert store.photos.jpeg(photo.id) is None
    finally:
        store.close()


def test_an_older_program_reads_of_photos_and_lets_limited_accounts_do_nothing(
    open_store: Callable[[], Store], clock: SimulatedClock, url: str
) -> None:
    store = open_store()
    incident, name = reported(store, clock)
    photo = add(store, incident, name, clock.now_s())
    limited = store.add_user("li", "hash", "operator", ("g1", "m1"))
    whole = store.add_user("wang", "hash", "dispatcher")
    area = store.area(("g1",))
    sheet = store.handovers.offer(str(uuid.uuid4()), LI, "", area)
    store.handovers.confirm(sheet.id, Actor(LI.kind, "other", "other"), sheet.sha256, "")
    confirmed = store.handovers.handover(sheet.id)
    store.close()
    database = Database(url)
    with database.connect_writer() as connection:
        with connection.begin():
            downgrade(connection, "0010")
        with connection.begin():
            roles = {row.name: row.role for row in connection.execute(text("SELECT name, role FROM users"))}
            told = connection.execute(text("SELECT step, text FROM history ORDER BY version"))
            lines = [(row.step, row.text) for row in told]
            upgrade(connection)
    database.close()
    assert roles == {"li": "limited", "wang": "dispatcher"}
    assert lines[1:] == [("note", f"photo, SHA-256 {photo.sha256}")]
    store = open_store()
    assert [store.user(limited.id), store.user(whole.id)] == [limited, whole]
    assert store.handovers.handover(sheet.id) == confirmed
    assert confirmed is not None
    assert confirmed.areas == "g1"
