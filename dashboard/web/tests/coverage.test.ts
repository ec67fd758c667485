import { describe, expect, it } from "vitest";

import { byCause, heaviest } from "../src/coverage/losses";
import { viewFeatures } from "../src/coverage/overlay";
import type { BlindSpot, Views } from "../src/coverage/records";
import { inside, missing, reasonIn, touched } from "../src/coverage/why";
import { around } from "../src/map/area";

const square = (from: number, to: number): number[][] => [
  [from, from],
  [to, from],
  [to, to],
  [from, to],
  [from, from],
];

function view(camera: string, state: string, ...rings: number[][][]): Views["features"][number] {
  return { type: "Feature", geometry: { type: "Polygon", coordinates: rings }, properties: { camera, state, uplink: null } };
}

const VIEWS: Views = {
  type: "FeatureCollection",
  features: [view("c1", "offline", square(0, 4), square(1, 2)), view("c2", "working", square(0, 4)), view("c3", "uplink", square(3, 9))],
};

function spot(lon: number, lat: number): BlindSpot {
  const outline = { type: "Polygon", coordinates: [square(0, 1)] } as const;
  return { grid_cell: "g", compound: "", community: "", area_m2: 1, importance: 1, touches: [], names: [], lon, lat, outline: { ...outline, coordinates: [square(0, 1)] } };
}

describe("why ground is not seen", () => {
  it("knows inside from outside, holes and several parts", () => {
    const shape: GeoJSON.Polygon = { type: "Polygon", coordinates: [square(0, 4), square(1, 2)] };
    expect([inside(0.5, 0.5, shape), inside(1.5, 1.5, shape), inside(5, 1, shape)]).toEqual([true, false, false]);
    const parts: GeoJSON.MultiPolygon = { type: "MultiPolygon", coordinates: [[square(0, 1)], [square(6, 7)]] };
    expect([inside(6.5, 6.5, parts), inside(3, 3, parts)]).toEqual([true, false]);
  });

  it("names the cameras that would see it", () => {
    expect(missing(spot(3.5, 3.5), VIEWS)).toEqual(["c1", "c3"]);
    expect(missing(spot(1.5, 1.5), VIEWS)).toEqual([]);
    expect(missing(spot(3.5, 3.5), null)).toEqual([]);
  });

  it("reads what a spot touches, and the half of a reason", () => {
    expect(touched("gate:gate-07-1")).toEqual(["gate", "gate-07-1"]);
    expect(touched("lane")).toEqual(["lane", ""]);
    const why = "摄像机看不到 116 m² 重要区域 Cameras do not see 116 m²: gate:gate-03-2, lane";
    expect(reasonIn("zh", why)).toBe("摄像机看不到 116 m² 重要区域");
    expect(reasonIn("en", why)).toBe("Cameras do not see 116 m²");
  });
});

describe("what was lost", () => {
  const cells = [
    { grid_cell: "g1", cameras: 3, share: 0.1, minutes: { offline: 10, "uplink:s1": 30, disabled: 500 } },
    { grid_cell: "g2", cameras: 2, share: 0.2, minutes: { offline: 45 } },
    { grid_cell: "g3", cameras: 1, share: 0, minutes: { offline: 0.1 } },
  ];

  it("is added up by cause, without what somebody switched off", () => {
    expect(byCause(cells)).toEqual([
      { cause: "offline", minutes: expect.closeTo(55.1) },
      { cause: "uplink:s1", minutes: 30 },
    ]);
  });

  it("puts the heaviest cell first, with what took most of it", () => {
    expect(heaviest(cells).map((one) => [one.grid_cell, one.cause, one.minutes])).toEqual([
      ["g2", "offline", 45],
      ["g1", "uplink:s1", 40],
    ]);
  });
});

describe("the coverage map", () => {
  it("draws a lost view once, however many bands are shown", () => {
    const drawn = viewFeatures(VIEWS, [VIEWS, VIEWS]).features.map((one) => one.properties?.id as string);
    expect(drawn.sort()).toEqual(["c1", "c2", "c2", "c3"]);
  });

  it("finds the rectangle around shapes", () => {
    expect(around([{ type: "Point", coordinates: [9, 1] }, { type: "Polygon", coordinates: [square(2, 3)] }])).toEqual([2, 1, 9, 3]);
    expect(around([])).toBeNull();
  });
});
