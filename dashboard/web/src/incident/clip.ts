/** The clip of an incident's best event: asked for until it is there; and what the keys do with it. */

import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { serverNow } from "../clock";
import type { ClipRecord, EventRecord, Incident } from "../records";
import { generation } from "../state";

/** A clip comes at most some forty seconds after its event; after this long there will be none. */
const PATIENCE_MS = 120_000;
const AGAIN_MS = 3000;

/** What the keys act on: the clip in the panel. */
export interface ClipControls {
  toggle: () => void;
  step: (frames: number) => void;
}

export const clipControls = signal<ClipControls | null>(null);

export interface Recording {
  clip: ClipRecord;
  /** As it is now that the clip is there: with its end. */
  event: EventRecord | null;
}

/** `undefined` while it may still come, `null` if there is none. */
export function useClip(incident: Incident): Recording | null | undefined {
  const [known, setKnown] = useState<{ event: string; recording: Recording | null } | null>(null);
  const event = incident.best_event;
  useEffect(() => {
    if (!event) return;
    let timer = 0;
    let stale = false;
    const ask = async (): Promise<void> => {
      const recording = await find(incident.id, event).catch(() => null);
      if (stale) return;
      if (recording || serverNow() - Date.parse(incident.last_event_at) > PATIENCE_MS) setKnown({ event, recording });
      else timer = window.setTimeout(() => void ask(), AGAIN_MS);
    };
    void ask();
    return () => {
      stale = true;
      window.clearTimeout(timer);
    };
  }, [incident.id, event, generation.value]);
  return known?.event === event ? known.recording : event ? undefined : null;
}

async function find(incident: string, event: string): Promise<Recording | null> {
  const clip = (await api.clips(incident)).find((one) => one.event === event);
  if (!clip) return null;
  const { events } = await api.incident(incident);
  return { clip, event: events.find((one) => one.id === event) ?? null };
}
