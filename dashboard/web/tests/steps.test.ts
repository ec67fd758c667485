import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Incident, StepRequest } from "../src/records";

const shelf = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
vi.stubGlobal("localStorage", shelf);
vi.stubGlobal("sessionStorage", shelf);
vi.stubGlobal("document", { documentElement: { dataset: {} }, hidden: false, addEventListener: () => undefined });
vi.stubGlobal("navigator", { language: "en-GB" });
vi.stubGlobal("location", { hash: "", search: "", protocol: "http:", host: "desk" });

const { onIncident } = await import("../src/shell/desk");
const { armed, inLine, picked } = await import("../src/incident/steps");
const state = await import("../src/state");

const ME = { kind: "user" as const, id: "u1", name: "sun" };
const NEW = {
  id: "i1",
  number: 7,
  version: 1,
  severity: 2,
  work: "new",
  condition: "unacknowledged",
  owner: null,
  opened_at: "2026-03-01T08:00:00.000Z",
  proposal: { team: "t1", reason: { zh: "", en: "" }, alternatives: [] },
} as unknown as Incident;

const LEADS: Record<string, string> = { acknowledge: "acknowledged", dispatch: "dispatched", close: "closed" };

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** A server that answers when it is told to, and takes every step that is legal for the version. */
class Server {
  readonly asked: StepRequest[] = [];
  private readonly waiting: (() => void)[] = [];
  private now: Incident = NEW;

  readonly fetch = (_: string, init: RequestInit): Promise<Response> => {
    if (init.method === "GET") return Promise.resolve(new Response("", { status: 503 }));
    const command = JSON.parse(String(init.body)) as StepRequest;
    this.asked.push(command);
    return new Promise((answer) => this.waiting.push(() => answer(this.take(command))));
  };

  /** Answers what was asked first, and lets the page take it in. */
  async answer(): Promise<void> {
    await settled();
    this.waiting.shift()?.();
    await settled();
  }

  /** Another operator is faster. */
  taken(): void {
    this.now = { ...this.now, version: 2, work: "acknowledged", owner: { kind: "user", id: "u2", name: "li" } };
  }

  private take(command: StepRequest): Response {
    if (command.version !== this.now.version) return Response.json({ detail: "stale", current: this.now }, { status: 409 });
    this.now = { ...this.now, version: this.now.version + 1, owner: ME, work: LEADS[command.step] as Incident["work"] };
    return Response.json(this.now);
  }
}

let server: Server;

function press(...keys: ("acknowledge" | "dispatch" | "false-alarm" | { digit: number })[]): void {
  for (const key of keys) onIncident(key, state.current.value);
}

const steps = (): string[] => server.asked.map((one) => one.step);

describe("keys pressed faster than the server answers", () => {
  beforeEach(() => {
    server = new Server();
    vi.stubGlobal("fetch", server.fetch);
    state.session.value = { principal: { ...ME, role: "dispatcher" } } as never;
    state.incidents.value = new Map([["i1", NEW]]);
    state.selected.value = "i1";
    state.notice.value = null;
    armed.value = picked.value = null;
    inLine.value = new Map();
  });

  it("A D D acknowledges once and sends the team, in order", async () => {
    press("acknowledge", "dispatch", "dispatch");
    expect(armed.value).toBeNull();
    await server.answer();
    await server.answer();
    expect(steps()).toEqual(["acknowledge", "dispatch"]);
    expect(server.asked[1]).toMatchObject({ team: "t1", version: 2 });
    expect(state.current.value?.work).toBe("dispatched");
    expect(state.notice.value).toBeNull();
    expect(inLine.value.size).toBe(0);
  });

  it("the answer to A may come between D and D", async () => {
    press("acknowledge", "dispatch");
    await server.answer();
    press("dispatch");
    await server.answer();
    expect(steps()).toEqual(["acknowledge", "dispatch"]);
  });

  it("D D alone acknowledges, too, and A before its answer asks for nothing", async () => {
    press("dispatch", "dispatch", "acknowledge");
    await server.answer();
    await server.answer();
    expect(steps()).toEqual(["acknowledge", "dispatch"]);
  });

  it("A twice asks once", async () => {
    press("acknowledge", "acknowledge");
    await server.answer();
    expect(steps()).toEqual(["acknowledge"]);
    expect(state.notice.value).toBeNull();
  });

  it("what stood behind a refused step is not sent, and the page names it", async () => {
    server.taken();
    press("acknowledge", "dispatch", "dispatch");
    await server.answer();
    expect(steps()).toEqual(["acknowledge"]);
    expect(state.notice.value).toMatchObject({ tone: "fault", text: expect.stringMatching(/^li .*Dispatch/) as string });
    expect(inLine.value.size).toBe(0);
  });

  it("a lost answer keeps nothing in line: the next key is sent", async () => {
    const sent = server.fetch;
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => sent(url, init).then(() => Promise.reject(new TypeError("gone"))));
    press("acknowledge", "dispatch", "dispatch");
    await server.answer();
    expect(state.notice.value?.text).toContain("Dispatch");
    vi.stubGlobal("fetch", sent);
    press("acknowledge");
    await settled();
    expect(steps()).toEqual(["acknowledge", "acknowledge"]);
  });

  it("D D without a team that may go says so", () => {
    state.incidents.value = new Map([["i1", { ...NEW, proposal: null }]]);
    press("dispatch", "dispatch");
    expect(server.asked).toEqual([]);
    expect(state.notice.value?.tone).toBe("fault");
  });
});
