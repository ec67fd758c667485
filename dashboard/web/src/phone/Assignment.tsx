import { useState } from "preact/hooks";

import { eventPicture } from "../api";
import { lapse, now, timeOf } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import { lang } from "../prefs";
import type { Incident, StepName, Work } from "../records";
import { distance_m } from "../map/cones";
import { MiniMap } from "./MiniMap";
import { expectedWork } from "./outbox";
import { PhotoPicker, type Taken } from "./PhotoPicker";
import { outbox, position, press, report, site } from "./team";

function placeName(id: string): string {
  const place = site.value?.places.features.find((one) => one.properties.id === id)?.properties;
  return place ? (lang.value === "zh" ? place.name_zh : place.name_en) : id;
}

function cameraName(id: string): string {
  const camera = site.value?.cameras.features.find((one) => one.properties.id === id)?.properties;
  return camera ? (lang.value === "zh" ? camera.name_zh : camera.name_en) : id;
}

/** One incident this team was sent to: where, what, and the next step as one large button. */
export function Assignment({ incident }: { incident: Incident }) {
  const work = expectedWork(incident, outbox.value);
  const waits = outbox.value.some((one) => one.incident === incident.id);
  return (
    <article class={`assignment level-${incident.severity}`} data-testid="phone-assignment" data-work={incident.work} data-expected={work}>
      <header>
        <LevelShape level={incident.severity} size={44} hollow={work !== "dispatched"} flash={work === "dispatched"} />
        <div>
          <h1>{matter(incident)}</h1>
          <p>
            {word("level", String(incident.severity))}
            {incident.label && ` · ${word("label", incident.label)}`} · {t("panel.number", { n: incident.number })}
          </p>
        </div>
        <time class="num">{lapse(now.value - Date.parse(incident.opened_at))}</time>
      </header>
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
      <Times incident={incident} waits={waits} work={work} />
      {work === "refused" ? null : <Steps incident={incident} work={work} />}
    </article>
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

interface WordsProps {
  title: Key;
  ready: readonly Key[];
  send: Key;
  placeholder: Key;
  testid: string;
  /** Whether photos go with it. */
  photos?: boolean;
  onSend: (text: string, taken: readonly Taken[]) => void;
  onCancel?: () => void;
}

/** A few ready sentences for gloved hands, and a field for one's own words. */
function Words({ title, ready, send, placeholder, testid, photos = false, onSend, onCancel }: WordsProps) {
  const [text, setText] = useState("");
  const [taken, setTaken] = useState<readonly Taken[]>([]);
  return (
    <form
      class="assignment-words"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) onSend(text.trim(), taken);
      }}
    >
      <h2>{t(title)}</h2>
      {ready.map((one) => (
        <button key={one} type="button" class={`btn phone-ready${text === t(one) ? " chosen" : ""}`} onClick={() => setText(t(one))}>
          {t(one)}
        </button>
      ))}
      <textarea
        class="input"
        rows={3}
        maxLength={2000}
        value={text}
        placeholder={t(placeholder)}
        aria-label={t(placeholder)}
        data-testid={`${testid}-text`}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      {photos && <PhotoPicker taken={taken} onChange={setTaken} />}
      <button class="btn primary phone-big" disabled={!text.trim()} data-testid={testid}>
        {t(send)}
      </button>
      {onCancel && (
        <button type="button" class="btn quiet phone-big" onClick={onCancel}>
          {t("act.cancel")}
        </button>
      )}
    </form>
  );
}
