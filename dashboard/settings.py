"""What an operator of the dashboard may set; every default is the one recommended."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TRANSCODES", "DashboardSettings"]

TRANSCODES = 2
"""Cameras whose pictures are made into H.264 for live views at a time; each may take up to a core."""


@dataclass(frozen=True, slots=True)
class DashboardSettings:
    """Limits and lifetimes of the dashboard. All times in seconds."""

    page: Path = Path(__file__).parent / "web" / "dist"  # the built page
    data: Path | None = None  # the folder whose disk the administrator is shown
    metrics_token: str = ""  # bearer token for /metrics; empty: an administrator's session only
    trusted_proxies: tuple[str, ...] = ()  # peers whose X-Forwarded-* headers are believed
    idle_s: float = 30 * 60.0  # a user's session without any request or open page (OWASP ASVS 5.0, 7.3.1)
    session_s: float = 12 * 3600.0  # any session, whatever it does: one long shift
    code_s: float = 15 * 60.0  # a code that pairs a team's phone
    failures: int = 10  # failed sign-ins within `failures_s` from one peer
    failures_by_name: int = 100  # likewise for one account from all peers: many, or else anybody could lock others out
    failures_s: float = 300.0
    body_bytes: int = 1_000_000
    viewers: int = 32  # live views at a time, over all cameras
    transcodes: int = TRANSCODES  # 0: none
    replay: int = 5_000  # updates kept for pages that come back
    queue: int = 1_000  # updates waiting for one slow page before it is sent away

    def __post_init__(self) -> None:
        times = ("idle_s", "session_s", "code_s", "failures_s")
        for name in (*times, "failures", "failures_by_name", "body_bytes", "viewers", "replay", "queue"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name}: expected more than 0, got {getattr(self, name)}")
        if self.transcodes < 0:
            raise ValueError(f"transcodes: expected 0 or more, got {self.transcodes}")
        if self.metrics_token and len(self.metrics_token) < 16:
            raise ValueError("metrics_token: expected at least 16 characters, or none")
