/** What the page knows, as signals. Written here only, by the server's answers and updates; read everywhere. */

import { batch, computed, signal } from "@preact/signals";

import { api, ApiError } from "./api";
import type { Round } from "./board/records";
import { timeZone } from "./clock";
import type { CoverageNews } from "./coverage/records";
import { lang } from "./prefs";
import type {
  Bilingual,
  CameraProperties,
  CameraStatus,
  Health,
  HandoverAlarm,
  Incident,
  IncidentPage,
  Level,
  PlaceProperties,
  Referral,
  Session,
  SiteRecord,
  Team,
  Update,
} from "./records";
import { Updates } from "./updates";

export type Entry = "starting" | "setup" | "sign-in" | "ready";
export type Tab = "room" | "wall" | "board" | "coverage" | "cameras" | "teams" | "reports" | "users";

/** The most that the server gives in one answer. */
const PAGE_LIMIT = 500;
/** A page that is opened in a flood shows these before it has the rest. */
const FIRST_LIMIT = 100;
/** Recently closed incidents, for the command bar and the alarm budget. */
const CLOSED_LIMIT = 100;
const RETRY_MS = 3_000;
/** About one drawn frame. */
const FRAME_MS = 16;

export const entry = signal<Entry>("starting");
export const session = signal<Session | null>(null);
/** True when the server ended the session, so that the sign-in page can say why it is shown. */
export const ended = signal(false);
export const site = signal<SiteRecord | null>(null);
export const incidents = signal<ReadonlyMap<string, Incident>>(new Map());
export const statuses = signal<ReadonlyMap<string, CameraStatus>>(new Map());
export const teams = signal<ReadonlyMap<string, Team>>(new Map());
/** The round that changed last, for whoever shows rounds. */
export const changedRound = signal<Round | null>(null);
/** The referral that changed last: by a step, or because its desk's time is running out. */
export const changedReferral = signal<Referral | null>(null);
/** Changes of shifts that nobody has signed in time. */
export const unsigned = signal<readonly HandoverAlarm[]>([]);
/** What was told last of the coverage; rises with every change of it. */
export const coverageNews = signal<CoverageNews | null>(null);
export const tab = signal<Tab>("room");
export const selected = signal<string | null>(sessionStorage.getItem("gridpatrol.selected"));
/** Camera shown in the large live window over the map. */
export const watched = signal<string | null>(null);
/** Sentence shown for a moment: somebody was faster, a request failed. */
export const notice = signal<{ text: string; tone: "plain" | "fault"; key: number } | null>(null);
/** True while the first lists are on their way. */
export const loading = signal(true);
/** Rises by one when the lists were read anew; details that were open read themselves again. */
export const generation = signal(0);

export const cameraById = computed(() => {
  const known = new Map<string, { properties: CameraProperties; lon: number; lat: number }>();
  for (const { properties, geometry } of site.value?.cameras.features ?? []) {
    known.set(properties.id, { properties, lon: geometry.coordinates[0] ?? 0, lat: geometry.coordinates[1] ?? 0 });
  }
  return known;
});

export const placeById = computed(() => {
  const known = new Map<string, PlaceProperties>();
  for (const { properties } of site.value?.places.features ?? []) known.set(properties.id, properties);
  return known;
});

export const current = computed(() => (selected.value ? (incidents.value.get(selected.value) ?? null) : null));
export const open = computed(() => [...incidents.value.values()].filter((one) => one.work !== "closed"));

export const openByLevel = computed(() => {
  const count: Record<Level, { total: number; waiting: number }> = {
    1: { total: 0, waiting: 0 },
    2: { total: 0, waiting: 0 },
    3: { total: 0, waiting: 0 },
    4: { total: 0, waiting: 0 },
  };
  for (const one of open.value) {
    count[one.severity].total += 1;
    if (waiting(one)) count[one.severity].waiting += 1;
  }
  return count;
});

export const healthCount = computed(() => {
  const count: Record<Health, number> = { online: 0, degraded: 0, offline: 0 };
  for (const one of statuses.value.values()) count[one.health] += 1;
  return count;
});

export function waiting(incident: Incident): boolean {
  return incident.work === "new" && incident.condition !== "shelved";
}

export function inLanguage(name: Bilingual): string {
  return name[lang.value] || name.en || name.zh;
}

export function placeName(id: string): string {
  const place = placeById.value.get(id);
  return place ? inLanguage({ zh: place.name_zh, en: place.name_en }) : id;
}

export function cameraName(id: string): string {
  const camera = cameraById.value.get(id)?.properties;
  return camera ? inLanguage({ zh: camera.name_zh, en: camera.name_en }) : id;
}

export function teamName(id: string): string {
  const team = teams.value.get(id);
  return team ? inLanguage(team.name) : id;
}

export function mayDispatch(): boolean {
  const role = session.value?.principal.role;
  return role === "dispatcher" || role === "administrator";
}

export function select(id: string | null): void {
  selected.value = id;
  if (id) sessionStorage.setItem("gridpatrol.selected", id);
  else sessionStorage.removeItem("gridpatrol.selected");
}

export function say(text: string, tone: "plain" | "fault" = "plain"): void {
  notice.value = { text, tone, key: (notice.value?.key ?? 0) + 1 };
}

/** Takes an incident as the server has it; an older version than the one known is ignored. */
export function learnIncident(incident: Incident): void {
  const known = incidents.value.get(incident.id);
  if (known && known.version > incident.version) return;
  incidents.value = new Map(incidents.value).set(incident.id, incident);
}

// Camera statuses arrive in bursts of hundreds: collected and applied once per drawn frame.
let arriving: CameraStatus[] = [];

function learnCamera(status: CameraStatus): void {
  if (arriving.push(status) > 1) return;
  const apply = (): void => {
    const next = new Map(statuses.value);
    for (const one of arriving) next.set(one.id, one);
    arriving = [];
    statuses.value = next;
  };
  if (document.hidden) setTimeout(apply, 200);
  else requestAnimationFrame(apply);
}

let opening: Incident[] = [];

/** Many in a moment are drawn as one; a hidden tab, whose timers the browser holds back, takes each at once: it may have to sound. */
function hearIncident(incident: Incident): void {
  if (opening.push(incident) > 1 && !document.hidden) return;
  const apply = (): void => {
    const heard = opening;
    opening = [];
    if (heard.length > 0) learnIncidents(heard);
  };
  if (document.hidden) apply();
  else setTimeout(apply, FRAME_MS);
}

function learn(update: Update): void {
  if (update.type === "incident") hearIncident(update.incident);
  else if (update.type === "camera") learnCamera(update.camera);
  else if (update.type === "round") changedRound.value = update.round;
  else if (update.type === "referral") changedReferral.value = update.referral;
  else if (update.type === "coverage") coverageNews.value = update.coverage;
  else if (update.type === "handover") unsigned.value = update.handover.alarms;
  else if (update.type === "team") teams.value = new Map(teams.value).set(update.team.id, update.team);
}

/** The pages after the first, each asked for while the one before is read; a flood is not cut off silently. */
async function furtherIncidents(next: string | null, onPage: (found: readonly Incident[]) => void): Promise<void> {
  let found: Incident[] = [];
  let asked = next ? api.incidents("open", PAGE_LIMIT, next) : null;
  while (asked) {
    const page: IncidentPage = await asked;
    asked = page.next ? api.incidents("open", PAGE_LIMIT, page.next) : null;
    found.push(...page.items);
    // Queue and map are made anew each time: only once as many have come as are known, or the last.
    if (asked && found.length < incidents.value.size) continue;
    onPage(found);
    found = [];
  }
}

/** Adds what was read; updates that arrived meanwhile may be newer than it is. */
function learnIncidents(read: readonly Incident[]): void {
  const next = new Map(incidents.value);
  for (const one of read) if (one.version >= (next.get(one.id)?.version ?? 0)) next.set(one.id, one);
  incidents.value = next;
}

let retry: ReturnType<typeof setTimeout> | undefined;

/** Reads the lists. What is not in them any more goes at the end: until then the page shows what it had. */
async function loadLists(): Promise<void> {
  clearTimeout(retry);
  const before = incidents.value;
  const read = new Set<string>();
  const onPage = (found: readonly Incident[]): void => {
    for (const one of found) read.add(one.id);
    learnIncidents(found);
  };
  try {
    // The newest come first and alone: whatever else is asked for would take the server's time from them. Level 1 comes with
    // them, and never waits behind thousands of others, however old it is.
    const [first, urgent] = await Promise.all([api.incidents("open", FIRST_LIMIT), api.urgent()]);
    onPage([...first.items, ...urgent.items]);
    const [closed, cameras, everyTeam, alarms] = await Promise.all([
      api.incidents("closed", CLOSED_LIMIT),
      api.cameras(),
      api.teams(),
      api.handoverAlarms(),
      furtherIncidents(first.next, onPage),
    ]);
    batch(() => {
      onPage(closed.items);
      const stays = ([id, one]: [string, Incident]): boolean => read.has(id) || before.get(id) !== one;
      incidents.value = new Map([...incidents.value].filter(stays));
      unsigned.value = alarms;
      statuses.value = new Map(cameras.map((one) => [one.id, one]));
      teams.value = new Map(everyTeam.map((one) => [one.id, one]));
      // What was opened while the first lists were on their way has been read just now.
      if (!loading.value) generation.value += 1;
      loading.value = false;
    });
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) return void askSession();
    say(reason instanceof Error ? reason.message : String(reason), "fault");
    retry = setTimeout(() => void loadLists(), RETRY_MS);
  }
}

const updates = new Updates(learn, () => void loadLists(), () => void askSession());

/** Shows the sign-in page when the server says that nobody is signed in; without an answer nothing changes. */
async function askSession(): Promise<void> {
  try {
    await api.session();
  } catch (reason) {
    if (!(reason instanceof ApiError) || reason.status !== 401 || session.value === null) return;
    ended.value = true;
    leave();
  }
}

function leave(): void {
  updates.stop();
  clearTimeout(retry);
  session.value = null;
  watched.value = null;
  opening = [];
  incidents.value = new Map();
  statuses.value = new Map();
  teams.value = new Map();
  loading.value = true;
  tab.value = "room";
  entry.value = "sign-in";
}

/** Statuses are pushed when a camera's health changes; their rates and ages are read anew while somebody looks at them. */
export async function refreshStatuses(): Promise<void> {
  try {
    for (const one of await api.cameras()) learnCamera(one);
  } catch {
    // The page goes on with what it knows; a lost connection is told by its banner.
  }
}

/** After a change of the site: places and cameras as they are now. */
export async function reloadSite(): Promise<void> {
  site.value = await api.site();
}

/** After sign-in: the site, and at the same time the live connection, which loads the lists. */
export async function enter(signedIn: Session): Promise<void> {
  session.value = signedIn;
  ended.value = false;
  updates.start();
  try {
    site.value = await api.site();
  } catch (reason) {
    leave();
    throw reason;
  }
  timeZone.value = site.value.timezone;
  entry.value = "ready";
}

export async function signOut(): Promise<void> {
  // Takes the room down, which hangs up its live pictures while the session still allows it.
  entry.value = "starting";
  await new Promise((resolve) => setTimeout(resolve));
  await api.signOut().catch(() => undefined);
  leave();
}

/** Decides what the first page is: set-up by the one-time link, sign-in, or the control room. */
export async function begin(): Promise<void> {
  if (new URLSearchParams(location.hash.slice(1)).has("setup")) {
    const { needed } = await api.setupNeeded().catch(() => ({ needed: true }));
    if (needed) {
      entry.value = "setup";
      return;
    }
    history.replaceState(null, "", "/");
  }
  const linked = new URLSearchParams(location.hash.slice(1)).get("incident");
  if (linked) {
    select(linked); // a message to somebody elsewhere leads here
    history.replaceState(null, "", "/");
  }
  try {
    const known = await api.session();
    if (known.principal.kind === "team") location.replace("/phone");
    else await enter(known);
  } catch {
    entry.value = "sign-in";
  }
}
