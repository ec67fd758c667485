/** What a team's phone knows, kept across reloads so that the page opens without network: its work, its rounds, its shift, the site. */

import { computed, signal, type Signal } from "@preact/signals";

import type { Round } from "../board/records";
import { serverNow, timeZone } from "../clock";
import { lang } from "../prefs";
import type { Incident, Session, SiteRecord, SupportRecord } from "../records";
import { play } from "../sound";
import { ask } from "./kept";
import type { Waiting } from "./outbox";
import type { OwnShift, OwnSupport } from "./records";
import { madeUpUntil, type Said } from "./rounds";

export const session = signal<Session | null>(null);
export const site = signal<SiteRecord | null>(null);
export const assignments = signal<readonly Incident[]>([]);
export const support = signal<OwnSupport | null>(null);
export const rounds = signal<readonly Round[]>([]);
export const shift = signal<OwnShift | null>(null);
/** What waits for the network; calls for help have a queue of their own, which goes first. */
export const outbox = signal<readonly Waiting[]>([]);
export const calls = signal<readonly Waiting[]>([]);
/** What other teams left behind on this phone; it goes out when they sign in here again. */
export const othersOutbox = signal<readonly Waiting[]>([]);
export const othersCalls = signal<readonly Waiting[]>([]);
/** Why the control room did not take something; empty if it took all. */
export const refusal = signal("");
/** What the control room said of the last check-in. */
export const said = signal<Said | null>(null);
/** False after a command found no network, until something got through. */
export const reachable = signal(true);

/** Whether what this team supports is its own call for help. */
export const calledForHelp = computed(() => support.value !== null && support.value.by === session.value?.principal.name);

const KEY = "gridpatrol.phone.";
export const SESSION_KEY = `${KEY}session`;
/** What is left of the code that this session began with. */
export const CODE_KEY = `${KEY}code`;
const KEPT: Readonly<Record<string, Signal<unknown>>> = { session, assignments, support, rounds, shift };
/** What does not say itself whose it is; it goes before another team's session is kept, which would make it theirs. */
const OF_ONE_TEAM = ["support", "rounds", "shift"];

function keep<T>(fact: Signal<T>, value: T): void {
  fact.value = value;
  const name = Object.keys(KEPT).find((one) => KEPT[one] === fact);
  if (name) localStorage.setItem(KEY + name, JSON.stringify(value));
}

function kept<T>(name: string, otherwise: T): T {
  return JSON.parse(localStorage.getItem(KEY + name) ?? "null") as T | null ?? otherwise;
}

/** The session of before, if it can still hold; for a page that was opened without network. */
export function keptSession(now: number): Session | null {
  const known = kept<Session | null>("session", null);
  return known && Date.parse(known.expires_at) > now ? known : null;
}

/** Takes up what was known of this team. */
export function recall(signedIn: Session): void {
  const team = signedIn.principal.team;
  const same = kept<Session | null>("session", null)?.principal.team === team;
  if (!same) for (const name of OF_ONE_TEAM) localStorage.removeItem(KEY + name);
  keep(session, signedIn);
  assignments.value = kept<readonly Incident[]>("assignments", []).filter((one) => one.team === team);
  support.value = same ? kept("support", null) : null;
  rounds.value = same ? kept("rounds", []) : [];
  shift.value = same ? kept("shift", null) : null;
  void ask("facts", "readonly", (store) => store.get("site") as IDBRequest<SiteRecord | undefined>)
    .then((known) => known && !site.value && setSite(known))
    .catch(() => undefined);
}

/** Forgets all but what still waits to be sent: whoever holds the phone next has no part in it. */
export function forget(): void {
  for (const name of Object.keys(KEPT)) localStorage.removeItem(KEY + name);
  localStorage.removeItem(CODE_KEY);
  session.value = site.value = support.value = shift.value = said.value = null;
  assignments.value = [];
  rounds.value = [];
  refusal.value = "";
  void ask("facts", "readwrite", (store) => store.clear()).catch(() => undefined);
}

function setSite(known: SiteRecord): void {
  site.value = known;
  timeZone.value = known.timezone;
}

export function learnSite(known: SiteRecord): void {
  setSite(known);
  void ask("facts", "readwrite", (store) => store.put(known, "site")).catch(() => undefined);
}

/** An incident as it is now, the team's own or the one it supports; rings for a new one. */
export function learn(incident: Incident): void {
  if (support.value?.incident === incident.id && support.value.about.version <= incident.version) {
    keep(support, incident.work === "closed" ? null : { ...support.value, about: incident });
  }
  const rest = assignments.value.filter((one) => one.id !== incident.id);
  const known = assignments.value.find((one) => one.id === incident.id);
  if (known && known.version > incident.version) return;
  const mine = incident.team === session.value?.principal.team && incident.work !== "closed";
  if (mine && !known) announce(incident);
  keepAssignments(mine ? [...rest, incident] : rest);
}

/** Everything that this team is sent to; rings for what was not known. */
export function learnAll(items: readonly Incident[]): void {
  const known = new Set(assignments.value.map((one) => one.id));
  const fresh = items.find((one) => !known.has(one.id));
  keepAssignments(items);
  if (fresh) announce(fresh);
}

function keepAssignments(items: readonly Incident[]): void {
  keep(assignments, [...items].sort((a, b) => a.severity - b.severity || (a.opened_at < b.opened_at ? -1 : 1)));
}

/** What this team supports, null if nothing; rings where it was sent somewhere. */
export function learnSupport(now: OwnSupport | null): void {
  const fresh = now !== null && now.id !== support.value?.id;
  keep(support, now === null || now.state === "done" || now.about.work === "closed" ? null : now);
  if (fresh && support.value && !calledForHelp.value) announce(support.value.about);
}

/** How far the support is; true if it is one that this phone knows nothing about yet. */
export function moveSupport(now: SupportRecord): boolean {
  if (now.team !== session.value?.principal.team) return false;
  const known = support.value;
  if (known?.id !== now.id) return now.state !== "done";
  learnSupport({ ...now, about: known.about });
  return false;
}

/** A round as it is now. Those that are over stay for a while: what was odd is still to be read. */
export function learnRound(now: Round): void {
  const mine = now.team === session.value?.principal.team && now.state !== "withdrawn";
  const rest = rounds.value.filter((one) => one.id !== now.id);
  keep(rounds, mine ? [...rest, now] : rest);
}

/** All rounds that are to be walked or made up; what was completed stays besides, for as long. */
export function learnRounds(items: readonly Round[]): void {
  const told = new Set(items.map((one) => one.id));
  const done = rounds.value.filter((one) => one.state === "completed" && !told.has(one.id) && madeUpUntil(one) > serverNow());
  keep(rounds, [...items, ...done]);
}

export function learnShift(now: OwnShift): void {
  keep(shift, now);
}

function announce(incident: Incident): void {
  play(incident.severity === 4 ? 3 : incident.severity);
  // A browser refuses to vibrate a page that was never touched.
  if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.([300, 120, 300]);
}

export function placeName(id: string): string {
  const place = site.value?.places.features.find((one) => one.properties.id === id)?.properties;
  return place ? (lang.value === "zh" ? place.name_zh : place.name_en) : id;
}

export function cameraName(id: string): string {
  const camera = site.value?.cameras.features.find((one) => one.properties.id === id)?.properties;
  return camera ? (lang.value === "zh" ? camera.name_zh : camera.name_en) : id;
}
