/** What follows from the server's figures, without anything of the page. */

import type { Figures } from "./requests";

/** What becomes of a checkpoint, best first. */
export const STATES = ["on_time", "late", "other", "skipped", "missed"] as const;
export type Counts = Record<(typeof STATES)[number], number>;

/** Those with false alarms: most of them first, of equals the higher share. */
export function worstFirst(groups: readonly Figures[]): Figures[] {
  const rate = (one: Figures): number => one.false_alarm_rate ?? 0;
  return groups
    .filter((one) => one.verdicts.false_alarm > 0)
    .sort((a, b) => b.verdicts.false_alarm - a.verdicts.false_alarm || rate(b) - rate(a) || a.name.localeCompare(b.name));
}

/** Every checkpoint once; `other` are visits that were too early. */
export function countsOf({ patrol }: Figures): Counts {
  const { on_time, late, visited, skipped, missed } = patrol;
  return { on_time, late, other: visited - on_time - late, skipped, missed };
}
