import { describe, expect, it } from "vitest";

import { arrange, compare, highest } from "../src/queue/order";
import { FLOOD, fold, queueOf, unfold } from "../src/queue/queues";
import { cellMiddles, groundFeatures, markFeatures, spotsFromAfar, spotsOf, type Spot } from "../src/map/features";
import type { Incident, Level, SiteRecord, Work } from "../src/records";

function incident(id: string, severity: Level, work: Work, minute: number): Incident {
  const at = `2026-03-01T08:${String(minute).padStart(2, "0")}:00.000Z`;
  return { id, severity, work, opened_at: at } as Incident;
}

const OPEN = [
  incident("owned-1", 1, "en_route", 1),
  incident("new-3", 3, "new", 9),
  incident("new-1", 1, "new", 2),
  incident("newer-1", 1, "new", 5),
  incident("owned-2", 2, "acknowledged", 8),
];

const order = (found: readonly Incident[]): string[] => [...found].sort(compare).map((one) => one.id);

describe("the alarm queue", () => {
  it("puts unacknowledged alarms first, by level, newest first", () => {
    expect([...OPEN].sort(compare).map((one) => one.id)).toEqual(["newer-1", "new-1", "new-3", "owned-1", "owned-2"]);
  });

  it("never moves a row while it is held, and counts newcomers", () => {
    const before = arrange(order(OPEN), [], false).ids;
    const later = [...OPEN.filter((one) => one.id !== "new-3"), incident("burst", 1, "new", 20)];
    expect(arrange(order(later), before, true)).toEqual({ ids: before, arrived: 1 });
    expect(arrange(order(later), before, false)).toEqual({ ids: ["burst", "newer-1", "new-1", "owned-1", "owned-2"], arrived: 0 });
  });

  it("fills an empty list even while it is held", () => {
    expect(arrange(order(OPEN), [], true).ids).toHaveLength(OPEN.length);
  });

  it("names the highest alarm without an owner, or none", () => {
    expect(highest(OPEN)?.id).toBe("newer-1");
    expect(highest(OPEN.filter((one) => one.work !== "new"))).toBeNull();
    expect(highest([{ ...incident("shelved", 2, "new", 1), condition: "shelved" }])).toBeNull();
  });
});

describe("the three queues", () => {
  it("hold alarms, silent alerts, and what is over", () => {
    expect(queueOf(incident("a", 3, "new", 1))).toBe("alarms");
    expect(queueOf(incident("b", 4, "new", 1))).toBe("alerts");
    expect(queueOf({ ...incident("c", 2, "new", 1), condition: "shelved" })).toBe("alerts");
    expect(queueOf(incident("d", 1, "closed", 1))).toBe("log");
  });
});

describe("a flood", () => {
  const rain = (cells: number, each: number): Incident[] =>
    Array.from({ length: cells * each }, (_, n) => ({
      ...incident(`i${String(n).padStart(3, "0")}`, 3, "new", n % 60),
      grid_cell: `g${n % cells}`,
      community: `m${n % 3}`,
    }));

  it("of no more than ten alarms is none", () => {
    expect(fold(rain(1, FLOOD)).groups.size).toBe(0);
  });

  it.each([
    [4, 20, 4],
    [30, 5, 3], // too many cells: by community
  ])("in %i cells with %i alarms each becomes %i rows, and all are behind them", (cells, each, rows) => {
    const found = fold(rain(cells, each));
    expect(found.rows).toHaveLength(rows);
    const keys = new Set([...found.groups.values()].map((group) => group.key));
    expect(new Set(unfold(found, keys)).size).toBe(cells * each);
  });

  it("never hides level 1, nor what somebody works on", () => {
    const alarms = [...rain(2, 20), incident("top", 1, "new", 3), incident("mine", 3, "acknowledged", 4)];
    expect(fold(alarms).rows.map((one) => one.id)).toEqual(expect.arrayContaining(["top", "mine"]));
  });

  it("keeps the row that stands for a group while more arrive", () => {
    const before = fold(rain(2, 10)).rows.map((one) => one.id);
    const later = rain(2, 10).concat({ ...incident("late", 3, "new", 59), grid_cell: "g0", community: "m0" });
    expect(fold(later).rows.map((one) => one.id)).toEqual(before);
  });
});

describe("the map in a flood", () => {
  it("has one sign at each place: the most urgent, with the number of all", () => {
    const at = (one: Incident, lon: number): Incident => ({ ...one, lon, lat: 31 });
    const found = spotsOf([
      at(incident("a", 3, "new", 1), 121),
      at(incident("b", 1, "acknowledged", 2), 121),
      at(incident("c", 2, "new", 3), 121),
      at(incident("d", 3, "new", 4), 122),
      { ...incident("nowhere", 1, "new", 5), lon: null, lat: null },
    ]);
    expect(found.map(({ first, count }) => [first.id, count])).toEqual([["c", 3], ["d", 1]]);
  });

  const middles = new Map<string, [number, number]>([["g1", [121, 31]], ["g2", [122, 31]]]);
  const spots = (cell: string, places: number, severity: 1 | 2 | 3, name = cell): Spot[] =>
    spotsOf(
      Array.from({ length: places }, (_, at) => ({
        ...incident(`${name}-${at}`, severity, "new", at),
        grid_cell: cell,
        lon: 120 + at / 100,
        lat: 30,
      })),
    );
  const seen = (found: readonly Spot[]): unknown[] => found.map((one) => [one.cell || one.first.id, one.count, one.lon]);

  it("has, from afar, one sign in the middle of a full cell, and each place of another", () => {
    const found = spotsFromAfar([...spots("g1", 9, 2), ...spots("g2", 2, 3)], middles);
    expect(seen(found)).toEqual([["g1", 9, 121], ["g2-1", 1, 120.01], ["g2-0", 1, 120]]);
    expect(found[0]?.first.id).toBe("g1-8");
  });

  it("never hides level 1 in a cell's sign, nor what lies in no cell", () => {
    const found = spotsFromAfar([...spots("g1", 5, 2), ...spots("g1", 1, 1, "fire"), ...spots("nowhere", 4, 3)], middles);
    expect(found.map((one) => one.cell || one.first.id).sort()).toEqual([
      "fire-0",
      "g1",
      "nowhere-0",
      "nowhere-1",
      "nowhere-2",
      "nowhere-3",
    ]);
  });

  it("leaves the signs of places as they are", () => {
    const near = spots("g1", 9, 2);
    const before = structuredClone(near);
    spotsFromAfar(near, middles);
    expect(near).toEqual(before);
  });
});

describe("the ground", () => {
  const outline: GeoJSON.Polygon = { type: "Polygon", coordinates: [[[0, 0], [2, 0], [2, 4], [0, 4], [0, 0]]] };
  const names = { name_zh: "一", name_en: "one", parent: "", compound_kind: null };
  const camera = (id: string): SiteRecord["cameras"]["features"][number] => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [1, 1] },
    properties: { id, ...names, compound: "", grid_cell: "g1", azimuth_deg: 0, hfov_deg: 90, tilt_deg: 0, height_m: 3, uplink: "", enabled: true, has_main: false },
  });
  const site = {
    places: { type: "FeatureCollection", features: [{ type: "Feature", geometry: outline, properties: { id: "g1", kind: "grid_cell", ...names } }] },
    cameras: { type: "FeatureCollection", features: [camera("c1"), camera("c2")] },
  } as unknown as SiteRecord;

  it("is places and cones in one source", () => {
    expect(groundFeatures(site).features.map((one) => one.properties?.kind)).toEqual(["grid_cell", "cone", "cone"]);
    expect([...cellMiddles(site)]).toEqual([["g1", [1, 2]]]);
  });

  it("marks the watched camera's cone and the links, nothing else", () => {
    const none = { type: "FeatureCollection", features: [] } as const;
    const marks = (watched: string | null): unknown[] => markFeatures(site, watched, { ...none, features: [] }).features.map((one) => one.properties?.id);
    expect(marks("c2")).toEqual(["c2"]);
    expect(marks(null)).toEqual([]);
  });
});
