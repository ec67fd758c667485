/** Which camera stands in which tile of the wall, and why. Pure. */

export const LAYOUTS = [1, 4, 9, 16] as const;
export type Layout = (typeof LAYOUTS)[number];
export type Why = "alarm" | "pinned" | "followed" | "tour" | "none";

export interface Tile {
  camera: string | null;
  why: Why;
}

export interface Wish {
  layout: Layout;
  /** By tile: a camera that somebody put there. */
  pinned: readonly (string | null)[];
  /** Cameras with an unacknowledged alarm, the highest first. */
  alarms: readonly string[];
  /** The camera of what is selected at the desk. */
  followed: string | null;
  /** What the tour shows now; nothing on a wall that is dark until something happens. */
  touring: readonly string[];
}

const NOTHING: Tile = { camera: null, why: "none" };

/**
 * Alarms come first, then what is selected, then the tour; pinned tiles keep their camera and only say that it has an alarm. A
 * camera stays in the tile in which it stood `before`, so that nothing moves under somebody's eyes.
 */
export function placed(before: readonly Tile[], wish: Wish): Tile[] {
  const tiles: Tile[] = Array.from({ length: wish.layout }, (_, at) => {
    const camera = wish.pinned[at] ?? null;
    return camera === null ? NOTHING : { camera, why: wish.alarms.includes(camera) ? "alarm" : "pinned" };
  });
  const has = (camera: string): boolean => tiles.some((tile) => tile.camera === camera);
  const put = (cameras: readonly string[], why: Why): void => {
    const fitting = [...new Set(cameras)].filter((camera) => !has(camera)).slice(0, free(tiles));
    const homeless = fitting.filter((camera) => {
      const at = before.findIndex((tile) => tile.camera === camera);
      if (at < 0 || at >= tiles.length || tiles[at]?.camera !== null) return true;
      tiles[at] = { camera, why };
      return false;
    });
    for (const camera of homeless) tiles[tiles.findIndex((tile) => tile.camera === null)] = { camera, why };
  };
  put(wish.alarms, "alarm");
  put(wish.followed === null ? [] : [wish.followed], "followed");
  put(wish.touring, "tour");
  return tiles;
}

export function free(tiles: readonly Tile[]): number {
  return tiles.filter((tile) => tile.camera === null).length;
}

export interface TourRules {
  /** Only cameras on which nothing stirs and nothing is open. */
  quiet: boolean;
  /** Only cameras that this wall has not shown for so many hours; 0: all. */
  unseen_h: number;
}

export interface Candidate {
  id: string;
  /** Whether it stirs, or has an open incident. */
  busy: boolean;
  /** When the wall showed it last, ms since 1970; 0: never. */
  seen_ms: number;
}

/** Those the tour may show, the longest unseen first; cameras that were never shown keep the order of the site. */
export function tourOrder(cameras: readonly Candidate[], rules: TourRules, now_ms: number): string[] {
  const before_ms = now_ms - rules.unseen_h * 3_600_000;
  return cameras
    .filter((one) => !(rules.quiet && one.busy) && (rules.unseen_h === 0 || one.seen_ms <= before_ms))
    .sort((a, b) => a.seen_ms - b.seen_ms)
    .map((one) => one.id);
}
