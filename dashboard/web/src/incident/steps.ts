/** What the person at the desk does to incidents: commands in order, one line per incident, conflicts told in words. */

import { signal } from "@preact/signals";

import { api, ApiError, newCommandId } from "../api";
import { t, word } from "../i18n";
import type { Cause, Incident, StepName, StepRequest, Verdict } from "../records";
import { VERDICTS } from "../records";
import { incidents, learnIncident, say, session } from "../state";

/** What the next digit or confirmation belongs to; null when no choice is open. */
export type Armed = "take-over" | "dispatch" | "false-alarm" | "close" | "note" | "report" | "refuse" | "shelve" | "pause" | "reopen" | null;

export const armed = signal<Armed>(null);
/** Verdict chosen to close with, whose cause is asked next. */
export const chosenVerdict = signal<Verdict | null>(null);
/** How long an alarm may be shelved, in the order of their digit. */
export const SHELVES_MIN = [15, 60, 240, 480] as const;
/** How long the alarm is to be shelved, once that was chosen. */
export const shelf_min = signal<number | null>(null);
/** Team picked instead of the proposed one, for the selected incident. */
export const picked = signal<string | null>(null);
/** Incidents with a command on its way. */
export const busy = signal<ReadonlySet<string>>(new Set());

type Details = Partial<Pick<StepRequest, "team" | "text" | "verdict" | "cause" | "until">>;

const lines = new Map<string, Promise<boolean>>();

/** Sends the step after those already in line for this incident; resolves to whether it was done. */
export function take(incident: string, step: StepName, details: Details = {}): Promise<boolean> {
  const before = lines.get(incident) ?? Promise.resolve(true);
  const mine = before.then((done) => (done ? send(incident, step, details) : false));
  lines.set(incident, mine);
  busy.value = new Set(busy.value).add(incident);
  void mine.finally(() => {
    if (lines.get(incident) !== mine) return;
    lines.delete(incident);
    const rest = new Set(busy.value);
    rest.delete(incident);
    busy.value = rest;
  });
  return mine;
}

async function send(id: string, step: StepName, details: Details): Promise<boolean> {
  const known = incidents.value.get(id);
  if (!known) return false;
  const command: StepRequest = { step, version: known.version, command_id: newCommandId(), ...details };
  try {
    learnIncident(await api.step(id, command));
    return true;
  } catch (reason) {
    if (!(reason instanceof ApiError)) throw reason;
    return conflict(reason, command, id);
  }
}

/** A note fits any version, so it is sent again; everything else is told and shown. */
async function conflict(reason: ApiError, command: StepRequest, id: string): Promise<boolean> {
  if (reason.current) {
    learnIncident(reason.current);
    if (command.step === "note") {
      learnIncident(await api.step(id, { ...command, version: reason.current.version }));
      return true;
    }
    const owner = reason.current.owner;
    const other = owner && owner.id !== session.value?.principal.id;
    say(other ? t("conflict.owner", { name: owner.name }) : t("conflict.changed"), "fault");
  } else if (reason.offline) {
    say(t("failed.offline"), "fault");
  } else {
    say(reason.status === 403 ? t("failed.forbidden") : reason.message, "fault");
  }
  return false;
}

export function isMine(incident: Incident): boolean {
  return incident.owner?.kind === "user" && incident.owner.id === session.value?.principal.id;
}

/**
 * Acknowledge makes the incident one's own. Somebody else's is taken over by a second press only: two people who press `A`
 * in the same moment must end with one owner, and the slower one must read who that is.
 */
export function acknowledge(incident: Incident): void {
  if (incident.work === "new") {
    void take(incident.id, "acknowledge");
  } else if (incident.work !== "closed" && !isMine(incident)) {
    if (armed.value === "take-over") {
      armed.value = null;
      void take(incident.id, "take_over");
    } else {
      armed.value = "take-over";
      say(t("conflict.owner", { name: incident.owner?.name ?? "–" }));
    }
  }
}

/** Whether a team can be sent now (again, when the first one does not answer). */
export function mayBeSent(incident: Incident): boolean {
  return incident.work === "new" || incident.work === "acknowledged" || isSent(incident);
}

/** Whether somebody was sent already, so that sending is sending again. */
export function isSent(incident: Incident): boolean {
  return incident.work === "dispatched" || incident.work === "reported";
}

export function dispatch(incident: Incident, team: string): void {
  armed.value = null;
  if (incident.work === "new") void take(incident.id, "acknowledge");
  void take(incident.id, "dispatch", { team });
}

/** The two highest levels are verified before they are closed as true. */
export function mustVerify(incident: Incident): boolean {
  return incident.severity <= 2;
}

/** Nobody can call an alarm true before a report says so: only false alarms and duplicates close without one. */
export function verdictsFor(incident: Incident): readonly Verdict[] {
  const known = incident.work === "verified" || (incident.work === "reported" && !mustVerify(incident));
  return known ? VERDICTS : VERDICTS.filter((one) => one === "false_alarm" || one === "duplicate");
}

export function close(incident: Incident, verdict: Verdict, cause?: Cause): void {
  if (verdict === "duplicate") cause = "same_matter";
  if (!cause) {
    chosenVerdict.value = verdict;
    armed.value = verdict === "false_alarm" ? "false-alarm" : "close";
    return;
  }
  armed.value = null;
  const number = t("panel.number", { n: incident.number });
  void take(incident.id, "close", { verdict, cause }).then((done) => {
    if (done) say(`${number} · ${t("work.closed")} · ${word("verdict", verdict)}`);
  });
}

export function verify(incident: Incident): void {
  void take(incident.id, "verify");
}

/** Shelves the alarm, after asking how long and why; takes a shelved one off. */
export function shelve(incident: Incident): void {
  if (incident.shelved_until) void take(incident.id, "unshelve");
  else if (incident.severity === 1) say(t("act.shelve.never"), "fault");
  else {
    shelf_min.value = null;
    armed.value = "shelve";
  }
}

/** Stops the clock, after asking why; lets a stopped one go on. */
export function pause(incident: Incident): void {
  if (incident.paused_since) void take(incident.id, "resume");
  else armed.value = "pause";
}

/** The step that the incident's team would do next, which an operator may record for a team without a working phone. */
export function nextTeamStep(incident: Incident): StepName | null {
  const next: Partial<Record<Incident["work"], StepName>> = {
    dispatched: "accept",
    accepted: "depart",
    en_route: "arrive",
    on_scene: "report",
  };
  return next[incident.work] ?? null;
}
