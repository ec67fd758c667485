/** Where a camera looks, as a shape on the map. */

const METRES_PER_DEGREE = 111_320;
/** Steps of the arc: enough to look round at the zooms at which cones are shown. */
const ARC_STEPS = 8;

/** A closed ring from the camera over its field of view out to `reach_m`; `azimuth_deg` is clockwise from north. */
export function cone(lon: number, lat: number, azimuth_deg: number, hfov_deg: number, reach_m: number): [number, number][] {
  const east = METRES_PER_DEGREE * Math.cos((lat * Math.PI) / 180);
  const ring: [number, number][] = [[lon, lat]];
  for (let step = 0; step <= ARC_STEPS; step += 1) {
    const bearing = ((azimuth_deg - hfov_deg / 2 + (hfov_deg * step) / ARC_STEPS) * Math.PI) / 180;
    ring.push([lon + (Math.sin(bearing) * reach_m) / east, lat + (Math.cos(bearing) * reach_m) / METRES_PER_DEGREE]);
  }
  ring.push([lon, lat]);
  return ring;
}

/** Ground distance in metres, good for a district (flat earth). */
export function distance_m(a: readonly [number, number], b: readonly [number, number]): number {
  const east = METRES_PER_DEGREE * Math.cos((((a[1] + b[1]) / 2) * Math.PI) / 180);
  return Math.hypot((b[0] - a[0]) * east, (b[1] - a[1]) * METRES_PER_DEGREE);
}
