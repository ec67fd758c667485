import { useState } from "preact/hooks";

import { eventPicture } from "../api";
import { timeOf } from "../clock";
import { Dialog } from "../controls/Dialog";
import { Icon } from "../controls/shapes";
import { t, word } from "../i18n";
import { matter } from "./matter";
import { LiveTile } from "../live/LiveTile";
import type { Incident } from "../records";
import { cameraById, watched } from "../state";

/** The picture of the event with what was seen marked, and beside it what the camera shows now. */
export function Evidence({ incident }: { incident: Incident }) {
  const [large, setLarge] = useState(false);
  if (!incident.camera) return null;
  return (
    <div class="evidence">
      <div class="evidence-one">
        <Snapshot incident={incident} />
        <button type="button" class="evidence-enlarge" aria-label={`${t("panel.snapshot")}: ${t("panel.enlarge")}`} onClick={() => setLarge(true)}>
          <Icon name="enlarge" size={15} />
        </button>
      </div>
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
          <Snapshot incident={incident} />
        </Dialog>
      )}
    </div>
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
        {t("panel.snapshot")} {timeOf(incident.began_at)}
      </figcaption>
    </figure>
  );
}
