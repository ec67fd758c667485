/** Rectangles on the ground that the map shows. */

import type { SiteRecord } from "../records";

export type Bounds = [west: number, south: number, east: number, north: number];

/** Cameras that fill more of the district than this, along both sides, are as good as the whole of it. */
const MOST_SHARE = 0.7;

/** The smallest rectangle around the running cameras, or null when the whole district shows them as well. */
export function cameraArea({ cameras, bounds }: SiteRecord): Bounds | null {
  const places = cameras.features.filter((one) => one.properties.enabled).map((one) => one.geometry.coordinates);
  if (places.length === 0) return null;
  const along = (axis: 0 | 1): number[] => places.map((at) => at[axis] ?? 0);
  const area: Bounds = [Math.min(...along(0)), Math.min(...along(1)), Math.max(...along(0)), Math.max(...along(1))];
  const share = (from: 0 | 1, to: 2 | 3): number => (area[to] - area[from]) / Math.max(bounds[to] - bounds[from], 1e-9);
  return share(0, 2) > MOST_SHARE && share(1, 3) > MOST_SHARE ? null : area;
}

/** `area` with room for another of its size on every side: how far one may wander from the district. */
export function surroundings([west, south, east, north]: Bounds): Bounds {
  const room = Math.max(east - west, north - south);
  return [west - room, south - room, east + room, north + room];
}

/** The smallest rectangle around shapes and points; null if there are none. */
export function around(shapes: readonly GeoJSON.Geometry[]): Bounds | null {
  let found: Bounds | null = null;
  const add = (coordinates: unknown): void => {
    if (!Array.isArray(coordinates)) return;
    const [lon, lat] = coordinates as unknown[];
    if (typeof lon === "number" && typeof lat === "number") {
      found = found
        ? [Math.min(found[0], lon), Math.min(found[1], lat), Math.max(found[2], lon), Math.max(found[3], lat)]
        : [lon, lat, lon, lat];
    } else coordinates.forEach(add);
  };
  for (const shape of shapes) if ("coordinates" in shape) add(shape.coordinates);
  return found;
}
