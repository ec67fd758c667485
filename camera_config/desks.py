"""Referral desks: the other lines to which an incident can be handed, as a site configures them."""

from dataclasses import dataclass
from enum import StrEnum

from camera_config.name import Name
from camera_config.schedule import ALWAYS, Schedule

__all__ = ["FEEDBACK_MIN", "RECEIPT_MIN", "Desk", "DeskKind"]

RECEIPT_MIN, FEEDBACK_MIN = 30.0, 480.0
"""Minutes of opening hours until a desk has said that it takes a matter, and between two lines of feedback; our own choice."""


class DeskKind(StrEnum):
    MEDIATION = "mediation"  # 人民调解
    LEGAL_AID = "legal_aid"  # 法律援助
    COUNSELLING = "counselling"  # 心理疏导
    PROPERTY = "property"  # 物业服务
    MEDICAL = "medical"  # 医疗救助
    ELDER_CARE = "elder_care"  # 助老服务
    CULTURE = "culture"  # 文体服务
    SCHOOLING = "schooling"  # 就学帮扶
    HOME_SERVICE = "home_service"  # 家政维修
    RESETTLEMENT = "resettlement"  # 安置帮教
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Desk:
    """One line. `users` are the names of those who answer for it at the control room's pages.

    Without them the desk is asked by telephone, and whoever sits at the control room enters what it says. `places` empty: it
    serves the whole sub-district; else what lies in one of these communities, compounds or grid cells.
    """

    id: str
    name: Name
    kind: DeskKind
    opening_hours: Schedule = ALWAYS  # both limits count these hours only, and no holidays
    receipt_min: float = RECEIPT_MIN
    feedback_min: float = FEEDBACK_MIN
    users: tuple[str, ...] = ()
    responsible: str = ""  # post that answers for the desk; a post, not a person
    places: tuple[str, ...] = ()
