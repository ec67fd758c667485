/** The map's layers, from the ground up. */

import type { LayerSpecification, StyleSpecification } from "maplibre-gl";

import type { Theme } from "../prefs";
import type { Collection } from "./features";
import { PALETTES, type Palette } from "./palette";

export const SOURCES = ["places", "names", "cameras", "checkpoints", "marks", "teams", "afar", "incidents"] as const;
export type SourceName = (typeof SOURCES)[number];
export type Sources = Record<SourceName, Collection>;

/** Without a glyph server MapLibre draws letters itself, from the fonts of the machine. */
export const FONT = ["Noto Sans CJK SC, PingFang SC, Microsoft YaHei, sans-serif"];

const ANCHORS: ("center" | "top" | "bottom")[] = ["center", "top", "bottom"];
const CONES_FROM = 14.8;
const BUILDINGS_FROM = 14.6;
/** From here on each place has its own sign of incidents; before, full cells have one. */
export const PLACES_FROM = 15;
/** Layers of the source that is mostly empty: one with nothing in it would still cost a frame its clipping. */
export const MARKS = ["cone-watched", "links"] as const;

export function mapStyle(theme: Theme, data: Sources): StyleSpecification {
  const palette = PALETTES[theme];
  return {
    version: 8,
    sources: Object.fromEntries(SOURCES.map((name) => [name, { type: "geojson", data: data[name], tolerance: 0.2 }])),
    layers: [
      { id: "ground", type: "background", paint: { "background-color": palette.ground } },
      ...areas(palette),
      ...cameras(palette, theme, data.marks),
      ...labels(palette),
      ...work(palette, data.marks),
    ],
  };
}

export function visibility({ features }: Collection): "visible" | "none" {
  return features.length > 0 ? "visible" : "none";
}

const kind = (name: string): ["==", ["get", "kind"], string] => ["==", ["get", "kind"], name];

export function areas(p: Palette): LayerSpecification[] {
  return [
    fill("district", "sub_district", p.district, {}),
    fill("compound", "compound", p.compound, { minzoom: 12.5 }),
    fill("building", "building", p.building, { minzoom: BUILDINGS_FROM }),
    line("compound-line", "compound", p.compoundLine, 1, { minzoom: 13.2 }),
    line("building-line", "building", p.buildingLine, 1, { minzoom: 15.5 }),
    line("cell-line", "grid_cell", p.cellLine, 1, { minzoom: 13 }),
    line("community-line", "community", p.communityLine, 1.6, {}),
    line("district-line", "sub_district", p.districtLine, 2.2, {}),
  ];
}

/** Without smooth edges: each has a line of its own, and smoothing would draw all outlines once more. */
function fill(id: string, of: string, colour: string, more: { minzoom?: number }): LayerSpecification {
  return { id, type: "fill", source: "places", filter: kind(of), paint: { "fill-color": colour, "fill-antialias": false }, ...more };
}

function line(id: string, of: string, colour: string, width: number, more: { minzoom?: number }): LayerSpecification {
  const layout = { "line-join": "round" } as const;
  return { id, type: "line", source: "places", filter: kind(of), layout, paint: { "line-color": colour, "line-width": width }, ...more };
}

function cameras(p: Palette, theme: Theme, marks: Collection): LayerSpecification[] {
  return [
    {
      id: "cones",
      type: "fill",
      source: "places",
      filter: kind("cone"),
      minzoom: CONES_FROM,
      paint: { "fill-color": p.cone, "fill-opacity": ["interpolate", ["linear"], ["zoom"], CONES_FROM, 0, 16, 0.16] },
    },
    {
      id: "cone-watched",
      type: "fill",
      source: "marks",
      filter: kind("cone"),
      layout: { visibility: visibility(marks) },
      paint: { "fill-color": p.text, "fill-opacity": 0.3 },
    },
    {
      id: "checkpoints",
      type: "symbol",
      source: "checkpoints",
      minzoom: 14.5,
      layout: { "icon-image": `check/${theme}`, "icon-allow-overlap": true },
    },
    {
      id: "cameras",
      type: "circle",
      source: "cameras",
      filter: ["==", ["get", "health"], "online"],
      paint: {
        "circle-color": p.camera,
        "circle-radius": ["interpolate", ["linear"], ["zoom"], 12.5, 1.2, 14, 2.4, 16, 4.2, 18, 6],
        "circle-stroke-color": p.cameraLine,
        "circle-stroke-width": ["interpolate", ["linear"], ["zoom"], 13, 0, 15, 1],
        "circle-opacity": ["interpolate", ["linear"], ["zoom"], 13, 0.7, 15, 1],
      },
    },
    {
      id: "camera-faults",
      type: "symbol",
      source: "cameras",
      filter: ["!=", ["get", "health"], "online"],
      layout: {
        "icon-image": ["concat", "camera/", ["get", "health"], `/${theme}`],
        "icon-allow-overlap": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 13, 0.7, 16, 1],
      },
    },
  ];
}

interface LabelOptions {
  minzoom?: number;
  maxzoom?: number;
  /** Em above (negative) or below the point; 0 is on it. */
  shift?: number;
}

function label(id: string, source: SourceName, size: number, colour: string, p: Palette, options: LabelOptions): LayerSpecification {
  const { shift = 0, ...zooms } = options;
  return {
    id,
    type: "symbol",
    source,
    layout: {
      "text-field": ["get", source === "cameras" ? "id" : "name"],
      "text-font": FONT,
      "text-size": size,
      "text-padding": 6,
      "text-max-width": 9,
      // A name without a side of its own gives way to a sign on its place instead of vanishing.
      ...(shift === 0
        ? { "text-variable-anchor": ANCHORS, "text-radial-offset": 1.4 }
        : { "text-anchor": shift > 0 ? "top" : "bottom", "text-offset": [0, shift] }),
    },
    paint: { "text-color": colour, "text-halo-color": p.halo, "text-halo-width": 1.6 },
    ...zooms,
  };
}

function placeLabel(id: string, of: string, size: number, colour: string, p: Palette, options: LabelOptions): LayerSpecification {
  return { ...label(id, "names", size, colour, p, options), filter: kind(of) } as LayerSpecification;
}

export function placeNames(p: Palette): LayerSpecification[] {
  return [
    placeLabel("building-name", "building", 11, p.textDim, p, { minzoom: 16.8 }),
    placeLabel("compound-name", "compound", 13, p.text, p, { minzoom: 15.2 }),
    placeLabel("cell-name", "grid_cell", 12, p.textDim, p, { minzoom: 14, maxzoom: 16.2, shift: -0.6 }),
    placeLabel("community-name", "community", 14, p.text, p, { maxzoom: 15 }),
  ];
}

function labels(p: Palette): LayerSpecification[] {
  return [label("camera-id", "cameras", 11, p.textDim, p, { minzoom: 17.2, shift: 0.8 }), ...placeNames(p)];
}

function work(p: Palette, marks: Collection): LayerSpecification[] {
  const paint = { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.6 };
  return [
    {
      id: "links",
      type: "line",
      source: "marks",
      filter: kind("link"),
      layout: { "line-cap": "round", visibility: visibility(marks) },
      paint: { "line-color": p.team, "line-width": 1.8, "line-dasharray": [0.5, 2.2], "line-opacity": ["get", "strength"] },
    },
    {
      id: "teams",
      type: "symbol",
      source: "teams",
      layout: {
        "icon-image": ["get", "sign"],
        "icon-allow-overlap": true,
        "icon-size": ["interpolate", ["linear"], ["zoom"], 13, 0.44, 14.5, 0.66, 15.5, 0.9, 17, 1],
        "text-field": ["step", ["zoom"], "", 14.8, ["get", "name"]],
        "text-font": FONT,
        "text-size": 12,
        "text-anchor": "top",
        "text-offset": [0, 1.15],
        "text-optional": true,
      },
      paint,
    },
    incidents("incidents-afar", "afar", p, { maxzoom: PLACES_FROM }),
    incidents("incidents", "incidents", p, { minzoom: PLACES_FROM }),
  ];
}

function incidents(id: string, source: SourceName, p: Palette, zooms: { minzoom?: number; maxzoom?: number }): LayerSpecification {
  return {
    id,
    type: "symbol",
    source,
    ...zooms,
    layout: {
      "icon-image": ["get", "sign"],
      "icon-allow-overlap": true,
      "symbol-sort-key": ["get", "order"],
      "icon-size": ["interpolate", ["linear"], ["zoom"], 12.5, 0.78, 15, 1],
      "text-field": ["get", "count"],
      "text-font": FONT,
      "text-size": 12,
      "text-anchor": "left",
      "text-offset": [1.2, 0],
      "text-optional": true,
    },
    paint: { "text-color": p.text, "text-halo-color": p.halo, "text-halo-width": 1.6 },
  };
}
