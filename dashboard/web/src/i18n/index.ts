/** Words of the page in the language of the person. A missing key does not compile. */

import { lang } from "../prefs";
import { en } from "./en";
import { zh } from "./zh";

export type Key = keyof typeof en;
export type Words = Readonly<Record<string, string | number>>;

const TABLES = { en, zh } as const;

/** The text of `key` with `{name}` places filled from `words`. Reading it follows the language signal. */
export function t(key: Key, words?: Words): string {
  const text: string = TABLES[lang.value][key];
  return words ? text.replace(/\{(\w+)\}/g, (place, name: string) => String(words[name] ?? place)) : text;
}

/** Word for a value that came from the server, such as a kind of event; an unknown value is shown as it is. */
export function word(prefix: string, value: string): string {
  const key = `${prefix}.${value}`;
  return key in en ? t(key as Key) : value;
}
