/** A camera while it is edited: its configuration, rules and masks. Pure. */

import { distance_m } from "../../map/cones";
import type { PlaceProperties, SiteRecord } from "../../records";
import { inside } from "../../coverage/why";
import type { Configured, Entry, Outline, RuleEntry } from "../records";

export interface Draft {
  camera: Entry;
  rules: readonly RuleEntry[];
  privacy: readonly Outline[];
  ignore: readonly Outline[];
}

const METRES_PER_DEGREE = 111_320;
/** As fine as the map shows: a centimetre. */
const DEGREES = 1e7;

export const NEW_CAMERA: Entry = {
  id: "",
  name: { zh: "", en: "" },
  compound: "",
  grid_cell: "",
  lon: 0,
  lat: 0,
  height_m: 4.5,
  azimuth_deg: 0,
  tilt_deg: 15,
  hfov_deg: 80,
  focal_mm: null,
  sensor_mm: null,
  analysed_px: [640, 360],
  recorded_px: [1920, 1080],
  night_range_m: null,
  uplink: "",
  url_sub: "",
  url_main: "",
  credential: "",
  transport: "tcp",
  certificate_sha256: "",
  own_motion: false,
  enabled: true,
  gb_code: "",
};

export function draftOf({ camera, rules, privacy, ignore }: Configured): Draft {
  return { camera, rules, privacy, ignore };
}

/** Moved by metres east and north. */
export function moved(camera: Entry, east_m: number, north_m: number): Entry {
  const scale = METRES_PER_DEGREE * Math.cos((camera.lat * Math.PI) / 180);
  return placed(camera, camera.lon + east_m / scale, camera.lat + north_m / METRES_PER_DEGREE);
}

export function placed(camera: Entry, lon: number, lat: number): Entry {
  return { ...camera, lon: Math.round(lon * DEGREES) / DEGREES, lat: Math.round(lat * DEGREES) / DEGREES };
}

/** Turned to a direction, clockwise from north, in tenths of a degree. */
export function turned(camera: Entry, azimuth_deg: number): Entry {
  const around = ((azimuth_deg % 360) + 360) % 360;
  return { ...camera, azimuth_deg: (Math.round(around * 10) / 10) % 360 };
}

/** Direction from one point to another, degrees clockwise from north. */
export function bearing_deg(from: readonly [number, number], to: readonly [number, number]): number {
  const east = (to[0] - from[0]) * Math.cos((from[1] * Math.PI) / 180);
  return ((Math.atan2(east, to[1] - from[1]) * 180) / Math.PI + 360) % 360;
}

/** Horizontal field of view of the lens, degrees: what is said, or 2·atan(sensor / 2·focal). */
export function hfov_deg({ focal_mm, sensor_mm, hfov_deg: said }: Entry): number {
  if (focal_mm && sensor_mm) return (2 * Math.atan(sensor_mm / (2 * focal_mm)) * 180) / Math.PI;
  return said ?? NEW_CAMERA.hfov_deg ?? 80;
}

/** How far the recorded picture has so many pixels per metre, along the axis of the lens. */
export function reach_m(camera: Entry, pixels_per_metre: number): number {
  const half = (Math.min(170, hfov_deg(camera)) * Math.PI) / 360;
  return Math.min(300, camera.recorded_px[0] / (2 * pixels_per_metre * Math.tan(half)));
}

/** The innermost compound and grid cell around a point. */
export function placesAt(site: SiteRecord, lon: number, lat: number): { compound: string; grid_cell: string } {
  const around = (kind: PlaceProperties["kind"]): string =>
    site.places.features.find((one) => one.properties.kind === kind && inside(lon, lat, one.geometry))?.properties.id ?? "";
  return { compound: around("compound"), grid_cell: around("grid_cell") };
}

/** The parts in which a draft differs from another, as the server takes them. */
export function differences(before: Draft, after: Draft): Partial<Draft> {
  const differ = (part: keyof Draft): boolean => JSON.stringify(before[part]) !== JSON.stringify(after[part]);
  const { camera, rules, privacy, ignore } = after;
  return {
    ...(differ("camera") && { camera: asRequest(camera) }),
    ...(differ("rules") && { rules }),
    ...(differ("privacy") && { privacy }),
    ...(differ("ignore") && { ignore }),
  };
}

/** A request names either the lens or the angle; of half a lens the server says what is missing. */
export function asRequest(camera: Entry): Entry {
  return camera.focal_mm === null && camera.sensor_mm === null ? camera : { ...camera, hfov_deg: null };
}

/** Where the handle that turns a camera stands: ahead of it, `ahead_m` away. */
export function handleAt(camera: Entry, ahead_m: number): [number, number] {
  const { lon, lat } = moved(camera, Math.sin((camera.azimuth_deg * Math.PI) / 180) * ahead_m, Math.cos((camera.azimuth_deg * Math.PI) / 180) * ahead_m);
  return [lon, lat];
}

export function sameSpot(a: Entry, b: Entry): boolean {
  return distance_m([a.lon, a.lat], [b.lon, b.lat]) < 0.01;
}
