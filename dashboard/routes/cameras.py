"""Cameras: their health and a still picture."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from dashboard.authorize import Action, Principal
from dashboard.failures import NotFoundError
from dashboard.policy import Dashboard, Parts, policy
from dashboard.schemas import ID, CameraList, CameraOut

router = APIRouter(tags=["cameras"])

CameraId = Annotated[str, Path(pattern=ID, examples=["c0417"])]


@router.get("/api/v1/cameras")
async def read_cameras(parts: Parts, principal: Annotated[Principal, policy(Action.READ_CAMERAS)]) -> CameraList:
    """Every enabled camera with its health; one that no worker has reported yet is offline."""
    statuses = parts.fleet.statuses()
    enabled = [camera.id for camera in parts.site.cameras if camera.enabled]
    return CameraList(items=[CameraOut.of(statuses[each]) if each in statuses else CameraOut.unknown(each) for each in enabled])


@router.get("/api/v1/cameras/{camera}/snapshot", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
async def read_snapshot(
    camera: CameraId, parts: Parts, principal: Annotated[Principal, policy(Action.READ_SNAPSHOT)]
) -> Response:
    """The newest key frame as JPEG; 503 if the camera has none."""
    check_camera(parts, camera)
    return Response(await parts.fleet.snapshot(camera), media_type="image/jpeg")


def check_camera(parts: Dashboard, camera: str) -> None:
    """Return if the site has this camera; raises NotFoundError."""
    if camera not in parts.site.camera_by_id:
        raise NotFoundError(f"There is no camera {camera}.")
