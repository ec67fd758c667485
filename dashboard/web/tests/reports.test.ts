import { describe, expect, it } from "vitest";

import { heatBounds, heatStep, lengthRange, place, ticks } from "../src/charts/scale";
import { beginOf, dayAfter, isDay, presetPeriod, span, unfit } from "../src/reports/period";
import type { Figures } from "../src/reports/requests";
import { countsOf, worstFirst } from "../src/reports/sums";

function figures(name: string, false_alarm: number, rate: number): Figures {
  return { name, verdicts: { true: 0, suspicious: 0, duplicate: 0, false_alarm }, false_alarm_rate: rate } as unknown as Figures;
}

describe("the days of a report", () => {
  it("are those of the site's calendar", () => {
    expect(new Date(beginOf("2026-03-01", "Asia/Shanghai")).toISOString()).toBe("2026-02-28T16:00:00.000Z");
    expect(new Date(beginOf("2026-07-01", "Europe/Berlin")).toISOString()).toBe("2026-06-30T22:00:00.000Z");
    expect(new Date(beginOf("2026-01-01", "America/New_York")).toISOString()).toBe("2026-01-01T05:00:00.000Z");
  });

  it("are as long as the clocks make them", () => {
    const hours = (day: string): number => (beginOf(dayAfter(day, 1), "Europe/Berlin") - beginOf(day, "Europe/Berlin")) / 3_600_000;
    expect([hours("2026-03-28"), hours("2026-03-29"), hours("2026-10-25")]).toEqual([24, 23, 25]);
  });

  it("begin an hour late where midnight is left out", () => {
    // Beirut put its clocks forward from 2025-03-30 00:00 to 01:00.
    expect(new Date(beginOf("2025-03-30", "Asia/Beirut")).toISOString()).toBe("2025-03-29T22:00:00.000Z");
  });

  it("follow from the presets, over months and years", () => {
    expect(presetPeriod("week", "2026-03-03")).toEqual({ from: "2026-02-25", to: "2026-03-03" });
    expect(presetPeriod("month", "2026-03-03")).toEqual({ from: "2026-03-01", to: "2026-03-03" });
    expect(presetPeriod("before", "2026-01-31")).toEqual({ from: "2025-12-01", to: "2025-12-31" });
    expect(presetPeriod("before", "2024-03-31")).toEqual({ from: "2024-02-01", to: "2024-02-29" });
  });

  it("exist", () => {
    for (const day of ["2026-03-01", "2024-02-29", "1970-01-01", "2999-12-31"]) expect(isDay(day)).toBe(true);
    for (const day of ["2026-99-99", "2026-02-29", "2026-04-31", "2026-00-10", "2026-3-1", "9999-12-31", "0001-01-01", ""]) expect(isDay(day)).toBe(false);
    for (const day of ["1970-01-01", "2999-12-31"]) expect(span({ from: day, to: day }).from < span({ from: day, to: day }).to).toBe(true);
    expect(unfit({ from: "2026-99-99", to: "2026-99-99" })).toBe("reports.period.missing");
  });

  it("are refused in words where they cannot be asked for", () => {
    expect(unfit({ from: "2026-01-02", to: "2026-01-01" })).toBe("reports.period.order");
    expect(unfit({ from: "2025-01-01", to: "2026-01-02" })).toBe("reports.period.long");
    expect(unfit({ from: "2025-01-01", to: "2026-01-01" })).toBeNull();
    expect(unfit({ from: "", to: "2026-01-01" })).toBe("reports.period.missing");
  });
});

describe("axes", () => {
  it("have round numbers that hold every value", () => {
    expect(ticks(0, 0.87)).toEqual([0, 0.5, 1]);
    expect(ticks(0, 7)).toEqual([0, 2, 4, 6, 8]);
    expect(ticks(0, 0)).toEqual([0, 0.5, 1]);
    for (const high of [0.003, 1, 3, 12, 99, 1234, 5e9]) {
      const marks = ticks(0, high);
      expect(marks[marks.length - 1]).toBeGreaterThanOrEqual(high);
      expect(marks.length).toBeLessThanOrEqual(8);
    }
  });

  it("hold the shortest and the longest stage", () => {
    expect(lengthRange([34, 88, 7000])).toEqual([10, 36_000]);
    expect(lengthRange([60])).toEqual([60, 3600]);
    expect([place(10, 10, 1000), place(5000, 10, 1000)]).toEqual([0, 1]);
    expect(place(100, 10, 1000)).toBeCloseTo(0.5);
  });

  it("shade few beside many, and nothing not at all", () => {
    expect([0, 1, 25, 100].map((number) => heatStep(number, 100, 5))).toEqual([0, 1, 3, 5]);
    const bounds = heatBounds(100, 5);
    for (let number = 1; number <= 100; number++) {
      expect(number <= (bounds[heatStep(number, 100, 5) - 1] ?? 0)).toBe(true);
    }
  });
});

describe("the parts of a report", () => {
  it("name the worst first and leave out who never rang in vain", () => {
    const found = worstFirst([figures("a", 2, 0.1), figures("b", 5, 0.2), figures("c", 0, 0), figures("d", 2, 0.9)]);
    expect(found.map((one) => one.name)).toEqual(["b", "d", "a"]);
  });

  it("count every checkpoint once", () => {
    const patrol = { stops: 12, visited: 9, on_time: 6, late: 2, skipped: 1, missed: 2, completion: 0.75 };
    const counts = countsOf({ patrol } as unknown as Figures);
    expect(counts).toEqual({ on_time: 6, late: 2, other: 1, skipped: 1, missed: 2 });
    expect(Object.values(counts).reduce((sum, one) => sum + one, 0)).toBe(patrol.stops);
  });
});
