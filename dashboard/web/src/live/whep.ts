/** One live picture by WHEP (RFC 9725): receive only, no audio. */

import { api, ApiError } from "../api";

export type LiveState = "connecting" | "playing" | "failed";

const FIRST_FRAME_MS = 12_000;

export interface LiveEvents {
  onState: (state: LiveState, reason: string) => void;
  /** Called for every frame that was drawn. */
  onFrame: () => void;
}

/** Plays into `video` from `start` to `stop`; a failure is final, the owner starts another one. */
export class LivePicture {
  private peer: RTCPeerConnection | null = null;
  private resource = "";
  private stopped = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly camera: string,
    private readonly stream: "sub" | "main",
    private readonly video: HTMLVideoElement,
    private readonly events: LiveEvents,
  ) {}

  async start(): Promise<void> {
    this.events.onState("connecting", "");
    this.timer = setTimeout(() => this.fail(""), FIRST_FRAME_MS);
    try {
      await this.connect();
    } catch (reason) {
      this.fail(reason instanceof ApiError && reason.status > 0 ? reason.message : "");
    }
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    const peer = this.peer;
    this.peer = null;
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
    const { answer, resource } = await api.whep(this.camera, this.stream, peer.localDescription?.sdp ?? "");
    this.resource = resource;
    if (this.stopped) return this.stop();
    await peer.setRemoteDescription({ type: "answer", sdp: answer });
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
