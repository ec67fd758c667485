import { effect, signal } from "@preact/signals";
import type { Marker } from "maplibre-gl";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon } from "../controls/shapes";
import { t, word } from "../i18n";
import { around, type Bounds } from "../map/area";
import type { GroundMap } from "../map/GroundMap";
import { lang, theme } from "../prefs";
import type { SiteRecord } from "../records";
import { cameraById, cameraName, placeName, site } from "../state";
import { allBands, bands, causeId, chosenCause, chosenSpot, coverage, layer, mode, planned, show, shownAt, views } from "./facts";
import { OVERLAY, plannedFeatures, spotFeatures, viewFeatures } from "./overlay";
import { BANDS, STREAMS } from "./records";

/** Asks the map to show a rectangle. */
const wanted = signal<Bounds | null>(null);
/** The camera whose view was clicked. */
const chosenView = signal<string | null>(null);

export function showShapes(shapes: readonly GeoJSON.Geometry[]): void {
  wanted.value = around(shapes);
}

function pick(layerName: string, id: string): void {
  if (layerName === "spots") {
    chosenSpot.value = Number(id);
    chosenView.value = null;
    mode.value = mode.peek() === "history" ? "history" : "now";
  } else chosenView.value = id;
}

/** Signs that a keyboard reaches: proposed stops, planned cameras. */
function marks(map: GroundMap): () => void {
  let shown: Marker[] = [];
  return effect(() => {
    for (const one of shown) one.remove();
    const stops = shownAt.value === null && mode.value !== "plan" ? (coverage.value?.proposals ?? []) : [];
    const cameras = mode.value === "plan" ? planned.value : [];
    shown = [
      ...stops.map((one) => {
        const title = `${t(one.state === "made" ? "coverage.stop.made" : "coverage.stop.proposed")} · ${placeName(one.grid_cell)}`;
        return map.mark(sign(`stop-mark ${one.state}`, one.state === "made" ? "✓" : "!", title), one.lon, one.lat);
      }),
      ...cameras.map((one, index) =>
        map.mark(sign("plan-mark", String(index + 1), t("coverage.plan.mark", { n: index + 1 })), one.lon, one.lat),
      ),
    ];
  });
}

function sign(look: string, text: string, title: string): HTMLElement {
  const element = document.createElement("div");
  element.className = look;
  element.dataset.testid = look.split(" ")[0] ?? "";
  element.textContent = text;
  element.title = title;
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", title);
  return element;
}

/** Keeps the map in step with the facts; returns the end of it. */
function keep(map: GroundMap): () => void {
  const ends = [
    effect(() => map.set("views", viewFeatures(views.value, bands.value))),
    effect(() => map.set("spots", spotFeatures(coverage.value?.blind_spots ?? []))),
    effect(() => map.set("planned", plannedFeatures(mode.value === "plan" ? planned.value : []))),
    effect(() => map.choose("spots-chosen", chosenSpot.value === null ? [] : [String(chosenSpot.value)])),
    effect(() => map.choose("views-chosen", chosenView.value ? [chosenView.value] : [])),
    effect(() => {
      const cause = coverage.value?.causes.find((one) => causeId(one.cause, one.uplink) === chosenCause.value);
      map.choose("cause-chosen", cause?.cameras ?? []);
    }),
    effect(() => {
      if (wanted.value) map.fit(wanted.value);
    }),
    effect(() => map.setLook(theme.value, lang.value)),
    marks(map),
  ];
  return () => ends.forEach((end) => end());
}

type State = "loading" | "ready" | "unavailable";

/** The ground with what is covered, lost and never seen. `data-lost` says how many lost views the map draws in sight. */
export function CoverageMap() {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<GroundMap | null>(null);
  const [state, setState] = useState<State>("loading");
  const [lost, setLost] = useState(0);
  const ground = site.value;
  useEffect(() => {
    if (!box.current || !ground) return;
    return build(box.current, ground, map, setState, setLost);
  }, [ground]);
  return (
    <section class="map coverage-map" aria-label={t("coverage.map")} data-testid="coverage-map" data-state={state} data-lost={lost}>
      <div ref={box} class="map-canvas" />
      {state === "unavailable" && <div class="empty">{t("map.unavailable")}</div>}
      <LayerBar />
      <div class="map-tools">
        <Tool icon="home" label={t("map.home")} onClick={() => map.current?.home()} />
        <Tool icon="plus" label={t("map.in")} onClick={() => map.current?.zoomBy(1)} />
        <Tool icon="minus" label={t("map.out")} onClick={() => map.current?.zoomBy(-1)} />
      </div>
      <ChosenView />
      <Legend />
    </section>
  );
}

/** Where the places are that somebody may see: of a limited account only a part of the sub-district. */
function own(ground: SiteRecord): Bounds {
  const inner = ground.places.features.filter((one) => one.properties.kind !== "sub_district");
  return around(inner.map((one) => one.geometry)) ?? ground.bounds;
}

function build(
  box: HTMLElement,
  ground: SiteRecord,
  map: { current: GroundMap | null },
  setState: (state: State) => void,
  setLost: (count: number) => void,
): () => void {
  let end: () => void = () => undefined;
  let gone = false;
  void import("../map/GroundMap").then(({ GroundMap: Ground }) => {
    if (gone) return;
    try {
      map.current = new Ground(box, ground, theme.peek(), lang.peek(), OVERLAY, {
        onReady: () => setState("ready"),
        onPick: pick,
        onPoint: () => {
          chosenView.value = null;
          chosenSpot.value = null;
        },
        onCounted: setLost,
      }, own(ground));
    } catch {
      return setState("unavailable");
    }
    end = keep(map.current);
  });
  return () => {
    gone = true;
    end();
    map.current?.remove();
    map.current = null;
    wanted.value = null;
  };
}

function Tool({ icon, label, onClick }: { icon: "home" | "plus" | "minus"; label: string; onClick: () => void }) {
  return (
    <button type="button" class="btn icon" title={label} aria-label={label} onClick={onClick}>
      <Icon name={icon} size={18} />
    </button>
  );
}

/** Whose picture, how finely, by day or night. */
function LayerBar() {
  const now = layer.value;
  if (!now) return null;
  return (
    <div class="layer-bar">
      <select
        class="input"
        aria-label={t("coverage.stream")}
        value={now.stream}
        onChange={(event) => show({ ...now, stream: event.currentTarget.value as typeof now.stream }, allBands.value)}
      >
        {STREAMS.map((one) => (
          <option key={one} value={one}>
            {word("coverage.stream", one)}
          </option>
        ))}
      </select>
      <select
        class="input"
        aria-label={t("coverage.band")}
        data-testid="coverage-band"
        value={allBands.value ? "all" : now.band}
        onChange={(event) => {
          const value = event.currentTarget.value;
          show(value === "all" ? now : { ...now, band: value as typeof now.band }, value === "all");
        }}
      >
        {BANDS.map((one) => (
          <option key={one} value={one}>
            {word("coverage.band", one)}
          </option>
        ))}
        <option value="all">{t("coverage.band.all")}</option>
      </select>
      <div class="segments" role="group" aria-label={t("coverage.light")}>
        {(["day", "night"] as const).map((one) => (
          <button key={one} type="button" aria-pressed={now.light === one} onClick={() => show({ ...now, light: one }, allBands.value)}>
            {word("coverage.light", one)}
          </button>
        ))}
      </div>
    </div>
  );
}

/** What is known of the camera whose view was clicked. */
function ChosenView() {
  const id = chosenView.value;
  const view = views.value?.features.find((one) => one.properties.camera === id);
  if (!id || !view) return null;
  const { state, uplink } = view.properties;
  return (
    <div class="map-card" data-testid="view-card">
      <strong>
        <span class="num">{id}</span> {cameraName(id)}
      </strong>
      <span class={state === "working" ? "dim" : "lost-text"}>{word("coverage.state", state)}</span>
      <span class="dim">
        {placeName(cameraById.value.get(id)?.properties.grid_cell ?? "")}
        {uplink ? ` · ${t("coverage.switch", { name: uplink })}` : ""}
      </span>
    </div>
  );
}

function Legend() {
  return (
    <div class="map-legend">
      <ul>
        <li>
          <i class="legend-view" /> {t("coverage.legend.covered")}
        </li>
        <li>
          <i class="legend-lost" /> {t("coverage.legend.lost")}
        </li>
        <li>
          <i class="legend-doubt" /> {t("coverage.legend.doubt")}
        </li>
        <li>
          <i class="legend-spot" /> {t("coverage.legend.blind")}
        </li>
      </ul>
    </div>
  );
}
