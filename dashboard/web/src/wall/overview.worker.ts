/** The overview's own thread: its WebSocket and its decoders. The page gets finished pictures, and never an encoded byte. */

import { waitBefore } from "../backoff";
import { decodable, Movers, Stills, type Draw } from "./decoders";
import { pictures, type Coding } from "./pictures";
import type { FromWorker, ToWorker } from "./messages";

/** Only a connection that lasted resets the back-off. */
const STABLE_MS = 5_000;
/** A tile that got no picture of a moving kind for so long moves no more. */
const STILL_MS = 3_000;

let visible: readonly string[] = [];
let width = 160;
let socket: WebSocket | null = null;
let codings: Coding[] = [];
let failures = 0;
const moved_ms = new Map<string, number>();

const draw: Draw = (picture, frame) => {
  if (frame === null) return tell({ type: "picture", ...told(picture), bitmap: null });
  void createImageBitmap(frame, { resizeWidth: width, resizeQuality: "low" })
    .then((bitmap) => tell({ type: "picture", ...told(picture), bitmap }, [bitmap]))
    .catch(() => undefined) // a frame that its decoder took back
    .finally(() => frame.close());
};
const stills = new Stills(draw);
const movers = new Movers(draw);

function told({ camera, health, awake, whole, gop_s, age_ms }: Parameters<Draw>[0]): Omit<FromWorker & { type: "picture" }, "type" | "bitmap"> {
  return { camera, health, awake, moving: whole, gop_s, age_ms };
}

function tell(message: FromWorker, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>): void => {
  visible = data.visible;
  width = data.width_px;
  if (socket?.readyState === WebSocket.OPEN) say();
};

function say(): void {
  socket?.send(JSON.stringify({ visible, codecs: codings }));
}

function receive(message: ArrayBuffer): void {
  const now_ms = performance.now();
  for (const picture of pictures(message)) {
    if (picture.data.length === 0) draw(picture, null);
    else if (!picture.whole || picture.coding === "mjpeg") stills.offer(picture);
    else {
      moved_ms.set(picture.camera, now_ms);
      movers.offer(picture);
    }
  }
  for (const [camera, at_ms] of moved_ms) if (now_ms - at_ms > STILL_MS) moved_ms.delete(camera);
  movers.keep(new Set(moved_ms.keys()));
}

function connect(): void {
  const opened_ms = performance.now();
  const next = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/v1/overview`);
  next.binaryType = "arraybuffer";
  next.onopen = () => {
    tell({ type: "link", live: true });
    say();
  };
  next.onmessage = (message) => receive(message.data as ArrayBuffer);
  next.onclose = () => {
    tell({ type: "link", live: false });
    failures = performance.now() - opened_ms > STABLE_MS ? 1 : failures + 1;
    setTimeout(connect, waitBefore(failures));
  };
  socket = next;
}

void decodable().then((found) => {
  codings = [...found, "mjpeg"];
  connect();
});
