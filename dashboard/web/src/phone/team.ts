/** The session of a team's phone: signing in, opening without network, hearing of what is new, leaving. */

import { signal } from "@preact/signals";

import { api, ApiError } from "../api";
import { serverNow } from "../clock";
import { t } from "../i18n";
import type { Session, Update } from "../records";
import { Updates } from "../updates";
import { codeIn, markOf, mayGoOn } from "./code";
import { flush, own, tidy, whenRefused } from "./commands";
import { CODE_KEY, forget, keptSession, SESSION_KEY, learn, learnAll, learnRound, learnRounds, learnShift, learnSite, learnSupport, moveSupport, reachable, recall, session } from "./facts";
import { sharePosition } from "./place";

/** While something waits, the network is tried this often even if the browser says nothing. */
const TRY_MS = 5_000;
/** Nobody is told of unannounced rounds; a phone asks. */
const ASK_MS = 30_000;

export const phase = signal<"starting" | "code" | "ready">("starting");
/** Why the last code did not sign in; empty if it did. */
export const codeFailed = signal("");

let siteAsked = false;
let begun = false;

/** What waits goes first, so that the lists already contain it. */
async function load(): Promise<void> {
  try {
    await flush();
    const [assigned, supported] = await Promise.all([api.assignments(), api.mySupport(), loadWalks()]);
    reachable.value = true;
    learnAll(assigned);
    learnSupport(supported);
    if (!siteAsked) learnSite(await api.site());
    siteAsked = true;
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) leave();
  }
}

async function loadWalks(): Promise<void> {
  const [walks, shift] = await Promise.all([api.myRounds(), api.myShift()]);
  learnRounds(walks);
  learnShift(shift);
}

function hear(update: Update): void {
  if (update.type === "incident") learn(update.incident);
  else if (update.type === "round") learnRound(update.round);
  else if (update.type === "support" && moveSupport(update.support)) void load();
}

const updates = new Updates(
  hear,
  () => void load(),
  () => void checkTeam(),
);

/** Somebody else may have signed in with this browser: then the page begins anew, and what waits is kept for its team. */
async function checkTeam(): Promise<void> {
  try {
    const now = await api.session();
    if (phase.peek() === "ready" && now.principal.team !== session.value?.principal.team) location.reload();
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 401) leave();
  }
}

whenRefused(
  () => void load(),
  () => void checkTeam(),
);

function leave(): void {
  updates.stop();
  own("");
  forget();
  phase.value = "code";
}

async function enter(signedIn: Session): Promise<void> {
  recall(signedIn);
  own(signedIn.principal.team ?? "");
  phase.value = "ready";
  siteAsked = false;
  updates.start();
  tidy();
  if (!begun) {
    begun = true;
    const whileReady = (work: () => Promise<void>) => () => void (phase.peek() === "ready" && work().catch(() => undefined));
    setInterval(whileReady(flush), TRY_MS);
    setInterval(whileReady(loadWalks), ASK_MS);
    addEventListener("online", whileReady(flush));
    // Another page of this phone signed another team in: what is pressed here would go out in its name.
    addEventListener("storage", ({ key, newValue }) => {
      const signedIn = key === SESSION_KEY ? (JSON.parse(newValue ?? "null") as Session | null) : null;
      if (signedIn && signedIn.principal.team !== session.value?.principal.team) location.reload();
    });
  }
  const permission = await navigator.permissions?.query({ name: "geolocation" }).catch(() => null);
  if (permission?.state === "granted") sharePosition();
}

/** Signs in with a code; false if the server did not take it, and `codeFailed` says why. */
export async function signInWith(code: string): Promise<boolean> {
  codeFailed.value = "";
  try {
    const signedIn = await api.signInTeam(code.trim());
    history.replaceState(null, "", "/phone");
    await enter(signedIn);
    localStorage.setItem(CODE_KEY, markOf(code.trim()));
    return true;
  } catch (reason) {
    const offline = reason instanceof ApiError && reason.offline;
    codeFailed.value = offline ? t("signin.unreachable") : reason instanceof Error ? reason.message : String(reason);
    return false;
  }
}

/** The session of before, without network as it was last known; false if there is none. */
async function goOn(): Promise<boolean> {
  let known: Session | null;
  try {
    known = await api.session();
  } catch (reason) {
    known = reason instanceof ApiError && reason.offline ? keptSession(serverNow()) : null;
  }
  if (known?.principal.kind !== "team") return false;
  await enter(known);
  return true;
}

/**
 * A code in the address signs in; without one the session of before goes on. So it does with the code that began it, which is used
 * up; with another that fails nobody is signed in here: whoever opened that link is not the team of before.
 */
export async function begin(): Promise<void> {
  const code = codeIn(location.hash);
  if (code && (await signInWith(code))) return;
  if (mayGoOn(code, localStorage.getItem(CODE_KEY)) && (await goOn())) return;
  own("");
  phase.value = "code";
}

export async function disconnect(): Promise<void> {
  await api.signOut().catch(() => undefined);
  leave();
}

/** Keeps the page on the phone, so that it opens without network; only over https, where browsers allow it. */
export function install(): void {
  if (import.meta.env.PROD && "serviceWorker" in navigator) {
    navigator.serviceWorker.register("/phone-worker.js", { scope: "/phone" }).catch(() => undefined);
  }
}

/** Who carries this phone. */
export function teamName(language: "zh" | "en"): string | undefined {
  const who = session.value?.principal;
  return language === "zh" ? who?.name : who?.name_en;
}
