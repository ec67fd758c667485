/** What a team does on its phone: every command goes through an outbox, so that it works without network. */

import type { Signal } from "@preact/signals";

import { api, ApiError, newCommandId } from "../api";
import type { Round, Stop } from "../board/records";
import { serverNow } from "../clock";
import { t } from "../i18n";
import type { Bilingual, Incident, StepName, SupportRecord } from "../records";
import { assignments, calls, learn, learnRound, learnSupport, moveSupport, othersCalls, othersOutbox, outbox, reachable, refusal, said, session } from "./facts";
import { outcomeOf, PhoneOutbox, takeStep, type Outcome, type SendStep, type Waiting, type WaitingCall, type WaitingPhoto, type WaitingSkip, type WaitingSupport, type WaitingVisit } from "./outbox";
import type { Taken } from "./PhotoPicker";
import { dropOthers, dropPhoto, keepPhoto, keptPhoto } from "./photos";
import { freshPosition, lookUpPosition, sharePosition } from "./place";
import { saidOf } from "./rounds";

function failed(reason: unknown, kind: Waiting["kind"]): Outcome {
  const outcome = outcomeOf(reason, kind);
  reachable.value = outcome.kind !== "later";
  if (reason instanceof ApiError && reason.status === 401) recheck();
  return outcome;
}

/** One attempt of anything; `send` raises what the server says. */
async function attempt(kind: Waiting["kind"], send: () => Promise<void>): Promise<Outcome> {
  try {
    await send();
    reachable.value = true;
    return { kind: "done" };
  } catch (reason) {
    return failed(reason, kind);
  }
}

const sendStepAs = (team: string): SendStep => async (incident, command) => {
  try {
    learn(await api.stepAs(team, incident, command));
    reachable.value = true;
    return { kind: "done" };
  } catch (reason) {
    if (reason instanceof ApiError && reason.status === 409 && reason.current && reason.current.version !== command.version) {
      return { kind: "stale", current: reason.current };
    }
    return failed(reason, "step");
  }
};

async function sendPhoto(photo: WaitingPhoto): Promise<Outcome> {
  const jpeg = await keptPhoto(photo.photo).catch(() => null);
  if (!jpeg) return { kind: "refused", reason: t("phone.photo.lost") };
  return attempt("photo", () => api.addPhotoAs(photo.team, photo.incident, photo.photo, photo.command_id, photo.at, jpeg));
}

function sendVisit(visit: WaitingVisit): Promise<Outcome> {
  const { command_id, checkpoint, code, place, at } = visit;
  return attempt("visit", async () => {
    const after = await api.checkInAs(visit.team, visit.round, { command_id, checkpoint, at, ...(code && { code }), ...(place && { place }) });
    learnRound(after);
    said.value = saidOf(after, visit);
  });
}

function sendSkip({ team, round, command_id, checkpoint, reason, at }: WaitingSkip): Promise<Outcome> {
  return attempt("skip", async () => learnRound(await api.skipStopAs(team, round, { command_id, checkpoint, reason, at })));
}

function sendSupport({ incident, team, state, at }: WaitingSupport): Promise<Outcome> {
  return attempt("support", async () => void moveSupport(await api.moveSupportAs(team, incident, state, at)));
}

function sendCall({ team, command_id, text, place, at }: WaitingCall): Promise<Outcome> {
  const where = place && { lon: place.lon, lat: place.lat };
  return attempt("call", async () => learnSupport(await api.callForHelpAs(team, { id: command_id, text, at, ...where })));
}

function send(item: Waiting): Promise<Outcome> {
  switch (item.kind) {
    case "step":
      return takeStep(item, assignments.value.find((one) => one.id === item.incident)?.version ?? 1, sendStepAs(item.team));
    case "photo":
      return sendPhoto(item);
    case "visit":
      return sendVisit(item);
    case "skip":
      return sendSkip(item);
    case "support":
      return sendSupport(item);
    case "call":
      return sendCall(item);
  }
}

/** Called after the server refused something: what the page shows may be old. */
let reload: () => void = () => undefined;
/** Called after the server said that the team which pressed something is not signed in. */
let recheck: () => void = () => undefined;

export function whenRefused(then: () => void, ofTeam: () => void): void {
  reload = then;
  recheck = ofTeam;
}

function settled(item: Waiting, outcome: Outcome): void {
  if (item.kind === "photo") void dropPhoto(item.photo).catch(() => undefined);
  if (outcome.kind !== "refused") return;
  refusal.value = t("phone.dropped", { reason: outcome.reason || item.kind });
  reload();
}

const told = (mine: Signal<readonly Waiting[]>, others: Signal<readonly Waiting[]>) => (own: readonly Waiting[], rest: readonly Waiting[]) => {
  mine.value = own;
  others.value = rest;
};
const box = new PhoneOutbox(localStorage, "gridpatrol.phone.outbox", send, told(outbox, othersOutbox), settled);
const callBox = new PhoneOutbox(localStorage, "gridpatrol.phone.calls", send, told(calls, othersCalls), settled);

/** Whose commands these are from now on; empty for nobody's. */
export function own(team: string): void {
  box.own(team);
  callBox.own(team);
}

/** Sends what waits, calls for help first. */
export async function flush(): Promise<void> {
  if (callBox.length > 0) await callBox.flush();
  if (box.length > 0) await box.flush();
}

/** Forgets photos that belong to nothing that waits. */
export function tidy(): void {
  void dropOthers(box.all.flatMap((one) => (one.kind === "photo" ? [one.photo] : []))).catch(() => undefined);
}

function stamp(): { command_id: string; at: string; team: string; who: Bilingual } {
  refusal.value = "";
  const me = session.value?.principal;
  const name = me?.name ?? "";
  return { command_id: newCommandId(), at: new Date(serverNow()).toISOString(), team: me?.team ?? "", who: { zh: name, en: me?.name_en || name } };
}

export function press(incident: Incident, step: StepName, text = ""): void {
  box.add({ kind: "step", incident: incident.id, step, text, ...stamp() });
}

/** A report with its photos; these are kept on the phone first, so that a report never waits for one that is nowhere. */
export async function report(incident: Incident, text: string, taken: readonly Taken[]): Promise<void> {
  const pressed = stamp();
  const { command_id, team, who } = pressed;
  const kept: WaitingPhoto[] = [];
  for (const photo of taken) {
    const waiting: WaitingPhoto = { kind: "photo", incident: incident.id, photo: newCommandId(), at: photo.at, command_id, team, who };
    try {
      await keepPhoto(waiting.photo, photo.jpeg);
      kept.push(waiting);
    } catch {
      refusal.value = t("phone.photo.full");
    }
  }
  box.add({ kind: "step", incident: incident.id, step: "report", text, ...pressed }, ...kept);
}

export function pressSupport(support: SupportRecord, state: WaitingSupport["state"]): void {
  box.add({ kind: "support", incident: support.incident, state, ...stamp() });
}

/** Check in at a stop with its code, or with the place alone; the time is that of the press, not of the satellites. */
export async function checkIn(round: Round, stop: Stop, code: string): Promise<void> {
  const pressed = stamp();
  said.value = null;
  const place = freshPosition() ?? (await lookUpPosition());
  box.add({ kind: "visit", round: round.id, checkpoint: stop.checkpoint, code, place, ...pressed });
}

export function skip(round: Round, stop: Stop, reason: string): void {
  box.add({ kind: "skip", round: round.id, checkpoint: stop.checkpoint, reason, ...stamp() });
}

/** Call for help, with where the phone was within the last minute; nothing is waited for. */
export function callForHelp(): void {
  callBox.add({ kind: "call", text: t("phone.sos.text"), place: freshPosition(), ...stamp() });
  sharePosition();
}
