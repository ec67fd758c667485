/** A live picture whose coding WebRTC does not carry, but this browser decodes: packets by WebSocket, drawn on a canvas. */

import { decodable, Movers, type Draw } from "../wall/decoders";
import { pictures, type Coding } from "../wall/pictures";

let known: Promise<Set<Coding>> | undefined;

/** What the server need not transcode for this page: H.265 where the browser decodes it. H.264 goes by WebRTC, which is made for it. */
export async function ownCodings(): Promise<Coding[]> {
  known ??= decodable().then((found) => new Set(found.filter((coding) => coding === "h265")));
  return [...(await known)];
}

/** From now on the server has to transcode: this browser said that it decodes such pictures, and did not. */
export async function disown(coding: Coding): Promise<void> {
  (await ownCodings(), await known)?.delete(coding);
}

/** Draws on `canvas` from its making to `stop`. `onEnd`: no more comes, or, if `undecodable`, this browser cannot decode what does. */
export class PacketPicture {
  /** Whether any packet has come. */
  came = false;
  private readonly socket: WebSocket;
  private readonly movers: Movers;

  constructor(
    camera: string,
    stream: "sub" | "main",
    private readonly canvas: HTMLCanvasElement,
    onFrame: () => void,
    onEnd: (undecodable: boolean) => void,
  ) {
    const draw: Draw = (_, frame) => {
      if (!(frame instanceof VideoFrame)) {
        // After a picture that was broken on its way, the next key frame goes on.
        if (canvas.hidden) onEnd(true);
        return;
      }
      Object.assign(canvas, { width: frame.displayWidth, height: frame.displayHeight });
      canvas.getContext("2d")?.drawImage(frame, 0, 0);
      frame.close();
      canvas.hidden = false;
      onFrame();
    };
    this.movers = new Movers(draw);
    const origin = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}`;
    this.socket = new WebSocket(`${origin}/api/v1/cameras/${encodeURIComponent(camera)}/packets?stream=${stream}`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onmessage = ({ data }) => {
      this.came = true;
      for (const picture of pictures(data as ArrayBuffer)) this.movers.offer(picture);
    };
    this.socket.onclose = () => onEnd(false);
  }

  stop(): void {
    this.socket.onclose = null;
    this.socket.close();
    this.movers.keep(new Set());
    this.canvas.hidden = true;
  }
}
