/** The tables of a settings file as values: one changed, one left out, one found again after somebody else changed the file. */

import type { FormName, TableName } from "./fields";
import type { Settings, SettingsName, Values } from "./requests";

/** The table that is edited; without a number a new one, without a table what stands above all. */
export interface Edited {
  form: FormName;
  /** In its file, from 1. */
  number: number | null;
  /** Its own for each time that a form is opened: what is entered stays while the table moves in its file. */
  opened: string;
}

export type Content = Pick<Settings, "top" | "tables">;

export const isTop = (form: FormName): form is SettingsName & FormName => form === "limits" || form === "notifications";

export function withValues({ top, tables }: Content, { form, number }: Pick<Edited, "form" | "number">, values: Values): Content {
  if (isTop(form)) return { top: values, tables };
  const known = tables[form] ?? [];
  return { top, tables: { ...tables, [form]: number === null ? [...known, values] : known.map((one, index) => (index === number - 1 ? values : one)) } };
}

export function without({ top, tables }: Content, table: TableName, number: number): Content {
  return { top, tables: { ...tables, [table]: (tables[table] ?? []).filter((_, index) => index !== number - 1) } };
}

/** What a table is known by: its id; one without, such as a limit, by all it says. */
function identity(values: Values): string {
  return "id" in values ? String(values["id"]) : JSON.stringify(values);
}

/** A key for each table that stays its own when another one goes; of equal ones the first, the second… */
export function keysOf(tables: readonly Values[]): readonly string[] {
  const seen = new Map<string, number>();
  return tables.map((values) => {
    const name = identity(values);
    seen.set(name, (seen.get(name) ?? 0) + 1);
    return `${name} ${seen.get(name)}`;
  });
}

/** The edited table in the file as it is now; null if it is gone. */
export function follow(before: Content, now: Content, edited: Edited): Edited | null {
  if (isTop(edited.form) || edited.number === null) return edited;
  const key = keysOf(before.tables[edited.form] ?? [])[edited.number - 1];
  const at = keysOf(now.tables[edited.form] ?? []).indexOf(key ?? "");
  return at < 0 ? null : { ...edited, number: at + 1 };
}

/** What stood in the file before one's own change, and the digest that the file has since: with another one it is not taken back. */
export interface Undo {
  digest: string;
  before: Content;
}

/** How the change that made `version` is taken back, from the file as it was read after it; null if somebody was in between. */
export function undoOf(version: number, now: Settings, before: Content): Undo | null {
  return now.version === version ? { digest: now.digest, before } : null;
}
