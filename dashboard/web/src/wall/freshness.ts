/** When a picture is too old to be taken for what happens now. */

/** Of a camera whose GOP is not known yet. */
const UNKNOWN_GOP_S = 4;
const SHORTEST_MS = 2_000;

/** A picture older than two GOPs stands still, whatever else is said of its camera. */
export function isOld(age_ms: number, gop_s: number): boolean {
  return age_ms > Math.max(SHORTEST_MS, 2_000 * (gop_s || UNKNOWN_GOP_S));
}
