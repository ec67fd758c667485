/** Which tiles of a grid exist: columns from its width, rows from what is scrolled into view. */

export interface Grid {
  columns: number;
  width: number;
  height: number;
  /** All rows, pixels. */
  total: number;
  /** Tiles that exist: a row more than visible at each end, so that a short scroll shows no gap. */
  first: number;
  last: number;
}

const GAP = 4;
const SPARE_ROWS = 1;
const ASPECT = 9 / 16;

/** Tiles at least `smallest` wide that fill `width`, seen through a window of `height` at `top`. All in pixels. */
export function grid(count: number, smallest: number, width: number, height: number, top: number): Grid {
  const columns = Math.max(1, Math.floor((width + GAP) / (smallest + GAP)));
  const tile = Math.floor((width - GAP * (columns - 1)) / columns);
  const row = Math.round(tile * ASPECT) + GAP;
  const rows = Math.ceil(count / columns);
  const first = Math.max(0, Math.floor(top / row) - SPARE_ROWS);
  const end = Math.min(rows, Math.ceil((top + height) / row) + SPARE_ROWS);
  return { columns, width: tile, height: row - GAP, total: rows * row, first: first * columns, last: Math.min(count, end * columns) };
}

export function place(index: number, { columns, width, height }: Grid): { left: number; top: number } {
  return { left: (index % columns) * (width + GAP), top: Math.floor(index / columns) * (height + GAP) };
}
