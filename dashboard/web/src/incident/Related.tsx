import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { LevelShape } from "../controls/shapes";
import { t } from "../i18n";
import { matter } from "./matter";
import type { Incident, RelatedCamera } from "../records";
import { cameraName, select, watched } from "../state";

interface Known {
  incident: string;
  cameras: RelatedCamera[];
  incidents: Incident[];
}

/** Incidents that may be the same happening, and the other cameras that see where it was, the one that shows it largest first. */
export function Related({ incident }: { incident: Incident }) {
  const [known, setKnown] = useState<Known>({ incident: "", cameras: [], incidents: [] });
  useEffect(() => {
    let stale = false;
    Promise.all([api.relatedCameras(incident.id), api.relatedIncidents(incident.id)])
      .then(([cameras, incidents]) => !stale && setKnown({ incident: incident.id, cameras, incidents }))
      // The panel works without them.
      .catch(() => undefined);
    return () => {
      stale = true;
    };
  }, [incident.id]);
  if (known.incident !== incident.id) return null;
  const others = known.cameras.filter(({ camera }) => camera !== incident.camera);
  return (
    <section class="related" data-testid="related">
      {known.incidents.length > 0 && <h3>{t("related.incidents")}</h3>}
      <ul>
        {known.incidents.map((other) => (
          <li key={other.id}>
            <button type="button" class="clip-button has-event" onClick={() => select(other.id)}>
              <LevelShape level={other.severity} size={14} hollow={other.work !== "new"} dim={other.work === "closed"} />
              {t("panel.number", { n: other.number })} {matter(other)} <span class="num">{other.camera}</span>
            </button>
          </li>
        ))}
      </ul>
      {others.length > 0 && <h3>{t("related.title")}</h3>}
      <ul>
        {others.map(({ camera, pixels_per_metre, distance_m }) => (
          <li key={camera}>
            <button
              type="button"
              class={`clip-button${incident.cameras.includes(camera) ? " has-event" : ""}`}
              title={`${cameraName(camera)} · ${t("related.seen", { ppm: Math.round(pixels_per_metre), m: Math.round(distance_m) })}`}
              onClick={() => (watched.value = camera)}
            >
              {incident.cameras.includes(camera) && <span aria-label={t("related.event")}>●</span>}
              <span class="num">{camera}</span> {Math.round(distance_m)} m
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
