/** Which cameras the list shows, in which order. */

import type { CameraProperties, CameraStatus, Health } from "../records";

export type HealthFilter = "all" | Health | "awake";

const TROUBLE: Readonly<Record<Health, number>> = { offline: 0, degraded: 1, online: 2 };

export interface Listed {
  id: string;
  /** What the text filter looks at, lower case. */
  words: string;
  health: Health;
  awake: boolean;
}

export function listed(camera: CameraProperties, status: CameraStatus | undefined, place: string): Listed {
  return {
    id: camera.id,
    words: `${camera.id} ${camera.name_zh} ${camera.name_en} ${camera.grid_cell} ${place}`.toLowerCase(),
    health: status?.health ?? "offline",
    awake: status?.awake ?? false,
  };
}

/** Ids that match every word of `text`; troubled cameras first when all healths are shown. */
export function filtered(cameras: readonly Listed[], text: string, health: HealthFilter): string[] {
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  return cameras
    .filter((one) => health === "all" || (health === "awake" ? one.awake : one.health === health))
    .filter((one) => parts.every((part) => one.words.includes(part)))
    .sort((a, b) => TROUBLE[a.health] - TROUBLE[b.health] || a.id.localeCompare(b.id))
    .map((one) => one.id);
}
