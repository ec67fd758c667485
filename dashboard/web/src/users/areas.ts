/** The places that an account may be limited to, as a tree of two levels. */

import type { PlaceProperties } from "../records";

/** Each community with its grid cells, whatever lies between them, in the order of the site. */
export function cellsByCommunity(places: readonly PlaceProperties[]): ReadonlyMap<string, readonly string[]> {
  const byId = new Map(places.map((place) => [place.id, place]));
  const found = new Map<string, string[]>();
  for (const place of places) if (place.kind === "community") found.set(place.id, []);
  for (const cell of places) {
    if (cell.kind !== "grid_cell") continue;
    let above = byId.get(cell.parent);
    while (above && above.kind !== "community") above = byId.get(above.parent);
    if (above) found.get(above.id)?.push(cell.id);
  }
  return found;
}
