/** How long to wait before a lost connection is tried again. */

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;

/** Delay before attempt number `failures` (1 = first again), exponential with full jitter in the upper half. */
export function waitBefore(failures: number, random = Math.random()): number {
  const ceiling = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.max(0, failures - 1));
  return ceiling / 2 + (random * ceiling) / 2;
}
