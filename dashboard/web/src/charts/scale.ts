/** Axes: round numbers to draw lines at, and lengths of time on a logarithmic scale. */

/** Round numbers from 0 or `low` to just beyond `high`, about `wanted` of them; always at least two. */
export function ticks(low: number, high: number, wanted = 4): number[] {
  const span = high > low ? high - low : Math.abs(high) || 1;
  const raw = span / wanted;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((one) => one * power >= raw) ?? 10) * power;
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil((low + span) / step));
  return Array.from({ length: last - first + 1 }, (_, index) => Number(((first + index) * step).toPrecision(12)));
}

/** Lengths of time that people know by name, seconds. */
export const LENGTHS_S = [1, 10, 60, 600, 3600, 36_000, 86_400, 864_000] as const;

/** Where `seconds` lies from 0 to 1 on a logarithmic axis between two of `LENGTHS_S`; what lies outside is put on its end. */
export function place(seconds: number, low_s: number, high_s: number): number {
  const at = (Math.log(Math.max(seconds, low_s)) - Math.log(low_s)) / (Math.log(high_s) - Math.log(low_s));
  return Math.min(1, Math.max(0, at));
}

/** The two of `LENGTHS_S` between which all of these lie; a shorter axis than two decades helps nobody. */
export function lengthRange(seconds: readonly number[]): [low_s: number, high_s: number] {
  const least = Math.min(...seconds, 60);
  const most = Math.max(...seconds, 60);
  const low = [...LENGTHS_S].reverse().find((one) => one <= least) ?? LENGTHS_S[0];
  const high = LENGTHS_S.find((one) => one >= most && one >= 60 * low) ?? LENGTHS_S[LENGTHS_S.length - 1] ?? low * 60;
  return [low, high];
}

/** Which of the steps 1 to `steps` a number belongs to where `most` is the largest, 0 for none: by square root, so that few show. */
export function heatStep(count: number, most: number, steps: number): number {
  return count > 0 ? Math.max(1, Math.ceil(steps * Math.sqrt(count / most))) : 0;
}

/** The largest number of each step of `heatStep`. */
export function heatBounds(most: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, index) => Math.floor(most * ((index + 1) / steps) ** 2));
}
