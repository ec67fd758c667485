/** What the reports page asks the server, and what comes back. */

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { id, request } from "../api";
import { lang } from "../prefs";
import { period, span, unfit, type Period } from "./period";

/** A year of a busy site takes a while to add up. */
const TIMEOUT_MS = 90_000;

export const STEPS = ["acknowledge", "dispatch", "accept", "arrive", "report", "verify", "close"] as const;
export type LimitedStep = (typeof STEPS)[number];

export interface Timing {
  count: number;
  median_s: number | null;
  p90_s: number | null;
  runs: number;
  in_time: number;
  share: number | null;
}

export interface Figures {
  name: string;
  opened: number;
  closed: number;
  closing_rate: number | null;
  verdicts: Record<"true" | "suspicious" | "false_alarm" | "duplicate", number>;
  false_alarm_rate: number | null;
  timings: Record<LimitedStep, Timing>;
  total: Timing;
  patrol: { stops: number; visited: number; on_time: number; late: number; skipped: number; missed: number; completion: number | null };
  score: number | null;
}

export interface Assessment {
  as_of: string;
  all: Figures;
  groups: Figures[];
}

export interface Hours {
  timezone: string;
  total: number;
  hours: number[];
  cells: { grid_cell: string; total: number; hours: number[] }[];
}

export interface CoverageSeries {
  known_from: string | null;
  points: { at: string; rate: number }[];
  mean: number | null;
  places: { place: string; mean: number; lowest: number; lowest_at: string }[];
}

/** Which incidents: of one category, or all ("" ). */
export const category = signal("");

export type Query = Readonly<Record<string, string>>;

function asked(of: Period, more: Query): string {
  return Object.entries({ ...span(of), ...more })
    .filter(([, value]) => value !== "")
    .map(([name, value]) => `${name}=${id(value)}`)
    .join("&");
}

/** Address of a table of the report as a file, in the language of the page. */
export function file(path: string, more: Query, format: "csv" | "xlsx"): string {
  return `/api/v1/${path}/export?${asked(period.value, more)}&format=${format}&language=${lang.value}`;
}

export interface Answer<T> {
  data: T | null;
  failed: string;
  busy: boolean;
}

/** The answer for the period that is chosen; the one before stays until it is there. */
export function useAnswer<T>(path: string, more: Query): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ data: null, failed: "", busy: true });
  const of = period.value;
  const isFit = unfit(of) === null;
  const address = isFit ? `/${path}?${asked(of, more)}` : "";
  useEffect(() => {
    if (!address) return;
    let isStale = false;
    setAnswer((before) => ({ ...before, busy: true, failed: "" }));
    request("GET", address, undefined, undefined, TIMEOUT_MS)
      .then((response) => response.json() as Promise<T>)
      .then((data) => !isStale && setAnswer({ data, failed: "", busy: false }))
      .catch((reason: unknown) => {
        if (!isStale) setAnswer({ data: null, failed: reason instanceof Error ? reason.message : String(reason), busy: false });
      });
    return () => void (isStale = true);
  }, [address]);
  return answer;
}
