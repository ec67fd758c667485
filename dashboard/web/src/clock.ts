/** The one ticking time of the page, in the server's time, and how times are written. */

import { signal } from "@preact/signals";

/** Server time minus the browser's, milliseconds; from the ping of the updates. */
let skew_ms = 0;
/** Small differences are network delay; only a wrong clock is corrected. */
const SKEW_IGNORED_MS = 1500;

/** Milliseconds since 1970 in server time, moving once a second. */
export const now = signal(Date.now());
export const timeZone = signal("Asia/Shanghai");

export function serverNow(): number {
  return Date.now() + skew_ms;
}

export function heardServerTime(iso: string): void {
  const difference = Date.parse(iso) - Date.now();
  skew_ms = Math.abs(difference) > SKEW_IGNORED_MS ? difference : 0;
}

export function startClock(): void {
  const tick = (): void => {
    now.value = serverNow();
    setTimeout(tick, 1000 - (serverNow() % 1000));
  };
  tick();
}

export interface WrittenTime {
  date: string;
  time: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  let known = formats.get(zone);
  if (!known) {
    known = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, known);
  }
  return known;
}

/** Date `2026-03-01` and time `08:04:05` in the time zone of the site. */
export function written(ms: number, zone = timeZone.value): WrittenTime {
  const part: Record<string, string> = {};
  for (const { type, value } of format(zone).formatToParts(ms)) part[type] = value;
  return { date: `${part.year}-${part.month}-${part.day}`, time: `${part.hour}:${part.minute}:${part.second}` };
}

export function timeOf(iso: string | null | undefined): string {
  return iso ? written(Date.parse(iso)).time : "–";
}

/** Clock form `4:05` or `1:02:03` of a length of time; negative lengths count as 0. */
export function lapse(ms: number): string {
  const total = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
