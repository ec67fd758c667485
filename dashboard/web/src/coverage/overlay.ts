/** The layers of the coverage map: what is covered is grey, what is lost is hatched, what nobody sees is dotted. */

import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from "maplibre-gl";

import type { Collection } from "../map/features";
import type { Overlay } from "../map/GroundMap";
import type { Palette } from "../map/palette";
import type { Theme } from "../prefs";
import type { BlindSpot, PlannedCamera, Views } from "./records";

/** Looks somewhere else than it did: whether the ground is covered is not known. */
const DOUBT = "unverified";

/** From far away the dots would be a haze over everything. */
const DOTS: ExpressionSpecification = ["interpolate", ["linear"], ["zoom"], 13.5, 0.15, 15.5, 0.75];

export const OVERLAY: Overlay = {
  sources: ["views", "spots", "planned"],
  layers,
  picked: ["spots", "views-lost", "views"],
  counted: "views-lost",
};

function layers(p: Palette, theme: Theme): LayerSpecification[] {
  const works: FilterSpecification = ["==", ["get", "state"], "working"];
  const lost: FilterSpecification = ["!=", ["get", "state"], "working"];
  return [
    { id: "views", type: "fill", source: "views", filter: works, paint: { "fill-color": p.cone, "fill-opacity": ["get", "weight"] } },
    { id: "spots", type: "fill", source: "spots", paint: { "fill-pattern": `dots/${theme}`, "fill-opacity": DOTS } },
    { id: "spots-line", type: "line", source: "spots", paint: { "line-color": p.textDim, "line-width": 1, "line-dasharray": [2, 2] } },
    {
      id: "views-lost",
      type: "fill",
      source: "views",
      filter: lost,
      paint: { "fill-pattern": ["case", ["==", ["get", "state"], DOUBT], `hatch/doubt/${theme}`, `hatch/lost/${theme}`] },
    },
    { id: "views-lost-line", type: "line", source: "views", filter: lost, paint: { "line-color": p.fault, "line-width": 1.2 } },
    { id: "planned", type: "fill", source: "planned", paint: { "fill-color": p.text, "fill-opacity": 0.22 } },
    { id: "planned-line", type: "line", source: "planned", paint: { "line-color": p.text, "line-width": 1.6 } },
    { id: "views-chosen", type: "line", source: "views", paint: { "line-color": p.text, "line-width": 2.4 } },
    { id: "cause-chosen", type: "line", source: "views", paint: { "line-color": p.fault, "line-width": 2.6 } },
    { id: "spots-chosen", type: "line", source: "spots", paint: { "line-color": p.text, "line-width": 2.6 } },
  ];
}

/** Of several bands the finer lies over the coarser, so that ground gets denser towards the camera. */
export function viewFeatures(views: Views | null, bands: readonly Views[]): Collection {
  const nested = bands.length > 0;
  const collections = nested ? bands : views ? [views] : [];
  return {
    type: "FeatureCollection",
    features: collections.flatMap(({ features }, step) =>
      features
        .filter(({ properties }) => step === 0 || properties.state === "working")
        .map(({ geometry, properties }) => ({
          type: "Feature" as const,
          geometry,
          properties: { id: properties.camera, state: properties.state, weight: nested ? 0.12 : 0.24 },
        })),
    ),
  };
}

export function spotFeatures(spots: readonly BlindSpot[]): Collection {
  return {
    type: "FeatureCollection",
    features: spots.map((spot, index) => ({ type: "Feature", geometry: spot.outline, properties: { id: String(index) } })),
  };
}

export function plannedFeatures(planned: readonly PlannedCamera[]): Collection {
  return {
    type: "FeatureCollection",
    features: planned.map((one, index) => ({ type: "Feature", geometry: one.view, properties: { id: String(index) } })),
  };
}
