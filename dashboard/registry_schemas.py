"""What goes over the wire about the registry. A login goes by its name only; addresses of cameras are for administrators."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from camera_config.change_cameras import camera_digest, camera_digests
from camera_config.coverage_rules import Light, Stream
from camera_config.import_cameras import CameraImport, Outcome
from camera_config.rule_kinds import RULE_KINDS
from camera_config.site import Camera, MaskKind, Rule, Site
from camera_config.write import rule_values
from dashboard.coverage_schemas import Shape
from dashboard.encoders import EncoderState
from dashboard.registry import Applied, Changed
from dashboard.schemas import AnswerBody, NameOut, RequestBody, Time, iso
from storage import CameraChanges, SiteVersion, VersionKind

__all__ = [
    "BandOut",
    "BulkIn",
    "CameraConfigOut",
    "CameraEntry",
    "CameraEntryOut",
    "CameraListOut",
    "ChangedOut",
    "CredentialIn",
    "CredentialListOut",
    "CredentialOut",
    "CredentialSetOut",
    "EncoderChangedOut",
    "EncoderOut",
    "GeometryIn",
    "GeometryOut",
    "ImportOut",
    "NewCameraIn",
    "RegistryOut",
    "ReplaceCameraIn",
    "RestoreIn",
    "RuleEntry",
    "VersionDetailOut",
    "VersionListOut",
    "VersionOut",
]

MOST_NAMED = 100
"""Cameras that an answer names; of more it gives the number."""

MOST_CHANGES = 500

Text = Annotated[str, Field(max_length=2_000)]  # what is allowed in each the strict loader says
Number = Annotated[float, Field(allow_inf_nan=False)]
Pair = Annotated[list[Number], Field(min_length=2, max_length=2)]
Outline = Annotated[list[Pair], Field(max_length=1_000)]
Pixels = Annotated[list[Annotated[int, Field(ge=0, le=99_999)]], Field(min_length=2, max_length=2)]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class NameIn(RequestBody):
    zh: Text = ""
    en: Text = ""


class CameraEntry(RequestBody):
    """The configuration of one camera; keys, units and defaults are those of `cameras.csv`."""

    id: Text
    name: NameIn = NameIn()
    compound: Text
    grid_cell: Text
    lon: Number
    lat: Number
    height_m: Number
    azimuth_deg: Number
    tilt_deg: Number
    hfov_deg: Number | None = Field(None, description="not looked at where the lens is given")
    focal_mm: Number | None = None
    sensor_mm: Number | None = None
    analysed_px: Pixels | None = None
    recorded_px: Pixels | None = None
    night_range_m: Number | None = None
    uplink: Text = ""
    url_sub: Text
    url_main: Text = ""
    credential: Text = ""
    transport: Text = "tcp"
    certificate_sha256: Text = ""
    own_motion: bool = False
    enabled: bool = True
    gb_code: Text = ""

    def values(self) -> dict[str, str]:
        """As columns of `cameras.csv`."""
        told = columns_of(self.model_dump(exclude={"name"}))
        has_lens = self.focal_mm is not None or self.sensor_mm is not None
        return {**told, **({"hfov_deg": ""} if has_lens else {}), "name_zh": self.name.zh, "name_en": self.name.en}


def columns_of(values: Mapping[str, object]) -> dict[str, str]:
    """Values of a request as columns of `cameras.csv`."""
    return {key: _column(value) for key, value in values.items()}


def _column(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


class CameraEntryOut(AnswerBody):
    """The configuration of one camera. `hfov_deg` is always there, that of the lens where a lens is given."""

    id: str = Field(examples=["c0417"])
    name: NameOut
    compound: str
    grid_cell: str
    lon: float
    lat: float
    height_m: float
    azimuth_deg: float
    tilt_deg: float
    hfov_deg: float
    focal_mm: float | None
    sensor_mm: float | None
    analysed_px: list[int] = Field(examples=[[640, 360]])
    recorded_px: list[int]
    night_range_m: float | None
    uplink: str
    url_sub: str
    url_main: str
    credential: str = Field(description="the name of a login")
    transport: str
    certificate_sha256: str
    own_motion: bool = Field(description="its own motion events are asked for, by ONVIF")
    enabled: bool
    gb_code: str

    @classmethod
    def of(cls, camera: Camera) -> "CameraEntryOut":
        return cls(**_entry(camera))


class ListedCameraOut(CameraEntryOut):
    digest: str


class CameraListOut(AnswerBody):
    version: int
    site_digest: str
    cameras: list[ListedCameraOut]

    @classmethod
    def of(cls, site: Site, version: int, digest: str) -> "CameraListOut":
        digests = camera_digests(site)
        cameras = [ListedCameraOut(**_entry(camera), digest=digests[camera.id]) for camera in site.cameras]
        return cls(version=version, site_digest=digest, cameras=cameras)


def _entry(camera: Camera) -> dict[str, Any]:  # Any: fields of different types
    told = {key: getattr(camera, key) for key in CameraEntryOut.model_fields if key != "name"}
    sizes = {"analysed_px": list(camera.analysed_px), "recorded_px": list(camera.recorded_px)}
    return told | sizes | {"name": NameOut.of(camera.name), "transport": camera.transport.value}


class RuleEntry(RequestBody):
    """One rule of one camera: the keys of `rules.toml` that its kind uses. Answers hold exactly these."""

    name: Text
    kind: Text
    zone: Outline | None = None
    line: Outline | None = None
    zone_name: NameIn | None = None
    labels: Annotated[list[Text], Field(max_length=10)] | None = None
    schedule: Text | None = None
    dwell_s: Number | None = None
    leave_s: Number | None = None
    dead_time_s: Number | None = None
    severity: int | None = None
    min_score: Number | None = None
    direction: Text | None = None
    count: int | None = None
    density: Number | None = None
    speed: Number | None = None

    def values(self) -> dict[str, object]:
        """As keys of a `[[rule]]`; an empty list or 0 is an absent value where the kind has no use for it."""
        told = {key: value for key, value in self.model_dump(exclude={"zone_name"}).items() if value not in (None, [], 0)}
        for key in ("dwell_s", "leave_s", "dead_time_s", "min_score"):  # where 0 says something
            if getattr(self, key) == 0:
                told[key] = 0
        if self.zone_name is not None and (self.zone_name.zh or self.zone_name.en):
            told |= {"zone_zh": self.zone_name.zh, "zone_en": self.zone_name.en}
        return told


def rule_entry(rule: Rule) -> dict[str, Any]:  # Any: as JSON has it
    """A rule as it goes over the wire, with exactly the keys that its kind uses."""
    told = rule_values(rule)
    name = {"zone_name": {"zh": told.pop("zone_zh"), "en": told.pop("zone_en")}} if "zone_zh" in told else {}
    return {**told, **name}


class CameraConfigOut(AnswerBody):
    """Everything configured for one camera. `digest` changes whenever any of it does."""

    camera: CameraEntryOut
    rules: list[dict[str, Any]]  # Any: each kind of rule has keys of its own
    privacy: list[list[tuple[float, float]]]
    ignore: list[list[tuple[float, float]]]
    digest: str

    @classmethod
    def of(cls, site: Site, camera: str) -> "CameraConfigOut":
        found = site.camera_by_id[camera]
        return cls(
            camera=CameraEntryOut.of(found),
            rules=[rule_entry(rule) for rule in site.rules_of(camera)],
            privacy=[list(outline) for outline in site.masks_of(camera, MaskKind.PRIVACY)],
            ignore=[list(outline) for outline in site.masks_of(camera, MaskKind.IGNORE)],
            digest=camera_digest(site, found),
        )


class ViewedCamera(CameraEntry):
    """A camera that may be unfinished: only what decides its view is looked at."""

    id: Text = ""
    compound: Text = ""
    grid_cell: Text = ""
    url_sub: Text = ""


class GeometryIn(RequestBody):
    camera: ViewedCamera
    stream: Stream | None = Field(None, description="without it, that of the site's definition of covered")
    light: Light = Light.DAY


class BandOut(AnswerBody):
    band: str = Field(examples=["detect"])
    pixels_per_metre: float
    geometry: Shape


class GeometryOut(AnswerBody):
    """What a camera would see of the ground, GeoJSON in WGS-84. Each band holds those after it."""

    view: Shape = Field(description="what the site calls covered")
    bands: list[BandOut]
    area_m2: float = Field(description="of the view")
    dead_zone_m: float | None = Field(description="how far from the camera the ground begins that it sees; null: it sees none")
    inside: str | None = Field(description="the building that it stands too deep inside of to be hung on its wall")


class NewCameraIn(RequestBody):
    camera: CameraEntry


class ReplaceCameraIn(RequestBody):
    """What one camera gets in place of what it has; what is left out stays."""

    digest: Digest
    camera: CameraEntry | None = None
    rules: Annotated[list[RuleEntry], Field(max_length=100)] | None = None
    privacy: Annotated[list[Outline], Field(max_length=100)] | None = None
    ignore: Annotated[list[Outline], Field(max_length=100)] | None = None

    @property
    def what(self) -> VersionKind:
        """The kind of version that this makes."""
        parts = self.camera is not None, self.rules is not None, self.privacy is not None or self.ignore is not None
        kinds = {(False, True, False): VersionKind.RULES_CHANGED, (False, False, True): VersionKind.MASKS_CHANGED}
        return kinds.get(parts, VersionKind.CAMERA_CHANGED)


class BulkSet(RequestBody):
    """What becomes the same for several cameras; what is left out stays as it is."""

    enabled: bool | None = None
    compound: Text | None = None
    grid_cell: Text | None = None
    uplink: Text | None = None
    credential: Text | None = None
    transport: Text | None = None
    night_range_m: Number | None = None
    height_m: Number | None = None
    tilt_deg: Number | None = None
    analysed_px: Pixels | None = None
    recorded_px: Pixels | None = None


class BulkIn(RequestBody):
    cameras: Annotated[dict[str, Digest], Field(min_length=1, max_length=5_000)]
    set: BulkSet


class RestoreIn(RequestBody):
    digest: Digest


class CountsOut(AnswerBody):
    added: int
    changed: int
    removed: int

    @classmethod
    def of(cls, changes: CameraChanges) -> "CountsOut":
        return cls(added=len(changes.added), changed=len(changes.changed), removed=len(changes.removed))


class WaitsOut(AnswerBody):
    what: str = Field(examples=["c0999"])
    why: str


class ChangedOut(AnswerBody):
    """What a change led to. `live` are the cameras to which it was applied while they ran."""

    version: int | None = Field(description="null if nothing was different")
    site_digest: str
    cameras: list[CameraConfigOut]
    counts: CountsOut
    live: list[str]
    after_restart: list[WaitsOut]

    @classmethod
    def of(cls, changed: Changed, about: Iterable[str] = ()) -> "ChangedOut":
        """`about` is whom the request named: these are in the answer even if nothing was different."""
        site, changes = changed.standing.site, changed.changes
        named = dict.fromkeys([*about, *changes.added, *changes.changed])
        live, waits = applied_out(changed.applied)
        return cls(
            version=None if changed.version is None else changed.version.version,
            site_digest=changed.standing.digest,
            cameras=[CameraConfigOut.of(site, camera) for camera in named if camera in site.camera_by_id][:MOST_NAMED],
            counts=CountsOut.of(changes),
            live=live,
            after_restart=waits,
        )


def applied_out(applied: Applied) -> tuple[list[str], list[WaitsOut]]:
    """What is in force, and what waits."""
    return list(applied.live[:MOST_NAMED]), [WaitsOut(what=each.what, why=each.why) for each in applied.waits[:MOST_NAMED]]


class FieldFaultOut(AnswerBody):
    field: str = Field(examples=["lon"])
    reason: str


class RowFaultOut(AnswerBody):
    line: int
    camera: str
    problems: list[FieldFaultOut]


class RowChangeOut(AnswerBody):
    line: int
    camera: str
    outcome: str = Field(examples=["added"])


class ImportOut(AnswerBody):
    """What an import would do, or did: good rows come in, each refused one is named."""

    dry_run: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    cameras: int = Field(description="of the site after it")
    site_digest: str
    faults: list[RowFaultOut]
    changes: list[RowChangeOut] = Field(description=f"the first {MOST_CHANGES}")
    changed_now: ChangedOut | None

    @classmethod
    def of(cls, imported: CameraImport, digest: str, changed: Changed | None, dry_run: bool) -> "ImportOut":
        refused = [row for row in imported.rows if row.outcome is Outcome.REFUSED]
        moved = [row for row in imported.rows if row.outcome in (Outcome.ADDED, Outcome.CHANGED)]
        return cls(
            dry_run=dry_run,
            rows=len(imported.rows),
            added=imported.count(Outcome.ADDED),
            changed=imported.count(Outcome.CHANGED),
            unchanged=imported.count(Outcome.UNCHANGED),
            refused=len(refused),
            cameras=len(imported.cameras),
            site_digest=digest if changed is None else changed.standing.digest,
            faults=[
                RowFaultOut(
                    line=row.line,
                    camera=row.camera,
                    problems=[FieldFaultOut(field=name, reason=reason) for name, reason in row.problems],
                )
                for row in refused
            ],
            changes=[RowChangeOut(line=row.line, camera=row.camera, outcome=row.outcome.value) for row in moved[:MOST_CHANGES]],
            changed_now=None if changed is None else ChangedOut.of(changed),
        )


class VersionOut(AnswerBody):
    version: int
    at: Time
    by: str = Field(examples=["li.na"])
    what: str = Field(examples=["camera_changed"])
    digest: str
    added: list[str] = Field(description=f"cameras, the first {MOST_NAMED}")
    changed: list[str]
    removed: list[str]
    counts: CountsOut
    files: list[str] = Field(description="that differ from the version before", examples=[["cameras.csv"]])
    restored: int | None = Field(description="the version that was gone back to")

    @classmethod
    def of(cls, version: SiteVersion, before: SiteVersion | None) -> "VersionOut":
        return cls(**_version(version, before))


class DifferenceOut(AnswerBody):
    camera: str
    field: str = Field(examples=["azimuth_deg"])
    before: str
    after: str


class VersionDetailOut(VersionOut):
    details: list[DifferenceOut] = Field(description=f"the first {MOST_CHANGES}, against the version before")

    @classmethod
    def with_details(
        cls, version: SiteVersion, before: SiteVersion | None, found: Sequence[tuple[str, str, str, str]]
    ) -> "VersionDetailOut":
        details = [DifferenceOut(camera=one, field=two, before=old, after=new) for one, two, old, new in found[:MOST_CHANGES]]
        return cls(**_version(version, before), details=details)


class VersionListOut(AnswerBody):
    items: list[VersionOut]
    next: int | None


def _version(version: SiteVersion, before: SiteVersion | None) -> dict[str, Any]:  # Any: as above
    known = {} if before is None else before.files
    names = {name for name in (*version.files, *known) if version.files.get(name) != known.get(name)}
    changes = version.changes
    return {
        "version": version.version,
        "at": iso(version.at_s),
        "by": version.by,
        "what": version.what.value,
        "digest": version.digest,
        "added": list(changes.added[:MOST_NAMED]),
        "changed": list(changes.changed[:MOST_NAMED]),
        "removed": list(changes.removed[:MOST_NAMED]),
        "counts": CountsOut.of(changes),
        "files": sorted(names),
        "restored": version.restored,
    }


class CredentialOut(AnswerBody):
    """A login by name; no password leaves the server."""

    name: str = Field(examples=["door-cameras"])
    user: str
    source: Literal["registry", "secrets.toml", "environment"]
    cameras: int = Field(description="that use it")


class CredentialIn(RequestBody):
    user: Annotated[str, Field(min_length=1, max_length=200)]
    password: Annotated[str, Field(min_length=1, max_length=200)]


class CredentialListOut(AnswerBody):
    credentials: list[CredentialOut]


class CredentialSetOut(AnswerBody):
    credential: CredentialOut
    live: list[str] = Field(description="cameras that sign in with it from now on")
    after_restart: list[WaitsOut]


class EncoderOut(AnswerBody):
    """What the encoder of the analysed stream is set to, and how far apart its key frames really came of late.

    A maker's "smart codec" is no part of ONVIF; it shows where key frames come later than the device says.
    """

    reachable: bool
    maker: str
    model: str
    stream: Literal["sub"]
    codec: str = Field(examples=["H264"])
    width_px: int
    height_px: int
    frames_per_s: float
    gop_s: float = Field(description="0 where the device does not say")
    kbit_per_s: int
    analysable: bool
    smart_codec: Literal["unknown", "off", "on"]
    measured_gop_s: float | None

    @classmethod
    def of(cls, state: EncoderState, measured_s: float | None) -> "EncoderOut":
        stretched = None if measured_s is None or not state.gop_s else measured_s > 1.5 * state.gop_s
        return cls(
            reachable=True,
            maker=state.maker,
            model=state.model,
            stream="sub",
            codec=state.codec,
            width_px=state.width_px,
            height_px=state.height_px,
            frames_per_s=state.frames_per_s,
            gop_s=round(state.gop_s, 3),
            kbit_per_s=state.kbit_per_s,
            analysable=state.is_short and not stretched,
            smart_codec="unknown" if stretched is None else "on" if stretched else "off",
            measured_gop_s=measured_s,
        )


class EncoderChangedOut(AnswerBody):
    before: EncoderOut
    after: EncoderOut


class RuleKindOut(AnswerBody):
    """What a kind of rule takes, and what holds where it is told nothing."""

    keys: list[str]
    labels: list[str]
    dwell_s: float
    leave_s: float
    dead_time_s: float


class RegistryOut(AnswerBody):
    version: int
    site_digest: str
    uplinks: list[str]
    credentials: list[CredentialOut]
    rule_kinds: dict[str, RuleKindOut]
    camera_networks: list[str]

    @classmethod
    def of(cls, site: Site, version: int, digest: str, logins: list[CredentialOut]) -> "RegistryOut":
        kinds = {
            kind.value: RuleKindOut(
                keys=[*about.needs, *about.takes],
                labels=list(about.labels),
                dwell_s=about.dwell_s,
                leave_s=about.leave_s,
                dead_time_s=about.dead_time_s,
            )
            for kind, about in RULE_KINDS.items()
        }
        return cls(
            version=version,
            site_digest=digest,
            uplinks=sorted({camera.uplink for camera in site.cameras if camera.uplink}),
            credentials=logins,
            rule_kinds=kinds,
            camera_networks=[str(network) for network in site.camera_networks],
        )
