import "./wall.css";

import { useEffect } from "preact/hooks";

import { Icon, LevelShape } from "../controls/shapes";
import { lapse, now } from "../clock";
import { t } from "../i18n";
import { actionOf, isTyping } from "../keys";
import { LiveTile } from "../live/LiveTile";
import { Window } from "../live/Window";
import { cameraName, open, placeName, cameraById, waiting } from "../state";
import { inOwnWindow, startFollowing } from "./follow";
import { Overview } from "./Overview";
import { LAYOUTS, type Tile } from "./plan";
import {
  change,
  DWELLS_S,
  enlarge,
  enlarged,
  kept,
  left_s,
  onWall,
  pause,
  pin,
  rest,
  saw,
  startWall,
  stopped,
  tiles,
  UNSEEN_H,
  type View,
} from "./wall";

/** The wall as a page of the control room, or alone in its own window. */
export function Wall() {
  useEffect(() => startWall(), []);
  const { view } = kept.value;
  return (
    <main class="wall" aria-label={t("tab.wall")} data-testid="wall">
      <Bar />
      {view === "overview" ? <Overview /> : <Grid />}
      {view === "overview" && <Window />}
    </main>
  );
}

/** The page that a window opened as `#wall` shows: nothing but the wall, which follows the desk. */
export function WallWindow() {
  useEffect(() => startFollowing(), []);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const onButton = event.target instanceof HTMLElement && event.target.closest("button") !== null;
      const action = actionOf(event, isTyping(event.target), onButton);
      if (action !== null && onWall(action)) event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <div class="wall-window">
      <Wall />
    </div>
  );
}

const VIEWS: readonly View[] = ["overview", ...LAYOUTS];

function Bar() {
  const { view } = kept.value;
  return (
    <header class="wall-bar">
      <div class="segments" role="group" aria-label={t("wall.layout")}>
        {VIEWS.map((one) => (
          <button key={one} type="button" aria-pressed={view === one} data-view={one} onClick={() => change({ view: one })}>
            {one === "overview" ? t("wall.overview") : <LayoutSign n={one} />}
          </button>
        ))}
      </div>
      {view !== "overview" && <TourBar />}
      <span class="wall-gap" />
      {!inOwnWindow && (
        <button type="button" class="btn" data-testid="wall-own-window" onClick={() => window.open("/#wall", "gridpatrol-wall")}>
          <Icon name="enlarge" size={16} />
          {t("wall.own_window")}
        </button>
      )}
    </header>
  );
}

function LayoutSign({ n }: { n: number }) {
  const side = Math.sqrt(n);
  const cell = 16 / side;
  return (
    <>
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        {Array.from({ length: n }, (_, at) => (
          <rect
            key={at}
            x={(at % side) * cell + 0.75}
            y={Math.floor(at / side) * cell + 0.75}
            width={cell - 1.5}
            height={cell - 1.5}
            rx="0.8"
            fill="currentColor"
          />
        ))}
      </svg>
      <span class="num">{n}</span>
    </>
  );
}

/** What goes round, how fast, and why it stands still. */
function TourBar() {
  const { tour, blank, dwell_s, quiet, unseen_h } = kept.value;
  const goes = tour && !blank;
  const why = pause.value;
  return (
    <>
      <div class="segments" role="group" aria-label={t("wall.empty_tiles")}>
        <button type="button" aria-pressed={goes} data-mode="tour" onClick={() => change({ tour: true, blank: false })}>
          {t("wall.tour")}
        </button>
        <button type="button" aria-pressed={blank} data-mode="blank" onClick={() => change({ blank: true })}>
          {t("wall.blank")}
        </button>
      </div>
      {goes && (
        <>
          <select
            class="input wall-select"
            aria-label={t("wall.dwell")}
            value={dwell_s}
            onChange={(event) => change({ dwell_s: Number(event.currentTarget.value) })}
          >
            {DWELLS_S.map((one) => (
              <option key={one} value={one}>
                {t("wall.dwell.each", { s: one })}
              </option>
            ))}
          </select>
          <select
            class="input wall-select"
            aria-label={t("wall.unseen")}
            value={unseen_h}
            onChange={(event) => change({ unseen_h: Number(event.currentTarget.value) })}
          >
            {UNSEEN_H.map((one) => (
              <option key={one} value={one}>
                {one === 0 ? t("wall.unseen.all") : t("wall.unseen.hours", { n: one })}
              </option>
            ))}
          </select>
          <label class="wall-check">
            <input type="checkbox" checked={quiet} onChange={(event) => change({ quiet: event.currentTarget.checked })} />
            {t("wall.quiet")}
          </label>
          <button
            type="button"
            class="btn"
            aria-pressed={stopped.value}
            data-testid="tour-pause"
            onClick={() => (stopped.value = !stopped.value)}
          >
            {t(stopped.value ? "wall.go_on" : "wall.pause")}
          </button>
          <span class="wall-tour num" role="status" data-testid="tour-state" data-pause={why ?? "none"}>
            {why === null ? t("wall.next", { s: left_s.value, n: rest.value }) : t(`wall.paused.${why}`)}
          </span>
        </>
      )}
    </>
  );
}

function Grid() {
  const large = enlarged.value;
  const shown = tiles.value;
  const side = large === null ? Math.sqrt(shown.length || 1) : 1;
  return (
    <div class="wall-grid" style={{ "--side": String(side) }} data-testid="wall-grid">
      {shown.map((tile, at) =>
        large === null || large === at ? <WallTile key={at} at={at} tile={tile} large={large === at || shown.length === 1} /> : null,
      )}
    </div>
  );
}

function WallTile({ at, tile, large }: { at: number; tile: Tile; large: boolean }) {
  const { camera, why } = tile;
  const number = at < 9 ? at + 1 : null;
  if (camera === null) {
    return (
      <div class="wall-tile blank" data-testid="wall-tile" data-why="none">
        {t(kept.value.blank ? "wall.dark" : "wall.free")}
      </div>
    );
  }
  const alarm = open.value.find((one) => waiting(one) && one.cameras.includes(camera));
  const isPinned = kept.value.pinned[at] === camera;
  return (
    <section
      class={`wall-tile${alarm ? ` alarm-${alarm.severity}` : ""}`}
      data-testid="wall-tile"
      data-camera={camera}
      data-why={why}
      aria-label={`${camera} ${cameraName(camera)}`}
    >
      <LiveTile key={camera} camera={camera} testid="wall-video" onMoving={() => saw(camera)} onClick={() => enlarge(at)} large={large} />
      <header>
        {alarm && <LevelShape level={alarm.severity} size={22} flash />}
        {number !== null && <kbd class="key">{number}</kbd>}
        <b class="num">{camera}</b>
        <span class="clip">{cameraName(camera)}</span>
        <span class="clip wall-where">{placeName(cameraById.value.get(camera)?.properties.compound ?? "")}</span>
        {alarm && <span class="num">{lapse(now.value - Date.parse(alarm.opened_at))}</span>}
        {why === "followed" && <span class="wall-why">{t("wall.followed")}</span>}
        <button
          type="button"
          class="btn quiet icon small"
          aria-pressed={isPinned}
          title={t(isPinned ? "wall.unpin" : "wall.pin")}
          aria-label={t(isPinned ? "wall.unpin" : "wall.pin")}
          onClick={() => pin(at, isPinned ? null : camera)}
        >
          <Icon name="pin" size={15} />
        </button>
        <button
          type="button"
          class="btn quiet icon small"
          title={t(large ? "wall.smaller" : "wall.larger")}
          aria-label={t(large ? "wall.smaller" : "wall.larger")}
          onClick={() => enlarge(at)}
        >
          <Icon name={large ? "close" : "enlarge"} size={15} />
        </button>
      </header>
    </section>
  );
}
