import { describe, expect, it } from "vitest";

import { arrange, compare, highest } from "../src/queue/order";
import type { Incident, Level, Work } from "../src/records";

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

describe("the alarm queue", () => {
  it("puts unacknowledged alarms first, by level, newest first", () => {
    expect([...OPEN].sort(compare).map((one) => one.id)).toEqual(["newer-1", "new-1", "new-3", "owned-1", "owned-2"]);
  });

  it("never moves a row while it is held, and counts newcomers", () => {
    const before = arrange(OPEN, [], false).ids;
    const later = [...OPEN.filter((one) => one.id !== "new-3"), incident("burst", 1, "new", 20)];
    expect(arrange(later, before, true)).toEqual({ ids: before, arrived: 1 });
    expect(arrange(later, before, false)).toEqual({ ids: ["burst", "newer-1", "new-1", "owned-1", "owned-2"], arrived: 0 });
  });

  it("fills an empty list even while it is held", () => {
    expect(arrange(OPEN, [], true).ids).toHaveLength(OPEN.length);
  });

  it("names the highest alarm without an owner, or none", () => {
    expect(highest(OPEN)?.id).toBe("newer-1");
    expect(highest(OPEN.filter((one) => one.work !== "new"))).toBeNull();
  });
});
