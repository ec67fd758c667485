import { describe, expect, it } from "vitest";

import { ApiError } from "../src/api";
import {
  expectedSupport,
  expectedWork,
  leftBehind,
  outcomeOf,
  PhoneOutbox,
  takeStep,
  type LeftBehind,
  type Outcome,
  type SendStep,
  type Waiting,
  type WaitingPhoto,
  type WaitingStep,
  type WaitingSupport,
} from "../src/phone/outbox";
import type { Incident, StepRequest, SupportRecord } from "../src/records";

function shelf() {
  const kept = new Map<string, string>();
  return { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
}

function command(step: WaitingStep["step"], minute: number): WaitingStep {
  return { kind: "step", incident: "i1", step, text: "", at: `2026-03-01T08:${minute}:00.000Z`, command_id: `id-${step}`, team: "t1" };
}

const INCIDENT = { id: "i1", work: "dispatched", version: 3 } as Incident;

/** A server that can be cut off and that counts versions up, as ours does. */
function server() {
  const state = { online: true, version: 3, got: [] as StepRequest[] };
  const send: SendStep = (_, request) => {
    if (!state.online) return Promise.resolve({ kind: "later" });
    if (request.version !== state.version) return Promise.resolve({ kind: "stale", current: { ...INCIDENT, version: state.version } });
    state.version += 1;
    state.got.push(request);
    return Promise.resolve({ kind: "done" });
  };
  return { state, send };
}

type SendPhoto = (photo: WaitingPhoto) => Promise<Outcome>;
const noPhotos: SendPhoto = () => Promise.resolve({ kind: "refused", reason: "none here" });

function outbox(step: SendStep, kept = shelf(), settled: Outcome[] = [], photo = noPhotos) {
  const send = (item: Waiting): Promise<Outcome> => (item.kind === "photo" ? photo(item) : takeStep(item as WaitingStep, 3, step));
  const box = new PhoneOutbox(kept, "outbox", send, () => undefined, (_, outcome) => settled.push(outcome));
  box.own("t1");
  return box;
}

describe("commands of an offline phone", () => {
  it("arrive in order with their original times when the network is back", async () => {
    const { state, send } = server();
    const box = outbox(send);
    state.online = false;
    for (const [step, minute] of [["accept", 10], ["depart", 12], ["arrive", 22]] as const) box.add(command(step, minute));
    expect(await box.flush()).toBe(false);
    expect(box.length).toBe(3);

    state.online = true;
    state.version = 7; // an operator wrote notes meanwhile
    expect(await box.flush()).toBe(true);
    expect(state.got.map((one) => [one.step, one.at?.slice(14, 16)])).toEqual([["accept", "10"], ["depart", "12"], ["arrive", "22"]]);
  });

  it("survive a reload", async () => {
    const { state, send } = server();
    const kept = shelf();
    state.online = false;
    outbox(send, kept).add(command("accept", 10));
    state.online = true;
    const reloaded = outbox(send, kept);
    expect(reloaded.length).toBe(1);
    await reloaded.flush();
    expect(state.got.map((one) => one.command_id)).toEqual(["id-accept"]);
    expect(outbox(send, kept).length).toBe(0);
  });

  it("are dropped with the reason when the server refuses them, and the next one goes on", async () => {
    const settled: Outcome[] = [];
    const { state, send } = server();
    const box = outbox((incident, request) => (request.step === "accept" ? Promise.resolve({ kind: "refused", reason: "closed" }) : send(incident, request)), shelf(), settled);
    box.add(command("accept", 10));
    box.add(command("note", 11));
    while (box.length > 0) await box.flush();
    expect(settled[0]).toEqual({ kind: "refused", reason: "closed" });
    expect(state.got.map((one) => one.step)).toEqual(["note"]);
  });

  it("give up on a step whose incident never stands still", async () => {
    let version = 3;
    const send: SendStep = () => Promise.resolve({ kind: "stale", current: { ...INCIDENT, version: (version += 1), work: "closed" } });
    expect(await takeStep(command("accept", 10), 3, send)).toEqual({ kind: "refused", reason: "closed" });
    expect(version).toBe(7);
  });

  it("take their photos along, after the report that these go with", async () => {
    const { state, send } = server();
    const got: string[] = [];
    const kept = shelf();
    const sendPhoto: SendPhoto = (photo) => {
      if (!state.online) return Promise.resolve({ kind: "later" });
      got.push(`${photo.photo} of ${photo.command_id} at ${photo.at}, after ${state.got.length}`);
      return Promise.resolve({ kind: "done" });
    };
    state.online = false;
    const report = command("report", 30);
    const taken = "2026-03-01T08:29:00.000Z";
    const photos = ["p1", "p2"].map((photo): WaitingPhoto => ({ kind: "photo", incident: "i1", photo, at: taken, command_id: report.command_id, team: "t1" }));
    const box = outbox(send, kept, [], sendPhoto);
    box.add(report, ...photos);
    expect(await box.flush()).toBe(false);
    expect(expectedWork({ ...INCIDENT, work: "on_scene" }, [report, ...photos])).toBe("reported");

    state.online = true;
    const reloaded = outbox(send, kept, [], sendPhoto);
    expect(reloaded.length).toBe(3);
    expect(await reloaded.flush()).toBe(true);
    expect(got).toEqual(["p1", "p2"].map((photo) => `${photo} of id-report at ${taken}, after 1`));
  });

  it("show where the work will stand", () => {
    expect(expectedWork(INCIDENT, [])).toBe("dispatched");
    expect(expectedWork(INCIDENT, [command("accept", 10), command("depart", 12)])).toBe("en_route");
    expect(expectedWork(INCIDENT, [command("refuse", 10)])).toBe("refused");
    expect(expectedWork(INCIDENT, [{ ...command("accept", 10), incident: "another" }])).toBe("dispatched");
  });

  it("show how far a support will be", () => {
    const support = { incident: "i1", state: "en_route" } as SupportRecord;
    const there: WaitingSupport = { kind: "support", incident: "i1", state: "on_scene", at: "", command_id: "1", team: "t1" };
    expect(expectedSupport(support, [])).toBe("en_route");
    expect(expectedSupport(support, [there, { ...there, state: "done" }])).toBe("done");
    expect(expectedSupport(support, [{ ...there, incident: "i2" }])).toBe("en_route");
  });
});

describe("a failed attempt", () => {
  const meant = (status: number, kind: Waiting["kind"]) => outcomeOf(new ApiError(status, "no"), kind).kind;

  it("is repeated where another may succeed, and otherwise given up", () => {
    for (const status of [0, 401, 429, 503]) expect(meant(status, "step")).toBe("later");
    for (const status of [403, 404, 409, 422]) expect(meant(status, "step")).toBe("refused");
    expect(outcomeOf(new Error("the database of the browser is away"), "photo")).toEqual({ kind: "later" });
  });

  it("never loses a call for help because somebody else is signed in", () => {
    for (const status of [0, 401, 403, 429, 503]) expect(meant(status, "call")).toBe("later");
    expect(outcomeOf(new ApiError(422, "wrong"), "call")).toEqual({ kind: "refused", reason: "wrong" });
  });
});

describe("commands of two teams on one phone", () => {
  it("are never sent as another team that signs in on the same phone, and wait for their own", async () => {
    const { state } = server();
    const kept = shelf();
    const call: Waiting = { kind: "call", text: "help", place: null, at: "2026-03-01T08:10:00.000Z", command_id: "sos", team: "t1" };
    const sent: string[] = [];
    const told: number[] = [];
    let left: readonly LeftBehind[] = [];
    const box = new PhoneOutbox(
      kept,
      "calls",
      (item) => {
        if (!state.online) return Promise.resolve({ kind: "later" });
        sent.push(item.command_id);
        return Promise.resolve({ kind: "done" });
      },
      (items, others) => {
        told.push(items.length);
        left = leftBehind(others);
      },
      () => undefined,
    );
    box.own("t1");
    state.online = false;
    box.add(call);
    expect(await box.flush()).toBe(false);
    state.online = true;
    for (const other of ["", "t2"]) {
      box.own(other);
      expect(await box.flush()).toBe(true);
      expect([sent, box.length, told.at(-1)]).toEqual([[], 0, 0]);
      expect(left).toEqual([{ team: "t1", name: { zh: "t1", en: "t1" }, count: 1, since: call.at, calls: true }]);
    }
    box.add({ ...call, command_id: "theirs", team: "t2" });
    await box.flush();
    box.own("t1");
    expect(await box.flush()).toBe(true);
    expect(sent).toEqual(["theirs", "sos"]);
    expect(left).toEqual([]);
  });
});
