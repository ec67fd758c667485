"""Logins of cameras: by name and user. A password goes in and never comes out."""

import asyncio
from collections import Counter
from typing import Annotated, Literal

from fastapi import APIRouter, Path

from camera_config.site import Credential, Site
from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Parts, policy
from dashboard.registry_schemas import CredentialIn, CredentialListOut, CredentialOut, CredentialSetOut, applied_out
from dashboard.routes.registry_answers import CONFLICT, answered
from dashboard.schemas import ID
from dashboard.sessions import actor_of

__all__ = ["logins_of", "router"]

router = APIRouter(tags=["registry"])

LoginName = Annotated[str, Path(pattern=ID)]


@router.get("/api/v1/registry/credentials")
async def read_logins(parts: Parts, principal: Annotated[Principal, policy(Action.READ_REGISTRY)]) -> CredentialListOut:
    """The logins by name, with their users and how many cameras use them."""
    standing = await asyncio.to_thread(parts.registry.standing)
    return CredentialListOut(credentials=logins_of(standing.site))


@router.put("/api/v1/registry/credentials/{credential}", responses=CONFLICT)
async def set_login(
    credential: LoginName, body: CredentialIn, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)]
) -> CredentialSetOut:
    """Seal a login under this name, in place of what it was. 409 for one of `secrets.toml`."""
    async with answered(parts):
        standing, applied = await parts.registry.set_login(credential, body.user, body.password)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "set_login", f"login/{credential}")
    live, waits = applied_out(applied)
    [login] = [each for each in logins_of(standing.site) if each.name == credential]
    return CredentialSetOut(credential=login, live=live, after_restart=waits)


@router.delete("/api/v1/registry/credentials/{credential}", status_code=204, responses=CONFLICT)
async def delete_login(
    credential: LoginName, parts: Parts, principal: Annotated[Principal, policy(Action.CHANGE_REGISTRY)]
) -> None:
    """Forget a login. 409 while cameras use it, and for one of `secrets.toml`."""
    async with answered(parts):
        standing = await asyncio.to_thread(parts.registry.standing)
        if credential not in standing.site.credential_by_name:
            raise NotFoundError("There is no such login.")
        await parts.registry.set_login(credential, "", None)
    await asyncio.to_thread(parts.store.audit, actor_of(principal), "delete_login", f"login/{credential}")


def logins_of(site: Site) -> list[CredentialOut]:
    """The logins of a site, without their passwords, by name."""
    used = Counter(camera.credential for camera in site.cameras)
    return [
        CredentialOut(name=login.name, user=login.user, source=_source(login), cameras=used[login.name])
        for login in sorted(site.credentials, key=lambda each: each.name)
    ]


def _source(login: Credential) -> Literal["registry", "secrets.toml", "environment"]:
    if login.sealed:
        return "registry"
    return "environment" if login.password_env else "secrets.toml"
