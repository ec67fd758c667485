/** What was there before each change, so that it can be taken back. */

export interface Undoable<T> {
  past: readonly T[];
  now: T;
  future: readonly T[];
  /** What changed last; changes of the same thing in a row are one step. */
  of: string;
}

const MOST_STEPS = 200;

export function undoable<T>(now: T): Undoable<T> {
  return { past: [], now, future: [], of: "" };
}

/** The next state. `of` names what is dragged or typed in, so that a whole drag is one step; empty: a step of its own. */
export function changed<T>(known: Undoable<T>, next: T, of = ""): Undoable<T> {
  if (next === known.now) return known;
  const past = of !== "" && of === known.of ? known.past : [...known.past, known.now].slice(-MOST_STEPS);
  return { past, now: next, future: [], of };
}

/** After a drag has ended: the next one of the same thing is another step. */
export function settled<T>(known: Undoable<T>): Undoable<T> {
  return known.of === "" ? known : { ...known, of: "" };
}

export function undone<T>(known: Undoable<T>): Undoable<T> {
  const before = known.past.at(-1);
  if (before === undefined) return known;
  return { past: known.past.slice(0, -1), now: before, future: [known.now, ...known.future], of: "" };
}

export function redone<T>(known: Undoable<T>): Undoable<T> {
  const [next, ...future] = known.future;
  if (next === undefined) return known;
  return { past: [...known.past, known.now], now: next, future, of: "" };
}
