"""Fuzz targets of the site folder: each of its files, in a site that is otherwise good."""

import shutil
from dataclasses import fields
from functools import cache, partial
from pathlib import Path

from camera_config import SiteError, load_site, write_site
from tests.camera_config.small_site import write_small_site
from tests.fuzz.pieces import scratch


@cache
def _site(name: str) -> Path:
    folder = write_small_site(scratch() / name)
    if name == "cameras.toml":
        (folder / "cameras.csv").unlink()
    return folder


def _fuzz(name: str, data: bytes) -> None:
    """The file `name` is `data`: a SiteError in printable lines, or a site that is the same once written and read again."""
    folder = _site(name)
    (folder / name).write_bytes(data)
    (folder / name).chmod(0o600)
    try:
        site = load_site(folder, {})
    except SiteError as error:
        assert len(str(error)) < 200_000
        for line in str(error).split("\n"):
            assert line.isprintable(), line
        return
    again = scratch() / "again"
    shutil.rmtree(again, ignore_errors=True)
    write_site(site, again)
    reread = load_site(again, {})
    for field in fields(site):
        assert field.name == "folder" or getattr(reread, field.name) == getattr(site, field.name), field.name


fuzz_site_toml = partial(_fuzz, "site.toml")
fuzz_cameras_csv = partial(_fuzz, "cameras.csv")
fuzz_cameras_toml = partial(_fuzz, "cameras.toml")
fuzz_places_geojson = partial(_fuzz, "places.geojson")
fuzz_paths_geojson = partial(_fuzz, "paths.geojson")
fuzz_ground_geojson = partial(_fuzz, "ground.geojson")
fuzz_rules_toml = partial(_fuzz, "rules.toml")
fuzz_masks_toml = partial(_fuzz, "masks.toml")
fuzz_teams_toml = partial(_fuzz, "teams.toml")
fuzz_dispatch_toml = partial(_fuzz, "dispatch.toml")
fuzz_limits_toml = partial(_fuzz, "limits.toml")
fuzz_rounds_toml = partial(_fuzz, "rounds.toml")
fuzz_desks_toml = partial(_fuzz, "desks.toml")
fuzz_assessment_toml = partial(_fuzz, "assessment.toml")
fuzz_notifications_toml = partial(_fuzz, "notifications.toml")
fuzz_secrets_toml = partial(_fuzz, "secrets.toml")
fuzz_credentials_toml = partial(_fuzz, "credentials.toml")
