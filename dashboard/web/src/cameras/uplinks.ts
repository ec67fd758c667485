/** Cameras by the switch that feeds them. */

import type { CameraProperties, Health } from "../records";

export interface Fed {
  /** Empty: cameras of no switch that is known. */
  uplink: string;
  cameras: { id: string; health: Health }[];
  count: Record<Health, number>;
  /** All of them gone: the switch, not its cameras. */
  dead: boolean;
}

/** Fewer cameras say nothing of their switch; as the server's own rule. */
const LEAST = 3;
const SHARE = 0.8;
const TROUBLE: Readonly<Record<Health, number>> = { offline: 0, degraded: 1, online: 2 };

/** Switches with their enabled cameras: those that look dead first, then those with most trouble. */
export function byUplink(cameras: readonly CameraProperties[], healthOf: (camera: string) => Health): Fed[] {
  const found = new Map<string, Fed>();
  for (const { id, uplink, enabled } of cameras) {
    if (!enabled) continue;
    const fed = found.get(uplink) ?? { uplink, cameras: [], count: { online: 0, degraded: 0, offline: 0 }, dead: false };
    const health = healthOf(id);
    fed.cameras.push({ id, health });
    fed.count[health] += 1;
    found.set(uplink, fed);
  }
  for (const fed of found.values()) {
    fed.cameras.sort((a, b) => TROUBLE[a.health] - TROUBLE[b.health] || a.id.localeCompare(b.id));
    fed.dead = fed.uplink !== "" && fed.count.offline >= LEAST && fed.count.offline >= SHARE * fed.cameras.length;
  }
  const weight = (fed: Fed): number => (fed.dead ? 1e6 : 0) + 1000 * fed.count.offline + fed.count.degraded;
  return [...found.values()].sort((a, b) => weight(b) - weight(a) || a.uplink.localeCompare(b.uplink));
}
