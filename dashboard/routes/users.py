"""Users of the control room."""

import asyncio
from typing import Annotated

from fastapi import APIRouter

from dashboard.account_schemas import UserIn, UserList, UserOut
from dashboard.authorize import Action, Principal
from dashboard.policy import Parts, policy
from dashboard.sessions import actor_of

router = APIRouter(tags=["users"])


@router.get("/api/v1/users")
def read_users(parts: Parts, principal: Annotated[Principal, policy(Action.READ_USERS)]) -> UserList:
    """All users by name."""
    return UserList(items=[UserOut.of(user) for user in parts.store.users()])


@router.post("/api/v1/users", status_code=201)
async def add_user(body: UserIn, parts: Parts, principal: Annotated[Principal, policy(Action.ADD_USER)]) -> UserOut:
    """A new user; 409 if the name is taken, 422 if the password is too easy to guess."""
    password_hash = await parts.sessions.hash(body.name, body.password)
    user = await asyncio.to_thread(parts.store.add_user, body.name, password_hash, body.role)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "add_user", f"user:{user.id}", f"{user.name} as {user.role}")
    return UserOut.of(user)
