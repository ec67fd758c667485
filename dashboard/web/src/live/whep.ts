/** One live picture by WHEP (RFC 9725): receive only, no audio. Or by its packets, where the server leaves the decoding to the page. */

import { api, ApiError } from "../api";
import { t, word } from "../i18n";
import type { Coding } from "../wall/pictures";
import { disown, ownCodings, PacketPicture } from "./packets";

export type LiveState = "connecting" | "playing" | "failed";

const FIRST_FRAME_MS = 12_000;

export interface LiveEvents {
  onState: (state: LiveState, reason: string) => void;
  /** Called for every frame that was drawn. */
  onFrame: () => void;
}

/** Why there is no picture, in the language of the person where we know it; empty if nobody said. */
export function sentenceOf(reason: unknown): string {
  if (!(reason instanceof ApiError) || reason.status === 0) return "";
  const spent = reason.more.transcodes;
  return spent ? t("live.transcodes", { ...spent, codec: word("codec", spent.codec) }) : reason.message;
}

/** Plays into `video`, or draws on `canvas`, from `start` to `stop`; a failure is final, the owner starts another one. */
export class LivePicture {
  private peer: RTCPeerConnection | null = null;
  private packets: PacketPicture | null = null;
  private resource = "";
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly camera: string,
    private readonly stream: "sub" | "main",
    private readonly video: HTMLVideoElement,
    private readonly canvas: HTMLCanvasElement,
    private readonly events: LiveEvents,
  ) {}

  async start(): Promise<void> {
    this.events.onState("connecting", "");
    this.timer = setTimeout(() => this.fail(""), FIRST_FRAME_MS);
    try {
      await this.connect();
    } catch (reason) {
      const own = reason instanceof ApiError ? reason.more.packets : undefined;
      if (own && !this.stopped) this.follow(own);
      else this.fail(sentenceOf(reason));
    }
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    const peer = this.peer;
    this.peer = null;
    this.packets?.stop();
    this.video.srcObject = null;
    // Hanging up comes first: a closed connection would end the session before the server is told.
    if (this.resource) void api.hangUp(this.resource).finally(() => peer?.close());
    else peer?.close();
    this.resource = "";
  }

  private async connect(): Promise<void> {
    const peer = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.peer = peer;
    const { receiver } = peer.addTransceiver("video", { direction: "recvonly" });
    // Show each frame as it comes: a control room prefers now to smooth.
    if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
    peer.ontrack = ({ track }) => {
      this.video.srcObject = new MediaStream([track]);
      void this.video.play().catch(() => undefined);
      this.countFrames();
    };
    peer.onconnectionstatechange = () => {
      if (peer.connectionState === "failed" || peer.connectionState === "closed") this.fail("");
    };
    // The offer goes out without candidates: the server learns our address from the checks that we send it.
    await peer.setLocalDescription(await peer.createOffer());
    const { answer, resource } = await api.whep(this.camera, this.stream, peer.localDescription?.sdp ?? "", await ownCodings());
    this.resource = resource;
    if (this.stopped) return this.stop();
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
  }

  private follow(coding: Coding): void {
    this.peer?.close();
    this.peer = null;
    clearTimeout(this.timer);
    let drawn = false;
    const end = (undecodable: boolean): void => {
      // Packets without a single picture: the next attempt is left to the server.
      if (undecodable && !drawn) void disown(coding);
      this.fail("");
    };
    this.timer = setTimeout(() => end(this.packets?.came ?? false), FIRST_FRAME_MS);
    const onFrame = (): void => {
      clearTimeout(this.timer);
      if (!drawn) this.events.onState("playing", "");
      drawn = true;
      this.events.onFrame();
    };
    this.packets = new PacketPicture(this.camera, this.stream, this.canvas, onFrame, end);
  }

  private countFrames(): void {
    const next = (): void => {
      if (this.stopped) return;
      clearTimeout(this.timer);
      this.events.onFrame();
      this.video.requestVideoFrameCallback(next);
    };
    this.video.requestVideoFrameCallback(() => {
      this.events.onState("playing", "");
      next();
    });
  }

  private fail(reason: string): void {
    if (this.stopped) return;
    this.stop();
    this.events.onState("failed", reason);
  }
}
