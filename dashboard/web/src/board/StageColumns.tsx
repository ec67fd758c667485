import { useState } from "preact/hooks";

import { lapse, now } from "../clock";
import { LevelShape } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import { mayBeSent } from "../incident/steps";
import type { Incident } from "../records";
import { show } from "../shell/desk";
import { open, placeName, teamName } from "../state";
import type { Assignment } from "./AssignDialog";
import { carried } from "./Board";
import { arrangeByStage, COLUMNS } from "./stages";

/** Drawn at once in a column; the rest is a line that says how many they are. */
const MOST_CARDS = 40;

export function StageColumns({ onAssign }: { onAssign: (wanted: Assignment) => void }) {
  const byStage = arrangeByStage(open.value);
  return (
    <section class="stages-board" aria-label={t("board.stages")}>
      {COLUMNS.map(({ id }) => {
        const cards = byStage.get(id) ?? [];
        return (
          <section key={id} class="stage" aria-label={t(`board.stage.${id}` as Key)} data-stage={id}>
            <h2>
              {t(`board.stage.${id}` as Key)} <span class="num dim">{cards.length}</span>
            </h2>
            <ul>
              {cards.slice(0, MOST_CARDS).map((one) => (
                <li key={one.id}>
                  <Card incident={one} onAssign={onAssign} />
                </li>
              ))}
              {cards.length > MOST_CARDS && <li class="dim">{t("board.stage.more", { n: cards.length - MOST_CARDS })}</li>}
            </ul>
          </section>
        );
      })}
    </section>
  );
}

function Card({ incident, onAssign }: { incident: Incident; onAssign: (wanted: Assignment) => void }) {
  const [over, setOver] = useState(false);
  const takes = carried.value !== null && mayBeSent(incident);
  const assign = (team: string): void => onAssign({ incident, team });
  return (
    <button
      type="button"
      class={`card${takes ? " takes" : ""}${over && takes ? " over" : ""}`}
      data-testid="board-card"
      data-number={incident.number}
      onClick={() => (carried.value ? assign(carried.value) : show(incident.id))}
      onDragOver={(event) => {
        if (!takes) return;
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const team = event.dataTransfer?.getData("text/plain") ?? "";
        if (team) assign(team);
      }}
    >
      <LevelShape level={incident.severity} size={20} hollow={incident.work !== "new"} />
      <span class="card-what">
        <strong>{matter(incident)}</strong>
        <span class="dim clip">
          {t("panel.number", { n: incident.number })} · {placeName(incident.grid_cell)}
        </span>
        <span class="dim clip">{incident.team ? teamName(incident.team) : (incident.owner?.name ?? "")}</span>
      </span>
      <Limit incident={incident} />
    </button>
  );
}

/** The running clock of an incident in one word and one time. */
function Limit({ incident }: { incident: Incident }) {
  if (incident.paused_since) return <span class="limit dim">{t("due.paused")}</span>;
  if (!incident.due) return null;
  const left = Date.parse(incident.due.at) - now.value;
  return (
    <span class={`limit num${left < 0 ? " late" : ""}`}>
      <span class="dim">{word("due", incident.due.step)}</span>
      {left < 0 ? t("due.over", { time: lapse(-left) }) : t("due.in", { time: lapse(left) })}
    </span>
  );
}
