/** What the server tells of coverage; docs/ref/api.md. Areas are square metres of open ground, shares 0 to 1. */

import type { Bilingual } from "../records";

export interface Figure {
  ground_m2: number;
  covered_m2: number;
  rate: number;
  important_m2: number;
  important_covered_m2: number;
  important_rate: number;
  cameras: number;
}

export interface PlaceFigure {
  place: string;
  kind: "sub_district" | "community" | "compound" | "grid_cell";
  compound_kind: string | null;
  name: Bilingual;
  parent: string;
  figure: Figure;
}

export interface Definition {
  stream: Stream;
  band: Band;
  pixels_per_metre: number;
  some_share: number;
  complete_share: number;
  blind_min_m2: number;
}

export interface Statistics {
  cameras: number;
  working: number;
  institutions: number;
  institutions_rate: number;
  compounds: number;
  compounds_some: number;
  compounds_rate: number;
  compounds_full: number;
}

export interface BlindSpot {
  grid_cell: string;
  compound: string;
  community: string;
  area_m2: number;
  importance: number;
  /** `lane`, or `gate:`, `play_area:`, `key_node:` and an id. */
  touches: string[];
  /** Of the gates, play areas and key nodes among them. */
  names: Bilingual[];
  lon: number;
  lat: number;
  outline: GeoJSON.Polygon;
}

export interface LossCause {
  cause: string;
  uplink: string | null;
  cameras: string[];
  lost_m2: number;
  incident: string | null;
  since: string | null;
}

export interface StopProposal {
  id: string;
  grid_cell: string;
  lon: number;
  lat: number;
  why: string;
  state: "proposed" | "made" | "withdrawn";
  proposed: string;
  stop: string | null;
  by: string | null;
}

export interface Coverage {
  version: number;
  at: string;
  definition: Definition;
  /** Null for accounts that are limited to a part. */
  statistics: Statistics | null;
  places: PlaceFigure[];
  kinds: Record<string, Figure>;
  blind_spots: BlindSpot[];
  blind_spots_all: number;
  causes: LossCause[];
  proposals: StopProposal[];
}

export interface ViewProperties {
  camera: string;
  /** `working`, or why it covers nothing. */
  state: string;
  uplink: string | null;
}

export type Views = GeoJSON.FeatureCollection<GeoJSON.Polygon | GeoJSON.MultiPolygon, ViewProperties>;

export const STREAMS = ["recorded", "analysed"] as const;
export const BANDS = ["monitor", "detect", "observe", "recognise", "identify"] as const;
export type Stream = (typeof STREAMS)[number];
export type Band = (typeof BANDS)[number];
export type Light = "day" | "night";

export interface CellLoss {
  grid_cell: string;
  cameras: number;
  /** Camera-minutes by cause; of switches `uplink:` and the switch. */
  minutes: Record<string, number>;
  share: number;
}

export interface CoverageMoment {
  at: string;
  working: number;
  rate: number;
  important_rate: number;
}

export interface CoverageHistory {
  from: string;
  to: string;
  known_from: string | null;
  cells: CellLoss[];
  points: CoverageMoment[];
}

export interface PlannedCamera {
  lon: number;
  lat: number;
  height_m: number;
  azimuth_deg: number;
  tilt_deg: number;
  hfov_deg: number;
  lens: string;
  gain_m2: number;
  view: GeoJSON.Polygon | GeoJSON.MultiPolygon;
}

/** What every page is told when the coverage has changed. */
export interface CoverageNews {
  version: number;
  at: string;
  causes: Record<string, number>;
}
