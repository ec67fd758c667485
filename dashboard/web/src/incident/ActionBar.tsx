import { useLayoutEffect, useRef, useState } from "preact/hooks";

import { t, word, type Key } from "../i18n";
import type { Action } from "../keys";
import { CAUSES, REASONS, type Incident, type StepName, type StepRequest } from "../records";
import { onIncident } from "../shell/desk";
import { mayDispatch } from "../state";
import { chosenTeam } from "./proposal";
import { serverNow } from "../clock";
import { armed, chosenVerdict, close, expected, inLine, isMine, isSent, mayBeSent, mustVerify, nextTeamStep, SHELVES_MIN, shelf_min, take, verdictsFor } from "./steps";

/** What can be done now, each with its key; a started choice takes the bar's place. */
export function ActionBar({ incident }: { incident: Incident }) {
  if (armed.value === "false-alarm") {
    return (
      <Digits title={t("act.false.title")} names={CAUSES.map((one) => word("cause", one))} testid="choose-cause"
        onPick={(index) => CAUSES[index] && close(incident, "false_alarm", CAUSES[index])} />
    );
  }
  if (armed.value === "close" && chosenVerdict.value) {
    const verdict = chosenVerdict.value;
    return (
      <Digits title={t("act.cause.title", { verdict: word("verdict", verdict) })} names={REASONS.map((one) => word("cause", one))} testid="choose-cause"
        onPick={(index) => REASONS[index] && close(incident, verdict, REASONS[index])} />
    );
  }
  if (armed.value === "close") {
    const verdicts = verdictsFor(incident);
    return (
      <Digits title={t("act.close.title")} names={verdicts.map((one) => word("verdict", one))} testid="choose-verdict"
        note={verdicts.includes("true") ? "" : t(incident.work === "reported" ? "act.close.unverified" : "act.close.early")}
        onPick={(index) => verdicts[index] && close(incident, verdicts[index])} />
    );
  }
  if (armed.value === "note") return <Words incident={incident} step="note" placeholder="act.note.placeholder" />;
  if (armed.value === "report") return <Words incident={incident} step="report" placeholder="act.report.placeholder" />;
  if (armed.value === "refuse") return <Words incident={incident} step="refuse" placeholder="act.refuse.placeholder" />;
  if (armed.value === "pause") return <Words incident={incident} step="pause" placeholder="act.pause.placeholder" />;
  if (armed.value === "reopen") return <Words incident={incident} step="reopen" placeholder="act.reopen.placeholder" />;
  if (armed.value === "shelve") return <Shelf incident={incident} />;
  return <Buttons incident={incident} />;
}

/** How long, then why. */
function Shelf({ incident }: { incident: Incident }) {
  const minutes = shelf_min.value;
  if (minutes === null) {
    return (
      <Digits title={t("act.shelve.title")} names={SHELVES_MIN.map((one) => (one < 60 ? t("act.shelve.min", { n: one }) : t("act.shelve.hours", { n: one / 60 })))}
        testid="choose-shelf" onPick={(index) => (shelf_min.value = SHELVES_MIN[index] ?? null)} />
    );
  }
  // A second less than the longest, so that a clock that is a little ahead is not refused.
  const until = new Date(serverNow() + minutes * 60_000 - 1_000).toISOString();
  return <Words incident={incident} step="shelve" placeholder="act.shelve.placeholder" more={{ until }} />;
}

/** The step that the owner is expected to take now; its button is filled. */
const MAIN_STEP: Partial<Record<Incident["work"], "acknowledge" | "dispatch" | "verify" | "close">> = {
  new: "acknowledge",
  acknowledged: "dispatch",
  reported: "verify",
  verified: "close",
};

function Buttons({ incident: known }: { incident: Incident }) {
  const incident = expected(known);
  const isOpen = incident.work !== "closed";
  const sendable = isOpen && mayBeSent(incident);
  const isArmed = armed.value === "dispatch";
  const waits = inLine.value.has(incident.id);
  const taken = incident.work !== "new" && !isMine(incident);
  const next = nextTeamStep(incident);
  const mainStep = incident.work === "reported" && !mustVerify(incident) ? "close" : MAIN_STEP[incident.work];
  const main = taken ? null : mainStep;
  const press = (action: Action) => () => void onIncident(action, known);
  return (
    <footer class="actions" aria-busy={waits}>
      {next && <ForTeam incident={incident} next={next} />}
      <div class="actions-main">
        <Act name={armed.value === "take-over" ? "act.take_over.again" : taken ? "act.take_over" : "act.acknowledge"} letter="A"
          testid="btn-acknowledge" primary={main === "acknowledge" || armed.value === "take-over"}
          disabled={!isOpen || (incident.work !== "new" && !taken)} onClick={press("acknowledge")} />
        <Act name={isArmed ? "act.confirm" : isSent(incident) ? "act.redispatch" : "act.dispatch"} letter="D" testid="btn-dispatch" primary={main === "dispatch" || isArmed}
          disabled={!sendable || !mayDispatch() || (isArmed && !chosenTeam.value)} onClick={press("dispatch")} />
        {incident.work === "reported" && <Act name="act.verify" letter="V" testid="btn-verify" primary={mainStep === "verify"} onClick={press("verify")} />}
        <Act name="act.false" letter="F" testid="btn-false-alarm" disabled={!isOpen} onClick={press("false-alarm")} />
        <Act name="act.close" letter="X" testid="btn-close" primary={main === "close" && isOpen} disabled={!isOpen} onClick={press("close")} />
      </div>
      <div class="actions-more">
        <Act name="act.note" letter="N" testid="btn-note" quiet onClick={press("note")} />
        <Act name="act.map" letter="M" testid="btn-map" quiet onClick={press("map")} />
        <Act name="act.live" letter="L" testid="btn-live" quiet disabled={!incident.camera} onClick={press("live")} />
        {isOpen && <Act name={incident.shelved_until ? "act.unshelve" : "act.shelve"} letter="S" testid="btn-shelve" quiet disabled={incident.severity === 1} onClick={press("shelve")} />}
        {isOpen && incident.work !== "new" && (
          <Act name={incident.paused_since ? "act.resume" : "act.pause"} letter="P" testid="btn-pause" quiet disabled={taken} onClick={press("pause")} />
        )}
        <Act name="further.title" letter="O" testid="btn-further" quiet onClick={press("further")} />
        {!isOpen && !incident.duplicate_of && <Act name="act.reopen" letter="R" testid="btn-reopen" quiet onClick={press("reopen")} />}
      </div>
    </footer>
  );
}

interface ActProps {
  name: Key;
  letter: string;
  testid: string;
  onClick: () => void;
  primary?: boolean;
  quiet?: boolean;
  disabled?: boolean;
}

function Act({ name, letter, testid, onClick, primary = false, quiet = false, disabled = false }: ActProps) {
  return (
    <button
      type="button"
      class={`btn${primary ? " primary" : ""}${quiet ? " quiet small" : ""}`}
      aria-keyshortcuts={letter}
      data-testid={testid}
      disabled={disabled}
      onClick={onClick}
    >
      <kbd class="key">{letter}</kbd>
      {t(name)}
    </button>
  );
}

/** Steps that the operator records for a team that answers by radio. */
function ForTeam({ incident, next }: { incident: Incident; next: StepName }) {
  const refusable = incident.work === "dispatched" || incident.work === "accepted";
  const record = (): void => {
    if (next === "report") armed.value = "report";
    else void take(incident.id, next);
  };
  return (
    <div class="for-team">
      <span>{t("act.record")}</span>
      <button type="button" class="btn small" data-testid={`btn-team-${next}`} onClick={record}>
        {t(`act.${next}` as Key)}
      </button>
      {refusable && (
        <button type="button" class="btn small" data-testid="btn-team-refuse" onClick={() => (armed.value = "refuse")}>
          {t("act.refuse")}
        </button>
      )}
    </div>
  );
}

interface DigitsProps {
  title: string;
  names: string[];
  testid: string;
  onPick: (index: number) => void;
  /** Why there are no more choices. */
  note?: string;
}

function Digits({ title, names, testid, onPick, note = "" }: DigitsProps) {
  return (
    <footer class="actions digits" data-testid={testid}>
      <header>
        <strong>{title}</strong>
        <span>{t("act.digit")}</span>
        <button type="button" class="btn quiet small" onClick={() => (armed.value = null)}>
          <kbd class="key">Esc</kbd>
          {t("act.cancel")}
        </button>
      </header>
      <div class="digits-grid">
        {names.map((name, index) => (
          <button key={name} type="button" class="btn" data-digit={index + 1} onClick={() => onPick(index)}>
            <kbd class="key">{index + 1}</kbd>
            <span class="clip">{name}</span>
          </button>
        ))}
      </div>
      {note && <p class="digits-note">{note}</p>}
    </footer>
  );
}

/** A few words of a person: a note, or what a team said by radio. Enter sends, Shift+Enter starts a new line. */
function Words({ incident, step, placeholder, more = {} }: { incident: Incident; step: StepName; placeholder: Key; more?: Pick<StepRequest, "until"> }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  // Before the next key: the first letter of a note must not be a command.
  useLayoutEffect(() => field.current?.focus(), []);
  const save = (): void => {
    if (!text.trim()) return;
    armed.value = null;
    void take(incident.id, step, { ...more, text: text.trim() });
  };
  return (
    <footer class="actions words">
      <textarea
        ref={field}
        class="input"
        rows={3}
        maxLength={2000}
        value={text}
        placeholder={t(placeholder)}
        aria-label={t(placeholder)}
        data-testid="words"
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
          event.preventDefault();
          save();
        }}
      />
      <div class="actions-more">
        <button type="button" class="btn primary" disabled={!text.trim()} data-testid="words-save" onClick={save}>
          {step === "note" ? t("act.save") : t(`act.${step}` as Key)}
        </button>
        <button type="button" class="btn quiet" onClick={() => (armed.value = null)}>
          <kbd class="key">Esc</kbd>
          {t("act.cancel")}
        </button>
      </div>
    </footer>
  );
}
