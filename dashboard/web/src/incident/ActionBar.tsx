import { useEffect, useRef, useState } from "preact/hooks";

import { t, word, type Key } from "../i18n";
import type { Action } from "../keys";
import { CAUSES, type Incident, type StepName } from "../records";
import { onIncident } from "../shell/desk";
import { mayDispatch } from "../state";
import { chosenTeam } from "./proposal";
import { armed, busy, close, isMine, mayBeSent, nextTeamStep, take, verdictsFor } from "./steps";

/** What can be done now, each with its key; a started choice takes the bar's place. */
export function ActionBar({ incident }: { incident: Incident }) {
  if (armed.value === "false-alarm") {
    return (
      <Digits title={t("act.false.title")} names={CAUSES.map((one) => word("cause", one))} testid="choose-cause"
        onPick={(index) => CAUSES[index] && close(incident, "false_alarm", CAUSES[index])} />
    );
  }
  if (armed.value === "close") {
    const verdicts = verdictsFor(incident);
    return (
      <Digits title={t("act.close.title")} names={verdicts.map((one) => word("verdict", one))} testid="choose-verdict"
        note={incident.work === "reported" ? "" : t("act.close.early")}
        onPick={(index) => verdicts[index] && close(incident, verdicts[index])} />
    );
  }
  if (armed.value === "note") return <Words incident={incident} step="note" placeholder="act.note.placeholder" />;
  if (armed.value === "report") return <Words incident={incident} step="report" placeholder="act.report.placeholder" />;
  if (armed.value === "refuse") return <Words incident={incident} step="refuse" placeholder="act.refuse.placeholder" />;
  return <Buttons incident={incident} />;
}

/** The step that the owner is expected to take now; its button is filled. */
const MAIN_STEP: Partial<Record<Incident["work"], "acknowledge" | "dispatch" | "close">> = {
  new: "acknowledge",
  acknowledged: "dispatch",
  reported: "close",
};

function Buttons({ incident }: { incident: Incident }) {
  const isOpen = incident.work !== "closed";
  const sendable = isOpen && mayBeSent(incident);
  const isArmed = armed.value === "dispatch";
  const waits = busy.value.has(incident.id);
  const taken = incident.work !== "new" && !isMine(incident);
  const next = nextTeamStep(incident);
  const main = taken ? null : MAIN_STEP[incident.work];
  const press = (action: Action) => () => void onIncident(action, incident);
  return (
    <footer class="actions" aria-busy={waits}>
      {next && <ForTeam incident={incident} next={next} />}
      <div class="actions-main">
        <Act name={armed.value === "take-over" ? "act.take_over.again" : taken ? "act.take_over" : "act.acknowledge"} letter="A"
          testid="btn-acknowledge" primary={main === "acknowledge" || armed.value === "take-over"}
          disabled={!isOpen || (incident.work !== "new" && !taken)} onClick={press("acknowledge")} />
        <Act name={isArmed ? "act.confirm" : incident.work === "dispatched" ? "act.redispatch" : "act.dispatch"} letter="D" testid="btn-dispatch" primary={main === "dispatch" || isArmed}
          disabled={!sendable || !mayDispatch() || (isArmed && !chosenTeam.value)} onClick={press("dispatch")} />
        <Act name="act.false" letter="F" testid="btn-false-alarm" disabled={!isOpen} onClick={press("false-alarm")} />
        <Act name="act.close" letter="X" testid="btn-close" primary={main === "close" && isOpen} disabled={!isOpen} onClick={press("close")} />
      </div>
      <div class="actions-more">
        <Act name="act.note" letter="N" testid="btn-note" quiet onClick={press("note")} />
        <Act name="act.map" letter="M" testid="btn-map" quiet onClick={press("map")} />
        <Act name="act.live" letter="L" testid="btn-live" quiet onClick={press("live")} />
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
function Words({ incident, step, placeholder }: { incident: Incident; step: StepName; placeholder: Key }) {
  const [text, setText] = useState("");
  const field = useRef<HTMLTextAreaElement>(null);
  useEffect(() => field.current?.focus(), []);
  const save = (): void => {
    if (!text.trim()) return;
    armed.value = null;
    void take(incident.id, step, { text: text.trim() });
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
