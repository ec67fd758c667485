import { describe, expect, it } from "vitest";

import { codeIn, markOf, mayGoOn } from "../src/phone/code";

describe("a phone's link from the control room", () => {
  it("carries its code behind the hash", () => {
    expect(codeIn("#code=ABCD-EFGH-JKMN")).toBe("ABCD-EFGH-JKMN");
    expect([codeIn(""), codeIn("#"), codeIn("#page=x")]).toEqual(["", "", ""]);
  });

  it("leads on with the session of before only if it began that session", () => {
    const last = markOf("ABCD-EFGH-JKMN");
    expect(mayGoOn("", null)).toBe(true);
    expect(mayGoOn("", last)).toBe(true);
    expect(mayGoOn("ABCD-EFGH-JKMN", last)).toBe(true);
    expect(mayGoOn("ABCD-EFGH-JKMP", last)).toBe(false);
    expect(mayGoOn("ABCD-EFGH-JKMN", null)).toBe(false);
  });

  it("is kept so that it cannot be read back", () => {
    expect(markOf("ABCD-EFGH-JKMN")).toMatch(/^[0-9a-f]{1,8}$/);
  });
});
