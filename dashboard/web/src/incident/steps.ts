/** What the person at the desk does to incidents: commands in order, one line per incident, conflicts told in words. */

import { signal } from "@preact/signals";

import { api, ApiError, newCommandId } from "../api";
import { t, word } from "../i18n";
import type { Cause, Incident, StepName, StepRequest, Verdict, Work } from "../records";
import { VERDICTS } from "../records";
import { incidents, learnIncident, notice, say, session } from "../state";

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
/** The commands of each incident that are on their way or in line, in order. */
export const inLine = signal<ReadonlyMap<string, readonly StepName[]>>(new Map());

type Details = Partial<Pick<StepRequest, "team" | "text" | "verdict" | "cause" | "until">>;

/** Where a step brings the work, if anywhere else than where it is. */
const AFTER: Partial<Record<StepName, Work>> = {
  acknowledge: "acknowledged",
  dispatch: "dispatched",
  accept: "accepted",
  refuse: "acknowledged",
  depart: "en_route",
  arrive: "on_scene",
  report: "reported",
  verify: "verified",
  close: "closed",
  reopen: "acknowledged",
};
const OWNING: ReadonlySet<StepName> = new Set<StepName>(["acknowledge", "take_over", "reopen"]);

/** The incident as it will be once everything in line was taken: what the next key means is said of this one. */
export function expected(incident: Incident): Incident {
  const me = session.value?.principal;
  return (inLine.value.get(incident.id) ?? []).reduce((one, step) => {
    const owner = OWNING.has(step) && me ? { ...one.owner, kind: me.kind, id: me.id, name: me.name } : one.owner;
    return { ...one, work: AFTER[step] ?? one.work, owner };
  }, incident);
}

const lines = new Map<string, Promise<boolean>>();

/**
 * Sends the step after those already in line for this incident; resolves to whether it was done. When one fails, those behind it,
 * which were meant for what it would have brought, are not sent, and the page says so.
 */
export function take(incident: string, step: StepName, details: Details = {}): Promise<boolean> {
  const before = lines.get(incident) ?? Promise.resolve(true);
  lineUp(incident, [...(inLine.value.get(incident) ?? []), step]);
  const mine = before.then(async (may) => {
    const done = may && (await send(incident, step, details));
    const [, ...rest] = inLine.value.get(incident) ?? [];
    if (may && !done && rest.length > 0) say(`${notice.value?.text ?? ""} ${t("conflict.dropped", { steps: named(rest) })}`, "fault");
    lineUp(incident, rest);
    if (rest.length === 0) lines.delete(incident);
    return done;
  });
  lines.set(incident, mine);
  return mine;
}

function lineUp(incident: string, steps: readonly StepName[]): void {
  const next = new Map(inLine.value);
  if (steps.length > 0) next.set(incident, steps);
  else next.delete(incident);
  inLine.value = next;
}

function named(steps: readonly StepName[]): string {
  return steps.map((step) => word("act", step)).join(", ");
}

async function send(id: string, step: StepName, details: Details): Promise<boolean> {
  const known = incidents.value.get(id);
  if (!known) return false;
  const command: StepRequest = { step, version: known.version, command_id: newCommandId(), ...details };
  try {
    learnIncident(await api.step(id, command));
    return true;
  } catch (reason) {
    tell(reason instanceof ApiError ? reason : new ApiError(0, String(reason)));
    return false;
  }
}

/** Why a step was not taken; the incident is then shown as it is. */
function tell(refused: ApiError): void {
  if (refused.current) {
    learnIncident(refused.current);
    const owner = refused.current.owner;
    const other = owner && owner.id !== session.value?.principal.id;
    say(other ? t("conflict.owner", { name: owner.name }) : t("conflict.changed"), "fault");
  } else if (refused.offline) {
    say(t("failed.offline"), "fault");
  } else {
    say(refused.status === 403 ? t("failed.forbidden") : refused.message, "fault");
  }
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
  if (expected(incident).work === "new") void take(incident.id, "acknowledge");
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
