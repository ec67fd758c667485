import "./map.css";

import { computed, effect, signal, untracked } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";

import { now } from "../clock";
import { Icon, LevelShape } from "../controls/shapes";
import { t, word } from "../i18n";
import { call } from "../incident/call";
import { matter } from "../incident/matter";
import { lang, theme } from "../prefs";
import { chosenTeam } from "../incident/proposal";
import { armed, isSent, mayBeSent } from "../incident/steps";
import type { SiteRecord } from "../records";
import { cameraName, current, incidents, loading, open, placeName, select, site, statuses, teamName, teams, waiting, watched } from "../state";
import type { DistrictMap, Hit } from "./DistrictMap";
import { cameraArea } from "./area";
import * as features from "./features";
import { focus } from "./focus";
import type { Sources } from "./style";

/** Teams are redrawn for the age of their positions this often. */
const AGE_STEP_MS = 60_000;

const middles = computed(() => (site.value ? features.cellMiddles(site.value) : new Map<string, [number, number]>()));
const near = computed(() => features.spotsOf(open.value));
const afar = computed(() => features.spotsFromAfar(near.value, middles.value));
const hovered = signal<{ hit: Hit; x: number; y: number } | null>(null);

function sources(place: SiteRecord): Sources {
  return {
    places: features.groundFeatures(place),
    names: features.nameFeatures(place, lang.value),
    checkpoints: features.checkpointFeatures(place, lang.value),
    cameras: features.cameraFeatures(place, statuses.value),
    teams: features.teamFeatures(teams.value.values(), lang.value, theme.value, now.value),
    incidents: features.incidentFeatures(near.value, theme.value),
    afar: features.incidentFeatures(afar.value, theme.value),
    marks: features.markFeatures(place, watched.value, features.linkFeatures(open.value, teams.value, null)),
  };
}

/** Id and place of the selected incident; changes only when another one is selected or it moves. */
const selectedKey = computed(() => {
  const one = current.value;
  return one && one.lon !== null && one.lat !== null ? `${one.id} ${one.lon} ${one.lat}` : "";
});

function proposed(): features.Proposed | null {
  const incident = current.value;
  const team = chosenTeam.value;
  if (!incident || !team || !mayBeSent(incident)) return null;
  return !isSent(incident) || armed.value === "dispatch" ? { incident, team } : null;
}

/** Where the team is that has, or would have, the selected incident. */
function teamPlace(): [number, number] | null {
  const team = teams.value.get(current.value?.team ?? chosenTeam.value ?? "");
  return team && team.lon !== null && team.lat !== null ? [team.lon, team.lat] : null;
}

/** While a report is taken, a click on the map says where. */
function point(lon: number, lat: number): boolean {
  if (!call.value) return false;
  call.value = { ...call.value, place: { lon, lat } };
  return true;
}

function pick(map: DistrictMap | null, hit: Hit): void {
  if (hit.type === "incident") select(hit.id);
  else if (hit.type === "cell") map?.enter(...(middles.value.get(hit.id) ?? [0, 0]));
  else if (hit.type === "camera") watched.value = hit.id;
  else {
    const incident = teams.value.get(hit.id)?.incident;
    if (incident) select(incident);
  }
}

/** Keeps the map in step with what the page knows. Returns the end of it. */
function follow(map: DistrictMap, place: SiteRecord): () => void {
  let healths = "";
  const ends = [
    effect(() => {
      map.set("names", features.nameFeatures(place, lang.value));
      map.set("checkpoints", features.checkpointFeatures(place, lang.value));
    }),
    effect(() => {
      // Statuses come every second; only a changed health changes the map.
      const next = [...statuses.value.values()].map((one) => one.id + one.health).join();
      if (next !== healths) map.set("cameras", features.cameraFeatures(place, statuses.value));
      healths = next;
    }),
    effect(() => {
      const age = Math.floor(now.value / AGE_STEP_MS) * AGE_STEP_MS;
      map.set("teams", features.teamFeatures(teams.value.values(), lang.value, theme.value, age));
    }),
    effect(() => {
      map.set("incidents", features.incidentFeatures(near.value, theme.value));
      map.set("afar", features.incidentFeatures(afar.value, theme.value));
      const waits = ({ first }: features.Spot): boolean => waiting(first);
      map.setWaiting(near.value.filter(waits), afar.value.filter(waits));
    }),
    effect(() => {
      const links = features.linkFeatures(open.value, teams.value, proposed());
      map.set("marks", features.markFeatures(place, watched.value, links));
    }),
    effect(() => map.setTheme(theme.value)),
    effect(() => {
      if (focus.value) map.go(focus.value, watched.peek() !== null);
    }),
    effect(() => {
      const [, lon, lat] = selectedKey.value.split(" ");
      const told = call.value?.place;
      if (told) return map.setSelection([told.lon, told.lat]);
      const place: [number, number] | null = lon && lat ? [Number(lon), Number(lat)] : null;
      map.setSelection(place);
      if (place) untracked(() => map.reveal(place, teamPlace()));
    }),
  ];
  return () => ends.forEach((end) => end());
}

/** Alarms come first: building a map holds the page up for as long as its graphics take to be made ready. */
const listed = computed(() => !loading.value || incidents.value.size > 0);

export function MapView() {
  const box = useRef<HTMLDivElement>(null);
  const map = useRef<DistrictMap | null>(null);
  const [state, setState] = useState<"loading" | "ready" | "unavailable">("loading");
  const place = site.value;
  useEffect(() => {
    if (!box.current || !place || !listed.value) return;
    const element = box.current;
    let end: () => void = () => undefined;
    let gone = false;
    void import("./DistrictMap").then(({ DistrictMap: District }) => {
      if (gone) return;
      try {
        map.current = new District(element, theme.peek(), sources(place), place.bounds, cameraArea(place), {
          onPoint: point,
          onPick: (hit) => pick(map.current, hit),
          onHover: (hit, x, y) => (hovered.value = hit && { hit, x, y }),
          onReady: () => setState("ready"),
        });
      } catch {
        setState("unavailable");
        return;
      }
      end = follow(map.current, place);
    });
    return () => {
      gone = true;
      end();
      map.current?.remove();
      map.current = null;
    };
  }, [place, listed.value]);
  return (
    <section class="map" aria-label={t("map.label")} data-testid="map" data-state={state}>
      <div ref={box} class="map-canvas" />
      {state === "unavailable" && <div class="empty">{t("map.unavailable")}</div>}
      <div class="map-tools">
        <Tool icon="home" label={t("map.home")} onClick={() => map.current?.home()} />
        {place && cameraArea(place) && (
          <Tool icon="cameras" label={t("map.cameras")} onClick={() => map.current?.showCameras()} />
        )}
        <Tool icon="plus" label={t("map.in")} onClick={() => map.current?.zoomBy(1)} />
        <Tool icon="minus" label={t("map.out")} onClick={() => map.current?.zoomBy(-1)} />
      </div>
      <Legend />
      <Hover />
    </section>
  );
}

function Tool({ icon, label, onClick }: { icon: "home" | "cameras" | "plus" | "minus"; label: string; onClick: () => void }) {
  return (
    <button type="button" class="btn icon" title={label} aria-label={label} onClick={onClick}>
      <Icon name={icon} size={18} />
    </button>
  );
}

function Hover() {
  const shown = hovered.value;
  if (!shown) return null;
  const { hit, x, y } = shown;
  return (
    <div class="map-hover" style={{ left: `${x}px`, top: `${y}px` }}>
      {hit.type === "camera" && <CameraHover id={hit.id} />}
      {hit.type === "team" && (
        <>
          <strong>{teamName(hit.id)}</strong>
          <span>{word("team.status", teams.value.get(hit.id)?.status ?? "")}</span>
        </>
      )}
      {hit.type === "incident" && <IncidentHover id={hit.id} />}
      {hit.type === "cell" && <CellHover id={hit.id} />}
    </div>
  );
}

function CameraHover({ id }: { id: string }) {
  return (
    <>
      <strong>
        <span class="num">{id}</span> {cameraName(id)}
      </strong>
      <span>{word("health", statuses.value.get(id)?.health ?? "offline")}</span>
    </>
  );
}

function CellHover({ id }: { id: string }) {
  const count = afar.value.find((one) => one.cell === id)?.count ?? 0;
  return (
    <>
      <strong>{placeName(id)}</strong>
      <span>{t("map.cell", { n: count })}</span>
    </>
  );
}

function IncidentHover({ id }: { id: string }) {
  const incident = incidents.value.get(id);
  if (!incident) return null;
  return (
    <>
      <strong>
        {word("level", String(incident.severity))} {matter(incident)}
      </strong>
      <span>{word("work", incident.work)}</span>
    </>
  );
}

function Legend() {
  const [shown, setShown] = useState(false);
  return (
    <div class="map-legend">
      {shown && (
        <ul>
          <li>
            <LevelShape level={1} size={18} /> {t("map.legend.alarm")}
          </li>
          <li>
            <LevelShape level={1} size={18} hollow /> {t("map.legend.owned")}
          </li>
          <li>
            <i class="legend-camera" /> {t("map.legend.camera")}
          </li>
          <li>
            <i class="legend-fault" /> {t("map.legend.fault")}
          </li>
          <li>
            <i class="legend-team" /> {t("map.legend.team")}
          </li>
          <li>
            <i class="legend-team busy" /> {t("map.legend.busy")}
          </li>
          <li>
            <i class="legend-check" /> {t("map.legend.checkpoint")}
          </li>
        </ul>
      )}
      <button type="button" class="btn small" aria-expanded={shown} onClick={() => setShown(!shown)}>
        {t("map.legend")}
      </button>
    </div>
  );
}
