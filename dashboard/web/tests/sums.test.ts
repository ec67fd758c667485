import { describe, expect, it } from "vitest";

import { newCommandId } from "../src/api";
import { filtered, listed } from "../src/cameras/filter";
import { lapse, written } from "../src/clock";
import { cameraArea, surroundings } from "../src/map/area";
import { cone, distance_m } from "../src/map/cones";
import type { SiteRecord } from "../src/records";
import { waitBefore } from "../src/backoff";

describe("times", () => {
  it.each([
    [-5, "0:00"],
    [59_999, "0:59"],
    [245_000, "4:05"],
    [3_723_000, "1:02:03"],
  ])("%i ms is written %s", (ms, text) => {
    expect(lapse(ms)).toBe(text);
  });

  it("are written in the time zone of the site, midnight as 00", () => {
    expect(written(Date.parse("2026-03-01T16:00:05Z"), "Asia/Shanghai")).toEqual({ date: "2026-03-02", time: "00:00:05" });
  });
});

describe("reconnecting", () => {
  it("waits longer after each failure, never in step with others, at most 15 s", () => {
    expect(waitBefore(1, 0)).toBe(250);
    expect(waitBefore(1, 1)).toBe(500);
    expect(waitBefore(4, 1)).toBe(4000);
    expect(waitBefore(40, 1)).toBe(15_000);
    expect(waitBefore(40, 0)).toBe(7_500);
  });
});

describe("a camera's cone", () => {
  it("looks where the camera looks, clockwise from north, and is closed", () => {
    const ring = cone(121.4, 31.2, 90, 60, 30);
    expect(ring[0]).toEqual(ring.at(-1));
    const middle = ring[5];
    expect(middle?.[0]).toBeGreaterThan(121.4); // east
    expect(middle?.[1]).toBeCloseTo(31.2, 6);
    for (const at of ring.slice(1, -1)) expect(distance_m([121.4, 31.2], at)).toBeCloseTo(30, 1);
  });
});

describe("the camera list", () => {
  const camera = (id: string, health: "online" | "offline", words: string) => ({ id, health, words, awake: false });
  const all = [camera("c0001", "online", "c0001 east gate"), camera("c0002", "offline", "c0002 west gate"), camera("c0003", "online", "c0003 garage")];

  it("shows trouble first and filters by every word", () => {
    expect(filtered(all, "", "all")).toEqual(["c0002", "c0001", "c0003"]);
    expect(filtered(all, "GATE c0001", "all")).toEqual(["c0001"]);
    expect(filtered(all, "gate", "offline")).toEqual(["c0002"]);
  });

  it("counts a camera that nobody reported as offline", () => {
    const properties = { id: "c1", name_zh: "东门", name_en: "East", grid_cell: "g1" } as Parameters<typeof listed>[0];
    expect(listed(properties, undefined, "Court").health).toBe("offline");
  });
});

describe("command ids", () => {
  it("are UUIDs of version 4, each another", () => {
    const ids = new Set(Array.from({ length: 100 }, newCommandId));
    expect(ids.size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe("the area of the running cameras", () => {
  const site = (...places: [number, number, boolean][]): SiteRecord =>
    ({
      bounds: [0, 0, 10, 10],
      cameras: {
        features: places.map(([lon, lat, enabled]) => ({ geometry: { coordinates: [lon, lat] }, properties: { enabled } })),
      },
    }) as unknown as SiteRecord;

  it("is the rectangle around those that are enabled", () => {
    expect(cameraArea(site([2, 3, true], [4, 1, true], [9, 9, false]))).toEqual([2, 1, 4, 3]);
  });

  it("is nothing of its own without cameras, or where they fill the district", () => {
    expect(cameraArea(site([2, 3, false]))).toBeNull();
    expect(cameraArea(site([1, 1, true], [9, 9, true]))).toBeNull();
    expect(cameraArea(site([1, 5, true], [9, 6, true]))).toEqual([1, 5, 9, 6]);
  });

  it("may be left by the district's longer side, no further", () => {
    expect(surroundings([10, 20, 14, 22])).toEqual([6, 16, 18, 26]);
  });
});
