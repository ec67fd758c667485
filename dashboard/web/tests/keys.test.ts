import { describe, expect, it } from "vitest";

import { find, parse, type Known } from "../src/commands";
import { actionOf, type Pressed } from "../src/keys";

function press(key: string, more: Partial<Pressed> = {}): Pressed {
  return { key, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, keyCode: 0, repeat: false, ...more };
}

describe("keys", () => {
  it.each([
    ["a", "acknowledge"],
    ["D", "dispatch"], // with Caps Lock
    ["ArrowDown", "next"],
    ["/", "command"],
    ["?", "help"],
    [" ", "play"],
    [",", "frame-before"],
    ["3", { digit: 3 }],
    ["q", null],
  ])("%s means %o", (key, action) => {
    expect(actionOf(press(key), false, false)).toEqual(action);
  });

  it("mean nothing in a text field, but for Escape", () => {
    expect(actionOf(press("a"), true, false)).toBeNull();
    expect(actionOf(press("Escape"), true, false)).toBe("back");
  });

  it("mean nothing while an input method composes", () => {
    expect(actionOf(press("a", { isComposing: true }), false, false)).toBeNull();
    expect(actionOf(press("a", { keyCode: 229 }), false, false)).toBeNull();
  });

  it("leave the browser its shortcuts, and buttons their Enter and Space", () => {
    expect(actionOf(press("d", { ctrlKey: true }), false, false)).toBeNull();
    expect(actionOf(press("Enter"), false, true)).toBeNull();
    expect(actionOf(press(" "), false, true)).toBeNull();
  });

  it("held down walk the list, but never act twice", () => {
    expect(actionOf(press("j", { repeat: true }), false, false)).toBe("next");
    expect(actionOf(press(".", { repeat: true }), false, false)).toBe("frame-after");
    expect(actionOf(press("d", { repeat: true }), false, false)).toBeNull();
  });
});

const KNOWN: Known[] = [
  { type: "camera", id: "c0231", words: "c0231 东门 east gate", title: "", detail: "" },
  { type: "camera", id: "c1231", words: "c1231 西门 west gate", title: "", detail: "" },
  { type: "place", id: "g03-12", words: "g03-12 第03-12网格 cell 03-12", title: "", detail: "" },
  { type: "incident", id: "0199a3c2-0231", words: "24", title: "", detail: "" },
  { type: "incident", id: "0199a3c2-0002", words: "241", title: "", detail: "" },
];

describe("the command bar", () => {
  it("reads a command and its text", () => {
    expect(parse("/cam 0231")).toEqual({ type: "camera", text: "0231" });
    expect(parse("/GRID 03-12")).toEqual({ type: "place", text: "03-12" });
    expect(parse("east gate")).toEqual({ type: null, text: "east gate" });
  });

  it.each([
    ["/cam 0231", ["c0231"]],
    ["/cam gate", ["c0231", "c1231"]],
    ["/grid 03-12", ["g03-12"]],
    ["/no 24", ["0199a3c2-0231", "0199a3c2-0002"]],
    ["/no 2", ["0199a3c2-0002", "0199a3c2-0231"]], // by number, not by the end of an id
    ["东门", ["c0231"]],
    ["nothing like it", []],
  ])("%s finds %o", (text, ids) => {
    expect(find(text, KNOWN).map((one) => one.id)).toEqual(ids);
  });
});
