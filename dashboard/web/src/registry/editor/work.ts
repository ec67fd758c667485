/** The camera that is edited at the moment, with everything that can be taken back. One editor is open at a time. */

import { computed, signal } from "@preact/signals";

import type { Entry, Geometry, Outline } from "../records";
import { registry } from "../requests";
import { changed, redone, settled, undoable, undone, type Undoable } from "../undo";
import { asRequest, differences, NEW_CAMERA, type Draft } from "./draft";
import { pointRemoved, withNew, without, withPoints, type Layer, type Shape, type ShapeKey } from "./outlines";

const EMPTY: Draft = { camera: NEW_CAMERA, rules: [], privacy: [], ignore: [] };
/** Away from the edges, where a new shape can be taken hold of. */
const FIRST_CORNERS = [
  [0.35, 0.35],
  [0.65, 0.65],
] as const;

/** As the server has it; `digest` is empty for a camera that does not exist yet. */
export const saved = signal<{ draft: Draft; digest: string }>({ draft: EMPTY, digest: "" });
const state = signal<Undoable<Draft>>(undoable(EMPTY));
export const draft = computed(() => state.value.now);
export const canUndo = computed(() => state.value.past.length > 0);
export const canRedo = computed(() => state.value.future.length > 0);
export const isChanged = computed(() => Object.keys(differences(saved.value.draft, draft.value)).length > 0);
/** The shape that is worked on, on the picture. */
export const chosenShape = signal<ShapeKey | null>(null);
/** What the exact geometry was worked out for; another camera than the draft's while the answer is on its way. */
export const geometry = signal<{ of: Entry; found: Geometry } | null>(null);

export function begin(known: Draft, digest: string): void {
  saved.value = { draft: known, digest };
  state.value = undoable(known);
  chosenShape.value = null;
  geometry.value = null;
}

/** `of` names what is dragged or typed in: all of that is one step back. */
export function change(next: Draft, of = ""): void {
  state.value = changed(state.value, next, of);
}

export function changeCamera(camera: Entry, of = ""): void {
  change({ ...draft.value, camera }, of);
}

export function settle(): void {
  state.value = settled(state.value);
}

export function undo(): void {
  state.value = undone(state.value);
  forgetShape();
}

export function redo(): void {
  state.value = redone(state.value);
  forgetShape();
}

/** A step back may have taken the chosen shape away. */
function forgetShape(): void {
  const key = chosenShape.value;
  if (!key) return;
  const masks = key.layer === "privacy" || key.layer === "ignore";
  const count = masks ? draft.value[key.layer as "privacy" | "ignore"].length : draft.value.rules.length;
  if (key.index >= count) chosenShape.value = null;
}

export function addShape(layer: Layer, kind: string, from: readonly [number, number] = FIRST_CORNERS[0], to: readonly [number, number] = FIRST_CORNERS[1]): void {
  const { draft: next, key } = withNew(draft.value, layer, from, to, kind);
  change(next);
  chosenShape.value = key;
}

export function setPoints(key: ShapeKey, points: Outline, of = ""): void {
  change(withPoints(draft.value, key, points), of);
}

export function removeShape(key: ShapeKey): void {
  change(without(draft.value, key));
  chosenShape.value = null;
}

export function removePoint(shape: Shape, at: number): void {
  const left = pointRemoved(shape.points, at, shape.layer);
  if (left) setPoints(shape, left);
  else removeShape(shape);
}

let busy = false;
let waiting: Entry | null = null;
const PAUSE_MS = 60;

/** Ask for what the draft's camera would see: one question at a time, the newest next. */
export async function askGeometry(camera: Entry): Promise<void> {
  if (busy) {
    waiting = camera;
    return;
  }
  busy = true;
  try {
    geometry.value = { of: camera, found: await registry.geometry(asRequest(camera)) };
  } catch {
    // Half-typed numbers are refused; the light cone stays until they are whole.
  }
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  busy = false;
  const next = waiting;
  waiting = null;
  if (next) void askGeometry(next);
}
