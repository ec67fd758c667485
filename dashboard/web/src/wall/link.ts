/** The overview's pictures, from its worker onto the canvases of the tiles that exist. */

import { signal } from "@preact/signals";

import { cameraPicture } from "../api";
import { offerPoster } from "../live/poster";
import type { FromWorker, ToWorker } from "./messages";

/** Snapshots asked for at a time where this browser cannot decode: each costs the server a decoding. */
const ASKED = 3;
/** Scrolling changes the visible tiles with every frame; the server hears of it so often. */
const TOLD_MS = 100;

/** What is known of the picture on a tile. `taken_ms` is by `performance.now()`. */
export interface Drawn {
  taken_ms: number;
  gop_s: number;
  awake: boolean;
  moving: boolean;
}

type Arrived = Extract<FromWorker, { type: "picture" }>;

/** Lives as long as the overview is shown. */
export class OverviewLink {
  readonly live = signal(false);
  /** Pictures drawn since the start. */
  pictures = 0;
  private readonly worker = new Worker(new URL("./overview.worker.ts", import.meta.url), { type: "module" });
  private readonly canvases = new Map<string, HTMLCanvasElement>();
  private readonly drawn = new Map<string, Drawn>();
  private readonly behind = new Map<string, Arrived>();
  private asking = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private wanted: ToWorker = { visible: [], width_px: 160 };

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.type === "link") this.live.value = data.live;
      else this.arrive(data);
    };
  }

  show(visible: readonly string[], width_px: number): void {
    this.wanted = { visible, width_px };
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.worker.postMessage(this.wanted);
    }, TOLD_MS);
  }

  /** The canvas of a tile that begins to exist; null when it goes. */
  attach(camera: string, canvas: HTMLCanvasElement | null): void {
    offerPoster(camera, canvas, () => this.drawn.get(camera)?.taken_ms);
    if (canvas) {
      this.canvases.set(camera, canvas);
      return;
    }
    this.canvases.delete(camera);
    this.drawn.delete(camera);
    this.behind.delete(camera);
  }

  of(camera: string): Drawn | undefined {
    return this.drawn.get(camera);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.worker.terminate();
    this.canvases.clear();
    this.behind.clear();
  }

  private arrive(picture: Arrived): void {
    if (picture.bitmap) {
      this.draw(picture, picture.bitmap, performance.now() - picture.age_ms);
      return;
    }
    this.behind.delete(picture.camera);
    this.behind.set(picture.camera, picture);
    this.ask();
  }

  /** Fetches the next snapshot; of each camera only the newest is worth it. */
  private ask(): void {
    const next = this.behind.values().next().value;
    if (!next || this.asking >= ASKED) return;
    this.behind.delete(next.camera);
    if (!this.canvases.has(next.camera)) return this.ask();
    this.asking += 1;
    const taken_ms = performance.now() - next.age_ms;
    void snapshot(next.camera, this.wanted.width_px)
      .then((bitmap) => this.draw(next, bitmap, taken_ms))
      .catch(() => undefined) // the tile keeps its old picture, and its age says so
      .finally(() => {
        this.asking -= 1;
        this.ask();
      });
  }

  private draw({ camera, gop_s, awake, moving }: Arrived, bitmap: ImageBitmap, taken_ms: number): void {
    const canvas = this.canvases.get(camera);
    const before = this.drawn.get(camera);
    if (!canvas || (before && before.taken_ms > taken_ms && !moving)) {
      bitmap.close();
      return;
    }
    // Setting a size, even the same one, makes the canvas anew.
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(bitmap);
    this.drawn.set(camera, { taken_ms, gop_s, awake, moving });
    this.pictures += 1;
    canvas.parentElement?.classList.add("drawn");
  }
}

async function snapshot(camera: string, width_px: number): Promise<ImageBitmap> {
  const answer = await fetch(cameraPicture(camera, Date.now()), { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
  return createImageBitmap(await answer.blob(), { resizeWidth: width_px, resizeQuality: "low" });
}
