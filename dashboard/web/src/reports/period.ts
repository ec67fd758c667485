/** Days of the site's calendar: which ones a report is about, and when they begin. */

import { signal } from "@preact/signals";

import { now, timeZone, written } from "../clock";

export interface Period {
  /** First and last day, both within: `2026-03-01`. */
  from: string;
  to: string;
}

export const PRESETS = ["today", "week", "month30", "month", "before"] as const;
export type Preset = (typeof PRESETS)[number];

const DAY_MS = 86_400_000;
/** The most that the server sums up at once. */
export const LONGEST_DAYS = 366;

export const period = signal<Period>({ from: "", to: "" });

/** Whether a text is a day that exists, of the years 1970 to 2999: `2026-02-30` is none. */
export function isDay(text: string): boolean {
  if (!/^(19[7-9]\d|2\d{3})-\d\d-\d\d$/.test(text)) return false;
  const at = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(text);
}

/** The day so many days after another. */
export function dayAfter(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** The period that a preset means on `today`. */
export function presetPeriod(preset: Preset, today: string): Period {
  const first = `${today.slice(0, 8)}01`;
  switch (preset) {
    case "today":
      return { from: today, to: today };
    case "week":
      return { from: dayAfter(today, -6), to: today };
    case "month30":
      return { from: dayAfter(today, -29), to: today };
    case "month":
      return { from: first, to: today };
    case "before": {
      const last = dayAfter(first, -1);
      return { from: `${last.slice(0, 8)}01`, to: last };
    }
  }
}

/** When a day begins in a zone, milliseconds since 1970: its first moment, where midnight is left out by a change of clocks. */
export function beginOf(day: string, zone = timeZone.peek()): number {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  const shown = (ms: number): number => {
    const { date, time } = written(ms, zone);
    return Date.parse(`${date}T${time}Z`);
  };
  let at = wanted;
  for (let turn = 0; turn < 3; turn++) at += wanted - shown(at);
  while (written(at, zone).date < day) at += 900_000;
  return at;
}

export function today(): string {
  return written(now.peek()).date;
}

/** What is wrong with a period, as a key of words; null if it can be asked for. */
export function unfit({ from, to }: Period): "reports.period.order" | "reports.period.long" | "reports.period.missing" | null {
  if (!isDay(from) || !isDay(to)) return "reports.period.missing";
  if (from > to) return "reports.period.order";
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1 > LONGEST_DAYS ? "reports.period.long" : null;
}

/** `from` and `to` as the server wants them. */
export function span({ from, to }: Period): { from: string; to: string } {
  return { from: new Date(beginOf(from)).toISOString(), to: new Date(beginOf(dayAfter(to, 1))).toISOString() };
}
