/** What a team's phone knows and does: its assignments, its outbox, its position. */

import { signal } from "@preact/signals";

import { api, ApiError, newCommandId } from "../api";
import { serverNow, timeZone } from "../clock";
import { t } from "../i18n";
import type { Incident, Session, SiteRecord, StepName, Update } from "../records";
import { play } from "../sound";
import { Updates } from "../updates";
import { PhoneOutbox, type Outcome, type Send, type Waiting, type WaitingPhoto } from "./outbox";
import type { Taken } from "./PhotoPicker";
import { dropOthers, dropPhoto, keepPhoto, keptPhoto } from "./photos";

const ASSIGNMENTS_KEY = "gridpatrol.phone.assignments";
/** While something waits, the network is tried this often even if the browser says nothing. */
const TRY_MS = 5_000;
const POSITION_EVERY_MS = 15_000;

export const phase = signal<"starting" | "code" | "ready">("starting");
export const session = signal<Session | null>(null);
export const site = signal<SiteRecord | null>(null);
export const assignments = signal<readonly Incident[]>([]);
export const outbox = signal<readonly Waiting[]>([]);
export const refusal = signal("");
/** False after a command found no network, until something got through. */
export const reachable = signal(true);
export const position = signal<{ lon: number; lat: number } | null>(null);
export const sharing = signal<"off" | "on" | "denied">("off");

function learn(incident: Incident): void {
  const rest = assignments.value.filter((one) => one.id !== incident.id);
  const known = assignments.value.find((one) => one.id === incident.id);
  if (known && known.version > incident.version) return;
  const mine = incident.team === session.value?.principal.team && incident.work !== "closed";
  if (mine && !known) announce(incident);
  keep(mine ? [...rest, incident] : rest);
}

function keep(items: readonly Incident[]): void {
  assignments.value = [...items].sort((a, b) => a.severity - b.severity || (a.opened_at < b.opened_at ? -1 : 1));
  localStorage.setItem(ASSIGNMENTS_KEY, JSON.stringify(assignments.value));
}

function announce(incident: Incident): void {
  play(incident.severity === 4 ? 3 : incident.severity);
  // A browser refuses to vibrate a page that was never touched.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 120, 300]);
}

async function send(incident: string, command: Parameters<typeof api.step>[1]): ReturnType<Send> {
  try {
    const done = await api.step(incident, command);
    reachable.value = true;
    return { kind: "done", incident: done };
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 409 && reason.current && reason.current.version !== command.version) {
      return { kind: "stale", current: reason.current };
    }
    return failed(reason);
  }
}

async function sendPhoto(photo: WaitingPhoto): Promise<Outcome> {
  try {
    const jpeg = await keptPhoto(photo.photo).catch(() => null);
    if (!jpeg) return { kind: "refused", reason: t("phone.photo.lost") };
    await api.addPhoto(photo.incident, photo.photo, photo.command_id, photo.at, jpeg);
    reachable.value = true;
    return { kind: "done", incident: null };
  } catch (reason) {
    return failed(reason);
  }
}

/** Whether to try again: without an answer, or when the server wants somebody to sign in or to wait. */
function failed(reason: unknown): Outcome {
  const later = !(reason instanceof ApiError) || reason.offline || reason.status === 401 || reason.status === 429;
  reachable.value = !later;
  return later ? { kind: "later" } : { kind: "refused", reason: reason.message };
}

function settled(item: Waiting, outcome: Outcome): void {
  if ("photo" in item) void dropPhoto(item.photo).catch(() => undefined);
  if (outcome.kind === "done") {
    if (outcome.incident) learn(outcome.incident);
  } else if (outcome.kind === "refused") {
    refusal.value = t("phone.dropped", { reason: outcome.reason || ("step" in item ? item.step : "") });
    void load();
  }
}

const box = new PhoneOutbox(
  localStorage,
  send,
  sendPhoto,
  (incident) => assignments.value.find((one) => one.id === incident)?.version ?? 1,
  (items) => (outbox.value = items),
  settled,
);

export function press(incident: Incident, step: StepName, text = ""): void {
  refusal.value = "";
  box.add({ incident: incident.id, step, text, at: new Date(serverNow()).toISOString(), command_id: newCommandId() });
}

/** A report with its photos; these are kept on the phone first, so that a report never waits for one that is nowhere. */
export async function report(incident: Incident, text: string, taken: readonly Taken[]): Promise<void> {
  refusal.value = "";
  const at = new Date(serverNow()).toISOString();
  const command_id = newCommandId();
  const kept: WaitingPhoto[] = [];
  for (const photo of taken) {
    const waiting = { incident: incident.id, photo: newCommandId(), at: photo.at, command_id };
    try {
      await keepPhoto(waiting.photo, photo.jpeg);
      kept.push(waiting);
    } catch {
      refusal.value = t("phone.photo.full");
    }
  }
  box.add({ incident: incident.id, step: "report", text, at, command_id }, ...kept);
}

/** What waits goes first, so that the list already contains it. */
async function load(): Promise<void> {
  try {
    await box.flush();
    const items = await api.assignments();
    reachable.value = true;
    const known = new Set(assignments.value.map((one) => one.id));
    const fresh = items.filter((one) => !known.has(one.id));
    keep(items);
    if (fresh[0] && phase.value === "ready") announce(fresh[0]);
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) leave();
  }
}

const updates = new Updates(
  (update: Update) => update.type === "incident" && learn(update.incident),
  () => void load(),
  () => void api.session().catch((reason: unknown) => reason instanceof ApiError && reason.status === 401 && leave()),
);

function leave(): void {
  updates.stop();
  session.value = null;
  phase.value = "code";
}

async function enter(signedIn: Session): Promise<void> {
  session.value = signedIn;
  assignments.value = JSON.parse(localStorage.getItem(ASSIGNMENTS_KEY) ?? "[]") as Incident[];
  assignments.value = assignments.value.filter((one) => one.team === signedIn.principal.team);
  phase.value = "ready";
  updates.start();
  void dropOthers(outbox.value.flatMap((one) => ("photo" in one ? [one.photo] : []))).catch(() => undefined);
  setInterval(() => box.length > 0 && void box.flush(), TRY_MS);
  addEventListener("online", () => void box.flush());
  try {
    site.value = await api.site();
    timeZone.value = site.value.timezone;
  } catch {
    // Without the site the page shows ids instead of names; everything else works.
  }
  const permission = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
  if (permission?.state === "granted") sharePosition();
}

export async function signInWith(code: string): Promise<void> {
  const signedIn = await api.signInTeam(code.trim());
  history.replaceState(null, "", "/phone");
  await enter(signedIn);
}

/** A code in the address signs in; without one a session from before goes on. */
export async function begin(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get("code");
  try {
    if (code) return await signInWith(code);
  } catch {
    // Used already, perhaps by this very phone before a reload: its session may still hold.
  }
  try {
    const known = await api.session();
    if (known.principal.kind === "team") return await enter(known);
  } catch {
    // Nobody is signed in.
  }
  phase.value = "code";
}

export async function disconnect(): Promise<void> {
  await api.signOut().catch(() => undefined);
  localStorage.removeItem(ASSIGNMENTS_KEY);
  leave();
}

let sent_ms = 0;

/** Sends where the phone is, at most every 15 s; only the newest matters, so nothing is queued. */
export function sharePosition(): void {
  if (!("geolocation" in navigator)) {
    sharing.value = "denied";
    return;
  }
  navigator.geolocation.watchPosition(
    ({ coords, timestamp }) => {
      sharing.value = "on";
      position.value = { lon: coords.longitude, lat: coords.latitude };
      if (Date.now() - sent_ms < POSITION_EVERY_MS) return;
      sent_ms = Date.now();
      const at = new Date(Math.min(timestamp, serverNow())).toISOString();
      void api.position(coords.longitude, coords.latitude, coords.accuracy, at).catch(() => undefined);
    },
    () => (sharing.value = "denied"),
    { enableHighAccuracy: true, maximumAge: 10_000 },
  );
}
