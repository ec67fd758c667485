/** Where the phone is: shared with the control room while somebody wants that, and looked up for a check-in. */

import { signal } from "@preact/signals";

import { api } from "../api";
import { serverNow } from "../clock";
import type { Fix } from "./records";

const POSITION_EVERY_MS = 15_000;
/** How old a position may be that goes with a check-in or a call: a minute's walk. */
const FRESH_MS = 60_000;
const LOOK_UP_MS = 8_000;

export const position = signal<Fix | null>(null);
export const sharing = signal<"off" | "on" | "denied">("off");

let known_ms = 0;
let sent_ms = 0;
let watching = false;

function keep({ coords, timestamp }: GeolocationPosition): void {
  known_ms = timestamp;
  position.value = { lon: coords.longitude, lat: coords.latitude, accuracy_m: coords.accuracy };
}

/** The newest position if it is fresh, null otherwise. */
export function freshPosition(): Fix | null {
  return Date.now() - known_ms < FRESH_MS ? position.value : null;
}

/** Where the phone is now; null if it may not or cannot say within eight seconds. */
export function lookUpPosition(): Promise<Fix | null> {
  if (!("geolocation" in navigator)) return Promise.resolve(null);
  return new Promise((done) => {
    navigator.geolocation.getCurrentPosition(
      (found) => {
        keep(found);
        done(position.value);
      },
      () => done(freshPosition()),
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: LOOK_UP_MS },
    );
  });
}

/** Sends where the phone is, at most every 15 s; only the newest matters, so nothing is queued. */
export function sharePosition(): void {
  if (!("geolocation" in navigator)) {
    sharing.value = "denied";
    return;
  }
  if (watching) return;
  watching = true;
  navigator.geolocation.watchPosition(
    (found) => {
      sharing.value = "on";
      keep(found);
      if (Date.now() - sent_ms < POSITION_EVERY_MS) return;
      sent_ms = Date.now();
      const { coords, timestamp } = found;
      const at = new Date(Math.min(timestamp, serverNow())).toISOString();
      void api.position(coords.longitude, coords.latitude, coords.accuracy, at).catch(() => undefined);
    },
    () => {
      watching = false;
      sharing.value = "denied";
    },
    { enableHighAccuracy: true, maximumAge: 10_000 },
  );
}

/** Address that opens a place in the phone's own map (RFC 5870; Apple's phones do not know it). */
export function mapAddress(lon: number, lat: number, agent: string): string {
  const place = `${lat.toFixed(6)},${lon.toFixed(6)}`;
  return /iPhone|iPad|iPod/.test(agent) ? `https://maps.apple.com/?daddr=${place}` : `geo:${place}?q=${place}`;
}
