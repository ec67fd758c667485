/** What the coverage page shows: read when it opens and when the server says that the coverage has changed. */

import { computed, effect, signal } from "@preact/signals";

import { serverNow } from "../clock";
import { coverageNews, generation, say } from "../state";
import { coverageApi, type LayerAsked } from "./requests";
import { BANDS, type Coverage, type CoverageHistory, type PlannedCamera, type Views } from "./records";
import { missing } from "./why";

export const MODES = ["now", "places", "history", "plan", "report"] as const;
export type Mode = (typeof MODES)[number];

const HOUR_MS = 3_600_000;
export const SPANS_H = [24, 168] as const;
/** Moments of the history; of a day one for each quarter of an hour. */
const POINTS = 97;
/** Several changes within this time are read once. */
const SETTLE_MS = 250;

export const mode = signal<Mode>("now");
export const coverage = signal<Coverage | null>(null);
/** What each camera sees in the layer that was asked for; `bands`: of all bands, when they are shown. */
export const views = signal<Views | null>(null);
export const bands = signal<readonly Views[]>([]);
export const layer = signal<LayerAsked | null>(null);
export const allBands = signal(false);
export const history = signal<CoverageHistory | null>(null);
export const span_h = signal<number>(SPANS_H[0]);
/** Index of the moment on the time slider; null: now. */
export const moment = signal<number | null>(null);
/** The place whose figures and history are looked at; null: everything. */
export const place = signal<string | null>(null);
/** Index of the chosen blind spot, id of the chosen cause. */
export const chosenSpot = signal<number | null>(null);
export const chosenCause = signal<string | null>(null);
export const planned = signal<readonly PlannedCamera[]>([]);

/** The moment that is shown as the server takes it; null: now. */
export const shownAt = computed(() => (moment.value === null ? null : (history.value?.points[moment.value]?.at ?? null)));

/** For each blind spot the cameras that would see it if they worked. */
export const missingOf = computed(() => (coverage.value?.blind_spots ?? []).map((spot) => missing(spot, views.value)));

export function causeId(cause: string, uplink: string | null): string {
  return uplink ? `${cause}:${uplink}` : cause;
}

function fail(reason: unknown): void {
  say(reason instanceof Error ? reason.message : String(reason), "fault");
}

/** Answers may overtake each other: only the newest question counts. */
let asked = 0;

export async function load(): Promise<void> {
  const mine = (asked += 1);
  try {
    const now = await coverageApi.coverage(shownAt.value);
    if (mine !== asked) return;
    const wanted = layer.value ?? { stream: now.definition.stream, band: now.definition.band, light: "day" };
    layer.value = wanted;
    const seen = await coverageApi.views(wanted, shownAt.value);
    const nested = allBands.value ? await Promise.all(BANDS.map((band) => coverageApi.views({ ...wanted, band }, shownAt.value))) : [];
    if (mine !== asked) return;
    coverage.value = now;
    views.value = seen;
    bands.value = nested;
  } catch (reason) {
    if (mine === asked) fail(reason);
  }
}

export async function loadHistory(): Promise<void> {
  const to = serverNow();
  try {
    history.value = await coverageApi.history(
      new Date(to - span_h.value * HOUR_MS).toISOString(),
      new Date(to).toISOString(),
      POINTS,
      place.value,
    );
  } catch (reason) {
    fail(reason);
  }
}

/** Keeps the facts fresh while the page is open; the returned function ends it. */
export function follow(): () => void {
  let soon: ReturnType<typeof setTimeout> | undefined;
  const later = (): void => {
    clearTimeout(soon);
    soon = setTimeout(() => void load(), SETTLE_MS);
  };
  void load();
  const ends = [
    effect(() => {
      void coverageNews.value;
      void generation.value;
      later();
    }),
    effect(() => {
      void shownAt.value;
      later();
    }),
    effect(() => {
      void [span_h.value, place.value];
      if (mode.value === "history") void loadHistory();
      else moment.value = null;
    }),
  ];
  return () => {
    clearTimeout(soon);
    for (const end of ends) end();
    moment.value = null;
  };
}

/** Another layer of the map, now. */
export function show(wanted: LayerAsked, nested: boolean): void {
  layer.value = wanted;
  allBands.value = nested;
  void load();
}

export async function accept(proposal: string): Promise<void> {
  try {
    await coverageApi.accept(proposal);
  } catch (reason) {
    fail(reason);
  }
  await load();
}

export async function plan(count: number): Promise<void> {
  try {
    planned.value = await coverageApi.plan(count, place.value);
  } catch (reason) {
    fail(reason);
  }
}
