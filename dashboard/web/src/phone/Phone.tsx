import "./phone.css";
import "./work.css";

import { useEffect, useState } from "preact/hooks";

import { now, timeOf } from "../clock";
import { Icon, type IconName } from "../controls/shapes";
import { t, type Key } from "../i18n";
import { lang, theme } from "../prefs";
import { Field } from "../signin/SignIn";
import "../signin/signin.css";
import { unlockSound } from "../sound";
import { link } from "../updates";
import { Assignment } from "./Assignment";
import { codeIn } from "./code";
import { assignments, calledForHelp, calls, othersCalls, othersOutbox, outbox, reachable, refusal, rounds, support } from "./facts";
import { leftBehind } from "./outbox";
import { nextStop, stopNow, walkOf } from "./rounds";
import { Shift } from "./Shift";
import { SosButton, SosCard } from "./Sos";
import { Support } from "./Support";
import { begin, codeFailed, install, phase, signInWith, teamName } from "./team";
import { Walk } from "./Walk";

/** The page in a team's hand: what to do now, as few and as large buttons as possible. */
export function Phone() {
  useEffect(() => {
    void begin();
    install();
    document.title = t("phone.title");
    document.addEventListener("pointerdown", unlockSound);
    // A new link from the control room, opened in a tab that shows this page already, does not load it anew.
    const onHash = (): void => {
      if (phase.peek() === "code") void begin();
      else if (codeIn(location.hash)) location.reload();
    };
    addEventListener("hashchange", onHash);
    return () => {
      document.removeEventListener("pointerdown", unlockSound);
      removeEventListener("hashchange", onHash);
    };
  }, []);
  if (phase.value === "starting") return <div class="phone" aria-busy="true" />;
  return (
    <div class="phone" data-testid="phone">
      <Bar />
      {phase.value === "code" ? <Code /> : <Work />}
    </div>
  );
}

function Bar() {
  const state = link.value === "lost" || !reachable.value ? "offline" : link.value === "live" ? "online" : "connecting";
  const ready = phase.value === "ready";
  return (
    <header class="phone-bar">
      <img src="/icon.svg" width={28} height={28} alt="" />
      <div class="phone-who">
        <strong class="clip">{teamName(lang.value) ?? "Gridpatrol"}</strong>
        {ready && (
          <span class={state === "offline" ? "lost" : ""} role="status" data-testid="phone-link" data-state={state}>
            {t(`phone.${state}`)}
          </span>
        )}
      </div>
      <button
        type="button"
        class="btn quiet icon"
        aria-label={t(theme.value === "dark" ? "rail.theme.light" : "rail.theme.dark")}
        onClick={() => (theme.value = theme.value === "dark" ? "light" : "dark")}
      >
        <Icon name={theme.value === "dark" ? "sun" : "moon"} size={20} />
      </button>
      <button
        type="button"
        class="btn quiet icon"
        aria-label={t("rail.language.label")}
        onClick={() => (lang.value = lang.value === "zh" ? "en" : "zh")}
      >
        {lang.value === "zh" ? "EN" : "中"}
      </button>
    </header>
  );
}

function Code() {
  const [code, setCode] = useState(codeIn(location.hash));
  const submit = (event: Event): void => {
    event.preventDefault();
    void signInWith(code);
  };
  return (
    <main class="phone-main">
      <OthersWait />
      <form class="phone-code" onSubmit={submit}>
        <h1>{t("phone.code.title")}</h1>
        <p>{t("phone.code.text")}</p>
        <Field label={t("phone.code.label")} value={code} onInput={setCode} autocomplete="one-time-code" testid="phone-code-input" />
        <p class="gate-failed" role="alert">
          {codeFailed.value}
        </p>
        <button class="btn primary phone-big" disabled={!code.trim()}>
          {t("phone.code.submit")}
        </button>
      </form>
    </main>
  );
}

/** Whose commands still wait on this phone, which another team carries now. */
function OthersWait() {
  const all = leftBehind([...othersCalls.value, ...othersOutbox.value]);
  return (
    <>
      {all.map(({ team, name, count, since, calls: isCall }) => (
        <p key={team} class={isCall ? "phone-refused" : "phone-queued"} role={isCall ? "alert" : "status"} data-testid="phone-others" data-team={team} data-count={count}>
          <span>
            <strong>{t("phone.others", { n: count, team: name[lang.value], time: timeOf(since).slice(0, 5) })}</strong>{" "}
            {t(isCall ? "phone.others.call" : "phone.others.hint")}
          </span>
        </p>
      ))}
    </>
  );
}

type Tab = "tasks" | "round" | "shift";

function Work() {
  const [tab, setTab] = useState<Tab>("tasks");
  return (
    <>
      <main class="phone-main">
        <SosCard />
        <Notices />
        {tab === "tasks" && <Tasks onRound={() => setTab("round")} />}
        {tab === "round" && <Walk />}
        {tab === "shift" && <Shift />}
      </main>
      <Tabs tab={tab} onTab={setTab} />
    </>
  );
}

/** What is wrong or waits, above whatever is shown. */
function Notices() {
  const offline = link.value === "lost" || !reachable.value;
  const waiting = outbox.value.length + calls.value.length;
  return (
    <>
      {offline && (
        <p class="phone-offline" role="alert">
          <strong>{t("phone.offline")}</strong> {t("phone.offline.hint")}
        </p>
      )}
      {waiting > 0 && (
        <p class="phone-queued" role="status" data-testid="phone-queued" data-count={waiting}>
          <Icon name="phone" size={18} />
          {t("phone.queued", { n: waiting })}
        </p>
      )}
      <OthersWait />
      {refusal.value && (
        <p class="phone-refused" role="alert" data-testid="phone-refused">
          {refusal.value}
        </p>
      )}
    </>
  );
}

function Tasks({ onRound }: { onRound: () => void }) {
  const helping = calledForHelp.value ? null : support.value;
  const { current } = walkOf(rounds.value, outbox.value, now.value);
  const next = current && nextStop(current, outbox.value, now.value);
  return (
    <>
      {assignments.value.map((incident) => (
        <Assignment key={incident.id} incident={incident} />
      ))}
      {helping && <Support support={helping} />}
      {assignments.value.length === 0 && !helping && (
        <div class="empty phone-none" data-testid="phone-none">
          <strong>{t("phone.none")}</strong>
          {t("phone.none.hint")}
        </div>
      )}
      {current && next && (
        <button type="button" class="btn phone-hint" data-testid="phone-to-round" onClick={onRound}>
          <span>{current.name[lang.value]}</span>
          <strong>
            {next.name[lang.value]} · {timeOf(next.due_at).slice(0, 5)}
          </strong>
        </button>
      )}
    </>
  );
}

const TABS: readonly { id: Tab; icon: IconName }[] = [
  { id: "tasks", icon: "bell" },
  { id: "round", icon: "pin" },
  { id: "shift", icon: "teams" },
];

function Tabs({ tab, onTab }: { tab: Tab; onTab: (tab: Tab) => void }) {
  const { current } = walkOf(rounds.value, outbox.value, now.value);
  const badge: Record<Tab, number> = {
    tasks: assignments.value.length + (support.value && !calledForHelp.value ? 1 : 0),
    round: current?.stops.filter((stop) => ["now", "overdue", "missed"].includes(stopNow(current, stop, outbox.value, now.value))).length ?? 0,
    shift: 0,
  };
  return (
    <nav class="phone-tabs">
      {TABS.map(({ id, icon }) => (
        <button key={id} type="button" aria-current={tab === id ? "page" : undefined} data-testid={`phone-tab-${id}`} onClick={() => onTab(id)}>
          <Icon name={icon} size={22} />
          {t(`phone.tab.${id}` as Key)}
          {badge[id] > 0 && <b class="num">{badge[id]}</b>}
        </button>
      ))}
      <SosButton />
    </nav>
  );
}
