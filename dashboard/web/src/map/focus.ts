/** Asks the map to go somewhere, from anywhere on the page. */

import { signal } from "@preact/signals";

export interface Focus {
  lon: number;
  lat: number;
  zoom: number;
  key: number;
}

export const CLOSE_ZOOM = 17;

export const focus = signal<Focus | null>(null);

export function focusOn(lon: number | null, lat: number | null, zoom = CLOSE_ZOOM): void {
  if (lon === null || lat === null) return;
  focus.value = { lon, lat, zoom, key: (focus.value?.key ?? 0) + 1 };
}
