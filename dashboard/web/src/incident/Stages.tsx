import { lapse, now, timeOf } from "../clock";
import { t, word, type Key } from "../i18n";
import { WORKS, type Incident } from "../records";

/** One clock per stage: when it was reached, and for the next one how much time is left. */
export function Stages({ incident }: { incident: Incident }) {
  const reached = WORKS.indexOf(incident.work);
  const began = Date.parse(incident.opened_at);
  return (
    <section class="stages" data-testid="stages">
      <ol>
        {WORKS.map((work, index) => {
          const at = incident.stages[work];
          const done = index <= reached && at !== undefined;
          const state = index === reached ? "now" : done ? "done" : index < reached ? "skipped" : "ahead";
          const took = at ? Date.parse(at) - began : null;
          return (
            <li key={work} class={state} title={at ? timeOf(at) : undefined} data-stage={work}>
              <i aria-hidden="true" />
              <span>{t(`stage.${work}` as Key)}</span>
              <time class="num">{done && took !== null ? (work === "new" ? timeOf(at).slice(0, 5) : `+${lapse(took)}`) : " "}</time>
            </li>
          );
        })}
      </ol>
      {incident.paused_since && (
        <div class="due" data-testid="paused">
          <span>{t("due.paused")}</span>
          <strong class="num">{lapse(now.value - Date.parse(incident.paused_since))}</strong>
        </div>
      )}
      {incident.due && <DueClock step={incident.due.step} at={incident.due.at} from={stageStart(incident)} />}
    </section>
  );
}

function stageStart(incident: Incident): number {
  return Date.parse(incident.stages[incident.work] ?? incident.opened_at);
}

/** Counts down to the limit, then up in red with words. */
function DueClock({ step, at, from }: { step: string; at: string; from: number }) {
  const end = Date.parse(at);
  const left = end - now.value;
  const over = left < 0;
  const share = Math.min(1, Math.max(0, (now.value - from) / Math.max(1, end - from)));
  return (
    <div class={`due${over ? " over" : ""}`} data-testid="due" data-overdue={over}>
      <span>{word("due", step)}</span>
      <svg class="due-bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect width="100" height="4" class="due-all" />
        <rect width={share * 100} height="4" class="due-used" />
      </svg>
      <strong class="num">{over ? t("due.over", { time: lapse(-left) }) : t("due.in", { time: lapse(left) })}</strong>
    </div>
  );
}
