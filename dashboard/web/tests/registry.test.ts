import { describe, expect, it } from "vitest";

import { byUplink } from "../src/cameras/uplinks";
import type { CameraProperties, Health } from "../src/records";
import { asRequest, bearing_deg, differences, handleAt, hfov_deg, moved, NEW_CAMERA, reach_m, turned, type Draft } from "../src/registry/editor/draft";
import * as outlines from "../src/registry/editor/outlines";
import { EVERYTHING, sorted, wantedEntries } from "../src/registry/filter";
import type { ListedEntry, Outline } from "../src/registry/records";
import { changed, redone, settled, undoable, undone } from "../src/registry/undo";

function entry(id: string, more: Partial<ListedEntry> = {}): ListedEntry {
  return { ...NEW_CAMERA, id, name: { zh: `名${id}`, en: `Name ${id}` }, compound: "p1", uplink: "s1", digest: "0", ...more };
}

const healths: Record<string, Health> = { c1: "online", c2: "offline", c3: "degraded" };
const healthOf = (id: string): Health => healths[id] ?? "online";

describe("the table of cameras", () => {
  const all = [entry("c1"), entry("c2", { uplink: "s2" }), entry("c3", { enabled: false, compound: "p2" })];

  it("shows what matches every word and every choice", () => {
    const ids = (wanted: Partial<typeof EVERYTHING>): string[] => wantedEntries(all, { ...EVERYTHING, ...wanted }, healthOf).map((one) => one.id);
    expect(ids({ text: "name C2" })).toEqual(["c2"]);
    expect(ids({ uplink: "s1" })).toEqual(["c1", "c3"]);
    expect(ids({ health: "degraded" })).toEqual([]);
    expect(ids({ enabled: "no" })).toEqual(["c3"]);
    expect(ids({ compound: "p1", health: "offline" })).toEqual(["c2"]);
  });

  it("is sorted by a column, trouble first", () => {
    expect(sorted(all, "health", false, healthOf).map((one) => one.id)).toEqual(["c2", "c3", "c1"]);
    expect(sorted(all, "id", true, healthOf).map((one) => one.id)).toEqual(["c3", "c2", "c1"]);
  });
});

describe("the list by switch", () => {
  const camera = (id: string, uplink: string): CameraProperties => ({
    id,
    name_zh: id,
    name_en: id,
    compound: "",
    grid_cell: "",
    azimuth_deg: 0,
    hfov_deg: 90,
    tilt_deg: 0,
    height_m: 3,
    uplink,
    enabled: true,
    has_main: false,
  });

  it("tells a dead switch from a camera that fails", () => {
    const offline = new Set(["a1", "a2", "a3", "a4", "b1"]);
    const found = byUplink(
      ["a1", "a2", "a3", "a4", "a5"].map((id) => camera(id, "a")).concat(["b1", "b2", "b3"].map((id) => camera(id, "b")), camera("x", "")),
      (id) => (offline.has(id) ? "offline" : "online"),
    );
    expect(found.map((one) => [one.uplink, one.dead, one.count.offline])).toEqual([
      ["a", true, 4],
      ["b", false, 1],
      ["", false, 0],
    ]);
  });
});

describe("undo", () => {
  it("takes a whole drag back in one step, and brings it again", () => {
    let state = undoable(0);
    for (const next of [1, 2, 3]) state = changed(state, next, "drag");
    state = changed(settled(state), 9, "drag");
    expect(undone(state).now).toBe(3);
    expect(undone(undone(state)).now).toBe(0);
    expect(undone(undone(undone(state))).now).toBe(0);
    expect(redone(undone(state)).now).toBe(9);
    expect(changed(undone(state), 7).future).toEqual([]);
  });
});

describe("a camera that is edited", () => {
  const camera = { ...NEW_CAMERA, id: "c1", lon: 121.9, lat: 30.6, azimuth_deg: 350 };

  it("turns round the north, and to where the handle is dragged", () => {
    expect(turned(camera, 365).azimuth_deg).toBe(5);
    expect(turned(camera, -0.04).azimuth_deg).toBe(0);
    const east = moved(camera, 30, 0);
    expect(bearing_deg([camera.lon, camera.lat], [east.lon, east.lat])).toBeCloseTo(90, 3);
    expect(bearing_deg([camera.lon, camera.lat], handleAt(camera, 25))).toBeCloseTo(350, 1);
  });

  it("knows its angle from the lens, and how far it reaches", () => {
    const lens = { ...camera, focal_mm: 4, sensor_mm: 8 };
    expect(hfov_deg(lens)).toBeCloseTo(90);
    expect(reach_m(lens, 25)).toBeCloseTo(1920 / 50);
    expect(asRequest(lens).hfov_deg).toBeNull();
    expect(asRequest({ ...camera, focal_mm: 4 })).toMatchObject({ hfov_deg: null, focal_mm: 4, sensor_mm: null });
  });

  it("is saved in the parts that differ", () => {
    const before: Draft = { camera, rules: [], privacy: [], ignore: [] };
    expect(differences(before, { ...before, camera: { ...camera } })).toEqual({});
    expect(differences(before, { ...before, ignore: [[[0, 0]]] })).toEqual({ ignore: [[[0, 0]]] });
    expect(Object.keys(differences(before, { ...before, camera: turned(camera, 5), privacy: [[[0, 0]]] }))).toEqual(["camera", "privacy"]);
  });
});

describe("a rule", () => {
  const { ofKind, withLabel } = outlines;
  const ZONE: Outline = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]];

  it("keeps name, times and level with another kind, and what both know", () => {
    const rule = { name: "night", kind: "intrusion", zone: ZONE, schedule: "22:00-06:00", severity: 1, dwell_s: 9, labels: ["person"], leave_s: 2 };
    expect(ofKind(rule, "object_left", ["zone", "leave_s"])).toEqual({ name: "night", kind: "object_left", zone: ZONE, schedule: "22:00-06:00", severity: 1 });
  });

  it("always looks for something", () => {
    expect(withLabel(["person"], "vehicle")).toEqual(["person", "vehicle"]);
    expect(withLabel(["person", "vehicle"], "person")).toEqual(["vehicle"]);
    expect(withLabel(["person"], "person")).toEqual(["person"]);
  });
});

describe("shapes on the picture", () => {
  const empty: Draft = { camera: NEW_CAMERA, rules: [], privacy: [], ignore: [] };
  const square: Outline = [
    [0.1, 0.1],
    [0.3, 0.1],
    [0.3, 0.3],
    [0.1, 0.3],
  ];

  it("are drawn, moved, and removed with their rule", () => {
    const mask = outlines.withNew(empty, "privacy", [0.2, 0.2], [1.4, 0.6], "");
    expect(mask.draft.privacy).toEqual([
      [
        [0.2, 0.2],
        [1, 0.2],
        [1, 0.6],
        [0.2, 0.6],
      ],
    ]);
    const one = outlines.withNew(mask.draft, "line", [0, 0], [1, 1], "line_crossing");
    const two = outlines.withNew(one.draft, "line", [0, 0], [1, 1], "line_crossing");
    expect(two.draft.rules.map((rule) => rule.name)).toEqual(["line-crossing", "line-crossing-2"]);
    expect(outlines.shapesOf(two.draft).map(outlines.keyOf)).toEqual(["privacy-0", "line-0", "line-1"]);
    expect(outlines.without(two.draft, one.key).rules.map((rule) => rule.name)).toEqual(["line-crossing-2"]);
  });

  it("stay inside the picture and keep enough points", () => {
    expect(outlines.shifted(square, -0.5, 0.1)[0]).toEqual([0, 0.2]);
    expect(outlines.pointMoved(square, 2, 5, -1)[2]).toEqual([1, 0]);
    const five = outlines.pointAdded(square, 3);
    expect(five[4]).toEqual([0.1, 0.2]);
    expect(outlines.pointRemoved(five, 4, "zone")).toEqual(square);
    expect(outlines.pointRemoved(square.slice(0, 3), 0, "zone")).toBeNull();
    expect(outlines.pointRemoved(square.slice(0, 3), 0, "line")).toHaveLength(2);
  });
});
