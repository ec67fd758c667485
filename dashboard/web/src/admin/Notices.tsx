import { useState } from "preact/hooks";

import { written } from "../clock";
import { t, word } from "../i18n";
import { TARGET_TABLES } from "./fields";
import { act, Sheet, useLoaded } from "./loading";
import { admin, type Message, type NoticeTarget } from "./requests";
import { EntryButtons, EntryList, TopValues, useSettings, type SettingsWork } from "./settings";

const STATES = ["dead", "waiting", "delivered", ""] as const;
type State = (typeof STATES)[number];
const AGAIN_MS = 10_000;

/** Who is told by which way, what waits, and what was given up; a test message, and sending again. */
export function Notices() {
  const [turn, setTurn] = useState(0);
  const targets = useLoaded(admin.targets, [turn], AGAIN_MS);
  const [target, setTarget] = useState("");
  const [state, setState] = useState<State>("dead");
  const again = (): void => setTurn((before) => before + 1);
  const work = useSettings("notifications", again);
  // So that it is seen whether it arrives.
  const tested = (one: string): void => {
    setTarget(one);
    setState("");
    again();
  };
  return (
    <Sheet
      title={t("notices.title")}
      hint={t("notices.hint")}
      count={targets.data?.length}
      loaded={targets}
      testid="notices"
      tools={
        <div class="report-tools">
          {TARGET_TABLES.map((table) => (
            <button key={table} type="button" class="btn" data-testid={`add-${table}`} onClick={() => work.edit(table)}>
              + {word("setting.form", table)}
            </button>
          ))}
        </div>
      }
    >
      {work.shown}
      {targets.data?.length === 0 && <p class="dim">{t("notices.none")}</p>}
      <table class="table compact">
        <thead>
          <tr>
            <th scope="col">{t("notices.target")}</th>
            <th scope="col">{t("notices.channel")}</th>
            <th scope="col" class="right">
              {t("notices.waiting")}
            </th>
            <th scope="col">{t("notices.oldest")}</th>
            <th scope="col" class="right">
              {t("notices.dead")}
            </th>
            <th scope="col" />
          </tr>
        </thead>
        <tbody>
          {targets.data?.map((one) => (
            <TargetRow key={one.id} one={one} work={work} again={again} tested={() => tested(one.id)} />
          ))}
        </tbody>
      </table>
      <EntryList work={work} table="rule" title={t("notices.rules")} none={t("notices.rules.none")} />
      <TopValues work={work} form="notifications" title={t("notices.general")} />
      <Messages targets={targets.data ?? []} target={target} onTarget={setTarget} state={state} onState={setState} turn={turn} again={again} />
    </Sheet>
  );
}

interface TargetRowProps {
  one: NoticeTarget;
  work: SettingsWork;
  again: () => void;
  tested: () => void;
}

function TargetRow({ one, work, again, tested }: TargetRowProps) {
  const [table, number] = placeOf(work, one.id);
  return (
    <tr data-testid="target-row" data-target={one.id}>
      <th scope="row">
        {one.id} {!one.configured && <span class="dim">{t("notices.gone")}</span>}
      </th>
      <td>{one.channel ? word("notices.channel", one.channel) : "–"}</td>
      <td class="num right">{one.waiting}</td>
      <td class="num">{one.oldest_at ? stamp(one.oldest_at) : "–"}</td>
      <td class={`num right${one.dead > 0 ? " lost-text" : ""}`}>{one.dead}</td>
      <td class="right">
        <span class="ask">
          {one.dead > 0 && (
            <button
              type="button"
              class="btn small"
              data-testid="target-retry"
              aria-label={t("notices.retry.of", { target: one.id })}
              onClick={() => void act(async () => t("notices.retried", { n: await admin.retryAll(one.id) }), again)}
            >
              {t("notices.retry")}
            </button>
          )}
          {one.configured && (
            <button
              type="button"
              class="btn small"
              data-testid="target-test"
              aria-label={t("notices.test.of", { target: one.id })}
              onClick={() =>
                void act(async () => {
                  await admin.test(one.id);
                  return t("notices.tested", { target: one.id });
                }, tested)
              }
            >
              {t("notices.test")}
            </button>
          )}
          {table && <EntryButtons work={work} table={table} number={number} name={one.id} />}
        </span>
      </td>
    </tr>
  );
}

/** In which table of the file a target stands, and as which of them, from 1. */
function placeOf(work: SettingsWork, target: string) {
  for (const table of TARGET_TABLES) {
    const index = (work.known?.tables[table] ?? []).findIndex((one) => one["id"] === target);
    if (index >= 0) return [table, index + 1] as const;
  }
  return [null, 0] as const;
}

interface MessagesProps {
  targets: readonly NoticeTarget[];
  target: string;
  onTarget: (target: string) => void;
  state: State;
  onState: (state: State) => void;
  turn: number;
  again: () => void;
}

function Messages({ targets, target, onTarget, state, onState, turn, again }: MessagesProps) {
  const [before, setBefore] = useState<readonly string[]>([]);
  const page = useLoaded(() => admin.messages(state, target, before[before.length - 1] ?? null), [state, target, before, turn], AGAIN_MS);
  return (
    <section class="admin-part" aria-label={t("notices.messages")}>
      <header class="report-head">
        <h2>{t("notices.messages")}</h2>
        <div class="report-tools">
          <div class="segments" role="group" aria-label={t("notices.state")}>
            {STATES.map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={state === one}
                data-testid={`messages-${one || "all"}`}
                onClick={() => {
                  onState(one);
                  setBefore([]);
                }}
              >
                {word("notices.state", one || "all")}
              </button>
            ))}
          </div>
          <select
            class="input"
            aria-label={t("notices.target")}
            value={target}
            onChange={(event) => {
              onTarget(event.currentTarget.value);
              setBefore([]);
            }}
          >
            <option value="">{t("notices.target.all")}</option>
            {targets.map((one) => (
              <option key={one.id} value={one.id}>
                {one.id}
              </option>
            ))}
          </select>
        </div>
      </header>
      {page.failed && (
        <p class="fault-text" role="alert">
          {page.failed}
        </p>
      )}
      {page.data?.items.length === 0 && <p class="dim">{t("notices.messages.none")}</p>}
      <ul class="messages">
        {page.data?.items.map((one) => (
          <MessageRow key={one.id} one={one} again={again} />
        ))}
      </ul>
      <div class="ask">
        {before.length > 0 && (
          <button type="button" class="btn small" onClick={() => setBefore(before.slice(0, -1))}>
            {t("notices.newer")}
          </button>
        )}
        {page.data?.next && (
          <button type="button" class="btn small" onClick={() => page.data?.next && setBefore([...before, page.data.next])}>
            {t("notices.older")}
          </button>
        )}
      </div>
    </section>
  );
}

function MessageRow({ one, again }: { one: Message; again: () => void }) {
  return (
    <li data-testid="message-row" data-state={one.state}>
      <div class="two-lines">
        <strong>{one.title}</strong>
        <span class="dim num">
          {stamp(one.made_at)} · {one.target} · {word("notices.state", one.state)} · {t("notices.tries", { n: one.tries })}
        </span>
        {one.error && <span class="lost-text">{one.error}</span>}
      </div>
      {one.state === "dead" && (
        <button
          type="button"
          class="btn small"
          data-testid="message-retry"
          onClick={() =>
            void act(async () => {
              await admin.retry(one.id);
              return t("notices.retried", { n: 1 });
            }, again)
          }
        >
          {t("notices.retry")}
        </button>
      )}
    </li>
  );
}

function stamp(iso: string): string {
  const { date, time } = written(Date.parse(iso));
  return `${date.slice(5)} ${time}`;
}
