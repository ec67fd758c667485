/** What a clip is made of. */

import type { ClipRecord, EventRecord } from "../records";

export interface Part {
  kind: "before" | "during" | "after" | "gap";
  /** Seconds from the first frame of the clip. */
  from: number;
  to: number;
}

/** Before, during and after the event, then the gaps that lie over them; nothing outside of the clip. */
export function partsOf(clip: ClipRecord, event: EventRecord | null): Part[] {
  const second = (at: string): number => (Date.parse(at) - Date.parse(clip.began_at)) / 1000;
  const length = second(clip.ended_at);
  const within = (value: number): number => Math.min(Math.max(value, 0), length);
  const parts: Part[] = [];
  if (event) {
    const [began, ended] = [within(second(event.began_at)), within(second(event.ended_at ?? event.raised_at))];
    parts.push({ kind: "before", from: 0, to: began }, { kind: "during", from: began, to: ended }, { kind: "after", from: ended, to: length });
  } else {
    parts.push({ kind: "during", from: 0, to: length });
  }
  for (const gap of clip.gaps) parts.push({ kind: "gap", from: within(second(gap.began_at)), to: within(second(gap.ended_at)) });
  return parts.filter(({ from, to }) => to > from);
}
