"""Users of the control room."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path

from base import ConfigError
from dashboard.account_schemas import UserChangeIn, UserIn, UserList, UserOut
from dashboard.authorize import Action, Principal
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import UUID
from dashboard.sessions import actor_of
from storage import User, check_areas

router = APIRouter(tags=["users"])


@router.get("/api/v1/users")
def read_users(parts: Parts, principal: Annotated[Principal, policy(Action.READ_USERS)]) -> UserList:
    """All users by name."""
    return UserList(items=[UserOut.of(user) for user in parts.store.users()])


@router.post("/api/v1/users", status_code=201)
async def add_user(body: UserIn, parts: Parts, principal: Annotated[Principal, policy(Action.ADD_USER)]) -> UserOut:
    """A new user; 409 if the name is taken, 422 if the password is too easy to guess or an area is none of this site."""
    areas = _areas(parts, body)
    password_hash = await parts.sessions.hash(body.name, body.password)
    user = await asyncio.to_thread(parts.store.add_user, body.name, password_hash, body.role, areas)
    await _audit(parts, principal, "add_user", user)
    return UserOut.of(user)


@router.put("/api/v1/users/{user}")
async def change_user(
    user: Annotated[str, Path(pattern=UUID)],
    body: UserChangeIn,
    parts: Parts,
    principal: Annotated[Principal, policy(Action.CHANGE_USER)],
) -> UserOut:
    """Give somebody else another role or other areas; if that changes anything, they are signed out everywhere."""
    areas = _areas(parts, body)
    if user == principal.id:
        raise ConfigError("You cannot change your own role or areas; ask another administrator.")
    changed = await asyncio.to_thread(parts.store.change_user, user, body.role, areas)
    assert changed is not None  # users are never deleted
    await _audit(parts, principal, "change_user", changed)
    return UserOut.of(changed)


def _areas(parts: Dashboard, body: UserIn | UserChangeIn) -> tuple[str, ...]:
    """The areas of the body; raises ConfigError if there is no such place, or for an administrator, who has everything."""
    if body.areas and body.role == "administrator":
        raise ConfigError("areas: an administrator has the whole sub-district; leave them empty, or choose another role")
    return check_areas(parts.site, body.areas)


async def _audit(parts: Dashboard, principal: Principal, action: str, user: User) -> None:
    what = f"{user.name} as {user.role}" + (f" of {', '.join(user.areas)}" if user.areas else "")
    await asyncio.to_thread(parts.store.audit, actor_of(principal), action, f"user:{user.id}", what)
