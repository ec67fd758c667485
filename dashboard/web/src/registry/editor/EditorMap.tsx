import { effect } from "@preact/signals";
import type { ExpressionSpecification, LayerSpecification, Marker } from "maplibre-gl";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../../controls/shapes";
import { t, word } from "../../i18n";
import type { Bounds } from "../../map/area";
import { cone, distance_m } from "../../map/cones";
import type { Collection } from "../../map/features";
import type { GroundMap, Overlay } from "../../map/GroundMap";
import type { Palette } from "../../map/palette";
import { area } from "../../numbers";
import { lang, theme } from "../../prefs";
import { placeName, site } from "../../state";
import { editing, entries } from "../facts";
import type { Entry } from "../records";
import { arrowStep, beginDrag } from "./drag";
import { bearing_deg, handleAt, hfov_deg, moved, placed, placesAt, reach_m, turned } from "./draft";
import { askGeometry, changeCamera, draft, geometry, saved, settle } from "./work";

/** The rectangle around a camera that is shown first, metres to each side. */
const AROUND_M = 110;
const HANDLE_PX = 96;
const DETECT_PPM = 25;
/** The five bands, from far to near, each denser than the one before. */
const DENSITY: ExpressionSpecification = ["match", ["get", "band"], "monitor", 0.12, "detect", 0.18, "observe", 0.18, "recognise", 0.2, 0.24];

const OVERLAY: Overlay = { sources: ["others", "bands", "cone"], layers, picked: ["others"] };

function layers(p: Palette): LayerSpecification[] {
  return [
    { id: "bands", type: "fill", source: "bands", paint: { "fill-color": p.text, "fill-opacity": DENSITY } },
    { id: "bands-line", type: "line", source: "bands", paint: { "line-color": p.text, "line-width": 1, "line-opacity": 0.7 } },
    { id: "cone", type: "line", source: "cone", paint: { "line-color": p.text, "line-width": 1.4, "line-dasharray": [3, 2] } },
    {
      id: "others",
      type: "circle",
      source: "others",
      paint: { "circle-color": p.camera, "circle-radius": ["interpolate", ["linear"], ["zoom"], 14, 1.6, 17, 4], "circle-stroke-color": p.cameraLine, "circle-stroke-width": 1 },
    },
  ];
}

const NOTHING: Collection = { type: "FeatureCollection", features: [] };

function others(own: string): Collection {
  return {
    type: "FeatureCollection",
    features: entries.value
      .filter((one) => one.id !== own)
      .map((one) => ({ type: "Feature", geometry: { type: "Point", coordinates: [one.lon, one.lat] }, properties: { id: one.id } })),
  };
}

function bands(): Collection {
  return {
    type: "FeatureCollection",
    features: (geometry.value?.found.bands ?? []).map((one) => ({ type: "Feature", geometry: one.geometry, properties: { band: one.band } })),
  };
}

/** While the exact answer is on its way: the plain angle as far as somebody can be told apart. */
function lightCone(camera: Entry): Collection {
  if (geometry.value?.of === camera) return NOTHING;
  const ring = cone(camera.lon, camera.lat, camera.azimuth_deg, hfov_deg(camera), reach_m(camera, DETECT_PPM));
  return { type: "FeatureCollection", features: [{ type: "Feature", geometry: { type: "LineString", coordinates: ring }, properties: {} }] };
}

interface Handles {
  place: Marker;
  turn: Marker;
}

/** The two handles: where the camera hangs, and where it looks. Both move by mouse and by arrow keys. */
function addHandles(map: GroundMap, box: HTMLElement): Handles {
  const toPlace = (x: number, y: number): [number, number] => {
    const { left, top } = box.getBoundingClientRect();
    return map.unproject(x - left, y - top);
  };
  const camera = (): Entry => draft.peek().camera;
  const place = handle("place-handle", t("editor.handle.place"), (x, y) => changeCamera(placed(camera(), ...toPlace(x, y)), "place"));
  place.addEventListener("keydown", (event) => {
    const step = arrowStep(event);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    changeCamera(moved(camera(), step.x * 0.5, -step.y * 0.5), "place");
  });
  const turn = handle("turn-handle", t("editor.handle.turn"), (x, y) =>
    changeCamera(turned(camera(), bearing_deg([camera().lon, camera().lat], toPlace(x, y))), "turn"),
  );
  turn.addEventListener("keydown", (event) => {
    const step = arrowStep(event);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    changeCamera(turned(camera(), camera().azimuth_deg + step.x - step.y), "turn");
  });
  const { lon, lat } = camera();
  return { turn: map.mark(turn, lon, lat), place: map.mark(place, lon, lat) };
}

function handle(look: string, label: string, onMove: (x: number, y: number) => void): HTMLElement {
  const element = document.createElement("button");
  element.type = "button";
  element.className = look;
  element.dataset.testid = look;
  element.setAttribute("aria-label", label);
  element.title = label;
  // The map would take these for the beginning of its own drag.
  for (const kind of ["mousedown", "touchstart"]) element.addEventListener(kind, (event) => event.stopPropagation());
  element.addEventListener("pointerdown", (event) => beginDrag(event, { onMove, onEnd: settle }));
  element.addEventListener("keyup", settle);
  return element;
}

/** Metres that `HANDLE_PX` are at the camera's place. */
function ahead_m(map: GroundMap, { lon, lat }: Entry): number {
  const [x, y] = map.project(lon, lat);
  return distance_m([lon, lat], map.unproject(x + HANDLE_PX, y));
}

/** Keeps map and handles in step with the draft; returns the end of it. */
function keep(map: GroundMap, box: HTMLElement): () => void {
  const { place, turn } = addHandles(map, box);
  const set = (): void => {
    const { camera } = draft.value;
    place.setLngLat([camera.lon, camera.lat]);
    turn.setLngLat(handleAt(camera, ahead_m(map, camera)));
    turn.getElement().style.setProperty("--azimuth", `${camera.azimuth_deg}deg`);
  };
  const ends = [
    effect(set),
    map.onMove(set),
    effect(() => map.set("others", others(draft.value.camera.id))),
    effect(() => map.set("bands", bands())),
    effect(() => map.set("cone", lightCone(draft.value.camera))),
    effect(() => void askGeometry(draft.value.camera)),
    effect(() => map.setLook(theme.value, lang.value)),
  ];
  return () => ends.forEach((end) => end());
}

/** `wide`: of a camera that has no place yet, so the whole ground is shown. */
export function EditorMap({ wide }: { wide: boolean }) {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<GroundMap | null>(null);
  const [state, setState] = useState<"loading" | "ready" | "unavailable">("loading");
  useEffect(() => {
    const element = box.current;
    const ground = site.peek();
    if (!element || !ground) return;
    let end: () => void = () => undefined;
    let gone = false;
    const start = draft.peek().camera;
    const [from, to] = [moved(start, -AROUND_M, -AROUND_M), moved(start, AROUND_M, AROUND_M)];
    const shown: Bounds = wide ? ground.bounds : [from.lon, from.lat, to.lon, to.lat];
    void import("../../map/GroundMap").then(({ GroundMap: Ground }) => {
      if (gone) return;
      try {
        map.current = new Ground(element, ground, theme.peek(), lang.peek(), OVERLAY, {
          onReady: () => setState("ready"),
          onPick: (_, id) => saved.peek().digest !== "" && (editing.value = { id }),
          onPoint: (lon, lat) => {
            // A new camera is put where somebody points; one that hangs already is only dragged.
            if (saved.peek().digest === "") changeCamera({ ...placed(draft.peek().camera, lon, lat), ...placesAt(ground, lon, lat) });
          },
        }, shown);
      } catch {
        return setState("unavailable");
      }
      end = keep(map.current, element);
    });
    return () => {
      gone = true;
      end();
      map.current?.remove();
      map.current = null;
    };
  }, []);
  return (
    <section class="map editor-map" aria-label={t("editor.map")} data-testid="editor-map" data-state={state}>
      <div ref={box} class="map-canvas" />
      {state === "unavailable" && <div class="empty">{t("map.unavailable")}</div>}
      <div class="map-tools">
        <button type="button" class="btn icon" aria-label={t("map.in")} onClick={() => map.current?.zoomBy(1)}>
          <Icon name="plus" size={18} />
        </button>
        <button type="button" class="btn icon" aria-label={t("map.out")} onClick={() => map.current?.zoomBy(-1)}>
          <Icon name="minus" size={18} />
        </button>
      </div>
      <Reading />
    </section>
  );
}

/** What the draft comes to: covered ground, dead zone, and each band with its distance. */
function Reading() {
  const known = geometry.value?.found;
  const { camera } = draft.value;
  return (
    <div class="map-card" data-testid="editor-reading" data-azimuth={camera.azimuth_deg} data-exact={geometry.value?.of === camera}>
      <strong class="num">
        {camera.azimuth_deg}° · {known ? area(known.area_m2) : "…"}
      </strong>
      <span class="dim num">
        {(known?.bands ?? []).map((one) => `${word("coverage.band", one.band)} ${Math.round(reach_m(camera, one.pixels_per_metre))} m`).join(" · ")}
      </span>
      {saved.value.digest === "" && <span>{t("editor.point")}</span>}
      {known?.dead_zone_m ? <span class="dim num">{t("editor.dead", { m: known.dead_zone_m.toFixed(1) })}</span> : null}
      {known?.inside && <span class="lost-text">{t("editor.inside", { name: placeName(known.inside) })}</span>}
    </div>
  );
}
