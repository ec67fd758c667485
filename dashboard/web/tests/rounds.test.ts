import { describe, expect, it } from "vitest";

import type { Round, Stop } from "../src/board/records";
import type { Waiting, WaitingVisit } from "../src/phone/outbox";
import { mapAddress } from "../src/phone/place";
import { codeFrom, nextStop, saidOf, stopNow, stopOfCode, walkOf } from "../src/phone/rounds";

const at = (minute: number): string => new Date(Date.UTC(2026, 2, 1, 8, minute)).toISOString();
const ms = (minute: number): number => Date.parse(at(minute));

function stop(checkpoint: string, minute: number, changes: Partial<Stop> = {}): Stop {
  const times = { from_at: at(minute - 5), due_at: at(minute), until_at: at(minute + 10), visited_at: null };
  const rest = { state: "open" as const, findings: [], reason: "", lon: 121, lat: 31, has_code: true };
  return { checkpoint, name: { zh: checkpoint, en: checkpoint }, ...times, ...rest, ...changes };
}

function round(id: string, minute: number, stops: Stop[], changes: Partial<Round> = {}): Round {
  const times = { opens_at: at(minute - 10), due_at: at(minute), closes_at: at(minute + 60) };
  return { id, name: { zh: id, en: id }, kind: "route", team: "t01", state: "due", stops, ...times, ...changes };
}

function visit(checkpoint: string): WaitingVisit {
  return { kind: "visit", round: "r", checkpoint, code: "", place: null, at: at(0), command_id: "1", team: "t01" };
}

describe("a round on the phone", () => {
  it("says of each stop how it stands, by its window and what waits", () => {
    const walk = round("r", 0, [stop("a", 0)]);
    const [a] = walk.stops as [Stop];
    const states = [-6, -1, 1, 11].map((minute) => stopNow(walk, a, [], ms(minute)));
    expect(states).toEqual(["early", "now", "overdue", "missed"]);
    expect(stopNow(walk, a, [visit("a")], ms(11))).toBe("sending");
    expect(stopNow(walk, { ...a, state: "visited" }, [visit("a")], ms(0))).toBe("visited");
  });

  it("leads to the first stop that can be in time, then to those that are missed", () => {
    const walk = round("r", 0, [stop("a", 0, { state: "missed" }), stop("b", 20), stop("c", 30)]);
    expect(nextStop(walk, [], ms(20))?.checkpoint).toBe("b");
    expect(nextStop(walk, [visit("b")], ms(20))?.checkpoint).toBe("c");
    expect(nextStop(walk, [visit("b"), visit("c")], ms(20))?.checkpoint).toBe("a");
    expect(nextStop(walk, [visit("a"), visit("b"), visit("c")], ms(20))).toBeNull();
  });

  it("is the one under way before one that is due, and one to be made up only for two hours", () => {
    const missed = round("missed", -60, [stop("a", -60, { state: "missed" })], { state: "missed" });
    const due = round("due", 5, [stop("b", 5)]);
    const walked = round("walked", 7, [stop("c", 7)], { state: "under_way" });
    const tonight = round("tonight", 600, [stop("d", 600)]);
    const all = [tonight, missed, due, walked];
    expect(walkOf(all, [], ms(0)).current?.id).toBe("walked");
    expect(walkOf([tonight, missed, due], [], ms(0)).current?.id).toBe("due");
    expect(walkOf([tonight, missed], [], ms(0))).toMatchObject({ current: { id: "missed" }, later: [{ id: "tonight" }] });
    expect(walkOf([missed], [], ms(121)).current).toBeNull();
    expect(walkOf([tonight], [], ms(0)).current).toBeNull();
  });

  it("stays in sight when it is done", () => {
    const done = round("done", 0, [stop("a", 0, { state: "visited" })], { state: "completed" });
    expect(walkOf([done], [], ms(5)).current?.id).toBe("done");
  });
});

describe("the code of a checkpoint", () => {
  const whole = "GP1:DEMO-727:GATE-07:1:MZXW6YTBOI5DGNBV";

  it.each([whole, whole.toLowerCase(), ` ${whole}\n`, "1-MZXW-6YTB-OI5D-GNBV", "1 mzxw6ytb oi5dgnbv", "1mzxw6ytboi5dgnbv"])("is understood from %s", (text) => {
    expect(codeFrom(text, "demo-727", "gate-07")).toBe(whole);
  });

  it.each(["", "https://example.org", "MZXW-6YTB", "0-MZXW-6YTB-OI5D-GNBV", "GP1:DEMO:GATE:1:SHORT"])("is not %s", (text) => {
    expect(codeFrom(text, "demo-727", "gate-07")).toBeNull();
  });

  it("belongs to its stop, on whichever round that is", () => {
    const one = round("one", 0, [stop("gate-01", 0)]);
    const two = round("two", 0, [stop("gate-07", 0)]);
    expect(stopOfCode(whole, one, [one, two])?.round.id).toBe("two");
    expect(stopOfCode(whole, one, [one])).toBeNull();
  });
});

describe("what is said of a check-in", () => {
  const walk = round("r", 0, [stop("a", 0, { lat: 31.001 })]);

  it("tells how far away the phone was when it proves nothing", () => {
    const told = saidOf(walk, { ...visit("a"), place: { lon: 121, lat: 31, accuracy_m: 5 } });
    expect(told).toMatchObject({ proven: false });
    expect(told?.away_m).toBeCloseTo(111.3, 0);
    expect(saidOf(walk, visit("a"))).toMatchObject({ proven: false, away_m: null });
  });

  it("is nothing of a stop that the round no longer has", () => {
    const waiting: Waiting = visit("gone");
    expect(saidOf(walk, waiting)).toBeNull();
  });
});

describe("the way there", () => {
  it("opens in the map of the phone at hand", () => {
    expect(mapAddress(121.5, 31.25, "Android 14")).toBe("geo:31.250000,121.500000?q=31.250000,121.500000");
    expect(mapAddress(121.5, 31.25, "iPhone OS 17")).toBe("https://maps.apple.com/?daddr=31.250000,121.500000");
  });
});
