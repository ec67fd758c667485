/** What the page and the overview's worker say to each other. */

import type { Health } from "../records";

/** The tiles that are visible now, and how wide each is drawn. */
export interface ToWorker {
  visible: readonly string[];
  width_px: number;
}

/** A picture of a tile; without `bitmap` there is a newer one that this browser cannot decode. Or the state of the connection. */
export type FromWorker =
  | {
      type: "picture";
      camera: string;
      health: Health;
      awake: boolean;
      moving: boolean;
      gop_s: number;
      age_ms: number;
      bitmap: ImageBitmap | null;
    }
  | { type: "link"; live: boolean };
