/** MapLibre with the site's own areas; knows nothing of the rest of the page. */

import "maplibre-gl/dist/maplibre-gl.css";

import { Marker, setWorkerUrl, type Map as MapLibre, type GeoJSONSource, type MapMouseEvent } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

import { inStep } from "../controls/shapes";
import type { Theme } from "../prefs";
import type { Level } from "../records";
import { surroundings, type Bounds } from "./area";
import { CoarseMap } from "./CoarseMap";
import { CLOSE_ZOOM, type Focus } from "./focus";
import type { Collection, Spot } from "./features";
import { drawSign, PIXEL_RATIO } from "./signs";
import { mapStyle, MARKS, PLACES_FROM, visibility, type SourceName, type Sources } from "./style";

setWorkerUrl(workerUrl);

/** More flashing rings than this would be noise, and cost drawing time. */
const MOST_RINGS = 12;
const HIT_PX = 7;
const PADDING_PX = 28;
/** Room for the signs and cones of the outermost cameras. */
const CAMERAS_PADDING_PX = 52;
/** The large live window takes the lower half of the map: what is looked for moves up by this share of the height. */
const COVERED_SHIFT = 0.24;
/** Room around an incident and its team for their signs and names. */
const REVEAL_PADDING_PX = 90;
const REVEAL_ZOOM = 16;
const EASE_MS = 450;
/** Also how often names and signs are laid out while the map moves. */
const FADE_MS = 200;

export interface Hit {
  type: "incident" | "cell" | "camera" | "team";
  id: string;
}

export interface MapEvents {
  /** Somebody points at a place, WGS-84; true where that was asked for, so that nothing else is picked. */
  onPoint: (lon: number, lat: number) => boolean;
  onPick: (hit: Hit) => void;
  onHover: (hit: Hit | null, x: number, y: number) => void;
  onReady: () => void;
}

export class DistrictMap {
  private readonly map: MapLibre;
  private readonly rings = new Map<string, Marker>();
  private waiting: { near: readonly Spot[]; afar: readonly Spot[] } = { near: [], afar: [] };
  private selection: Marker | null = null;
  private ready = false;

  constructor(
    box: HTMLElement,
    private theme: Theme,
    private readonly data: Sources,
    private readonly district: Bounds,
    /** Where the running cameras are, or null when that is the whole district. */
    private readonly cameras: Bounds | null,
    events: MapEvents,
  ) {
    this.map = new CoarseMap({
      container: box,
      style: mapStyle(theme, data),
      bounds: cameras ?? district,
      fitBoundsOptions: { padding: cameras ? CAMERAS_PADDING_PX : PADDING_PX },
      maxBounds: surroundings(district),
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      keyboard: false,
      renderWorldCopies: false,
      // Without fading MapLibre would lay out all names and signs anew in every frame of a drag.
      fadeDuration: FADE_MS,
      maxZoom: 20,
      minZoom: 10,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.setMissingStyleImageResolver((name) => {
      const image = drawSign(name);
      if (image && !this.map.hasImage(name)) this.map.addImage(name, image, { pixelRatio: PIXEL_RATIO });
    });
    this.map.once("load", () => {
      this.ready = true;
      for (const name of this.changed) this.push(name);
      this.changed.clear();
      events.onReady();
    });
    this.listen(events);
  }

  private readonly changed = new Set<SourceName>();

  set(name: SourceName, data: Collection): void {
    if (this.data[name] === data) return;
    this.data[name] = data;
    if (this.ready) this.push(name);
    else this.changed.add(name);
  }

  private push(name: SourceName): void {
    void this.map.getSource<GeoJSONSource>(name)?.setData(this.data[name]);
    if (name === "marks") for (const layer of MARKS) this.map.setLayoutProperty(layer, "visibility", visibility(this.data.marks));
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    this.map.setStyle(mapStyle(theme, this.data), { diff: true });
  }

  /** Rings that flash around unacknowledged alarms: `near` places, or what stands for them from `afar`. */
  setWaiting(near: readonly Spot[], afar: readonly Spot[]): void {
    this.waiting = { near, afar };
    this.drawRings();
  }

  private drawRings(): void {
    const spots = this.map.getZoom() < PLACES_FROM ? this.waiting.afar : this.waiting.near;
    const wanted = new Map(spots.slice(0, MOST_RINGS).map((one) => [`${one.lon} ${one.lat} ${one.first.severity}`, one]));
    for (const [key, marker] of this.rings) {
      if (wanted.has(key)) continue;
      marker.remove();
      this.rings.delete(key);
    }
    for (const [key, one] of wanted) {
      if (!this.rings.has(key)) this.rings.set(key, this.mark(ring(one.first.severity), one.lon, one.lat));
    }
  }

  setSelection(place: [number, number] | null): void {
    this.selection?.remove();
    this.selection = null;
    if (!place) return;
    const ring = document.createElement("div");
    ring.className = "map-selection";
    this.selection = this.mark(ring, ...place);
  }

  private mark(element: HTMLElement, lon: number, lat: number): Marker {
    return new Marker({ element }).setLngLat([lon, lat]).addTo(this.map);
  }

  /** Brings the incident and its team into sight; stays where it is if both are seen well already. */
  reveal(place: [number, number], team: [number, number] | null): void {
    const seen = this.map.getBounds();
    if (this.map.getZoom() >= 14 && seen.contains(place) && (!team || seen.contains(team))) return;
    const other = team ?? place;
    const west = Math.min(place[0], other[0]);
    const south = Math.min(place[1], other[1]);
    const east = Math.max(place[0], other[0]);
    const north = Math.max(place[1], other[1]);
    const animate = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : EASE_MS;
    this.map.fitBounds([west, south, east, north], { padding: REVEAL_PADDING_PX, maxZoom: REVEAL_ZOOM, duration: animate });
  }

  /** From the sign of a cell to those of its places. */
  enter(lon: number, lat: number): void {
    const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : EASE_MS;
    this.map.easeTo({ center: [lon, lat], zoom: PLACES_FROM + 0.4, duration });
  }

  /** Brings the place of `focus` to the middle of what the live window leaves free (`covered`: it is open). */
  go(focus: Focus, covered: boolean): void {
    const offset: [number, number] = [0, covered ? -COVERED_SHIFT * this.map.getContainer().clientHeight : 0];
    const duration = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : EASE_MS;
    this.map.easeTo({ center: [focus.lon, focus.lat], zoom: focus.zoom || CLOSE_ZOOM, offset, duration });
  }

  zoomBy(step: number): void {
    this.map.easeTo({ zoom: this.map.getZoom() + step, duration: 200 });
  }

  home(): void {
    this.map.fitBounds(this.district, { padding: PADDING_PX, duration: EASE_MS });
  }

  showCameras(): void {
    if (this.cameras) this.map.fitBounds(this.cameras, { padding: CAMERAS_PADDING_PX, duration: EASE_MS });
  }

  remove(): void {
    this.map.remove();
  }

  private hit(event: MapMouseEvent): Hit | null {
    if (!this.ready) return null;
    const { x, y } = event.point;
    const around: [[number, number], [number, number]] = [
      [x - HIT_PX, y - HIT_PX],
      [x + HIT_PX, y + HIT_PX],
    ];
    const layers = ["incidents", "incidents-afar", "teams", "camera-faults", "cameras"].filter((layer) => this.map.getLayer(layer));
    const found = this.map.queryRenderedFeatures(around, { layers })[0];
    if (!found) return null;
    return { type: hitType(found.layer.id, found.properties), id: String(found.properties.id) };
  }

  private listen({ onPoint, onPick, onHover }: MapEvents): void {
    this.map.on("click", (event) => {
      if (onPoint(event.lngLat.lng, event.lngLat.lat)) return;
      const hit = this.hit(event);
      if (hit) onPick(hit);
    });
    this.map.on("mousemove", (event) => {
      if (this.map.isMoving()) return; // nothing is pointed at in a drag
      const hit = this.hit(event);
      this.map.getCanvas().style.cursor = hit ? "pointer" : "";
      onHover(hit, event.point.x, event.point.y);
    });
    this.map.on("mouseout", () => onHover(null, 0, 0));
    this.map.on("movestart", () => {
      onHover(null, 0, 0);
      this.map.getContainer().classList.add("moving");
    });
    this.map.on("moveend", () => this.map.getContainer().classList.remove("moving"));
    this.map.on("zoomend", () => this.drawRings());
  }
}

function hitType(layer: string, properties: Record<string, unknown>): Hit["type"] {
  if (layer.startsWith("incidents")) return properties.cell ? "cell" : "incident";
  return layer === "teams" ? "team" : "camera";
}

function ring(level: Level): HTMLElement {
  const element = document.createElement("div");
  element.className = `map-ring level-${level}`;
  const circle = document.createElement("i");
  circle.className = "flash";
  element.append(circle);
  inStep(circle);
  return element;
}
