import { now, written } from "../clock";
import { t } from "../i18n";
import { placeName, teamName } from "../state";
import { AHEAD_H, BACK_H, duties, gaps } from "./facts";
import type { Duty } from "./records";

const HOUR_MS = 3_600_000;
const SPAN_MS = (BACK_H + AHEAD_H) * HOUR_MS;
const TICK_H = 2;

/** Who works when, around now, and where and when too few do. */
export function TimeLine() {
  const begin = now.value - BACK_H * HOUR_MS;
  const byTeam = new Map<string, Duty[]>();
  for (const duty of duties.value) byTeam.set(duty.team, [...(byTeam.get(duty.team) ?? []), duty]);
  const teamsInOrder = [...byTeam].sort(([a], [b]) => a.localeCompare(b));
  const firstTick = Math.ceil(begin / HOUR_MS) * HOUR_MS;
  const ticks = Array.from({ length: (BACK_H + AHEAD_H) / TICK_H }, (_, index) => firstTick + index * TICK_H * HOUR_MS);
  const share = (ms: number): number => Math.min(100, Math.max(0, ((ms - begin) / SPAN_MS) * 100));
  return (
    <section class="board-part" aria-label={t("board.shifts")} data-testid="board-shifts">
      <h2>
        {t("board.shifts")} {gaps.value.length > 0 && <span class="late">{t("board.gaps", { n: gaps.value.length })}</span>}
      </h2>
      <div class="time-line">
        <div class="time-line-row head" aria-hidden="true">
          <span />
          <Bars>
            {ticks.map((tick) => (
              <text key={tick} x={`${share(tick)}%`} y="12">
                {written(tick).time.slice(0, 5)}
              </text>
            ))}
          </Bars>
        </div>
        {gaps.value.map((gap) => (
          <div class="time-line-row" key={`${gap.grid_cell}-${gap.begin_at}`} data-testid="staffing-gap">
            <span class="late clip" title={placeName(gap.grid_cell)}>
              {placeName(gap.grid_cell)} {gap.teams.length}/{gap.needed}
            </span>
            <Bars now={share(now.value)}>
              <Bar class="gap" from={share(Date.parse(gap.begin_at))} to={share(Date.parse(gap.end_at))} />
            </Bars>
          </div>
        ))}
        {teamsInOrder.map(([team, mine]) => (
          <div class="time-line-row" key={team}>
            <span class="clip" title={teamName(team)}>
              {teamName(team)}
            </span>
            <Bars now={share(now.value)}>
              {mine.map((duty) => (
                <Bar
                  key={duty.begin_at}
                  class={duty.instead_of ? "instead" : "duty"}
                  from={share(Date.parse(duty.begin_at))}
                  to={share(Date.parse(duty.end_at))}
                />
              ))}
            </Bars>
          </div>
        ))}
      </div>
    </section>
  );
}

function Bars({ now: at, children }: { now?: number; children: preact.ComponentChildren }) {
  return (
    <svg width="100%" height="16" aria-hidden="true">
      {children}
      {at !== undefined && <line x1={`${at}%`} x2={`${at}%`} y1="0" y2="16" class="now" />}
    </svg>
  );
}

function Bar({ from, to, class: look }: { from: number; to: number; class: string }) {
  return <rect x={`${from}%`} width={`${Math.max(0, to - from)}%`} y="3" height="10" rx="2" class={look} />;
}
