import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { eventClip, eventPicture } from "../api";
import { lapse, now, timeOf } from "../clock";
import { Dialog } from "../controls/Dialog";
import { Icon } from "../controls/shapes";
import { t, word } from "../i18n";
import { useClip, type Recording } from "./clip";
import { ClipBar, ClipPicture } from "./ClipPlayer";
import { matter } from "./matter";
import { LiveTile } from "../live/LiveTile";
import type { Incident } from "../records";
import { cameraById, watched } from "../state";

/** The picture of the event with what was seen marked, its clip, and beside it what the camera shows now. */
export function Evidence({ incident }: { incident: Incident }) {
  const [large, setLarge] = useState(false);
  const recording = useClip(incident);
  if (!incident.camera) return null;
  return (
    <div class="evidence" data-clip={recording === undefined ? "coming" : recording ? "here" : "none"}>
      <Recorded incident={incident} recording={recording} keys={!large}>
        <button type="button" class="evidence-enlarge" aria-label={`${t("panel.snapshot")}: ${t("panel.enlarge")}`} onClick={() => setLarge(true)}>
          <Icon name="enlarge" size={15} />
        </button>
      </Recorded>
      <div class="evidence-one">
        <LiveTile camera={incident.camera} />
        <button
          type="button"
          class="evidence-enlarge"
          aria-label={`${t("panel.live")}: ${t("panel.enlarge")} (L)`}
          onClick={() => (watched.value = incident.camera)}
        >
          <Icon name="enlarge" size={15} />
        </button>
      </div>
      {large && (
        <Dialog title={`${t("panel.snapshot")} ${timeOf(incident.began_at)}`} wide onClose={() => setLarge(false)}>
          <Recorded incident={incident} recording={recording} keys={false} />
        </Dialog>
      )}
    </div>
  );
}

interface RecordedProps {
  incident: Incident;
  recording: Recording | null | undefined;
  keys: boolean;
  children?: ComponentChildren;
}

/** The still until somebody plays, then the clip in its place; under it the bar of the clip. */
function Recorded({ incident, recording, keys, children }: RecordedProps) {
  const clip = recording?.clip;
  const video = useRef<HTMLVideoElement>(null);
  const [played, setPlayed] = useState("");
  const [refused, setRefused] = useState("");
  useEffect(() => setPlayed(""), [incident.id]);
  const shown = clip && played === clip.event && refused !== clip.event;
  return (
    <>
      <div class="evidence-one">
        {!shown && <Snapshot incident={incident} />}
        {clip && (
          <figure class="snapshot" hidden={!shown}>
            <ClipPicture clip={clip} video={video} shown={Boolean(shown)} onRefused={() => setRefused(clip.event)} />
            <figcaption class="live-state">{t("clip.title")}</figcaption>
          </figure>
        )}
        {children}
      </div>
      {clip && refused !== clip.event && (
        <ClipBar key={clip.event} clip={clip} event={recording.event} video={video} onUse={() => setPlayed(clip.event)} keys={keys} />
      )}
      {clip && refused === clip.event && (
        <p class="clip-bar">
          {t("clip.refused")}{" "}
          <a class="clip-button" href={eventClip(clip.event)} download="">
            {t("clip.save")}
          </a>
        </p>
      )}
      {recording === undefined && <p class="clip-bar clip-coming">{t("clip.coming")}</p>}
    </>
  );
}

/** The full picture of the event; the zones of its rules and the box of what was seen are drawn over it, never into it. */
function Snapshot({ incident }: { incident: Incident }) {
  const event = incident.best_event;
  const [loaded, setLoaded] = useState({ event: "", state: "loading" as "loading" | "shown" | "missing", ratio: 16 / 9 });
  const { state, ratio } = loaded.event === event ? loaded : { state: "loading", ratio: 16 / 9 };
  const [left, top, right, bottom] = incident.box;
  const hasBox = right > left && bottom > top;
  const zones = cameraById.value.get(incident.camera)?.properties.zones ?? [];
  const w = 1000 * ratio;
  return (
    <figure class="snapshot" data-testid="incident-snapshot" data-state={state}>
      {event && state !== "missing" ? (
        <img
          key={event}
          src={eventPicture(event)}
          alt={`${matter(incident)}, ${word("label", incident.label)}`}
          onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) =>
            setLoaded({ event, state: "shown", ratio: naturalWidth / naturalHeight || 16 / 9 })
          }
          onError={() => setLoaded({ event, state: "missing", ratio: 16 / 9 })}
        />
      ) : (
        <p class="snapshot-none">{t("panel.picture.none")}</p>
      )}
      {state === "shown" && (
        <svg viewBox={`0 0 ${w} 1000`} aria-hidden="true">
          {zones.map((zone, index) => (
            <polygon key={index} class="snapshot-zone" points={zone.polygon.map(([x, y]) => `${x * w},${y * 1000}`).join(" ")} />
          ))}
          {hasBox && (
            <>
              <rect class="snapshot-box under" x={left * w} y={top * 1000} width={(right - left) * w} height={(bottom - top) * 1000} />
              <rect class="snapshot-box" x={left * w} y={top * 1000} width={(right - left) * w} height={(bottom - top) * 1000} />
            </>
          )}
        </svg>
      )}
      <figcaption class={`live-state num${hasBox && left + right < 1 ? " aside" : ""}`}>
        {t("panel.snapshot")} {timeOf(incident.began_at)} · {t("clip.ago", { age: lapse(now.value - Date.parse(incident.began_at)) })}
      </figcaption>
    </figure>
  );
}
