/** MapLibre with the site's own areas; knows nothing of the rest of the page. */

import "maplibre-gl/dist/maplibre-gl.css";

import { Map as MapLibre, Marker, setWorkerUrl, type GeoJSONSource, type MapMouseEvent } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";

import type { Theme } from "../prefs";
import type { Incident, Level } from "../records";
import { surroundings, type Bounds } from "./area";
import { CLOSE_ZOOM, type Focus } from "./focus";
import type { Collection } from "./features";
import { drawSign, PIXEL_RATIO } from "./signs";
import { mapStyle, type SourceName, type Sources } from "./style";

setWorkerUrl(workerUrl);

/** More pulsing marks than this would be noise, and cost drawing time. */
const MOST_PULSES = 24;
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
  type: "incident" | "camera" | "team";
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
  private readonly pulses = new Map<string, Marker>();
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
    this.map = new MapLibre({
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
      for (const name of this.waiting) this.push(name);
      this.waiting.clear();
      events.onReady();
    });
    this.listen(events);
  }

  private readonly waiting = new Set<SourceName>();

  set(name: SourceName, data: Collection): void {
    if (this.data[name] === data) return;
    this.data[name] = data;
    if (this.ready) this.push(name);
    else this.waiting.add(name);
  }

  private push(name: SourceName): void {
    void this.map.getSource<GeoJSONSource>(name)?.setData(this.data[name]);
  }

  setTheme(theme: Theme): void {
    if (theme === this.theme) return;
    this.theme = theme;
    this.map.setStyle(mapStyle(theme, this.data), { diff: true });
  }

  setWatched(camera: string | null): void {
    if (this.ready) this.map.setFilter("cone-watched", ["==", ["get", "id"], camera ?? ""]);
  }

  /** Pulsing rings under unacknowledged alarms; only transform and opacity move, so that the map is not redrawn. */
  setPulses(waiting: readonly Incident[]): void {
    const wanted = waiting.slice(0, MOST_PULSES);
    const ids = new Set(wanted.map((one) => one.id));
    for (const [id, marker] of this.pulses) {
      if (ids.has(id)) continue;
      marker.remove();
      this.pulses.delete(id);
    }
    for (const one of wanted) {
      if (this.pulses.has(one.id) || one.lon === null || one.lat === null) continue;
      this.pulses.set(one.id, this.mark(pulse(one.severity), one.lon, one.lat));
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
    const layers = ["incidents", "teams", "camera-faults", "cameras"].filter((layer) => this.map.getLayer(layer));
    const found = this.map.queryRenderedFeatures(around, { layers })[0];
    if (!found) return null;
    const type = found.layer.id === "incidents" ? "incident" : found.layer.id === "teams" ? "team" : "camera";
    return { type, id: String(found.properties.id) };
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
    this.map.on("movestart", () => onHover(null, 0, 0));
  }
}

function pulse(level: Level): HTMLElement {
  const element = document.createElement("div");
  element.className = `map-pulse level-${level}`;
  element.append(document.createElement("i"));
  return element;
}
