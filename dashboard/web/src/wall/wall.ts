/** What the wall shows now: its layout, which this browser remembers, and the tour that goes round. */

import { computed, effect, signal, untracked } from "@preact/signals";

import { now, serverNow } from "../clock";
import type { Action } from "../keys";
import { compare } from "../queue/order";
import { current, open, site, statuses, waiting, watched } from "../state";
import { free, LAYOUTS, placed, tourOrder, type Layout, type Tile, type TourRules } from "./plan";
import { askDesk, followed, inOwnWindow, tellDesk } from "./follow";

export const DWELLS_S = [5, 10, 20, 30, 60] as const;
export const UNSEEN_H = [0, 1, 4, 12, 24] as const;
/** Whoever moves the mouse or presses a key looks at something: the tour waits so long. */
const INPUT_PAUSE_MS = 30_000;
/** A window of its own has a layout of its own. */
const KEPT = inOwnWindow ? "gridpatrol.wall.window" : "gridpatrol.wall";
const SEEN = "gridpatrol.wall.seen";

export type View = "overview" | Layout;

interface Kept extends TourRules {
  view: View;
  pinned: (string | null)[];
  tour: boolean;
  dwell_s: number;
  /** Dark until something happens. */
  blank: boolean;
}

const FIRST: Kept = { view: "overview", pinned: [], tour: true, dwell_s: 10, blank: false, quiet: false, unseen_h: 0 };

export const kept = signal<Kept>(read(KEPT, FIRST));
/** The tile shown alone over the others. */
export const enlarged = signal<number | null>(null);
/** The tile, or the camera of the overview, that was chosen last. */
export const picked = signal<string | null>(null);
export const tiles = signal<readonly Tile[]>([]);
/** Somebody stopped the tour by hand. */
export const stopped = signal(false);

const touring = signal<readonly string[]>([]);
const touched_ms = signal(0);
const next_ms = signal(0);

/** Cameras with an unacknowledged alarm, the highest first. */
const alarms = computed(() => open.value.filter((one) => waiting(one) && one.camera).sort(compare).map((one) => one.camera));

export type Pause = "alarm" | "input" | "hand" | null;

/** Why the tour stands still; null while it goes, or when there is none. */
export const pause = computed<Pause>(() => {
  if (!kept.value.tour || kept.value.blank) return null;
  if (stopped.value) return "hand";
  if (alarms.value.length > 0) return "alarm";
  return now.value - touched_ms.value < INPUT_PAUSE_MS ? "input" : null;
});

/** Seconds until the tour goes on. */
export const left_s = computed(() => Math.max(0, Math.ceil((next_ms.value - now.value) / 1000)));

/** How many cameras the tour has to show. */
export const rest = computed(() => candidates().length);

export function change(some: Partial<Kept>): void {
  kept.value = { ...kept.value, ...some };
  enlarged.value = null;
  next_ms.value = 0;
}

/** Puts a camera into a tile for good, or (null) gives the tile back. */
export function pin(at: number, camera: string | null): void {
  const pinned = [...kept.value.pinned];
  pinned[at] = camera;
  kept.value = { ...kept.value, pinned: Array.from(pinned, (one) => one ?? null) };
}

/** A camera was chosen: the desk is told, and where this is no window of its own its live picture opens. */
export function pick(camera: string): void {
  picked.value = camera;
  if (inOwnWindow) tellDesk(camera);
  watched.value = camera;
}

/** Does what the key says; false when it means nothing on the wall. */
export function onWall(action: Action): boolean {
  const isGrid = kept.value.view !== "overview";
  if (typeof action === "object") {
    const tile = isGrid ? tiles.value[action.digit - 1] : undefined;
    if (!tile?.camera) return false;
    enlarge(action.digit - 1);
  } else if (action === "play" && isGrid) stopped.value = !stopped.value;
  else if (action === "back" && enlarged.value !== null) enlarged.value = null;
  else return false;
  return true;
}

export function enlarge(at: number): void {
  enlarged.value = enlarged.value === at ? null : at;
  const camera = tiles.value[at]?.camera;
  if (!camera) return;
  picked.value = camera;
  tellDesk(camera);
}

/** A tile's picture moves: from now on its camera counts as seen. */
export function saw(camera: string): void {
  const seen = read<Record<string, number>>(SEEN, {});
  seen[camera] = serverNow();
  localStorage.setItem(SEEN, JSON.stringify(seen));
}

/** Runs the wall while it is shown; the returned function ends it. */
export function startWall(): () => void {
  const touch = (): void => void (touched_ms.value = now.peek());
  const moves = ["pointermove", "pointerdown", "keydown", "wheel"] as const;
  for (const one of moves) addEventListener(one, touch, { passive: true });
  askDesk();
  const ends = [
    effect(() => localStorage.setItem(KEPT, JSON.stringify(kept.value))),
    effect(() => {
      const due = now.value >= next_ms.value && pause.value === null;
      // A tour that waits goes on showing what it shows; tiles that became free are filled all the same.
      const isGap = tiles.value.some((tile) => tile.camera === null);
      untracked(() => {
        if (due) goOn([]);
        else if (isGap) goOn(touring.value);
      });
    }),
    effect(() => {
      const { view, pinned } = kept.value;
      if (view === "overview") {
        tiles.value = [];
        return;
      }
      const wish = { layout: view, pinned, alarms: alarms.value, followed: followedNow.value, touring: touring.value };
      const next = placed(tiles.peek(), wish);
      if (JSON.stringify(next) !== JSON.stringify(tiles.peek())) tiles.value = next;
    }),
  ];
  return () => {
    for (const one of moves) removeEventListener(one, touch);
    for (const end of ends) end();
  };
}

/** What is selected at the desk, in this window or in another one. */
const followedNow = computed(() => (inOwnWindow ? followed.value : (current.value?.camera ?? null)) || null);

/** The tour's next cameras after those that `stay`: as many as there are tiles for them. */
function goOn(stay: readonly string[]): void {
  const { view, tour, blank, dwell_s, pinned } = kept.value;
  if (view === "overview") return;
  if (stay.length === 0) next_ms.value = now.value + 1000 * dwell_s;
  const taken = placed([], { layout: view, pinned, alarms: alarms.value, followed: followedNow.value, touring: [] });
  const others = new Set(taken.map((tile) => tile.camera));
  const order = (tour && !blank ? candidates() : []).filter((one) => !others.has(one) && !stay.includes(one));
  const before = new Set(touring.value);
  // With fewer cameras than tiles the same ones go on being shown.
  const next = [...order.filter((one) => !before.has(one)), ...order.filter((one) => before.has(one))];
  const chosen = [...stay.filter((one) => !others.has(one)), ...next].slice(0, free(taken));
  if (chosen.join() !== touring.value.join()) touring.value = chosen;
}

function candidates(): string[] {
  const seen = read<Record<string, number>>(SEEN, {});
  const busy = new Set(open.value.flatMap((one) => one.cameras));
  const cameras = (site.value?.cameras.features ?? []).flatMap(({ properties: { id, enabled } }) => {
    const status = statuses.value.get(id);
    if (!enabled || !status || status.health === "offline") return [];
    return [{ id, busy: status.awake || busy.has(id), seen_ms: seen[id] ?? 0 }];
  });
  return tourOrder(cameras, kept.value, serverNow());
}

/** What this browser remembers, with `otherwise` for what it does not. */
function read<T extends object>(key: string, otherwise: T): T {
  try {
    const found = { ...otherwise, ...(JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<T>) };
    return "view" in found && ![...LAYOUTS, "overview"].includes(found.view as View) ? otherwise : found;
  } catch {
    return otherwise;
  }
}
