import { beforeEach, describe, expect, it, vi } from "vitest";

import type { Session } from "../src/records";

const kept = new Map<string, string>();

function sessionOf(team: string): Session {
  return { principal: { kind: "team", team, name: team }, expires_at: "2126-01-01T00:00:00Z" } as Session;
}

/** The page as it is loaded anew, with what the browser kept. */
async function loaded() {
  vi.resetModules();
  return import("../src/phone/facts");
}

beforeEach(() => {
  kept.clear();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  };
  vi.stubGlobal("localStorage", storage);
  vi.stubGlobal("sessionStorage", storage);
  vi.stubGlobal("navigator", { language: "en" });
  // Whoever has no database does without the site's names.
  vi.stubGlobal("indexedDB", { open: () => ({}) });
});

describe("what a phone keeps of a team", () => {
  it("is theirs again after a reload", async () => {
    const before = await loaded();
    before.recall(sessionOf("t1"));
    before.learnShift({ current: null, next: null } as never);
    const after = await loaded();
    after.recall(sessionOf("t1"));
    expect(after.shift.value).toEqual({ current: null, next: null });
  });

  it("never becomes another team's, however often that one loads the page", async () => {
    const first = await loaded();
    first.recall(sessionOf("t1"));
    first.learnShift({ current: "theirs" } as never);
    first.learnRounds([{ id: "r1", team: "t1", state: "open", stops: [] } as never]);
    for (let turn = 0; turn < 2; turn += 1) {
      const other = await loaded();
      other.recall(sessionOf("t2"));
      expect([other.shift.value, other.rounds.value, other.support.value]).toEqual([null, [], null]);
    }
  });

  it("is forgotten whole, and so is why something was not taken", async () => {
    const facts = await loaded();
    facts.recall(sessionOf("t1"));
    facts.refusal.value = "refused";
    facts.forget();
    expect(facts.refusal.value).toBe("");
    expect([...kept.keys()]).toEqual([]);
  });
});
