/** How the board sorts incidents: by what has to happen next, the most pressing first. */

import type { Incident, Work } from "../records";

export interface Column {
  id: "new" | "to_send" | "sent" | "under_way" | "on_scene" | "to_close";
  works: readonly Work[];
}

export const COLUMNS: readonly Column[] = [
  { id: "new", works: ["new"] },
  { id: "to_send", works: ["acknowledged"] },
  { id: "sent", works: ["dispatched", "accepted"] },
  { id: "under_way", works: ["en_route"] },
  { id: "on_scene", works: ["on_scene"] },
  { id: "to_close", works: ["reported", "verified"] },
];

/** By level, then by what is due first; what has no limit comes last, the oldest of it first. */
export function pressing(a: Incident, b: Incident): number {
  const due = (one: Incident): number => (one.due ? Date.parse(one.due.at) : Infinity);
  return a.severity - b.severity || Math.sign(due(a) - due(b)) || a.number - b.number;
}

/** Open incidents by column, each sorted by `pressing`. */
export function arrangeByStage(open: readonly Incident[]): Map<Column["id"], Incident[]> {
  const byStage = new Map<Column["id"], Incident[]>();
  for (const { id, works } of COLUMNS) byStage.set(id, open.filter((one) => works.includes(one.work)).sort(pressing));
  return byStage;
}
