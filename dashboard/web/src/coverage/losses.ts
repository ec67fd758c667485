/** Sums over the minutes that cells have lost. */

import type { CellLoss } from "./records";

/** What somebody switched off is no loss. */
const CHOSEN = "disabled";

export interface CauseLoss {
  cause: string;
  minutes: number;
}

export interface HeavyCell extends CauseLoss {
  grid_cell: string;
  share: number;
}

/** Minutes of all cells by cause, most first; below half a minute nothing is said. */
export function byCause(cells: readonly CellLoss[]): CauseLoss[] {
  const sum = new Map<string, number>();
  for (const { minutes } of cells) {
    for (const [cause, lost] of Object.entries(minutes)) if (cause !== CHOSEN) sum.set(cause, (sum.get(cause) ?? 0) + lost);
  }
  return [...sum].map(([cause, minutes]) => ({ cause, minutes })).filter((one) => one.minutes >= 0.5).sort((a, b) => b.minutes - a.minutes);
}

/** Cells by the minutes they lost, most first, each with the cause that took most of them. */
export function heaviest(cells: readonly CellLoss[]): HeavyCell[] {
  const found: HeavyCell[] = [];
  for (const { grid_cell, minutes, share } of cells) {
    const [first, ...rest] = byCause([{ grid_cell, cameras: 0, minutes, share }]);
    if (first) found.push({ grid_cell, share, cause: first.cause, minutes: rest.reduce((sum, one) => sum + one.minutes, first.minutes) });
  }
  return found.sort((a, b) => b.minutes - a.minutes);
}
