"""`notifications.toml`: what it gives, and every way in which it is wrong."""

from pathlib import Path

import pytest

from camera_config import SiteError, load_site
from camera_config.notification_rules import (
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
    TellRule,
    Webhook,
)
from camera_config.schedule import Schedule
from tests.camera_config.small_site import write_small_site

TOML = """\
page = "https://grid.example.org/"
keep_trying_h = 12
camera_after_min = 10

[[webhook]]
id = "city"
url = "https://city.example.org/in?from=grid"
secret = "city-key"
body = "cap"
language = "en"

[[robot]]
id = "duty-group"
service = "dingtalk"
token = "duty-token"
secret = "city-key"

[[email]]
id = "secretary"
to = ["secretary@example.org", "deputy@example.org"]
sender = "grid@example.org"
server = "smtp.example.org"
login = "mail"

[[mqtt]]
id = "home"
url = "mqtts://broker.example.org"
prefix = "street/grid"
version = "3.1.1"
discovery = "homeassistant"

[[rule]]
targets = ["duty-group", "city"]

[[rule]]
targets = ["secretary"]
kinds = ["escalated"]
severity = 3
levels = ["community"]
places = ["west"]
group_s = 60
quiet = "22:00-07:00"
"""
SECRETS = """\
[door]
user = "viewer"
password = "s3cret-word"

[city-key]
password = "whsec_c2VjcmV0"

[duty-token]
password_env = "DUTY_TOKEN"

[mail]
user = "grid"
password = "another-word"
"""


def written(folder: Path, toml: str = TOML, secrets: str = SECRETS) -> Path:
    write_small_site(folder)
    (folder / "notifications.toml").write_text(toml, "utf-8")
    (folder / "secrets.toml").write_text(secrets, "utf-8")
    (folder / "secrets.toml").chmod(0o600)
    return folder


def test_everything_is_read(tmp_path: Path) -> None:
    site = load_site(written(tmp_path), {"DUTY_TOKEN": "t0ken"})
    assert site.notifications == NotificationRules(
        page="https://grid.example.org",
        keep_trying_s=12 * 3600.0,
        camera_after_s=600.0,
        targets=(
            Webhook("city", "https://city.example.org/in?from=grid", Language.EN, "city-key", Body.CAP),
            Robot("duty-group", RobotService.DINGTALK, "duty-token", Language.ZH, "city-key"),
            Email(
                "secretary",
                ("secretary@example.org", "deputy@example.org"),
                "grid@example.org",
                "smtp.example.org",
                587,
                Security.STARTTLS,
                login="mail",
            ),
            Mqtt("home", "broker.example.org", 8883, True, Language.ZH, "", "street/grid", MqttVersion.V3, "homeassistant"),
        ),
        rules=(
            TellRule(("duty-group", "city")),
            TellRule(
                ("secretary",),
                (NoticeKind.ESCALATED,),
                3,
                (NoticeLevel.COMMUNITY,),
                ("west",),
                60.0,
                Schedule.parse("22:00-07:00"),
            ),
        ),
    )
    assert site.credential_by_name["duty-token"].password == "t0ken"


def test_without_the_file_nobody_is_told(tmp_path: Path) -> None:
    write_small_site(tmp_path)
    assert load_site(tmp_path).notifications == NotificationRules()


# what is replaced, by what, and a fragment of the message
CASES = [
    ('page = "https://grid.example.org/"', 'page = "grid"', "notifications.toml:1: page: expected an address such as https://"),
    ('page = "https://grid.example.org/"', 'pages = "x"', "notifications.toml:1: pages: unknown key; did you mean 'page'?"),
    ("keep_trying_h = 12", "keep_trying_h = 0", "notifications.toml:2: keep_trying_h: expected a number from 0.1 to 720, got 0"),
    ("https://city.example.org/in", "https://user:hunter2@city.example.org/in", "webhook.url: expected an address"),
    ("https://city.example.org/in", "ftp://city.example.org/in", "webhook.url: expected an address"),
    ("https://city.example.org/in", "https://[::1/in", "webhook.url: expected an address"),
    ("https://city.example.org/in", "https://city.example.org:99999/in", "webhook.url: expected an address"),
    ('secret = "city-key"\nbody', 'secret = "no-key"\nbody', "webhook.secret: expected a name from secrets.toml, got 'no-key'"),
    ('body = "cap"', 'body = "xml"', "webhook.body: expected one of json, cap, got 'xml'"),
    ('service = "dingtalk"', 'service = "slack"', "robot.service: expected one of wecom, dingtalk, feishu, got 'slack'"),
    ('service = "dingtalk"', 'service = "wecom"', "robot.secret: expected none"),
    ('token = "duty-token"\n', "", "robot.token: missing"),
    ('id = "duty-group"', 'id = "city"', "robot.id: expected each id once among all receivers, got 'city' again"),
    ('"deputy@example.org"', '"deputy"', "email.to: expected an e-mail address such as duty@example.org, got 'deputy'"),
    ('"deputy@example.org"', "7", "email.to: expected an e-mail address, or a list of them"),
    ('"grid@example.org"', '"grid@example.org\\nBcc: x@y"', "email.sender: expected no control characters"),
    ('server = "smtp.example.org"', 'server = "smtp example"', "email.server: expected the name or address of a host"),
    ('login = "mail"', 'login = "mail"\nsecurity = "none"', "email.security: expected tls or starttls with a login"),
    ('login = "mail"', 'login = "door"', "email.login: expected no login of a camera, got 'door', which c0001 uses"),
    ('token = "duty-token"', 'token = "door"', "robot.token: expected no login of a camera, got 'door', which c0001 uses"),
    ('secret = "city-key"\nbody', 'secret = "door"\nbody', "webhook.secret: expected no login of a camera, got 'door'"),
    ('login = "mail"', 'login = "city-key"', "secrets.toml:5: city-key.user: missing"),
    ("mqtts://broker.example.org", "mqtts://broker.example.org/topic", "mqtt.url: expected mqtt:// or mqtts://, a host"),
    ('prefix = "street/grid"', 'prefix = "street/#"', "mqtt.prefix: expected words of letters"),
    ('version = "3.1.1"', 'version = "4"', "mqtt.version: expected one of 3.1.1, 5"),
    ('["duty-group", "city"]', '["duty-groups"]', "rule.targets: expected ids of receivers, got 'duty-groups'"),
    ('kinds = ["escalated"]', 'kinds = ["test"]', "rule.kinds: expected a list of some of opened, dispatch"),
    ('kinds = ["escalated"]', "kinds = []", "rule.kinds: expected a list of some of opened"),
    ("severity = 3", "severity = 5", "rule.severity: expected a whole number from 1 to 4, got 5"),
    ('levels = ["community"]', 'levels = "community"', "rule.levels: expected a list of some of cell, section"),
    ('places = ["west"]', 'places = ["wset"]', "rule.places: expected ids of places or sections, got 'wset'"),
    ("group_s = 60", "group_s = -1", "rule.group_s: expected a number from 0 to 3600, got -1"),
    ('quiet = "22:00-07:00"', 'quiet = "always"', "rule.quiet: expected hours that end"),
    ('quiet = "22:00-07:00"', 'quiet = "at night"', "rule.quiet: expected 'always'"),
    ("[[webhook]]", "[webhook]", "webhook: expected [[webhook]] tables with two brackets"),
    ('[[rule]]\ntargets = ["duty', '[[rules]]\ntargets = ["duty', "rules: unknown key"),
]


@pytest.mark.parametrize(("old", "new", "fragment"), CASES)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, old: str, new: str, fragment: str) -> None:
    assert TOML.count(old) == 1
    written(tmp_path, TOML.replace(old, new))
    with pytest.raises(SiteError) as raised:
        load_site(tmp_path, {"DUTY_TOKEN": "t0ken"})
    assert fragment in str(raised.value)
    assert "hunter2" not in str(raised.value)
