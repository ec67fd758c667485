"""Setting up, signing in, signing out."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Request, Response

from dashboard.account_schemas import SessionOut, SetupIn, SetupOut, SignInIn, TeamCodeIn
from dashboard.authorize import Action, Principal
from dashboard.policy import COOKIE, Parts, policy, signed_in_of
from dashboard.sessions import SignedIn

router = APIRouter(tags=["session"])


@router.get("/api/v1/setup")
async def read_setup(parts: Parts, principal: Annotated[Principal, policy(Action.SET_UP)]) -> SetupOut:
    """Whether the first administrator is still to be made."""
    return SetupOut(needed=not await asyncio.to_thread(parts.store.has_users))


@router.post("/api/v1/setup")
async def set_up(
    body: SetupIn, request: Request, response: Response, parts: Parts, principal: Annotated[Principal, policy(Action.SET_UP)]
) -> SessionOut:
    """Make the first administrator with the one-time secret from the console, and sign in."""
    token, signed_in = await parts.sessions.set_up(body.secret, body.name, body.password, _peer(request))
    return _welcome(request, response, token, signed_in)


@router.post("/api/v1/session")
async def sign_in(
    body: SignInIn, request: Request, response: Response, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_IN)]
) -> SessionOut:
    """Sign in as a user. 401 for a wrong name or password, 429 after ten of those in five minutes."""
    token, signed_in = await parts.sessions.sign_in(body.name, body.password, _peer(request))
    return _welcome(request, response, token, signed_in)


@router.post("/api/v1/session/team")
async def sign_in_team(
    body: TeamCodeIn, request: Request, response: Response, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_IN)]
) -> SessionOut:
    """Sign a team's phone in with the one-time code from the control room."""
    token, signed_in = await parts.sessions.sign_in_team(body.code, _peer(request))
    return _welcome(request, response, token, signed_in)


@router.get("/api/v1/session")
async def read_session(request: Request, principal: Annotated[Principal, policy(Action.READ_SESSION)]) -> SessionOut:
    """Who is signed in here; 401 if nobody."""
    return SessionOut.of(signed_in_of(request))


@router.delete("/api/v1/session", status_code=204)
async def sign_out(
    request: Request, response: Response, parts: Parts, principal: Annotated[Principal, policy(Action.SIGN_OUT)]
) -> None:
    """Sign out; open pages and live views of this session are closed."""
    signed_in = signed_in_of(request)
    await parts.sessions.end(signed_in)
    parts.updates.revoke(signed_in.key)
    parts.live.revoke(signed_in.key)
    parts.overview.revoke(signed_in.key)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=_is_secure(request))


def _welcome(request: Request, response: Response, token: str, signed_in: SignedIn) -> SessionOut:
    # No expiry in the cookie: it ends with the browser, and on the server when the session does.
    response.set_cookie(COOKIE, token, path="/", httponly=True, samesite="strict", secure=_is_secure(request))
    return SessionOut.of(signed_in)


def _is_secure(request: Request) -> bool:
    return request.url.scheme == "https"


def _peer(request: Request) -> str:
    return request.client.host if request.client else "unknown"
