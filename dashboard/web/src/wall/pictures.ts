/** Messages of the overview: what docs/ref/api.md describes, taken apart. Used in the worker that decodes. */

import type { Health } from "../records";

export type Coding = "h264" | "h265" | "mjpeg" | "other";

const HEAD_BYTES = 14;
const CODINGS: readonly Coding[] = ["h264", "h265", "mjpeg", "other"];
const HEALTHS: readonly Health[] = ["online", "degraded", "offline"];
const KEY = 1;
const WHOLE = 2;
const AWAKE = 4;

/** One picture of one camera. `data` is empty where the page said that it cannot decode this coding. */
export interface Picture {
  camera: string;
  coding: Coding;
  health: Health;
  key: boolean;
  /** One of all pictures of a tile that moves, to be decoded after those before it. */
  whole: boolean;
  awake: boolean;
  gop_s: number;
  age_ms: number;
  data: Uint8Array<ArrayBuffer>;
}

/** The pictures of a message, as views of it. Throws RangeError for a message that ends too early. */
export function pictures(message: ArrayBuffer): Picture[] {
  const view = new DataView(message);
  const found: Picture[] = [];
  for (let at = 0; at < message.byteLength; ) {
    const flags = view.getUint8(at);
    const name = new Uint8Array(message, at + HEAD_BYTES, view.getUint8(at + 3));
    const bytes = view.getUint32(at + 10, true);
    const begin = at + HEAD_BYTES + name.length;
    found.push({
      camera: String.fromCharCode(...name),
      coding: CODINGS[view.getUint8(at + 1)] ?? "other",
      health: HEALTHS[view.getUint8(at + 2)] ?? "offline",
      key: (flags & KEY) !== 0,
      whole: (flags & WHOLE) !== 0,
      awake: (flags & AWAKE) !== 0,
      gop_s: view.getUint16(at + 4, true) / 10,
      age_ms: view.getUint32(at + 6, true),
      data: new Uint8Array(message, begin, bytes),
    });
    at = begin + bytes;
  }
  return found;
}

const SEQUENCE_PARAMETERS = 7;
/** Main profile, level 5.1: what decoders are asked for whatever the camera says; the parameter sets in the stream decide. */
const H265 = "hev1.1.6.L153.B0";

/**
 * The codec string (RFC 6381) of a key frame in Annex B, null if it carries no parameter set. Of H.264 it says what the sequence
 * parameter set does: profile, constraints, level (ISO/IEC 14496-10 §7.3.2.1.1).
 */
export function codecOf(coding: Coding, data: Uint8Array): string | null {
  if (coding === "h265") return H265;
  for (let at = 0; at + 6 < data.length; at += 1) {
    if (data[at] !== 0 || data[at + 1] !== 0 || data[at + 2] !== 1) continue;
    if (((data[at + 3] ?? 0) & 0x1f) !== SEQUENCE_PARAMETERS) continue;
    const hex = Array.from(data.subarray(at + 4, at + 7), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return `avc1.${hex}`;
  }
  return null;
}
