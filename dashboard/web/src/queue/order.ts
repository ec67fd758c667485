/** Order of the alarm queue, and how it holds still while somebody points at it. */

import type { Incident } from "../records";

/** Unacknowledged first, by level then newest; the others by level then oldest deadline. */
export function compare(a: Incident, b: Incident): number {
  const [aWaits, bWaits] = [a.work === "new", b.work === "new"];
  if (aWaits !== bWaits) return aWaits ? -1 : 1;
  if (a.severity !== b.severity) return a.severity - b.severity;
  if (a.opened_at !== b.opened_at) return a.opened_at < b.opened_at ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}

export interface Arranged {
  ids: string[];
  /** Incidents that arrived while the list was held and are not shown yet. */
  arrived: number;
}

/** The order to show. Held: the rows stay exactly where they were, and newcomers are only counted. */
export function arrange(ordered: readonly string[], before: readonly string[], held: boolean): Arranged {
  if (held && before.length > 0) {
    const shown = new Set(before);
    return { ids: [...before], arrived: ordered.filter((id) => !shown.has(id)).length };
  }
  return { ids: [...ordered], arrived: 0 };
}

/** The alarm that matters most now, or null when every one has an owner or lies on the shelf. */
export function highest(open: readonly Incident[]): Incident | null {
  let best: Incident | null = null;
  for (const one of open) {
    const waits = one.work === "new" && one.condition !== "shelved";
    if (waits && (!best || compare(one, best) < 0)) best = one;
  }
  return best;
}
