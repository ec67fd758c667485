import "./panel.css";

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { lapse, now } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "./matter";
import type { EventRecord, HistoryEntry, Incident } from "../records";
import { cameraById, cameraName, current, generation, inLanguage, open, placeName } from "../state";
import { ActionBar } from "./ActionBar";
import { Evidence } from "./Evidence";
import { History } from "./History";
import { Photos } from "./Photos";
import { ProposalCard } from "./ProposalCard";
import { Related } from "./Related";
import { Stages } from "./Stages";
import { isMine } from "./steps";

interface Details {
  id: string;
  history: HistoryEntry[];
  events: EventRecord[];
}

/** History and events of an incident, read again whenever it changes. */
function useDetails(incident: Incident | null): Details | null {
  const [details, setDetails] = useState<Details | null>(null);
  const id = incident?.id;
  useEffect(() => {
    if (!id) return;
    let stale = false;
    api
      .incident(id)
      .then(({ history, events }) => !stale && setDetails({ id, history, events }))
      // The page shows what the queue knows; the next change asks again.
      .catch(() => undefined);
    return () => {
      stale = true;
    };
  }, [id, incident?.version, incident?.event_count, generation.value]);
  return details?.id === id ? details : null;
}

/** Everything about the selected incident, and what can be done about it. */
export function Panel() {
  const incident = current.value;
  const details = useDetails(incident);
  if (!incident) return <Nothing />;
  const isOpen = incident.work !== "closed";
  return (
    <aside
      id="panel"
      class={`panel level-${incident.severity}`}
      tabIndex={-1}
      aria-label={`${matter(incident)} ${t("panel.number", { n: incident.number })}`}
      data-testid="incident-panel"
      data-incident={incident.id}
      data-work={incident.work}
    >
      <Head incident={incident} />
      <div class="panel-scroll">
        <Evidence incident={incident} />
        <Stages incident={incident} />
        {isOpen && <ProposalCard incident={incident} />}
        <Facts incident={incident} event={details?.events.find(({ id }) => id === incident.best_event) ?? details?.events[0] ?? null} />
        {incident.camera && <Related incident={incident} />}
        <Photos incident={incident.id} entries={details?.history ?? []} />
        <History incident={incident} entries={details?.history ?? []} />
      </div>
      <ActionBar incident={incident} />
    </aside>
  );
}

function Nothing() {
  const quiet = open.value.length === 0;
  return (
    <aside id="panel" class="panel" tabIndex={-1} data-testid="incident-panel-empty">
      <div class="empty">
        <strong>{t(quiet ? "panel.quiet" : "panel.none")}</strong>
        {t(quiet ? "panel.quiet.hint" : "panel.none.hint")}
      </div>
    </aside>
  );
}

function Head({ incident }: { incident: Incident }) {
  const isNew = incident.work === "new";
  const owner = incident.owner;
  return (
    <header class="panel-head">
      <LevelShape level={incident.severity} size={38} hollow={!isNew} flash={isNew} dim={incident.work === "closed"} />
      <div class="panel-title">
        <h2 class="clip">
          {matter(incident)}
          {incident.label && <small> · {word("label", incident.label)}</small>}
        </h2>
        <p class="clip">
          {placeName(incident.grid_cell)} · {placeName(incident.compound)}
        </p>
      </div>
      <div class="panel-meta">
        <span class="panel-age num" title={t("panel.age")}>
          {lapse(now.value - Date.parse(incident.opened_at))}
        </span>
        <span class="panel-number num">{t("panel.number", { n: incident.number })}</span>
      </div>
      <div class="panel-owner">
        <span class={`panel-work ${incident.work}`} data-testid="incident-work">
          {t(`work.${incident.work}` as Key)}
          {incident.verdict ? ` · ${word("verdict", incident.verdict)}` : ""}
          {incident.cause ? ` · ${word("cause", incident.cause)}` : ""}
        </span>
        <span>
          {t("panel.owner")}{" "}
          <b data-testid="incident-owner">
            {owner ? (isMine(incident) ? `${owner.name} (${t("panel.owner.you")})` : owner.name) : t("panel.owner.none")}
          </b>
        </span>
      </div>
    </header>
  );
}

/** An event names its zone in one language; the camera knows it in both. */
function zoneName(event: EventRecord): string {
  const zones = cameraById.value.get(event.camera)?.properties.zones ?? [];
  const zone = zones.find((one) => one.name_en === event.zone || one.name_zh === event.zone);
  return zone ? inLanguage({ zh: zone.name_zh, en: zone.name_en }) : event.zone;
}

function Facts({ incident, event }: { incident: Incident; event: EventRecord | null }) {
  return (
    <dl class="facts">
      {incident.summary && (
        <div>
          <dt>{t(`origin.${incident.origin}` as Key)}</dt>
          <dd data-testid="summary">
            {incident.summary}
            {incident.caller && ` · ${incident.caller}`}
          </dd>
        </div>
      )}
      {incident.camera && (
        <div>
          <dt>{t("panel.camera")}</dt>
          <dd>
            <span class="num">{incident.camera}</span> {cameraName(incident.camera)}
          </dd>
        </div>
      )}
      <div>
        <dt>{t("panel.place")}</dt>
        <dd>
          {placeName(incident.community)} · {placeName(incident.compound)}
        </dd>
      </div>
      {event?.rule && (
        <div>
          <dt>{t("panel.rule")}</dt>
          <dd>
            {event.zone && `${zoneName(event)} · `}
            {event.rule}
          </dd>
        </div>
      )}
      {incident.best_event && (
        <div>
          <dt>{t("panel.score")}</dt>
          <dd class="num">
            {Math.round(incident.score * 100)} % · {t("queue.events", { n: incident.event_count })}
            {event?.opinion && ` · ${word("opinion", event.opinion)}`}
          </dd>
        </div>
      )}
    </dl>
  );
}
