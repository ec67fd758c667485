import { signal, useComputed } from "@preact/signals";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";

import { listed, type HealthFilter } from "../cameras/filter";
import { lapse, now } from "../clock";
import { HealthSign, LevelShape } from "../controls/shapes";
import { t, type Key } from "../i18n";
import type { Incident } from "../records";
import { cameraById, cameraName, open, placeName, site, statuses, waiting } from "../state";
import { compare } from "../queue/order";
import { isOld } from "./freshness";
import { grid, place } from "./grid";
import { OverviewLink } from "./link";
import { pick, picked } from "./wall";

const FILTERS: readonly HealthFilter[] = ["all", "awake", "degraded", "offline"];
const SIZES = { small: 116, medium: 184, large: 296 } as const;
type Size = keyof typeof SIZES;

const size = signal<Size>((localStorage.getItem("gridpatrol.overview.size") as Size | null) ?? "medium");

/** Every camera at once, in places that never change: the newest key frame of each, with its age. */
export function Overview() {
  const [text, setText] = useState("");
  const [health, setHealth] = useState<HealthFilter>("all");
  const link = useMemo(() => new OverviewLink(), []);
  useEffect(() => () => link.stop(), [link]);
  const all = (site.value?.cameras.features ?? [])
    .filter((one) => one.properties.enabled)
    .map(({ properties: p }) => listed(p, statuses.value.get(p.id), placeName(p.compound)));
  const parts = text.toLowerCase().split(/\s+/).filter(Boolean);
  const is = (one: HealthFilter, of: (typeof all)[number]): boolean => one === "all" || (one === "awake" ? of.awake : of.health === one);
  const ids = all.filter((one) => is(health, one) && parts.every((part) => one.words.includes(part))).map((one) => one.id);
  return (
    <>
      <div class="overview-bar">
        <input
          class="input"
          type="search"
          value={text}
          placeholder={t("cameras.filter")}
          aria-label={t("cameras.filter")}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <div class="segments" role="group" aria-label={t("cameras.column.health")}>
          {FILTERS.map((one) => (
            <button key={one} type="button" aria-pressed={health === one} data-filter={one} onClick={() => setHealth(one)}>
              {one !== "all" && one !== "awake" && <HealthSign health={one} />}
              {one === "all" || one === "awake" ? t(`cameras.${one}`) : t(`health.${one}` as Key)}
              <span class="count num">{all.filter((camera) => is(one, camera)).length}</span>
            </button>
          ))}
        </div>
        <div class="segments" role="group" aria-label={t("wall.size")}>
          {(Object.keys(SIZES) as Size[]).map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={size.value === one}
              data-size={one}
              onClick={() => {
                size.value = one;
                localStorage.setItem("gridpatrol.overview.size", one);
              }}
            >
              {t(`wall.size.${one}`)}
            </button>
          ))}
        </div>
        <span class="page-count num">
          {!link.live.value && <span class="overview-lost">{t("wall.link.lost")}</span>} {t("cameras.count", { n: ids.length, all: all.length })}
        </span>
      </div>
      {ids.length === 0 ? <div class="empty">{t("cameras.none")}</div> : <Tiles ids={ids} link={link} />}
    </>
  );
}

/** The tiles in sight, and a row more at each end; only these exist, and only of these are pictures sent. */
function Tiles({ ids, link }: { ids: readonly string[]; link: OverviewLink }) {
  const box = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ width: 0, height: 0, top: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = (): void => setSeen({ width: element.clientWidth, height: element.clientHeight, top: element.scrollTop });
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    measure();
    return () => observer.disconnect();
  }, []);
  const shape = grid(ids.length, SIZES[size.value], seen.width, seen.height, seen.top);
  const shown = ids.slice(shape.first, shape.last);
  useEffect(() => {
    if (seen.width > 0) link.show(shown, Math.ceil(shape.width * devicePixelRatio));
  }, [shown.join(), shape.width]);
  // The level of the alarm on each camera; computed once for all tiles.
  const alarms = useComputed(() => {
    const found = new Map<string, Incident>();
    for (const one of open.value) {
      if (!waiting(one)) continue;
      for (const camera of one.cameras) {
        const known = found.get(camera);
        if (!known || compare(one, known) < 0) found.set(camera, one);
      }
    }
    return found;
  });
  return (
    <div
      ref={box}
      class="overview"
      data-testid="overview"
      onScroll={({ currentTarget: { scrollTop } }) => setSeen((before) => ({ ...before, top: scrollTop }))}
    >
      <div class="overview-inner" role="list" aria-label={t("wall.overview")} style={{ height: shape.total }}>
        {seen.width > 0 &&
          shown.map((id, offset) => (
            <div
              key={id}
              class="overview-place"
              role="listitem"
              style={{ ...place(shape.first + offset, shape), width: shape.width, height: shape.height }}
            >
              <Tile id={id} link={link} alarm={alarms.value.get(id)} small={shape.width < 150} />
            </div>
          ))}
      </div>
    </div>
  );
}

function written(age_ms: number): string {
  return age_ms < 60_000 ? t("wall.age", { s: Math.round(age_ms / 1000) }) : t("wall.age.long", { age: lapse(age_ms) });
}

interface TileProps {
  id: string;
  link: OverviewLink;
  alarm: Incident | undefined;
  small: boolean;
}

function Tile({ id, link, alarm, small }: TileProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    link.attach(id, canvas.current);
    return () => link.attach(id, null);
  }, [id, link]);
  void now.value; // once a second the age is written anew
  const drawn = link.of(id);
  const status = statuses.value.get(id);
  const health = status?.health ?? "offline";
  const age_ms = drawn ? performance.now() - drawn.taken_ms : 0;
  const old = !drawn || health === "offline" || isOld(age_ms, drawn.gop_s);
  const moving = drawn?.moving === true && !old && age_ms < 2_000;
  const state = !drawn ? "none" : old ? "old" : moving ? "moving" : "fresh";
  const name = cameraName(id);
  return (
    <button
      type="button"
      class={`overview-tile ${state}${drawn ? " drawn" : ""}${alarm ? ` alarm-${alarm.severity}` : ""}${picked.value === id ? " picked" : ""}`}
      data-camera={id}
      data-state={state}
      data-testid="overview-tile"
      aria-label={`${id} ${name} · ${t(`health.${health}` as Key)}${drawn ? ` · ${lapse(age_ms)}` : ""}`}
      title={`${id} ${name} · ${placeName(cameraById.value.get(id)?.properties.compound ?? "")}`}
      onClick={() => pick(id)}
    >
      <canvas ref={canvas} width="16" height="9" />
      {alarm && <LevelShape level={alarm.severity} size={20} flash />}
      {!drawn && <span class="overview-none">{t(health === "offline" ? "health.offline" : "wall.no_picture")}</span>}
      <span class="overview-caption">
        <span class={`health ${health}`}>
          <HealthSign health={health} size={10} />
        </span>
        <b class="num">{id}</b>
        {!small && <span class="clip">{name}</span>}
        {drawn && (
          <span class="overview-age num">
            {moving ? t("wall.age.moving") : written(age_ms)}
          </span>
        )}
      </span>
    </button>
  );
}
