/** What the board shows beside the incidents: read anew while it is open, and at once where the server says that it changed. */

import { effect, signal } from "@preact/signals";

import { api } from "../api";
import { serverNow } from "../clock";
import { changedRound, generation, say, teams } from "../state";
import type { BoardRow, Duty, Handover, Round, StaffingGap } from "./records";

/** How far the time line looks back and ahead. */
export const BACK_H = 4;
export const AHEAD_H = 12;
const HOUR_MS = 3_600_000;
const REFRESH_MS = 30_000;
/** A burst of team updates asks for the board once. */
const SETTLE_MS = 300;

export const rows = signal<readonly BoardRow[]>([]);
export const rounds = signal<readonly Round[]>([]);
export const duties = signal<readonly Duty[]>([]);
export const gaps = signal<readonly StaffingGap[]>([]);
export const offered = signal<Handover | null>(null);

export async function loadBoard(): Promise<void> {
  const span = [new Date(serverNow() - BACK_H * HOUR_MS).toISOString(), new Date(serverNow() + AHEAD_H * HOUR_MS).toISOString()] as const;
  try {
    [rows.value, rounds.value, duties.value, gaps.value] = await Promise.all([
      api.board(),
      api.rounds(...span),
      api.shifts(...span),
      api.staffingGaps(...span),
    ]);
    offered.value = (await api.handovers()).find((one) => one.state === "offered") ?? null;
  } catch (reason) {
    say(reason instanceof Error ? reason.message : String(reason), "fault");
  }
}

/** Keeps the facts fresh while the board is open; the returned function ends it. */
export function follow(): () => void {
  let soon: ReturnType<typeof setTimeout> | undefined;
  const ends = [
    effect(() => {
      void teams.value;
      void generation.value;
      clearTimeout(soon);
      soon = setTimeout(() => void loadBoard(), SETTLE_MS);
    }),
    effect(() => {
      const changed = changedRound.value;
      if (changed) rounds.value = [changed, ...rounds.peek().filter((one) => one.id !== changed.id)];
    }),
  ];
  const timer = setInterval(() => void loadBoard(), REFRESH_MS);
  return () => {
    clearTimeout(soon);
    clearInterval(timer);
    for (const end of ends) end();
  };
}
