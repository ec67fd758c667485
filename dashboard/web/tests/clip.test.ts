import { describe, expect, it } from "vitest";

import { partsOf } from "../src/incident/parts";
import type { ClipRecord, EventRecord } from "../src/records";

const at = (second: number): string => new Date(Date.UTC(2026, 2, 1, 12, 0, 0) + second * 1000).toISOString();

const CLIP = { event: "e1", began_at: at(0), ended_at: at(20), frames: 300, gaps: [] } as unknown as ClipRecord;

function event(began: number, raised: number, ended: number | null): EventRecord {
  return { began_at: at(began), raised_at: at(raised), ended_at: ended === null ? null : at(ended) } as unknown as EventRecord;
}

describe("the parts of a clip", () => {
  it("are before, during and after", () => {
    expect(partsOf(CLIP, event(6, 8, 12))).toEqual([
      { kind: "before", from: 0, to: 6 },
      { kind: "during", from: 6, to: 12 },
      { kind: "after", from: 12, to: 20 },
    ]);
  });

  it("end with the moment it was raised while nobody knows of an end, and stay within the clip", () => {
    expect(partsOf(CLIP, event(-30, 10, null)).map(({ kind, to }) => [kind, to])).toEqual([
      ["during", 10],
      ["after", 20],
    ]);
    expect(partsOf(CLIP, event(5, 6, 99)).at(-1)).toEqual({ kind: "during", from: 5, to: 20 });
  });

  it("have the gaps over them, cut to the clip", () => {
    const gaps = [
      { began_at: at(-3), ended_at: at(0), cause: "not_kept" },
      { began_at: at(14), ended_at: at(17), cause: "not_sent" },
    ] as ClipRecord["gaps"];
    expect(partsOf({ ...CLIP, gaps }, event(6, 8, 12)).at(-1)).toEqual({ kind: "gap", from: 14, to: 17 });
    expect(partsOf({ ...CLIP, gaps }, null)).toHaveLength(2);
  });
});
