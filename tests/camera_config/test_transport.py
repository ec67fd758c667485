"""How a camera's pictures travel, and whose certificate is trusted: the columns `transport` and `certificate_sha256`."""

from pathlib import Path

import pytest

from base import Transport
from camera_config import SiteError, load_site, write_site
from tests.camera_config.small_site import write_small_site

PIN = "3f" * 32
SHOWN = ":".join(["3F"] * 32)  # as openssl and browsers show it


def site_folder(folder: Path, transport: str = "", pin: str = "", scheme: str = "rtsp") -> Path:
    """The small site with both columns; only its first camera has values in them."""
    path = write_small_site(folder) / "cameras.csv"
    header, first, *rest = path.read_text("utf-8").splitlines()
    first = first.replace("rtsp://", f"{scheme}://")
    rows = [f"{header},transport,certificate_sha256", f"{first},{transport},{pin}", *(f"{row},," for row in rest)]
    path.write_text("\n".join(rows) + "\n", "utf-8")
    return folder


def test_what_a_camera_says_is_read_and_survives_writing(tmp_path: Path) -> None:
    site = load_site(site_folder(tmp_path / "a", "udp", SHOWN))
    first, second = site.cameras
    assert (first.transport, first.certificate_sha256) == (Transport.UDP, PIN)
    assert (second.transport, second.certificate_sha256) == (Transport.TCP, "")
    write_site(site, tmp_path / "b")
    assert load_site(tmp_path / "b").cameras == site.cameras


@pytest.mark.parametrize(
    ("transport", "pin", "scheme", "says"),
    [
        ("sctp", "", "rtsp", "cameras.csv:2: transport: expected one of tcp, udp, got 'sctp'"),
        ("udp", "", "rtsps", "cameras.csv:2: transport: expected 'tcp' with an rtsps:// URL, got 'udp'"),
        ("", "3f" * 31, "rtsps", "cameras.csv:2: certificate_sha256: expected the 64 hexadecimal digits"),
        ("", "zz" * 32, "rtsps", "cameras.csv:2: certificate_sha256: expected the 64 hexadecimal digits"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, transport: str, pin: str, scheme: str, says: str) -> None:
    with pytest.raises(SiteError) as caught:
        load_site(site_folder(tmp_path, transport, pin, scheme))
    assert says in str(caught.value)
