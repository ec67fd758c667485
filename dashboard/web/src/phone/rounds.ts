/** What a team has to walk: which round is the one of now, how each stop stands, whose code was read. Pure. */

import type { Round, Stop } from "../board/records";
import { distance_m } from "../map/cones";
import type { Waiting, WaitingVisit } from "./outbox";

/** How long after its end a round can be made up, as the server has it. */
const AFTER_MS = 2 * 3_600_000;

/** `overdue`: expected already, and still in time; only what comes after the window is late. */
export type StopNow = "early" | "now" | "overdue" | "missed" | "visited" | "skipped" | "sending";

/** How a stop stands at `now`, counting in what waits for the network. */
export function stopNow(round: Round, stop: Stop, waiting: readonly Waiting[], now: number): StopNow {
  if (stop.state === "visited" || stop.state === "skipped") return stop.state;
  const queued = waiting.some(
    (item) => (item.kind === "visit" || item.kind === "skip") && item.round === round.id && item.checkpoint === stop.checkpoint,
  );
  if (queued) return "sending";
  if (stop.state === "missed" || Date.parse(stop.until_at) < now) return "missed";
  if (Date.parse(stop.from_at) > now) return "early";
  return Date.parse(stop.due_at) < now ? "overdue" : "now";
}

/** The stop to go to: the first that nobody was at, one that can still be in time before one that is missed. */
export function nextStop(round: Round, waiting: readonly Waiting[], now: number): Stop | null {
  const left = round.stops.map((stop) => ({ stop, state: stopNow(round, stop, waiting, now) }));
  const open = left.find(({ state }) => state === "early" || state === "now" || state === "overdue");
  return (open ?? left.find(({ state }) => state === "missed"))?.stop ?? null;
}

export interface Walk {
  /** The round to walk now, null if there is none; then those that begin later, soonest first. */
  current: Round | null;
  later: readonly Round[];
}

/** What to walk now: a round under way, else one that may begin, else one with a stop to be made up, else one just done. */
export function walkOf(rounds: readonly Round[], waiting: readonly Waiting[], now: number): Walk {
  const inTime = [...rounds].sort((a, b) => a.due_at.localeCompare(b.due_at));
  const begun = (round: Round): boolean => Date.parse(round.opens_at) <= now;
  const todo = (round: Round): boolean => nextStop(round, waiting, now) !== null;
  const current =
    inTime.find((round) => round.state === "under_way" && todo(round)) ??
    inTime.find((round) => round.state === "due" && begun(round)) ??
    inTime.find((round) => ["missed", "incomplete"].includes(round.state) && todo(round) && now < madeUpUntil(round)) ??
    inTime.filter((round) => round.state !== "withdrawn" && begun(round) && now < madeUpUntil(round)).at(-1) ??
    null;
  return { current, later: inTime.filter((round) => round !== current && round.state === "due") };
}

/** Until when (milliseconds) stops of a round can be made up. */
export function madeUpUntil(round: Round): number {
  return Date.parse(round.closes_at) + AFTER_MS;
}

const CODE = /^GP1:([A-Z0-9_-]{1,64}):([A-Z0-9_-]{1,64}):([1-9][0-9]{0,8}):([A-Z2-7]{16})$/;
/** What is printed below a code: version and seal, with or without its hyphens. */
const TYPED = /^([1-9][0-9]{0,8}?)([A-Z2-7]{16})$/;

/** The whole code from what was read or typed at `checkpoint`, null if it is none. */
export function codeFrom(text: string, site: string, checkpoint: string): string | null {
  const said = text.trim().toUpperCase();
  if (CODE.test(said)) return said;
  const typed = TYPED.exec(said.replace(/[^A-Z0-9]/g, ""));
  return typed ? `GP1:${site}:${checkpoint}:${typed[1]}:${typed[2]}`.toUpperCase() : null;
}

/** Which stop a code is of: of `first`, or else of any other round. */
export function stopOfCode(code: string, first: Round, rounds: readonly Round[]): { round: Round; stop: Stop } | null {
  const checkpoint = CODE.exec(code)?.[2];
  for (const round of [first, ...rounds]) {
    const stop = round.stops.find((one) => one.checkpoint.toUpperCase() === checkpoint);
    if (stop) return { round, stop };
  }
  return null;
}

/** What became of a check-in: whether it counts, what is odd about it, and how far away the phone was, metres. */
export interface Said {
  stop: Stop;
  proven: boolean;
  away_m: number | null;
}

export function saidOf(after: Round, visit: WaitingVisit): Said | null {
  const stop = after.stops.find((one) => one.checkpoint === visit.checkpoint);
  if (!stop) return null;
  const away_m = visit.place ? distance_m([visit.place.lon, visit.place.lat], [stop.lon, stop.lat]) : null;
  return { stop, proven: stop.state === "visited", away_m };
}
