/** From a pressed key to what it means in the control room. */

export type Action =
  | "next"
  | "previous"
  | "open"
  | "acknowledge"
  | "dispatch"
  | "false-alarm"
  | "verify"
  | "close"
  | "shelve"
  | "pause"
  | "reopen"
  | "note"
  | "call"
  | "further"
  | "map"
  | "live"
  | "play"
  | "frame-before"
  | "frame-after"
  | "command"
  | "help"
  | "back"
  | { digit: number };

const ACTIONS: Readonly<Record<string, Action>> = {
  j: "next",
  arrowdown: "next",
  k: "previous",
  arrowup: "previous",
  enter: "open",
  a: "acknowledge",
  d: "dispatch",
  f: "false-alarm",
  v: "verify",
  x: "close",
  s: "shelve",
  p: "pause",
  r: "reopen",
  n: "note",
  c: "call",
  o: "further",
  m: "map",
  l: "live",
  " ": "play",
  ",": "frame-before",
  ".": "frame-after",
  "/": "command",
  "?": "help",
  escape: "back",
};

const WALKS: ReadonlySet<Action | null> = new Set<Action>(["next", "previous", "frame-before", "frame-after"]);

/** `keyCode` of a key that an input method swallows. */
const IME_KEY = 229;

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
  isComposing: boolean;
  keyCode: number;
  repeat: boolean;
}

/** What the key means, or null. `typing` says that a text field has the focus: only Escape counts there. */
export function actionOf(pressed: Pressed, typing: boolean, onButton: boolean): Action | null {
  if (pressed.isComposing || pressed.keyCode === IME_KEY) return null;
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey) return null;
  const key = pressed.key.toLowerCase();
  if (typing) return key === "escape" ? "back" : null;
  // Enter or Space on a button presses the button.
  if ((key === "enter" || key === " ") && onButton) return null;
  const action = /^[1-9]$/.test(key) ? { digit: Number(key) } : (ACTIONS[key] ?? null);
  // A key held down may walk through the list or a clip, never act twice.
  return pressed.repeat && !WALKS.has(action) ? null : action;
}

/** True where typing goes into text: keys must not act there. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
