import { describe, expect, it } from "vitest";

import { fitted, LONGEST_PX } from "../src/phone/photos";
import type { PlaceProperties } from "../src/records";
import { cellsByCommunity } from "../src/users/areas";

function place(id: string, kind: PlaceProperties["kind"], parent: string): PlaceProperties {
  return { id, kind, parent, name_zh: id, name_en: id, compound_kind: null };
}

describe("the places an account may be limited to", () => {
  it("are communities with their cells, whatever lies between", () => {
    const places = [
      place("d", "sub_district", ""),
      place("m1", "community", "d"),
      place("m2", "community", "d"),
      place("p1", "compound", "m1"),
      place("g1", "grid_cell", "p1"),
      place("g2", "grid_cell", "m1"),
      place("g3", "grid_cell", "nowhere"),
      place("b1", "building", "g1"),
    ];
    expect([...cellsByCommunity(places)]).toEqual([
      ["m1", ["g1", "g2"]],
      ["m2", []],
    ]);
  });
});

describe("a photo on the phone", () => {
  it("is made smaller, never larger, and keeps its shape", () => {
    expect(fitted(4000, 3000)).toEqual([LONGEST_PX, 1200]);
    expect(fitted(3000, 4000)).toEqual([1200, LONGEST_PX]);
    expect(fitted(800, 600)).toEqual([800, 600]);
    expect(fitted(100_000, 3)).toEqual([LONGEST_PX, 1]);
  });
});
