"""The page itself: what Vite built, or a sentence that says how to build it."""

import logging
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

from dashboard.authorize import Action, Principal
from dashboard.policy import policy

__all__ = ["add_pages"]

logger = logging.getLogger(__name__)

MISSING = "The page is not built yet: run 'make setup' in the folder of Gridpatrol, then load this again.\n"


def add_pages(app: FastAPI, folder: Path) -> None:
    """Serve the built page from `folder` at `/`, the phone's at `/phone`; both are public and hold no data."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def load_page(principal: Annotated[Principal, policy(Action.LOAD_PAGE)]) -> Response:
        return _page(folder, "index.html")

    @router.get("/phone")
    async def load_phone(principal: Annotated[Principal, policy(Action.LOAD_PAGE)]) -> Response:
        return _page(folder, "phone.html")

    app.include_router(router)
    if folder.is_dir():
        app.mount("/", StaticFiles(directory=folder, follow_symlink=False))
    else:
        logger.warning("the page is not built (%s is missing); the API works without it", folder)


def _page(folder: Path, name: str) -> Response:
    """The named file; one page may serve both addresses."""
    for candidate in (folder / name, folder / "index.html"):
        if candidate.is_file():
            return FileResponse(candidate, media_type="text/html; charset=utf-8")
    return PlainTextResponse(MISSING, 503)
