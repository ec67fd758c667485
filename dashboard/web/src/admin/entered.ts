/** Between what a form holds, which is text, and the values of a settings file. */

import type { Field } from "./fields";
import type { Value } from "./requests";

/** A value as the texts that a form holds; lists have several. */
export function texts(value: Value | undefined): readonly string[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value.map(String) : [String(value)];
}

/** A list as it is typed, between commas of either script; blanks at the end stay, so that typing can go on. */
export function listed(text: string): readonly string[] {
  return text.split(/[,，、]/).map((one) => one.trimStart());
}

/** Whether a number was entered that may mean two: `1,000` is a thousand to some and one to others. */
export function isAmbiguous(field: Field, given: readonly string[]): boolean {
  return field.kind === "number" && given.some((one) => /^\s*-?[1-9]\d*(,\d{3})+(?!\d)/.test(one));
}

/** What was entered, as the file has it; undefined: nothing, so that the default holds. A number that is none goes as it is, to be refused. */
export function entered(field: Field, given: readonly string[]): Value | undefined {
  const some = given.map((one) => one.trim()).filter(Boolean);
  if (some.length === 0) return undefined;
  const told = some.map((one) => (field.numeric === true || field.kind === "number" ? asNumber(one) : one));
  return field.kind === "list" || field.kind === "ticks" || field.kind === "places" ? told : told[0];
}

function asNumber(text: string): number | string {
  const number = Number(text.replace(",", "."));
  return Number.isFinite(number) ? number : text;
}
