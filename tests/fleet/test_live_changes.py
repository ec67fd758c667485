"""The running whole: one camera is changed over the API while a viewer of another one misses no frame."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from base import Packet, SystemClock
from camera_config import load_site, write_site
from fleet.run import Ready, RunOptions, run
from ingest.simulate import SimCamera, SimPlan, Simulator
from tests.fleet.small_site import small_site
from tests.simulate.stage import FPS, small_clip

JsonObject = dict[str, Any]  # Any: as JSON has it
WAIT_S = 40.0
ZONE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]


async def until(is_so: Callable[[], object], what: str) -> None:
    async with asyncio.timeout(WAIT_S):
        while not is_so():
            await asyncio.sleep(0.05)
    assert is_so(), what


async def asked(client: httpx.AsyncClient, method: str, path: str, body: JsonObject | None = None) -> JsonObject:
    answer = await client.request(method, f"/api/v1{path}", json=body)
    assert answer.status_code < 300, answer.text
    told: JsonObject = answer.json()
    return told


async def watch(ready: Ready, camera: str, packets: list[Packet]) -> None:
    async with ready.control.packets(camera) as coming:
        async for packet in coming:
            packets.append(packet)  # noqa: PERF401  one by one, for who looks on


async def change_everything(ready: Ready, urls: dict[str, str]) -> None:
    statuses, packets = ready.control.statuses, list[Packet]()
    await until(lambda: all(statuses()[camera].health == "online" for camera in ("c0001", "c0002")), "both are online")
    viewer = asyncio.create_task(watch(ready, "c0001", packets))
    await until(lambda: len(packets) > FPS, "somebody watches")
    async with httpx.AsyncClient(
        base_url=ready.url, headers={"Sec-Fetch-Site": "same-origin"}, timeout=WAIT_S, verify=False
    ) as root:
        body = {"secret": ready.setup_secret, "name": "root", "password": "four words are plenty"}
        await asked(root, "POST", "/setup", body)

        # another stream: the camera is read from there
        known = await asked(root, "GET", "/registry/cameras/c0002")
        entry = known["camera"] | {"url_sub": urls["c0003"], "azimuth_deg": 200}
        told = await asked(root, "PUT", "/registry/cameras/c0002", {"digest": known["digest"], "camera": entry})
        assert told["live"] == ["c0002"] and told["after_restart"] == []
        await until(lambda: statuses()["c0002"].health == "online" and statuses()["c0002"].width_px == 192, "the other stream")

        # rules and masks: the site that everybody is shown has them
        digest = told["cameras"][0]["digest"]
        rule = {"name": "new", "kind": "motion", "zone": ZONE, "zone_name": {"zh": "", "en": "Yard"}}
        told = await asked(root, "PUT", "/registry/cameras/c0002", {"digest": digest, "rules": [rule]})
        assert told["live"] == ["c0002"]
        shown = (await asked(root, "GET", "/site"))["cameras"]["features"][1]["properties"]
        assert [zone["name_en"] for zone in shown["zones"]] == ["Yard"], shown

        # a new camera, and its place in the coverage
        entry = told["cameras"][0]["camera"] | {"id": "c0009", "url_sub": urls["c0004"], "lon": 121.5012}
        told = await asked(root, "POST", "/registry/cameras", {"camera": entry})
        assert told["live"] == ["c0009"]
        await until(lambda: "c0009" in statuses() and statuses()["c0009"].health == "online", "the new camera")
        assert (await root.get("/api/v1/cameras/c0009/snapshot")).status_code == 200
        async with asyncio.timeout(WAIT_S):
            while "c0009" not in (await root.get("/api/v1/coverage/views")).text:
                await asyncio.sleep(0.1)

        # off, and gone
        both = {"c0009": told["cameras"][0]["digest"]}
        told = await asked(root, "POST", "/registry/cameras/changes", {"cameras": both, "set": {"enabled": False}})
        assert "c0009" not in statuses() and "c0009" not in ready.control.open_gaps()
        path = f"/registry/cameras/c0009?digest={told['cameras'][0]['digest']}"
        assert (await asked(root, "DELETE", path))["live"] == ["c0009"]
        assert (await root.get("/api/v1/cameras/c0009/snapshot")).status_code == 404
    seen = len(packets)
    await until(lambda: len(packets) > seen + FPS, "the viewer goes on")
    viewer.cancel()
    steps = {later.pts_90k - earlier.pts_90k for earlier, later in itertools.pairwise(packets)}
    assert max(steps) <= 90_000 // FPS + 90, sorted(steps)
    assert statuses()["c0001"].reconnects == 0 and "c0001" not in ready.control.open_gaps()
    assert not any(packet.lost for packet in packets)


def test_a_camera_is_changed_and_no_other_loses_a_frame(tmp_path: Path) -> None:
    cameras = tuple(SimCamera(f"c000{number}", variant=int(number == 3)) for number in (1, 2, 3, 4))
    plan = SimPlan(cameras, fps=FPS)
    clips = {plan.clip_name(camera): small_clip(width=192 if camera.variant else 160) for camera in cameras}
    simulator = Simulator(plan, clips, SystemClock())
    simulator.start()
    try:
        urls = {camera.id: simulator.url(camera.id) for camera in cameras}
        folder = tmp_path / "site"
        write_site(small_site(folder, {camera: urls[camera] for camera in ("c0001", "c0002")}), folder)

        async def ready(now: Ready) -> None:
            await change_everything(now, urls)

        options = RunOptions(tmp_path / "data", port=0, workers=1, in_process=True)
        asyncio.run(run(load_site(folder), options, ready))
    finally:
        simulator.stop()
    assert [rule.name for rule in load_site(folder).rules_of("c0002")] == ["new"]
