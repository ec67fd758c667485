"""What Home Assistant needs to show the site without configuration: MQTT discovery, one device with its entities.

Topics are DISCOVERY/COMPONENT/gridpatrol_SITE/OBJECT/config, payloads as "MQTT discovery" of its documentation describes them.
"""

from camera_config.notification_rules import Language, Mqtt
from camera_config.site import Name, Site

__all__ = ["discovery"]

_COUNTS: dict[str, tuple[Name, str]] = {
    "incidents_open": (Name("未结案卷", "Open incidents"), "mdi:alarm-light"),
    "incidents_severity_1": (Name("未结一级案卷", "Open incidents of severity 1"), "mdi:alert-octagon"),
    "incidents_overdue": (Name("超时案卷", "Overdue incidents"), "mdi:timer-alert"),
    "cameras_offline": (Name("离线摄像机", "Cameras offline"), "mdi:cctv-off"),
    "teams_available": (Name("待命队伍", "Teams available"), "mdi:account-group"),
}
"""Keys of the topic `summary`, with a name and an icon."""


def discovery(site: Site, target: Mqtt) -> dict[str, dict[str, object]]:
    """Topics and payloads, to be retained: the summary's counts, an alarm, and the connection of every camera."""
    node = f"gridpatrol_{site.id}"
    shared: dict[str, object] = {
        "availability_topic": f"{target.prefix}/status",
        "device": {
            "identifiers": [node],
            "name": _in(site.name, target.language),
            "manufacturer": "Gridpatrol",
            "model": "Gridpatrol",
            **({"configuration_url": site.notifications.page} if site.notifications.page else {}),
        },
        "origin": {"name": "Gridpatrol"},
    }
    found: dict[str, dict[str, object]] = {}

    def add(component: str, key: str, name: str, **more: object) -> None:
        unique = f"{node}_{key}"
        topic = f"{target.discovery}/{component}/{node}/{key}/config"
        found[topic] = shared | {"name": name, "unique_id": unique, "object_id": unique} | more

    summary = f"{target.prefix}/summary"
    for key, (name, icon) in _COUNTS.items():
        template = f"{{{{ value_json.{key} }}}}"
        add("sensor", key, _in(name, target.language), state_topic=summary, value_template=template, icon=icon)
    alarm = "{{ 'ON' if value_json.incidents_severity_1 > 0 else 'OFF' }}"
    alarm_name = _in(Name("一级警情", "Alarm of severity 1"), target.language)
    add("binary_sensor", "alarm", alarm_name, state_topic=summary, value_template=alarm, device_class="safety")
    for camera in site.cameras:
        if camera.enabled:
            add(
                "binary_sensor",
                f"camera_{camera.id}",
                _in(camera.name, target.language),
                state_topic=f"{target.prefix}/camera/{camera.id}",
                value_template="{{ 'OFF' if value_json.health == 'offline' else 'ON' }}",
                device_class="connectivity",
                entity_category="diagnostic",
            )
    return found


def _in(name: Name, language: Language) -> str:
    return name.zh if language is Language.ZH else name.en
