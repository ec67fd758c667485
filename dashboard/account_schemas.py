"""What goes over the wire about people: setting up, signing in, users."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from dashboard.authorize import Principal
from dashboard.schemas import AnswerBody, RequestBody, SiteId, Time, iso, printable
from dashboard.sessions import SignedIn
from storage import User

__all__ = ["SessionOut", "SetupIn", "SetupOut", "SignInIn", "TeamCodeIn", "UserChangeIn", "UserIn", "UserList", "UserOut"]

UserName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[\w][\w .@\-]*$"),
    Field(examples=["li.na"]),
]
Password = Annotated[str, StringConstraints(min_length=1, max_length=256), Field(examples=["a long sentence is good"])]


Areas = Annotated[
    tuple[SiteId, ...],
    Field(max_length=500, description="ids of communities and grid cells; none: the whole sub-district", examples=[["comm-03"]]),
]


class SetupOut(AnswerBody):
    needed: bool


class SetupIn(RequestBody):
    secret: str = Field(min_length=1, max_length=200)
    name: UserName
    password: Password


class SignInIn(RequestBody):
    name: Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(printable)] = Field(examples=["li.na"])
    password: Password


class TeamCodeIn(RequestBody):
    code: str = Field(min_length=1, max_length=40, examples=["7KQF-M2XW-4TRB"])


class PrincipalOut(AnswerBody):
    kind: Literal["user", "team"]
    id: str
    name: str = Field(examples=["东门岗"])
    name_en: str = Field(description="a team's English name; of a user the same as `name`", examples=["East gate post"])
    role: Literal["operator", "dispatcher", "administrator", "team"]
    team: str | None
    areas: list[str] = Field(description="what a user is limited to; empty: the whole sub-district", examples=[[]])

    @classmethod
    def of(cls, principal: Principal) -> "PrincipalOut":
        return cls.model_validate(
            {
                "kind": principal.kind.value,
                "id": principal.id,
                "name": principal.name,
                "name_en": principal.name_en or principal.name,
                "role": principal.role and principal.role.value,
                "team": principal.team,
                "areas": [] if principal.area is None else principal.area.key.split(","),
            }
        )


class SessionOut(AnswerBody):
    principal: PrincipalOut
    expires_at: Time

    @classmethod
    def of(cls, signed_in: SignedIn) -> "SessionOut":
        return cls(principal=PrincipalOut.of(signed_in.principal), expires_at=iso(signed_in.expires_s))


class UserIn(RequestBody):
    name: UserName
    password: Password
    role: Literal["operator", "dispatcher", "administrator"]
    areas: Areas = ()


class UserChangeIn(RequestBody):
    role: Literal["operator", "dispatcher", "administrator"]
    areas: Areas


class UserOut(AnswerBody):
    id: str
    name: str
    role: str
    areas: list[str] = Field(
        description="ids of communities and grid cells; none: the whole sub-district", examples=[["comm-03"]]
    )
    created_at: Time

    @classmethod
    def of(cls, user: User) -> "UserOut":
        return cls(id=user.id, name=user.name, role=user.role, areas=list(user.areas), created_at=iso(user.created_s))


class UserList(AnswerBody):
    items: list[UserOut]
