"""Reading what an encoder is set to, and making a stream analysable, against a device that is strict about ONVIF."""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from base import SystemClock
from camera_config import Credential, load_site, write_site
from dashboard import DashboardSettings
from fleet.encoders import OnvifEncoders
from storage import Store
from tests.dashboard.clip import ClipFleet
from tests.dashboard.room import Room, small_site
from tests.servers.onvif import PASSWORD, USER, Camera, OnvifServer


@contextmanager
def says(port: int) -> Iterator[int]:
    """A device's side of WS-Discovery on a port of its own: it speaks ONVIF at `port`."""
    link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    link.bind(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            data, sender = link.recvfrom(65_535)
            found = re.search(rb"urn:uuid:[0-9a-f-]+", data)
            if found is None:
                return
            told = (
                '<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"'
                ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
                ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
                f"<e:Header><a:RelatesTo>{found[0].decode()}</a:RelatesTo></e:Header><e:Body><d:ProbeMatches><d:ProbeMatch>"
                f"<d:XAddrs>http://127.0.0.1:{port}/onvif/device_service</d:XAddrs>"
                "</d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
            )
            link.sendto(told.encode(), sender)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield int(link.getsockname()[1])
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"enough", link.getsockname())
        thread.join()
        link.close()


@pytest.fixture
def device() -> Camera:
    return Camera()


@pytest.fixture
def root(tmp_path: Path, device: Camera) -> Iterator[httpx.Client]:
    """An administrator of a site with a camera at the device, one in no camera network, and one by name."""
    folder = tmp_path / "site"
    base = small_site(folder)
    urls = ("rtsp://127.0.0.1/sub", "rtsp://192.0.2.2/sub", "rtsp://camera-3.example/sub")
    cameras = tuple(replace(camera, url_sub=url) for camera, url in zip(base.cameras, urls, strict=True))
    login = Credential("gate", USER, PASSWORD)
    networks = (ip_network("127.0.0.0/8"), ip_network("192.0.2.0/24"))
    write_site(replace(base, cameras=cameras, credentials=(login,), camera_networks=networks), folder)
    site, clock = load_site(folder), SystemClock()
    with OnvifServer(device) as server, says(server.port) as port:
        store = Store.open(f"sqlite:///{tmp_path}/gridpatrol.db", clock, site)
        settings = DashboardSettings(page=tmp_path / "no-page")
        room = Room(site, store, ClipFleet(tuple(site.camera_by_id), clock), clock, settings)
        room.start()
        room.app.state.dashboard.registry.ask_encoders_by(OnvifEncoders(clock, port))
        try:
            yield room.set_up()
        finally:
            room.stop()


@pytest.mark.parametrize("media2", [False, True])
def test_a_stream_is_made_analysable(root: httpx.Client, device: Camera, media2: bool) -> None:
    device.media2 = media2
    path = "/api/v1/registry/cameras/c0001/encoder"
    told = root.get(path).json()
    assert (told["gop_s"], told["analysable"], told["codec"]) == (4.0, False, "H265" if media2 else "H264")
    assert "SetVideoEncoderConfiguration" not in device.asked
    told = root.post(path).json()
    assert (told["before"]["gop_s"], told["after"]["gop_s"], told["after"]["analysable"]) == (4.0, 2.0, True)
    assert root.get(path).json()["gop_s"] == 2.0
    assert PASSWORD not in str(told)


def test_only_the_cameras_own_address_is_asked(root: httpx.Client, device: Camera, tmp_path: Path) -> None:
    by_name = root.post("/api/v1/registry/cameras/c0003/encoder")
    assert by_name.status_code == 422 and "camera_networks" in by_name.json()["detail"]
    device.redirect = "http://192.0.2.1/elsewhere"
    refused = root.get("/api/v1/registry/cameras/c0001/encoder")
    assert refused.status_code == 503 and "ONVIF" in refused.json()["detail"]
    text = (tmp_path / "site" / "site.toml").read_text("utf-8")
    (tmp_path / "site" / "site.toml").write_text(re.sub("camera_networks = .*\n", "", text), "utf-8")
    anywhere = root.get("/api/v1/registry/cameras/c0001/encoder")
    assert anywhere.status_code == 422 and "missing in site.toml" in anywhere.json()["detail"]
    assert root.get("/api/v1/registry/cameras/c0099/encoder").status_code == 404
