"""What is said about incidents beside single steps: reports, merging, splitting, related cameras."""

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StringConstraints

from camera_config.time_limits import Category
from dashboard.schemas import EXAMPLE_UUID, ID, UUID, AnswerBody, RequestBody, printable
from patrol import Origin, RelatedCamera

__all__ = ["MergeIn", "RelatedCameraList", "RelatedCameraOut", "ReportIn", "SplitIn"]

_Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000), AfterValidator(printable)]
_Caller = Annotated[str, StringConstraints(strip_whitespace=True, max_length=100), AfterValidator(printable)]
_Uuid = Annotated[str, StringConstraints(pattern=UUID), Field(examples=[EXAMPLE_UUID])]
_Version = Annotated[int, Field(ge=1, le=2**31, description="the incident's version that the person looked at")]


class ReportIn(RequestBody):
    """What a patrol saw, a resident said by telephone, or an inspection found. The place is a point or a grid cell."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {
                    "command_id": EXAMPLE_UUID,
                    "origin": "hotline",
                    "category": "facility",
                    "severity": 3,
                    "text": "Street lamp dark since yesterday, east gate",
                    "caller": "Resident of building 4, will be at home",
                    "grid_cell": "grid-03-12",
                }
            ]
        },
    )

    command_id: _Uuid
    origin: Origin = Field(description="patrol, hotline or inspection; a team's phone reports as patrol only")
    category: Category
    severity: int = Field(ge=1, le=4)
    text: _Words = Field(min_length=1)
    caller: _Caller = Field(default="", description="hotline only, if the caller wants to be called back")
    lon: float | None = Field(default=None, ge=-180, le=180, allow_inf_nan=False)
    lat: float | None = Field(default=None, ge=-90, le=90, allow_inf_nan=False)
    grid_cell: Annotated[str, StringConstraints(pattern=ID)] | None = None
    at: AwareDatetime | None = Field(default=None, description="when it was seen or said, if that was earlier (offline phone)")
    drill: bool = Field(default=False, description="an exercise")


class MergeIn(RequestBody):
    """The incident of the path is the same matter as `into`: it is closed as a duplicate, and its events go there."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"into": EXAMPLE_UUID, "version": 3, "command_id": EXAMPLE_UUID}]},
    )

    into: _Uuid
    version: _Version
    command_id: _Uuid
    text: _Words = ""


class SplitIn(RequestBody):
    """These events of the incident of the path are another matter: they get an incident of their own."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={"examples": [{"events": [EXAMPLE_UUID], "version": 3, "command_id": EXAMPLE_UUID}]},
    )

    events: list[_Uuid] = Field(min_length=1, max_length=500)
    version: _Version
    command_id: _Uuid
    text: _Words = ""


class RelatedCameraOut(AnswerBody):
    camera: str = Field(examples=["c0418"])
    pixels_per_metre: float = Field(examples=[41.3])
    distance_m: float = Field(examples=[12.4])

    @classmethod
    def of(cls, related: RelatedCamera) -> "RelatedCameraOut":
        return cls(
            camera=related.camera,
            pixels_per_metre=round(related.pixels_per_metre, 1),
            distance_m=round(related.distance_m, 1),
        )


class RelatedCameraList(AnswerBody):
    """At most 15, the one that shows the place largest first."""

    items: list[RelatedCameraOut]
