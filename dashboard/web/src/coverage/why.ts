/** Why ground is not seen, and what can be done about it. */

import type { BlindSpot, Views } from "./records";

type Ring = readonly (readonly number[])[];

/** Even-odd rule over all rings, so that holes count as outside. */
export function inside(lon: number, lat: number, shape: GeoJSON.Polygon | GeoJSON.MultiPolygon): boolean {
  const polygons = shape.type === "Polygon" ? [shape.coordinates] : shape.coordinates;
  return polygons.some((rings) => rings.reduce((odd, ring) => odd !== crossesOdd(lon, lat, ring), false));
}

function crossesOdd(lon: number, lat: number, ring: Ring): boolean {
  let odd = false;
  for (let at = 0, before = ring.length - 1; at < ring.length; before = at, at += 1) {
    const [x1 = 0, y1 = 0] = ring[at] ?? [];
    const [x2 = 0, y2 = 0] = ring[before] ?? [];
    if (y1 > lat !== y2 > lat && lon < ((x2 - x1) * (lat - y1)) / (y2 - y1) + x1) odd = !odd;
  }
  return odd;
}

/** Cameras that would see the point of a blind spot, if they worked; none: no camera looks there. */
export function missing(spot: BlindSpot, views: Views | null): string[] {
  const found: string[] = [];
  for (const { properties, geometry } of views?.features ?? []) {
    if (properties.state !== "working" && inside(spot.lon, spot.lat, geometry)) found.push(properties.camera);
  }
  return found;
}

/** `gate:gate-07-1` → `["gate", "gate-07-1"]`; `lane` → `["lane", ""]`. */
export function touched(touch: string): [kind: string, id: string] {
  const [kind = "", ...rest] = touch.split(":");
  return [kind, rest.join(":")];
}

/** The half of a proposal's reason in one language: the server writes Chinese, then English from its first Latin capital on. */
export function reasonIn(lang: "zh" | "en", why: string): string {
  const at = why.search(/ [A-Z]/);
  if (at < 0) return why;
  return lang === "zh" ? why.slice(0, at) : why.slice(at + 1).replace(/:.*/, "");
}
