import { useEffect, useState } from "preact/hooks";

import { api, newCommandId } from "../api";
import { serverNow, timeOf } from "../clock";
import { Dialog } from "../controls/Dialog";
import { t, word, type Key } from "../i18n";
import type { Desk, EventRecord, Incident } from "../records";
import { cameraName, changedReferral, inLanguage, learnIncident, mayDispatch, open, placeName, say, select, session, teamName, teams } from "../state";
import { further } from "./further";
import { matter } from "./matter";

const WAYS = ["merge", "split", "refer", "support", "drill", "hold"] as const;
type Way = (typeof WAYS)[number];

const DAY_MS = 86_400_000;
/** A hold made here ends by itself unless somebody prolongs it: nothing personal is kept for ever by a forgotten click. */
const HOLD_DAYS = 365;

/** What is done seldom to an incident: joining, parting, another desk, a second team, an exercise, keeping it. */
export function Further({ incident }: { incident: Incident }) {
  const [way, setWay] = useState<Way | null>(null);
  const close = (): void => void (further.value = false);
  const act = async (done: () => Promise<unknown>, said: string): Promise<void> => {
    try {
      await done();
      say(said);
      close();
    } catch (reason) {
      say(reason instanceof Error ? reason.message : String(reason), "fault");
    }
  };
  const title = `${t("further.title")} · ${t("panel.number", { n: incident.number })}`;
  const ways = WAYS.filter((one) => allowed(one, incident));
  return (
    <Dialog title={title} onClose={close} testid="further">
      <div class="further-body">
        {way === null && (
          <div class="further-ways">
            {ways.map((one) => (
              <button key={one} type="button" class="btn" data-testid={`further-${one}`} onClick={() => setWay(one)}>
                <strong>{t(`further.${one}` as Key)}</strong>
                <span class="dim">{t(`further.${one}.hint` as Key)}</span>
              </button>
            ))}
          </div>
        )}
        {way === "merge" && <Merge incident={incident} act={act} />}
        {way === "split" && <Split incident={incident} act={act} />}
        {way === "refer" && <Refer incident={incident} act={act} />}
        {way === "support" && <SendSupport incident={incident} act={act} />}
        {way === "drill" && (
          <Because label="further.reason" submit="further.drill" onSend={(reason) => act(() => api.markDrill(incident.id, true, reason), t("further.drill.done"))} />
        )}
        {way === "hold" && (
          <Because
            label="further.hold.reason"
            submit="further.hold"
            onSend={(reason) =>
              act(() => api.hold(incident.id, newCommandId(), reason, new Date(serverNow() + HOLD_DAYS * DAY_MS).toISOString()), t("further.hold.done"))
            }
          />
        )}
      </div>
    </Dialog>
  );
}

function allowed(way: Way, incident: Incident): boolean {
  const isOpen = incident.work !== "closed";
  if (way === "split") return isOpen && incident.event_count > 1;
  if (way === "support") return isOpen && incident.team !== null && mayDispatch();
  if (way === "hold") return session.value?.principal.role === "administrator";
  return isOpen;
}

interface FormProps {
  incident: Incident;
  act: (done: () => Promise<unknown>, said: string) => Promise<void>;
}

/** Closes this one as a duplicate; the other one gets its events. */
function Merge({ incident, act }: FormProps) {
  const others = open.value.filter((one) => one.id !== incident.id).sort((a, b) => nearness(incident, a) - nearness(incident, b) || b.number - a.number);
  const merge = (into: Incident): Promise<void> =>
    act(async () => {
      learnIncident(await api.merge(incident.id, into.id, incident.version, newCommandId()));
      select(into.id);
    }, t("further.merge.done", { n: into.number }));
  return (
    <ul class="further-list">
      {others.map((one) => (
        <li key={one.id}>
          <button type="button" class="btn" data-testid="merge-into" onClick={() => void merge(one)}>
            <strong>
              {t("panel.number", { n: one.number })} {matter(one)}
            </strong>
            <span class="dim">
              {placeName(one.compound || one.grid_cell)} · {timeOf(one.opened_at)} · {word("work", one.work)}
            </span>
          </button>
        </li>
      ))}
      {others.length === 0 && <li class="dim">{t("further.merge.none")}</li>}
    </ul>
  );
}

/** Likely duplicates first: the same camera, compound, cell. */
function nearness(a: Incident, b: Incident): number {
  if (a.camera && a.cameras.some((camera) => b.cameras.includes(camera))) return 0;
  if (a.compound && a.compound === b.compound) return 1;
  return a.grid_cell === b.grid_cell ? 2 : 3;
}

/** Gives some of the events an incident of their own. */
function Split({ incident, act }: FormProps) {
  const [events, setEvents] = useState<EventRecord[]>([]);
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    api.incident(incident.id).then(
      (found) => setEvents(found.events),
      (reason: unknown) => say(String(reason), "fault"),
    );
  }, []);
  const toggle = (event: string): void => {
    const next = new Set(chosen);
    if (!next.delete(event)) next.add(event);
    setChosen(next);
  };
  const ready = chosen.size > 0 && chosen.size < events.length;
  const split = (): Promise<void> =>
    act(async () => {
      const made = await api.split(incident.id, [...chosen], incident.version, newCommandId());
      learnIncident(made);
      select(made.id);
    }, t("further.split.done"));
  return (
    <>
      <p class="dim">{t("further.split.text")}</p>
      <ul class="further-list">
        {events.map((one) => (
          <li key={one.id}>
            <label>
              <input type="checkbox" checked={chosen.has(one.id)} data-testid="split-event" onChange={() => toggle(one.id)} />
              {timeOf(one.began_at)} · {word("kind", one.kind)} · {cameraName(one.camera)}
            </label>
          </li>
        ))}
      </ul>
      <button type="button" class="btn primary" disabled={!ready} data-testid="split-send" onClick={() => void split()}>
        {t("further.split")}
      </button>
    </>
  );
}

function Refer({ incident, act }: FormProps) {
  const [desks, setDesks] = useState<Desk[]>([]);
  const [desk, setDesk] = useState("");
  useEffect(() => {
    api.desks().then(setDesks, (reason: unknown) => say(String(reason), "fault"));
  }, [changedReferral.value]); // how much each has
  const name = (one: Desk): string => `${inLanguage(one.name)} (${t("further.refer.load", { waiting: one.waiting, accepted: one.accepted })})`;
  return (
    <>
      <p class="dim">{t("further.refer.text")}</p>
      <select class="input" value={desk} aria-label={t("further.refer.desk")} data-testid="refer-desk" onChange={(event) => setDesk(event.currentTarget.value)}>
        <option value="">{t("further.refer.desk")}</option>
        {desks.map((one) => (
          <option key={one.id} value={one.id}>
            {name(one)}
          </option>
        ))}
      </select>
      <Because
        label="further.reason"
        submit="further.refer"
        disabled={desk === ""}
        onSend={(reason) => act(() => api.refer(incident.id, desk, reason, newCommandId()), t("further.refer.done"))}
      />
    </>
  );
}

function SendSupport({ incident, act }: FormProps) {
  const free = [...teams.value.values()].filter((one) => one.status === "available" && one.on_shift);
  return (
    <ul class="further-list">
      {free.map((one) => (
        <li key={one.id}>
          <button
            type="button"
            class="btn"
            data-testid="support-team"
            onClick={() => void act(() => api.sendSupport(incident.id, one.id, newCommandId()), t("further.support.done", { team: teamName(one.id) }))}
          >
            <strong>{teamName(one.id)}</strong>
            <span class="dim">{word("team.kind", one.kind)}</span>
          </button>
        </li>
      ))}
      {free.length === 0 && <li class="dim">{t("further.support.none")}</li>}
    </ul>
  );
}

interface BecauseProps {
  label: Key;
  submit: Key;
  onSend: (reason: string) => Promise<void>;
  disabled?: boolean;
}

/** A reason in words, without which it is not done. */
function Because({ label, submit, onSend, disabled = false }: BecauseProps) {
  const [reason, setReason] = useState("");
  return (
    <form
      class="further-because"
      onSubmit={(event) => {
        event.preventDefault();
        if (reason.trim() && !disabled) void onSend(reason.trim());
      }}
    >
      <textarea class="input" rows={3} maxLength={500} value={reason} aria-label={t(label)} placeholder={t(label)} data-testid="further-reason" onInput={(event) => setReason(event.currentTarget.value)} />
      <button type="submit" class="btn primary" disabled={disabled || !reason.trim()} data-testid="further-send">
        {t(submit)}
      </button>
    </form>
  );
}
