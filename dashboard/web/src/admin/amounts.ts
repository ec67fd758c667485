/** Bytes and cores as people write them. */

const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `1.5 GB`: powers of a thousand, as disks are sold. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit > 1 && Math.abs(value) < 100 ? 1 : 0;
  return `${value.toFixed(digits)}\u00a0${UNITS[unit] ?? "B"}`;
}

/** Of few two decimals at most, of a hundred and more none. */
export function few(number: number): string {
  return String(Number(number.toFixed(Math.abs(number) >= 100 ? 0 : Math.abs(number) < 1 ? 2 : 1)));
}
