"""Live view in a real browser, under the real content security policy."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.dashboard.clip import HEIGHT, WIDTH
from tests.dashboard.room import Room, cookie_of, wait_until

CHROMIUM = shutil.which("chromium")

pytestmark = [pytest.mark.browser, pytest.mark.skipif(CHROMIUM is None, reason="no chromium installed")]

PLAYER = """
const peer = new RTCPeerConnection();
const video = document.querySelector("video");
peer.addTransceiver("video", { direction: "recvonly" });
peer.ontrack = ({ track }) => { video.srcObject = new MediaStream([track]); video.play(); };
const count = () => { window.frames_drawn = (window.frames_drawn || 0) + 1; video.requestVideoFrameCallback(count); };
video.requestVideoFrameCallback(count);
await peer.setLocalDescription(await peer.createOffer());
await new Promise((done) => {
  peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
  if (peer.iceGatheringState === "complete") done();
});
window.asked_ms = performance.now();
const answer = await fetch("/api/v1/cameras/c0001/whep", {
  method: "POST", headers: { "Content-Type": "application/sdp" }, body: peer.localDescription.sdp,
});
await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
window.view = answer.headers.get("Location");
const first = () => {
  if (window.frames_drawn) { window.first_ms = performance.now() - window.asked_ms; return; }
  requestAnimationFrame(first);
};
first();
"""


@pytest.fixture
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Page:
    return browser.new_page()


def test_a_browser_plays_a_camera(new_room: Callable[..., Room], tmp_path: Path, page: Page) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / "index.html").write_text(
        '<!doctype html><video muted playsinline></video><script type="module" src="/player.js"></script>'
    )
    (dist / "player.js").write_text(PLAYER)
    room = new_room(page=dist)
    client = room.set_up()
    page.context.add_cookies([{"name": "gridpatrol_session", "value": cookie_of(client), "url": room.url}])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(room.url)
    wait_until(lambda: bool(page.evaluate("window.frames_drawn >= 30")), "30 frames are drawn", timeout_s=20)
    assert page.evaluate("document.querySelector('video').videoWidth") == WIDTH
    assert page.evaluate("document.querySelector('video').videoHeight") == HEIGHT
    assert not [each for each in complaints if "Content Security Policy" in each]
    first_ms = page.evaluate("window.first_ms")
    print(f"first picture {first_ms:.0f} ms after the request")
    assert first_ms < 5_000  # 100-300 ms on an idle machine; a key frame comes every 500 ms
