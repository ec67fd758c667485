import "./queue.css";

import { useEffect, useRef } from "preact/hooks";

import { newCommandId } from "../api";
import { lapse, now, timeOf } from "../clock";
import { LevelShape } from "../controls/shapes";
import { Virtual } from "../controls/Virtual";
import { t, word, type Key } from "../i18n";
import { call } from "../incident/call";
import { matter } from "../incident/matter";
import type { Incident } from "../records";
import { cameraName, incidents, loading, placeName, select, selected, teamName, unsigned, waiting } from "../state";
import { arrange, compare } from "./order";
import { newestFirst, QUEUES, unfold, type Group, type QueueName } from "./queues";
import { arrivedWhileHeld, byQueue, folded, opened, queue, shownIds } from "./shown";

const ROW_PX = 76;
/** A pointer that has not moved for so long points at nothing. */
const HELD_MS = 5_000;
/** Average alarms per operator that can be handled well: one in ten minutes (EEMUA 191). */
const BUDGET_PER_10_MIN = 1;
const RATE_WINDOW_MS = 600_000;

/** One of the three queues, most urgent first; holds still while the pointer is on it. */
export function Queue() {
  const moved_ms = useRef(0);
  const held = now.value - moved_ms.current < HELD_MS;
  const arranged = arrange(ordered(queue.value), shownIds.peek(), held);
  useEffect(() => {
    const before = shownIds.peek();
    if (arranged.ids.length !== before.length || arranged.ids.some((id, at) => id !== before[at])) shownIds.value = arranged.ids;
    arrivedWhileHeld.value = arranged.arrived;
  });
  const unowned = byQueue.value.alarms.filter(waiting).length;
  /** Somebody asked for other rows: nothing is held then. */
  const change = (doing: () => void): void => {
    moved_ms.current = 0;
    doing();
  };
  return (
    <section class="queue" aria-label={t("queue.title")}>
      <header class="queue-head">
        <h2 class="sr-only">{t("queue.title")}</h2>
        <Tabs onChoose={(name) => change(() => (queue.value = name))} />
        <button type="button" class="btn quiet small" aria-keyshortcuts="C" data-testid="new-call" onClick={() => (call.value = { command: newCommandId(), place: null })}>
          <kbd class="key">C</kbd>
          {t("call.new")}
        </button>
        <Rate />
      </header>
      {unsigned.value.map((one) => (
        <p key={one.change_at} class="queue-unsigned" role="alert" data-testid="handover-missing">
          {t("queue.unsigned", { time: timeOf(one.change_at).slice(0, 5) })}
        </p>
      ))}
      {queue.value === "alarms" && folded.value.groups.size > 0 && (
        <p class="queue-flood" role="status" data-testid="flood">
          {t("queue.flood", { n: unowned, rows: folded.value.rows.length })}
        </p>
      )}
      {arranged.arrived > 0 && (
        <button type="button" class="queue-arrived" onClick={() => (moved_ms.current = 0)}>
          {t("queue.arrived", { n: arranged.arrived })}
        </button>
      )}
      {arranged.ids.length === 0 ? (
        <Empty />
      ) : (
        <Virtual
          class="queue-list"
          label={`${t(`queue.${queue.value}`)}, ${t("queue.waiting", { n: unowned })}`}
          ids={arranged.ids}
          rowHeight={ROW_PX}
          focus={selected.value}
          testid="queue"
          onPointerMove={() => (moved_ms.current = Date.now())}
          onPointerLeave={() => (moved_ms.current = 0)}
          row={(id) => (
            <>
              <Row id={id} />
              <More group={folded.value.groups.get(id)} onToggle={(key) => change(() => toggle(key))} />
            </>
          )}
        />
      )}
    </section>
  );
}

function ordered(name: QueueName): string[] {
  if (name === "alarms") return unfold(folded.value, opened.value);
  const found = byQueue.value[name];
  return (name === "log" ? newestFirst(found) : [...found].sort(compare)).map((one) => one.id);
}

function toggle(key: string): void {
  const next = new Set(opened.value);
  if (!next.delete(key)) next.add(key);
  opened.value = next;
}

function Tabs({ onChoose }: { onChoose: (name: QueueName) => void }) {
  return (
    <div class="queue-tabs" role="tablist" aria-label={t("queue.queues")}>
      {QUEUES.map((name) => (
        <button
          key={name}
          type="button"
          role="tab"
          class="queue-tab"
          aria-selected={queue.value === name}
          title={t(`queue.${name}.hint`)}
          data-testid={`queue-${name}`}
          onClick={() => onChoose(name)}
        >
          {t(`queue.${name}`)} <span class="num">{byQueue.value[name].length}</span>
        </button>
      ))}
    </div>
  );
}

function Empty() {
  const isAlarms = queue.value === "alarms";
  return (
    <div class="empty">
      <strong>{t(loading.value ? "queue.loading" : isAlarms ? "queue.empty" : "queue.empty.other")}</strong>
      {!loading.value && isAlarms && t("queue.empty.hint")}
    </div>
  );
}

/** Opens and closes what stands behind a row in a flood. */
function More({ group, onToggle }: { group: Group | undefined; onToggle: (key: string) => void }) {
  if (!group || queue.value !== "alarms") return null;
  const isOpen = opened.value.has(group.key);
  return (
    <button type="button" class="row-more" aria-expanded={isOpen} data-testid="queue-more" onClick={() => onToggle(group.key)}>
      {t(isOpen ? "queue.less" : "queue.more", { n: group.members.length - 1 })}
    </button>
  );
}

/** The alarm budget: how many rang in the last ten minutes. */
function Rate() {
  // Times of one zone are in order as text; reading ten thousand of them each second is not free.
  const since = new Date(now.value - RATE_WINDOW_MS).toISOString();
  let rang = 0;
  for (const one of incidents.value.values()) if (one.opened_at >= since) rang += 1;
  const over = rang > BUDGET_PER_10_MIN;
  return (
    <span class="queue-rate" title={t("top.rate")} data-testid="alarm-rate">
      <span class="queue-rate-bar" aria-hidden="true">
        {[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((step) => (
          <i key={step} class={step < rang ? (step < BUDGET_PER_10_MIN ? "in" : "over") : ""} />
        ))}
      </span>
      <span class="num">{t("queue.rate", { n: rang, budget: BUDGET_PER_10_MIN })}</span>
      {over && <span class="sr-only">{t("queue.rate.over")}</span>}
    </span>
  );
}

function Row({ id }: { id: string }) {
  const incident = incidents.value.get(id);
  if (!incident) return null;
  const isWaiting = waiting(incident);
  const isSelected = selected.value === id;
  const classes = ["row", `level-${incident.severity}`, isWaiting ? "waiting" : "owned", isSelected ? "selected" : ""];
  const kind = matter(incident);
  const label = `${word("level", String(incident.severity))}, ${kind}, ${word("work", incident.work)}, ${placeName(incident.compound)}`;
  return (
    <button
      type="button"
      class={classes.join(" ")}
      aria-current={isSelected ? "true" : undefined}
      aria-label={label}
      data-testid="incident-row"
      data-incident={id}
      data-level={incident.severity}
      data-work={incident.work}
      onClick={() => select(id)}
    >
      <LevelShape level={incident.severity} size={26} hollow={!isWaiting} flash={isWaiting} dim={incident.work === "closed"} />
      <span class="row-body">
        <span class="row-line">
          <strong class="clip">{kind}</strong>
          {incident.event_count > 1 && <span class="row-count num">×{incident.event_count}</span>}
          <span class="row-age num">{lapse(now.value - Date.parse(incident.opened_at))}</span>
        </span>
        <span class="row-place clip">
          {placeName(incident.grid_cell)} · {placeName(incident.compound)}
        </span>
        <span class="row-line last">
          <span class="row-camera clip">
            <span class="num">{incident.camera}</span> {incident.camera ? cameraName(incident.camera) : incident.summary}
          </span>
          {/* In a flood the button for the others stands here; the clock of the one row would say little of them. */}
          {!(queue.value === "alarms" && folded.value.groups.has(id)) && <State incident={incident} />}
        </span>
      </span>
    </button>
  );
}

/** The state of the work, or the clock of the stage that is due. */
function State({ incident }: { incident: Incident }) {
  if (incident.work === "closed") return <span class="row-state">{t("queue.closed")}</span>;
  if (incident.shelved_until) return <span class="row-state num">{t("queue.shelved", { time: timeOf(incident.shelved_until).slice(0, 5) })}</span>;
  const left = incident.due ? Date.parse(incident.due.at) - now.value : null;
  if (left !== null && left < 0) {
    return (
      <span class="row-state over num">
        {word("due", incident.due?.step ?? "")} {t("due.over", { time: lapse(-left) })}
      </span>
    );
  }
  const who = incident.team ? teamName(incident.team) : incident.owner?.name;
  return (
    <span class="row-state clip">
      {t(`work.${incident.work}` as Key)}
      {who && incident.work !== "new" ? ` · ${who}` : ""}
    </span>
  );
}
