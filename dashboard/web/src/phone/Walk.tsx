import { useState } from "preact/hooks";

import type { Round, Stop } from "../board/records";
import { now, timeOf } from "../clock";
import { t, word } from "../i18n";
import { distance_m } from "../map/cones";
import { lang } from "../prefs";
import type { Bilingual } from "../records";
import { CheckIn } from "./CheckIn";
import { skip } from "./commands";
import { outbox, rounds, said } from "./facts";
import { Navigate } from "./Navigate";
import { position } from "./place";
import { madeUpUntil, nextStop, stopNow, walkOf } from "./rounds";
import { Words } from "./Words";

/** Rounds are planned a day ahead; more than the next few nobody plans for. */
const MOST_LATER = 4;

const inLanguage = (name: Bilingual): string => name[lang.value];
const clock = (iso: string): string => timeOf(iso).slice(0, 5);

/** The round of now with its next checkpoint in large, and the rounds after it. */
export function Walk() {
  const { current, later } = walkOf(rounds.value, outbox.value, now.value);
  return (
    <>
      <Said />
      {current ? (
        <RoundCard key={current.id} round={current} />
      ) : (
        <div class="empty phone-none" data-testid="round-none">
          <strong>{t("phone.round.none")}</strong>
          {t("phone.round.none.hint")}
        </div>
      )}
      {later.length > 0 && (
        <section class="phone-card">
          <h2>{t("phone.round.later")}</h2>
          <ul class="phone-list">
            {later.slice(0, MOST_LATER).map((round) => (
              <li key={round.id}>
                <span>{inLanguage(round.name)}</span>
                <span class="num">{t("phone.round.opens", { time: clock(round.opens_at) })}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

/** What the control room said of the last check-in. */
function Said() {
  if (!said.value) return null;
  const { stop, proven, away_m } = said.value;
  const name = inLanguage(stop.name);
  const odd = stop.findings.map((one) => word("phone.finding", one)).join(" · ");
  const text = proven
    ? t("phone.visit.done", { name })
    : away_m === null
      ? t("phone.visit.unproven", { name })
      : t("phone.visit.far", { name, m: Math.round(away_m) });
  return (
    <p class={`phone-said${proven && !odd ? "" : " odd"}`} role="status" data-testid="round-said" data-proven={proven}>
      {text}
      {odd && <strong> {odd}</strong>}
    </p>
  );
}

function RoundCard({ round }: { round: Round }) {
  const [chosen, setChosen] = useState<string | null>(null);
  const [doing, setDoing] = useState<"checkin" | "skip" | null>(null);
  const next = nextStop(round, outbox.value, now.value);
  const stop = round.stops.find((one) => one.checkpoint === chosen) ?? next;
  const done = round.stops.filter((one) => ["visited", "skipped", "sending"].includes(stopNow(round, one, outbox.value, now.value))).length;
  const end = (): void => {
    setDoing(null);
    setChosen(null);
  };
  return (
    <article class="phone-card" data-testid="round-card" data-state={round.state}>
      <header class="round-title">
        <div>
          <h1>{inLanguage(round.name)}</h1>
          <p>{["missed", "incomplete"].includes(round.state) ? t("phone.round.over", { time: clock(new Date(madeUpUntil(round)).toISOString()) }) : word("round.state", round.state)}</p>
        </div>
        <span class="num">{t("phone.round.progress", { done, all: round.stops.length })}</span>
      </header>
      {stop && doing === "checkin" && <CheckIn round={round} stop={stop} onEnd={end} />}
      {stop && doing === "skip" && <Skip round={round} stop={stop} onEnd={end} />}
      {stop && !doing && <StopCard round={round} stop={stop} isNext={stop === next} onDo={setDoing} />}
      {!next && <p class="assignment-done">{t("phone.round.complete")}</p>}
      <ol class="round-list">
        {round.stops.map((one) => (
          <StopRow key={one.checkpoint} round={round} stop={one} current={one === stop} onChoose={() => setChosen(one.checkpoint)} />
        ))}
      </ol>
    </article>
  );
}

interface StopCardProps {
  round: Round;
  stop: Stop;
  isNext: boolean;
  onDo: (what: "checkin" | "skip") => void;
}

function StopCard({ round, stop, isNext, onDo }: StopCardProps) {
  const state = stopNow(round, stop, outbox.value, now.value);
  const here = position.value;
  return (
    <section class="stop-card" data-testid="stop-card" data-checkpoint={stop.checkpoint} data-state={state}>
      <span class="dim">{t(isNext ? "phone.stop.next" : "phone.stop.chosen")}</span>
      <strong>{inLanguage(stop.name)}</strong>
      <span class="num">
        {t("phone.stop.window", { from: clock(stop.from_at), until: clock(stop.until_at) })}
        <em class={state}>{word("phone.stop", state)}</em>
        {here && t("phone.distance", { m: Math.round(distance_m([here.lon, here.lat], [stop.lon, stop.lat]) / 10) * 10 })}
      </span>
      <button type="button" class="btn primary phone-big" data-testid="stop-checkin" onClick={() => onDo("checkin")}>
        {t("phone.checkin")}
      </button>
      <div class="stop-others">
        <Navigate lon={stop.lon} lat={stop.lat} />
        {state !== "missed" && (
          <button type="button" class="btn phone-second" data-testid="stop-skip" onClick={() => onDo("skip")}>
            {t("phone.skip")}
          </button>
        )}
      </div>
    </section>
  );
}

function Skip({ round, stop, onEnd }: { round: Round; stop: Stop; onEnd: () => void }) {
  return (
    <Words
      about={inLanguage(stop.name)}
      title="phone.skip.why"
      ready={["phone.skip.locked", "phone.skip.sent", "phone.skip.weather"]}
      send="phone.skip"
      placeholder="phone.skip.other"
      testid="skip-send"
      longest={500}
      onCancel={onEnd}
      onSend={(reason) => {
        skip(round, stop, reason);
        onEnd();
      }}
    />
  );
}

interface StopRowProps {
  round: Round;
  stop: Stop;
  current: boolean;
  onChoose: () => void;
}

/** One checkpoint of the round; those that can still be visited can be chosen. */
function StopRow({ round, stop, current, onChoose }: StopRowProps) {
  const state = stopNow(round, stop, outbox.value, now.value);
  const text = state === "visited" ? t("phone.stop.visited", { time: clock(stop.visited_at ?? stop.due_at) }) : word("phone.stop", state);
  const odd = stop.findings.map((one) => word("phone.finding", one)).join(" · ");
  const over = state === "visited" || state === "skipped" || state === "sending";
  return (
    <li data-testid="round-stop" data-state={state}>
      <button type="button" class={current ? "current" : ""} disabled={over} onClick={onChoose}>
        <i class={state} aria-hidden="true" />
        <span>{inLanguage(stop.name)}</span>
        <span class="num">
          {over ? text : `${clock(stop.due_at)} · ${text}`}
          {odd && <b>{odd}</b>}
        </span>
      </button>
    </li>
  );
}
