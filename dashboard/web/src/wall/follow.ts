/** Windows of one browser that follow each other: the desk says what is selected, a wall on another screen shows it. */

import { effect, signal } from "@preact/signals";

import { current, watched } from "../state";

/** Whether this window is the wall alone. */
export const inOwnWindow = location.hash === "#wall";

type Said = { from: "desk"; camera: string | null } | { from: "wall"; asks: true } | { from: "wall"; picked: string };

const channel = new BroadcastChannel("gridpatrol.selection");

/** The camera selected at the desk, in the wall's own window. */
export const followed = signal<string | null>(null);

/** In the wall's window: ask the desk what is selected now. */
export function askDesk(): void {
  if (inOwnWindow) say({ from: "wall", asks: true });
}

/** In the wall's window: a camera was chosen here, which the desk shows live. */
export function tellDesk(camera: string): void {
  if (inOwnWindow) say({ from: "wall", picked: camera });
}

/** Begins to listen, and at the desk to tell; the returned function ends it. */
export function startFollowing(): () => void {
  const selectedCamera = (): string | null => watched.value ?? (current.value?.camera || null);
  channel.onmessage = ({ data }: MessageEvent<Said>) => {
    if (inOwnWindow) {
      if (data.from === "desk") followed.value = data.camera;
    } else if (data.from === "wall") {
      if ("asks" in data) say({ from: "desk", camera: selectedCamera() });
      else watched.value = data.picked;
    }
  };
  const end = inOwnWindow ? () => undefined : effect(() => say({ from: "desk", camera: selectedCamera() }));
  return () => {
    channel.onmessage = null;
    end();
  };
}

function say(said: Said): void {
  channel.postMessage(said);
}
