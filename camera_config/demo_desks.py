"""The referral desks of the demo sub-district, one of each kind."""

from camera_config.desks import Desk, DeskKind
from camera_config.name import Name
from camera_config.schedule import ALWAYS, Schedule

__all__ = ["make_desks"]

_OFFICE = Schedule.parse("mon-fri 08:30-12:00, mon-fri 13:30-17:30")
_DAILY = Schedule.parse("08:00-20:00")


def make_desks() -> tuple[Desk, ...]:
    """Ten desks, asked by telephone: none has users of its own, because the demo has none."""
    return (
        _desk(DeskKind.MEDIATION, "人民调解委员会", "Mediation committee", _OFFICE, 60, 1440),
        _desk(DeskKind.LEGAL_AID, "法律援助站", "Legal aid", _OFFICE, 120, 1440),
        _desk(DeskKind.COUNSELLING, "心理服务室", "Counselling room", _OFFICE, 120, 1440),
        _desk(DeskKind.PROPERTY, "物业服务热线", "Property services", _DAILY, 30, 480),
        _desk(DeskKind.MEDICAL, "社区卫生服务中心", "Community health centre", ALWAYS, 10, 120),
        _desk(DeskKind.ELDER_CARE, "助老服务站", "Elder care", _DAILY, 30, 480),
        _desk(DeskKind.CULTURE, "文化活动中心", "Culture centre", _DAILY, 240, 2880),
        _desk(DeskKind.SCHOOLING, "就学帮扶办", "Schooling support", _OFFICE, 240, 2880),
        _desk(DeskKind.HOME_SERVICE, "家政维修服务点", "Home services", _DAILY, 60, 480),
        _desk(DeskKind.RESETTLEMENT, "安置帮教工作站", "Resettlement support", _OFFICE, 240, 2880),
    )


def _desk(kind: DeskKind, zh: str, en: str, hours: Schedule, receipt_min: float, feedback_min: float) -> Desk:
    return Desk(
        kind.value.replace("_", "-"), Name(zh, en), kind, hours, receipt_min, feedback_min, responsible=f"Head of {en.lower()}"
    )
