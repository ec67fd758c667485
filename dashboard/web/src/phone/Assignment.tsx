import { useState } from "preact/hooks";

import { eventPicture } from "../api";
import { lapse, now, timeOf } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import type { Incident, StepName, Work } from "../records";
import { distance_m } from "../map/cones";
import { press, report } from "./commands";
import { cameraName, outbox, placeName } from "./facts";
import { MiniMap } from "./MiniMap";
import { Navigate } from "./Navigate";
import { expectedWork } from "./outbox";
import { position } from "./place";
import { Words } from "./Words";

/** One incident this team was sent to: where, what, and the next step as one large button. */
export function Assignment({ incident }: { incident: Incident }) {
  const work = expectedWork(incident, outbox.value);
  const waits = outbox.value.some((one) => one.kind === "step" && one.incident === incident.id);
  return (
    <article class={`assignment level-${incident.severity}`} data-testid="phone-assignment" data-work={incident.work} data-expected={work}>
      <Head incident={incident} isNew={work === "dispatched"} note={incident.label && word("label", incident.label)} />
      <Place incident={incident} />
      <Times incident={incident} waits={waits} work={work} />
      {work === "refused" ? null : <Steps incident={incident} work={work} />}
    </article>
  );
}

/** What it is about, how severe, and for how long. */
export function Head({ incident, isNew, note }: { incident: Incident; isNew: boolean; note: string }) {
  return (
    <header>
      <LevelShape level={incident.severity} size={44} hollow={!isNew} flash={isNew} />
      <div>
        <h1>{matter(incident)}</h1>
        <p>
          {word("level", String(incident.severity))}
          {note && ` · ${note}`} · {t("panel.number", { n: incident.number })}
        </p>
      </div>
      <time class="num">{lapse(now.value - Date.parse(incident.opened_at))}</time>
    </header>
  );
}

/** Where it is: in words, as a picture, as a map, and the way there. */
export function Place({ incident }: { incident: Incident }) {
  return (
    <>
      <section class="assignment-place">
        <strong>{placeName(incident.compound)}</strong>
        <span>
          {placeName(incident.community)} · {placeName(incident.grid_cell)}
        </span>
        {incident.camera && <span>{cameraName(incident.camera)}</span>}
        {incident.summary && <span>{incident.summary}</span>}
        <Distance incident={incident} />
      </section>
      <div class="assignment-pictures">
        <Picture incident={incident} />
        <MiniMap incident={incident} />
      </div>
      {incident.lon !== null && incident.lat !== null && <Navigate lon={incident.lon} lat={incident.lat} />}
    </>
  );
}

function Distance({ incident }: { incident: Incident }) {
  if (!position.value || incident.lon === null || incident.lat === null) return null;
  const away = distance_m([position.value.lon, position.value.lat], [incident.lon, incident.lat]);
  return <span class="num">{t("phone.distance", { m: Math.round(away / 10) * 10 })}</span>;
}

function Picture({ incident }: { incident: Incident }) {
  const [shown, setShown] = useState(true);
  if (!shown || !incident.best_event) return null;
  const [left, top, right, bottom] = incident.box;
  return (
    <figure class="snapshot">
      <img src={eventPicture(incident.best_event)} alt={matter(incident)} onError={() => setShown(false)} />
      {right > left && (
        <svg viewBox="0 0 1000 1000" preserveAspectRatio="none" aria-hidden="true">
          <rect class="snapshot-box under" x={left * 1000} y={top * 1000} width={(right - left) * 1000} height={(bottom - top) * 1000} />
          <rect class="snapshot-box" x={left * 1000} y={top * 1000} width={(right - left) * 1000} height={(bottom - top) * 1000} />
        </svg>
      )}
      <figcaption class={`live-state num${left + right < 1 ? " aside" : ""}`}>{timeOf(incident.began_at)}</figcaption>
    </figure>
  );
}

const STAGES: readonly Work[] = ["dispatched", "accepted", "en_route", "on_scene", "reported"];

/** When each stage was reached; what only this phone knows yet is marked as waiting. */
function Times({ incident, waits, work }: { incident: Incident; waits: boolean; work: Work | "refused" }) {
  const reached = work === "refused" ? -1 : STAGES.indexOf(work);
  return (
    <ol class="assignment-times">
      {STAGES.map((stage, index) => {
        const at = incident.stages[stage];
        const queued = waits && !at && index <= reached;
        return (
          <li key={stage} class={index <= reached ? "done" : ""}>
            <i aria-hidden="true" />
            <span>{t(`work.${stage}` as Key)}</span>
            <time class="num">{queued ? t("phone.queued.step") : at && index <= reached ? timeOf(at).slice(0, 5) : " "}</time>
          </li>
        );
      })}
    </ol>
  );
}

function Steps({ incident, work }: { incident: Incident; work: Work }) {
  const [asking, setAsking] = useState<"refuse" | "report" | null>(null);
  const go = (step: StepName): void => {
    setAsking(null);
    press(incident, step);
  };
  if (asking === "refuse") {
    return (
      <Words title="phone.refuse.why" ready={["phone.refuse.busy", "phone.refuse.far", "phone.refuse.alone"]} send="phone.refuse"
        testid="phone-refuse-send" placeholder="phone.refuse.other" onCancel={() => setAsking(null)}
        onSend={(text) => {
          setAsking(null);
          press(incident, "refuse", text);
        }} />
    );
  }
  if (work === "on_scene") {
    return (
      <Words title="phone.report" ready={["phone.report.clear", "phone.report.warned", "phone.report.handed"]} send="phone.report.send"
        testid="phone-report" placeholder="phone.report.placeholder" photos
        onSend={(text, taken) => void report(incident, text, taken)} />
    );
  }
  if (work === "reported" || work === "verified") return <p class="assignment-done">{t("phone.reported")}</p>;
  const next: StepName | null = work === "dispatched" ? "accept" : work === "accepted" ? "depart" : work === "en_route" ? "arrive" : null;
  return (
    <div class="assignment-steps">
      {next && (
        <button type="button" class="btn primary phone-big" data-testid={`phone-${next}`} onClick={() => go(next)}>
          {t(`phone.${next}` as Key)}
        </button>
      )}
      {work === "dispatched" && (
        <button type="button" class="btn phone-big" data-testid="phone-refuse" onClick={() => setAsking("refuse")}>
          {t("phone.refuse")}
        </button>
      )}
    </div>
  );
}
