import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { en } from "../src/i18n/en";
import { zh } from "../src/i18n/zh";

const english: Readonly<Record<string, string>> = en;
const chinese: Readonly<Record<string, string>> = zh;
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "i18n" ? [] : sources(path);
    return /\.tsx?$/.test(entry.name) ? [readFileSync(path, "utf8")] : [];
  });
}

describe("the words of the page", () => {
  it("exist in both languages", () => {
    expect(Object.keys(chinese).sort()).toEqual(Object.keys(english).sort());
  });

  it.each(Object.keys(english))("%s says something, with the same places to fill", (key) => {
    expect(english[key]?.trim()).not.toBe("");
    expect(chinese[key]?.trim()).not.toBe("");
    expect(places(chinese[key] ?? "")).toEqual(places(english[key] ?? ""));
  });

  it("are all used", () => {
    const code = sources(join(__dirname, "../src")).join("\n");
    const unused = Object.keys(english).filter((key) => {
      const parts = key.split(".");
      // Written out, or put together from a prefix: `word("kind", …)`, `health.${…}`.
      const prefixes = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join("."));
      return !code.includes(`"${key}"`) && !prefixes.some((one) => code.includes(`word("${one}"`) || code.includes(`\`${one}.\${`));
    });
    expect(unused).toEqual([]);
  });
});
