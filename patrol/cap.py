"""Common Alerting Protocol 1.2 (OASIS, July 2010): an incident, or a message, as other centres read it. Pure.

What our words become there is in the tables below and in docs/ref/notifications.md. Order and spelling of the elements are those
of the standard's schema; times carry the offset of the site, for the standard allows no `Z`.
"""

from dataclasses import dataclass
from datetime import datetime
from xml.etree import ElementTree

from camera_config.name import Name
from camera_config.notification_rules import Language, NoticeKind
from camera_config.site import Point, Site
from camera_config.time_limits import Category
from patrol.incident import HistoryEntry, Incident, Origin
from patrol.notice_words import Message, what_of
from patrol.steps import Verdict

__all__ = ["NAMESPACE", "incident_cap", "message_cap"]

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"

_SEVERITY = {1: "Extreme", 2: "Severe", 3: "Moderate", 4: "Minor"}
_URGENCY = {1: "Immediate", 2: "Immediate", 3: "Expected", 4: "Future"}
_CATEGORY = {
    Category.PUBLIC_ORDER: "Security",
    Category.TRAFFIC: "Transport",
    Category.FIRE: "Fire",
    Category.ENVIRONMENT: "Env",
    Category.FACILITY: "Infra",
    Category.DISPUTE: "Security",
    Category.HELP: "Safety",
    Category.CAMERA_HEALTH: "Infra",
    Category.OTHER: "Other",
}
_CERTAINTY_OF_VERDICT = {
    Verdict.TRUE: "Observed",
    Verdict.SUSPICIOUS: "Possible",
    Verdict.FALSE_ALARM: "Unlikely",
    Verdict.DUPLICATE: "Unlikely",
}
_WITNESSED = frozenset({Origin.PATROL, Origin.INSPECTION})
_LIKELY_SCORE = 0.8
_RADIUS_KM = 0.05  # within which a camera's incident lies: about as far as it sees
_RESTRICTION = "For duty rooms and response teams only. 仅供值班与处置使用。"
_LANGUAGE = {Language.ZH: "zh-CN", Language.EN: "en-US"}


@dataclass(frozen=True, slots=True)
class _Info:
    """One language of an alert."""

    language: Language
    category: str
    event: str
    urgency: str
    severity: str
    certainty: str
    headline: str
    description: str
    area: str
    onset_s: float | None = None
    web: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    polygon: tuple[Point, ...] = ()
    centre: Point | None = None
    codes: tuple[tuple[str, str], ...] = ()


def incident_cap(incident: Incident, first: HistoryEntry, last: HistoryEntry, site: Site) -> str:
    """The alert of an incident as it is after `last`, in both languages; `first` is the line that opened it.

    An Alert as long as nothing followed the opening, an Update afterwards, a Cancel once it was closed as a false alarm or a
    duplicate.
    """
    unfounded = incident.verdict in (Verdict.FALSE_ALARM, Verdict.DUPLICATE)
    kind = "Cancel" if unfounded else "Alert" if incident.version == first.version else "Update"
    root = _alert(f"{incident.id}.{incident.version}", last.recorded_s, site, kind, "Exercise" if incident.drill else "Actual")
    if kind != "Alert":
        _add(root, "references", f"{_sender(site)},{incident.id}.{first.version},{_time(first.recorded_s, site)}")
    _add(root, "incidents", str(incident.number))
    for language in Language:
        _add_info(root, _incident_info(incident, site, language), last.recorded_s, site)
    return _text(root)


def message_cap(message: Message, site: Site, language: Language) -> str:
    """A message as an alert in the language of its target; what it is about may be several incidents, or none."""
    status = "Exercise" if message.drill else "Test" if message.kind == NoticeKind.TEST else "Actual"
    root = _alert(message.id, message.made_s, site, "Alert", status)
    numbers = sorted({notice.number for notice in message.notices if notice.number})
    if numbers:
        _add(root, "incidents", " ".join(map(str, numbers)))
    worst = min(message.notices, key=lambda notice: (notice.severity, notice.id))
    cells = {notice.grid_cell for notice in message.notices if notice.grid_cell}
    info = _Info(
        language=language,
        category=_CATEGORY.get(Category(worst.category), "Other") if worst.category else "Other",
        event=_in(what_of(worst.event_kind, worst.category), language) if worst.number else message.title,
        urgency=_URGENCY[message.severity],
        severity=_SEVERITY[message.severity],
        certainty="Unknown",
        headline=message.title,
        description="\n".join(message.lines),
        area="、".join(_in(_place_name(cell, site), language) for cell in sorted(cells)) or _in(site.name, language),
        onset_s=min(notice.at_s for notice in message.notices),
        web=message.link,
        parameters=(("gridpatrol:kind", message.kind), ("gridpatrol:count", str(message.count))),
        codes=tuple(("gridpatrol:grid_cell", cell) for cell in sorted(cells)),
    )
    _add_info(root, info, message.made_s, site)
    return _text(root)


def _incident_info(incident: Incident, site: Site, language: Language) -> _Info:
    what = _in(what_of(incident.kind.value if incident.kind else "", incident.category.value), language)
    place = site.place_by_id.get(incident.grid_cell)
    where = [_in(_place_name(each, site), language) for each in (incident.compound, incident.grid_cell) if each]
    drill = _in(Name("【演练】", "[DRILL] "), language) if incident.drill else ""
    return _Info(
        language=language,
        category=_CATEGORY[incident.category],
        event=what,
        urgency=_URGENCY[incident.severity] if incident.is_open else "Past",
        severity=_SEVERITY[incident.severity],
        certainty=_certainty(incident),
        headline=drill + _in(Name(f"案卷 {incident.number}：{what}", f"Incident {incident.number}: {what}"), language),
        description=incident.summary or f"{drill}{what}",
        area=" · ".join(where) or _in(site.name, language),
        onset_s=incident.began_s,
        web=f"{site.notifications.page}/#incident={incident.id}" if site.notifications.page else "",
        parameters=(
            ("gridpatrol:work", incident.work.value),
            ("gridpatrol:origin", incident.origin.value),
            *((("gridpatrol:verdict", incident.verdict.value),) if incident.verdict else ()),
        ),
        polygon=place.outline if place else (),
        centre=None if incident.lon is None or incident.lat is None else (incident.lon, incident.lat),
        codes=(("gridpatrol:grid_cell", incident.grid_cell),) if incident.grid_cell else (),
    )


def _certainty(incident: Incident) -> str:
    if incident.verdict is not None:
        return _CERTAINTY_OF_VERDICT[incident.verdict]
    if incident.origin in _WITNESSED:
        return "Observed"
    return "Likely" if incident.origin is Origin.EVENT and incident.score >= _LIKELY_SCORE else "Possible"


def _alert(identifier: str, sent_s: float, site: Site, kind: str, status: str) -> ElementTree.Element:
    root = ElementTree.Element("alert", xmlns=NAMESPACE)
    _add(root, "identifier", identifier)
    _add(root, "sender", _sender(site))
    _add(root, "sent", _time(sent_s, site))
    _add(root, "status", status)
    _add(root, "msgType", kind)
    _add(root, "source", "Gridpatrol")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", _RESTRICTION)
    return root


def _add_info(root: ElementTree.Element, info: _Info, sent_s: float, site: Site) -> None:
    element = ElementTree.SubElement(root, "info")
    _add(element, "language", _LANGUAGE[info.language])
    _add(element, "category", info.category)
    _add(element, "event", info.event)
    _add(element, "urgency", info.urgency)
    _add(element, "severity", info.severity)
    _add(element, "certainty", info.certainty)
    _add(element, "effective", _time(sent_s, site))
    if info.onset_s is not None:
        _add(element, "onset", _time(info.onset_s, site))
    _add(element, "senderName", _in(site.name, info.language))
    _add(element, "headline", info.headline)
    _add(element, "description", info.description)
    if info.web:
        _add(element, "web", info.web)
    for name, value in info.parameters:
        _add_pair(element, "parameter", name, value)
    area = ElementTree.SubElement(element, "area")
    _add(area, "areaDesc", info.area)
    if len(info.polygon) >= 4:
        _add(area, "polygon", " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in info.polygon))
    if info.centre is not None:
        _add(area, "circle", f"{info.centre[1]:.6f},{info.centre[0]:.6f} {_RADIUS_KM:g}")
    for name, value in info.codes:
        _add_pair(area, "geocode", name, value)


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    # XML has no way to write most control characters, not even escaped.
    ElementTree.SubElement(parent, name).text = "".join(one for one in text if one in "\n\t" or _is_xml(ord(one)))


def _is_xml(code: int) -> bool:
    return 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code >= 0x10000


def _add_pair(parent: ElementTree.Element, element: str, name: str, value: str) -> None:
    pair = ElementTree.SubElement(parent, element)
    _add(pair, "valueName", name)
    _add(pair, "value", value)


def _text(root: ElementTree.Element) -> str:
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _time(time_s: float, site: Site) -> str:
    return datetime.fromtimestamp(time_s, site.zone_info).isoformat(timespec="seconds")


def _sender(site: Site) -> str:
    return f"gridpatrol/{site.id}"


def _place_name(place: str, site: Site) -> Name:
    found = site.place_by_id.get(place)
    return found.name if found else Name(place, place)


def _in(name: Name, language: Language) -> str:
    return name.zh if language is Language.ZH else name.en
