import { timeOf } from "../clock";
import { t, word, type Key } from "../i18n";
import { en } from "../i18n/en";
import type { HistoryEntry, Incident } from "../records";
import { placeName, teamName } from "../state";

/** An entry received so much later than it happened waited on a phone without network. */
const LATE_MS = 10_000;

/** What happened, newest first, each with its own time. */
export function History({ incident, entries }: { incident: Incident; entries: readonly HistoryEntry[] }) {
  return (
    <section class="history" data-testid="history">
      <h3>{t("history.title")}</h3>
      <ol>
        {[...entries].reverse().map((entry, index) => (
          <Entry key={`${entry.version} ${index}`} entry={entry} />
        ))}
        {!entries.some((one) => one.step === "opened") && (
          <li>
            <time class="num">{timeOf(incident.opened_at)}</time>
            <span>
              <b>{t("history.system")}</b> {t("history.step.opened")}
            </span>
          </li>
        )}
      </ol>
    </section>
  );
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const key = `history.step.${entry.step}`;
  const step = key in en ? t(key as Key, { team: entry.team ? teamName(entry.team) : "" }) : t("history.step.other");
  const late = Date.parse(entry.recorded_at) - Date.parse(entry.at) > LATE_MS;
  const who = entry.by.kind === "system" ? t("history.system") : entry.by.kind === "team" ? teamName(entry.by.id) : entry.by.name;
  return (
    <li data-step={entry.step}>
      <time class="num">{timeOf(entry.at)}</time>
      <span>
        <b>{who}</b> {step}
        {entry.clock && ` · ${word("due", entry.clock)}`}
        {entry.level && ` → ${word("escalation", entry.level)}${entry.place ? ` ${placeName(entry.place)}` : ""}`}
        {entry.until && ` – ${timeOf(entry.until)}`}
        {entry.verdict && ` · ${word("verdict", entry.verdict)}`}
        {entry.cause && ` · ${word("cause", entry.cause)}`}
        {late && <i class="num"> ({t("history.late", { time: timeOf(entry.recorded_at) })})</i>}
        {entry.text && entry.step !== "photo" && <q>{entry.text}</q>}
      </span>
    </li>
  );
}
