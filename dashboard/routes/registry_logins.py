"""Logins of cameras: by name and user. A password goes in and never comes out."""

from collections import Counter

from camera_config.site import Site
from dashboard.registry_schemas import CredentialOut

__all__ = ["logins_of"]


def logins_of(site: Site) -> list[CredentialOut]:
    """The logins of a site, without their passwords, by name."""
    used = Counter(camera.credential for camera in site.cameras)
    return [
        CredentialOut(
            name=login.name,
            user=login.user,
            source="environment" if login.password_env else "secrets.toml",
            cameras=used[login.name],
        )
        for login in sorted(site.credentials, key=lambda each: each.name)
    ]
