"""CAP 1.2: every alert is checked against the rules of the standard's schema, written down below as far as they concern us."""

import re
from collections.abc import Sequence
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_config.notification_rules import Language, NoticeKind
from camera_config.time_limits import Category
from patrol import HistoryEntry, Incident, Origin, Report, Step, Verdict, advance, open_incident, open_report
from patrol.cap import NAMESPACE, incident_cap, message_cap
from patrol.grid import Grid
from patrol.notice_words import compose
from patrol.notify import Bundle, Notice
from tests.patrol.small_site import LI, NOON_S, command, intrusion, small_site

SITE = small_site()

# Element: at least, at most, what its text must be (None: it has children)
_DATE = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"
_ANY = r"(?s).+"
ALERT: Sequence[tuple[str, int, int, str | None]] = [
    ("identifier", 1, 1, r"[^ ,<&]+"),
    ("sender", 1, 1, r"[^ ,<&]+"),
    ("sent", 1, 1, _DATE),
    ("status", 1, 1, "Actual|Exercise|System|Test|Draft"),
    ("msgType", 1, 1, "Alert|Update|Cancel|Ack|Error"),
    ("source", 0, 1, _ANY),
    ("scope", 1, 1, "Public|Restricted|Private"),
    ("restriction", 0, 1, _ANY),
    ("addresses", 0, 1, _ANY),
    ("code", 0, 99, _ANY),
    ("note", 0, 1, _ANY),
    ("references", 0, 1, rf"[^ ,<&]+,[^ ,<&]+,{_DATE}"),
    ("incidents", 0, 1, _ANY),
    ("info", 0, 99, None),
]
INFO: Sequence[tuple[str, int, int, str | None]] = [
    ("language", 0, 1, r"[a-z]{2}-[A-Z]{2}"),
    ("category", 1, 99, "Geo|Met|Safety|Security|Rescue|Fire|Health|Env|Transport|Infra|CBRNE|Other"),
    ("event", 1, 1, _ANY),
    ("responseType", 0, 99, "Shelter|Evacuate|Prepare|Execute|Avoid|Monitor|Assess|AllClear|None"),
    ("urgency", 1, 1, "Immediate|Expected|Future|Past|Unknown"),
    ("severity", 1, 1, "Extreme|Severe|Moderate|Minor|Unknown"),
    ("certainty", 1, 1, "Observed|Likely|Possible|Unlikely|Unknown"),
    ("audience", 0, 1, _ANY),
    ("eventCode", 0, 99, None),
    ("effective", 0, 1, _DATE),
    ("onset", 0, 1, _DATE),
    ("expires", 0, 1, _DATE),
    ("senderName", 0, 1, _ANY),
    ("headline", 0, 1, _ANY),
    ("description", 0, 1, _ANY),
    ("instruction", 0, 1, _ANY),
    ("web", 0, 1, r"https?://\S+"),
    ("contact", 0, 1, _ANY),
    ("parameter", 0, 99, None),
    ("resource", 0, 99, None),
    ("area", 0, 99, None),
]
_PAIR = r"-?\d+(\.\d+)?,-?\d+(\.\d+)?"
AREA: Sequence[tuple[str, int, int, str | None]] = [
    ("areaDesc", 1, 1, _ANY),
    ("polygon", 0, 99, rf"{_PAIR}( {_PAIR}){{3,}}"),
    ("circle", 0, 99, rf"{_PAIR} \d+(\.\d+)?"),
    ("geocode", 0, 99, None),
    ("altitude", 0, 1, _ANY),
    ("ceiling", 0, 1, _ANY),
]
PAIR: Sequence[tuple[str, int, int, str | None]] = [("valueName", 1, 1, _ANY), ("value", 1, 1, _ANY)]
CHILDREN: dict[str, Sequence[tuple[str, int, int, str | None]]] = {
    "alert": ALERT,
    "info": INFO,
    "area": AREA,
    "parameter": PAIR,
    "geocode": PAIR,
    "eventCode": PAIR,
}


def check(element: Element) -> None:
    """Names, order, counts and texts, as the schema has them; and what its annotations say of several elements together."""
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    allowed = CHILDREN[name]
    tags = [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]
    order = [each[0] for each in allowed]
    assert [order.index(tag) for tag in tags] == sorted(order.index(tag) for tag in tags), f"order in {name}: {tags}"
    for tag, least, most, pattern in allowed:
        found = [child for child in element if child.tag == f"{{{NAMESPACE}}}{tag}"]
        assert least <= len(found) <= most, f"{len(found)} × {tag} in {name}"
        for child in found:
            if pattern is None:
                check(child)
            else:
                assert re.fullmatch(pattern, child.text or ""), f"{tag}: {child.text!r}"
    if name == "alert":
        assert (text(element, "scope") == "Restricted") == (element.find(f"{{{NAMESPACE}}}restriction") is not None)
        if text(element, "msgType") in ("Update", "Cancel"):
            assert text(element, "references")
    for polygon in element.findall(f"{{{NAMESPACE}}}polygon"):
        points = (polygon.text or "").split(" ")
        assert points[0] == points[-1]
        assert all(abs(float(point.split(",")[0])) <= 90 for point in points)  # latitude comes first


def text(element: Element, path: str) -> str:
    return element.findtext("/".join(f"{{{NAMESPACE}}}{name}" for name in path.split("/"))) or ""


def read(cap: str) -> Element:
    root = ElementTree.fromstring(cap)
    assert root.tag == f"{{{NAMESPACE}}}alert"
    check(root)
    return root


def opened() -> tuple[Incident, HistoryEntry]:
    return open_incident(intrusion(), "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e", 7, Grid(SITE).locate("c1"), NOON_S)


def test_an_incident_is_an_alert_in_both_languages() -> None:
    incident, first = opened()
    root = read(incident_cap(incident, first, first, SITE))
    assert text(root, "identifier") == f"{incident.id}.1"
    assert text(root, "sent") == "2023-11-15T12:00:00+08:00"
    assert (text(root, "status"), text(root, "msgType"), text(root, "incidents")) == ("Actual", "Alert", "7")
    zh, en = root.findall(f"{{{NAMESPACE}}}info")
    assert (text(zh, "language"), text(zh, "headline")) == ("zh-CN", "案卷 7：区域入侵")
    assert (text(en, "language"), text(en, "headline")) == ("en-US", "Incident 7: intrusion")
    assert (text(en, "category"), text(en, "urgency"), text(en, "severity")) == ("Security", "Immediate", "Severe")
    assert text(en, "area/areaDesc") == "Court One · Cell g1"
    assert text(en, "area/circle") == "30.002000,120.002000 0.05"


def test_what_follows_is_an_update_and_a_false_alarm_a_cancel() -> None:
    incident, first = opened()
    owned, entry = advance(incident, command(incident, Step.ACKNOWLEDGE, at_s=NOON_S + 60), NOON_S + 60)
    root = read(incident_cap(owned, first, entry, SITE))
    assert (text(root, "msgType"), text(root, "identifier")) == ("Update", f"{incident.id}.2")
    assert text(root, "references") == f"gridpatrol/s,{incident.id}.1,2023-11-15T12:00:00+08:00"
    closed, last = advance(owned, command(owned, Step.CLOSE, at_s=NOON_S + 90), NOON_S + 90)
    root = read(incident_cap(closed, first, last, SITE))
    assert (text(root, "msgType"), text(root, "info/urgency"), text(root, "info/certainty")) == ("Cancel", "Past", "Unlikely")


@pytest.mark.parametrize(
    ("changes", "certainty"),
    [
        ({"score": 0.9}, "Likely"),
        ({"score": 0.5}, "Possible"),
        ({"origin": Origin.PATROL}, "Observed"),
        ({"origin": Origin.HOTLINE}, "Possible"),
        ({"verdict": Verdict.SUSPICIOUS}, "Possible"),
        ({"verdict": Verdict.TRUE}, "Observed"),
    ],
)
def test_how_sure_we_are(changes: dict[str, object], certainty: str) -> None:
    incident, first = opened()
    changed = replace(incident, **changes)  # type: ignore[arg-type]  # fields by name
    assert text(read(incident_cap(changed, first, first, SITE)), "info/certainty") == certainty


def test_every_severity_and_category_has_a_word() -> None:
    incident, first = opened()
    for severity, urgency in ((1, "Immediate"), (2, "Immediate"), (3, "Expected"), (4, "Future")):
        root = read(incident_cap(replace(incident, severity=severity), first, first, SITE))
        assert text(root, "info/urgency") == urgency
    for category in Category:
        read(incident_cap(replace(incident, category=category, kind=None), first, first, SITE))


def test_a_drill_is_an_exercise() -> None:
    incident, first = opened()
    root = read(incident_cap(replace(incident, drill=True), first, first, SITE))
    assert text(root, "status") == "Exercise"
    assert "演练" in text(root, "info/headline")


@given(st.text(min_size=1, max_size=200).filter(str.strip))
def test_any_report_is_well_formed_and_holds_no_caller(summary: str) -> None:
    report = Report("r", Origin.HOTLINE, Category.HELP, 3, LI, NOON_S, summary, caller="Mrs Zhou 555", grid_cell="g1")
    where = Grid(SITE).locate_cell("g1")
    assert where is not None
    incident, first = open_report(report, "0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e", 1, where, NOON_S)
    try:
        cap = incident_cap(incident, first, first, SITE)
    except UnicodeEncodeError:
        pytest.fail("a lone surrogate came through")
    root = ElementTree.fromstring(cap)
    assert root.find(f"{{{NAMESPACE}}}info") is not None
    assert "Zhou" not in cap


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("kind", NoticeKind)
def test_every_message_is_an_alert(kind: NoticeKind, language: Language) -> None:
    notices = (
        Notice(1, kind, NOON_S, severity=3),
        Notice(2, kind, NOON_S, severity=2, grid_cell="g1", number=4, category="fire"),
    )
    for some in (notices[:1], notices):
        message = compose(Bundle("0199a3c2-7b1e-7c3a-9d52-3f6b1a2c4d5e", (), some), "t", language, SITE, NOON_S)
        root = read(message_cap(message, SITE, language))
        assert text(root, "identifier") == message.id
        assert text(root, "status") == ("Test" if kind is NoticeKind.TEST else "Actual")
