import { lapse, now, timeZone, written } from "../clock";
import { HealthSign, Icon, LevelShape } from "../controls/shapes";
import { t, word, type Key } from "../i18n";
import { matter } from "../incident/matter";
import { highest } from "../queue/order";
import { queue } from "../queue/shown";
import type { Level } from "../records";
import { isSilenced, silence } from "../sound";
import {
  healthCount,
  inLanguage,
  open,
  openByLevel,
  placeName,
  session,
  site,
  statuses,
  tab,
  teams,
  waiting,
} from "../state";
import { link } from "../updates";
import { show } from "./desk";

const LEVELS: readonly Level[] = [1, 2, 3, 4];

/** On every page: the highest unacknowledged alarm, counts by level, health, connection, clock, who is here. */
export function TopBar() {
  return (
    <header class="top">
      <Highest />
      <div class="top-levels" data-testid="level-counts">
        {LEVELS.map((level) => (
          <LevelCount key={level} level={level} />
        ))}
      </div>
      <Shelved />
      <Health />
      <FreeTeams />
      <LinkState />
      <Clock />
      <Who />
    </header>
  );
}

function Highest() {
  const best = highest(open.value);
  if (!best) {
    return (
      <div class="top-highest none" data-testid="highest">
        <strong>{site.value ? inLanguage(site.value.name) : ""}</strong>
        <span>{t("top.none")}</span>
      </div>
    );
  }
  const silent = isSilenced(open.value.filter(waiting));
  return (
    <div class={`top-highest level-${best.severity}`}>
      <button type="button" class="top-highest-open" data-testid="highest" onClick={() => show(best.id)}>
        <LevelShape level={best.severity} size={28} flash />
        <span class="top-highest-text">
          <strong class="clip">{matter(best)}</strong>
          <span class="clip">
            {placeName(best.grid_cell)} · {placeName(best.compound)}
          </span>
        </span>
        <span class="top-highest-age num">{lapse(now.value - Date.parse(best.opened_at))}</span>
      </button>
      <button
        type="button"
        class="btn quiet icon small"
        title={t("sound.silence")}
        aria-label={t("sound.silence")}
        aria-pressed={silent}
        onClick={() => silence(open.value)}
      >
        <Icon name={silent ? "mute" : "bell"} size={17} />
      </button>
    </div>
  );
}

function LevelCount({ level }: { level: Level }) {
  const { total, waiting: unowned } = openByLevel.value[level];
  const label = t("top.open", { level, n: total, waiting: unowned });
  return (
    <div class={`top-level${total === 0 ? " zero" : ""}`} title={label} aria-label={label} role="img">
      <LevelShape level={level} size={20} hollow={unowned === 0} dim={total === 0} />
      <span class="num">{total}</span>
    </div>
  );
}

/** Nothing while nothing is shelved: most of the time there is nothing to say. */
function Shelved() {
  const shelved = open.value.filter((one) => one.condition === "shelved").length;
  if (shelved === 0) return null;
  const look = (): void => {
    tab.value = "room";
    queue.value = "alerts";
  };
  return (
    <button type="button" class="top-stat" title={t("top.shelved.hint", { n: shelved })} data-testid="shelved" onClick={look}>
      <span class="top-label">{t("top.shelved")}</span>
      <span class="top-value num">{shelved}</span>
    </button>
  );
}

function Health() {
  const { online, degraded, offline } = healthCount.value;
  const label = `${t("top.cameras")}: ${t("health.online")} ${online}, ${t("health.degraded")} ${degraded}, ${t("health.offline")} ${offline}`;
  return (
    <button
      type="button"
      class="top-stat"
      aria-label={label}
      title={label}
      data-testid="camera-health"
      onClick={() => (tab.value = "cameras")}
    >
      <span class="top-label">{t("top.cameras")}</span>
      <span class="top-value">
        <span class="num">
          {online}
          <small>/{site.value?.cameras.features.length ?? statuses.value.size}</small>
        </span>
        {degraded > 0 && (
          <span class="health degraded num">
            <HealthSign health="degraded" />
            {degraded}
          </span>
        )}
        {offline > 0 && (
          <span class="health offline num">
            <HealthSign health="offline" />
            {offline}
          </span>
        )}
      </span>
    </button>
  );
}

function FreeTeams() {
  const onShift = [...teams.value.values()].filter((team) => team.on_shift);
  const free = onShift.filter((team) => team.status === "available").length;
  return (
    <button type="button" class="top-stat" data-testid="teams-free" onClick={() => (tab.value = "teams")}>
      <span class="top-label">{t("top.teams")}</span>
      <span class="top-value num">
        <span>
          {free}
          <small>/{onShift.length}</small>
        </span>
      </span>
    </button>
  );
}

function LinkState() {
  const state = link.value;
  return (
    <div class="top-link" role="status" data-testid="link" data-state={state} title={t(`top.${state}` as Key)}>
      <svg width="18" height="14" viewBox="0 0 18 14" aria-hidden="true">
        {[0, 1, 2].map((bar) => (
          <rect key={bar} x={bar * 6.5} y={9 - bar * 4} width="4" height={5 + bar * 4} rx="1" fill="currentColor" />
        ))}
        {state === "lost" && <path d="M1 1l16 12" stroke="currentColor" stroke-width="2" />}
      </svg>
      <span class="sr-only">{t(`top.${state}` as Key)}</span>
    </div>
  );
}

function Clock() {
  const { date, time } = written(now.value);
  return (
    <time class="top-clock num" data-testid="clock" title={timeZone.value}>
      <span class="top-label">{date}</span>
      <strong>{time}</strong>
    </time>
  );
}

function Who() {
  const who = session.value?.principal;
  if (!who) return null;
  return (
    <div class="top-who">
      <span class="top-label">{word("role", who.role)}</span>
      <span class="clip">{who.name}</span>
    </div>
  );
}
