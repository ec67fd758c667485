import { now, timeOf } from "../clock";
import { t, word } from "../i18n";
import { inLanguage, teamName } from "../state";
import { rounds } from "./facts";
import type { Round, Stop } from "./records";

const ORDER = ["under_way", "missed", "incomplete", "due", "completed", "withdrawn"];

/** Rounds of this shift: those under way first, then those that went wrong; one mark a stop, missed ones in colour. */
export function Rounds() {
  const shown = [...rounds.value].sort(
    (a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || a.due_at.localeCompare(b.due_at),
  );
  return (
    <section class="board-part" aria-label={t("board.rounds")} data-testid="board-rounds">
      <h2>
        {t("board.rounds")} <span class="num dim">{shown.length}</span>
      </h2>
      <ul class="rounds">
        {shown.map((round) => (
          <RoundRow key={round.id} round={round} />
        ))}
        {shown.length === 0 && <li class="dim">{t("board.rounds.none")}</li>}
      </ul>
    </section>
  );
}

function RoundRow({ round }: { round: Round }) {
  const missed = round.stops.filter((stop) => stateOf(stop) === "missed").length;
  const visited = round.stops.filter((stop) => stop.state === "visited").length;
  return (
    <li class="round" data-testid="round" data-state={round.state}>
      <div class="round-head">
        <strong class="clip">{inLanguage(round.name)}</strong>
        <span class="dim clip">{round.team ? teamName(round.team) : t("board.rounds.nobody")}</span>
        <span class="num dim">
          {word("round.state", round.state)} · {timeOf(round.due_at).slice(0, 5)}
        </span>
      </div>
      <div class="round-stops" role="img" aria-label={t("board.rounds.stops", { visited, missed, all: round.stops.length })}>
        {round.stops.map((stop, index) => (
          <i
            key={`${stop.checkpoint}-${index}`}
            class={stateOf(stop)}
            title={`${inLanguage(stop.name)} · ${timeOf(stop.visited_at ?? stop.due_at)} · ${word("stop.state", stateOf(stop))}${stop.reason ? ` · ${stop.reason}` : ""}`}
          />
        ))}
        <span class={`num${missed > 0 ? " late" : " dim"}`}>
          {missed > 0 ? t("board.rounds.missed", { n: missed }) : `${visited}/${round.stops.length}`}
        </span>
      </div>
    </li>
  );
}

/** An open stop whose grace is over is missed, also in the seconds before the server says so. */
function stateOf(stop: Stop): Stop["state"] {
  return stop.state === "open" && Date.parse(stop.until_at) < now.value ? "missed" : stop.state;
}
