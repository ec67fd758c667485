/** Which rows of the registry's table are shown, in which order. */

import type { Health } from "../records";
import type { ListedEntry } from "./records";

export interface Wanted {
  text: string;
  compound: string;
  uplink: string;
  health: "" | Health;
  enabled: "" | "yes" | "no";
}

export const EVERYTHING: Wanted = { text: "", compound: "", uplink: "", health: "", enabled: "" };

export const SORTS = ["id", "name", "compound", "uplink", "credential", "health"] as const;
export type Sort = (typeof SORTS)[number];

const TROUBLE: Readonly<Record<Health, number>> = { offline: 0, degraded: 1, online: 2 };

/** Entries that match every word of the text and every choice; `healthOf` knows how a camera is. */
export function wantedEntries(entries: readonly ListedEntry[], wanted: Wanted, healthOf: (camera: string) => Health): ListedEntry[] {
  const parts = wanted.text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries.filter((one) => {
    if (wanted.compound && one.compound !== wanted.compound) return false;
    if (wanted.uplink && one.uplink !== wanted.uplink) return false;
    if (wanted.enabled && one.enabled !== (wanted.enabled === "yes")) return false;
    if (wanted.health && (!one.enabled || healthOf(one.id) !== wanted.health)) return false;
    const words = `${one.id} ${one.name.zh} ${one.name.en} ${one.grid_cell} ${one.url_sub} ${one.gb_code}`.toLowerCase();
    return parts.every((part) => words.includes(part));
  });
}

export function sorted(entries: readonly ListedEntry[], sort: Sort, down: boolean, healthOf: (camera: string) => Health): ListedEntry[] {
  const key = (one: ListedEntry): string => {
    if (sort === "health") return String(TROUBLE[healthOf(one.id)]);
    return sort === "name" ? one.name.zh || one.name.en : one[sort];
  };
  const sign = down ? -1 : 1;
  return [...entries].sort((a, b) => sign * key(a).localeCompare(key(b)) || a.id.localeCompare(b.id));
}
