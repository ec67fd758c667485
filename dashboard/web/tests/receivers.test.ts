import { describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null });
vi.stubGlobal("navigator", { language: "en-GB" });
vi.stubGlobal("document", { documentElement: { dataset: {} } });

const { summary } = await import("../src/admin/fields");

const AROUND = { targets: [], logins: [] };

describe("a receiver in one line", () => {
  it.each(["webhook", "robot"] as const)("shows of the address of a %s its host only, for the rest may be its key", (table) => {
    const told = summary(table, { id: "city", url: "https://city.example.org:8443/hook/s3cret?key=t0ken" }, AROUND);
    expect(told).toContain("city.example.org:8443");
    expect(told).not.toMatch(/s3cret|t0ken|hook/);
  });

  it("shows nothing of an address that is none", () => {
    expect(summary("webhook", { id: "city", url: "s3cret" }, AROUND)).not.toContain("s3cret");
  });
});
