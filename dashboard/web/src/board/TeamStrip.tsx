import { lapse, now } from "../clock";
import { t, word } from "../i18n";
import { inLanguage, mayDispatch } from "../state";
import { carried } from "./Board";
import { rows } from "./facts";
import type { BoardRow } from "./records";

const FREE_FIRST = ["available", "dispatched", "accepted", "en_route", "on_scene"];

/** Teams on shift, the free ones first; a free one is dragged, or picked up by Enter, to be sent. */
export function TeamStrip() {
  const onShift = rows.value
    .filter((row) => row.on_shift)
    .sort((a, b) => FREE_FIRST.indexOf(a.status) - FREE_FIRST.indexOf(b.status) || a.load - b.load || a.team.localeCompare(b.team));
  const free = onShift.filter((row) => row.status === "available" && !row.supporting).length;
  return (
    <section class="strip" aria-label={t("board.teams")}>
      <header>
        <h2>{t("board.teams")}</h2>
        <span class="num dim">{t("board.teams.free", { free, all: onShift.length })}</span>
        {carried.value && <span class="strip-hint">{t("board.carry")}</span>}
      </header>
      <ul class="strip-teams">
        {onShift.map((row) => (
          <li key={row.team}>
            <Chip row={row} />
          </li>
        ))}
        {onShift.length === 0 && <li class="dim">{t("board.teams.none")}</li>}
      </ul>
    </section>
  );
}

function Chip({ row }: { row: BoardRow }) {
  const free = row.status === "available" && !row.supporting;
  const usable = free && mayDispatch();
  const left = row.shift_until ? Date.parse(row.shift_until) - now.value : null;
  return (
    <button
      type="button"
      class={`chip ${row.status}`}
      draggable={usable}
      disabled={!usable}
      aria-pressed={usable ? carried.value === row.team : undefined}
      title={[row.call_signs.join(", "), row.doubt && inLanguage(row.doubt), row.rest && inLanguage(row.rest)].filter(Boolean).join("\n")}
      data-testid="team-chip"
      data-team={row.team}
      onClick={() => (carried.value = carried.value === row.team ? null : row.team)}
      onDragStart={(event) => {
        event.dataTransfer?.setData("text/plain", row.team);
        carried.value = row.team;
      }}
      onDragEnd={() => (carried.value = null)}
    >
      <span class={`team-status ${row.status}`}>
        <i aria-hidden="true" />
        <strong>{inLanguage(row.name)}</strong>
      </span>
      <span class="dim num">
        {free ? t("board.team.load", { n: row.load }) : word("team.status", row.status)}
        {row.incident_number !== null && ` · ${t("panel.number", { n: row.incident_number })}`}
        {row.supporting && ` · ${t("board.team.supports")}`}
        {left !== null && left < 3_600_000 && ` · ${t("board.team.until", { time: lapse(left) })}`}
        {row.rest && ` · ${t("board.team.rest")}`}
        {row.position === "stale" && ` · ${t("board.team.stale")}`}
      </span>
    </button>
  );
}
