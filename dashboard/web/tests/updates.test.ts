import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { link, lostSince, Updates } from "../src/updates";

/** A socket that does what the test says. */
class Socket {
  static made: Socket[] = [];
  onmessage: (message: { data: string }) => void = () => undefined;
  onclose: () => void = () => undefined;
  constructor(readonly url: string) {
    Socket.made.push(this);
  }
  close(): void {
    // What the page closes itself it no longer listens to.
  }
  hear(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

describe("a lost connection", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    Socket.made = [];
    vi.stubGlobal("WebSocket", Socket);
    vi.stubGlobal("location", { protocol: "http:", host: "desk" });
    vi.stubGlobal("addEventListener", () => undefined);
    vi.stubGlobal("removeEventListener", () => undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("asks each time whether the session still holds, and resumes where it was cut", () => {
    const onLost = vi.fn();
    const updates = new Updates(() => undefined, () => undefined, onLost);
    updates.start();
    Socket.made[0]?.hear({ type: "hello", epoch: "e1", seq: 7, now: "2026-03-01T08:00:00.000Z" });
    expect(link.value).toBe("live");
    Socket.made[0]?.onclose();
    expect(onLost).toHaveBeenCalledTimes(1);
    expect(link.value).toBe("lost");
    vi.advanceTimersByTime(1_000);
    expect(Socket.made[1]?.url).toBe("ws://desk/api/v1/updates?epoch=e1&since=7");
    // Refused at the handshake: no hello, only the end.
    Socket.made[1]?.onclose();
    expect(onLost).toHaveBeenCalledTimes(2);
    updates.stop();
  });

  it("is not retried once the owner has stopped, and the next start reads everything anew", () => {
    const onReset = vi.fn();
    const updates = new Updates(() => undefined, onReset, () => updates.stop());
    updates.start();
    Socket.made[0]?.hear({ type: "hello", epoch: "e1", seq: 7, now: "2026-03-01T08:00:00.000Z" });
    Socket.made[0]?.onclose();
    expect(lostSince.value).toBeNull();
    vi.advanceTimersByTime(120_000);
    expect(Socket.made).toHaveLength(1);
    updates.start();
    expect(Socket.made[1]?.url).toBe("ws://desk/api/v1/updates");
    Socket.made[1]?.hear({ type: "hello", epoch: "e1", seq: 9, now: "2026-03-01T08:00:00.000Z" });
    expect(onReset).toHaveBeenCalledTimes(2);
    updates.stop();
  });
});
