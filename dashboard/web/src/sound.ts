/** Sounds made in the browser: one tone per level. A browser allows them only after a key or a click. */

import { signal } from "@preact/signals";

import { soundOn } from "./prefs";
import type { Incident, Level } from "./records";

/** Pitches in hertz and length of each in seconds; the level is heard in pitch and rhythm. */
const TONES: Readonly<Record<Level, { hz: number[]; each_s: number; loud: number }>> = {
  1: { hz: [988, 740, 988, 740, 988, 740], each_s: 0.16, loud: 0.32 },
  2: { hz: [784, 0, 784], each_s: 0.2, loud: 0.26 },
  3: { hz: [587], each_s: 0.32, loud: 0.2 },
  4: { hz: [], each_s: 0, loud: 0 },
};
/** How often the sound comes again while an alarm of the level is unacknowledged; levels 3 and 4 do not repeat. */
const REPEAT_MS: Readonly<Record<Level, number>> = { 1: 2_000, 2: 30_000, 3: Infinity, 4: Infinity };
const HEARD_KEY = "gridpatrol.heard";
const HEARD_KEPT = 500;

let context: AudioContext | null = null;
export const blocked = signal(false);
/** Levels are silent until an alarm arrives that is not in here. */
const silenced = signal<ReadonlySet<string>>(new Set());
/** Incidents that have sounded in this tab; survives a reload, so that none sounds twice. */
const heard = new Set(JSON.parse(sessionStorage.getItem(HEARD_KEY) ?? "[]") as string[]);
const last_ms: Record<Level, number> = { 1: 0, 2: 0, 3: 0, 4: 0 };

export function play(level: Level): void {
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume().then(() => (blocked.value = context?.state !== "running"));
  blocked.value = context.state !== "running";
  const { hz, each_s, loud } = TONES[level];
  let at = context.currentTime + 0.02;
  for (const pitch of hz) {
    if (pitch > 0) beep(context, pitch, at, each_s, loud);
    at += each_s;
  }
}

function beep(audio: AudioContext, pitch: number, at: number, length_s: number, loud: number): void {
  const [tone, volume] = [audio.createOscillator(), audio.createGain()];
  tone.type = "triangle";
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(loud, at + 0.012);
  volume.gain.setValueAtTime(loud, at + length_s - 0.04);
  volume.gain.linearRampToValueAtTime(0, at + length_s);
  tone.connect(volume).connect(audio.destination);
  tone.start(at);
  tone.stop(at + length_s);
}

/** All audible levels one after the other, lowest first. */
export function playTest(): void {
  play(3);
  setTimeout(() => play(2), 700);
  setTimeout(() => play(1), 1700);
}

export function unlockSound(): void {
  if (context?.state === "suspended") void context.resume().then(() => (blocked.value = false));
}

/** Quiet for every alarm known now; it acknowledges nothing. */
export function silence(open: readonly Incident[]): void {
  silenced.value = new Set(open.map((one) => one.id));
}

export function isSilenced(open: readonly Incident[]): boolean {
  return open.length > 0 && open.every((one) => silenced.value.has(one.id));
}

/** Called once a second and at each change: sounds the highest level that is due. */
export function ring(waiting: readonly Incident[], now_ms: number): void {
  if (!soundOn.value || isSilenced(waiting)) return;
  const fresh = waiting.filter((one) => !heard.has(one.id));
  for (const level of [1, 2, 3] as const) {
    const isNew = fresh.some((one) => one.severity === level);
    const repeats = waiting.some((one) => one.severity === level) && now_ms - last_ms[level] >= REPEAT_MS[level];
    if (!isNew && !repeats) continue;
    last_ms[level] = now_ms;
    play(level);
    break;
  }
  if (fresh.length === 0) return;
  for (const one of fresh) heard.add(one.id);
  sessionStorage.setItem(HEARD_KEY, JSON.stringify([...heard].slice(-HEARD_KEPT)));
}
