"""What goes over the wire about photos, beside the pictures themselves."""

from pydantic import Field

from dashboard.schemas import ActorOut, AnswerBody, Time, Uuid, iso
from storage import Photo

__all__ = ["PhotoList", "PhotoOut"]


class PhotoOut(AnswerBody):
    id: Uuid
    incident: Uuid
    command: Uuid = Field(description="of the arrival or report that it goes with")
    at: Time = Field(description="when it was taken, as the phone says")
    recorded_at: Time
    by: ActorOut
    sha256: str = Field(examples=["9f86d081" * 8], description="of the JPEG; the incident's history holds it, too")
    width_px: int
    height_px: int
    kept: bool = Field(description="whether the picture is still there")

    @classmethod
    def of(cls, photo: Photo) -> "PhotoOut":
        return cls(
            id=photo.id,
            incident=photo.incident,
            command=photo.command,
            at=iso(photo.at_s),
            recorded_at=iso(photo.recorded_s),
            by=ActorOut.of(photo.by),
            sha256=photo.sha256,
            width_px=photo.width_px,
            height_px=photo.height_px,
            kept=photo.picture_bytes is not None,
        )


class PhotoList(AnswerBody):
    items: list[PhotoOut]
