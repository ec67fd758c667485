/** A matter that somebody told the control room: the form that is open, and where the person pointed on the map. */

import { signal } from "@preact/signals";

export interface Call {
  /** Made once per form, so that pressing twice opens one incident. */
  command: string;
  /** WGS-84; null until somebody points at the map. */
  place: { lon: number; lat: number } | null;
}

export const call = signal<Call | null>(null);
