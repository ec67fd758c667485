/** Decoding by WebCodecs: of the overview, in a worker, with one decoder for the key frames of all cameras of one codec string; of live pictures. */

import { codecOf, type Coding, type Picture } from "./pictures";

/** What becomes of a decoded picture; the receiver closes the frame. `null`: this one cannot be decoded here. */
export type Draw = (picture: Picture, frame: VideoFrame | ImageBitmap | null) => void;

const BATCH = 16;
/** Pictures of a moving tile that may wait for its decoder; then it goes on at the next key frame. */
const WAITING = 60;
/** As many more until it has caught up once: the server sends the GOP that it has first, and caches no longer one. */
const CACHED = 1500;

const TRIED: readonly [Coding, string][] = [
  ["h264", "avc1.640033"],
  ["h265", codecOf("h265", new Uint8Array()) ?? ""],
];

/** What this browser decodes by WebCodecs: nothing where the page is neither https nor on localhost. */
export async function decodable(): Promise<Coding[]> {
  if (!("VideoDecoder" in globalThis)) return [];
  const found = await Promise.all(
    TRIED.map(async ([coding, codec]) => ((await VideoDecoder.isConfigSupported({ codec }).catch(() => null))?.supported ? [coding] : [])),
  );
  return found.flat();
}

/** Key frames of many cameras: of each the newest that waits, in the order in which they came. */
export class Stills {
  private readonly waiting = new Map<string, Picture>();
  private readonly decoders = new Map<string, VideoDecoder>();
  private readonly shown = new Map<number, Picture>();
  private number = 0;
  private busy = false;

  constructor(private readonly draw: Draw) {}

  offer(picture: Picture): void {
    this.waiting.set(picture.camera, picture);
    if (!this.busy) void this.work();
  }

  private async work(): Promise<void> {
    this.busy = true;
    while (this.waiting.size > 0) {
      const batch = [...this.waiting.values()].slice(0, BATCH);
      for (const one of batch) this.waiting.delete(one.camera);
      await Promise.all([this.video(batch.filter((one) => one.coding !== "mjpeg")), ...batch.map((one) => this.jpeg(one))]);
    }
    this.busy = false;
  }

  /** Decodes together what one decoder can; should one of them break it, each alone. */
  private async video(batch: readonly Picture[]): Promise<void> {
    const byCodec = new Map<string, Picture[]>();
    for (const one of batch) {
      const codec = codecOf(one.coding, one.data);
      if (codec === null) this.draw(one, null);
      else byCodec.set(codec, [...(byCodec.get(codec) ?? []), one]);
    }
    for (const [codec, some] of byCodec) {
      const left = await this.decoded(codec, some);
      if (left.length === 0) continue;
      if (some.length === 1) this.draw(left[0] as Picture, null);
      else for (const one of left) if ((await this.decoded(codec, [one])).length > 0) this.draw(one, null);
    }
  }

  /** Those of `some` that did not come out. */
  private async decoded(codec: string, some: readonly Picture[]): Promise<Picture[]> {
    const decoder = this.decoder(codec);
    const numbers = some.map((one) => {
      this.number += 1;
      this.shown.set(this.number, one);
      decoder.decode(new EncodedVideoChunk({ type: "key", timestamp: this.number, data: one.data }));
      return this.number;
    });
    await decoder.flush().catch(() => this.decoders.delete(codec));
    return numbers.flatMap((number) => {
      const one = this.shown.get(number);
      this.shown.delete(number);
      return one ? [one] : [];
    });
  }

  private decoder(codec: string): VideoDecoder {
    const known = this.decoders.get(codec);
    if (known && known.state === "configured") return known;
    const decoder = new VideoDecoder({
      output: (frame) => {
        const picture = this.shown.get(frame.timestamp);
        this.shown.delete(frame.timestamp);
        if (picture) this.draw(picture, frame);
        else frame.close();
      },
      error: () => undefined, // told by the flush that waits for it
    });
    decoder.configure({ codec, optimizeForLatency: true });
    this.decoders.set(codec, decoder);
    return decoder;
  }

  private async jpeg(picture: Picture): Promise<void> {
    if (picture.coding !== "mjpeg") return;
    const drawn = await createImageBitmap(new Blob([picture.data], { type: "image/jpeg" })).catch(() => null);
    this.draw(picture, drawn);
  }
}

interface Moving {
  decoder: VideoDecoder;
  picture: Picture;
  caughtUp: boolean;
}

/** Tiles that move: a decoder each, which takes every picture from a key frame on. */
export class Movers {
  private readonly moving = new Map<string, Moving>();

  constructor(private readonly draw: Draw) {}

  offer(picture: Picture): void {
    let one = this.moving.get(picture.camera);
    const most = one?.caughtUp ? WAITING : WAITING + CACHED;
    if (one && (one.decoder.state !== "configured" || one.decoder.decodeQueueSize > most)) {
      this.forget(picture.camera);
      one = undefined;
    }
    if (!one) {
      const codec = picture.key ? codecOf(picture.coding, picture.data) : null;
      if (codec === null) return;
      one = this.begin(codec, picture);
    }
    one.picture = picture;
    one.decoder.decode(
      new EncodedVideoChunk({ type: picture.key ? "key" : "delta", timestamp: -1000 * picture.age_ms, data: picture.data }),
    );
  }

  /** Closes the decoders of tiles that move no more. */
  keep(cameras: ReadonlySet<string>): void {
    for (const camera of this.moving.keys()) if (!cameras.has(camera)) this.forget(camera);
  }

  private begin(codec: string, picture: Picture): Moving {
    const one: Moving = {
      picture,
      caughtUp: false,
      decoder: new VideoDecoder({
        output: (frame) => {
          // Of a burst only the newest is worth drawing.
          if (one.decoder.decodeQueueSize > 2) frame.close();
          else {
            one.caughtUp = true;
            this.draw(one.picture, frame);
          }
        },
        error: () => this.draw(one.picture, null), // and its state says so at the next picture
      }),
    };
    one.decoder.configure({ codec, optimizeForLatency: true });
    this.moving.set(picture.camera, one);
    return one;
  }

  private forget(camera: string): void {
    const one = this.moving.get(camera);
    this.moving.delete(camera);
    if (one && one.decoder.state !== "closed") one.decoder.close();
  }
}
