/** Zones, lines and masks as shapes on one picture. Pure; points are fractions of width and height. */

import type { Outline, RuleEntry } from "../records";
import type { Draft } from "./draft";

export type Layer = "privacy" | "ignore" | "zone" | "line";

/** Where a shape is kept: a mask by its number, a zone or line by the number of its rule. */
export interface ShapeKey {
  layer: Layer;
  index: number;
}

export interface Shape extends ShapeKey {
  points: Outline;
}

/** What a new zone or line is called until somebody says where it is; a rule needs a name. */
const FIRST_NAMES = { zone: { zh: "区域", en: "Zone" }, line: { zh: "绊线", en: "Line" } } as const;
const LEAST_POINTS: Readonly<Record<Layer, number>> = { privacy: 3, ignore: 3, zone: 3, line: 2 };
const MOST_POINTS = 100;

export function keyOf({ layer, index }: ShapeKey): string {
  return `${layer}-${index}`;
}

export function shapesOf({ privacy, ignore, rules }: Draft): Shape[] {
  return [
    ...privacy.map((points, index) => ({ layer: "privacy" as const, index, points })),
    ...ignore.map((points, index) => ({ layer: "ignore" as const, index, points })),
    ...rules.flatMap((rule, index) => [
      ...(rule.zone && rule.zone.length > 0 ? [{ layer: "zone" as const, index, points: rule.zone }] : []),
      ...(rule.line && rule.line.length > 0 ? [{ layer: "line" as const, index, points: rule.line }] : []),
    ]),
  ];
}

/** Within the picture, in thousandths. */
export function clamped(value: number): number {
  return Math.round(1000 * Math.min(1, Math.max(0, value))) / 1000;
}

const point = (x: number, y: number): [number, number] => [clamped(x), clamped(y)];

/** The draft with these points in place of a shape's. */
export function withPoints(draft: Draft, { layer, index }: ShapeKey, points: Outline): Draft {
  if (layer === "privacy" || layer === "ignore") {
    return { ...draft, [layer]: draft[layer].map((one, at) => (at === index ? points : one)) };
  }
  return { ...draft, rules: draft.rules.map((rule, at) => (at === index ? { ...rule, [layer]: points } : rule)) };
}

/** Without a shape; a zone or line goes with its rule. */
export function without(draft: Draft, { layer, index }: ShapeKey): Draft {
  const keep = <T>(all: readonly T[]): T[] => all.filter((_, at) => at !== index);
  if (layer === "privacy" || layer === "ignore") return { ...draft, [layer]: keep(draft[layer]) };
  return { ...draft, rules: keep(draft.rules) };
}

/** A new shape between two corners; kinds of rules come from the server's own list. */
export function withNew(draft: Draft, layer: Layer, from: readonly [number, number], to: readonly [number, number], kind: string): { draft: Draft; key: ShapeKey } {
  const [x1, y1] = from;
  const [x2, y2] = to;
  const corners: Outline = layer === "line" ? [point(x1, y1), point(x2, y2)] : [point(x1, y1), point(x2, y1), point(x2, y2), point(x1, y2)];
  if (layer === "privacy" || layer === "ignore") {
    return { draft: { ...draft, [layer]: [...draft[layer], corners] }, key: { layer, index: draft[layer].length } };
  }
  const rule = { name: freeName(draft, kind), kind, [layer]: corners, zone_name: FIRST_NAMES[layer] };
  return { draft: { ...draft, rules: [...draft.rules, rule] }, key: { layer, index: draft.rules.length } };
}

function freeName({ rules }: Draft, kind: string): string {
  const base = kind.replaceAll("_", "-");
  const taken = new Set(rules.map((one) => one.name));
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if (!taken.has(name)) return name;
  }
}

/** What a rule can look for. */
export const LABELS = ["person", "vehicle", "other"] as const;

/** With a label that was not there, or without one that was; the last one stays, for a rule looks for something. */
export function withLabel(labels: readonly string[], label: string): string[] {
  const next = LABELS.filter((one) => labels.includes(one) !== (one === label));
  return next.length > 0 ? next : [...labels];
}

/** A rule of another kind. That knows other `keys`: name, times and level stay, and what both know; durations and labels go. */
export function ofKind(rule: RuleEntry, kind: string, keys: readonly string[]): RuleEntry {
  const stays = (key: string): boolean => ["zone_name", "schedule", "severity"].includes(key) || (keys.includes(key) && !["labels", "leave_s"].includes(key));
  return { ...Object.fromEntries(Object.entries(rule).filter(([key]) => stays(key))), name: rule.name, kind };
}

export function pointMoved(points: Outline, at: number, x: number, y: number): Outline {
  return points.map((one, index) => (index === at ? point(x, y) : one));
}

/** All points shifted together, as far as the picture allows. */
export function shifted(points: Outline, dx: number, dy: number): Outline {
  const xs = points.map(([x]) => x);
  const ys = points.map(([, y]) => y);
  const right = Math.max(-Math.min(...xs), Math.min(1 - Math.max(...xs), dx));
  const down = Math.max(-Math.min(...ys), Math.min(1 - Math.max(...ys), dy));
  return points.map(([x, y]) => point(x + right, y + down));
}

/** A point in the middle of the side that begins at `at`. */
export function pointAdded(points: Outline, at: number): Outline {
  const [x1, y1] = points[at] ?? [0, 0];
  const [x2, y2] = points[(at + 1) % points.length] ?? [0, 0];
  if (points.length >= MOST_POINTS) return points;
  return [...points.slice(0, at + 1), point((x1 + x2) / 2, (y1 + y2) / 2), ...points.slice(at + 1)];
}

/** Without one point; null when too few would be left, so that the shape itself goes. */
export function pointRemoved(points: Outline, at: number, layer: Layer): Outline | null {
  return points.length <= LEAST_POINTS[layer] ? null : points.filter((_, index) => index !== at);
}
