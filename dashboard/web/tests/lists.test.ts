import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Incident, Level } from "../src/records";

const shelf = { getItem: () => null, setItem: () => undefined, removeItem: () => undefined };
vi.stubGlobal("localStorage", shelf);
vi.stubGlobal("sessionStorage", shelf);
vi.stubGlobal("navigator", { language: "en-GB" });
vi.stubGlobal("document", { documentElement: { dataset: {} }, hidden: false, addEventListener: () => undefined });
vi.stubGlobal("location", { hash: "", search: "", protocol: "http:", host: "desk" });
vi.stubGlobal("addEventListener", () => undefined);
vi.stubGlobal("removeEventListener", () => undefined);

class Socket {
  static last: Socket;
  onmessage: (message: { data: string }) => void = () => undefined;
  onclose: () => void = () => undefined;
  constructor() {
    Socket.last = this;
  }
  close(): void {
    // What the page closes itself it no longer listens to.
  }
  hear(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
}
vi.stubGlobal("WebSocket", Socket);

const state = await import("../src/state");

const NOW = "2026-03-01T08:00:00.000Z";
const incident = (id: string, version = 1, severity: Level = 2): Incident => ({ id, version, severity, work: "new", opened_at: NOW }) as Incident;
const known = (): string[] => [...state.incidents.value.keys()].sort();
const knownSoon = (ids: string[]): Promise<void> => vi.waitFor(() => expect(known()).toEqual(ids));

/** Answers by path; one that is undefined waits until `now` is called. */
class Server {
  lists: Record<string, unknown> = {};
  private readonly waiting: (() => void)[] = [];

  readonly fetch = (path: string): Promise<Response> => {
    const empty = path.startsWith("/api/v1/handovers") ? { alarms: [] } : { items: [], next: null };
    if (path === "/api/v1/site") return Promise.resolve(Response.json({ timezone: "Asia/Shanghai", cameras: { features: [] } }));
    const answer = (): Response => Response.json(this.lists[path] ?? empty);
    if (path.includes("before=")) return new Promise((resolve) => this.waiting.push(() => resolve(answer())));
    return Promise.resolve(answer());
  };

  now(): void {
    for (const answer of this.waiting.splice(0)) answer();
  }
}

const FIRST = "/api/v1/incidents?state=open&limit=100";
const URGENT = "/api/v1/incidents?state=open&severity=1&limit=100";
const REST = "/api/v1/incidents?state=open&limit=500&before=i2";

describe("the lists of a page that is opened in a flood", () => {
  let server: Server;

  beforeEach(async () => {
    server = new Server();
    vi.stubGlobal("fetch", server.fetch);
    state.incidents.value = new Map();
    state.loading.value = true;
    server.lists = {
      [FIRST]: { items: [incident("i3"), incident("i2")], next: "i2" },
      [REST]: { items: [incident("i1")], next: null },
      [URGENT]: { items: [incident("i0", 1, 1)] },
    };
    await state.enter({ principal: { kind: "user", role: "operator" } } as never);
    Socket.last.hear({ type: "hello", epoch: "e", seq: 1, now: NOW });
    await knownSoon(["i0", "i2", "i3"]);
  });

  it("show the newest, and level 1 of whatever age, before the rest is there", async () => {
    expect(state.loading.value).toBe(true);
    server.now();
    await knownSoon(["i0", "i1", "i2", "i3"]);
    await vi.waitFor(() => expect(state.loading.value).toBe(false));
    await state.signOut();
  });

  it("keep what was heard meanwhile, and lose what is gone only when all was read", async () => {
    server.now();
    await vi.waitFor(() => expect(state.loading.value).toBe(false));
    server.lists[FIRST] = { items: [incident("i3", 2)], next: "i2" };
    server.lists[REST] = { items: [], next: null };
    server.lists[URGENT] = { items: [] };
    Socket.last.hear({ type: "reset", seq: 7 });
    await vi.waitFor(() => expect(state.incidents.value.get("i3")?.version).toBe(2));
    expect(known()).toEqual(["i0", "i1", "i2", "i3"]); // the second page is still on its way
    Socket.last.hear({ type: "incident", seq: 8, incident: incident("i4") });
    Socket.last.hear({ type: "incident", seq: 9, incident: incident("i3", 3) });
    await knownSoon(["i0", "i1", "i2", "i3", "i4"]);
    server.now();
    await knownSoon(["i3", "i4"]);
    expect(state.incidents.value.get("i3")?.version).toBe(3);
    await state.signOut();
  });
});
