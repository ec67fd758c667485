"""What goes over the wire about clips."""

from pydantic import Field

from base import Clip, ClipGapCause, Codec
from dashboard.schemas import AnswerBody, Time, Uuid, iso

__all__ = ["ClipGapOut", "ClipList", "ClipOut"]


class ClipGapOut(AnswerBody):
    began_at: Time
    ended_at: Time
    cause: ClipGapCause


class ClipOut(AnswerBody):
    """The video of one event. Its first frame is shown at `began_at`; every frame at its own time after that."""

    event: Uuid
    camera: str
    began_at: Time
    ended_at: Time
    frames: int
    codec: Codec = Field(description="h264 plays in every browser, h265 in some")
    width_px: int
    height_px: int
    bytes: int
    sha256: str = Field(description="of the file, as it was written by the worker that watched the camera")
    reencoded: bool = Field(
        description="encoded anew: privacy masks are black in it, or the camera sends what browsers do not play"
    )
    gaps: list[ClipGapOut] = Field(description="what it should show and does not")

    @classmethod
    def of(cls, clip: Clip) -> "ClipOut":
        gaps = [ClipGapOut(began_at=iso(gap.began_s), ended_at=iso(gap.ended_s), cause=gap.cause) for gap in clip.gaps]
        return cls(
            event=clip.event,
            camera=clip.camera,
            began_at=iso(clip.began_s),
            ended_at=iso(clip.ended_s),
            frames=clip.frames,
            codec=clip.codec,
            width_px=clip.width_px,
            height_px=clip.height_px,
            bytes=clip.bytes,
            sha256=clip.sha256,
            reencoded=clip.reencoded,
            gaps=gaps,
        )


class ClipList(AnswerBody):
    items: list[ClipOut]
