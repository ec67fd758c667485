import { describe, expect, it } from "vitest";

import { isOld } from "../src/wall/freshness";
import { grid, place } from "../src/wall/grid";
import { codecOf, pictures } from "../src/wall/pictures";
import { placed, tourOrder, type Tile, type Wish } from "../src/wall/plan";

function wish(some: Partial<Wish>): Wish {
  return { layout: 4, pinned: [], alarms: [], followed: null, touring: [], ...some };
}

const shown = (tiles: readonly Tile[]): string => tiles.map((tile) => `${tile.camera ?? "-"}:${tile.why}`).join(" ");

describe("the wall's tiles", () => {
  it("hold alarms first, then what is selected, then the tour", () => {
    const tiles = placed([], wish({ alarms: ["a", "b"], followed: "f", touring: ["t", "u"] }));
    expect(shown(tiles)).toBe("a:alarm b:alarm f:followed t:tour");
  });

  it("never move a camera that stays", () => {
    const before = placed([], wish({ touring: ["t", "u", "v", "w"] }));
    const after = placed(before, wish({ alarms: ["a", "v"], touring: ["t", "u", "v", "w"] }));
    expect(after[2]).toEqual({ camera: "v", why: "alarm" });
    expect(shown(after)).toBe("a:alarm u:tour v:alarm t:tour");
  });

  it("let pinned cameras stand, which say that they have an alarm", () => {
    expect(shown(placed([], wish({ pinned: [null, "p"], alarms: ["p", "a"] })))).toBe("a:alarm p:alarm -:none -:none");
  });

  it("show the highest alarms when there are more than tiles, and nothing twice", () => {
    expect(shown(placed([], wish({ layout: 1, alarms: ["a", "b", "a"], followed: "a" })))).toBe("a:alarm");
  });

  it("stay dark while nothing happens", () => {
    expect(shown(placed([], wish({})))).toBe("-:none -:none -:none -:none");
  });
});

describe("a tour", () => {
  const hour = 3_600_000;
  const now = 100 * hour;
  const cameras = [
    { id: "late", busy: false, seen_ms: now - hour },
    { id: "never", busy: false, seen_ms: 0 },
    { id: "stirs", busy: true, seen_ms: 0 },
    { id: "early", busy: false, seen_ms: now - 9 * hour },
  ];

  it.each([
    [{ quiet: false, unseen_h: 0 }, "never stirs early late"],
    [{ quiet: true, unseen_h: 0 }, "never early late"],
    [{ quiet: false, unseen_h: 4 }, "never stirs early"],
  ])("with %o goes the longest unseen first: %s", (rules, order) => {
    expect(tourOrder(cameras, rules, now).join(" ")).toBe(order);
  });
});

describe("a picture", () => {
  it.each([
    [1_900, 0.5, false], // short GOPs: the network takes its time, too
    [2_100, 0.5, true],
    [3_900, 2, false],
    [4_100, 2, true],
    [7_900, 0, false], // not known yet
    [8_100, 0, true],
    [59_000, 30, false], // smart codecs
  ])("of %d ms with a GOP of %d s is old: %s", (age_ms, gop_s, old) => {
    expect(isOld(age_ms, gop_s)).toBe(old);
  });
});

describe("the grid of the overview", () => {
  it("fills the width, and only rows in sight and one more at each end exist", () => {
    const shape = grid(727, 184, 1860, 900, 0);
    expect(shape.columns).toBe(9);
    expect(shape.width).toBe(Math.floor((1860 - 8 * 4) / 9));
    expect(shape.last).toBe(9 * (Math.ceil(900 / (shape.height + 4)) + 1));
    const scrolled = grid(727, 184, 1860, 900, 5000);
    expect(scrolled.first % 9).toBe(0);
    expect(place(scrolled.first + 9, scrolled).top).toBeLessThanOrEqual(5000);
    expect(grid(727, 184, 1860, 900, 1e9).last).toBe(727);
  });
});

describe("a message of the overview", () => {
  const record = (camera: string, data: number[], flags = 1): number[] => [
    flags, 0, 1, camera.length, 20, 0, 0xe8, 3, 0, 0, data.length, 0, 0, 0, ...[...camera].map((one) => one.charCodeAt(0)), ...data,
  ];

  it("is taken apart record by record", () => {
    const bytes = new Uint8Array([...record("c0001", [1, 2, 3], 7), ...record("c2", [])]);
    const [one, two] = pictures(bytes.buffer);
    expect(one).toMatchObject({ camera: "c0001", coding: "h264", health: "degraded", key: true, whole: true, awake: true, gop_s: 2, age_ms: 1000 });
    expect([...(one?.data ?? [])]).toEqual([1, 2, 3]);
    expect(two).toMatchObject({ camera: "c2", whole: false });
    expect(two?.data.length).toBe(0);
    expect(() => pictures(bytes.buffer.slice(0, -20))).toThrow(RangeError);
  });

  it("tells the codec by its parameter set", () => {
    const sps = [0, 0, 0, 1, 0x09, 0xf0, 0, 0, 0, 1, 0x67, 0x42, 0xe0, 0x1f, 0x8c];
    expect(codecOf("h264", new Uint8Array(sps))).toBe("avc1.42e01f");
    expect(codecOf("h264", new Uint8Array([0, 0, 1, 0x65, 1, 2, 3, 4]))).toBeNull();
  });
});
