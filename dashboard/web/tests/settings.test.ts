import { describe, expect, it } from "vitest";

import { follow, keysOf, undoOf, withValues, without, type Content, type Edited } from "../src/admin/tables";
import { entered, isAmbiguous, listed } from "../src/admin/entered";
import type { Field, FormName } from "../src/admin/fields";
import type { Settings } from "../src/admin/requests";

const FILE: Content = { top: { warn_at: 0.8 }, tables: { desk: [{ id: "a" }, { id: "b" }, { id: "c" }], hours: [{ place: "x" }, { place: "x" }] } };

describe("the tables of a settings file", () => {
  it("are changed, added and left out one at a time", () => {
    expect(withValues(FILE, { form: "desk", number: 2 }, { id: "b", kind: "other" }).tables["desk"]).toEqual([{ id: "a" }, { id: "b", kind: "other" }, { id: "c" }]);
    expect(withValues(FILE, { form: "desk", number: null }, { id: "d" }).tables["desk"]?.length).toBe(4);
    expect(withValues(FILE, { form: "limits", number: null }, {})).toEqual({ top: {}, tables: FILE.tables });
    expect(without(FILE, "desk", 1).tables["desk"]).toEqual([{ id: "b" }, { id: "c" }]);
  });

  it("keep their keys when one before them goes, so that a question is not asked of the next", () => {
    const [, ...rest] = keysOf(FILE.tables["desk"] ?? []);
    expect(keysOf(without(FILE, "desk", 1).tables["desk"] ?? [])).toEqual(rest);
    expect(new Set(keysOf(FILE.tables["hours"] ?? [])).size).toBe(2);
  });

  it("are found again where somebody else changed the file", () => {
    const others = without(FILE, "desk", 1);
    const edited = (form: FormName, number: number | null): Edited => ({ form, number, opened: "now" });
    expect(follow(FILE, others, edited("desk", 3))).toEqual(edited("desk", 2));
    expect(follow(FILE, others, edited("desk", 1))).toBeNull();
    expect(follow(FILE, others, edited("desk", null))).toEqual(edited("desk", null));
    expect(follow(FILE, others, edited("limits", null))).toEqual(edited("limits", null));
  });

  it("are taken back only as they were saved", () => {
    const now: Settings = { ...FILE, file: "desks.toml", version: 7, digest: "ours" };
    expect(undoOf(7, now, FILE)).toEqual({ digest: "ours", before: FILE });
    expect(undoOf(6, { ...now, digest: "theirs" }, FILE)).toBeNull();
  });
});

describe("what is entered in a form", () => {
  it("is a list between commas of either script", () => {
    expect(listed("chen, li.na，wang、zhao ")).toEqual(["chen", "li.na", "wang", "zhao "]);
  });

  it("is asked again where a comma may stand for thousands", () => {
    const minutes: Field = { key: "receipt_min", kind: "number" };
    for (const text of ["1,000", "12,000", " 1,000,000", "1,000.5"]) expect(isAmbiguous(minutes, [text])).toBe(true);
    for (const text of ["1000", "1,5", "0,125", "1,0000", "1.000"]) expect(isAmbiguous(minutes, [text])).toBe(false);
    expect(isAmbiguous({ key: "users", kind: "list" }, ["1,000"])).toBe(false);
    expect(entered(minutes, ["1,5"])).toBe(1.5);
  });
});
