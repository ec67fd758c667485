/** What runs while somebody sits at the desk: keys, sounds, the tab's title, and choosing what the panel shows. */

import { computed, effect, signal, untracked } from "@preact/signals";

import { newCommandId } from "../api";
import { now } from "../clock";
import { call } from "../incident/call";
import { clipControls } from "../incident/clip";
import { further } from "../incident/further";
import {
  acknowledge,
  armed,
  chosenVerdict,
  close,
  dispatch,
  expected,
  mayBeSent,
  pause,
  picked,
  SHELVES_MIN,
  shelf_min,
  shelve,
  verdictsFor,
  verify,
} from "../incident/steps";
import { chosenTeam, fresh } from "../incident/proposal";
import { actionOf, isTyping, type Action } from "../keys";
import { focusOn } from "../map/focus";
import { notifyHidden, showInTitle } from "../notify";
import { highest } from "../queue/order";
import { folded, shownIds } from "../queue/shown";
import { CAUSES, REASONS, type Incident } from "../records";
import { ring, unlockSound } from "../sound";
import { current, inLanguage, mayDispatch, open, say, select, selected, site, tab, waiting, watched, type Tab } from "../state";
import { t } from "../i18n";
import { onWall } from "../wall/wall";
import { startAddress } from "./address";

export const helpOpen = signal(false);
export const commandOpen = signal(false);

const unacknowledged = computed(() => open.value.filter(waiting));
/** In a flood only what stands in a row of its own may sound: not every one of eighty cameras in the same rain. */
const sounding = computed(() => folded.value.rows.filter(waiting));
/** The page that was shown and the live picture over the map, for a reload of this window. */
const DESK_KEY = "gridpatrol.desk";

interface KeptDesk {
  tab: Tab;
  watched: string | null;
}

/** Starts everything; the returned function ends it. */
export function startDesk(): () => void {
  const onKey = (event: KeyboardEvent): void => {
    unlockSound();
    if (document.querySelector("dialog[open]")) return;
    const button = event.target instanceof HTMLElement ? event.target.closest("button, a") : null;
    // Space on the row that is shown already would do nothing: it plays.
    const onButton = button !== null && !(event.key === " " && button.ariaCurrent);
    const action = actionOf(event, isTyping(event.target), onButton);
    if (action === null) return;
    if (perform(action)) event.preventDefault();
  };
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", unlockSound);
  takeUpDesk();
  const ends = [
    startAddress(),
    effect(() => sessionStorage.setItem(DESK_KEY, JSON.stringify({ tab: tab.value, watched: watched.value } satisfies KeptDesk))),
    effect(() => ring(sounding.value, now.value)),
    effect(() => showInTitle(unacknowledged.value, site.value ? inLanguage(site.value.name) : "")),
    effect(() => notifyHidden(sounding.value, show)),
    effect(chooseAlone),
    effect(() => {
      // Another incident: choices made for the former one are void.
      void selected.value;
      untracked(() => {
        armed.value = null;
        picked.value = null;
      });
    }),
  ];
  return () => {
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("pointerdown", unlockSound);
    for (const end of ends) end();
  };
}

/** Goes on where this window was before its reload. */
function takeUpDesk(): void {
  const kept = JSON.parse(sessionStorage.getItem(DESK_KEY) ?? "null") as KeptDesk | null;
  if (!kept) return;
  tab.value = kept.tab;
  watched.value = kept.watched;
}

/** The incident that the panel showed while it was open. */
let handled: string | null = null;

/**
 * With nothing in the panel, or when the incident there has just been closed, the highest unacknowledged alarm opens by itself.
 * A closed one that somebody looks up stays.
 */
function chooseAlone(): void {
  const best = highest(open.value);
  const shown = current.value;
  if (shown && shown.work !== "closed") handled = shown.id;
  else if (best && (!shown || shown.id === handled)) untracked(() => select(best.id));
}

export function show(id: string): void {
  tab.value = "room";
  select(id);
}

/** Does what the key says; false when it meant nothing here, so that the browser keeps it. */
export function perform(action: Action): boolean {
  if (action === "help") helpOpen.value = true;
  else if (action === "command") commandOpen.value = true;
  else if (tab.value === "wall" && onWall(action)) return true;
  else if (action === "back") return back();
  else if (tab.value !== "room") return false;
  else if (action === "call") call.value = { command: newCommandId(), place: null };
  else if (action === "next") step(1);
  else if (action === "previous") step(-1);
  else if (action === "open") document.querySelector<HTMLElement>("#panel")?.focus();
  else return onIncident(action, current.value);
  return true;
}

function step(by: number): void {
  const ids = shownIds.value;
  if (ids.length === 0) return;
  const at = selected.value ? ids.indexOf(selected.value) : -1;
  const next = at < 0 ? (by > 0 ? 0 : ids.length - 1) : Math.min(ids.length - 1, Math.max(0, at + by));
  select(ids[next] ?? null);
}

function back(): boolean {
  if (armed.value) armed.value = null;
  else if (call.value) call.value = null;
  else if (watched.value) watched.value = null;
  else if (isTyping(document.activeElement)) (document.activeElement as HTMLElement).blur();
  else return false;
  return true;
}

/** A key means what it would mean once the commands before it were taken: nobody waits for the answer to `A` before pressing `D`. */
export function onIncident(action: Action, known: Incident | null): boolean {
  if (!known) return false;
  const incident = expected(known);
  if (typeof action === "object") return pressDigit(action.digit, incident);
  const isOpen = incident.work !== "closed";
  if (action === "acknowledge" && isOpen) acknowledge(incident);
  else if (action === "dispatch" && mayBeSent(incident)) pressDispatch(incident);
  else if (action === "false-alarm" && isOpen) armed.value = "false-alarm";
  else if (action === "verify" && incident.work === "reported") verify(incident);
  else if (action === "close" && isOpen) askVerdict();
  else if (action === "shelve" && isOpen) shelve(incident);
  else if (action === "pause" && isOpen && incident.work !== "new") pause(incident);
  else if (action === "reopen" && !isOpen && !incident.duplicate_of) armed.value = "reopen";
  else if (action === "further") further.value = true;
  else if (action === "note") armed.value = "note";
  else if (action === "map") focusOn(incident.lon, incident.lat);
  else if (action === "play") clipControls.value?.toggle();
  else if (action === "frame-before") clipControls.value?.step(-1);
  else if (action === "frame-after") clipControls.value?.step(1);
  else if (action === "live") watched.value = watched.value === incident.camera ? null : incident.camera;
  else return false;
  return true;
}

function askVerdict(): void {
  chosenVerdict.value = null;
  armed.value = "close";
}

/** First press looks at the proposal, the second one sends. */
function pressDispatch(incident: Incident): void {
  if (!mayDispatch()) return say(t("act.by.dispatcher"), "fault");
  if (armed.value !== "dispatch") {
    armed.value = "dispatch";
    return;
  }
  const team = chosenTeam.value;
  if (team) dispatch(incident, team);
  else say(t(fresh.value ? "proposal.none" : "proposal.loading"), "fault");
}

function pressDigit(digit: number, incident: Incident): boolean {
  if (armed.value === "false-alarm") {
    const cause = CAUSES[digit - 1];
    if (cause) close(incident, "false_alarm", cause);
  } else if (armed.value === "close" && chosenVerdict.value) {
    const reason = REASONS[digit - 1];
    if (reason) close(incident, chosenVerdict.value, reason);
  } else if (armed.value === "shelve") {
    shelf_min.value = SHELVES_MIN[digit - 1] ?? null;
  } else if (armed.value === "close") {
    const verdict = verdictsFor(incident)[digit - 1];
    if (verdict) close(incident, verdict);
  } else if (armed.value === "dispatch") {
    const choice = fresh.value && [fresh.value.team, ...fresh.value.alternatives.map((one) => one.team)][digit - 1];
    if (choice) picked.value = choice;
  } else {
    return false;
  }
  return true;
}
