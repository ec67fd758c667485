"""Who may do what: one table, one function. What is not in the table is denied."""

from dataclasses import dataclass
from enum import StrEnum

from base import DeniedError
from patrol import Incident, Step
from storage import Area

__all__ = [
    "ANONYMOUS",
    "POLICY",
    "STEP_ACTION",
    "Action",
    "NotSignedInError",
    "Permit",
    "Principal",
    "PrincipalKind",
    "Role",
    "TeamRight",
    "authorize",
]


class NotSignedInError(DeniedError):
    """Nobody is signed in, and the action needs somebody."""


class PrincipalKind(StrEnum):
    ANONYMOUS = "anonymous"
    USER = "user"
    TEAM = "team"  # a phone paired with a team
    SCRAPER = "scraper"  # whoever holds the metrics token


class Role(StrEnum):
    """What a user is; each may do everything the one before it may. `team` is the role of a phone and no step of the ladder."""

    OPERATOR = "operator"
    DISPATCHER = "dispatcher"
    ADMINISTRATOR = "administrator"
    TEAM = "team"


_LADDER = (Role.OPERATOR, Role.DISPATCHER, Role.ADMINISTRATOR)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. `team` is set iff `kind` is team; then `name` is its Chinese name, the one that histories show.

    `area` is what a limited user may see and act on, None for everybody else; `scope.py` says what that means for each route.
    """

    kind: PrincipalKind
    id: str = ""
    name: str = ""
    role: Role | None = None
    team: str | None = None
    name_en: str = ""  # of a team; users have one name
    area: Area | None = None


ANONYMOUS = Principal(PrincipalKind.ANONYMOUS)


class Action(StrEnum):
    """Everything that can be asked of the dashboard; each route names exactly one."""

    LOAD_PAGE = "load_page"
    READ_HEALTH = "read_health"
    SET_UP = "set_up"
    SIGN_IN = "sign_in"
    READ_SESSION = "read_session"
    SIGN_OUT = "sign_out"
    FOLLOW_UPDATES = "follow_updates"
    READ_API = "read_api"
    READ_SITE = "read_site"
    READ_CAMERAS = "read_cameras"
    READ_SNAPSHOT = "read_snapshot"
    WATCH_LIVE = "watch_live"
    READ_INCIDENTS = "read_incidents"
    READ_EVENT_SNAPSHOT = "read_event_snapshot"
    REPORT_INCIDENT = "report_incident"
    TAKE_STEP = "take_step"  # any step at all; which one is then asked by its own action
    STEP_ACKNOWLEDGE = "step_acknowledge"
    STEP_TAKE_OVER = "step_take_over"
    STEP_DISPATCH = "step_dispatch"
    STEP_ACCEPT = "step_accept"
    STEP_REFUSE = "step_refuse"
    STEP_DEPART = "step_depart"
    STEP_ARRIVE = "step_arrive"
    STEP_REPORT = "step_report"
    STEP_VERIFY = "step_verify"
    STEP_CLOSE = "step_close"
    STEP_REOPEN = "step_reopen"
    STEP_MERGE = "step_merge"
    STEP_SPLIT = "step_split"
    STEP_SHELVE = "step_shelve"
    STEP_UNSHELVE = "step_unshelve"
    STEP_PAUSE = "step_pause"
    STEP_RESUME = "step_resume"
    STEP_NOTE = "step_note"
    ADD_PHOTO = "add_photo"
    READ_PHOTO = "read_photo"
    SEND_SUPPORT = "send_support"
    MOVE_SUPPORT = "move_support"
    READ_TEAMS = "read_teams"
    READ_ROSTER = "read_roster"
    CHANGE_ROSTER = "change_roster"
    READ_REFERRALS = "read_referrals"
    TAKE_REFERRAL_STEP = "take_referral_step"
    READ_HANDOVERS = "read_handovers"
    SIGN_HANDOVER = "sign_handover"
    READ_LEDGER = "read_ledger"
    EXPORT_LEDGER = "export_ledger"
    READ_ASSESSMENT = "read_assessment"
    READ_ROUNDS = "read_rounds"
    READ_MY_ROUNDS = "read_my_rounds"
    READ_MY_SHIFT = "read_my_shift"
    CALL_FOR_HELP = "call_for_help"
    WALK_ROUND = "walk_round"
    MANAGE_TEMPORARY_STOPS = "manage_temporary_stops"
    DRAW_INSPECTION = "draw_inspection"
    PRINT_CODES = "print_codes"
    RENEW_CODES = "renew_codes"
    READ_CODE_ATTEMPTS = "read_code_attempts"
    PAIR_PHONE = "pair_phone"
    READ_ASSIGNMENTS = "read_assignments"
    SEND_POSITION = "send_position"
    RUN_DRILL = "run_drill"
    READ_NOTICES = "read_notices"
    SEND_NOTICES = "send_notices"
    READ_USERS = "read_users"
    ADD_USER = "add_user"
    CHANGE_USER = "change_user"
    READ_HOLDS = "read_holds"
    HOLD_INCIDENT = "hold_incident"
    READ_REGISTRY = "read_registry"
    CHANGE_REGISTRY = "change_registry"
    READ_METRICS = "read_metrics"
    READ_SYSTEM = "read_system"
    READ_SESSIONS = "read_sessions"
    END_SESSION = "end_session"
    READ_AUDIT = "read_audit"


STEP_ACTION: dict[Step, Action] = {step: Action(f"step_{step}") for step in Step}


class TeamRight(StrEnum):
    """What a team's phone may do: nothing, only with the incident it is sent to, or always."""

    NO = "no"
    OWN = "own"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Permit:
    """One row of the table: the least role of a user (None: no user), the right of a team, and who else."""

    least: Role | None
    team: TeamRight = TeamRight.NO
    anonymous: bool = False
    scraper: bool = False


_EVERYBODY = Permit(Role.OPERATOR, TeamRight.YES, anonymous=True, scraper=True)
_SIGNED_IN = Permit(Role.OPERATOR, TeamRight.YES)
_OPERATOR = Permit(Role.OPERATOR)
_DISPATCHER = Permit(Role.DISPATCHER)
_ADMINISTRATOR = Permit(Role.ADMINISTRATOR)
_OWN_TEAM = Permit(None, TeamRight.YES)
_ON_THE_WAY = Permit(Role.OPERATOR, TeamRight.OWN)  # an operator enters for the team what it says by radio

POLICY: dict[Action, Permit] = {
    Action.LOAD_PAGE: _EVERYBODY,
    Action.READ_HEALTH: _EVERYBODY,
    Action.SET_UP: _EVERYBODY,
    Action.SIGN_IN: _EVERYBODY,
    Action.READ_SESSION: _SIGNED_IN,
    Action.SIGN_OUT: _SIGNED_IN,
    Action.FOLLOW_UPDATES: _SIGNED_IN,
    Action.READ_API: _OPERATOR,
    Action.READ_SITE: _SIGNED_IN,
    Action.READ_CAMERAS: _OPERATOR,
    Action.READ_SNAPSHOT: _OPERATOR,
    Action.WATCH_LIVE: _OPERATOR,
    Action.READ_INCIDENTS: _OPERATOR,
    Action.READ_EVENT_SNAPSHOT: Permit(Role.OPERATOR, TeamRight.OWN),
    Action.REPORT_INCIDENT: _SIGNED_IN,
    Action.TAKE_STEP: _SIGNED_IN,
    Action.STEP_ACKNOWLEDGE: _OPERATOR,
    Action.STEP_TAKE_OVER: _OPERATOR,
    Action.STEP_DISPATCH: _OPERATOR,
    Action.STEP_ACCEPT: _ON_THE_WAY,
    Action.STEP_REFUSE: _ON_THE_WAY,
    Action.STEP_DEPART: _ON_THE_WAY,
    Action.STEP_ARRIVE: _ON_THE_WAY,
    Action.STEP_REPORT: _ON_THE_WAY,
    Action.STEP_VERIFY: _OPERATOR,
    Action.STEP_CLOSE: _OPERATOR,
    Action.STEP_REOPEN: _OPERATOR,
    Action.STEP_MERGE: _OPERATOR,
    Action.STEP_SPLIT: _OPERATOR,
    Action.STEP_SHELVE: _OPERATOR,
    Action.STEP_UNSHELVE: _OPERATOR,
    Action.STEP_PAUSE: _OPERATOR,
    Action.STEP_RESUME: _OPERATOR,
    Action.STEP_NOTE: Permit(Role.OPERATOR, TeamRight.OWN),
    Action.ADD_PHOTO: _SIGNED_IN,  # a team to its own reports, which the store checks
    Action.READ_PHOTO: Permit(Role.OPERATOR, TeamRight.OWN),
    Action.SEND_SUPPORT: _OPERATOR,
    Action.MOVE_SUPPORT: _SIGNED_IN,
    Action.READ_TEAMS: _OPERATOR,
    Action.READ_ROSTER: _OPERATOR,
    Action.CHANGE_ROSTER: _DISPATCHER,
    Action.READ_REFERRALS: _OPERATOR,
    Action.TAKE_REFERRAL_STEP: _OPERATOR,
    Action.READ_HANDOVERS: _OPERATOR,
    Action.SIGN_HANDOVER: _OPERATOR,
    Action.READ_LEDGER: _OPERATOR,
    Action.EXPORT_LEDGER: _DISPATCHER,
    Action.READ_ASSESSMENT: _DISPATCHER,
    Action.READ_ROUNDS: _OPERATOR,
    Action.READ_MY_ROUNDS: _OWN_TEAM,
    Action.READ_MY_SHIFT: _OWN_TEAM,
    Action.CALL_FOR_HELP: _OWN_TEAM,
    Action.WALK_ROUND: _SIGNED_IN,
    Action.MANAGE_TEMPORARY_STOPS: _DISPATCHER,
    Action.DRAW_INSPECTION: _DISPATCHER,
    Action.PRINT_CODES: _ADMINISTRATOR,
    Action.RENEW_CODES: _ADMINISTRATOR,
    Action.READ_CODE_ATTEMPTS: _DISPATCHER,
    Action.PAIR_PHONE: _DISPATCHER,
    Action.READ_ASSIGNMENTS: _OWN_TEAM,
    Action.SEND_POSITION: _OWN_TEAM,
    Action.RUN_DRILL: _DISPATCHER,
    Action.READ_NOTICES: _ADMINISTRATOR,
    Action.SEND_NOTICES: _ADMINISTRATOR,
    Action.READ_USERS: _ADMINISTRATOR,
    Action.ADD_USER: _ADMINISTRATOR,
    Action.CHANGE_USER: _ADMINISTRATOR,
    Action.READ_HOLDS: _OPERATOR,
    Action.HOLD_INCIDENT: _ADMINISTRATOR,
    Action.READ_REGISTRY: _ADMINISTRATOR,
    Action.CHANGE_REGISTRY: _ADMINISTRATOR,
    Action.READ_METRICS: Permit(Role.ADMINISTRATOR, scraper=True),
    Action.READ_SYSTEM: _ADMINISTRATOR,
    Action.READ_SESSIONS: _ADMINISTRATOR,
    Action.END_SESSION: _ADMINISTRATOR,
    Action.READ_AUDIT: _ADMINISTRATOR,
}


def authorize(principal: Principal, action: Action, resource: Incident | None = None) -> None:
    """Return if `principal` may do `action` to `resource`; raises NotSignedInError or DeniedError otherwise."""
    permit = POLICY.get(action)
    if permit is not None and _permits(permit, principal, resource):
        return
    if principal.kind is PrincipalKind.ANONYMOUS:
        raise NotSignedInError("Sign in first.")
    who = principal.role or principal.kind
    raise DeniedError(f"The role {who} may not do this ({action}).")


def _permits(permit: Permit, principal: Principal, resource: Incident | None) -> bool:
    if principal.kind is PrincipalKind.USER:
        return permit.least is not None and principal.role in _LADDER and _rank(principal.role) >= _rank(permit.least)
    if principal.kind is PrincipalKind.TEAM:
        if permit.team is TeamRight.OWN:
            return resource is not None and bool(principal.team) and resource.team == principal.team
        return permit.team is TeamRight.YES and bool(principal.team)
    return permit.anonymous if principal.kind is PrincipalKind.ANONYMOUS else permit.scraper


def _rank(role: Role | None) -> int:
    return _LADDER.index(role) if role in _LADDER else -1
