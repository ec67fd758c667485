/** How shares, areas and minutes are written. */

import { lang } from "./prefs";

const format = (digits: number): Intl.NumberFormat =>
  new Intl.NumberFormat(lang.value === "zh" ? "zh-CN" : "en-GB", { maximumFractionDigits: digits });

export function share(part: number): string {
  return `${(100 * part).toFixed(1)}\u00a0%`;
}

/** Square metres; of a hundred and more without decimals. */
export function area(m2: number): string {
  return `${format(m2 < 100 ? 1 : 0).format(m2)}\u00a0m²`;
}

export function count(number: number): string {
  return format(0).format(number);
}
