/** Which queue an incident stands in, and how a flood of alarms is folded into a few rows. */

import type { Incident } from "../records";
import { compare } from "./order";

/** An alarm sounds and wants an action, an alert is a silent list, the log is what is over (ISA-18.2). */
export const QUEUES = ["alarms", "alerts", "log"] as const;
export type QueueName = (typeof QUEUES)[number];

/** More unacknowledged alarms than this are a flood, in which a person can no longer take in each (EEMUA 191: ten in ten minutes). */
export const FLOOD = 10;

export function queueOf(one: Incident): QueueName {
  if (one.work === "closed") return "log";
  return one.severity === 4 || one.condition === "shelved" ? "alerts" : "alarms";
}

export interface Group {
  /** The place that its members share: a cell, in a great flood a community, or everything. */
  key: string;
  /** The first one of the highest level stands for the others: it does not change while more arrive. */
  members: readonly Incident[];
}

export interface Folded {
  /** What gets a row of its own, in order. */
  rows: Incident[];
  /** Groups by the id of the incident that stands for them; empty unless there is a flood. */
  groups: ReadonlyMap<string, Group>;
}

/** In a flood, unacknowledged alarms of one place become one row; level 1 never does. */
export function fold(alarms: readonly Incident[]): Folded {
  const waits = alarms.filter((one) => one.work === "new" && one.severity > 1);
  if (waits.length <= FLOOD) return { rows: [...alarms].sort(compare), groups: new Map() };
  const places = [(one: Incident) => one.grid_cell, (one: Incident) => one.community, () => ""];
  const byPlace = places.map((place) => groupBy(waits, place)).find((each) => each.size <= FLOOD) ?? new Map<string, Incident[]>();
  const groups = new Map<string, Group>();
  for (const [key, found] of byPlace) {
    const members = found.sort(firstOf);
    const first = members[0];
    if (first && members.length > 1) groups.set(first.id, { key, members });
  }
  const hidden = new Set([...groups.values()].flatMap((group) => group.members.slice(1).map((one) => one.id)));
  return { rows: alarms.filter((one) => !hidden.has(one.id)).sort(compare), groups };
}

/** The ids of `folded` with the members of opened groups below the one that stands for them. */
export function unfold(folded: Folded, opened: ReadonlySet<string>): string[] {
  return folded.rows.flatMap(({ id }) => {
    const group = folded.groups.get(id);
    return group && opened.has(group.key) ? group.members.map((one) => one.id) : [id];
  });
}

/** The log: what ended last first. */
export function newestFirst(closed: readonly Incident[]): Incident[] {
  const ended = (one: Incident): string => one.stages.closed ?? one.last_event_at;
  return [...closed].sort((a, b) => (ended(a) < ended(b) ? 1 : -1));
}

function groupBy(found: readonly Incident[], place: (one: Incident) => string): Map<string, Incident[]> {
  const groups = new Map<string, Incident[]>();
  for (const one of found) {
    const key = place(one);
    const known = groups.get(key);
    if (known) known.push(one);
    else groups.set(key, [one]);
  }
  return groups;
}

/** The highest level, of these the oldest. */
function firstOf(a: Incident, b: Incident): number {
  if (a.severity !== b.severity) return a.severity - b.severity;
  if (a.opened_at !== b.opened_at) return a.opened_at < b.opened_at ? -1 : 1;
  return a.number - b.number;
}
