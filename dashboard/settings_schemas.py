"""What goes over the wire for the settings of a site that are changed as files of tables: desks, time limits, who is told."""

from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StringConstraints

from camera_config.settings_files import SettingsFile, Tables, read_tables, settings_digest
from dashboard.registry import Standing
from dashboard.registry_schemas import Digest
from dashboard.schemas import AnswerBody, RequestBody, printable

__all__ = ["SettingsIn", "SettingsOut"]

_Key = Annotated[str, StringConstraints(pattern=r"^[a-z_]{1,40}$")]
_Text = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(printable)]
_One = StrictBool | StrictInt | Annotated[StrictFloat, Field(allow_inf_nan=False)] | _Text
_Value = _One | Annotated[list[_One], Field(max_length=1_000)]
_Values = Annotated[dict[_Key, _Value], Field(max_length=40)]

_EXAMPLE: dict[str, Any] = {  # Any: as JSON has it
    "digest": "0" * 64,
    "top": {},
    "tables": {"desk": [{"id": "mediation", "name_zh": "人民调解", "kind": "mediation", "users": ["chen"]}]},
}


class SettingsIn(RequestBody):
    """A file of settings as it shall be, whole; keys, units and defaults are those of the file. Nothing in it: no such file."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [_EXAMPLE]})

    digest: Digest = Field(description="of the file that was looked at")
    top: _Values = Field({}, description="what stands above all tables")
    tables: Annotated[dict[_Key, Annotated[list[_Values], Field(max_length=500)]], Field(max_length=10)] = Field({})

    def values(self) -> Tables:
        return Tables(self.top, self.tables)


class SettingsOut(AnswerBody):
    file: str = Field(examples=["desks.toml"])
    version: int = Field(description="of the site")
    digest: str = Field(description="of this file")
    top: dict[str, Any]  # Any: whatever the file has, which the strict loader took
    tables: dict[str, list[dict[str, Any]]]

    @classmethod
    def of(cls, standing: Standing, which: SettingsFile) -> Self:
        found = read_tables(standing.files.get(which.file, b""))
        return cls(
            file=which.file,
            version=standing.version.version,
            digest=settings_digest(standing.files, which.file),
            top=dict(found.top),
            tables={name: [dict(values) for values in tables] for name, tables in found.tables.items()},
        )
