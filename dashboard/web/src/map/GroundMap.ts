/** A map of the site's ground for the administrator's pages: its places and names, and between them what the page lays over. */

import "maplibre-gl/dist/maplibre-gl.css";

import { Map as MapLibre, Marker, setWorkerUrl, type GeoJSONSource, type LayerSpecification } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

import type { Lang, Theme } from "../prefs";
import type { SiteRecord } from "../records";
import { surroundings, type Bounds } from "./area";
import { nameFeatures, placeFeatures, type Collection } from "./features";
import { PALETTES, type Palette } from "./palette";
import { drawSign, PIXEL_RATIO } from "./signs";
import { areas, placeNames } from "./style";

setWorkerUrl(workerUrl);

const PADDING_PX = 32;
const EASE_MS = 350;
const CLOSEST_ZOOM = 18.5;
const NOTHING: Collection = { type: "FeatureCollection", features: [] };

/** What lies over the ground: sources by name, and the layers that draw them, from below to above. */
export interface Overlay {
  sources: readonly string[];
  layers: (palette: Palette, theme: Theme) => LayerSpecification[];
  /** Layers that answer a click, the one that counts first in front. */
  picked: readonly string[];
  /** A layer whose features in sight are counted whenever the map has come to rest. */
  counted?: string;
}

export interface GroundEvents {
  onReady: () => void;
  onPick: (layer: string, id: string) => void;
  /** A click on nothing that is picked, WGS-84. */
  onPoint?: (lon: number, lat: number) => void;
  onCounted?: (count: number) => void;
}

export class GroundMap {
  private readonly map: MapLibre;
  private readonly data = new Map<string, Collection>();
  private ready = false;
  private readonly choices = new Map<string, readonly string[]>();

  /** Throws where the browser has no WebGL. */
  constructor(
    box: HTMLElement,
    private readonly site: SiteRecord,
    private theme: Theme,
    private lang: Lang,
    private readonly overlay: Overlay,
    private readonly events: GroundEvents,
    private readonly start: Bounds = site.bounds,
  ) {
    this.map = new MapLibre({
      container: box,
      style: this.style(),
      bounds: this.start,
      fitBoundsOptions: { padding: PADDING_PX, maxZoom: CLOSEST_ZOOM },
      maxBounds: surroundings(site.bounds),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      renderWorldCopies: false,
      fadeDuration: 0,
      maxZoom: 21,
      minZoom: 10,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.setMissingStyleImageResolver((name) => {
      const image = drawSign(name);
      if (image && !this.map.hasImage(name)) this.map.addImage(name, image, { pixelRatio: PIXEL_RATIO });
    });
    this.map.once("load", () => {
      this.ready = true;
      for (const name of this.data.keys()) this.push(name);
      events.onReady();
    });
    this.listen();
  }

  private style() {
    const palette = PALETTES[this.theme];
    const source = (data: Collection) => ({ type: "geojson", data, tolerance: 0.2 }) as const;
    return {
      version: 8 as const,
      sources: {
        places: source(placeFeatures(this.site)),
        names: source(nameFeatures(this.site, this.lang)),
        ...Object.fromEntries(this.overlay.sources.map((name) => [name, source(this.data.get(name) ?? NOTHING)])),
      },
      layers: [
        { id: "ground", type: "background" as const, paint: { "background-color": palette.ground } },
        ...areas(palette),
        ...this.overlay.layers(palette, this.theme).map((layer) => this.chosen(layer)),
        ...placeNames(palette),
      ],
    };
  }

  /** A layer `…-chosen` shows only what was chosen. */
  private chosen(layer: LayerSpecification): LayerSpecification {
    if (!layer.id.endsWith("-chosen")) return layer;
    return { ...layer, filter: among(this.choices.get(layer.id) ?? []) } as LayerSpecification;
  }

  private listen(): void {
    this.map.on("click", (event) => {
      const layers = this.overlay.picked.filter((layer) => this.map.getLayer(layer));
      const found = this.ready ? this.map.queryRenderedFeatures(event.point, { layers }) : [];
      const first = layers.map((layer) => found.find((one) => one.layer.id === layer)).find(Boolean);
      if (first) this.events.onPick(first.layer.id, String(first.properties.id));
      else this.events.onPoint?.(event.lngLat.lng, event.lngLat.lat);
    });
    this.map.on("idle", () => {
      const layer = this.overlay.counted;
      if (!layer || !this.map.getLayer(layer)) return;
      const ids = this.map.queryRenderedFeatures({ layers: [layer] }).map((one) => String(one.properties.id));
      this.events.onCounted?.(new Set(ids).size);
    });
  }

  set(name: string, data: Collection): void {
    this.data.set(name, data);
    if (this.ready) this.push(name);
  }

  private push(name: string): void {
    void this.map.getSource<GeoJSONSource>(name)?.setData(this.data.get(name) ?? NOTHING);
  }

  /** Which features the layer `…-chosen` shows. */
  choose(layer: string, ids: readonly string[]): void {
    this.choices.set(layer, ids);
    if (this.ready && this.map.getLayer(layer)) this.map.setFilter(layer, among(ids));
  }

  setLook(theme: Theme, lang: Lang): void {
    if (theme === this.theme && lang === this.lang) return;
    this.theme = theme;
    this.lang = lang;
    this.map.setStyle(this.style(), { diff: true });
  }

  fit(bounds: Bounds): void {
    const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : EASE_MS;
    this.map.fitBounds(bounds, { padding: PADDING_PX * 2, maxZoom: CLOSEST_ZOOM, duration });
  }

  home(): void {
    this.fit(this.start);
  }

  zoomBy(step: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + step, duration: 200 });
  }

  /** Where a point of the ground is in the map's box, pixels, and back. */
  project(lon: number, lat: number): [number, number] {
    const { x, y } = this.map.project([lon, lat]);
    return [x, y];
  }

  unproject(x: number, y: number): [number, number] {
    const { lng, lat } = this.map.unproject([x, y]);
    return [lng, lat];
  }

  onMove(listener: () => void): () => void {
    this.map.on("move", listener);
    return () => this.map.off("move", listener);
  }

  mark(element: HTMLElement, lon: number, lat: number): Marker {
    return new Marker({ element }).setLngLat([lon, lat]).addTo(this.map);
  }

  remove(): void {
    this.map.remove();
  }
}

function among(ids: readonly string[]): ["in", ["get", "id"], ["literal", string[]]] {
  return ["in", ["get", "id"], ["literal", [...ids]]];
}
