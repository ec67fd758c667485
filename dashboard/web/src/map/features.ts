/** What the page knows, as GeoJSON for the map. */

import type { Lang, Theme } from "../prefs";
import type { CameraStatus, Incident, SiteRecord, Team } from "../records";
import { compare } from "../queue/order";
import { cone } from "./cones";

type Features = GeoJSON.Feature[];
export type Collection = GeoJSON.FeatureCollection;

/** A position older than this is drawn as uncertain. */
const STALE_MS = 300_000;
const CONE_REACH_M = 32;

const collection = (features: Features): Collection => ({ type: "FeatureCollection", features });
const point = (lon: number, lat: number): GeoJSON.Point => ({ type: "Point", coordinates: [lon, lat] });

export function placeFeatures(site: SiteRecord): Collection {
  return collection(
    site.places.features.map(({ geometry, properties: p }) => ({
      type: "Feature",
      geometry,
      properties: { id: p.id, kind: p.kind },
    })),
  );
}

/** One point per place for its name: the middle of its outline. An area itself would be named once per map tile. */
export function nameFeatures(site: SiteRecord, lang: Lang): Collection {
  return collection(
    site.places.features.map(({ geometry, properties: p }) => {
      const ring = (geometry.coordinates[0] ?? []).slice(1);
      const middle = (axis: 0 | 1): number => ring.reduce((sum, at) => sum + (at[axis] ?? 0), 0) / Math.max(1, ring.length);
      return {
        type: "Feature",
        geometry: point(middle(0), middle(1)),
        properties: { kind: p.kind, name: lang === "zh" ? p.name_zh : p.name_en },
      };
    }),
  );
}

export function checkpointFeatures(site: SiteRecord, lang: Lang): Collection {
  return collection(
    site.checkpoints.features.map(({ geometry, properties: p }) => ({
      type: "Feature",
      geometry,
      properties: { id: p.id, name: lang === "zh" ? p.name_zh : p.name_en },
    })),
  );
}

export function cameraFeatures(site: SiteRecord, statuses: ReadonlyMap<string, CameraStatus>): Collection {
  return collection(
    site.cameras.features
      .filter(({ properties }) => properties.enabled)
      .map(({ geometry, properties }) => ({
        type: "Feature",
        geometry,
        properties: { id: properties.id, health: statuses.get(properties.id)?.health ?? "online" },
      })),
  );
}

export function coneFeatures(site: SiteRecord): Collection {
  return collection(
    site.cameras.features
      .filter(({ properties }) => properties.enabled)
      .map(({ geometry, properties: p }) => {
        const [lon = 0, lat = 0] = geometry.coordinates;
        return {
          type: "Feature",
          geometry: { type: "Polygon", coordinates: [cone(lon, lat, p.azimuth_deg, p.hfov_deg, CONE_REACH_M)] },
          properties: { id: p.id },
        };
      }),
  );
}

export function teamFeatures(teams: Iterable<Team>, lang: Lang, theme: Theme, now_ms: number): Collection {
  const features: Features = [];
  for (const team of teams) {
    if (!team.on_shift || team.lon === null || team.lat === null) continue;
    const stale = team.position_at !== null && now_ms - Date.parse(team.position_at) > STALE_MS;
    const state = team.status !== "available" ? "busy" : stale ? "stale" : "free";
    features.push({
      type: "Feature",
      geometry: point(team.lon, team.lat),
      properties: { id: team.id, name: team.name[lang], sign: `team/${state}/${theme}` },
    });
  }
  return collection(features);
}

/** Of each place the incident that matters most, and how many there are; in a flood a camera has hundreds. */
export interface Spot {
  first: Incident;
  count: number;
}

export function spotsOf(open: Iterable<Incident>): Spot[] {
  const found = new Map<string, Spot>();
  for (const one of open) {
    if (one.lon === null || one.lat === null) continue;
    const key = `${one.lon} ${one.lat}`;
    const spot = found.get(key);
    if (!spot) found.set(key, { first: one, count: 1 });
    else {
      spot.count += 1;
      if (compare(one, spot.first) < 0) spot.first = one;
    }
  }
  return [...found.values()].sort((a, b) => compare(a.first, b.first));
}

/** Incidents as signs, one for each place with the number of the others behind it; the more urgent is drawn above (`order`). */
export function incidentFeatures(spots: readonly Spot[], theme: Theme): Collection {
  return collection(
    spots.map(({ first, count }) => {
      const isNew = first.work === "new";
      return {
        type: "Feature",
        geometry: point(first.lon ?? 0, first.lat ?? 0),
        properties: {
          id: first.id,
          sign: `incident/${first.severity}/${isNew ? "full" : "hollow"}/${theme}`,
          order: (isNew ? 10 : 0) + (5 - first.severity),
          count: count > 1 ? `×${count}` : "",
        },
      };
    }),
  );
}

/** A line from each team to the incident that it was sent to, and a fainter one from the team that is proposed. */
export function linkFeatures(open: Iterable<Incident>, teams: ReadonlyMap<string, Team>, proposed: Proposed | null): Collection {
  const features: Features = [];
  const link = (one: Incident, id: string | null, strength: number): void => {
    const team = id ? teams.get(id) : undefined;
    if (!team || team.lon === null || team.lat === null || one.lon === null || one.lat === null) return;
    const coordinates = [
      [team.lon, team.lat],
      [one.lon, one.lat],
    ];
    features.push({ type: "Feature", geometry: { type: "LineString", coordinates }, properties: { strength } });
  };
  for (const one of open) if (one.work !== "reported" && one.work !== "verified") link(one, one.team, 0.85);
  if (proposed) link(proposed.incident, proposed.team, 0.45);
  return collection(features);
}

export interface Proposed {
  incident: Incident;
  team: string;
}
