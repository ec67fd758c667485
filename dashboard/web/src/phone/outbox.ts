/** Commands of a phone that wait for the network: kept across reloads, sent in order, each with its original time. */

import { ApiError } from "../api";
import type { Bilingual, Incident, StepName, StepRequest, SupportRecord, Work } from "../records";
import type { Fix } from "./records";

/** What all commands have in common. */
interface Command {
  /** Of the client's making; the same again changes nothing. A photo has that of its report, which waits before it. */
  command_id: string;
  /** When the person pressed, ISO 8601 UTC; of a photo, when it was taken. */
  at: string;
  /** Whose phone this was then: nothing is sent as another team. */
  team: string;
  /** That team's name, for whoever holds the phone later. */
  who?: Bilingual;
}

export interface WaitingStep extends Command {
  kind: "step";
  incident: string;
  step: StepName;
  text: string;
}

/** Its picture is kept elsewhere, under `photo`. */
export interface WaitingPhoto extends Command {
  kind: "photo";
  incident: string;
  photo: string;
}

/** A check-in; `code` is empty where none was read, `place` null where the phone did not know. */
export interface WaitingVisit extends Command {
  kind: "visit";
  round: string;
  checkpoint: string;
  code: string;
  place: Fix | null;
}

export interface WaitingSkip extends Command {
  kind: "skip";
  round: string;
  checkpoint: string;
  reason: string;
}

export interface WaitingSupport extends Command {
  kind: "support";
  incident: string;
  state: Exclude<SupportRecord["state"], "en_route">;
}

/** A call for help. */
export interface WaitingCall extends Command {
  kind: "call";
  text: string;
  place: Fix | null;
}

export type Waiting = WaitingStep | WaitingPhoto | WaitingVisit | WaitingSkip | WaitingSupport | WaitingCall;

/** What became of one attempt. `refused`: the server will never take it; `later`: no answer, try again. */
export type Outcome = { kind: "done" } | { kind: "refused"; reason: string } | { kind: "later" };

/**
 * What a failed attempt means. Tried again is what got no answer, what comes too often, and what was pressed by a team that is not
 * signed in now. No server that works as it should denies a call for help, so such a call is never given up for that.
 */
export function outcomeOf(reason: unknown, kind: Waiting["kind"]): Outcome {
  if (!(reason instanceof ApiError) || reason.offline) return { kind: "later" };
  const isLater = reason.status === 401 || reason.status === 429 || (reason.status === 403 && kind === "call");
  return isLater ? { kind: "later" } : { kind: "refused", reason: reason.message };
}

export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

/**
 * One owner: the phone page. `send` raises nothing and is called for one command at a time. Only what the team pressed that is
 * signed in now is sent; what another one left behind waits until it is back on this phone, and is told apart.
 */
export class PhoneOutbox {
  private items: readonly Waiting[];
  private team = "";
  private running: Promise<boolean> | null = null;

  constructor(
    private readonly shelf: Shelf,
    private readonly key: string,
    private readonly send: (item: Waiting) => Promise<Outcome>,
    private readonly onChange: (mine: readonly Waiting[], others: readonly Waiting[]) => void,
    private readonly onOutcome: (item: Waiting, outcome: Outcome) => void,
  ) {
    this.items = JSON.parse(shelf.getItem(key) ?? "[]") as Waiting[];
  }

  /** The team that is signed in from now on; empty for none. */
  own(team: string): void {
    this.team = team;
    this.tell();
  }

  get length(): number {
    return this.mine().length;
  }

  /** Of every team that ever used this phone. */
  get all(): readonly Waiting[] {
    return this.items;
  }

  add(...items: Waiting[]): void {
    this.keep([...this.items, ...items]);
    void this.flush();
  }

  /** Sends from the oldest on until the network fails; a call while another runs joins it. True when nothing is left. */
  flush(): Promise<boolean> {
    this.running ??= this.sendAll().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  private async sendAll(): Promise<boolean> {
    for (let item = this.mine()[0]; item; item = this.mine()[0]) {
      const sent = item;
      const outcome = await this.send(sent);
      if (outcome.kind === "later") return false;
      this.keep(this.items.filter((one) => one !== sent));
      this.onOutcome(item, outcome);
    }
    return true;
  }

  private mine(): readonly Waiting[] {
    return this.items.filter((one) => one.team === this.team);
  }

  private keep(items: readonly Waiting[]): void {
    this.items = items;
    this.shelf.setItem(this.key, JSON.stringify(items));
    this.tell();
  }

  private tell(): void {
    this.onChange(
      this.mine(),
      this.items.filter((one) => one.team !== this.team),
    );
  }
}

/** What one team left behind on a phone that others carry now. */
export interface LeftBehind {
  team: string;
  name: Bilingual;
  count: number;
  /** When the oldest of it was pressed. */
  since: string;
  /** A call for help is among it. */
  calls: boolean;
}

/** By team, whoever waits longest first. */
export function leftBehind(others: readonly Waiting[]): readonly LeftBehind[] {
  const found = new Map<string, LeftBehind>();
  for (const { team, who, at, kind } of others) {
    const known = found.get(team) ?? { team, name: who ?? { zh: team, en: team }, count: 0, since: at, calls: false };
    found.set(team, { ...known, count: known.count + 1, since: at < known.since ? at : known.since, calls: known.calls || kind === "call" });
  }
  return [...found.values()].sort((one, two) => one.since.localeCompare(two.since));
}

/** An operator's note between two of ours makes a version old; more often than this something else is wrong. */
const MOST_RETRIES = 4;

/** Sends one step with the version given; raises nothing. `current` is set when the version was old. */
export type SendStep = (incident: string, command: StepRequest) => Promise<Outcome | { kind: "stale"; current: Incident }>;

/** Takes a step of an incident that may have moved on since it was pressed. */
export async function takeStep(item: WaitingStep, version: number, send: SendStep): Promise<Outcome> {
  const { incident, step, text, at, command_id } = item;
  let last = "";
  for (let tries = 0; tries < MOST_RETRIES; tries += 1) {
    const outcome = await send(incident, { step, text, at, command_id, version });
    if (outcome.kind !== "stale") return outcome;
    version = outcome.current.version;
    last = outcome.current.work;
  }
  return { kind: "refused", reason: last };
}

const AFTER: Partial<Record<StepName, Work>> = {
  accept: "accepted",
  depart: "en_route",
  arrive: "on_scene",
  report: "reported",
};

/** Where the work stands once everything that waits has been sent, for the buttons of the page. */
export function expectedWork(incident: Incident, waiting: readonly Waiting[]): Work | "refused" {
  let work: Work | "refused" = incident.work;
  for (const item of waiting) {
    if (item.kind !== "step" || item.incident !== incident.id) continue;
    if (item.step === "refuse") work = "refused";
    else work = AFTER[item.step] ?? work;
  }
  return work;
}

/** How far a support is once everything that waits has been sent. */
export function expectedSupport(support: SupportRecord, waiting: readonly Waiting[]): SupportRecord["state"] {
  const mine = waiting.filter((item) => item.kind === "support" && item.incident === support.incident) as WaitingSupport[];
  return mine.at(-1)?.state ?? support.state;
}
