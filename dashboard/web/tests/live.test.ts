/** Who decodes a live picture, and what the page says when nobody can. */

import { afterEach, describe, expect, it, vi } from "vitest";

vi.stubGlobal("localStorage", { getItem: () => null, setItem: () => undefined });
vi.stubGlobal("navigator", { language: "en-GB" });
vi.stubGlobal("document", { documentElement: { lang: "", dataset: {} } });

const { ApiError } = await import("../src/api");
const { sentenceOf } = await import("../src/live/whep");
const { lang } = await import("../src/prefs");
const { decodable } = await import("../src/wall/decoders");

afterEach(() => void Reflect.deleteProperty(globalThis, "VideoDecoder"));

/** A browser that decodes what `does` says of a codec string. */
function browser(does: (codec: string) => boolean): void {
  vi.stubGlobal("VideoDecoder", { isConfigSupported: async ({ codec }: { codec: string }) => ({ supported: does(codec) }) });
}

describe("what this browser decodes", () => {
  it("is nothing without WebCodecs", async () => {
    expect(await decodable()).toEqual([]);
  });

  it("is what it says", async () => {
    browser((codec) => codec.startsWith("avc1."));
    expect(await decodable()).toEqual(["h264"]);
    browser(() => true);
    expect(await decodable()).toEqual(["h264", "h265"]);
  });

  it("is not what it cannot even be asked about", async () => {
    vi.stubGlobal("VideoDecoder", {
      isConfigSupported: ({ codec }: { codec: string }) =>
        codec.startsWith("hev1.") ? Promise.reject(new TypeError("unknown codec")) : Promise.resolve({ supported: true }),
    });
    expect(await decodable()).toEqual(["h264"]);
  });
});

describe("why there is no live picture", () => {
  const spent = new ApiError(503, "Camera c0003 sends H.265 …", null, { transcodes: { codec: "h265", most: 2, running: 2 } });

  it("is told in the person's language when the budget for transcoding is spent", () => {
    lang.value = "en";
    expect(sentenceOf(spent)).toMatch(/H\.265.*At most 2 cameras.*and 2 are/);
    lang.value = "zh";
    expect(sentenceOf(spent)).toMatch(/H\.265.*最多同时转码 2 路，目前已有 2 路/);
  });

  it("is the server's sentence otherwise, and none when the network failed", () => {
    expect(sentenceOf(new ApiError(503, "camera c0001 is offline"))).toBe("camera c0001 is offline");
    expect(sentenceOf(new ApiError(0, "Failed to fetch"))).toBe("");
    expect(sentenceOf(new TypeError("x"))).toBe("");
  });
});
