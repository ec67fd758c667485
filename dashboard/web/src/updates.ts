/** The live connection: one WebSocket that resumes where it was cut and otherwise asks for a reload of the lists. */

import { signal } from "@preact/signals";

import { waitBefore } from "./backoff";
import { heardServerTime } from "./clock";
import type { Update } from "./records";

export type Link = "connecting" | "live" | "lost";

/** The server pings every 10 s; two and a half missing pings mean that the line is dead. */
const SILENCE_MS = 25_000;
/** Only a connection that lasted resets the back-off; one that dies at once must not be hammered. */
const STABLE_MS = 5_000;

export const link = signal<Link>("connecting");
export const lostSince = signal<number | null>(null);

/** Runs from `start` to `stop`. `onUpdate` gets data messages in order; `onReset` is called when they have a gap. */
export class Updates {
  private socket: WebSocket | null = null;
  private epoch = "";
  private seq = 0;
  private failures = 0;
  private opened_ms = 0;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private stopped = true;

  constructor(
    private readonly onUpdate: (update: Update) => void,
    private readonly onReset: () => void,
    /** Called at every lost connection: the owner asks whether the session still holds, and stops this if not. */
    private readonly onLost: () => void,
  ) {}

  start(): void {
    this.stopped = false;
    addEventListener("online", this.retryNow);
    this.connect();
  }

  stop(): void {
    this.stopped = true;
    removeEventListener("online", this.retryNow);
    clearTimeout(this.retry);
    clearTimeout(this.watchdog);
    this.socket?.close();
    this.socket = null;
    // Whoever signs in next may see other things: everything is read anew then.
    this.epoch = "";
    this.failures = 0;
    link.value = "connecting";
    lostSince.value = null;
  }

  private readonly retryNow = (): void => {
    if (this.stopped || link.value === "live") return;
    clearTimeout(this.retry);
    this.connect();
  };

  private connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const resume = this.epoch ? `?epoch=${encodeURIComponent(this.epoch)}&since=${this.seq}` : "";
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/updates${resume}`);
    this.socket?.close();
    this.socket = socket;
    socket.onmessage = (message) => {
      if (socket === this.socket) this.receive(JSON.parse(String(message.data)) as Update);
    };
    socket.onclose = () => {
      if (socket === this.socket) this.closed();
    };
    this.listen();
  }

  private listen(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      const dead = this.socket;
      this.socket = null;
      dead?.close();
      this.closed();
    }, SILENCE_MS);
  }

  private receive(update: Update): void {
    this.listen();
    if (update.type === "hello") {
      heardServerTime(update.now);
      this.hello(update.epoch, update.seq);
    } else if (update.type === "ping") {
      heardServerTime(update.now);
    } else if (update.type === "reset") {
      if (update.seq !== undefined) this.seq = update.seq;
      this.onReset();
    } else {
      this.seq = update.seq;
      this.onUpdate(update);
    }
  }

  private hello(epoch: string, seq: number): void {
    const first = this.epoch === "";
    if (this.epoch !== epoch) {
      this.epoch = epoch;
      this.seq = seq;
      if (!first) this.onReset();
    }
    this.opened_ms = Date.now();
    link.value = "live";
    lostSince.value = null;
    if (first) this.onReset();
  }

  private closed(): void {
    clearTimeout(this.watchdog);
    if (this.stopped) return;
    if (this.opened_ms > 0 && Date.now() - this.opened_ms > STABLE_MS) this.failures = 0;
    this.opened_ms = 0;
    this.failures += 1;
    link.value = "lost";
    lostSince.value ??= Date.now();
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), waitBefore(this.failures));
    // The browser does not say why: a refused handshake looks like a dead network.
    this.onLost();
  }
}
