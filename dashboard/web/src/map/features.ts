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

/** The middle of an outline's corners. */
function middleOf(outline: GeoJSON.Polygon): [number, number] {
  const ring = (outline.coordinates[0] ?? []).slice(1);
  const middle = (axis: 0 | 1): number => ring.reduce((sum, at) => sum + (at[axis] ?? 0), 0) / Math.max(1, ring.length);
  return [middle(0), middle(1)];
}

/** One point per place for its name: the middle of its outline. An area itself would be named once per map tile. */
export function nameFeatures(site: SiteRecord, lang: Lang): Collection {
  return collection(
    site.places.features.map(({ geometry, properties: p }) => {
      return {
        type: "Feature",
        geometry: point(...middleOf(geometry)),
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
          properties: { id: p.id, kind: "cone" },
        };
      }),
  );
}

/** What the ground is made of: places and where cameras look. One source, so that each frame clips to its tiles once. */
export function groundFeatures(site: SiteRecord): Collection {
  return collection([...placeFeatures(site).features, ...coneFeatures(site).features]);
}

/** What is drawn for the eye that looks: the cone of the watched camera, and lines from teams to incidents. */
export function markFeatures(site: SiteRecord, watched: string | null, links: Collection): Collection {
  return collection([...coneFeatures(site).features.filter((one) => one.properties?.id === watched), ...links.features]);
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

/** Incidents that share one sign: those of a place, in a flood hundreds, or seen from afar those of a cell. */
export interface Spot {
  /** The one that matters most. */
  first: Incident;
  count: number;
  lon: number;
  lat: number;
  /** Empty for the sign of a place. */
  cell: string;
}

export function spotsOf(open: Iterable<Incident>): Spot[] {
  const found = new Map<string, Spot>();
  for (const one of open) {
    if (one.lon === null || one.lat === null) continue;
    add(found, `${one.lon} ${one.lat}`, { first: one, count: 1, lon: one.lon, lat: one.lat, cell: "" });
  }
  return inOrder(found.values());
}

/** A cell with signs at more places than this gets a single one while the whole district is in sight. */
const MOST_IN_CELL = 3;

/** `spots` as they are seen from afar: one sign in the middle of each full cell. Level 1 always stands alone. */
export function spotsFromAfar(spots: readonly Spot[], middles: ReadonlyMap<string, readonly [number, number]>): Spot[] {
  const places = new Map<string, number>();
  const alone = ({ first }: Spot): boolean => first.severity === 1 || !middles.has(first.grid_cell);
  for (const one of spots) if (!alone(one)) places.set(one.first.grid_cell, (places.get(one.first.grid_cell) ?? 0) + 1);
  const found = new Map<string, Spot>();
  for (const one of spots) {
    const cell = one.first.grid_cell;
    const middle = middles.get(cell);
    if (!middle || alone(one) || (places.get(cell) ?? 0) <= MOST_IN_CELL) found.set(one.first.id, one);
    else add(found, cell, { ...one, lon: middle[0], lat: middle[1], cell });
  }
  return inOrder(found.values());
}

function add(found: Map<string, Spot>, key: string, one: Spot): void {
  const spot = found.get(key);
  if (!spot) found.set(key, one);
  else {
    spot.count += one.count;
    if (compare(one.first, spot.first) < 0) spot.first = one.first;
  }
}

function inOrder(spots: Iterable<Spot>): Spot[] {
  return [...spots].sort((a, b) => compare(a.first, b.first));
}

/** The middle of each grid cell, by id. */
export function cellMiddles(site: SiteRecord): Map<string, [number, number]> {
  const cells = site.places.features.filter(({ properties }) => properties.kind === "grid_cell");
  return new Map(cells.map(({ geometry, properties }) => [properties.id, middleOf(geometry)]));
}

/** Incidents as signs, each with the number of those that share it; the more urgent is drawn above (`order`). */
export function incidentFeatures(spots: readonly Spot[], theme: Theme): Collection {
  return collection(
    spots.map(({ first, count, lon, lat, cell }) => {
      const isNew = first.work === "new";
      return {
        type: "Feature",
        geometry: point(lon, lat),
        properties: {
          id: cell || first.id,
          sign: `incident/${first.severity}/${isNew ? "full" : "hollow"}/${theme}`,
          order: (isNew ? 10 : 0) + (5 - first.severity),
          count: count > 1 ? `×${count}` : "",
          cell,
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
    features.push({ type: "Feature", geometry: { type: "LineString", coordinates }, properties: { kind: "link", strength } });
  };
  for (const one of open) if (one.work !== "reported" && one.work !== "verified") link(one, one.team, 0.85);
  if (proposed) link(proposed.incident, proposed.team, 0.45);
  return collection(features);
}

export interface Proposed {
  incident: Incident;
  team: string;
}
