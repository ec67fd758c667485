/** The configuration of cameras as the registry has it; docs/ref/api.md. */

import type { Bilingual } from "../records";

export type Outline = [x: number, y: number][];
export type Size = [width: number, height: number];

/** One camera, all of it; its login by name only. */
export interface Entry {
  id: string;
  name: Bilingual;
  compound: string;
  grid_cell: string;
  lon: number;
  lat: number;
  height_m: number;
  azimuth_deg: number;
  tilt_deg: number;
  hfov_deg: number | null;
  focal_mm: number | null;
  sensor_mm: number | null;
  analysed_px: Size;
  recorded_px: Size;
  night_range_m: number | null;
  uplink: string;
  url_sub: string;
  url_main: string;
  credential: string;
  transport: "tcp" | "udp";
  certificate_sha256: string;
  own_motion: boolean;
  enabled: boolean;
  gb_code: string;
}

export type ListedEntry = Entry & { digest: string };

/** A rule of a camera; which keys it has depends on its kind. */
export interface RuleEntry {
  name: string;
  kind: string;
  zone?: Outline;
  line?: Outline;
  zone_name?: Bilingual;
  labels?: string[];
  dwell_s?: number;
  severity?: number;
  [key: string]: unknown;
}

/** A camera with its rules and masks; `digest` covers all of it. */
export interface Configured {
  camera: Entry;
  rules: RuleEntry[];
  privacy: Outline[];
  ignore: Outline[];
  digest: string;
}

export interface Login {
  name: string;
  user: string;
  source: "registry" | "secrets.toml" | "environment";
  cameras: number;
}

export interface RegistryFacts {
  version: number;
  site_digest: string;
  uplinks: string[];
  credentials: Login[];
  rule_kinds: Record<string, { keys: string[]; labels: string[]; dwell_s: number }>;
  camera_networks: string[];
}

export interface Counts {
  added: number;
  changed: number;
  removed: number;
}

export interface Changed {
  /** Null when nothing was different. */
  version: number | null;
  site_digest: string;
  cameras: Configured[];
  counts: Counts;
  live: string[];
  after_restart: { what: string; why: string }[];
}

export interface Problem {
  file: string;
  line: number | null;
  camera: string;
  field: string;
  reason: string;
}

export interface Imported {
  dry_run: boolean;
  rows: number;
  added: number;
  changed: number;
  unchanged: number;
  refused: number;
  cameras: number;
  site_digest: string;
  faults: { line: number; camera: string; problems: { field: string; reason: string }[] }[];
  changes: { line: number; camera: string; outcome: "added" | "changed" }[];
  changed_now: Changed | null;
}

export interface Version {
  version: number;
  at: string;
  by: string;
  what: string;
  digest: string;
  added: string[];
  changed: string[];
  removed: string[];
  counts: Counts;
  files: string[];
  restored: number | null;
}

export interface VersionDetail extends Version {
  details: { camera: string; field: string; before: string; after: string }[];
}

export interface Geometry {
  view: GeoJSON.Polygon | GeoJSON.MultiPolygon;
  bands: { band: string; pixels_per_metre: number; geometry: GeoJSON.Polygon | GeoJSON.MultiPolygon }[];
  area_m2: number;
  dead_zone_m: number | null;
  /** The building that the camera would hang inside of. */
  inside: string | null;
}

export interface Encoder {
  maker: string;
  model: string;
  stream: string;
  codec: string;
  width_px: number;
  height_px: number;
  frames_per_s: number;
  gop_s: number;
  kbit_per_s: number;
  analysable: boolean;
  smart_codec: "unknown" | "off" | "on";
  measured_gop_s: number | null;
}

/** What several cameras can be given at once. */
export const BULK_FIELDS = ["enabled", "compound", "grid_cell", "uplink", "credential", "transport", "night_range_m", "height_m", "tilt_deg"] as const;
export type BulkField = (typeof BULK_FIELDS)[number];
