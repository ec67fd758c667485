"""`notifications.toml`: receivers of notices, and who is told what. Secrets are named here and stand in `secrets.toml`."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from base import ConfigError, TomlFile
from camera_config.checks import check_logins
from camera_config.entry import Entry, Found, Problems, shown
from camera_config.notification_rules import (
    CAMERA_AFTER_S,
    GROUP_S,
    KEEP_TRYING_S,
    Body,
    Email,
    Language,
    Mqtt,
    MqttVersion,
    NoticeKind,
    NoticeLevel,
    NotificationRules,
    Robot,
    RobotService,
    Security,
    Target,
    TellRule,
    Webhook,
)
from camera_config.read_tables import read_schedule
from camera_config.site import Camera, Credential, Place, Section

__all__ = ["NOTIFICATION_KEYS", "NotificationsFile", "check_notifications", "read_notifications"]

E = TypeVar("E", bound=StrEnum)

_TOP_KEYS = ("page", "keep_trying_h", "camera_after_min")
NOTIFICATION_KEYS = {
    "": _TOP_KEYS,
    "webhook": ("id", "language", "url", "secret", "body"),
    "robot": ("id", "language", "service", "token", "secret", "url"),
    "email": ("id", "language", "to", "sender", "server", "port", "security", "login"),
    "mqtt": ("id", "language", "url", "login", "prefix", "version", "discovery"),
    "rule": ("targets", "kinds", "severity", "levels", "places", "group_s", "quiet"),
}
"""The keys of each table of `notifications.toml`; those of '' stand above all tables."""

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,45}")
_PREFIX = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
_PORT_OF = {Security.TLS: 465, Security.STARTTLS: 587, Security.NONE: 25}
_CHOSEN = tuple(kind for kind in NoticeKind if kind is not NoticeKind.TEST)


@dataclass(frozen=True, slots=True)
class NotificationsFile:
    """Everything found in `notifications.toml`; `settings` holds its rules but for targets and rules."""

    settings: NotificationRules = NotificationRules()  # noqa: RUF009  # frozen
    targets: tuple[Found[Target], ...] = ()
    rules: tuple[Found[TellRule], ...] = ()

    @property
    def all(self) -> NotificationRules:
        """What of it is good."""
        return NotificationRules(
            page=self.settings.page,
            keep_trying_s=self.settings.keep_trying_s,
            camera_after_s=self.settings.camera_after_s,
            targets=tuple(found.value for found in self.targets if found.value),
            rules=tuple(found.value for found in self.rules if found.value),
        )


def read_notifications(path: Path, problems: Problems) -> NotificationsFile:
    """Read the file, noting what is wrong; a missing one means that nobody is told."""
    if not path.exists():
        return NotificationsFile()
    try:
        file = TomlFile.read(path)
    except ConfigError as error:
        problems.add_error(path, error)
        return NotificationsFile()
    values = {key: value for key, value in file.data.items() if key == "" or key not in NOTIFICATION_KEYS}
    top = Entry(problems, path, values, partial(file.line_of, "", 0))
    top.only(_TOP_KEYS)
    settings = NotificationRules(
        page=_url(top, "page", ("http", "https"), default="").rstrip("/"),
        # Rounded, so that a site that is written and read again is the same.
        keep_trying_s=round(3600.0 * top.number("keep_trying_h", 0.1, 24 * 30, KEEP_TRYING_S / 3600.0), 3),
        camera_after_s=round(60.0 * top.number("camera_after_min", 0, 24 * 60, CAMERA_AFTER_S / 60.0), 3),
    )
    targets: list[Found[Target]] = []
    for table, read in _READ.items():
        for entry in _tables(file, path, table, problems):
            target = read(entry)
            targets.append(Found(entry, target.id, target if entry.ok else None))
    rules = []
    for entry in _tables(file, path, "rule", problems):
        rule = _rule(entry)
        rules.append(Found(entry, "", rule if entry.ok else None))
    return NotificationsFile(settings, tuple(targets), tuple(rules))


def check_notifications(
    file: NotificationsFile,
    credentials: Sequence[Found[Credential]] | None,
    places: Collection[Found[Place]],
    sections: Collection[Found[Section]],
    cameras: Collection[Found[Camera]] = (),
) -> None:
    """Note what does not fit together: ids twice, targets, secrets and places that do not exist. None: secrets unreadable.

    A login of cameras is refused, too: a receiver would be sent the password with which they are watched.
    """
    of_camera = {found.value.credential: found.id for found in reversed([*cameras]) if found.value and found.value.credential}
    seen: set[str] = set()
    secrets = None if credentials is None else {found.id for found in credentials}
    for target in file.targets:
        if target.id in seen:
            target.entry.refuse("id", f"expected each id once among all receivers, got {shown(target.id)} again")
        seen.add(target.id)
        for key in ("secret", "token", "login"):
            name = target.entry.value(key)
            if secrets is not None and isinstance(name, str) and name not in secrets:
                target.entry.refuse(key, f"expected a name from secrets.toml, got {shown(name)}")
            if isinstance(name, str) and name in of_camera:
                target.entry.refuse(key, f"expected no login of a camera, got {shown(name)}, which {of_camera[name]} uses")
    if credentials is not None:
        logins = (target.value.login for target in file.targets if isinstance(target.value, Email | Mqtt))
        check_logins({login for login in logins if login}, credentials)
    known = {found.id for found in places} | {found.id for found in sections}
    for rule in file.rules:
        for name in rule.value.targets if rule.value else ():
            if name not in seen:
                rule.entry.refuse("targets", f"expected ids of receivers, got {shown(name)}")
        for name in rule.value.places if rule.value else ():
            if name not in known:
                rule.entry.refuse("places", f"expected ids of places or sections, got {shown(name)}")


def _webhook(entry: Entry) -> Webhook:
    entry.only(NOTIFICATION_KEYS["webhook"])
    return Webhook(
        id=entry.id(),
        url=_url(entry, "url", ("http", "https")),
        language=entry.choice("language", Language, Language.ZH),
        secret=entry.id("secret", ""),
        body=entry.choice("body", Body, Body.JSON),
    )


def _robot(entry: Entry) -> Robot:
    entry.only(NOTIFICATION_KEYS["robot"])
    service = entry.choice("service", RobotService)
    if service is RobotService.WECOM and entry.value("secret") is not None:
        entry.refuse("secret", "expected none: robots of 企业微信 have no signature")
    return Robot(
        id=entry.id(),
        service=service,
        token=entry.id("token"),
        language=entry.choice("language", Language, Language.ZH),
        secret=entry.id("secret", ""),
        url=_url(entry, "url", ("http", "https"), default=""),
    )


def _email(entry: Entry) -> Email:
    entry.only(NOTIFICATION_KEYS["email"])
    security = entry.choice("security", Security, Security.STARTTLS)
    login = entry.id("login", "")
    if login and security is Security.NONE:
        entry.refuse("security", "expected tls or starttls with a login; without them anybody on the way reads the password")
    return Email(
        id=entry.id(),
        to=_addresses(entry),
        sender=_address(entry, "sender", entry.text("sender", most=320)),
        server=_host(entry, "server", entry.text("server", most=253)),
        port=entry.whole("port", 1, 65535, _PORT_OF[security]),
        security=security,
        language=entry.choice("language", Language, Language.ZH),
        login=login,
    )


def _mqtt(entry: Entry) -> Mqtt:
    entry.only(NOTIFICATION_KEYS["mqtt"])
    parts = urlsplit(_url(entry, "url", ("mqtt", "mqtts")))
    tls = parts.scheme == "mqtts"
    if parts.path.strip("/"):
        entry.refuse("url", "expected mqtt:// or mqtts://, a host and at most a port; topics begin with prefix")
    return Mqtt(
        id=entry.id(),
        host=parts.hostname or "",
        port=parts.port or (8883 if tls else 1883),
        tls=tls,
        language=entry.choice("language", Language, Language.ZH),
        login=entry.id("login", ""),
        prefix=_topic(entry, "prefix", "gridpatrol"),
        version=entry.choice("version", MqttVersion, MqttVersion.V5),
        discovery=_topic(entry, "discovery", ""),
    )


_READ: Mapping[str, Callable[[Entry], Target]] = {"webhook": _webhook, "robot": _robot, "email": _email, "mqtt": _mqtt}


def _rule(entry: Entry) -> TellRule:
    entry.only(NOTIFICATION_KEYS["rule"])
    quiet = read_schedule(entry, "quiet", None) if entry.value("quiet") is not None else None
    if quiet is not None and quiet.text == "always":
        entry.refuse("quiet", "expected hours that end; a notice waits until they are over")
    return TellRule(
        targets=entry.ids("targets"),
        kinds=_some(entry, "kinds", NoticeKind, _CHOSEN),
        severity=entry.whole("severity", 1, 4, 4),
        levels=_some(entry, "levels", NoticeLevel, tuple(NoticeLevel)),
        places=entry.ids("places") if entry.value("places") is not None else (),
        group_s=entry.number("group_s", 0, 3600, GROUP_S),
        quiet=quiet,
    )


def _tables(file: TomlFile, path: Path, table: str, problems: Problems) -> Iterator[Entry]:
    tables = file.data.get(table, [])
    if not isinstance(tables, list) or not all(isinstance(values, dict) for values in tables):
        line = max(file.line_of(table, 0, ""), file.line_of("", 0, table))
        problems.add(path, line, f"{table}: expected [[{table}]] tables with two brackets")
        return
    for index, values in enumerate(tables):
        yield Entry(problems, path, values, partial(file.line_of, table, index), f"{table}.")


def _url(entry: Entry, key: str, schemes: tuple[str, ...], default: str | None = None) -> str:
    """An address without a login in it, empty if it is wrong."""
    text = entry.text(key, default, most=1000)
    if not text:
        return ""
    expected = f"expected an address such as {schemes[-1]}://host.example.org, without a login in it"
    try:
        parts = urlsplit(text)
        wrong = parts.scheme not in schemes or not parts.hostname or not _HOST.fullmatch(parts.hostname)
        wrong = wrong or parts.port == 0 or "@" in parts.netloc or bool(parts.fragment) or not text.isascii() or " " in text
    except ValueError:
        wrong = True
    if wrong:
        entry.refuse(key, f"{expected}, got {shown(text)}")
        return ""
    return text


def _addresses(entry: Entry) -> tuple[str, ...]:
    value = entry.value("to")
    given = value if isinstance(value, list) else [value]
    addresses = tuple(each for each in given if isinstance(each, str) and each)
    if not given or len(addresses) < len(given):
        entry.refuse("to", "expected an e-mail address, or a list of them")
        return ()
    return tuple(_address(entry, "to", each) for each in addresses)


def _address(entry: Entry, key: str, text: str) -> str:
    if text and not _ADDRESS.fullmatch(text):
        entry.refuse(key, f"expected an e-mail address such as duty@example.org, got {shown(text)}")
        return ""
    return text


def _host(entry: Entry, key: str, text: str) -> str:
    if text and not _HOST.fullmatch(text):
        entry.refuse(key, f"expected the name or address of a host, got {shown(text)}")
        return ""
    return text


def _topic(entry: Entry, key: str, default: str) -> str:
    text = entry.text(key, default, 200)
    if text and not _PREFIX.fullmatch(text):
        entry.refuse(key, f"expected words of letters, digits, '-' and '_' with '/' in between, got {shown(text)}")
        return default
    return text


def _some(entry: Entry, key: str, kind: type[E], among: tuple[E, ...]) -> tuple[E, ...]:
    """Members of a closed set; none where the key is absent."""
    value = entry.value(key)
    if value is None:
        return ()
    words = [each for each in value if isinstance(each, str) and each in among] if isinstance(value, list) else []
    if not isinstance(value, list) or not value or len(words) < len(value):
        entry.refuse(key, f"expected a list of some of {', '.join(among)}, got {shown(value)}")
        return ()
    return tuple(dict.fromkeys(kind(word) for word in words))
