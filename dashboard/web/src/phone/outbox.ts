/** Commands of a phone that wait for the network: kept across reloads, sent in order, each with its original time. */

import type { Incident, StepName, StepRequest, Work } from "../records";

export interface WaitingStep {
  incident: string;
  step: StepName;
  text: string;
  /** When the person pressed, ISO 8601 UTC. */
  at: string;
  command_id: string;
}

/** A photo that goes with the report `command_id`, which waits before it; its picture is kept elsewhere, under its id. */
export interface WaitingPhoto {
  incident: string;
  photo: string;
  /** When it was taken. */
  at: string;
  command_id: string;
}

export type Waiting = WaitingStep | WaitingPhoto;

/** What became of one attempt. `refused`: the server will never take it; `later`: no answer, try again. */
export type Outcome = { kind: "done"; incident: Incident | null } | { kind: "refused"; reason: string } | { kind: "later" };

/** Sends one photo; raises nothing. */
export type SendPhoto = (photo: WaitingPhoto) => Promise<Outcome>;

/** Sends one command with the version given; raises nothing. `current` is set when the version was old. */
export type Send = (incident: string, command: StepRequest) => Promise<Outcome | { kind: "stale"; current: Incident }>;

export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

const KEY = "gridpatrol.phone.outbox";
/** An operator's note between two of ours makes a version old; more often than this something else is wrong. */
const MOST_RETRIES = 4;

/** One owner: the phone page. `send` is called for one command at a time. */
export class PhoneOutbox {
  private items: Waiting[];
  private running: Promise<boolean> | null = null;

  constructor(
    private readonly shelf: Shelf,
    private readonly send: Send,
    private readonly sendPhoto: SendPhoto,
    private readonly versionOf: (incident: string) => number,
    private readonly onChange: (items: readonly Waiting[]) => void,
    private readonly onOutcome: (item: Waiting, outcome: Outcome) => void,
  ) {
    this.items = JSON.parse(shelf.getItem(KEY) ?? "[]") as Waiting[];
    onChange(this.items);
  }

  get length(): number {
    return this.items.length;
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
    for (let item = this.items[0]; item; item = this.items[0]) {
      const outcome = await this.attempt(item);
      if (outcome.kind === "later") return false;
      this.keep(this.items.slice(1));
      this.onOutcome(item, outcome);
    }
    return true;
  }

  private async attempt(item: Waiting): Promise<Outcome> {
    if ("photo" in item) return this.sendPhoto(item);
    const { incident, ...rest } = item;
    let version = this.versionOf(incident);
    let last = "";
    for (let tries = 0; tries < MOST_RETRIES; tries += 1) {
      const outcome = await this.send(incident, { ...rest, version });
      if (outcome.kind !== "stale") return outcome;
      version = outcome.current.version;
      last = outcome.current.work;
    }
    return { kind: "refused", reason: last };
  }

  private keep(items: Waiting[]): void {
    this.items = items;
    this.shelf.setItem(KEY, JSON.stringify(items));
    this.onChange(items);
  }
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
    if (item.incident !== incident.id || "photo" in item) continue;
    if (item.step === "refuse") work = "refused";
    else work = AFTER[item.step] ?? work;
  }
  return work;
}
